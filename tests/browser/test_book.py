"""The Book page: what is drawn is the book, or says that it is not."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from bench.system import STARTER_SET

PATH = "/book/binance/spot/BTC-USDT/"
MARKET = {"exchange": "binance", "market_type": "spot", "symbol": "BTCUSDT"}
LIMIT_MS = 5000
SPARE_MS = 3000  # for a machine that is busy
DRAWN = """() => {
    const side = (name) => [...document.querySelectorAll(`.${name} .lv:not([data-empty="1"])`)].map((row) =>
        [row.querySelector(".p").textContent, row.querySelectorAll(".v")[0].textContent]);
    return { seq: document.getElementById("seq").textContent, bids: side("bids"), asks: side("asks") };
}"""

SHOWN_WHILE_STALE = """() => {
    const colour = (side) => getComputedStyle(document.querySelector(`.${side} .p`)).color;
    const stale = document.getElementById("state").textContent === "STALE"
        && document.querySelector("#elsewhere tr.here").dataset.stale === "1";
    return stale && {
        why: document.getElementById("why").textContent,
        ask: colour("asks"),
        bid: colour("bids"),
        edges: [...document.querySelector("#edges tbody tr").cells].slice(1).map((cell) => cell.textContent),
    };
}"""


def numbers(levels):
    return [[float(text.replace(",", "")) for text in level] for level in levels]


@pytest.fixture
def live(open_page):
    page = open_page(PATH)
    expect(page.locator("#state")).to_have_text("LIVE")
    return page


@pytest.fixture
def still(system):
    """The market stands still until the end of the test."""
    system.simulator("fault", {"op": "freeze", **MARKET})
    yield
    system.simulator("fault", {"op": "thaw", **MARKET})
    system.wait("all books", lambda: system.books().get("live", 0) >= STARTER_SET)


@pytest.fixture
def muted(system):
    system.simulator("fault", {"op": "mute", **MARKET})
    yield
    system.simulator("fault", {"op": "unmute", **MARKET})
    system.wait("all books", lambda: system.books().get("live", 0) >= STARTER_SET)


def test_the_ladder_moves(live):
    seqs = {live.evaluate(DRAWN)["seq"]}
    live.wait_for_function("(seq) => document.getElementById('seq').textContent !== seq", arg=next(iter(seqs)))
    drawn = live.evaluate(DRAWN)
    assert len(drawn["bids"]) == len(drawn["asks"]) == 20


def test_the_drawn_book_is_the_exchanges_book(live, system, still):
    """Waits until the page shows the last sequence, then compares level by level."""
    truth = system.simulator("book?exchange=binance&market_type=spot&symbol=BTCUSDT&depth=20")
    live.wait_for_function(
        "(seq) => document.getElementById('seq').textContent.replaceAll(',', '') === seq", arg=str(truth["seq"])
    )
    drawn = live.evaluate(DRAWN)
    assert numbers(drawn["bids"]) == [[float(part) for part in level] for level in truth["bids"]]
    assert numbers(drawn["asks"]) == [[float(part) for part in level] for level in truth["asks"]]
    rest = system.get("/orderbook/binance/BTC-USDT?market_type=spot&depth=20")
    assert (rest["seq"], rest["bids"]) == (truth["seq"], numbers(drawn["bids"]))


def test_prices_and_sizes_have_the_instruments_decimals(live):
    tick = Decimal(live.locator("#book").get_attribute("data-tick"))
    digits = -tick.as_tuple().exponent
    size_digits = int(live.locator("#book").get_attribute("data-size-digits"))
    for price, size in live.evaluate(DRAWN)["asks"]:
        assert len(price.partition(".")[2]) == digits
        assert len(size.partition(".")[2]) == size_digits


def test_a_killed_feed_is_stale_within_its_limit_and_shows_it(live, muted):
    """Looked at in one moment: the daemon asks for a snapshot meanwhile, which makes the book LIVE for a while."""
    shown = live.wait_for_function(SHOWN_WHILE_STALE, timeout=LIMIT_MS + SPARE_MS).json_value()
    assert "STALE: no update for" in shown["why"]
    assert shown["ask"] == shown["bid"]  # grey, both
    assert set(shown["edges"]) == {"·", "–"}


def test_a_stopped_daemon_makes_the_book_stale_and_then_down_without_a_ladder(live, daemon):
    daemon.pause()
    expect(live.locator("#state")).to_have_text("DOWN", timeout=LIMIT_MS + 5000 + SPARE_MS)
    assert live.evaluate(DRAWN)["bids"] == []
    expect(live.locator("#why")).to_contain_text("no daemon publishes this book")
    daemon.resume()
    expect(live.locator("#state")).to_have_text("LIVE", timeout=60_000)


def test_a_crossed_book_is_never_drawn(live, system):
    live.evaluate(
        """() => {
            window.crossed = 0;
            const best = (side) => Number(document.querySelector(`.${side} .lv .p`).textContent.replaceAll(",", ""));
            const empty = () => document.querySelector('.asks .lv').dataset.empty === "1";
            new MutationObserver(() => { if (!empty() && best("bids") >= best("asks")) window.crossed += 1; })
                .observe(document.getElementById("ladder"), { subtree: true, characterData: true, childList: true });
        }"""
    )
    system.simulator("fault", {"op": "cross", "count": 3, **MARKET})
    live.wait_for_function("() => Number(document.getElementById('resyncs').textContent) > 0")
    expect(live.locator("#state")).to_have_text("LIVE")
    assert live.evaluate("window.crossed") == 0


def test_the_shown_age_is_that_of_the_server(live, muted, system):
    for _ in range(5):
        expect(live.locator("#age")).to_have_text(re.compile(r"^([2-9]|\d\d)\.\d s$"))
        before, server, after = live.evaluate(
            """async () => {
                const shown = () => Number(document.getElementById('age').textContent.replace(' s', '')) * 1000;
                const before = shown();
                const rows = await (await fetch('/api/v1/books')).json();
                return [before, rows.find((row) => row.key === 'binance:spot:BTC/USDT').age_ms, shown()];
            }"""
        )
        if before - 1500 <= server <= after + 500:  # REST's is up to a second old
            break  # else somebody was held up meanwhile
    else:
        pytest.fail(f"{server} ms, shown as {before} to {after}")


def test_grouping_sizes_in_quote_and_freezing_change_what_is_drawn(live):
    live.keyboard.press("]")
    expect(live.locator("#groups [data-multiple='10']")).to_have_attribute("aria-pressed", "true")
    live.keyboard.press("q")
    expect(live.locator("#size-unit")).to_have_text("USDT")
    live.keyboard.press("Space")
    expect(live.locator("#frozen")).to_contain_text("FROZEN")
    still = live.evaluate(DRAWN)["bids"]
    live.wait_for_timeout(700)
    assert live.evaluate(DRAWN)["bids"] == still
    live.keyboard.press("Space")
    expect(live.locator("#frozen")).to_be_hidden()


def test_trades_other_books_and_edges_are_live(live):
    expect(live.locator("#tape tbody tr:not([hidden])").first).to_be_visible()
    expect(live.locator("#elsewhere tbody tr")).to_have_count(14)
    expect(live.locator("#edges td[data-edge=unknown]")).to_have_count(0)
    bid, ask = (
        float(live.locator(f'#elsewhere tr[data-key="{key}"] .{side}').inner_text().replace(",", ""))
        for key, side in (("okx:spot:BTC/USDT", "bid"), ("binance:spot:BTC/USDT", "ask"))
    )
    assert bid > 0
    assert ask > 0


def test_a_pair_that_is_not_listed_is_not_found(open_page, complaints):
    complaints.allowed |= {"404"}
    page = open_page("/book/binance/spot/NO-SUCH/")
    expect(page.locator("body")).to_contain_text("not")


def test_a_pair_that_is_off_says_so(open_page):
    page = open_page("/book/binance/spot/ADA-USDT/")
    expect(page.locator("#off")).to_contain_text("Not enabled on Binance spot.")
    expect(page.locator("#state")).to_have_text("DOWN")
