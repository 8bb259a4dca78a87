"""What every futures market has to pass: which position an order changes is told with the order, whoever placed it."""

import pytest
import pytest_asyncio

from apps.feeds.market import Side
from apps.feeds.orders import OrderRef, OrderStatus, OrderType, PositionSide
from apps.feeds.tests import trading_stand
from apps.feeds.tests.trading_hand import Hand
from apps.feeds.tests.trading_stand import Stand, pytest_generate_tests  # noqa: F401 (pytest finds it here)

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")
on = pytest_asyncio.fixture(trading_stand.on, scope="module", loop_scope="module")

LONG, SHORT, NET = PositionSide.LONG, PositionSide.SHORT, PositionSide.NET


async def of_fills(anna: Hand, named: OrderRef) -> set[PositionSide | None]:
    """What its executions tell, where they do."""
    return {fill.position_side for fill in await anna.order_trades(named)} - {None}


async def test_orders_of_a_hedged_account_tell_their_position_by_rest_and_by_push(on: Stand):
    async with on.account(hedge=True) as anna, anna.listening() as feed:
        for side, opens in ((LONG, Side.BUY), (SHORT, Side.SELL)):
            _, resting = await anna.rest(opens, position_side=side)
            [listed] = await anna.open_orders(on.instrument)
            assert (listed.position_side, (await anna.find(resting)).position_side) == (side, side)
            assert (await feed.until_status(resting, OrderStatus.OPEN)).position_side is side
            await anna.cancel(resting)
            await feed.until_status(resting, OrderStatus.CANCELLED)
            both, done = await anna.traded(anna.order(opens, type=OrderType.MARKET, position_side=side))
            assert done.position_side is side
            assert await of_fills(anna, both) <= {side}
            assert (await feed.until_status(both, OrderStatus.FILLED)).position_side is side
            assert {fill.position_side for fill in await feed.until_filled(both, on.amount)} <= {side, None}
        assert feed.bad == []


async def test_an_order_that_closes_tells_the_position_that_it_closes(on: Stand):
    async with on.account(hedge=True) as anna:
        await anna.bought(position_side=LONG)
        closing, done = await anna.sold(on.amount, position_side=LONG, reduce_only=True)
        assert (done.side, done.position_side) == (Side.SELL, LONG)
        assert await of_fills(anna, closing) <= {LONG}


async def test_orders_of_an_account_with_one_position_tell_no_side(on: Stand):
    async with on.account() as anna:
        both, done = await anna.bought()
        assert done.position_side in (NET, None)
        assert await of_fills(anna, both) <= {NET}
