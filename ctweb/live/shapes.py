"""What the pages know of the fleet: rows, markets, daemons, figures, and what needs a person. Pure."""

from msgspec import Struct

STATES = ("LIVE", "SYNCING", "STALE", "DOWN")


class Row(Struct, array_like=True, frozen=True):
    """One enabled book. The browser reads it by position: `FIELDS` in static/js/fleetrow.js is this list."""

    key: str
    state: str
    reason: str | None
    step: str
    since_ms: int | None
    age_ms: int | None
    limit_ms: int
    lag_ms: int | None
    msg_s: float
    gaps_1h: int
    resyncs: int
    seq: str | None
    depth: int
    daemon: str | None
    fence: int
    asked_ms: int | None
    subscribed_ms: int | None
    synced_ms: int | None


class Market(Struct, frozen=True):
    """One line of the matrix: an exchange and a market."""

    exchange: str
    market_type: str
    pairs: int
    states: dict[str, int]
    msg_s: int
    age_p99: int | None
    lag_p99: int | None
    gaps_1h: int
    sockets: int
    clock_ms: float | None


class Daemon(Struct, frozen=True):
    id: str
    role: str
    state: str
    seen_ms: int
    pairs: int
    capacity: int
    sockets: int
    max_sockets: int
    fence: int
    cpu_pct: float | None
    rss_mb: float | None
    loop_lag_ms: float | None
    msg_s: float


class Figures(Struct, frozen=True):
    enabled: int
    states: dict[str, int]
    msg_s: int
    publish_p50: float | None
    publish_p99: float | None
    gaps_1h: int
    gaps_open: int
    back_p95: float | None
    rows_s: int
    spool_mb: float
    history_lag_s: float | None
    flush_waiting: int


class Attention(Struct, frozen=True):
    """One thing that needs a person; `key` is empty for a daemon."""

    state: str
    name: str
    where: str
    why: str
    since_ms: int | None
    key: str = ""
    action: str = ""


class Fleet(Struct, frozen=True):
    rows: dict[str, Row]
    markets: list[Market]
    daemons: list[Daemon]
    figures: Figures
    attention: list[Attention]
    attention_count: int
