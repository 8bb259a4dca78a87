"""All books and daemons as one picture: what is enabled, who holds it, in which state it is. Pure.

A pair that is enabled is always in the picture. What a daemon said loses its truth with time: ages go on while it is
silent, and a LIVE book past its limit is STALE whatever was said last.
"""

from collections.abc import Iterable, Mapping, Sequence

from apps.feeds.views.live import LOST_MS
from ctweb.live import summary
from ctweb.live.shapes import Daemon, Fleet, Row
from ctweb.live.status import BookStatus, DaemonStatus

MAX_ATTENTION = 50
REPORT_MS = 2000


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
    everything = summary.attention(rows.values(), daemons, cannot_run, refusals)
    return Fleet(
        rows=rows,
        markets=summary.markets(rows.values(), statuses),
        daemons=sorted(daemons, key=lambda one: one.id),
        figures=summary.figures(rows.values(), statuses),
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
