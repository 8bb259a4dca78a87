"""The Fleet page against a system that suffers."""

import pytest
from playwright.sync_api import expect

from bench.system import STARTER_SET

LIMIT_MS = 5000
SPARE_MS = 3000  # for a machine that is busy


def tile(page, key):
    return page.locator(f'.tile[data-key="{key}"]')


@pytest.fixture
def muted(system):
    """ETH/USDT of Bybit spot goes silent; it speaks again afterwards."""
    fault = {"exchange": "bybit", "market_type": "spot", "symbol": "ETHUSDT"}
    system.simulator("fault", {"op": "mute", **fault})
    yield "bybit:spot:ETH/USDT"
    system.simulator("fault", {"op": "unmute", **fault})
    system.wait("all books", lambda: system.books().get("stale") == 0)


def test_counts_equal_what_rest_says(open_page, system):
    page = open_page("/fleet/")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    books = system.books()
    expect(page.locator("#f-live")).to_have_text(str(books["live"]))
    expect(page.locator("#f-enabled")).to_have_text(f"of {sum(books.values())}")
    assert page.locator(".tile").count() == sum(books.values())
    expect(page.locator("#counts .st[data-st=LIVE] b")).to_have_text(str(books["live"]))
    expect(page.locator("[data-daemon]")).to_have_count(1)


def test_a_muted_pair_is_stale_within_its_limit_and_a_second_and_no_other(open_page, muted):
    page = open_page("/fleet/")
    expect(tile(page, muted)).to_have_attribute("data-st", "STALE", timeout=LIMIT_MS + 1000 + 2000 + SPARE_MS)
    expect(page.locator('.tile:not([data-st="LIVE"])')).to_have_count(1)
    line = page.locator("#attention li").first
    expect(line).to_contain_text("ETH/USDT bybit spot")
    expect(line.locator("button")).to_have_text("Resync")
    tile(page, muted).hover()
    expect(page.locator("#card")).to_contain_text("STALE")
    expect(page).to_have_title("▲1 Fleet")


def test_a_stopped_daemon_leaves_no_book_live(open_page, daemon):
    page = open_page("/fleet/")
    expect(page.locator("#f-live")).to_have_text(str(STARTER_SET))
    daemon.pause()
    expect(page.locator("#f-live")).to_have_text("0", timeout=LIMIT_MS + 5000 + SPARE_MS)
    expect(page.locator("[data-daemon] .st")).to_contain_text("LOST")
    daemon.resume()
    expect(page.locator("#f-live")).to_have_text(str(STARTER_SET), timeout=60_000)
    expect(page.locator("[data-daemon] .st")).to_have_text("ALIVE")


def test_every_tile_is_reached_by_keys(open_page, muted):
    page = open_page("/fleet/")
    expect(tile(page, muted)).to_have_attribute("data-st", "STALE", timeout=LIMIT_MS + 3000 + SPARE_MS)
    page.keyboard.press("n")
    expect(tile(page, muted)).to_be_focused()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("document.activeElement.dataset.key")
    assert below.startswith("bybit:futures:")
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.key").startswith("binance:spot:")
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/binance/spot/**")


def test_tiles_are_coloured_by_what_is_asked(open_page):
    page = open_page("/fleet/")
    page.keyboard.press("2")
    expect(page.locator("#legend")).to_contain_text("age:")
    expect(page.locator("#matrix")).to_have_attribute("data-colour", "age")
    page.locator("#filter").fill("sol")
    expect(page.locator(".tile:not([data-out])")).to_have_count(STARTER_SET // 3)


def test_a_resync_is_asked_for_and_done(open_page, system, muted):
    page = open_page("/fleet/")
    expect(tile(page, muted)).to_have_attribute("data-st", "STALE", timeout=LIMIT_MS + 3000 + SPARE_MS)
    page.locator("#attention button[data-action=resync]").first.click()
    expect(page.locator(".toast")).to_contain_text("Resync of bybit:spot:ETH/USDT asked")
    expect(tile(page, muted)).to_have_attribute("data-st", "SYNCING")
