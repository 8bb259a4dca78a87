"""Of every exchange: what an account sees by REST is the same after the simulator was killed and began again."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.errors import UnknownOrder
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderRef, OrderStatus
from apps.feeds.simulator.faults import Reach
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.stand import patience
from apps.feeds.tests.trading_hand import Hand
from apps.feeds.tests.trading_stand import EVERY, Stand, standing

AGO_MS = 600_000  # longer than a test may take

pytestmark = pytest.mark.conformance


@asynccontextmanager
async def simulator(accounts: Path) -> AsyncIterator[Simulator]:
    """Its markets stand still from the first moment: those with orders move, whoever listens."""
    running = Simulator(seed=5, patience=patience(), strict=False, accounts=accounts)
    running.world.faults.begin("freeze", Reach(None, None, None), seconds=None, count=1)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


def as_killed(accounts: Path) -> Path:
    """The file as a process that is killed this moment leaves it."""
    left = accounts.with_name("left")
    for end in ("", "-wal"):
        shutil.copy(f"{accounts}{end}", f"{left}{end}")
    return left


async def told(hand: Hand, orders: list[OrderRef]) -> dict[str, Any]:
    positions = await hand.positions() if hand.on.market is MarketType.FUTURES else []
    return {
        "orders": [await found(hand, each) for each in orders],
        "open": await hand.open_orders(hand.on.instrument),
        "trades": await hand.own_trades(hand.now_ms() - AGO_MS),
        "balances": {asset: row.total for asset, row in (await hand.balances()).items()},
        "positions": [(row.symbol, row.side, row.amount, row.entry_price) for row in positions],
    }


async def found(hand: Hand, named: OrderRef) -> Any:
    try:
        return await hand.find(named)
    except UnknownOrder:
        return None  # some forget what ended without a fill


@pytest.mark.parametrize(("exchange", "market"), EVERY, ids=["-".join(each) for each in EVERY])
async def test_an_account_goes_on_after_the_simulator_was_killed(exchange: str, market: MarketType, tmp_path: Path):
    accounts = tmp_path / "accounts"
    async with simulator(accounts) as before, standing(before, exchange, market) as on, on.account(made=True) as anna:
        bought, _ = await anna.bought()
        _, partly = await anna.rest(price=on.near(Side.BUY))
        await on.fill(anna, partly.exchange_order_id or "", on.part)
        _, resting = await anna.rest()
        _, gone = await anna.rest()
        await anna.cancel(gone)
        orders = [bought, partly, resting, gone]
        known = await told(anna, orders)
        assert [row.status for row in known["orders"][:3]] == [
            OrderStatus.FILLED,
            OrderStatus.PARTIAL,
            OrderStatus.OPEN,
        ]
        left = as_killed(accounts)
        async with simulator(left) as after, standing(after, exchange, market) as there, there.client() as client:
            again = Hand(there, anna.name, anna.keys, client)
            assert await told(again, orders) == known
            await goes_on(there, again, partly, resting, orders)


async def goes_on(on: Stand, hand: Hand, partly: OrderRef, resting: OrderRef, orders: list[OrderRef]) -> None:
    """What rested can be filled and cancelled; new ids are new."""
    trades = {row.trade_id for row in await hand.own_trades(hand.now_ms() - AGO_MS)}
    await on.fill(hand, partly.exchange_order_id or "", on.part)
    fills = await hand.own_trades(hand.now_ms() - AGO_MS)
    assert len(fills) == len({row.trade_id for row in fills}) == len(trades) + 1
    await hand.cancel(resting)
    assert [row.exchange_order_id for row in await hand.open_orders(hand.on.instrument)] == [partly.exchange_order_id]
    on.numbers = iter(range(1000, 2000))  # type: ignore[assignment]
    _, new = await hand.rest()
    assert new.exchange_order_id not in {each.exchange_order_id for each in orders}
