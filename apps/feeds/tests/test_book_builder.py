"""The builder's own behaviour, and each exchange's numbered steps one by one."""

import pytest

from apps.feeds.book.builder import Alive, BookBuilder, Changed, Dropped, Held, NeedSnapshot
from apps.feeds.book.continuity import Chain, PlusOne, PreviousUpdate, Rule, UpdateRange, WholeBooks
from apps.feeds.tests.book_events import ASKS, BIDS, delta, snapshot

DEEP = Changed(snapshot=False, best=False)
BEST = Changed(snapshot=False, best=True)
LOADED = Changed(snapshot=True, best=True)


def builder_at(rule: Rule, seq: int = 10) -> BookBuilder:
    """A live book, continued once, whose last update is `seq`."""
    builder = BookBuilder("BTCUSDT", rule)
    builder.apply(snapshot(seq))
    return builder


def synced(rule: Rule, seq: int = 10) -> BookBuilder:
    """A book that was just loaded from a REST snapshot of id `seq`, with nothing held."""
    builder = BookBuilder("BTCUSDT", rule)
    assert builder.apply(snapshot(seq, from_rest=True)) == LOADED
    return builder


# Binance spot


def test_the_first_held_event_asks_for_a_snapshot_and_the_next_ones_wait():
    builder = BookBuilder("BTCUSDT", UpdateRange())
    assert builder.apply(delta(5, first=4)) == NeedSnapshot(reason="the first event is held", gap=False)
    assert builder.apply(delta(6, first=6)) == Held()
    assert builder.book is None
    assert (builder.counts.held, builder.counts.gaps, builder.counts.resyncs) == (2, 0, 0)


def test_spot_events_that_the_snapshot_covers_are_dropped_and_the_rest_is_applied():
    builder = BookBuilder("BTCUSDT", UpdateRange())
    for event in (delta(9, first=8), delta(10, first=10), delta(12, first=11), delta(14, first=13)):
        builder.apply(event)
    assert builder.apply(snapshot(10, from_rest=True)) == LOADED
    assert (builder.seq, builder.counts.applied, builder.counts.dropped) == (14, 2, 2)
    assert builder.book is not None
    assert builder.book.top(0)[0][-1] == (98.0, 14.0)


def test_a_spot_event_may_begin_before_the_snapshot_and_end_after_it():
    builder = synced(UpdateRange())
    assert builder.apply(delta(13, first=8)) == DEEP
    assert builder.seq == 13


def test_a_spot_snapshot_older_than_what_is_held_is_fetched_again_and_nothing_held_is_lost():
    builder = BookBuilder("BTCUSDT", UpdateRange())
    builder.apply(delta(14, first=12))
    builder.apply(delta(15, first=15))
    outcome = builder.apply(snapshot(10, from_rest=True))
    assert outcome == NeedSnapshot(reason="the snapshot 10 is older than what is held", gap=False)
    assert (builder.book, builder.counts.resyncs, builder.counts.gaps) == (None, 1, 0)
    assert builder.apply(snapshot(11, from_rest=True)) == LOADED
    assert (builder.seq, builder.counts.applied) == (15, 2)


def test_a_spot_gap_drops_the_book_and_keeps_the_event_for_the_next_snapshot():
    builder = synced(UpdateRange())
    builder.apply(delta(11, first=11))
    assert builder.apply(delta(14, first=13)) == NeedSnapshot(reason="gap: had 11, got 13", gap=True)
    assert (builder.book, builder.seq) == (None, None)
    assert builder.apply(snapshot(12, from_rest=True)) == LOADED
    assert (builder.seq, builder.counts.gaps, builder.counts.applied) == (14, 1, 2)


def test_old_spot_events_change_nothing():
    builder = synced(UpdateRange())
    builder.apply(delta(12, first=11))
    before = builder.book and builder.book.top(0)
    assert builder.apply(delta(12, first=11, bids=[(100.0, 0.0)])) == Dropped("already in the book")
    assert builder.book is not None
    assert builder.book.top(0) == before


def test_a_hole_among_held_events_is_a_gap_and_the_rest_stays_held():
    builder = BookBuilder("BTCUSDT", UpdateRange())
    for event in (delta(11, first=11), delta(15, first=15), delta(16, first=16)):
        builder.apply(event)
    assert builder.apply(snapshot(10, from_rest=True)) == NeedSnapshot(reason="gap: had 11, got 15", gap=True)
    assert builder.book is None
    assert builder.apply(snapshot(14, from_rest=True)) == LOADED
    assert builder.seq == 16


def test_a_quiet_pair_is_live_at_its_snapshot_and_the_next_event_must_continue_it():
    builder = synced(UpdateRange())
    assert builder.apply(delta(20, first=15)) == NeedSnapshot(reason="gap: had 10, got 15", gap=True)


# Binance futures


