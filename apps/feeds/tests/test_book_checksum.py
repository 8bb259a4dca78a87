from collections.abc import Callable
from zlib import crc32

import pytest
from msgspec.structs import replace

from apps.feeds.book.builder import BookBuilder, Changed, Dropped, NeedSnapshot
from apps.feeds.book.checksum import Interleaved, SideAfterSide
from apps.feeds.book.continuity import Chain, ChecksumOnly
from apps.feeds.market import BookDelta, BookSnapshot

Texts = list[tuple[str, str]]
BIDS: Texts = [("3366.1", "7"), ("3366", "6")]
ASKS: Texts = [("3366.8", "9"), ("3368", "8")]
DOCUMENTED = -1881014294  # of exactly these levels, in the exchange's own worked example


def proven(kind: Callable[..., BookSnapshot | BookDelta], bids: Texts, asks: Texts, checksum: int | None):
    return kind(
        symbol="ETH-USDT",
        seq=None,
        bids=[(float(price), float(amount)) for price, amount in bids],
        asks=[(float(price), float(amount)) for price, amount in asks],
        received_ns=1,
        checksum=checksum,
        raw_bids=bids,
        raw_asks=asks,
    )


def test_the_documented_example():
    levels = Interleaved()
    levels.update(BIDS, ASKS)
    assert levels.crc32() == DOCUMENTED


def test_a_side_that_ran_out_is_skipped_and_deeper_levels_do_not_count():
    short, long = Interleaved(), Interleaved()
    short.update([("5", "1")], [(str(10 + n), "1") for n in range(25)])
    long.update([("5", "1")], [(str(10 + n), "1") for n in range(40)])
    assert short.crc32() == long.crc32()


def test_a_book_whose_checksums_are_right_stays_and_follows_them():
    builder = BookBuilder("ETH-USDT", Chain())
    assert isinstance(builder.apply(proven(BookSnapshot, BIDS[:1], ASKS, _of(BIDS[:1], ASKS))), Changed)
    assert isinstance(builder.apply(proven(BookDelta, BIDS[1:], [], DOCUMENTED)), Changed)
    assert isinstance(builder.apply(proven(BookDelta, [("3366", "0")], [], _of(BIDS[:1], ASKS))), Changed)
    assert builder.counts.applied == 3


def test_a_wrong_checksum_drops_the_book():
    builder = BookBuilder("ETH-USDT", Chain())
    builder.apply(proven(BookSnapshot, BIDS, ASKS, DOCUMENTED))
    outcome = builder.apply(proven(BookDelta, [("3365", "1")], [], DOCUMENTED))
    assert outcome == NeedSnapshot(reason="checksum", gap=True)
    assert builder.book is None


def test_a_snapshot_with_a_wrong_checksum_is_never_served():
    builder = BookBuilder("ETH-USDT", Chain())
    assert builder.apply(proven(BookSnapshot, BIDS, ASKS, 1)) == NeedSnapshot(reason="checksum", gap=True)
    assert builder.book is None


def test_a_checksum_that_begins_halfway_cannot_be_verified():
    builder = BookBuilder("ETH-USDT", Chain())
    builder.apply(replace(proven(BookSnapshot, BIDS, ASKS, None), seq=4))
    delta = replace(proven(BookDelta, [("3365", "1")], [], 77), seq=5, prev_seq=4)
    assert builder.apply(delta) == NeedSnapshot(reason="checksum: the book began without one", gap=True)


def _of(bids: Texts, asks: Texts) -> int:
    levels = Interleaved()
    levels.update(bids, asks)
    return levels.crc32()


KNOWN: list[tuple[Texts, Texts, int]] = [
    (
        [("70855.3", "0.00632222"), ("70855.29", "0.36216834")],
        [("70875.31", "0.28670282"), ("70875.32", "0.31008114")],
        1615669572,
    ),
    (
        [("30736.00", "0.04857373"), ("30733.00", "0.84696320")],
        [("30740.00", "0.31763545"), ("30769.00", "1.45155000")],
        3258844969,
    ),
]


@pytest.mark.parametrize(("bids", "asks", "crc"), KNOWN)
def test_side_after_side_is_unsigned_and_takes_the_wires_own_strings(bids: Texts, asks: Texts, crc: int):
    levels = SideAfterSide()
    levels.update(bids[::-1], asks[::-1])
    assert levels.crc32() == crc


def test_without_bids_the_asks_stand_alone():
    levels = SideAfterSide()
    levels.update([("5", "0")], [("6", "1")])
    assert levels.crc32() == crc32(b"6:1")


def side_after_side(bids: Texts, asks: Texts) -> int:
    levels = SideAfterSide()
    levels.update(bids, asks)
    return levels.crc32()


TWO_BIDS: Texts = [("9", "1"), ("8", "1")]


def only_proven(bids: Texts = TWO_BIDS, asks: Texts = ASKS) -> BookBuilder:
    """Holds two levels a side."""
    builder = BookBuilder("ETH-USDT", ChecksumOnly(2))
    assert isinstance(builder.apply(proven(BookSnapshot, bids, asks, side_after_side(bids, asks))), Changed)
    return builder


def test_a_level_pushed_off_the_far_end_is_cut_before_the_checksum():
    builder = only_proven()
    outcome = builder.apply(proven(BookDelta, [("10", "1")], [], side_after_side([("10", "1"), ("9", "1")], ASKS)))
    assert outcome == Changed(snapshot=False, best=True)
    assert builder.book is not None
    assert builder.book.top(0)[0] == [(10.0, 1.0), (9.0, 1.0)]


def test_removing_a_price_that_is_not_there_and_a_push_that_comes_twice_do_no_harm():
    builder = only_proven()
    push = proven(BookDelta, [("7", "0"), ("9", "2")], [], side_after_side([("9", "2"), ("8", "1")], ASKS))
    assert isinstance(builder.apply(push), Changed)
    assert isinstance(builder.apply(push), Changed)


def test_a_lost_push_shows_in_the_next_checksum():
    builder = only_proven()
    after_two = side_after_side([("9", "2"), ("8", "3")], ASKS)
    assert builder.apply(proven(BookDelta, [("8", "3")], [], after_two)) == NeedSnapshot(reason="checksum", gap=True)
    assert builder.book is None
    assert isinstance(builder.apply(proven(BookDelta, [("9", "2")], [], after_two)), Dropped), (
        "until the next full push"
    )
    assert isinstance(builder.apply(proven(BookSnapshot, BIDS, ASKS, side_after_side(BIDS, ASKS))), Changed)


def test_differences_before_the_first_full_push_are_of_no_use():
    builder = BookBuilder("ETH-USDT", ChecksumOnly(2))
    assert isinstance(builder.apply(proven(BookDelta, BIDS, ASKS, side_after_side(BIDS, ASKS))), Dropped)


def test_a_difference_without_a_checksum_proves_nothing():
    outcome = only_proven().apply(proven(BookDelta, [("9", "2")], [], None))
    assert isinstance(outcome, NeedSnapshot)
