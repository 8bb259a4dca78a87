"""States of the books of one market: what makes them LIVE, STALE, SYNCING and DOWN, and how they come back."""

from decimal import Decimal

import pytest

from apps.feeds.book.books import OVERDUE_NS, PAUSE_NS, SECOND_NS, Books, Progress, Tracked
from apps.feeds.book.builder import Changed, Dropped, Held, NeedSnapshot
from apps.feeds.book.continuity import Chain, PlusOne, Rule, UpdateRange
from apps.feeds.market import BookKey, BookState, Instrument, MarketType
from apps.feeds.subscriptions import Subscription
from apps.feeds.tests.book_events import delta, snapshot

START = 1_000 * SECOND_NS
KEY = BookKey("bybit", MarketType.SPOT, "BTC/USDT")


def subscription(symbol: str = "BTCUSDT", base: str = "BTC", depth: int = 50) -> Subscription:
    instrument = Instrument(
        exchange="bybit",
        market_type=MarketType.SPOT,
        pair=f"{base}/USDT",
        symbol=symbol,
        base=base,
        quote="USDT",
        settle="USDT",
        tick=Decimal("0.1"),
        lot=Decimal("0.001"),
    )
    return Subscription(instrument=instrument, depth=depth)


def open_books(rule: Rule | None = None) -> tuple[Books, Tracked]:
    """One pair whose socket has just opened."""
    books = Books(lambda depth: rule or PlusOne())
    tracked = books.add(subscription())
    books.socket_open(["BTCUSDT"], START)
    return books, tracked


def live_books(rule: Rule | None = None) -> tuple[Books, Tracked]:
    books, tracked = open_books(rule)
    books.apply(snapshot(10), START)
    return books, tracked


def test_a_pair_starts_down_then_syncing_then_live():
    books = Books(lambda depth: PlusOne())
    tracked = books.add(subscription())
    assert (tracked.state, tracked.reason, tracked.step) == (BookState.DOWN, "no socket yet", Progress.PENDING)
    assert books.socket_open(["BTCUSDT", "UNKNOWN"], START) == [tracked]
    assert (tracked.state, tracked.step) == (BookState.SYNCING, Progress.PENDING)
    books.apply(delta(3), START + 1)
    assert (tracked.state, tracked.step) == (BookState.SYNCING, Progress.SUBSCRIBED)
    books.apply(snapshot(10), START + 2)
    assert (tracked.state, tracked.reason, tracked.step) == (BookState.LIVE, "", Progress.SYNCED)
    assert (tracked.seq, tracked.exchange_ms, tracked.received_ns) == (10, 5, 1)
    assert (tracked.subscribed_ns, tracked.synced_ns, tracked.since_ns) == (START + 1, START + 2, START + 2)


def test_the_rule_is_that_of_the_depth():
    asked = []
    books = Books(lambda depth: asked.append(depth) or PlusOne())
    books.add(subscription(depth=0))
    assert asked == [0]


def test_every_change_of_book_or_state_grows_the_version_and_nothing_else_does():
    books, tracked = live_books()
    versions = [tracked.version]
    for event in (delta(11), delta(11), delta(20)):
        books.apply(event, START + 1)
        versions.append(tracked.version)
    first, changed, repeated, broken = versions
    assert first < changed == repeated < broken


def test_a_gap_leaves_live_at_once_and_the_caller_is_asked_for_a_snapshot():
    books, tracked = live_books()
    result = books.apply(delta(12), START + SECOND_NS)
    assert result == (tracked, NeedSnapshot(reason="gap: had 10, got 12", gap=True))
    assert (tracked.state, tracked.reason) == (BookState.SYNCING, "gap: had 10, got 12")
    assert tracked.builder.book is None
    assert (tracked.counts.gaps, tracked.since_ns) == (1, START + SECOND_NS)


def test_an_event_of_nobody_is_stray():
    books, _ = live_books()
    assert books.apply(delta(11, symbol="ETHUSDT"), START) is None
    assert books.stray == 1


def test_a_removed_pair_is_stray_and_the_others_stay():
    books, tracked = live_books()
    other = books.add(subscription("ETHUSDT", "ETH"))
    assert books.remove(KEY) is tracked
    assert books.remove(KEY) is None
    assert books.apply(delta(11), START) is None
    assert list(books) == [other]
    assert len(books) == 1
    assert books.get("ETHUSDT") is other


