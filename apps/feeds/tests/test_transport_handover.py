"""From one socket to its successor: what both bring is passed on once and in order."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.market import BookDelta, BookSnapshot
from apps.feeds.tests.toy import trade
from apps.feeds.transport.handover import MAX_HELD, Handover
from apps.feeds.transport.ledger import Ledger
from apps.feeds.transport.link import MarketData
from apps.feeds.transport.slots import Phase

A = Topic(kind=TopicKind.BOOK, symbol="A", depth=20)


def ledger(*topics: Topic, phase: Phase = Phase.LIVE) -> Ledger:
    made = Ledger(lambda topic: topic.symbol)
    for topic in topics:
        made.want(topic)
        slot = made.slot(topic)
        assert slot is not None
        slot.phase, slot.on_wire, slot.passing = phase, topic, True
    return made


def handover(*topics: Topic) -> Handover:
    return Handover(ledger(*topics), ledger(*topics))


def deltas(*seqs: int) -> list[MarketData]:
    return [BookDelta(symbol="A", seq=seq, bids=[], asks=[], received_ns=0) for seq in seqs]


def snapshot(seq: int) -> list[MarketData]:
    return [BookSnapshot(symbol="A", seq=seq, bids=[], asks=[], received_ns=0)]


def unnumbered(kind: type[BookSnapshot | BookDelta], received_ns: int) -> list[MarketData]:
    """As CoinEx sends them."""
    return [kind(symbol="A", seq=None, bids=[], asks=[], received_ns=received_ns)]


def seqs(events: Iterable[MarketData]) -> list[int | str | None]:
    return [getattr(event, "seq", None) for event in events]


def test_a_new_socket_that_lags_repeats_nothing():
    both = handover(A)
    assert seqs(both.from_old(deltas(1, 2, 3))) == [1, 2, 3]
    assert both.from_new(deltas(1)) == []
    assert both.from_old(deltas(4)) == []
    assert seqs(both.from_new(deltas(2, 3, 4))) == [4]


def test_a_new_socket_that_is_ahead_leaves_no_hole():
    both = handover(A)
    assert both.from_new(snapshot(3) + deltas(4, 5)) == []
    assert seqs(both.from_old(deltas(2))) == [2]
    assert seqs(both.from_old(deltas(3))) == [3, 4, 5]
    assert seqs(both.from_new(deltas(6))) == [6]


def test_it_is_complete_when_the_new_socket_brought_all_that_the_old_one_did():
    both = handover(A)
    assert both.complete()
    both.from_old(deltas(1, 2))
    assert not both.complete()
    both.from_new(snapshot(1))
    assert not both.complete()
    both.from_new(deltas(2))
    assert both.complete()


def test_a_stream_that_lives_on_the_old_socket_only_is_waited_for():
    assert not Handover(ledger(A), ledger(A, phase=Phase.SUBSCRIBED)).complete()
    assert not Handover(ledger(A), ledger()).complete()
    trades = Topic(kind=TopicKind.TRADES, symbol="A")
    assert Handover(ledger(trades), ledger(trades, phase=Phase.SUBSCRIBED)).complete()


def test_sockets_without_a_common_event_end_with_the_whole_of_the_new_one():
    both = handover(A)
    both.from_old(deltas(1))
    both.from_new(snapshot(7) + deltas(8))
    assert not both.complete()
    assert seqs(both.finish()) == [7, 8]


def test_a_stream_without_numbers_begins_anew_with_the_new_sockets_snapshot_whichever_socket_lags():
    both = handover(A)
    assert both.from_old(unnumbered(BookDelta, 1)) == unnumbered(BookDelta, 1)
    assert both.from_new(unnumbered(BookDelta, 2)) == []
    assert not both.complete()
    assert both.from_new(unnumbered(BookSnapshot, 3)) == unnumbered(BookSnapshot, 3)
    assert both.from_old(unnumbered(BookDelta, 4)) == []
    assert both.from_new(unnumbered(BookDelta, 5)) == unnumbered(BookDelta, 5)
    assert both.complete()
    assert both.finish() == []


def test_what_is_held_has_a_bound():
    both = handover(A)
    assert both.from_new(deltas(*range(MAX_HELD))) == []
    assert len(both.from_new(deltas(MAX_HELD))) == MAX_HELD + 1


def test_trades_and_books_of_one_symbol_move_apart():
    both = handover(A)
    both.from_old([trade("A", "7"), *deltas(7)])
    assert both.from_new([trade("A", "7")]) == []
    assert both.from_new(deltas(8)) == []


@given(
    length=st.integers(1, 30),
    start=st.integers(0, 10),
    turns=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_whatever_the_lag_each_event_is_passed_on_once_and_in_order(length, start, turns):
    """The new socket begins at `start`; `turns` says which of the two brings its next event."""
    both, old, new, passed = handover(A), iter(range(length)), iter(range(min(start, length - 1), length)), []
    for from_old in [*turns, *[True] * length, *[False] * length]:
        seq = next(old if from_old else new, None)
        if seq is not None:
            passed += both.from_old(deltas(seq)) if from_old else both.from_new(deltas(seq))
    assert both.complete()
    assert seqs(passed) == list(range(length))
