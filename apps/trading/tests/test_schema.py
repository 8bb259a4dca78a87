"""The seeds' tables of trading as plain SQL meets them: no model stands between these tests and the database."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.feeds.tests.listings import list_pairs

pytestmark = pytest.mark.django_db

TRADE = "INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR) VALUES ('binance', 'BTC/USDT')"
SEEDS_SELECT = (
    "SELECT EXCHANGE_ID, EXCHANGE_NAME, MARKET_TYPE, TRADE_PAIR_ID, TRADE_PAIR, STRATEGY_ID, STRATEGY_PARAMS"
    " FROM TRADE WHERE ENABLED = 1 ORDER BY DAEMON_PRIORITY DESC"
)
# table -> {name: (kind, may be NULL)}, as the seeds declare them; what is money there is wider here
SEEDS = {
    "TRADE": {
        "ID": ("int", False),
        "EXCHANGE_ID": ("varchar(50)", False),
        "EXCHANGE_NAME": ("varchar(100)", True),
        "MARKET_TYPE": ("varchar(20)", True),
        "TRADE_PAIR_ID": ("int", True),
        "TRADE_PAIR": ("varchar(50)", False),
        "STRATEGY_ID": ("varchar(100)", True),
        "STRATEGY_PARAMS": ("json", True),
        "DAEMON_PRIORITY": ("int", True),
        "ENABLED": ("bool", True),
        "CREATED_AT": ("time", False),
        "UPDATED_AT": ("time", False),
    },
    "TRADE_TYPE": {"ID": ("int", False), "NAME": ("varchar(50)", False), "DESCRIPTION": ("text", True)},
    "ORDERS": {
        "ID": ("bigint", False),
        "TRADE_ID": ("int", False),
        "EXCHANGE_ID": ("int", False),
        "PAIR_ID": ("int", False),
        "ORDER_TYPE": ("varchar(6)", False),
        "SIDE": ("varchar(4)", False),
        "AMOUNT": ("money", False),
        "PRICE": ("money", True),
        "STATUS": ("varchar(10)", False),
        "EXTERNAL_ORDER_ID": ("varchar(100)", True),
        "CREATED_AT": ("time", False),
    },
    "ARBITRAGE_TRANS": {
        "ID": ("bigint", False),
        "TRADE_ID": ("int", False),
        "STATUS": ("varchar(10)", False),
        "PROFIT_USD": ("money", True),
        "START_TIME": ("time", False),
        "END_TIME": ("time", True),
    },
    "ORDER_TRANSACTIONS": {
        "ID": ("bigint", False),
        "ORDER_ID": ("bigint", False),
        "ARBITRAGE_TRANS_ID": ("bigint", True),
        "AMOUNT_FILLED": ("money", False),
        "PRICE_FILLED": ("money", False),
        "FEE": ("money", True),
        "TIMESTAMP": ("time", False),
    },
    "TRADE_HISTORY": {
        "ID": ("int", False),
        "DAEMON_ID": ("varchar(100)", True),
        "EXCHANGE_ID": ("varchar(50)", True),
        "TRADE_PAIR": ("varchar(50)", True),
        "ORDER_ID": ("varchar(100)", True),
        "SIDE": ("varchar(10)", True),
        "PRICE": ("money", True),
        "AMOUNT": ("money", True),
        "COMMISSION": ("money", True),
        "STATUS": ("varchar(50)", True),
        "EXECUTED_AT": ("time", True),
        "CREATED_AT": ("time", False),
    },
}
KINDS = {
    "int": {"int(11)", "integer"},
    "bigint": {"bigint(20)", "integer", "bigint"},
    "bool": {"tinyint(1)", "bool"},
    "time": {"datetime(6)", "datetime"},
    "money": {"decimal(38,18)", "text"},
    "json": {"longtext", "text"},
    "text": {"longtext", "text"},
}


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


def refused(statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        sql(statement)


def columns(table: str) -> dict[str, tuple[str, bool]]:
    """Name -> (type as the database words it, may be NULL)."""
    if connection.vendor == "sqlite":
        return {row[1]: (row[2].lower(), not row[3]) for row in sql(f"PRAGMA table_info({table})")}
    return {row[0]: (row[1].lower(), row[2] == "YES") for row in sql(f"SHOW COLUMNS FROM {table}")}


def order(**values: str) -> str:
    """The seeds' INSERT of an order, with what is named put in its place or added to it."""
    row = {
        "TRADE_ID": "(SELECT MAX(ID) FROM TRADE)",
        "EXCHANGE_ID": "(SELECT ID FROM EXCHANGE WHERE CODE = 'binance')",
        "PAIR_ID": "(SELECT MAX(ID) FROM SPOT_TRADE_PAIR)",
        "ORDER_TYPE": "'LIMIT'",
        "SIDE": "'BUY'",
        "AMOUNT": "0.5",
        "STATUS": "'PENDING'",
        **values,
    }
    return f"INSERT INTO ORDERS ({', '.join(row)}) VALUES ({', '.join(row.values())})"