def test_a_silent_book_is_stale_and_the_next_unbroken_event_revives_it():
    books, tracked = live_books()
    assert books.check(START + 5 * SECOND_NS) == []
    assert books.check(START + 6 * SECOND_NS) == [tracked]
    assert (tracked.state, tracked.reason) == (BookState.STALE, "silent for 6.0 s")
    assert books.check(START + 7 * SECOND_NS) == [], "told once"
    books.apply(delta(9), START + 8 * SECOND_NS)
    assert tracked.state is BookState.STALE, "a repeat proves nothing"
    books.apply(delta(11), START + 9 * SECOND_NS)
    assert (tracked.state, tracked.reason) == (BookState.LIVE, "")


def test_a_book_whose_events_wait_for_us_is_stale_until_they_do_not():
    books, tracked = live_books()
    tracked.late_ms = 5_000
    books.apply(delta(11), START + SECOND_NS)
    assert tracked.state is BookState.LIVE
    tracked.late_ms = 5_001
    books.apply(delta(12), START + 2 * SECOND_NS)
    assert (tracked.state, tracked.reason, tracked.seq) == (BookState.STALE, "behind by 5.0 s", 12)
    tracked.late_ms = 2_501
    books.apply(delta(13), START + 3 * SECOND_NS)
    assert tracked.state is BookState.STALE, "not to and fro"
    tracked.late_ms = 2_500
    books.apply(delta(14), START + 4 * SECOND_NS)
    assert (tracked.state, tracked.reason, tracked.last_event_ns) == (BookState.LIVE, "", START + 3 * SECOND_NS // 2)


def test_a_quiet_book_shares_the_delay_of_its_socket():
    books, tracked = live_books()
    tracked.late_ms = 6_000
    assert books.check(START + SECOND_NS) == [tracked]
    assert (tracked.state, tracked.reason) == (BookState.STALE, "behind by 6.0 s")
    assert books.check(START + 2 * SECOND_NS) == [], "told once"
    tracked.late_ms = 0
    assert books.check(START + 3 * SECOND_NS) == [tracked]
    assert tracked.state is BookState.LIVE


def test_a_book_that_fell_silent_while_we_were_behind_waits_for_an_event():
    books, tracked = live_books()
    tracked.late_ms = 6_000
    books.check(START + SECOND_NS)
    tracked.late_ms = 0
    assert books.check(START + 6 * SECOND_NS) == []
    assert tracked.state is BookState.STALE


def test_a_book_that_is_built_while_we_are_behind_is_stale_at_once():
    books, tracked = open_books()
    tracked.late_ms = 6_000
    books.apply(snapshot(10), START)
    assert (tracked.state, tracked.step) == (BookState.STALE, Progress.SUBSCRIBED)


def test_a_keep_alive_keeps_a_book_live_without_a_new_version():
    books, tracked = live_books(Chain())
    version = tracked.version
    books.apply(delta(10, prev=10, bids=[]), START + 4 * SECOND_NS)
    assert books.check(START + 8 * SECOND_NS) == []
    assert (tracked.version, tracked.last_event_ns) == (version, START + 4 * SECOND_NS)


def test_a_thin_pair_may_be_silent_for_longer_and_a_busy_one_for_five_seconds():
    books, tracked = live_books()
    assert tracked.limit_ms == 5_000
    now = START
    for seq in range(11, 41):
        now += 2 * SECOND_NS
        books.apply(delta(seq), now)
    assert tracked.limit_ms == 40_000
    for seq in range(41, 71):
        now += 20 * SECOND_NS
        books.apply(delta(seq), now)
    assert tracked.limit_ms == 60_000
    for seq in range(71, 271):
        now += SECOND_NS // 100
        books.apply(delta(seq), now)
    assert tracked.limit_ms == 5_000


def test_where_the_exchange_sends_on_a_clock_its_silence_is_the_limit_from_the_first_event():
    books = Books(lambda depth: PlusOne(), silence_s=15.0)
    tracked = books.add(subscription())
    books.socket_open(["BTCUSDT"], START)
    books.apply(snapshot(10), START)
    assert books.check(START + 15 * SECOND_NS) == []
    assert books.check(START + 15 * SECOND_NS + 1) == [tracked]


def test_a_clock_that_steps_back_breaks_nothing():
    books, tracked = live_books()
    books.apply(delta(11), START - 50 * SECOND_NS)
    assert (tracked.state, tracked.limit_ms) == (BookState.LIVE, 5_000)


def test_a_lost_socket_empties_its_books_before_anything_else():
    books, tracked = live_books()
    assert books.socket_closed(["BTCUSDT"], "connection lost", START + 1) == [tracked]
    assert (tracked.state, tracked.reason, tracked.step) == (BookState.DOWN, "connection lost", Progress.PENDING)
    assert tracked.builder.book is None


def test_what_arrives_late_for_a_lost_socket_makes_no_book():
    books, tracked = live_books(UpdateRange())
    books.socket_closed(["BTCUSDT"], "connection lost", START + 1)
    assert books.apply(snapshot(99, from_rest=True), START + 2) == (tracked, Dropped("no socket"))
    assert tracked.state is BookState.DOWN


def test_a_rest_snapshot_makes_a_held_book_live():
    books, tracked = open_books(UpdateRange())
    assert books.apply(delta(11, first=11), START) == (
        tracked,
        NeedSnapshot(reason="the first event is held", gap=False),
    )
    assert books.apply(delta(12, first=12), START) == (tracked, Held())
    result = books.apply(snapshot(10, from_rest=True), START + 1)
    assert result == (tracked, Changed(snapshot=True, best=True))
    assert (tracked.state, tracked.seq) == (BookState.LIVE, 12)


def test_a_resync_from_outside_empties_the_book():
    books, tracked = live_books()
    assert books.resync("BTCUSDT", "asked by an operator", START + 1) is tracked
    assert (tracked.state, tracked.reason) == (BookState.SYNCING, "asked by an operator")
    assert (tracked.builder.book, tracked.counts.resyncs) == (None, 1)
    books.socket_closed(["BTCUSDT"], "connection lost", START + 2)
    assert books.resync("BTCUSDT", "asked by an operator", START + 3) is None
    assert books.resync("UNKNOWN", "asked by an operator", START + 3) is None


def storm(books: Books, every_ns: int) -> int:
    """Five gaps, each after a snapshot that mends the one before; returns when the last was found."""
    now = START
    for _ in range(5):
        now += every_ns
        books.apply(snapshot(10), now)
        books.apply(delta(99), now)
    return now


def test_five_resyncs_in_a_minute_pause_the_pair_for_a_minute():
    books, tracked = live_books()
    now = storm(books, SECOND_NS)
    assert tracked.reason == "5 resyncs in 60 s, waiting; the last: gap: had 10, got 99"
    assert books.apply(snapshot(10), now + PAUSE_NS - 1) == (tracked, Dropped("resyncs are paused"))
    assert tracked.state is BookState.SYNCING
    assert books.overdue(now + PAUSE_NS - 1) == []
    assert books.overdue(now + PAUSE_NS) == [tracked], "the caller asks again after the pause"
    books.apply(snapshot(10), now + PAUSE_NS + 1)
    assert tracked.state is BookState.LIVE


def test_five_resyncs_in_more_than_a_minute_are_no_storm():
    books, tracked = live_books()
    now = storm(books, 20 * SECOND_NS)
    books.apply(snapshot(10), now)
    assert tracked.state is BookState.LIVE


@pytest.mark.parametrize("rule", [PlusOne(), UpdateRange()])
def test_data_without_a_snapshot_is_overdue_every_ten_seconds(rule):
    books, tracked = open_books(rule)
    assert books.overdue(START + OVERDUE_NS) == [], "no data yet: the transport watches for the first"
    books.apply(delta(11, first=11), START + 1)
    assert books.overdue(START + OVERDUE_NS) == [tracked]
    assert books.overdue(START + OVERDUE_NS + 1) == []
    assert books.overdue(START + 2 * OVERDUE_NS) == [tracked]


def test_a_live_book_is_never_overdue():
    books, _ = live_books()
    assert books.overdue(START + 100 * SECOND_NS) == []
