"""Sums over the rows of the fleet: per market, over all, and the list of what needs a person. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from apps.feeds.market import BookKey
from ctweb.live.shapes import STATES, Attention, Daemon, Figures, Market, Row
from ctweb.live.status import DaemonStatus

WORST_FIRST = {"DOWN": 0, "STALE": 1, "SYNCING": 2}


def markets(rows: Iterable[Row], statuses: Iterable[DaemonStatus]) -> list[Market]:
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


def figures(rows: Iterable[Row], statuses: Sequence[DaemonStatus]) -> Figures:
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


def attention(
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
