"""The books that pushes of both generations and REST answers make.

KuCoin writes times in milliseconds and in nanoseconds, the same field now so and now so.
"""

from typing import TypeAlias

from apps.feeds.drivers import wire
from apps.feeds.market import BookDelta, BookSnapshot, Levels

Stamp: TypeAlias = wire.Id

_LAST_MS = 9_999_999_999_999  # 13 digits; nanoseconds have 19
_NS_PER_MS = 1_000_000


def millis(stamp: int) -> int:
    return stamp if stamp <= _LAST_MS else stamp // _NS_PER_MS


def snapshot(
    symbol: str, seq: int, bids: Levels, asks: Levels, at: int | None, received_ns: int, *, from_rest: bool = False
) -> BookSnapshot:
    return BookSnapshot(
        symbol=symbol,
        seq=seq,
        bids=bids,
        asks=asks,
        exchange_ms=None if at is None else millis(at),
        received_ns=received_ns,
        from_rest=from_rest,
    )


def delta(
    symbol: str, span: tuple[int, int], bids: Levels, asks: Levels, at: int | None, received_ns: int
) -> BookDelta:
    """`span` is the first and the last update in it."""
    return BookDelta(
        symbol=symbol,
        first_seq=span[0],
        seq=span[1],
        bids=bids,
        asks=asks,
        exchange_ms=None if at is None else millis(at),
        received_ns=received_ns,
    )
