"""The JSON of the public Redis contract: names of keys and channels, shapes of messages. Pure, encoded once.

Prices and amounts are numbers, levels are `[price, amount]` best first. Times in `*_ms` are of an exchange or of the
wall clock in milliseconds, `*_ns` are our clock.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from msgspec import Struct
from msgspec.json import Decoder, Encoder

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


class HistoryStatus(Struct, frozen=True, kw_only=True):
    rows_s: float
    spool_mb: float
    lag_s: float
    waiting: int  # sealed batches that are not in ClickHouse yet


class ConnectionStatus(Struct, frozen=True, kw_only=True):
    id: str
    exchange: str
    market_type: MarketType
    category: str
    state: str
    pairs: int
    msg_s: float
    reconnects: int
    clock_offset_ms: float | None


class BookStatus(Struct, frozen=True, kw_only=True):
    key: str
    symbol: str
    state: BookState
    reason: str
    step: str
    since_ms: int
    age_ms: int | None  # since the last proof of life; null before the first
    limit_ms: int
    lag_ms: float | None  # received minus exchange time of the last event; null where the exchange sends none
    msg_s: float
    gaps_1h: int
    resyncs: int
    seq: int | None
    depth: int
    shard: str
    fence: int
    asked_ms: int | None
    subscribed_ms: int | None
    synced_ms: int | None


class RefusedStatus(Struct, frozen=True, kw_only=True):
    source: str
    row_id: int
    exchange: str
    market_type: str
    pair: str
    reason: str


class DaemonStatus(Struct, frozen=True, kw_only=True):
    """`daemon:{id}` and the channel `daemons`, once a second."""

    daemon: str
    role: str
    host: str
    pid: int
    build: str
    started_ms: int
    now_ms: int
    state: str  # ALIVE LAGGING DRAINING
    pairs: int
    capacity: int
    sockets: int
    max_sockets: int
    cpu_pct: float  # of one core
    rss_mb: float
    loop_lag_ms: float
    msg_s: float
    publish_ms: dict[str, float | None]
    back_to_live_s: dict[str, float | None]
    gaps_1h: int
    history: HistoryStatus
    malformed: int
    counters: dict[str, int]  # what was dropped or refused since the start, by name
    connections: list[ConnectionStatus]
    books: list[BookStatus]
    refused: list[RefusedStatus]


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
