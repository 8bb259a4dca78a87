"""Books whose snapshot lags or straddles the pushes: HTX's and MEXC's numbered rules, one step at a time."""

import pytest

from apps.feeds.book.builder import Alive, BookBuilder, Changed, Dropped, Held, NeedSnapshot
from apps.feeds.book.continuity import ExactlyPlusOne, PreviousSequence, VersionRange
from apps.feeds.market import BookSnapshot
from apps.feeds.tests.book_events import delta, snapshot

MOVED = Changed(snapshot=False, best=False)
LOADED = Changed(snapshot=True, best=True)


def requested(seq: int) -> BookSnapshot:
    return snapshot(seq, from_rest=True)


def chained(*links: tuple[int, int], keep: int = 400) -> BookBuilder:
    """A builder of HTX spot that holds pushes of these (prevSeqNum, seqNum)."""
    builder = BookBuilder("BTCUSDT", PreviousSequence(keep))
    for prev, seq in links:
        builder.apply(delta(seq, prev=prev))
    return builder


def ranged(*ranges: tuple[int, int]) -> BookBuilder:
    """A builder of MEXC that holds pushes of these (fromVersion, toVersion)."""
    builder = BookBuilder("BTCUSDT", VersionRange())
    for first, last in ranges:
        builder.apply(delta(last, first=first))
    return builder


def test_htx_4_the_snapshot_lags_and_what_it_has_already_is_dropped():
    builder = chained((1, 5), (5, 8), (8, 13))
    assert builder.apply(requested(8)) == LOADED
    assert (builder.seq, builder.counts.dropped, builder.counts.gaps) == (13, 2, 0)


def test_htx_5_with_nothing_left_the_next_push_must_continue_the_snapshot():
    for prev, outcome in ((8, MOVED), (9, NeedSnapshot(reason="gap: had 8, got 9", gap=True))):
        builder = chained((1, 5))
        builder.apply(requested(8))
        assert builder.seq == 8
        assert builder.apply(delta(13, prev=prev)) == outcome


@pytest.mark.parametrize("seq", [3, 7])
def test_htx_6_a_snapshot_before_or_inside_the_oldest_push_is_asked_for_again(seq):
    builder = chained((5, 8), (8, 13))
    reason = f"the snapshot {seq} is older than what is held"
    assert builder.apply(requested(seq)) == NeedSnapshot(reason=reason, gap=False)
    assert builder.book is None
    assert builder.apply(requested(5)) == LOADED
    assert (builder.seq, builder.counts.gaps) == (13, 0)


def test_htx_3_an_answer_that_comes_late_is_not_needed():
    builder = chained((1, 5))
    builder.apply(requested(5))
    assert isinstance(builder.apply(requested(3)), Dropped)
    assert builder.seq == 5


def test_htx_7_a_repeat_is_ignored_and_a_break_begins_the_next_wait():
    builder = chained((1, 5), (5, 8))
    builder.apply(requested(5))
    assert isinstance(builder.apply(delta(8, prev=5)), Dropped)
    assert builder.apply(delta(20, prev=13)) == NeedSnapshot(reason="gap: had 8, got 13", gap=True)
    assert isinstance(builder.apply(delta(24, prev=20)), Held)
    assert builder.apply(requested(13)) == LOADED
    assert builder.seq == 24


def test_htx_8_an_empty_push_moves_the_number():
    builder = chained((1, 5))
    builder.apply(requested(5))
    assert isinstance(builder.apply(delta(6, prev=5, bids=[], asks=[])), Alive)
    assert builder.apply(delta(9, prev=6)) == MOVED


def test_htx_9_no_more_levels_are_kept_than_the_channel_has():
    builder = chained((1, 5), keep=2)
    builder.apply(requested(5))
    builder.apply(delta(6, prev=5, bids=[(99.5, 1.0)]))
    assert builder.book is not None
    assert builder.book.top(0)[0] == [(100.0, 1.0), (99.5, 1.0)]


def restart(seq: int) -> BookSnapshot:
    return BookSnapshot(
        symbol="BTCUSDT", seq=seq, bids=[(100.0, 1.0)], asks=[(101.0, 1.0)], received_ns=1, restarts=True
    )


def test_htx_contracts_1_a_snapshot_replaces_the_book_at_any_number():
    builder = BookBuilder("BTCUSDT", ExactlyPlusOne())
    assert [builder.apply(restart(seq)) for seq in (50, 3)] == [LOADED, LOADED]
    assert builder.seq == 3


def test_htx_contracts_3_a_gap_a_repeat_and_a_step_back_end_the_book_alike():
    for got in (12, 10, 4):
        builder = BookBuilder("BTCUSDT", ExactlyPlusOne())
        builder.apply(restart(10))
        assert builder.apply(delta(got)) == NeedSnapshot(reason=f"gap: had 10, got {got}", gap=True)
        assert builder.book is None
        assert isinstance(builder.apply(delta(got + 1)), Dropped), "5: nothing counts before the snapshot"


def test_htx_contracts_whole_books_that_come_late_change_nothing():
    builder = BookBuilder("BTCUSDT", ExactlyPlusOne())
    builder.apply(snapshot(10))
    assert isinstance(builder.apply(snapshot(9)), Dropped)
    assert builder.apply(snapshot(10)) == LOADED


def test_mexc_4_the_first_push_straddles_the_snapshot_and_is_applied_whole():
    builder = ranged((5, 8), (9, 13), (14, 15))
    assert builder.apply(requested(10)) == LOADED
    assert (builder.seq, builder.counts.dropped) == (15, 1)


def test_mexc_4_the_exactly_adjacent_push_continues_the_snapshot():
    builder = ranged((11, 13))
    assert builder.apply(requested(10)) == LOADED
    assert builder.seq == 13


def test_mexc_4_a_snapshot_too_old_is_no_gap():
    builder = ranged((12, 13))
    assert isinstance(builder.apply(requested(10)), NeedSnapshot)
    assert (builder.counts.gaps, builder.counts.resyncs) == (0, 1)
    assert builder.apply(requested(12)) == LOADED


def test_mexc_4_with_nothing_left_the_next_push_may_straddle_still():
    builder = ranged((5, 8))
    builder.apply(requested(10))
    assert builder.apply(delta(13, first=9)) == MOVED


@pytest.mark.parametrize(("first", "last"), [(15, 16), (12, 14)])
def test_mexc_5_a_hole_is_a_gap_and_so_is_an_overlap(first, last):
    builder = ranged((11, 13))
    builder.apply(requested(10))
    assert builder.apply(delta(last, first=first)) == NeedSnapshot(reason=f"gap: had 13, got {first}", gap=True)
    assert builder.book is None
    assert builder.apply(requested(last - 1)) == LOADED, "the offending push was held"
    assert builder.seq == last


def test_mexc_5_what_ends_before_the_book_is_ignored():
    builder = ranged((11, 13))
    builder.apply(requested(10))
    assert isinstance(builder.apply(delta(13, first=11)), Dropped)
    assert builder.apply(delta(14, first=14)) == MOVED


def test_numbers_that_are_missing_prove_nothing():
    for builder in (chained((1, 5)), ranged((1, 5))):
        builder.apply(requested(5))
        assert isinstance(builder.apply(delta(6)), NeedSnapshot)
    for rule in (PreviousSequence(150), VersionRange()):
        assert rule.first(None, delta(6, first=6, prev=5)).value == "gap"
        assert rule.replaces(5, snapshot(5))
        assert not rule.replaces(5, snapshot(4))
