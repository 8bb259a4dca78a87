"""What every exchange has to pass when answers are lost: an order's fate is asked for, and it is placed once."""

import asyncio

import pytest
import pytest_asyncio

from apps.feeds.errors import OutcomeUnknown, Retryable, UnknownOrder
from apps.feeds.market import Side
from apps.feeds.orders import NewOrder, OrderRef, OrderStatus, OrderType
from apps.feeds.tests import trading_stand
from apps.feeds.tests.trading_hand import Hand, ref
from apps.feeds.tests.trading_stand import Stand, pytest_generate_tests  # noqa: F401 (pytest finds it here)
from apps.feeds.transport.addresses import Addresses

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")
on = pytest_asyncio.fixture(trading_stand.on, scope="module", loop_scope="module")

SHORT_S = 1.5  # for an answer that never comes; the request itself arrives sooner, however busy the machine
LOST = {"accept_hang": SHORT_S, "accept_reset": trading_stand.TIMEOUT_S, "error_placed": trading_stand.TIMEOUT_S}


def named(order: NewOrder) -> OrderRef:
    """All that is known of an order without an answer."""
    return OrderRef(instrument=order.instrument, client_order_id=order.client_order_id)


async def unknown(hand: Hand, order: NewOrder) -> bool:
    try:
        await hand.find(named(order))
    except UnknownOrder:
        return True
    return False


@pytest.mark.parametrize("fault", LOST)
async def test_an_order_whose_answer_is_lost_is_found_by_our_id_and_was_accepted_once(on: Stand, fault: str):
    async with on.account() as anna:
        await on.fault(anna, fault)
        order = anna.order()
        async with anna.hasty(LOST[fault]):
            with pytest.raises(OutcomeUnknown):
                await anna.place(order)
        found = await anna.until(named(order), lambda told: told.status is OrderStatus.OPEN)
        assert (found.client_order_id, found.amount) == (order.client_order_id, order.amount)
        [row] = await on.accepted(anna)
        assert row["order_id"] == found.exchange_order_id


@pytest.mark.parametrize("fault", LOST)
async def test_a_cancel_whose_answer_is_lost_was_done(on: Stand, fault: str):
    async with on.account() as anna:
        _, both = await anna.rest()
        await on.fault(anna, fault, kind="cancel")
        async with anna.hasty(LOST[fault]):
            with pytest.raises(OutcomeUnknown):
                await anna.cancel(both)
        found = await anna.ended(both)
        assert found is None or found.status is OrderStatus.CANCELLED
        assert await anna.open_orders(on.instrument) == []


async def test_an_order_that_was_filled_while_its_answer_was_lost_is_found_with_its_fills(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "accept_reset")
        order = anna.order(Side.SELL, type=OrderType.MARKET)
        with pytest.raises(OutcomeUnknown):
            await anna.place(order)
        found = await anna.until(named(order), lambda told: told.status is OrderStatus.FILLED)
        both = OrderRef(instrument=on.instrument, exchange_order_id=found.exchange_order_id)
        assert sum(fill.amount for fill in await anna.order_trades(both)) == found.filled == order.amount
        assert len(await on.accepted(anna)) == 1


async def test_an_error_of_the_gateway_that_placed_nothing_is_not_taken_for_a_placed_order(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "error_not_placed")
        order = anna.order()
        with pytest.raises((OutcomeUnknown, Retryable)):
            await anna.place(order)
        assert await unknown(anna, order)
        assert await on.accepted(anna) == []


async def test_an_order_that_reaches_the_matcher_late_is_placed_once(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "late_accept", seconds=0.3)
        order = anna.order()
        async with asyncio.TaskGroup() as tasks:
            placing = tasks.create_task(anna.place(order))
            missing = await unknown(anna, order)
            assert missing or await on.accepted(anna)
        assert (await anna.find(ref(order, placing.result()))).status is OrderStatus.OPEN
        assert len(await on.accepted(anna)) == 1


async def test_an_order_that_cannot_be_found_for_a_while_is_found_then(on: Stand):
    async with on.account() as anna:
        await on.fault(anna, "not_found", seconds=3600)
        order, both = await anna.rest()
        assert await unknown(anna, order)
        assert await anna.open_orders(on.instrument) == []
        on.truth(anna).orders[both.exchange_order_id or ""].hidden_until_ms = 0
        assert (await anna.find(both)).status is OrderStatus.OPEN
        assert len(await on.accepted(anna)) == 1


async def test_an_exchange_that_is_not_there_got_nothing(on: Stand):
    async with on.account() as anna:
        async with on.client(addresses=Addresses("http://127.0.0.1:1")) as nowhere:
            anna.client = nowhere
            for _ in range(2):
                with pytest.raises(Retryable):
                    await anna.place(anna.order())
        assert await on.accepted(anna) == []
