from decimal import Decimal

import pytest
from msgspec import json
from msgspec.structs import replace

from apps.feeds.market import BookState
from apps.feeds.tests.listings import instrument
from apps.feeds.tests.published import ladder
from ctweb.live.feeds import BookFeed, TapeFeed
from ctweb.live.units import decimals, lot_decimals
from ctweb.tests.bus import NOW_NS, book, message, prints

MS = 1_000_000


def book_feed() -> BookFeed:
    return BookFeed("book:binance:spot:BTC/USDT", instrument())


def drawn(feed, depth=20):
    return json.decode(b"{" + feed.fragment(depth) + b"}")


@pytest.mark.parametrize(
    ("step", "digits"), [("0.01", 2), ("0.5", 1), ("5", 0), ("0.00000001", 8), ("1E+2", 0), ("0.10", 1)]
)
def test_a_step_needs_as_many_digits_as_its_multiples(step, digits):
    assert decimals(Decimal(step)) == digits


def test_amounts_of_contracts_have_the_digits_of_their_base_amount():
    swap = instrument(market_type="futures", lot=Decimal("0.1"), contract_size=Decimal("0.01"))
    assert lot_decimals(swap) == 3
    assert lot_decimals(replace(swap, inverse=True)) == 8


def test_prices_and_amounts_leave_with_exactly_the_instruments_decimals():
    feed = book_feed()
    feed.offer(message(book()))
    shown = drawn(feed, depth=2)
    assert shown["b"] == [["100.00", "1.00000"], ["99.00", "2.00000"]]
    assert shown["a"] == [["101.00", "2.00000"], ["102.00", "3.00000"]]
    assert (shown["s"], shown["seq"], shown["fence"], shown["limit"], shown["lag"]) == ("LIVE", "10", 7, 5000, 0)


def test_a_book_is_encoded_once_per_change_and_depth_however_often_it_is_sent():
    feed = book_feed()
    feed.offer(message(book()))
    for _ in range(50):
        feed.fragment(20)
        feed.fragment(5)
    assert feed.encodes == 2
    feed.offer(message(book(version=2)))
    assert feed.fragment(20) is feed.fragment(20)
    assert feed.encodes == 3


def test_a_rewrite_of_an_unchanged_book_moves_its_age_only():
    feed = book_feed()
    feed.offer(message(book()))
    version = feed.version
    feed.offer(message(book(last_event_ns=NOW_NS + 900 * MS), published_ns=NOW_NS + 900 * MS))
    assert feed.version == version
    assert feed.age_ms(NOW_NS + 1000 * MS) == 100


def test_a_lower_fence_is_dropped_and_counted():
    feed = book_feed()
    feed.offer(message(book(builder=_builder(200.0)), fence=8))
    feed.offer(message(book(version=99), fence=7, published_ns=NOW_NS + 1))
    assert drawn(feed)["b"][0][0] == "200.00"
    assert feed.lower_fences == 1


def test_a_key_read_before_the_message_that_we_have_changes_nothing():
    feed = book_feed()
    feed.offer(message(book(version=5), published_ns=NOW_NS + 5))
    version = feed.version
    feed.offer(message(book(version=4), published_ns=NOW_NS + 4))
    assert feed.version == version


def test_a_key_that_expired_is_a_book_that_is_down_without_levels():
    feed = book_feed()
    feed.offer(message(book()))
    feed.offer(None)
    assert feed.state == BookState.DOWN
    assert drawn(feed) == {"s": "DOWN", "why": "no daemon publishes this book", "b": [], "a": []}
    feed.offer(message(book()))
    assert drawn(feed)["s"] == "LIVE"


def test_what_some_other_program_wrote_leaves_the_book_as_it_is():
    feed = book_feed()
    feed.offer(message(book()))
    for raw in (b"", b"null", b'{"state": 7}', b"\xff\xfe"):
        feed.offer(raw)
    assert feed.state == BookState.LIVE
    assert feed.malformed == 4


def test_the_tape_gives_each_print_once_and_counts_those_that_are_too_many():
    tape = TapeFeed("trades:binance:spot:BTC/USDT", instrument())
    tape.offer(prints("1", "2"))
    tape.offer(prints("2", "3"))
    rows, skipped = tape.since(1)
    assert [row[0] for row in json.decode(rows)] == ["2", "3"]
    assert json.decode(rows)[0][1:4] == ["buy", "100.25", "0.50000"]
    assert skipped == 0
    tape.offer(prints(*(f"x{n}" for n in range(60))))
    rows, skipped = tape.since(3)
    assert (len(json.decode(rows)), skipped) == (50, 10)


def _builder(best_bid):
    return type(book().builder)(ladder(best_bid))