def test_a_futures_event_that_ends_at_the_snapshot_is_its_anchor():
    builder = synced(PreviousUpdate())
    assert builder.apply(delta(9, first=5, prev=4)) == Dropped("already in the book")
    assert builder.apply(delta(10, first=6, prev=4)) == DEEP
    assert builder.apply(delta(30, first=25, prev=10)) == DEEP
    assert builder.seq == 30


def test_a_futures_event_whose_pu_is_the_snapshot_continues_it():
    builder = synced(PreviousUpdate())
    assert builder.apply(delta(40, first=35, prev=10)) == DEEP
    assert builder.seq == 40


def test_a_futures_event_around_the_snapshot_continues_it():
    builder = synced(PreviousUpdate())
    assert builder.apply(delta(12, first=9, prev=3)) == DEEP


def test_a_futures_snapshot_before_the_oldest_held_event_is_too_old():
    builder = BookBuilder("BTCUSDT", PreviousUpdate())
    builder.apply(delta(40, first=35, prev=30))
    outcome = builder.apply(snapshot(10, from_rest=True))
    assert outcome == NeedSnapshot(reason="the snapshot 10 is older than what is held", gap=False)
    assert builder.apply(snapshot(30, from_rest=True)) == LOADED
    assert builder.seq == 40


@pytest.mark.parametrize("late", [delta(25, first=21, prev=20), delta(50, first=45, prev=44)])
def test_any_futures_event_that_is_neither_next_nor_a_repeat_is_a_gap(late):
    builder = synced(PreviousUpdate())
    builder.apply(delta(30, first=25, prev=10))
    assert builder.apply(delta(30, first=25, prev=10)) == Dropped("already in the book")
    assert builder.apply(late) == NeedSnapshot(reason=f"gap: had 30, got {late.prev_seq}", gap=True)


# Bybit


def test_deltas_before_the_first_snapshot_are_dropped():
    builder = BookBuilder("BTCUSDT", PlusOne())
    assert builder.apply(delta(5)) == Dropped("no snapshot yet")
    assert builder.apply(snapshot(7)) == LOADED
    assert builder.apply(delta(8)) == DEEP


def test_plus_one_steps_repeats_and_gaps():
    builder = builder_at(PlusOne())
    assert builder.apply(delta(11)) == DEEP
    assert builder.apply(delta(11)) == Dropped("already in the book")
    assert builder.apply(delta(9)) == Dropped("already in the book")
    assert builder.apply(delta(13)) == NeedSnapshot(reason="gap: had 11, got 13", gap=True)
    assert builder.apply(delta(14)) == Dropped("no snapshot yet")


def test_a_pushed_snapshot_replaces_the_book_even_with_a_lower_id():
    builder = builder_at(PlusOne())
    assert builder.apply(snapshot(1, bids=[(50.0, 1.0)], asks=[(51.0, 1.0)])) == LOADED
    assert builder.book is not None
    assert builder.book.top(0) == ([(50.0, 1.0)], [(51.0, 1.0)])
    assert builder.seq == 1


def test_more_levels_than_the_stream_keeps_mean_a_lost_deletion():
    builder = BookBuilder("BTCUSDT", PlusOne())
    builder.apply(snapshot(10, window=2))
    assert builder.apply(delta(11, bids=[(99.0, 0.0), (98.0, 1.0)], window=2)) == DEEP
    outcome = builder.apply(delta(12, bids=[(97.0, 1.0)], window=2))
    assert outcome == NeedSnapshot(reason="3 bids and 2 asks where the stream keeps 2", gap=True)
    assert builder.book is None


# OKX


def test_the_chain_follows_prev_seq_and_never_compares_seq():
    builder = builder_at(Chain())
    assert builder.apply(delta(500, prev=10)) == DEEP
    assert builder.apply(delta(3, prev=500)) == DEEP, "a reset after maintenance goes down"
    assert builder.apply(delta(3, prev=500)) == Dropped("already in the book")
    assert builder.apply(delta(7, prev=3)) == DEEP
    assert builder.apply(delta(9, prev=8)) == NeedSnapshot(reason="gap: had 7, got 8", gap=True)


def test_a_keep_alive_proves_life_and_changes_nothing():
    builder = builder_at(Chain())
    assert builder.apply(delta(10, prev=10, bids=[], asks=[])) == Alive()
    assert (builder.seq, builder.counts.applied) == (10, 2)


def test_the_chain_can_continue_a_rest_snapshot():
    builder = synced(Chain())
    assert builder.apply(delta(9, prev=7)) == Dropped("already in the book")
    assert builder.apply(delta(14, prev=8)) == DEEP
    assert builder.seq == 14
    assert synced(Chain()).apply(delta(14, prev=10)) == DEEP
    assert isinstance(synced(Chain()).apply(delta(20, prev=15)), NeedSnapshot)


