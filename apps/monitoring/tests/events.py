"""Events and instruments for the tests of the history."""

from decimal import Decimal

from hypothesis import strategies as st

from apps.feeds.market import BookDelta, BookKey, BookSnapshot, Instrument, MarketType, PublicTrade, Side
from apps.feeds.shards import shard_of

NOON_NS = 1_740_830_400 * 10**9  # 2025-03-01 12:00 UTC
STREAM = shard_of(BookKey("binance", MarketType.SPOT, "BTC/USDT"))
LAST_INT = 2**63 - 1


def instrument(pair: str = "BTC/USDT") -> Instrument:
    base, quote = pair.split("/")
    return Instrument(
        exchange="binance",
        market_type=MarketType.SPOT,
        pair=pair,
        symbol=base + quote,
        base=base,
        quote=quote,
        settle=quote,
        tick=Decimal("0.01"),
        lot=Decimal("0.00001"),
    )


def delta(seq: int, received_ns: int = NOON_NS, symbol: str = "BTCUSDT") -> BookDelta:
    """A delta that says its own number in every field."""
    return BookDelta(
        symbol=symbol,
        first_seq=seq,
        seq=seq,
        prev_seq=seq - 1,
        bids=[(100.0, float(seq)), (99.5, 0.0)],
        asks=[(101.0, float(seq))],
        received_ns=received_ns,
        exchange_ms=received_ns // 10**6,
    )


def trade(number: int, received_ns: int = NOON_NS, symbol: str = "BTCUSDT") -> PublicTrade:
    return PublicTrade(
        symbol=symbol,
        trade_id=str(number),
        side=Side.BUY,
        price=100.5,
        amount=0.25,
        exchange_ms=received_ns // 10**6,
        received_ns=received_ns,
    )


numbers = st.none() | st.integers(0, LAST_INT)
floats = st.floats(0, 1e300, allow_nan=False)
levels = st.lists(st.tuples(floats, floats), max_size=5) | st.integers(126, 300).map(lambda n: [(1.5, 2.5)] * n)
received = st.integers(0, 86_399_999_999).map(lambda us: NOON_NS - 43_200 * 10**9 + us * 1000)  # one day
times = st.none() | st.integers(1, 4_000_000_000_000)
deltas = st.builds(
    BookDelta,
    symbol=st.just("BTCUSDT"),
    seq=numbers,
    first_seq=numbers,
    prev_seq=numbers,
    bids=levels,
    asks=levels,
    received_ns=received,
    exchange_ms=times,
)
snapshots = st.builds(
    BookSnapshot,
    symbol=st.just("BTCUSDT"),
    seq=numbers,
    prev_seq=numbers,
    bids=levels,
    asks=levels,
    received_ns=received,
    exchange_ms=times,
    from_rest=st.booleans(),
)
trades = st.builds(
    PublicTrade,
    symbol=st.just("BTCUSDT"),
    trade_id=st.text(max_size=200),
    side=st.sampled_from(Side),
    price=floats,
    amount=floats,
    exchange_ms=st.integers(1, 4_000_000_000_000),
    received_ns=received,
)
