"""Questions to the history: the updates and trades of one pair, and how complete a day of it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError
from django.conf import settings

from apps.feeds.market import BookKey
from apps.feeds.shards import shard_of
from apps.monitoring import audit, clickhouse
from apps.monitoring.models import FeedGap
from apps.monitoring.rows import NO_SEQ

MOST_ROWS = 1_000_000
MOST_SECONDS = 10
PAIR = "pair = {pair:String} AND exchange = {exchange:String} AND market_type = {market_type:String}"
INTERVAL = "ts_recv >= {since:DateTime64(6, 'UTC')} AND ts_recv < {until:DateTime64(6, 'UTC')}"
ORDER = "ORDER BY ts_recv, event_no LIMIT {limit:UInt32}"
UPDATES = f"""
SELECT ts_recv, ts_exchange, symbol, is_snapshot, from_rest, first_seq, seq, prev_seq,
    arrayZip(bid_prices, bid_amounts) AS bids, arrayZip(ask_prices, ask_amounts) AS asks, stream, epoch, event_no
FROM orderbook_updates WHERE {PAIR} AND {INTERVAL} {ORDER}"""  # noqa: S608 - constants of this module; values are bound
TRADES = f"""
SELECT ts_recv, ts_exchange, symbol, trade_id, side, price, amount, stream, epoch, event_no
FROM trades WHERE {PAIR} AND {INTERVAL} {ORDER}"""  # noqa: S608 - constants of this module; values are bound
DAYS = f"""
SELECT day, sum(update) AS updates, sum(snapshot) AS snapshots, sum(trade) AS trades,
    min(ts_recv) AS first_at, max(ts_recv) AS last_at
FROM (
    SELECT toDate(ts_recv, 'UTC') AS day, ts_recv, NOT is_snapshot AS update, is_snapshot AS snapshot, 0 AS trade
    FROM orderbook_updates WHERE {PAIR} AND {INTERVAL}
    UNION ALL
    SELECT toDate(ts_recv, 'UTC') AS day, ts_recv, 0 AS update, 0 AS snapshot, 1 AS trade
    FROM trades WHERE {PAIR} AND {INTERVAL}
)
GROUP BY day ORDER BY day"""  # noqa: S608


def updates(key: BookKey, since: datetime, until: datetime, limit: int = 1000) -> list[dict[str, Any]]:
    """Book events received in `[since, until)`, oldest first, at most `limit` (a million).

    `first_seq`, `seq` and `prev_seq` are None where the exchange gives none, so is `ts_exchange`; times are UTC;
    levels are `(price, amount)` in wire order. Raise AwayError when ClickHouse does not answer in time.
    """
    rows = _ask(UPDATES, key, since, until, limit)
    return [
        _known(row) | {"is_snapshot": bool(row["is_snapshot"]), "from_rest": bool(row["from_rest"])} for row in rows
    ]


def trades(key: BookKey, since: datetime, until: datetime, limit: int = 1000) -> list[dict[str, Any]]:
    """Trades received in `[since, until)`, oldest first, at most `limit` (a million)."""
    return [_known(row) for row in _ask(TRADES, key, since, until, limit)]


def completeness(key: BookKey, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Per day of the interval that has rows: counts, first and last event, gaps and their seconds.

    `missing` counts event numbers of the pair's shard that are in no row: anything but 0 is a loss without a reason.
    """
    days = [dict(row) for row in _ask(DAYS, key, since, until, MOST_ROWS)]
    for day in days:
        start = max(since, datetime.combine(day["day"], datetime.min.time(), UTC))
        end = min(until, datetime.combine(day["day"], datetime.max.time(), UTC))
        day |= _gaps(key, start, end)
        day["missing"] = sum(tile.missing for tile in audit.tiles(_client(), start, end, shard_of(key)))
    return days


def _client() -> Any:
    return clickhouse.shared(settings.CLICKHOUSE_URL, settings.CT_HISTORY_DAYS)


def _ask(query: str, key: BookKey, since: datetime, until: datetime, limit: int) -> Iterator[dict[str, Any]]:
    parameters = {
        "exchange": key.exchange,
        "market_type": str(key.market_type),
        "pair": key.pair,
        "since": since.astimezone(UTC),
        "until": until.astimezone(UTC),
        "limit": max(1, min(limit, MOST_ROWS)),
    }
    try:
        answer = _client().query(query, parameters=parameters, settings={"max_execution_time": MOST_SECONDS})
        return iter(list(answer.named_results()))
    except ClickHouseError as error:
        raise clickhouse.away_or(error) from error


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """The row with None for what the exchange did not say."""
    unknown = {name: None for name in ("first_seq", "seq", "prev_seq") if row.get(name) == NO_SEQ}
    if row["ts_exchange"].timestamp() == 0:
        unknown["ts_exchange"] = None
    return row | unknown


def _gaps(key: BookKey, since: datetime, until: datetime) -> dict[str, Any]:
    """Number of the gaps that touch the interval, and the seconds of it that they cover; a gap without end lasts."""
    spans = [
        (max(gap.from_ts, since), min(gap.to_ts or until, until))
        for gap in FeedGap.objects.filter(
            exchange=key.exchange, market_type=key.market_type, pair=key.pair, from_ts__lt=until
        ).order_by("from_ts")
        if gap.to_ts is None or gap.to_ts >= since
    ]
    covered, seconds = since, 0.0
    for start, end in spans:
        start = max(start, covered)
        seconds += max(0.0, (end - start).total_seconds())
        covered = max(covered, end)
    return {"gaps": len(spans), "gap_s": seconds}
