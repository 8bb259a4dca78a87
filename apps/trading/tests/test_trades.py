"""TRADE rows as people and plain SQL write them, and as the trader reads them."""

import pytest
from django.db import connection

from apps.feeds.models import Exchange
from apps.feeds.tests.listings import instrument, list_pairs
from apps.trading import runnable
from apps.trading.models import Account, Trade, TradeType
from apps.trading.tests import rows
from apps.users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _listed() -> None:
    list_pairs("BTC/USDT", "ETH/USDT")


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_row_with_only_the_required_columns_runs_the_default_strategy_on_the_default_paper_account(settings):
    settings.CT_DEFAULT_STRATEGY = "triangle"
    sql("INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR) VALUES ('binance', 'BTC/USDT')")
    (running,) = runnable.trades().running
    account = Account.objects.get(pk=running.account_id)
    assert (str(running.key), running.strategy, running.params, running.mode, running.priority) == (
        "binance:spot:BTC/USDT",
        "triangle",
        {},
        "paper",
        0,
    )
    assert (account.is_default, account.mode, account.exchange.code, account.market_type) == (
        True,
        "paper",
        "binance",
        "spot",
    )


def test_an_enabled_row_asks_for_its_book_as_a_watched_pair_does():
    sql("INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR, DAEMON_PRIORITY) VALUES ('binance', 'BTC/USDT', 3)")
    sql("INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR, DAEMON_PRIORITY) VALUES ('binance', 'ETH/USDT', 9)")
    sql("INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR, ENABLED) VALUES ('binance', 'SOL/USDT', 0)")
    asked = [(task.source, task.exchange, task.market_type, task.pair, task.depth) for task in runnable.tasks()]
    assert asked == [
        ("trade", "binance", None, "ETH/USDT", None),
        ("trade", "binance", None, "BTC/USDT", None),
    ]


@pytest.mark.parametrize("off", ["0", "NULL"])
def test_a_row_that_is_off_asks_for_nothing(off):
    sql(f"INSERT INTO TRADE (EXCHANGE_ID, TRADE_PAIR, ENABLED) VALUES ('binance', 'BTC/USDT', {off})")
    assert runnable.tasks() == []
    assert runnable.trades().running == runnable.trades().refused == []


def test_the_strategy_is_the_rows_own_or_its_types_or_the_default(settings):
    settings.CT_DEFAULT_STRATEGY = "grid"
    kind = TradeType.objects.get(name="manual")
    for strategy, trade_type in (("mine.Strategy", kind), (None, kind), ("", None), (None, None)):
        Trade.objects.create(exchange="binance", pair="BTC/USDT", strategy=strategy, trade_type=trade_type)
    found = sorted(runnable.trades().running, key=lambda trade: trade.trade_id)
    assert [trade.strategy for trade in found] == ["mine.Strategy", "manual", "grid", "grid"]


def test_spelling_and_other_names_of_an_exchange_do_not_matter():
    list_pairs("BTC/USDC", exchange="hyperliquid", market_type="futures")
    sql("INSERT INTO TRADE (EXCHANGE_ID, MARKET_TYPE, TRADE_PAIR) VALUES ('DEX', 'Futures', ' btc/usdc ')")
    (running,) = runnable.trades().running
    assert str(running.key) == "hyperliquid:futures:BTC/USDC"


def test_a_named_account_of_the_same_mode_is_taken():
    account = rows.account(mode="testnet")
    row = rows.trade(account, params={"grid_step": "0.5"})
    (running,) = runnable.trades().running
    assert (running.trade_id, running.account_id, running.mode, running.params) == (
        row.pk,
        account.pk,
        "testnet",
        {"grid_step": "0.5"},
    )


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"exchange": "kraken"}, "unknown exchange 'kraken'"),
        ({"market_type": "options"}, "unknown market type 'options'"),
        ({"pair": "DOGE/USDT"}, "'DOGE/USDT' is not in the catalogue of binance spot"),
        ({"pair": "OLD/USDT"}, "OLD/USDT is suspended at binance spot"),
        ({"pair": "INV/USD"}, "inverse contracts are not traded"),
        ({"params": ["grid_step"]}, "STRATEGY_PARAMS is not an object"),
        ({"params": "0.5"}, "STRATEGY_PARAMS is not an object"),
        ({"mode": "live"}, "the row is live, account paper is paper"),
    ],
)
def test_a_row_that_cannot_run_says_why_and_stops_no_other(values, reason):
    listed = (instrument("OLD/USDT", status="suspended"), instrument("INV/USD", inverse=True))
    list_pairs("BTC/USDT", "ETH/USDT", extra=listed)
    good = Trade.objects.create(exchange="binance", pair="ETH/USDT")
    Trade.objects.create(**{"exchange": "binance", "pair": "BTC/USDT", **values})
    found = runnable.trades()
    assert [trade.trade_id for trade in found.running] == [good.pk]
    (refused,) = found.refused
    assert reason in refused.reason


def test_an_exchange_that_is_off_runs_nothing():
    Exchange.objects.filter(code="binance").update(enabled=False)
    Trade.objects.create(exchange="binance", pair="BTC/USDT")
    (refused,) = runnable.trades().refused
    assert refused.reason == "exchange binance is switched off"


@pytest.mark.parametrize(
    ("account", "values", "reason"),
    [
        ({"mode": "live"}, {"mode": "paper"}, "the row is paper, account a is live"),
        ({"mode": "paper"}, {"mode": "live"}, "the row is live, account a is paper"),
        ({"exchange": "okx"}, {"exchange": "binance"}, "account a is not of binance spot"),
        ({"market_type": "futures"}, {"market_type": "spot"}, "account a is not of binance spot"),
        ({"active": False}, {}, "account a is closed"),
    ],
)
def test_a_row_and_its_account_must_fit(account, values, reason):
    rows.trade(rows.account(name="a", **account), **values)
    (refused,) = runnable.trades().refused
    assert refused.reason == reason


def test_nobody_trades_on_the_account_of_somebody_else():
    anna, boris = (User.objects.create(username=name) for name in ("anna", "boris"))
    rows.trade(rows.account(owner=anna, name="a"), user=boris)
    mine = rows.trade(rows.account(owner=boris), user=boris)
    found = runnable.trades()
    assert [trade.trade_id for trade in found.running] == [mine.pk]
    assert [refused.reason for refused in found.refused] == ["account a is somebody else's"]


def test_without_a_default_account_a_row_says_so():
    Account.objects.update(is_default=None)
    Trade.objects.create(exchange="binance", pair="BTC/USDT")
    (refused,) = runnable.trades().refused
    assert refused.reason == "no account is named, and binance spot has no default paper account"


def test_reading_many_rows_takes_few_queries(django_assert_max_num_queries):
    for number in range(20):
        rows.trade(rows.account(), priority=number)
    with django_assert_max_num_queries(4):
        assert len(runnable.trades().running) == 20
