"""The seeds' tables as plain SQL meets them: no model stands between these tests and the database."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection

from apps.feeds.tests.listings import list_pairs
from apps.monitoring.selectors import loaded, refusals, tasks

pytestmark = pytest.mark.django_db

INSERT = "INSERT INTO MONITORING (EXCHANGE_ID, TRADE_PAIR) VALUES ('binance', 'BTC/USDT')"
SEEDS_SELECT = (
    "SELECT EXCHANGE_ID, EXCHANGE_NAME, MARKET_TYPE, TRADE_PAIR_ID, TRADE_PAIR, ORDERBOOK_DEPTH"
    " FROM MONITORING WHERE ENABLED = 1 ORDER BY DAEMON_PRIORITY DESC"
)
# name -> (kind, may be NULL), as the seeds declare them
MONITORING = {
    "ID": ("int", False),
    "EXCHANGE_ID": ("varchar(50)", False),
    "EXCHANGE_NAME": ("varchar(100)", True),
    "MARKET_TYPE": ("varchar(20)", True),
    "TRADE_PAIR_ID": ("int", True),
    "TRADE_PAIR": ("varchar(50)", False),
    "DAEMON_PRIORITY": ("int", True),
    "ENABLED": ("bool", True),
    "ORDERBOOK_DEPTH": ("int", True),
    "CREATED_AT": ("time", False),
    "UPDATED_AT": ("time", False),
    "USER_ID": ("int", True),
    "ACTIVE": ("bool", True),
}
KINDS = {
    "int": {"int(11)", "integer"},
    "bool": {"tinyint(1)", "bool"},
    "time": {"datetime(6)", "datetime"},
}


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


def columns(table: str) -> dict[str, tuple[str, bool]]:
    """Name -> (type as the database words it, may be NULL)."""
    if connection.vendor == "sqlite":
        return {row[1]: (row[2].lower(), not row[3]) for row in sql(f"PRAGMA table_info({table})")}
    return {row[0]: (row[1].lower(), row[2] == "YES") for row in sql(f"SHOW COLUMNS FROM {table}")}


def indexes(table: str) -> set[tuple[str, ...]]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    return {tuple(one["columns"]) for one in found.values() if one["index"] or one["unique"] or one["primary_key"]}


def test_monitoring_has_the_columns_of_the_seeds():
    found = columns("MONITORING")
    assert found.keys() == MONITORING.keys()
    for name, (kind, nullable) in MONITORING.items():
        assert found[name][0] in KINDS.get(kind, {kind}), name
        assert found[name][1] == nullable, name


def test_monitoring_has_the_indexes_of_the_seeds():
    assert {("ID",), ("EXCHANGE_ID", "MARKET_TYPE", "ENABLED"), ("DAEMON_PRIORITY",)} <= indexes("MONITORING")


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("EXCHANGE", {"ID", "CODE", "NAME", "ENABLED"}),
        ("SPOT_TRADE_PAIR", {"ID", "EXCHANGE_ID", "MARKET_TYPE", "PAIR", "SYMBOL", "TICK", "LOT", "STATUS"}),
        ("MONITORING_SPOT_ARRAYS", {"ID", "MONITOR_ID", "PAIR_ID"}),
        ("USER", {"ID", "username"}),
        ("daemon", {"id", "boot_uuid", "heartbeat_at"}),
        ("lease", {"resource", "holder", "fence", "expires_at"}),
        ("ch_batch", {"batch_id", "state", "sha256", "rows"}),
        ("feed_gap", {"from_ts", "to_ts", "reason", "fence"}),
    ],
)
def test_every_table_of_the_design_is_there(table, names):
    assert names <= columns(table).keys()


@pytest.mark.parametrize("table", ["EXCHANGE", "SPOT_TRADE_PAIR", "MONITORING", "MONITORING_SPOT_ARRAYS", "USER"])
def test_the_keys_of_the_seeds_are_int(table):
    assert columns(table)["ID"][0] in KINDS["int"]


def test_a_row_with_only_the_required_columns_becomes_a_subscription():
    list_pairs("BTC/USDT")
    sql(INSERT)
    (subscription,) = loaded().subscriptions.values()
    assert str(subscription.key) == "binance:spot:BTC/USDT"
    assert subscription.depth == 20
    assert refusals() == {}


def test_a_row_with_only_the_required_columns_gets_the_defaults_of_the_seeds():
    sql(INSERT)
    row = (
        "SELECT MARKET_TYPE, DAEMON_PRIORITY, ENABLED, ORDERBOOK_DEPTH, ACTIVE, USER_ID, EXCHANGE_NAME FROM MONITORING"
    )
    assert sql(row) == [(None, 0, 1, 20, 1, None, None)]


def test_the_times_of_a_new_row_are_now_and_utc():
    sql(INSERT)
    ((created, updated),) = sql("SELECT CREATED_AT, UPDATED_AT FROM MONITORING")
    for text in (created, updated):
        at = text if isinstance(text, datetime) else datetime.fromisoformat(text)
        assert abs((datetime.now(UTC) - at.replace(tzinfo=UTC)).total_seconds()) < 5


def test_the_select_of_the_seeds_answers_word_for_word():
    sql(INSERT)
    sql("INSERT INTO MONITORING (EXCHANGE_ID, TRADE_PAIR, DAEMON_PRIORITY) VALUES ('okx', 'ETH/USDT', 9)")
    sql("INSERT INTO MONITORING (EXCHANGE_ID, TRADE_PAIR, ENABLED) VALUES ('okx', 'SOL/USDT', 0)")
    assert sql(SEEDS_SELECT) == [
        ("okx", None, None, None, "ETH/USDT", 20),
        ("binance", None, None, None, "BTC/USDT", 20),
    ]


def test_updated_at_moves_with_a_plain_update():
    sql(INSERT)
    ((before,),) = sql("SELECT UPDATED_AT FROM MONITORING")
    time.sleep(0.005)  # SQLite counts milliseconds
    sql("UPDATE MONITORING SET ENABLED = 0")
    ((after,),) = sql("SELECT UPDATED_AT FROM MONITORING")
    assert after > before


def test_an_update_may_name_its_own_time():
    sql(INSERT)
    sql("UPDATE MONITORING SET UPDATED_AT = '2020-01-02 03:04:05'")
    ((after,),) = sql("SELECT UPDATED_AT FROM MONITORING")
    assert str(after).startswith("2020-01-02 03:04:05")


@pytest.mark.parametrize("missing", ["EXCHANGE_ID", "TRADE_PAIR"])
def test_a_row_without_a_required_column_is_refused(missing):
    with pytest.raises(IntegrityError):
        sql(INSERT.replace("VALUES ('binance', 'BTC/USDT')", "VALUES (%s, %s)"), *_without(missing))


def _without(missing: str) -> list[str | None]:
    return [None if name == missing else text for name, text in (("EXCHANGE_ID", "okx"), ("TRADE_PAIR", "BTC/USDT"))]


def test_a_row_with_explicit_nulls_runs_as_spot_at_the_default_depth(settings):
    list_pairs("BTC/USDT")
    settings.CT_ORDERBOOK_DEPTH = 50
    sql(
        "INSERT INTO MONITORING (EXCHANGE_ID, MARKET_TYPE, TRADE_PAIR, ORDERBOOK_DEPTH, DAEMON_PRIORITY)"
        " VALUES ('binance', NULL, 'BTC/USDT', NULL, NULL)"
    )
    (subscription,) = loaded().subscriptions.values()
    assert (subscription.key.market_type, subscription.depth) == ("spot", 50)


@pytest.mark.parametrize("column", ["ENABLED", "ACTIVE"])
@pytest.mark.parametrize("off", ["0", "NULL"])
def test_a_row_runs_only_when_enabled_and_active(column, off):
    sql(INSERT)
    sql(f"UPDATE MONITORING SET {column} = {off}")
    assert tasks() == []


@pytest.mark.parametrize(
    ("exchange", "market_type", "pair", "depth", "reason"),
    [
        ("kraken", None, "BTC/USDT", 20, "unknown exchange 'kraken'"),
        ("", None, "BTC/USDT", 20, "unknown exchange ''"),
        ("binance", "options", "BTC/USDT", 20, "unknown market type"),
        ("binance", None, "BTCUSDT", 20, "not in the catalogue"),
        ("binance", None, "", 20, "not in the catalogue"),
        ("binance", None, "'; DROP TABLE MONITORING; --", 20, "not in the catalogue"),
        ("binance", "futures", "BTC/USDT", 20, "not in the catalogue"),
        ("binance", None, "BTC/USDT", 21, "unknown depth 21"),
        ("binance", None, "BTC/USDT", -1, "unknown depth -1"),
    ],
)
def test_a_nonsense_row_says_why_and_stops_nothing_else(exchange, market_type, pair, depth, reason):
    list_pairs("BTC/USDT", "ETH/USDT")
    sql("INSERT INTO MONITORING (EXCHANGE_ID, TRADE_PAIR) VALUES ('binance', 'ETH/USDT')")
    sql(
        "INSERT INTO MONITORING (EXCHANGE_ID, MARKET_TYPE, TRADE_PAIR, ORDERBOOK_DEPTH) VALUES (%s, %s, %s, %s)",
        *(exchange, market_type, pair, depth),
    )
    assert [key.pair for key in loaded().subscriptions] == ["ETH/USDT"]
    (found,) = refusals().values()
    assert reason in found


def test_further_pairs_of_a_row_are_tasks_of_their_own():
    list_pairs("BTC/USDT", "ETH/USDT")
    list_pairs("SOL/USDT", exchange="okx", market_type="futures")
    sql(INSERT)
    sql(
        "INSERT INTO MONITORING_SPOT_ARRAYS (MONITOR_ID, PAIR_ID)"
        " SELECT m.ID, p.ID FROM MONITORING m, SPOT_TRADE_PAIR p WHERE p.PAIR <> 'BTC/USDT'"
    )
    assert {str(key) for key in loaded().subscriptions} == {
        "binance:spot:BTC/USDT",
        "binance:spot:ETH/USDT",
        "okx:futures:SOL/USDT",
    }
