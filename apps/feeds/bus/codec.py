"""The JSON of the public Redis contract: names of keys and channels, shapes of messages. Pure, encoded once.

Prices and amounts are numbers, levels are `[price, amount]` best first. Times in `*_ms` are of an exchange or of the
wall clock in milliseconds, `*_ns` are our clock.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from msgspec import Struct
from msgspec.json import Decoder, Encoder

from apps.feeds.bus.status import DaemonStatus
from apps.feeds.market import FULL_DEPTH, BookKey, BookState, Instrument, Level, Levels, MarketType, PublicTrade, Side

TAPE_TRADES = 50  # what the key of a tape keeps
FULL_LEVELS = 1_000  # what `full:` carries of each side
BOOK_TTL_S = 5
TAPE_TTL_S = 3_600
DAEMON_TTL_S = 10

DAEMONS_CHANNEL = "daemons"
NUDGE_CHANNEL = "nudge"

_EMPTY_STATES = frozenset({BookState.SYNCING, BookState.DOWN})


def book_name(key: BookKey | str) -> str:
    """Key and channel of the top of one book."""
    return f"book:{key}"


def full_name(key: BookKey | str) -> str:
    return f"full:{key}"


def best_name(key: BookKey | str) -> str:
    return f"bbo:{key}"


def trades_name(key: BookKey | str) -> str:
    return f"trades:{key}"


def fence_name(shard: str) -> str:
    return f"fence:{shard}"


def daemon_name(daemon: str) -> str:
    return f"daemon:{daemon}"


def command_name(daemon: str) -> str:
    return f"command:{daemon}"


class Ladder(Protocol):
    """What the codec needs of an order book."""

    def top(self, n: int) -> tuple[Levels, Levels]: ...


class Builder(Protocol):
    @property
    def book(self) -> Ladder | None: ...


class Source(Protocol):
    """What the codec needs of a tracked book; read at the moment of encoding, so always the latest."""

    key: BookKey
    instrument: Instrument
    depth: int
    state: BookState
    reason: str
    version: int
    exchange_ms: int | None
    received_ns: int | None
    last_event_ns: int | None

    @property
    def seq(self) -> int | None: ...

    @property
    def limit_ms(self) -> int: ...

    @property
    def builder(self) -> Builder: ...


class BookMessage(Struct, frozen=True, gc=False):
    """`book:` and `full:`; `version` and `received_ns` stand still while only the key is kept alive."""

    exchange: str
    market_type: MarketType
    pair: str
    symbol: str
    state: BookState
    reason: str
    seq: int | None
    fence: int
    version: int
    depth: int
    exchange_ms: int | None
    received_ns: int | None  # null before the first event
    checked_ns: int | None  # last proof of life
    published_ns: int
    limit_ms: int
    bids: Levels
    asks: Levels


class BestMessage(Struct, frozen=True, gc=False):
    """`bbo:`; sides are null unless the book is served."""

    exchange: str
    market_type: MarketType
    pair: str
    state: BookState
    bid: Level | None
    ask: Level | None
    seq: int | None
    exchange_ms: int | None
    received_ns: int | None


class TradeMessage(Struct, frozen=True, gc=False):
    id: str
    side: Side
    price: float
    amount: float
    exchange_ms: int
    received_ns: int


class TradesMessage(Struct, frozen=True):
    """`trades:`; newest last."""

    trades: Sequence[TradeMessage]


class DaemonCommand(Struct, frozen=True, kw_only=True):
    """`command:{daemon}`: `{"op": "resync", "key": ...}` or `{"op": "drain"}`."""

    op: str
    key: str | None = None


_encoder = Encoder()
_command_decoder = Decoder(DaemonCommand)
_any_decoder: Decoder[dict[str, Any]] = Decoder(dict[str, Any])


def top_levels(depth: int) -> int:
    """How many levels of each side `book:` carries."""
    return 20 if depth == 20 else 50


def encode_book(source: Source, *, levels: int, fence: int, version: int, published_ns: int) -> bytes:
    """The book as it is now; a book that is not served has empty sides, whatever the builder still holds."""
    sides = _sides(source, levels)
    return _encode(source, source.state, source.reason, source.seq, sides, fence, version, published_ns)


def encode_gone(source: Source, *, reason: str, fence: int, version: int, published_ns: int) -> bytes:
    """The last message of a book that this daemon lets go of."""
    return _encode(source, BookState.DOWN, reason, None, ([], []), fence, version, published_ns)


def best_of(source: Source) -> tuple[BookState, Level | None, Level | None]:
    """What must change before `bbo:` is worth publishing again."""
    bids, asks = _sides(source, 1)
    return source.state, bids[0] if bids else None, asks[0] if asks else None


def encode_best(source: Source) -> bytes:
    state, bid, ask = best_of(source)
    key = source.key
    message = BestMessage(
        exchange=key.exchange,
        market_type=key.market_type,
        pair=key.pair,
        state=state,
        bid=bid,
        ask=ask,
        seq=source.seq,
        exchange_ms=source.exchange_ms,
        received_ns=source.received_ns,
    )
    return _encoder.encode(message)


def trade_message(trade: PublicTrade) -> TradeMessage:
    return TradeMessage(trade.trade_id, trade.side, trade.price, trade.amount, trade.exchange_ms, trade.received_ns)


def encode_trades(trades: Iterable[TradeMessage]) -> bytes:
    return _encoder.encode(TradesMessage(list(trades)))


def encode_daemon(status: DaemonStatus) -> bytes:
    return _encoder.encode(status)


def encode_command(command: DaemonCommand) -> bytes:
    return _encoder.encode(command)


def decode_command(payload: bytes) -> DaemonCommand:
    """Raise msgspec.DecodeError when it is not a command."""
    return _command_decoder.decode(payload)


def decode(payload: bytes | str) -> dict[str, Any]:
    """One message of the bus as plain values."""
    return _any_decoder.decode(payload)


def full_wanted(source: Source) -> bool:
    return source.depth == FULL_DEPTH


def _encode(
    source: Source,
    state: BookState,
    reason: str,
    seq: int | None,
    sides: tuple[Levels, Levels],
    fence: int,
    version: int,
    published_ns: int,
) -> bytes:
    key = source.key
    message = BookMessage(
        exchange=key.exchange,
        market_type=key.market_type,
        pair=key.pair,
        symbol=source.instrument.symbol,
        state=state,
        reason=reason,
        seq=seq,
        fence=fence,
        version=version,
        depth=source.depth,
        exchange_ms=source.exchange_ms,
        received_ns=source.received_ns,
        checked_ns=source.last_event_ns,
        published_ns=published_ns,
        limit_ms=source.limit_ms,
        bids=sides[0],
        asks=sides[1],
    )
    return _encoder.encode(message)


def _sides(source: Source, levels: int) -> tuple[Levels, Levels]:
    book = source.builder.book
    if book is None or source.state in _EMPTY_STATES:
        return [], []
    return book.top(levels)
