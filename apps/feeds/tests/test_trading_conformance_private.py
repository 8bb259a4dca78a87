"""What every exchange has to pass with its private sockets: pushes agree with REST, whatever happens to them."""

import asyncio
from decimal import Decimal

import pytest
import pytest_asyncio
from msgspec.structs import replace

from apps.feeds.drivers.trading import Answer, Token
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import Fill, OrderStatus, OrderType
from apps.feeds.tests import trading_stand
from apps.feeds.tests.trading_feed import FINAL, PATIENCE_S, Feed
from apps.feeds.tests.trading_hand import ref
from apps.feeds.tests.trading_stand import Stand, pytest_generate_tests  # noqa: F401 (pytest finds it here)
from apps.feeds.tests.waiting import until

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")
on = pytest_asyncio.fixture(trading_stand.on, scope="module", loop_scope="module")

BUY, SELL = Side.BUY, Side.SELL


def facts(fill: Fill) -> tuple[object, ...]:
    """What a push and a list must tell alike."""
    return fill.trade_id, fill.side, fill.price, fill.amount, fill.fee, fill.fee_asset


async def test_an_order_is_told_from_its_acceptance_to_its_cancel(on: Stand):
    async with on.account() as anna, anna.listening() as feed:
        order, both = await anna.rest()
        told = await feed.until_status(both, OrderStatus.OPEN)
        assert (told.symbol, told.side) == (on.instrument.symbol, BUY)
        assert told.client_order_id == order.client_order_id
        assert told.amount in (None, order.amount)
        assert told.price in (None, order.price)
        await anna.cancel(both)
        told = await feed.until_status(both, *FINAL)
        assert (told.status, told.filled) == (OrderStatus.CANCELLED, 0)
        assert feed.bad == []


async def test_executions_are_told_with_trade_ids_and_fees_as_rest_tells_them(on: Stand):
    async with on.account() as anna, anna.listening() as feed:
        order, both = await anna.rest(price=on.near(BUY))
        await on.fill(anna, both.exchange_order_id or "", on.part)
        await feed.until_filled(both, on.part)
        await on.fill(anna, both.exchange_order_id or "", on.amount - on.part)
        fills = await feed.until_filled(both, on.amount)
        told = await feed.until_status(both, OrderStatus.FILLED)
        assert told.filled == order.amount
        assert sorted(map(facts, fills)) == sorted(map(facts, await anna.order_trades(both)))
        assert len(fills) == 2
        assert {fill.client_order_id for fill in fills} <= {None, order.client_order_id}
        assert feed.bad == []


async def test_an_order_that_is_filled_in_part_and_then_cancelled_is_told_so(on: Stand):
    async with on.account() as anna, anna.listening() as feed:
        _, both = await anna.rest(SELL, price=on.near(SELL))
        await on.fill(anna, both.exchange_order_id or "", on.part)
        told = await feed.until_status(both, OrderStatus.PARTIAL)
        assert told.filled == on.part
        await anna.cancel(both)
        told = await feed.until_status(both, *FINAL)
        assert (told.status, told.filled) == (OrderStatus.CANCELLED, on.part)
        await feed.until_filled(both, on.part)


async def test_fills_that_are_told_before_the_answer_to_the_order_count_once(on: Stand):
    async with on.account() as anna, anna.listening() as feed:
        await on.fault(anna, "early_fill", seconds=0.2)
        order = anna.order(type=OrderType.MARKET)
        placing = asyncio.create_task(anna.place(order))
        await feed.until(lambda: feed.orders)
        placed = await placing
        both = ref(order, placed)
        told = await feed.until_status(both, OrderStatus.FILLED)
        fills = {fill.trade_id: fill for fill in await feed.until_filled(both, told.filled)}
        assert {fill.trade_id for fill in placed.fills} <= set(fills)
        assert order.amount in (None, told.filled)
        assert len(await on.accepted(anna)) == 1


@pytest.mark.parametrize("fault", ["duplicate_push", "reorder_push"])
async def test_pushes_that_come_twice_or_out_of_order_end_in_the_same_state(on: Stand, fault: str):
    async with on.account() as anna, anna.listening() as feed:
        await on.fault(anna, fault, count=3)
        _, both = await anna.rest(price=on.near(BUY))
        await on.fill(anna, both.exchange_order_id or "", on.part)
        await on.fill(anna, both.exchange_order_id or "", on.amount - on.part)
        told = await feed.until_status(both, OrderStatus.FILLED)
        fills = await feed.until_filled(both, on.amount)
        assert told.filled == on.amount
        assert sorted(map(facts, fills)) == sorted(map(facts, await anna.order_trades(both)))
        assert feed.bad == []


