from collections.abc import Callable

from msgspec.structs import replace

from apps.feeds.book.builder import BookBuilder, Changed, NeedSnapshot
from apps.feeds.book.checksum import RawLevels
from apps.feeds.book.continuity import Chain
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
    levels = RawLevels()
    levels.update(BIDS, ASKS)
    assert levels.crc32() == DOCUMENTED


def test_a_side_that_ran_out_is_skipped_and_deeper_levels_do_not_count():
    short, long = RawLevels(), RawLevels()
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
    levels = RawLevels()
    levels.update(bids, asks)
    return levels.crc32()
