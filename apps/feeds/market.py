"""The vocabulary of public market data: what every exchange's frames are translated to.

Prices and amounts are float64 (a decimal string always parses to the same float); instrument rules are `Decimal`.
Levels are `(price, amount)` pairs in wire order; an amount of zero in a delta removes the level.
"""

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Self, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

Level: TypeAlias = tuple[float, float]
Levels: TypeAlias = list[Level]

FULL_DEPTH = 0
DEPTHS = (20, 50, FULL_DEPTH)


class MarketType(StrEnum):
    SPOT = "spot"
    FUTURES = "futures"


class Side(StrEnum):
    """Side of the taker."""

    BUY = "buy"
    SELL = "sell"
    UNKNOWN = "unknown"  # the exchange did not say


class BookState(StrEnum):
    SYNCING = "SYNCING"  # no snapshot yet, or a resync is under way
    LIVE = "LIVE"  # snapshot applied, sequence unbroken, not crossed, young enough
    STALE = "STALE"  # no proof of life within the pair's limit
    DOWN = "DOWN"  # no socket


class InstrumentStatus(StrEnum):
    TRADING = "trading"
    SUSPENDED = "suspended"  # listed, not tradable now
    DELISTED = "delisted"  # gone from the exchange's own list


class BookKey(NamedTuple):
    """Names one book everywhere: `binance:spot:BTC/USDT`."""

    exchange: str
    market_type: MarketType
    pair: str

    def __str__(self) -> str:
        return f"{self.exchange}:{self.market_type}:{self.pair}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise ValueError when `text` is not `exchange:market_type:BASE/QUOTE`."""
        exchange, market_type, pair = text.split(":", 2)
        base, _, quote = pair.partition("/")
        if not exchange or not base or not quote:
            raise ValueError(f"not a book key: {text!r}")
        return cls(exchange, MarketType(market_type), pair)


class Instrument(Struct, frozen=True, kw_only=True):
    """One thing that an exchange lists; sizes of orders and prices are multiples of `lot` and `tick`.

    `contract_size` is the base amount of one unit of the exchange's own amounts: 1 where it counts coins;
    on inverse contracts it is the quote value of one contract. Where there are `price_digits`, a price has no more
    significant ones unless it is a whole number, and `tick` is a power of ten: the finest step, that of low prices.
    """

    exchange: str
    market_type: MarketType
    pair: str
    symbol: str
    base: str
    quote: str
    settle: str
    tick: Decimal
    lot: Decimal
    contract_size: Decimal = Decimal(1)
    inverse: bool = False
    min_amount: Decimal | None = None
    min_notional: Decimal | None = None
    status: InstrumentStatus = InstrumentStatus.TRADING
    volume_24h: Decimal | None = None  # in quote currency
    number: int | None = None  # the exchange's own number of it, where orders name that
    price_digits: int | None = None

    @property
    def key(self) -> BookKey:
        return BookKey(self.exchange, self.market_type, self.pair)

    def step_at(self, price: Decimal) -> Decimal:
        """What prices as high as this one are multiples of: the tick, or more where a price may have but few digits."""
        if self.price_digits is None:
            return self.tick
        last_digit = Decimal(1).scaleb(price.adjusted() + 1 - self.price_digits)
        return max(self.tick, min(last_digit, Decimal(1)))  # whole numbers have as many digits as they like


class BookSnapshot(Struct, frozen=True, kw_only=True, gc=False):
    """A whole book. `from_rest` tells an answer to our request from a push of the stream."""

    symbol: str
    seq: int | None
    bids: Levels
    asks: Levels
    received_ns: int
    exchange_ms: int | None = None
    prev_seq: int | None = None
    checksum: int | None = None
    raw_bids: list[tuple[str, str]] | None = None  # the wire's own strings, only where a checksum needs them
    raw_asks: list[tuple[str, str]] | None = None
    window: int | None = None  # levels a side that the stream keeps: more after an event means a lost deletion
    from_rest: bool = False
    restarts: bool = False  # the stream begins anew: its ids say nothing about those before


class BookDelta(Struct, frozen=True, kw_only=True, gc=False):
    """Changed levels, absolute amounts. `first_seq..seq` is the range of updates that it covers."""

    symbol: str
    seq: int | None
    bids: Levels
    asks: Levels
    received_ns: int
    first_seq: int | None = None
    prev_seq: int | None = None
    exchange_ms: int | None = None
    checksum: int | None = None
    raw_bids: list[tuple[str, str]] | None = None
    raw_asks: list[tuple[str, str]] | None = None
    window: int | None = None


class PublicTrade(Struct, frozen=True, kw_only=True, gc=False):
    """One print of the tape; `side` is the taker's."""

    symbol: str
    trade_id: str
    side: Side
    price: float
    amount: float
    exchange_ms: int
    received_ns: int


MarketEvent = TypeVar("MarketEvent", BookSnapshot, BookDelta, PublicTrade, BookSnapshot | BookDelta)


def in_base(event: MarketEvent, instrument: Instrument) -> MarketEvent:
    """The event with amounts in base currency, where the exchange counts contracts; else the event itself."""
    size = float(instrument.contract_size)
    if size == 1.0 and not instrument.inverse:
        return event
    if isinstance(event, PublicTrade):
        return replace(event, amount=_base(event.price, event.amount, size, instrument.inverse))
    return replace(
        event,
        bids=[(p, _base(p, a, size, instrument.inverse)) for p, a in event.bids],
        asks=[(p, _base(p, a, size, instrument.inverse)) for p, a in event.asks],
    )


def _base(price: float, amount: float, size: float, inverse: bool) -> float:
    return amount * size / price if inverse else amount * size