def fill(**values: str) -> str:
    row = {"ORDER_ID": "(SELECT MAX(ID) FROM ORDERS)", "AMOUNT_FILLED": "0.5", "PRICE_FILLED": "60000.25", **values}
    return f"INSERT INTO ORDER_TRANSACTIONS ({', '.join(row)}) VALUES ({', '.join(row.values())})"


ACCOUNT = "(SELECT MIN(a.id) FROM account a JOIN EXCHANGE e ON e.ID = a.exchange_id WHERE e.CODE = 'binance')"
PAIR = "(SELECT MAX(ID) FROM SPOT_TRADE_PAIR)"


@pytest.fixture
def listed():
    list_pairs("BTC/USDT")
    sql(TRADE)


@pytest.mark.parametrize("table", SEEDS)
def test_the_tables_have_the_columns_of_the_seeds(table):
    found = columns(table)
    for name, (kind, nullable) in SEEDS[table].items():
        assert found[name][0] in KINDS.get(kind, {kind}), name
        assert found[name][1] == nullable, name


@pytest.mark.parametrize(
    ("table", "indexed"),
    [
        ("TRADE", ("EXCHANGE_ID", "MARKET_TYPE", "ENABLED")),
        ("TRADE", ("DAEMON_PRIORITY",)),
        ("TRADE_HISTORY", ("EXCHANGE_ID", "TRADE_PAIR", "EXECUTED_AT")),
    ],
)
def test_the_tables_have_the_indexes_of_the_seeds(table, indexed):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    assert indexed in {tuple(one["columns"]) for one in found.values() if one["index"]}


def test_there_is_a_trade_type_per_strategy_and_one_for_orders_by_hand():
    names = {name for (name,) in sql("SELECT NAME FROM TRADE_TYPE")}
    assert names == {"grid", "inter_exchange", "triangle", "limit_market", "manual"}


def test_a_trade_with_only_the_required_columns_gets_the_defaults_of_the_seeds():
    sql(TRADE)
    row = "SELECT MARKET_TYPE, DAEMON_PRIORITY, ENABLED, STRATEGY_ID, STRATEGY_PARAMS, ACCOUNT_ID, MODE FROM TRADE"
    assert sql(row) == [(None, 0, 1, None, None, None, "paper")]


def test_the_select_of_the_seeds_answers_word_for_word():
    sql(TRADE)
    sql(
        "INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR, STRATEGY_ID, STRATEGY_PARAMS, DAEMON_PRIORITY)"
        """ VALUES ('okx', 'ETH/USDT', 'grid', '{"grid_step": "0.5"}', 9)"""
    )
    sql("INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR, ENABLED) VALUES ('okx', 'SOL/USDT', 0)")
    assert sql(SEEDS_SELECT) == [
        ("okx", None, None, None, "ETH/USDT", "grid", '{"grid_step": "0.5"}'),
        ("binance", None, None, None, "BTC/USDT", None, None),
    ]


def test_the_parameters_of_a_trade_must_be_json():
    refused("INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR, STRATEGY_PARAMS) VALUES ('okx', 'ETH/USDT', 'step 0.5')")


def test_a_trade_is_of_a_known_mode():
    refused("INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR, MODE) VALUES ('okx', 'ETH/USDT', 'real')")


@pytest.mark.parametrize("change", ["UPDATE TRADE SET ENABLED = 0", "UPDATE ORDERS SET MISSES = 1"])
def test_updated_at_moves_with_a_plain_update(listed, change):
    sql(order())
    table = change.split()[1]
    ((before,),) = sql(f"SELECT UPDATED_AT FROM {table}")
    time.sleep(0.005)  # SQLite counts milliseconds
    sql(change)
    ((after,),) = sql(f"SELECT UPDATED_AT FROM {table}")
    assert after > before


def test_an_order_with_only_the_required_columns_of_the_seeds_is_kept(listed):
    sql(order())
    ((amount, filled, created, client_order_id, attempt),) = sql(
        "SELECT AMOUNT, FILLED, CREATED_AT, CLIENT_ORDER_ID, ATTEMPT FROM ORDERS"
    )
    at = created if isinstance(created, datetime) else datetime.fromisoformat(created)
    assert (Decimal(amount), Decimal(filled), client_order_id, attempt) == (Decimal("0.5"), 0, None, 0)
    assert abs((datetime.now(UTC) - at.replace(tzinfo=UTC)).total_seconds()) < 5