def test_an_update_without_ids_and_without_checksum_continues_nothing():
    builder = BookBuilder("BTC-USDT", Chain())
    builder.apply(snapshot(None))
    assert isinstance(builder.apply(delta(None)), NeedSnapshot)


def test_okx_books_are_cut_to_the_400_levels_of_the_stream():
    builder = BookBuilder("BTC-USDT", Chain())
    builder.apply(snapshot(1, bids=[(float(n), 1.0) for n in range(1, 402)], asks=[(1000.0, 1.0)]))
    assert builder.book is not None
    assert (builder.book.bids_count, builder.book.top(0)[0][-1]) == (400, (2.0, 1.0))


# Whole books


def test_a_newer_whole_book_replaces_the_last_and_an_older_one_came_late():
    builder = builder_at(WholeBooks())
    assert builder.apply(snapshot(12, bids=[(90.0, 1.0)])) == LOADED
    assert builder.apply(snapshot(11)) == Dropped("already in the book")
    assert builder.book is not None
    assert builder.book.top(0)[0] == [(90.0, 1.0)]


def test_a_difference_has_no_place_among_whole_books():
    assert isinstance(builder_at(WholeBooks()).apply(delta(11)), NeedSnapshot)
    assert BookBuilder("BTCUSDT", WholeBooks()).apply(delta(11)) == Dropped("no snapshot yet")
    assert isinstance(synced(WholeBooks()).apply(delta(11)), NeedSnapshot)


# All of them


@pytest.mark.parametrize("rule", [UpdateRange(), PreviousUpdate(), PlusOne(), Chain()])
def test_a_crossed_book_is_dropped_after_the_whole_event(rule):
    builder = builder_at(rule)
    swap = delta(11, first=11, prev=10, bids=[(101.0, 3.0)], asks=[(101.0, 0.0)])
    assert builder.apply(swap) == BEST, "crossed only halfway through the event"
    outcome = builder.apply(delta(12, first=12, prev=11, bids=[(105.0, 1.0)]))
    assert outcome == NeedSnapshot(reason="crossed: 105.0 >= 102.0", gap=True)
    assert (builder.book, builder.counts.gaps, builder.counts.applied) == (None, 1, 2)


def test_a_crossed_snapshot_is_never_served_and_held_events_survive_it():
    builder = BookBuilder("BTCUSDT", UpdateRange())
    builder.apply(delta(11, first=11))
    assert isinstance(builder.apply(snapshot(10, bids=ASKS, asks=BIDS, from_rest=True)), NeedSnapshot)
    assert builder.book is None
    assert builder.apply(snapshot(10, from_rest=True)) == LOADED
    assert builder.seq == 11


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ([(100.0, 5.0)], BEST),
        ([(100.0, 1.0)], DEEP),
        ([(100.5, 1.0)], BEST),
        ([(97.0, 1.0)], DEEP),
        ([(100.0, 0.0)], BEST),
    ],
)
def test_the_outcome_says_whether_the_best_moved(changed, outcome):
    assert builder_at(PlusOne()).apply(delta(11, bids=changed)) == outcome


@pytest.mark.parametrize("rule", [UpdateRange(), PreviousUpdate(), PlusOne(), Chain()])
def test_events_without_ids_are_gaps(rule):
    assert isinstance(builder_at(rule).apply(delta(None)), NeedSnapshot)
    if rule.holds:
        assert isinstance(synced(rule).apply(delta(None)), NeedSnapshot)


@pytest.mark.parametrize("rule", [UpdateRange(), PreviousUpdate()])
def test_a_late_whole_book_does_not_replace_a_newer_one(rule):
    builder = builder_at(rule)
    assert builder.apply(snapshot(9)) == Dropped("already in the book")
    assert builder.apply(snapshot(11)) == LOADED


def test_a_rest_snapshot_that_nobody_needs_is_dropped():
    builder = builder_at(UpdateRange())
    assert builder.apply(snapshot(99, from_rest=True)) == Dropped("a snapshot that nobody needs")
    assert builder.seq == 10


def test_a_full_buffer_starts_over_and_asks_again():
    builder = BookBuilder("BTCUSDT", UpdateRange(), max_held=3)
    for seq in (1, 2, 3):
        builder.apply(delta(seq, first=seq))
    outcome = builder.apply(delta(4, first=4))
    assert outcome == NeedSnapshot(reason="held 3 events and no snapshot came", gap=False)
    assert builder.counts.dropped == 3
    assert builder.apply(snapshot(3, from_rest=True)) == LOADED
    assert builder.seq == 4


def test_a_reset_forgets_the_book_and_what_is_held():
    builder = synced(UpdateRange())
    builder.reset()
    assert (builder.book, builder.seq) == (None, None)
    builder.apply(delta(30, first=30))
    builder.reset()
    assert builder.apply(snapshot(5, from_rest=True)) == LOADED, "nothing held is left to contradict it"
