"""What every exchange has to pass with orders: our trader and client on the simulator's accounts, over real sockets.

This suite (test_trading_conformance*.py on trading_stand.py and its parts, listed in trading_suite.py) has one owner;
what an exchange cannot do is told in trading_declared.py. Here: orders that rest.
"""

from dataclasses import replace
from decimal import Decimal

import pytest
import pytest_asyncio

from apps.feeds.errors import OrderIsFinal, UnknownOrder
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderRef, OrderStatus
from apps.feeds.tests import trading_stand
from apps.feeds.tests.trading_hand import Hand, ours, ref, theirs
from apps.feeds.tests.trading_stand import Stand, pytest_generate_tests  # noqa: F401 (pytest finds it here)

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")
on = pytest_asyncio.fixture(trading_stand.on, scope="module", loop_scope="module")

BUY, SELL = Side.BUY, Side.SELL
MANY = 120  # more than most exchanges tell on one page
RESTS = {OrderStatus.OPEN, OrderStatus.PENDING}


async def test_a_limit_order_is_accepted_once_as_it_was_asked_for(on: Stand):
    async with on.account() as anna:
        order = anna.order()
        placed = await anna.place(order)
        assert placed.status in RESTS
        assert placed.fills == ()
        assert placed.client_order_id in (None, order.client_order_id)
        [row] = await on.accepted(anna)
        assert row["client_id"] == order.client_order_id
        assert row["order_id"] == placed.exchange_order_id
        assert (row["symbol"], row["market_type"]) == (on.instrument.symbol, on.market)
        assert (row["side"], row["type"], row["status"]) == ("buy", "limit", "open")
        assert Decimal(row["price"]) == order.price
        assert Decimal(row["size"]) * on.instrument.contract_size == order.amount


@pytest.mark.parametrize("named", [ours, theirs], ids=["by our id", "by theirs"])
async def test_a_resting_order_is_found(on: Stand, named):
    async with on.account() as anna:
        order, both = await anna.rest(SELL) if on.market is MarketType.FUTURES else await anna.rest(BUY)
        found = await anna.find(named(both))
        assert found.status is OrderStatus.OPEN
        assert found.symbol == on.instrument.symbol
        assert found.exchange_order_id == both.exchange_order_id
        assert found.client_order_id == order.client_order_id
        assert (found.side, found.amount, found.price) == (order.side, order.amount, order.price)
        assert (found.filled, found.average_price) == (0, None)


async def test_open_orders_are_listed_with_what_is_filled_of_them(on: Stand):
    async with on.account() as anna:
        _, first = await anna.rest(price=on.near(BUY))
        _, second = await anna.rest(SELL)
        await on.fill(anna, first.exchange_order_id or "", on.part)
        rows = {row.exchange_order_id: row for row in await anna.open_orders(on.instrument)}
        assert set(rows) == {first.exchange_order_id, second.exchange_order_id}
        partly, untouched = (rows[each.exchange_order_id or ""] for each in (first, second))
        assert (partly.status, partly.filled, partly.side) == (OrderStatus.PARTIAL, on.part, BUY)
        assert (untouched.status, untouched.filled, untouched.side) == (OrderStatus.OPEN, 0, SELL)
        assert partly.client_order_id == first.client_order_id


async def test_open_orders_of_the_whole_market_are_listed(on: Stand):
    async with on.account() as anna:
        _, here = await anna.rest()
        there = await _elsewhere(on, anna)
        rows = await anna.open_orders()
        assert {row.exchange_order_id for row in rows} == {here.exchange_order_id, there.exchange_order_id}
        assert {row.symbol for row in rows} == {on.instrument.symbol, on.other.symbol}


async def _elsewhere(on: Stand, hand: Hand) -> OrderRef:
    """A resting order in the other instrument."""
    step = on.step_of(on.other)
    price = on.best(BUY, on.other) * Decimal("0.98") // step * step
    order = hand.order(instrument=on.other, price=price, amount=on.part_of(on.other))
    return ref(order, await hand.place(order))


@pytest.mark.parametrize("named", [ours, theirs], ids=["by our id", "by theirs"])
async def test_an_order_is_cancelled(on: Stand, named):
    async with on.account() as anna:
        _, both = await anna.rest()
        await anna.cancel(named(both))
        found = await anna.ended(both)
        assert found is None or (found.status, found.filled) == (OrderStatus.CANCELLED, 0)
        assert await anna.open_orders(on.instrument) == []
        [row] = await on.accepted(anna)
        assert (row["status"], row["ended"]) == ("cancelled", "client")


async def test_a_final_order_cannot_be_cancelled_again(on: Stand):
    async with on.account() as anna:
        _, both = await anna.rest()
        await anna.cancel(both)
        with pytest.raises((OrderIsFinal, UnknownOrder)) as refusal:
            await anna.cancel(both)
        assert refusal.value.code


@pytest.mark.parametrize("named", [ours, theirs], ids=["by our id", "by theirs"])
async def test_an_order_that_never_was_is_unknown(on: Stand, named):
    async with on.account() as anna:
        _, real = await anna.rest()
        number = real.exchange_order_id or ""
        strange = OrderRef(
            instrument=on.instrument,
            client_order_id=on.new_id(),
            exchange_order_id=number[:-1] + str((int(number[-1], 36) + 5) % 10),
        )
        with pytest.raises(UnknownOrder) as unknown:
            await anna.find(named(strange))
        assert str(unknown.value)
        with pytest.raises((OrderIsFinal, UnknownOrder)):
            await anna.cancel(named(strange))
        assert len(await on.accepted(anna)) == 1


async def test_an_order_of_another_account_is_unknown(on: Stand):
    async with on.account() as anna, on.account() as boris:
        _, hers = await anna.rest()
        for named in (ours(hers), theirs(hers)):
            with pytest.raises(UnknownOrder):
                await boris.find(named)
            with pytest.raises((UnknownOrder, OrderIsFinal)):
                await boris.cancel(named)
        assert (await anna.find(hers)).status is OrderStatus.OPEN
        assert await boris.open_orders(on.instrument) == []


async def test_open_orders_of_several_pages_are_all_listed(on: Stand):
    async with on.account() as anna:
        _, first = await anna.rest()
        account = on.truth(anna)
        ticket = account.orders[first.exchange_order_id or ""].ticket
        for _ in range(MANY):
            on.desk.place(account, replace(ticket, client_id=on.new_id()))
        listed = [row.exchange_order_id for row in await anna.open_orders(on.instrument)]
        assert sorted(listed) == sorted(account.open)


async def test_cancelling_all_ends_the_orders_of_one_instrument_alone(on: Stand):
    async with on.account() as anna:
        here = [(await anna.rest(side))[1] for side in (BUY, BUY, SELL)]
        there = await _elsewhere(on, anna)
        await anna.cancel_all(on.instrument)
        for each in here:
            found = await anna.ended(each)
            assert found is None or found.status is OrderStatus.CANCELLED
        assert await anna.open_orders(on.instrument) == []
        assert [row.exchange_order_id for row in await anna.open_orders(on.other)] == [there.exchange_order_id]


async def test_cancelling_all_of_nothing_is_done(on: Stand):
    async with on.account() as anna:
        await anna.cancel_all(on.instrument)
        assert await on.accepted(anna) == []
