"""Short ways to write book events by hand."""

from apps.feeds.market import BookDelta, BookSnapshot, Levels

BIDS: Levels = [(100.0, 1.0), (99.0, 2.0)]
ASKS: Levels = [(101.0, 1.0), (102.0, 2.0)]


def snapshot(
    seq: int | None = 10,
    *,
    bids: Levels = BIDS,
    asks: Levels = ASKS,
    from_rest: bool = False,
    window: int | None = None,
    symbol: str = "BTCUSDT",
) -> BookSnapshot:
    return BookSnapshot(
        symbol=symbol, seq=seq, bids=bids, asks=asks, received_ns=1, from_rest=from_rest, window=window, exchange_ms=5
    )


def delta(
    seq: int | None,
    *,
    first: int | None = None,
    prev: int | None = None,
    bids: Levels | None = None,
    asks: Levels | None = None,
    window: int | None = None,
    symbol: str = "BTCUSDT",
) -> BookDelta:
    """Unless told otherwise it sets the bid at 98 to its own seq."""
    if bids is None and asks is None:
        bids = [(98.0, float(seq or 1))]
    return BookDelta(
        symbol=symbol,
        seq=seq,
        first_seq=first,
        prev_seq=prev,
        bids=bids or [],
        asks=asks or [],
        received_ns=2,
        window=window,
        exchange_ms=6,
    )