def test_fill_arbitrage_and_history_with_only_the_required_columns_of_the_seeds_are_kept(listed):
    sql(order())
    sql(fill())
    sql("INSERT INTO ARBITRAGE_TRANS (TRADE_ID, STATUS) VALUES ((SELECT MAX(ID) FROM TRADE), 'PENDING')")
    sql("INSERT INTO TRADE_HISTORY (EXCHANGE_ID, SIDE, PRICE) VALUES ('binance', 'BUY', '0.000000000000000001')")
    ((amount, price, source),) = sql("SELECT AMOUNT_FILLED, PRICE_FILLED, SOURCE FROM ORDER_TRANSACTIONS")
    assert (Decimal(amount), Decimal(price), source) == (Decimal("0.5"), Decimal("60000.25"), "sql")
    assert sql("SELECT STATUS, PROFIT_USD, END_TIME FROM ARBITRAGE_TRANS") == [("PENDING", None, None)]
    ((smallest,),) = sql("SELECT PRICE FROM TRADE_HISTORY")
    assert Decimal(smallest) == Decimal("1E-18")


@pytest.mark.parametrize(
    "wrong",
    [
        {"TRADE_ID": "NULL"},
        {"EXCHANGE_ID": "NULL"},
        {"PAIR_ID": "NULL"},
        {"AMOUNT": "NULL"},
        {"STATUS": "NULL"},
        {"STATUS": "'DREAMT'"},
        {"STATUS": "'OPEN'", "ENDED_AT": "'2026-01-01 00:00:00'"},
        {"SIDE": "'HOLD'"},
        {"SIDE": "'UNKNOWN'"},
        {"ORDER_TYPE": "'STOP'"},
        {"AMOUNT": "'-0.1'"},
        {"PRICE": "'0'"},
        {"FILLED": "'-0.1'"},
        {"ATTEMPT": "32"},
        {"CANCEL_STATE": "'MAYBE'"},
    ],
)
def test_an_order_that_means_nothing_is_refused(listed, wrong):
    refused(order(**wrong))


@pytest.mark.parametrize("wrong", [{"AMOUNT_FILLED": "'0'"}, {"PRICE_FILLED": "'-1'"}, {"SOURCE": "'hearsay'"}])
def test_a_fill_that_means_nothing_is_refused(listed, wrong):
    sql(order())
    refused(fill(**wrong))


def test_a_fill_is_kept_once(listed):
    sql(order())
    once = {"ACCOUNT_ID": ACCOUNT, "PAIR_ID": PAIR, "VENUE_TRADE_ID": "'77'", "SIDE": "'BUY'"}
    sql(fill(**once))
    refused(fill(**once))
    sql(fill(**{**once, "SIDE": "'SELL'"}))  # the other side of a trade with ourselves


def test_our_id_and_the_exchanges_id_name_one_order_each(listed):
    named = {"ACCOUNT_ID": ACCOUNT, "CLIENT_ORDER_ID": "'ct1'", "EXTERNAL_ORDER_ID": "'aB1'"}
    sql(order(**named))
    refused(order(**{**named, "EXTERNAL_ORDER_ID": "'other'"}))
    refused(order(**{**named, "CLIENT_ORDER_ID": "'ct2'"}))


def test_ids_that_differ_in_capitals_are_two(listed):
    sql(order(ACCOUNT_ID=ACCOUNT, EXTERNAL_ORDER_ID="'aB1'"))
    sql(order(ACCOUNT_ID=ACCOUNT, EXTERNAL_ORDER_ID="'Ab1'"))
    assert sql("SELECT COUNT(*) FROM ORDERS WHERE EXTERNAL_ORDER_ID = 'Ab1'") == [(1,)]


def test_a_trade_with_orders_cannot_be_deleted(listed):
    sql(order())
    if connection.vendor == "sqlite":  # which checks its foreign keys at the end of the transaction
        connection.check_constraints()
        sql("DELETE FROM TRADE")
        with pytest.raises(IntegrityError):
            connection.check_constraints()
        sql("DELETE FROM ORDERS")
    else:
        refused("DELETE FROM TRADE")


def test_every_market_has_a_paper_account_to_begin_with_and_open_switches():
    ((markets,),) = sql("SELECT COUNT(*) FROM EXCHANGE")
    assert sql("SELECT COUNT(*) FROM account WHERE is_default = 1 AND mode = 'paper'") == [(2 * markets,)]
    states = dict(sql("SELECT scope, COUNT(*) FROM risk_state WHERE state = 'ACTIVE' GROUP BY scope"))
    assert states == {"global": 1, "exchange": markets, "account": 2 * markets}


def test_of_a_market_one_account_is_the_default_and_it_is_on_paper():
    row = (
        "INSERT INTO account (name, exchange_id, market_type, is_default, mode)"
        " SELECT 'second', MIN(ID), 'spot', {default}, '{mode}' FROM EXCHANGE"
    )
    refused(row.format(default="1", mode="paper"))
    sql("UPDATE account SET is_default = NULL")
    refused(row.format(default="1", mode="live"))
    refused(row.format(default="0", mode="paper"))
    sql(row.format(default="NULL", mode="live"))
