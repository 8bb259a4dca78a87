import pytest
from msgspec import json

from ctweb.live.fleet import picture
from ctweb.live.fleetfeed import FleetFeed
from ctweb.live.shapes import Daemon
from ctweb.live.status import RefusedStatus
from ctweb.tests.bus import book_status, daemon_status

BTC, ETH = "binance:spot:BTC/USDT", "binance:spot:ETH/USDT"
NOW = 1_700_000_000_000


def seen(*books, enabled=(BTC, ETH), refused=None, lost=None, now_ms=NOW, **daemon):
    statuses = [daemon_status(*books, now_ms=NOW, **daemon)] if books else []
    return picture(statuses, dict.fromkeys(enabled, 20), lost or {}, refused or {}, now_ms)


def test_every_enabled_pair_is_in_the_picture_whoever_holds_it():
    fleet = seen(book_status(BTC))
    assert {key: (row.state, row.reason) for key, row in fleet.rows.items()} == {
        BTC: ("LIVE", None),
        ETH: ("DOWN", "no daemon has taken it yet"),
    }
    assert fleet.figures.states == {"LIVE": 1, "SYNCING": 0, "STALE": 0, "DOWN": 1}


def test_without_daemons_every_pair_says_so():
    assert {row.reason for row in seen().rows.values()} == {"no daemon is running"}


def test_a_pair_that_is_not_enabled_any_more_leaves_at_once():
    assert seen(book_status(BTC), book_status(ETH), enabled=(ETH,)).rows.keys() == {ETH}


def test_a_silent_daemons_books_grow_old_and_then_are_down():
    assert seen(book_status(BTC, age_ms=4_000), now_ms=NOW + 2_500).rows[BTC].state == "STALE"
    lost = seen(book_status(BTC), now_ms=NOW + 3_100)
    assert (lost.rows[BTC].state, lost.rows[BTC].reason) == ("DOWN", "its daemon is lost")
    assert lost.daemons[0].state == "LOST"


def test_of_two_daemons_that_claim_a_book_the_higher_fence_is_believed():
    old = daemon_status(book_status(BTC, "SYNCING", fence=7), now_ms=NOW, daemon="d1")
    new = daemon_status(book_status(BTC, fence=8), now_ms=NOW, daemon="d2")
    assert picture([new, old], {BTC: 20}, {}, {}, NOW).rows[BTC].daemon == "d2"


def test_a_pair_that_the_exchange_refused_shows_its_words_and_can_be_disabled():
    refusal = RefusedStatus(
        exchange="binance",
        market_type="spot",
        pair="ETH/USDT",
        reason="-1121 Invalid symbol",
    )
    fleet = picture([daemon_status(book_status(BTC), now_ms=NOW, refused=[refusal])], {BTC: 20, ETH: 20}, {}, {}, NOW)
    assert fleet.rows[ETH].reason == "-1121 Invalid symbol"
    assert [(item.key, item.action) for item in fleet.attention] == [(ETH, "disable")]


def test_a_row_that_can_never_run_needs_attention_though_it_is_no_book():
    fleet = seen(book_status(BTC), enabled=(BTC,), refused={"binance:spot:FOO/BAR": "not in the catalogue"})
    assert fleet.rows.keys() == {BTC}
    assert [(item.name, item.why, item.action) for item in fleet.attention] == [("FOO/BAR", "not in the catalogue", "")]


def test_attention_has_the_worst_first():
    fleet = seen(
        book_status(BTC, "SYNCING", reason="gap: had 1, got 3"),
        book_status(ETH, "STALE", reason="no frame"),
        state="LAGGING",
    )
    assert [item.state for item in fleet.attention] == ["STALE", "STALE", "SYNCING"]
    assert fleet.attention[-1].why == "gap: had 1, got 3"


def test_a_daemon_that_fell_silent_stays_in_the_list():
    gone = Daemon("d9", "monitor", "LOST", NOW - 60_000, 40, 500, 2, 20, 3, 10.0, 80.0, 1.0, 0)
    fleet = seen(book_status(BTC), lost={"d9": gone})
    assert [(one.id, one.state) for one in fleet.daemons] == [("d1", "ALIVE"), ("d9", "LOST")]


@pytest.fixture
def feed():
    return FleetFeed()


def changes(feed, version):
    message = json.decode(b"{" + feed.since(version) + b"}")
    return [row[0] for row in message["rows"]], message["gone"]


def test_a_tab_gets_the_whole_fleet_first_and_then_what_changed(feed):
    feed.take(seen(book_status(BTC), book_status(ETH)), {})
    assert changes(feed, 0) == ([BTC, ETH], [])
    feed.take(seen(book_status(BTC), book_status(ETH, "STALE")), {})
    assert changes(feed, 1) == ([ETH], [])
    feed.take(seen(book_status(BTC), book_status(ETH), enabled=(BTC,)), {})
    assert changes(feed, 1) == ([], [ETH])
    assert changes(feed, 0) == ([BTC], [])


def test_the_third_digit_of_a_healthy_books_figures_is_no_change(feed):
    feed.take(seen(book_status(BTC, age_ms=40, msg_s=10.01), enabled=(BTC,)), {})
    feed.take(seen(book_status(BTC, age_ms=90, msg_s=10.02), enabled=(BTC,)), {})
    assert changes(feed, 1) == ([], [])


def test_a_fleet_is_encoded_once_for_all_tabs_that_stand_at_the_same_version(feed):
    feed.take(seen(book_status(BTC)), {})
    assert feed.since(0) is feed.since(0)
