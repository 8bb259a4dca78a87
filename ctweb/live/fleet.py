"""All books and daemons as one picture: what is enabled, who holds it, in which state it is. Pure.

A pair that is enabled is always in the picture. What a daemon said loses its truth with time: ages go on while it is
silent, and a LIVE book past its limit is STALE whatever was said last.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from apps.feeds.market import BookKey
from apps.feeds.views.live import LOST_MS
from ctweb.live.status import BookStatus, DaemonStatus

STATES = ("LIVE", "SYNCING", "STALE", "DOWN")
WORST_FIRST = {"DOWN": 0, "STALE": 1, "SYNCING": 2, "LIVE": 3}
MAX_ATTENTION = 50
REPORT_MS = 2000


class Row(Struct, array_like=True, frozen=True):
    """One enabled book. The browser reads it by position: `ROW` in static/js/fleetrow.js is this list."""

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


def picture(
    statuses: Sequence[DaemonStatus],
    enabled: Mapping[str, int],
    lost: Mapping[str, Daemon],
    refused: Mapping[str, str],
    now_ms: int,
) -> Fleet:
    """`enabled` maps book keys to depths, `refused` keys to reasons (those that could run and those that never can);
    `lost` are daemons seen before that are silent now.
    """
    held = _held(statuses)
    refusals = {**refused, **_refused_by_exchanges(statuses)}
    nobody = "no daemon has taken it yet" if statuses else "no daemon is running"
    rows = {
        key: _row(key, *held[key], now_ms) if key in held else _unowned(key, depth, refusals.get(key, nobody))
        for key, depth in enabled.items()
    }
    daemons = [_daemon(status, now_ms) for status in statuses]
    daemons += [lost[name] for name in sorted(lost) if name not in {one.id for one in daemons}]
    cannot_run = {key: why for key, why in refusals.items() if key not in rows}
    everything = _attention(rows.values(), daemons, cannot_run, refusals)
    return Fleet(
        rows=rows,
        markets=_markets(rows.values(), statuses),
        daemons=sorted(daemons, key=lambda one: one.id),
        figures=_figures(rows.values(), statuses),
        attention=everything[:MAX_ATTENTION],
        attention_count=len(everything),
    )


def _refused_by_exchanges(statuses: Iterable[DaemonStatus]) -> dict[str, str]:
    return {f"{row.exchange}:{row.market_type}:{row.pair}": row.reason for status in statuses for row in status.refused}


def _held(statuses: Iterable[DaemonStatus]) -> dict[str, tuple[BookStatus, DaemonStatus]]:
    """Who holds each book; of two that both claim one, the higher fence."""
    held: dict[str, tuple[BookStatus, DaemonStatus]] = {}
    for status in statuses:
        for book in status.books:
            if book.key not in held or held[book.key][0].fence < book.fence:
                held[book.key] = (book, status)
    return held


def _row(key: str, book: BookStatus, status: DaemonStatus, now_ms: int) -> Row:
    age = None if book.age_ms is None else book.age_ms + _silence_ms(status, now_ms)
    state, reason, since = book.state, book.reason, book.since_ms
    if _is_lost(status, now_ms):
        state, reason, since = "DOWN", "its daemon is lost", status.now_ms
    elif state == "LIVE" and age is not None and age > book.limit_ms:
        state, reason, since = "STALE", "its daemon is silent", now_ms - age
    return Row(
        key=key,
        state=state,
        reason=reason or None,
        step=book.step,
        since_ms=since,
        age_ms=age,
        limit_ms=book.limit_ms,
        lag_ms=None if book.lag_ms is None else round(book.lag_ms),
        msg_s=round(book.msg_s, 1),
        gaps_1h=book.gaps_1h,
        resyncs=book.resyncs,
        seq=None if book.seq is None else str(book.seq),
        depth=book.depth,
        daemon=status.daemon,
        fence=book.fence,
        asked_ms=book.asked_ms,
        subscribed_ms=book.subscribed_ms,
        synced_ms=book.synced_ms,
    )


def _unowned(key: str, depth: int, reason: str) -> Row:
    return Row(
        key=key,
        state="DOWN",
        reason=reason,
        step="PENDING",
        since_ms=None,
        age_ms=None,
        limit_ms=5000,
        lag_ms=None,
        msg_s=0,
        gaps_1h=0,
        resyncs=0,
        seq=None,
        depth=depth,
        daemon=None,
        fence=0,
        asked_ms=None,
        subscribed_ms=None,
        synced_ms=None,
    )


def _silence_ms(status: DaemonStatus, now_ms: int) -> int:
    """How long a daemon has been silent; between two reports, a second apart, it is not."""
    since = now_ms - status.now_ms
    return since if since > REPORT_MS else 0


def _is_lost(status: DaemonStatus, now_ms: int) -> bool:
    return now_ms - status.now_ms > LOST_MS


def _daemon(status: DaemonStatus, now_ms: int) -> Daemon:
    return Daemon(
        id=status.daemon,
        role=status.role,
        state="LOST" if _is_lost(status, now_ms) else status.state,
        seen_ms=status.now_ms,
        pairs=status.pairs,
        capacity=status.capacity,
        sockets=status.sockets,
        max_sockets=status.max_sockets,
        fence=max((book.fence for book in status.books), default=0),
        cpu_pct=status.cpu_pct,
        rss_mb=status.rss_mb,
        loop_lag_ms=status.loop_lag_ms,
        msg_s=round(status.msg_s),
    )


def _markets(rows: Iterable[Row], statuses: Iterable[DaemonStatus]) -> list[Market]:
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        key = BookKey.parse(row.key)
        grouped.setdefault((key.exchange, key.market_type.value), []).append(row)
    sockets: dict[tuple[str, str], list[float | None]] = {}
    for status in statuses:
        for link in status.connections:
            sockets.setdefault((link.exchange, link.market_type), []).append(link.clock_offset_ms)
    return [_market(*where, grouped[where], sockets.get(where, [])) for where in sorted(grouped, key=_spot_first)]


def _market(exchange: str, market_type: str, rows: list[Row], clocks: list[float | None]) -> Market:
    known = sorted(clock for clock in clocks if clock is not None)
    return Market(
        exchange=exchange,
        market_type=market_type,
        pairs=len(rows),
        states=_counts(rows),
        msg_s=round(sum(row.msg_s for row in rows)),
        age_p99=_p99([row.age_ms for row in rows]),
        lag_p99=_p99([row.lag_ms for row in rows]),
        gaps_1h=sum(row.gaps_1h for row in rows),
        sockets=len(clocks),
        clock_ms=known[len(known) // 2] if known else None,
    )


def _figures(rows: Iterable[Row], statuses: Sequence[DaemonStatus]) -> Figures:
    rows = list(rows)
    return Figures(
        enabled=len(rows),
        states=_counts(rows),
        msg_s=round(sum(status.msg_s for status in statuses)),
        publish_p50=_worst(status.publish_ms.get("p50") for status in statuses),
        publish_p99=_worst(status.publish_ms.get("p99") for status in statuses),
        gaps_1h=sum(status.gaps_1h for status in statuses),
        gaps_open=sum(1 for row in rows if row.gaps_1h and row.state == "SYNCING"),
        back_p95=_worst(status.back_to_live_s.get("p95") for status in statuses),
        rows_s=round(sum(status.history.rows_s for status in statuses)),
        spool_mb=round(sum(status.history.spool_mb for status in statuses), 1),
        history_lag_s=_worst(status.history.lag_s for status in statuses),
        flush_waiting=sum(status.history.waiting for status in statuses),
    )


def _attention(
    rows: Iterable[Row], daemons: Iterable[Daemon], cannot_run: Mapping[str, str], refusals: Mapping[str, str]
) -> list[Attention]:
    items = [_refusal(key, why) for key, why in cannot_run.items()]
    items += [_book_trouble(row, row.key in refusals) for row in rows if row.state != "LIVE"]
    items += [_daemon_trouble(daemon) for daemon in daemons if daemon.state != "ALIVE"]
    return sorted(items, key=lambda item: (WORST_FIRST[item.state], item.since_ms or 0, item.name))


def _refusal(key: str, why: str) -> Attention:
    exchange, market_type, pair = key.split(":", 2)
    return Attention("DOWN", pair, f"{exchange} {market_type}", why, None)


def _book_trouble(row: Row, refused: bool) -> Attention:
    key = BookKey.parse(row.key)
    action = "disable" if refused else "resync" if row.daemon else ""
    why = row.reason or row.step.lower()
    return Attention(row.state, key.pair, f"{key.exchange} {key.market_type}", why, row.since_ms, row.key, action)


def _daemon_trouble(daemon: Daemon) -> Attention:
    lost = daemon.state == "LOST"
    why = "no heartbeat" if lost else f"{daemon.state.lower()}, loop lag {daemon.loop_lag_ms or 0:.0f} ms"
    return Attention("DOWN" if lost else "STALE", f"daemon {daemon.id}", "", why, daemon.seen_ms if lost else None)


def _counts(rows: Iterable[Row]) -> dict[str, int]:
    counts = dict.fromkeys(STATES, 0)
    for row in rows:
        counts[row.state] += 1
    return counts


def _p99(values: Iterable[int | None]) -> int | None:
    known = sorted(value for value in values if value is not None)
    return known[(len(known) * 99 - 1) // 100] if known else None


def _worst(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(max(known), 2) if known else None


def _spot_first(where: tuple[str, str]) -> tuple[str, bool]:
    return where[0], where[1] != "spot"
