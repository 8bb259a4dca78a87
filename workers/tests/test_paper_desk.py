"""Paper accounts in a daemon: through their port, against books that move, with rows that know everything."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connections

from apps.feeds import leases
from apps.feeds import selectors as feeds
from apps.feeds.drivers.trading import Placed
from apps.feeds.errors import InsufficientFunds, Retryable, UnknownOrder, WouldTake
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import NewOrder, OrderRef, OrderStatus, OrderType, TimeInForce
from apps.feeds.tests.waiting import until
from apps.trading import records
from apps.trading.bookkeeping import paper_rows
from apps.trading.execution.gateway.ports import SendersHalted
from apps.trading.models import Order, OrderFill, PaperEntry, Wallet
from apps.trading.tests import rows
from workers.database import Database
from workers.paper.desk import Desk
from workers.paper.port import PaperPort
from workers.tests.held import Held, Nowhere
from workers.trader.windows import Windows

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

T = TypeVar("T")
DAEMON = "d1"
BIDS, ASKS = [(99.0, 2.0), (98.0, 5.0)], [(101.0, 3.0), (102.0, 4.0)]


async def aside(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """As an executor's thread calls it."""

    def called() -> T:
        try:
            return call(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(called)


def _account() -> tuple[int, Instrument]:
    account = rows.account(mode="paper")
    Wallet.objects.create(account=account, asset="USDT", free=1_000, total=1_000, expected=1_000)
    rows.trade(account)
    return account.pk, feeds.instrument(rows.pair())


class Place:
    """One account on a desk, and the book that it trades on."""

    def __init__(self, account_id: int, instrument: Instrument, folder: Path) -> None:
        self.account_id, self.instrument = account_id, instrument
        self.halt_file = folder / "HALT"
        self.windows = Windows(Nowhere())
        self.held = Held(self.windows, instrument)
        self.database = Database("paper of a test", answer_s=60.0)
        self.desk = Desk(
            database=self.database,
            windows=self.windows,
            halt_file=self.halt_file,
            need=lambda: self.windows.need(self.desk.keys),
            latency_ms=0,
        )
        self.serving: asyncio.Task[None] | None = None
        self.numbers = iter(range(1, 100))

    @property
    def port(self) -> PaperPort:
        return self.desk.ports[self.account_id]

    def ref(self, client_order_id: str) -> OrderRef:
        return OrderRef(instrument=self.instrument, client_order_id=client_order_id)

    async def open(self, resource: str = "account:x") -> None:
        """Match the account; what a former process matched is in its rows."""
        taken = await aside(leases.acquire, holder=DAEMON, resources=[resource], ttl_s=600.0)
        lease = paper_rows.Lease(resource=resource, holder=DAEMON, fence=taken[resource])
        opened = asyncio.Event()
        session = f"{lease.fence}.1"
        self.serving = asyncio.create_task(self.desk.serve(self.account_id, session, lease, opened.set))
        await asyncio.wait({self.serving, asyncio.ensure_future(opened.wait())}, return_when=asyncio.FIRST_COMPLETED)
        assert not self.serving.done()

    async def kill(self) -> None:
        """Whatever is not written is lost."""
        assert self.serving is not None
        self.serving.cancel()
        await asyncio.wait({self.serving})

    async def place(self, side: Side, amount: str, price: str | None = None, **changes: Any) -> tuple[str, Placed]:
        """Its id, and the answer; the row is there before, as T1 leaves it."""
        client_order_id = await aside(self._commit, side, Decimal(amount), price, changes.get("tif", TimeInForce.GTC))
        order = NewOrder(
            instrument=self.instrument,
            client_order_id=client_order_id,
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            amount=Decimal(amount),
            price=None if price is None else Decimal(price),
            expires_ms=changes.pop("expires_ms", time.time_ns() // 1_000_000 + 60_000),
            **changes,
        )
        return client_order_id, await aside(self.port.place, order)

    def _commit(self, side: Side, amount: Decimal, price: str | None, tif: TimeInForce) -> str:
        of = rows.Trade.objects.get(account_id=self.account_id)
        kind = "market" if price is None else "limit"
        intent = rows.intent(of, side=side, amount=amount, price=price, type=kind, state="SENDING", attempt=1)
        order = rows.order(intent, client_order_id=f"ct{next(self.numbers)}", tif=str(tif).upper(), type=kind)
        Order.objects.filter(pk=order.pk).update(request_expires_at=records.time_of(time.time_ns() // 1_000_000))
        return order.client_order_id or ""


@asynccontextmanager
async def place_of(folder: Path) -> AsyncIterator[Place]:
    account_id, instrument = await aside(_account)
    place = Place(account_id, instrument, folder)
    try:
        yield place
    finally:
        if place.serving is not None and not place.serving.done():
            await place.kill()
        await place.database.close()


async def row(client_order_id: str) -> Order:
    return await aside(Order.objects.get, client_order_id=client_order_id)


async def totals(account_id: int) -> dict[str, Decimal]:
    """What the ledger adds up to."""
    found: dict[str, Decimal] = {}
    for entry in await aside(lambda: list(PaperEntry.objects.filter(account_id=account_id))):
        found[entry.asset] = found.get(entry.asset, Decimal(0)) + entry.amount
    return found


async def test_a_market_order_fills_against_the_live_book_and_the_rows_know_all_of_it(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        place.held.show(BIDS, ASKS)
        ours, placed = await place.place(Side.BUY, "4")
        told = await aside(place.port.look_up, place.ref(ours))
        assert (told.status, told.filled) == (OrderStatus.FILLED, 4)
        kept = await row(ours)
        assert (kept.status, kept.filled, kept.exchange_order_id) == ("FILLED", 4, placed.exchange_order_id)
        fills = await aside(place.port.order_trades, place.ref(ours))
        assert [(fill.price, fill.amount) for fill in fills] == [(101, 3), (102, 1)]
        fee = Decimal("0.405")
        assert await totals(place.account_id) == {"USDT": 1_000 - 405 - fee, "BTC": 4}
        told_totals = {each.asset: each.total for each in (await aside(place.port.balances)).rows}
        assert told_totals == {"USDT": 1_000 - 405 - fee, "BTC": 4}


async def test_an_order_that_rests_is_cancelled_and_its_funds_are_free_again(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        place.held.show(BIDS, ASKS)
        ours, _ = await place.place(Side.BUY, "2", "98.5")
        assert [each.client_order_id for each in await aside(place.port.open_orders, None)] == [ours]
        await aside(place.port.cancel, place.ref(ours))
        assert await aside(place.port.open_orders, place.instrument) == []
        assert (await row(ours)).status == "CANCELLED"
        (wallet,) = (await aside(place.port.balances)).rows
        assert wallet.free == wallet.total == 1_000


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (("1000", "101"), InsufficientFunds),
        (("1", "101", {"tif": TimeInForce.POST_ONLY}), WouldTake),
    ],
)
async def test_what_the_market_refuses_is_raised_and_no_row_says_that_it_was_placed(
    tmp_path: Path, asked: tuple[Any, ...], error: type[Exception]
):
    amount, price, *more = asked
    async with place_of(tmp_path) as place:
        await place.open()
        place.held.show(BIDS, ASKS)
        with pytest.raises(error):
            await place.place(Side.BUY, amount, price, **(more[0] if more else {}))
        await aside(place.port.balances)
        assert [each.status for each in await aside(lambda: list(Order.objects.all()))] == ["PENDING"]


async def test_nothing_is_placed_while_the_signal_file_of_the_host_is_there(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        place.held.show(BIDS, ASKS)
        place.halt_file.touch()
        with pytest.raises(SendersHalted):
            await place.place(Side.BUY, "1", "99")
        assert await aside(place.port.open_orders, None) == []


async def test_an_order_waits_for_its_book_as_long_as_it_may(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        asked = asyncio.create_task(place.place(Side.BUY, "1", "98.5"))
        await until(lambda: place.held.key in place.desk.keys)
        place.held.show(BIDS, ASKS)
        ours, _ = await asked
        assert (await aside(place.port.look_up, place.ref(ours))).status is OrderStatus.OPEN


async def test_after_a_kill_the_account_goes_on_with_its_open_orders_fills_and_wallets(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        place.held.show(BIDS, ASKS)
        bought, _ = await place.place(Side.BUY, "3")
        rests, _ = await place.place(Side.SELL, "2", "103")
        await aside(place.port.look_up, place.ref(rests))
        await place.kill()

        await place.open()
        told_totals = {each.asset: each.total for each in (await aside(place.port.balances)).rows}
        assert told_totals == await totals(place.account_id)
        assert [each.client_order_id for each in await aside(place.port.open_orders, None)] == [rests]
        place.held.trade(Side.BUY, 103.5, 9.0)  # it may have been traded before the account had its place again
        place.held.show([(103.0, 1.0)], [(104.0, 4.0)])
        sold = await aside(place.port.look_up, place.ref(rests))
        assert (sold.status, sold.filled) == (OrderStatus.PARTIAL, 1)
        trades = await aside(lambda: list(OrderFill.objects.values_list("trade_id", flat=True)))
        assert len(trades) == len(set(trades)) == 2
        with pytest.raises(UnknownOrder):
            await aside(place.port.look_up, place.ref(bought))  # it was over before: its row says so


async def test_an_order_whose_placing_was_lost_with_the_process_is_nowhere(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        lost = await aside(place._commit, Side.BUY, Decimal(1), "99", TimeInForce.GTC)
        await place.kill()
        await place.open()
        with pytest.raises(UnknownOrder):
            await aside(place.port.look_up, place.ref(lost))
        assert await aside(place.port.own_trades, place.instrument, 0) == []


async def test_who_has_lost_the_lease_writes_nothing_more(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        place.held.show(BIDS, ASKS)
        rests, _ = await place.place(Side.BUY, "2", "98.5")
        await aside(place.port.look_up, place.ref(rests))
        await aside(leases.release, holder=DAEMON, resources=["account:x"])
        await aside(leases.acquire, holder="d2", resources=["account:x"], ttl_s=600.0)
        place.held.show([(90.0, 1.0)], [(98.0, 9.0)])
        assert place.serving is not None
        await asyncio.wait({place.serving}, timeout=60)
        assert isinstance(place.serving.exception(), paper_rows.NotHeld)
        assert (await row(rests)).filled == 0
        assert place.account_id not in place.desk.ports


async def test_a_port_whose_account_has_gone_says_that_nothing_was_sent(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        port = place.port
        await place.kill()
        with pytest.raises(Retryable):
            await aside(port.cancel, place.ref("ct1"))
        with pytest.raises(Retryable):
            await aside(port.balances)


async def test_a_market_order_that_stood_in_no_book_ends_with_its_matcher(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        place.held.show(BIDS, ASKS)
        ours = await aside(place._commit, Side.BUY, Decimal(1), "99", TimeInForce.IOC)
        await aside(lambda: Order.objects.update(status="OPEN", exchange_order_id="PAPER-1"))
        await place.kill()
        await place.open()
        await aside(place.port.balances)
        assert (await row(ours)).status == "CANCELLED"
