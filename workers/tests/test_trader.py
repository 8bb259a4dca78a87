"""Daemons that trade, on the simulator's markets: paper accounts from the intent to the end of the order."""

import threading
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from apps.feeds.bus import codec
from apps.feeds.market import BookState, Side
from apps.feeds.models import Lease
from apps.feeds.serializers import daemon_summary
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.waiting import until
from apps.trading.execution.cancels.cancelling import request_cancel
from apps.trading.execution.pretrade.market import RedisMarket
from apps.trading.models import Account, AccountMode, IntentState, Order, OrderFill, OrderIntent, PaperEntry, RiskState
from apps.users.alerts import raise_alert
from apps.users.models import Alert
from apps.users.pagers import Line
from apps.users.paging import PAGES
from apps.users.services import SYSTEM
from workers.options import Options
from workers.tests.daemon import all_live, options, running, trade
from workers.tests.trading import KEY, Desk, aside, below, eventually, prepare, ready, trading

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def chosen(simulator: Simulator, redis_url: str, tmp_path: Path, settings: Any) -> Options:
    settings.REDIS_URL, settings.CT_SIMULATOR_URL, settings.CT_ID_KEY = redis_url, simulator.url, "k" * 40
    return options(redis_url=redis_url, simulator_url=simulator.url, data_dir=tmp_path, role="both")


async def test_a_paper_order_fills_by_the_live_book_and_one_that_rests_is_cancelled(chosen: Options, tmp_path: Path):
    account_id = await aside(prepare)
    await trade(str(KEY))
    async with trading(chosen, tmp_path) as daemon:
        desk = Desk(account_id, daemon.trader.windows)
        await ready(daemon.trader, account_id)
        mid = await desk.seen()
        bought = await desk.order_of(await desk.want(Side.BUY, "0.001"), "FILLED")
        assert abs((bought.average_price or 0) / mid - 1) < Decimal("0.02")
        rests = await desk.order_of(await desk.want(Side.BUY, "0.001", below(mid)), "OPEN")
        await aside(request_cancel, rests, SYSTEM)
        await desk.order_of(rests.intent_id or 0, "CANCELLED")
        fills = await aside(lambda: set(OrderFill.objects.values_list("order", "source")))
        assert fills == {(bought.pk, "paper")}
        kinds = await eventually(
            lambda: set(PaperEntry.objects.values_list("kind", flat=True)), lambda one: "fee" in one
        )
        assert kinds == {"deposit", "trade", "fee"}


async def test_a_daemon_pages_by_itself_and_an_order_does_not_wait_for_a_pager_that_hangs(
    chosen: Options, tmp_path: Path
):
    """The first page is held until an order that was wished after it has ended."""
    heard: list[int] = []
    paging, over = threading.Event(), threading.Event()

    class Hangs:
        def send(self, page: Mapping[str, Any]) -> None:
            paging.set()
            over.wait(300)
            heard.append(page["id"])

    account_id = await aside(prepare)
    await trade(str(KEY))
    async with trading(replace(chosen, role="trader"), tmp_path, pagers=[Line("pager", PAGES, Hangs())]) as daemon:
        desk = Desk(account_id, daemon.trader.windows)
        await ready(daemon.trader, account_id)
        alert = await aside(raise_alert, kind="UNKNOWN", text="a")
        await desk.seen()
        await until(paging.is_set, 60)
        try:
            await desk.order_of(await desk.want(Side.BUY, "0.001"), "FILLED")
            assert heard == []
        finally:
            over.set()
        await eventually(lambda: Alert.objects.get(pk=alert.pk).paged_at, lambda at: at is not None)
    assert alert.pk in heard


