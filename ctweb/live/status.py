"""What of a daemon's status the pages show. Pure.

Looser than what daemons of this version publish: while they are replaced one by one, older and newer ones are shown
too, so every field that a page can do without has a default.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import structlog
from msgspec import Struct

log = structlog.get_logger(__name__)


class BookStatus(Struct, frozen=True, kw_only=True):
    """One book of a daemon; moments are of the daemon's clock."""

    key: str
    state: str
    reason: str | None = None
    step: str = "PENDING"
    since_ms: int | None = None
    age_ms: int | None = None
    limit_ms: int = 5000
    lag_ms: float | None = None
    msg_s: float = 0
    gaps_1h: int = 0
    resyncs: int = 0
    seq: int | None = None
    depth: int = 20
    fence: int = 0
    asked_ms: int | None = None
    subscribed_ms: int | None = None
    synced_ms: int | None = None


class ConnectionStatus(Struct, frozen=True, kw_only=True):
    exchange: str
    market_type: str
    clock_offset_ms: float | None = None


class RefusedStatus(Struct, frozen=True, kw_only=True):
    """An enabled pair that an exchange did not take."""

    exchange: str
    market_type: str
    pair: str
    reason: str


class HistoryStatus(Struct, frozen=True, kw_only=True):
    rows_s: float = 0
    spool_mb: float = 0
    lag_s: float | None = None
    waiting: int = 0


class DaemonStatus(Struct, frozen=True, kw_only=True):
    daemon: str
    now_ms: int
    role: str = "monitor"
    state: str = "ALIVE"
    pairs: int = 0
    capacity: int = 0
    sockets: int = 0
    max_sockets: int = 0
    cpu_pct: float | None = None
    rss_mb: float | None = None
    loop_lag_ms: float | None = None
    msg_s: float = 0
    gaps_1h: int = 0
    publish_ms: dict[str, float | None] = {}
    back_to_live_s: dict[str, float | None] = {}
    history: HistoryStatus = HistoryStatus()
    connections: list[ConnectionStatus] = []
    books: list[BookStatus] = []
    refused: list[RefusedStatus] = []


def typed(found: Iterable[Mapping[str, Any]]) -> list[DaemonStatus]:
    """The statuses; what cannot be one (some other program's key) is logged and left out."""
    statuses = []
    for one in found:
        try:
            statuses.append(msgspec.convert(one, DaemonStatus))
        except msgspec.ValidationError as error:
            log.warning("daemon status not understood", daemon=one.get("daemon"), error=str(error))
    return statuses