async def test_a_lost_socket_is_told_first_and_a_sweep_completes_what_was_missed(on: Stand):
    async with on.account() as anna, anna.listening() as feed:
        _, both = await anna.rest(price=on.near(BUY))
        _, gone = await anna.rest(SELL)
        await feed.until_status(both, OrderStatus.OPEN)
        await on.fault(anna, "drop_private", count=3)
        await on.fill(anna, both.exchange_order_id or "", on.part)
        await anna.cancel(gone)
        await feed.until(lambda: feed.story.count("lost") >= 3 and feed.is_ready)
        assert feed.story.index("lost") > feed.story.index("ready")
        await on.until_heard(anna)
        [left] = await anna.open_orders(on.instrument)
        assert (left.exchange_order_id, left.filled) == (both.exchange_order_id, on.part)
        found = await anna.ended(gone)
        assert found is None or found.status is OrderStatus.CANCELLED
        assert sum(fill.amount for fill in await anna.order_trades(both)) == on.part
        await on.fill(anna, both.exchange_order_id or "", on.amount - on.part)
        await feed.until_status(both, OrderStatus.FILLED)


async def test_what_is_not_told_for_a_while_is_found_by_a_sweep(on: Stand):
    async with on.account() as anna, anna.listening() as feed:
        await on.fault(anna, "mute_private")
        _, unheard = await anna.rest()
        await on.fault(anna, "mute_private", count=0)
        _, heard = await anna.rest()
        await feed.until_status(heard, OrderStatus.OPEN)
        assert unheard.exchange_order_id not in feed.orders
        swept = {row.exchange_order_id for row in await anna.open_orders(on.instrument)}
        assert swept == {unheard.exchange_order_id, heard.exchange_order_id}


async def test_a_key_that_is_not_known_ends_the_socket_for_good_and_is_told(on: Stand):
    async with on.account() as anna:
        anna.change_keys(key="canarykeyofnobody0f3a771c")
        async with anna.listening(ready=False) as feed:
            await feed.until(lambda: feed.refusals)
            [(code, text)] = feed.refusals
            assert code
            assert text
            assert "ready" not in feed.story
            assert feed.story[-1] == "refused"


async def test_a_token_is_renewed_while_its_socket_is_open(on: Stand):
    async with on.account() as anna:
        hurried = type(on.trader)()
        parse, renewals = hurried.parse_token, []

        def soon(market_type: MarketType, answer: Answer) -> Token:
            renewals.append(parse(market_type, answer))
            return replace(renewals[-1], renew_every_s=0.05)

        hurried.parse_token = soon  # type: ignore[method-assign]
        async with anna.listening(trader=hurried) as feed:
            await until(lambda: len(renewals) >= 4, PATIENCE_S)
            assert "lost" not in feed.story


async def test_the_socket_leaves_nothing_behind(on: Stand):
    async with on.account() as anna:
        async with anna.listening():
            assert on.truth(anna).outbox.listeners >= 1
        await until(lambda: not on.truth(anna).outbox.listeners, PATIENCE_S)


async def test_two_accounts_hear_each_of_their_own_orders_alone(on: Stand):
    async with on.account() as anna, on.account() as boris, anna.listening() as feed, boris.listening() as other:
        _, hers = await anna.rest()
        _, his = await boris.rest(SELL)
        await feed.until_status(hers, OrderStatus.OPEN)
        await other.until_status(his, OrderStatus.OPEN)
        assert (set(feed.orders), set(other.orders)) == ({hers.exchange_order_id}, {his.exchange_order_id})


async def test_the_private_socket_tells_balances_as_rest_tells_them(on: Stand):
    async with on.account() as anna, anna.listening() as feed:
        await anna.bought()
        truth = await anna.balances()
        asset = on.pays
        await feed.until(lambda: asset in feed.balances and feed.balances[asset].total == truth[asset].total)
        assert feed.balances[asset].free in (None, truth[asset].free)


async def test_the_private_socket_tells_positions_as_they_change(on: Stand):
    async with on.account() as anna, anna.listening() as feed:
        await anna.bought()
        await feed.until(lambda: _held(on, feed) == on.amount)
        await anna.sold(on.amount)
        await feed.until(lambda: _held(on, feed) == 0)


def _held(on: Stand, feed: Feed) -> Decimal:
    rows = [row.amount for (symbol, _), row in feed.positions.items() if symbol == on.instrument.symbol]
    return sum(rows, Decimal(0))