async def test_a_trader_alone_holds_its_books_for_itself(chosen: Options, tmp_path: Path):
    account_id = await aside(prepare)
    await trade(str(KEY))
    async with trading(replace(chosen, role="trader"), tmp_path) as daemon:
        desk = Desk(account_id, daemon.trader.windows)
        await ready(daemon.trader, account_id)
        await desk.seen()
        await desk.order_of(await desk.want(Side.BUY, "0.001"), "FILLED")
        async with Redis.from_url(chosen.redis_url) as redis:
            assert await redis.get(codec.book_name(KEY)) is None
        status = daemon.status.read()
        assert (status.role, status.books) == ("trader", [])
        assert status.trading is not None
        assert (status.trading.books, status.trading.accounts) == (1, {"READY": 1})
        told = daemon_summary(msgspec.to_builtins(status), now_ms=status.now_ms, lost=False)
        assert told["trading"] == {"accounts": {"READY": 1}, "stopping": False}
        assert not (tmp_path / "spool").exists()


async def test_a_daemon_that_only_watches_never_trades(chosen: Options, tmp_path: Path):
    account_id = await aside(prepare)
    await trade(str(KEY))
    async with running(replace(chosen, role="monitor")) as monitor:
        await all_live(monitor, str(KEY))
        market = RedisMarket.at(chosen.redis_url)
        desk = Desk(account_id, market)
        await desk.seen()
        wanted = await desk.want(Side.BUY, "0.001")
        before = monitor.feed.messages
        await until(lambda: monitor.feed.messages > before + 50)
    assert (await aside(OrderIntent.objects.get, pk=wanted)).state == IntentState.NEW
    assert not await aside(Order.objects.exists)
    assert not await aside(lambda: Lease.objects.exclude(resource__startswith="shard:").exists())


async def test_a_build_that_is_not_allowed_sends_nothing(chosen: Options, tmp_path: Path):
    account_id = await aside(prepare, "another build")
    await trade(str(KEY))
    async with trading(chosen, tmp_path) as daemon:
        desk = Desk(account_id, daemon.trader.windows)
        await ready(daemon.trader, account_id)
        await desk.seen()
        wanted = await desk.want(Side.BUY, "0.001")
        denied = await eventually(lambda: OrderIntent.objects.get(pk=wanted), lambda row: row.state == IntentState.DONE)
        assert denied.deny_reason == "BUILD"
        assert not await aside(Order.objects.exists)


async def test_a_trade_by_plain_sql_gets_its_switch(chosen: Options, tmp_path: Path):
    await aside(prepare)
    await trade(str(KEY))
    async with trading(chosen, tmp_path):
        state = await eventually(lambda: RiskState.objects.filter(scope="trade").first(), lambda row: row is not None)
        assert state is not None
        assert state.state == "ACTIVE"


async def test_an_account_that_is_closed_is_left_and_its_port_is_gone(chosen: Options, tmp_path: Path):
    account_id = await aside(prepare)
    async with trading(chosen, tmp_path) as daemon:
        await ready(daemon.trader, account_id)
        await aside(lambda: Account.objects.filter(pk=account_id).update(active=False))
        await until(lambda: account_id not in daemon.trader.desk.ports, 60)
        lease = lambda: Lease.objects.get(resource=f"account:{account_id}")  # noqa: E731
        await eventually(lease, lambda row: row.holder == "")


async def test_a_pair_that_is_shown_from_now_on_is_shown_though_trading_held_it_before(chosen: Options, tmp_path: Path):
    account_id = await aside(prepare)
    async with trading(chosen, tmp_path) as daemon:
        await ready(daemon.trader, account_id)
        await trade(str(KEY))  # wanted by both halves at once
        await until(lambda: (pair := daemon.monitor.feed.find(KEY)) is not None and not pair.is_own, 60)
        pair = daemon.monitor.feed.find(KEY)
        await until(lambda: pair.book.state is BookState.LIVE, 60)
        market = RedisMarket.at(chosen.redis_url)
        await until(lambda: market.mid(KEY) is not None, 60)
        await until(lambda: daemon.trader.windows.mid(KEY) is not None, 60)


async def test_modes_are_kept_apart(chosen: Options, tmp_path: Path):
    """A process without the private keys looks after paper accounts only."""
    account_id = await aside(prepare)
    await aside(lambda: Account.objects.filter(pk=account_id).update(mode=AccountMode.TESTNET, is_default=None))
    async with trading(chosen, tmp_path) as daemon:
        await until(lambda: daemon.trader.leases.trusted(), 60)
        await daemon.trader.leases.tick()
        assert daemon.trader.leases.fences == {}
