"""`/api/v1/history/...` against the embedded ClickHouse."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.feeds.market import BookKey, MarketType
from apps.feeds.shards import shard_of
from apps.feeds.tests.listings import list_pairs
from apps.monitoring import clickhouse
from apps.monitoring.rows import COLUMNS, TRADES, UPDATES
from ctweb.tests.clients import client_of, stores_away

pytestmark = pytest.mark.django_db
KEY = BookKey("binance", MarketType.SPOT, "BTC/USDT")
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)  # rows expire
DAY = NOON.date().isoformat()
ASKED = {"exchange": "binance", "market_type": "spot", "pair": "BTC-USDT", "since": f"{DAY}T12:00:00Z"}
SHARED = {
    "batch_id": "b1",
    "exchange": KEY.exchange,
    "market_type": str(KEY.market_type),
    "pair": KEY.pair,
    "symbol": "BTCUSDT",
    "stream": shard_of(KEY),
    "epoch": 1,
}


def update(number: int) -> dict[str, Any]:
    at = NOON + timedelta(seconds=number)
    return SHARED | {
        "event_no": number,
        "ts_recv": at,
        "ts_exchange": at if number > 1 else datetime(1970, 1, 1, tzinfo=UTC),
        "is_snapshot": number == 1,
        "from_rest": 0,
        "first_seq": -1,
        "seq": 100 + number,
        "prev_seq": -1 if number == 1 else 99 + number,
        "bid_prices": [100.5, 100.0],
        "bid_amounts": [1.0, 2.0],
        "ask_prices": [101.0],
        "ask_amounts": [0.5],
    }


def trade(number: int) -> dict[str, Any]:
    at = NOON + timedelta(seconds=number)
    told = {"trade_id": str(number), "side": "buy", "price": 100.5, "amount": 0.1}
    return SHARED | {"event_no": number, "ts_recv": at, "ts_exchange": at} | told


@pytest.fixture
def viewer(settings, clickhouse_url) -> Client:
    stores_away(settings)
    settings.CLICKHOUSE_URL = clickhouse_url
    list_pairs("BTC/USDT", "ETH/USDT")
    client = clickhouse.shared(clickhouse_url, settings.CT_HISTORY_DAYS)
    for table, rows in ((UPDATES, [update(1), update(2), update(3)]), (TRADES, [trade(1), trade(2)])):
        names = COLUMNS[table]
        client.insert(table, [[row[name] for name in names] for row in rows], column_names=names)
    return client_of("viewer")


def history(viewer: Client, what: str, **parameters: Any) -> Any:
    return viewer.get(f"/api/v1/history/{what}", ASKED | parameters).json()


def test_every_update_is_found_as_it_was_kept(viewer):
    found = history(viewer, "updates")
    assert (found["count"], found["more"]) == (3, False)
    first, second, _ = found["results"]
    assert first["ts_recv"] == f"{DAY}T12:00:01Z"
    assert (first["is_snapshot"], first["ts_exchange"], first["prev_seq"]) == (True, None, None)
    assert (second["is_snapshot"], second["ts_exchange"], second["prev_seq"]) == (False, f"{DAY}T12:00:02Z", 101)
    assert (second["bids"], second["asks"]) == ([[100.5, 1.0], [100.0, 2.0]], [[101.0, 0.5]])


def test_the_limit_says_that_there_is_more(viewer):
    found = history(viewer, "updates", limit=2)
    assert (found["count"], found["more"], len(found["results"])) == (2, True, 2)


def test_the_interval_begins_with_since_and_ends_before_until(viewer):
    found = history(viewer, "updates", since=f"{DAY}T12:00:02Z", until=f"{DAY}T12:00:03Z")
    assert [row["seq"] for row in found["results"]] == [102]


def test_milliseconds_name_the_same_moment(viewer):
    since = int((NOON + timedelta(seconds=3)).timestamp() * 1000)
    assert [row["seq"] for row in history(viewer, "updates", since=since)["results"]] == [103]


def test_trades_are_found(viewer):
    assert [row["trade_id"] for row in history(viewer, "trades")["results"]] == ["1", "2"]


def test_another_pair_has_no_rows(viewer):
    assert history(viewer, "updates", pair="ETH-USDT")["results"] == []


def test_completeness_counts_by_day(viewer):
    (day,) = history(viewer, "completeness")["results"]
    assert (day["day"], day["updates"], day["snapshots"], day["trades"]) == (DAY, 2, 1, 2)
    assert day["first_at"] == f"{DAY}T12:00:01Z"
