"""A daemon that trades at an exchange: its private socket, its orders, and what it finds when it starts again."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.market import Side
from apps.feeds.orders import Credentials
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import KEY as KEY_ID
from apps.feeds.tests.plain_accounts import SECRET, accepted, fill, open_account, trouble
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.waiting import until
from apps.trading.credentials import keys
from apps.trading.execution.gateway.opened import is_open
from apps.trading.models import Account, AccountMode, Order, OrderFill, RiskState, Trade, Wallet
from apps.trading.tests.key_rows import as_web_process, probed, trader
from apps.users.services import SYSTEM
from workers.options import Options
from workers.tests.daemon import options
from workers.tests.trading import KEY, PATIENCE_S, Desk, aside, below, eventually, prepare, ready, trading
from workers.trader import accounts

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def chosen(simulator: Simulator, redis_url: str, tmp_path: Path, settings: Any) -> Options:
    settings.REDIS_URL, settings.CT_SIMULATOR_URL, settings.CT_ID_KEY = redis_url, simulator.url, "k" * 40
    settings.CT_SEAL_PRIVATE_KEYS_FILE = as_web_process(settings, tmp_path).private
    return options(redis_url=redis_url, simulator_url=simulator.url, data_dir=tmp_path, role="both")


def keyed() -> int:
    """The account of binance spot reaches the simulated exchange, with the key of anna there."""
    account_id = prepare()
    Wallet.objects.filter(account_id=account_id).delete()
    Account.objects.filter(pk=account_id).update(mode=AccountMode.TESTNET, is_default=None)
    account = Account.objects.select_related("exchange").get(pk=account_id)
    keys.keep(account=account, found=probed(Credentials(key=KEY_ID, secret=SECRET)), actor=trader())
    Trade.objects.create(
        exchange=KEY.exchange, market_type=KEY.market_type, pair=KEY.pair, account=account, mode=AccountMode.TESTNET
    )
    return account_id


async def test_an_order_reaches_the_exchange_and_what_is_filled_there_is_told_by_its_socket(
    simulator: Simulator, chosen: Options, tmp_path: Path
):
    await open_account(simulator, "binance")
    account_id = await aside(keyed)
    async with trading(chosen, tmp_path, cancels_on_stop=False) as daemon:
        desk = Desk(account_id, daemon.trader.windows)
        await ready(daemon.trader, account_id)
        assert await aside(is_open, account_id)
        await eventually(lambda: daemon.trader.exchanges.collectors[account_id].is_ready, bool)
        mid = await desk.seen()
        rests = await desk.order_of(await desk.want(Side.BUY, "0.001", below(mid)), "OPEN")
        await order(simulator, "freeze")  # what is ahead of it will be taken: the next taker would be its own
        await fill(simulator, "binance", rests.exchange_order_id or "", "0.0004")
        await desk.order_of(rests.intent_id or 0, "PARTIAL")
        (told,) = await aside(lambda: list(OrderFill.objects.values_list("amount", "source")))
        assert told == (Decimal("0.0004"), "ws")
        assert len(await accepted(simulator, "binance")) == 1

    await fill(simulator, "binance", rests.exchange_order_id or "", "0.0004")
    async with trading(chosen, tmp_path) as daemon:
        await ready(daemon.trader, account_id)
        filled = await aside(lambda: Order.objects.get(pk=rests.pk).filled)
        assert filled == Decimal("0.0008")  # found before anything could be sent
        assert not await aside(lambda: RiskState.objects.filter(state="HALTED").exists())
    ended = await aside(Order.objects.get, pk=rests.pk)
    assert ended.status == "CANCELLED"
    assert not await aside(is_open, account_id)


async def test_a_key_that_is_taken_away_ends_what_is_done_for_its_account(
    simulator: Simulator, chosen: Options, tmp_path: Path
):
    await open_account(simulator, "binance")
    account_id = await aside(keyed)
    async with trading(chosen, tmp_path) as daemon:
        await ready(daemon.trader, account_id)
        account = await aside(Account.objects.get, pk=account_id)
        await aside(keys.remove, account=account, actor=SYSTEM)
        await eventually(lambda: account_id in daemon.trader.exchanges.collectors, lambda there: not there)


async def test_while_rest_alone_is_away_the_account_is_shut_and_its_private_socket_stays_open(
    simulator: Simulator, chosen: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(accounts, "AGAIN_S", 0.1)
    await open_account(simulator, "binance")
    account_id = await aside(keyed)
    await trouble(simulator, "binance", "error_not_placed", kind="read", count=1_000_000)
    async with trading(chosen, tmp_path) as daemon:
        trader = daemon.trader
        await until(lambda: any(failures >= 3 for *_, failures in trader.accounts.looked_after()), PATIENCE_S)
        collector = trader.exchanges.collectors[account_id]
        await until(lambda: collector.is_ready, PATIENCE_S)
        assert not await aside(is_open, account_id)
        await trouble(simulator, "binance", "error_not_placed", kind="read", count=0)
        await ready(trader, account_id)
        assert trader.exchanges.collectors[account_id] is collector
        assert collector.counts["lost"] == 0
        care = trader.exchanges.care_of(*trader.accounts.looked_after()[0])
        assert care.counts["reconciles failed"] >= 3
