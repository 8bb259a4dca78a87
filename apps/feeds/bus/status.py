"""What a daemon says of itself, its books and its sockets: the shape of `daemon:{id}`. Pure."""

from msgspec import Struct

from apps.feeds.market import BookState, MarketType


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


class TradingStatus(Struct, frozen=True, kw_only=True):
    """Of a daemon that trades; counts only."""

    accounts: dict[str, int]  # STARTING RECONCILING READY WAITING -> how many it looks after
    books: int  # held for its own trading alone, beside those that it shows
    stopping: bool  # no order is committed any more
    errors: dict[str, int]  # of its jobs since the start, by name


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
    trading: TradingStatus | None = None  # null: it does not trade
