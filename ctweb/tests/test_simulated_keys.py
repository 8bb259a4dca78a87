"""An account in testnet mode takes a key that the simulator makes for it, and has its money there."""

from collections.abc import Iterator
from typing import Any

import pytest

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.orders import Balance, Credentials
from apps.feeds.tests import canaries
from apps.feeds.tests.plain_accounts import control
from apps.feeds.transport import loop
from apps.feeds.transport.orders import Purpose
from apps.trading.credentials import keys
from apps.trading.models import Account, AccountKey
from apps.trading.tests import rows
from apps.trading.tests.key_rows import as_web_process
from apps.trading.tests.remote_seat import ANSWER_S, Exchanges
from ctweb.tests.desk import Desk, open_desk

pytestmark = pytest.mark.django_db
MARKETS = [(exchange, market) for exchange in registry.trader_ids() for market in MarketType]


@pytest.fixture(scope="module")
def exchanges() -> Iterator[Exchanges]:
    with Exchanges() as running:
        yield running


@pytest.fixture
def desk(settings, tmp_path, redis_url) -> Desk:
    settings.REDIS_URL = redis_url
    private = as_web_process(settings, tmp_path).private
    desk = open_desk(settings)
    settings.CT_SEAL_PRIVATE_KEYS_FILE = private  # what executors have: the tests look at what was kept
    return desk


def account(desk: Desk, **values: str) -> int:
    body = {"name": "tried", "exchange": "binance", "mode": "testnet", **values}
    answer = desk.anna.post("accounts", body)
    assert answer.status_code == 201, answer.content
    return int(answer.json()["id"])


def balances(exchanges: Exchanges, exchange: str, market: MarketType, kept: Credentials) -> list[Balance]:
    """What the exchange itself says of the account of a key."""
    client, trader = exchanges.client(), registry.trader(exchange)
    request = trader.balances(kept, market, exchanges.simulator.exchanges[exchange].desk.now_ms())
    asked = client.ask(exchange, "1", request, Purpose.READ, lambda answer: trader.parse_balances(market, answer))
    try:
        return loop.run(asked, ANSWER_S)
    finally:
        loop.run(client.close(), ANSWER_S)


@pytest.mark.parametrize(("exchange", "market"), MARKETS)
def test_a_key_of_the_simulator_is_kept_as_if_one_had_brought_it(desk, exchanges, settings, exchange, market):
    settings.CT_SIMULATOR_URL = exchanges.simulator.url
    number = account(desk, exchange=exchange, market_type=market)
    answer = desk.anna.post(f"accounts/{number}/simulated-key", {"reason": "a try"})
    assert answer.status_code == 200, answer.content
    assert "failed" not in {one["outcome"] for one in answer.json()["findings"]}
    kept = keys.open_key(number)
    assert answer.json()["key"]["hint"] == kept.key[-4:]
    assert canaries.found(answer.content.decode(), kept) == []
    told = balances(exchanges, exchange, MarketType(market), kept)
    assert {"USDT", "USDC"} & {row.asset for row in told if row.total == 10_000}


def test_each_key_is_another(desk, exchanges, settings):
    settings.CT_SIMULATOR_URL = exchanges.simulator.url
    number = account(desk)
    hints = set()
    for _ in range(2):
        hints.add(desk.anna.post(f"accounts/{number}/simulated-key").json()["key"]["hint"])
    assert len(hints) == AccountKey.objects.get(pk=number).version == 2


def at_work(number: int, **values: Any) -> None:
    order = rows.order(rows.intent(rows.trade(Account.objects.get(pk=number))), **values)
    assert order.account_id == number


@pytest.mark.parametrize(
    ("values", "field"), [({"status": "OPEN", "exchange_order_id": "4711"}, "key"), ({"status": "UNKNOWN"}, "detail")]
)
def test_a_key_of_another_account_is_refused_while_orders_are_at_work(desk, exchanges, settings, values, field):
    settings.CT_SIMULATOR_URL = exchanges.simulator.url
    number = account(desk)
    assert desk.anna.post(f"accounts/{number}/simulated-key").status_code == 200
    at_work(number, **values)
    answer = desk.anna.post(f"accounts/{number}/simulated-key")
    assert answer.status_code == 400
    assert field in answer.json()
    assert AccountKey.objects.get(pk=number).version == 1


def test_only_a_testnet_account_takes_one(desk, exchanges, settings):
    settings.CT_SIMULATOR_URL = exchanges.simulator.url
    answer = desk.anna.post(f"accounts/{account(desk, mode='paper')}/simulated-key")
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])
    assert not AccountKey.objects.exists()


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9"])
def test_without_a_simulator_nothing_is_kept(desk, settings, url):
    number = account(desk)
    settings.CT_SIMULATOR_URL = url
    answer = desk.anna.post(f"accounts/{number}/simulated-key")
    assert answer.status_code == 503
    assert not AccountKey.objects.exists()


def test_the_page_offers_it_where_exchanges_are_simulated(desk, settings):
    number = account(desk)
    path = f"/trading/accounts/{number}/"
    settings.CT_SIMULATOR_URL = "http://127.0.0.1:9"
    assert "simulated-key" in desk.anna.client.get(path).content.decode()
    settings.CT_SIMULATOR_URL = None
    assert "simulated-key" not in desk.anna.client.get(path).content.decode()


@pytest.mark.parametrize("exchange", registry.trader_ids())
def test_the_simulator_makes_a_key_for_who_brings_none(exchanges, exchange):
    body = {"exchange": exchange, "name": "keyless", "money": {"USDT": "5"}}
    status, made = loop.run(control(exchanges.simulator, "accounts", **body), ANSWER_S)
    assert (status, sorted(made)) == (200, ["key", "name", "passphrase", "secret"])
    account = exchanges.simulator.exchanges[exchange].desk.accounts["keyless"]
    assert list(account.keys) == [made["key"]]
    assert {account.holding(market, "USDT").total for market in MarketType} == {5}
