"""What every exchange has to pass with executions: orders that trade at once, fills, fees and own trades."""

from decimal import ROUND_CEILING, Decimal

import pytest
import pytest_asyncio

from apps.feeds.drivers.binance import trading_facts as binance_facts
from apps.feeds.drivers.hyperliquid import trading_facts as hyperliquid_facts
from apps.feeds.errors import InvalidOrder, Refused, WouldTake
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import Fill, OrderRef, OrderStatus, OrderType, TimeInForce
from apps.feeds.simulator.hyperliquid import account as hyperliquid_account
from apps.feeds.simulator.trading.accounts import Rates
from apps.feeds.tests import trading_stand
from apps.feeds.tests.trading_declared import LISTS_WITHOUT_FEES, NO_AVERAGES
from apps.feeds.tests.trading_feed import FINAL, PATIENCE_S
from apps.feeds.tests.trading_hand import ref
from apps.feeds.tests.trading_stand import Stand, pytest_generate_tests  # noqa: F401 (pytest finds it here)
from apps.feeds.tests.waiting import until

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")
on = pytest_asyncio.fixture(trading_stand.on, scope="module", loop_scope="module")

MARKET = OrderType.MARKET
IOC, POST_ONLY = TimeInForce.IOC, TimeInForce.POST_ONLY
BUY, SELL = Side.BUY, Side.SELL
ENDED = {OrderStatus.CANCELLED, OrderStatus.EXPIRED}
MANY = 120  # more than most exchanges tell on one page
LARGE_PAGES = {  # where a page is larger, how large it is
    "binance": [(binance_facts, "PAGE")],
    "hyperliquid": [(hyperliquid_facts, "FILLS_PAGE"), (hyperliquid_account, "MOST_ROWS")],
}


# Orders that trade at once


@pytest.mark.parametrize("side", [BUY, SELL])
async def test_a_market_order_trades_with_ids_fees_and_an_average_price(on: Stand, side: Side):
    async with on.account() as anna:
        limit = on.across(side)
        order = anna.order(side, type=MARKET)
        placed = await anna.place(order)
        both = ref(order, placed)
        found = await anna.until(both, lambda told: told.status is OrderStatus.FILLED)
        assert order.amount in (None, found.filled)
        fills = await anna.order_trades(both)
        _check_fills(on, fills, both, side)
        value = sum(fill.price * fill.amount for fill in fills)
        assert sum(fill.amount for fill in fills) == found.filled
        average = value / found.filled
        assert (found.average_price is None) == (on.exchange in NO_AVERAGES)
        assert abs((found.average_price or average) - average) <= average / 10**6
        assert all(fill.price >= limit if side is BUY else fill.price <= limit for fill in fills)
        assert not any(fill.is_maker for fill in fills)
        assert _same(placed.fills, fills) or placed.fills == ()


def _check_fills(on: Stand, fills: list[Fill], both: OrderRef, side: Side) -> None:
    assert fills
    assert len({fill.trade_id for fill in fills}) == len(fills)
    for fill in fills:
        assert fill.trade_id
        assert fill.side is side
        assert fill.exchange_order_id == both.exchange_order_id
        assert fill.client_order_id in (None, both.client_order_id)
        assert fill.fee > 0
        assert fill.fee_asset


def _same(told: tuple[Fill, ...], fills: list[Fill]) -> bool:
    return {fill.trade_id for fill in told} == {fill.trade_id for fill in fills}


async def test_a_market_buy_may_spend_an_amount_of_money(on: Stand):
    async with on.account() as anna:
        money = Decimal(500)
        order = anna.order(type=MARKET, quote_amount=money)
        both = ref(order, await anna.place(order))
        found = await anna.until(both, lambda told: told.status in FINAL)
        spent = sum(fill.price * fill.amount for fill in await anna.order_trades(both))
        assert money * Decimal("0.9") < spent <= money
        assert found.filled > 0


async def test_what_an_ioc_order_leaves_is_cancelled(on: Stand):
    async with on.account() as anna:
        offered = on.at_best(SELL)
        order = anna.order(tif=IOC, price=on.across(BUY), amount=offered + on.part)
        both = ref(order, await anna.place(order))
        found = await anna.until(both, lambda told: told.status in FINAL)
        assert found.status in ENDED
        assert (found.filled, found.amount) == (offered, order.amount)
        assert await anna.open_orders(on.instrument) == []


async def test_an_ioc_order_that_finds_nobody_ends_without_a_fill(on: Stand):
    async with on.account() as anna:
        order = anna.order(tif=IOC)
        placed = await anna.tried(order, Refused)
        if placed is not None:
            found = await anna.ended(ref(order, placed))
            assert found is None or (found.status in ENDED, found.filled) == (True, 0)
        assert await anna.open_orders(on.instrument) == []
        assert await anna.own_trades(anna.now_ms() - 60_000) == []


async def test_a_post_only_order_rests(on: Stand):
    async with on.account() as anna:
        _, both = await anna.rest(tif=POST_ONLY)
        assert (await anna.find(both)).status is OrderStatus.OPEN


async def test_a_post_only_order_that_would_take_trades_nothing(on: Stand):
    async with on.account() as anna:
        order = anna.order(tif=POST_ONLY, price=on.across(BUY))
        placed = await anna.tried(order, WouldTake)
        if placed is not None:
            found = await anna.ended(ref(order, placed))
            assert found is None or (found.status in ENDED | {OrderStatus.REJECTED}, found.filled) == (True, 0)
        assert await anna.open_orders(on.instrument) == []
        assert await anna.own_trades(anna.now_ms() - 60_000) == []


async def test_reduce_only_closes_a_position_and_opens_none(on: Stand):
    async with on.account() as anna:
        await anna.bought()
        await anna.sold(on.amount, reduce_only=True)
        assert await anna.positions() == []
        with pytest.raises(Refused) as refusal:
            await anna.place(anna.order(SELL, type=MARKET, reduce_only=True))
        assert str(refusal.value)
        assert await anna.positions() == []


async def test_reduce_only_without_a_position_is_refused(on: Stand):
    async with on.account() as anna:
        with pytest.raises(Refused):
            await anna.place(anna.order(SELL, reduce_only=True))
        assert await on.accepted(anna) == []


async def test_reduce_only_on_spot_is_refused_before_it_is_sent(on: Stand):
    async with on.account() as anna:
        with pytest.raises(InvalidOrder, match="futures"):
            await anna.place(anna.order(SELL, reduce_only=True))
        assert await on.accepted(anna) == []


# Executions


async def test_a_partial_fill_stays_when_the_rest_is_cancelled(on: Stand):
    async with on.account() as anna:
        order, both = await anna.rest(price=on.near(BUY))
        await on.fill(anna, both.exchange_order_id or "", on.part)
        found = await anna.until(both, lambda told: told.filled > 0)
        assert (found.status, found.filled) == (OrderStatus.PARTIAL, on.part)
        assert found.average_price == (None if on.exchange in NO_AVERAGES else order.price)
        await anna.cancel(both)
        found = await anna.until(both, lambda told: told.status in FINAL)
        assert (found.status, found.filled, found.amount) == (OrderStatus.CANCELLED, on.part, order.amount)
        assert sum(fill.amount for fill in await anna.order_trades(both)) == on.part


async def test_a_maker_pays_its_fee_and_is_told_so(on: Stand):
    async with on.account() as anna:
        fees = await anna.fees()
        order, both = await anna.rest(SELL, price=on.near(SELL))
        await on.fill(anna, both.exchange_order_id or "", on.amount)
        await anna.until(both, lambda told: told.status is OrderStatus.FILLED)
        [fill] = await anna.order_trades(both)
        assert fill.is_maker is not False
        assert (fill.price, fill.amount) == (order.price, order.amount)
        assert abs(fill.fee - fees.maker * fill.price * fill.amount) <= Decimal("1e-6")
        assert fill.fee_asset == (on.quote if on.market is MarketType.SPOT else on.settle)


async def test_a_rebate_is_a_negative_fee(on: Stand):
    async with on.account() as anna:
        on.truth(anna).rates[on.market] = Rates(Decimal("-0.0001"), Decimal("0.001"))
        _, both = await anna.rest(SELL, price=on.near(SELL))
        async with anna.listening() as feed:
            await on.fill(anna, both.exchange_order_id or "", on.amount)
            [pushed] = await feed.until_filled(both, on.amount)
        [fill] = await anna.order_trades(both)
        assert fill.fee < 0
        assert (pushed.fee, pushed.fee_asset, pushed.trade_id) == (fill.fee, fill.fee_asset, fill.trade_id)


async def test_own_trades_are_those_since_a_time_and_agree_with_the_exchange(on: Stand):
    async with on.account() as anna:
        began = anna.now_ms() - 1_000
        _, bought = await anna.bought()
        await anna.sold(bought.filled)
        trades = await anna.own_trades(began)
        executions = on.truth(anna).executions
        size = on.instrument.contract_size * on.listing.size.step
        step = on.listing.price.step
        assert sorted((t.exchange_order_id, t.price, t.amount) for t in trades) == sorted(
            (e.order.id, e.price * step, e.size * size) for e in executions
        )
        if on.exchange not in LISTS_WITHOUT_FEES:
            paid = sorted((on.asset(e.fee_asset), e.fee) for e in executions)
            assert sorted((t.fee_asset, t.fee) for t in trades) == paid
        assert {trade.is_maker for trade in trades} <= {False, None}
        assert len({trade.trade_id for trade in trades}) == len(executions)
        assert await anna.own_trades(anna.now_ms() + 1_000) == []


async def test_own_trades_of_several_pages_are_all_told_once(on: Stand):
    async with on.account() as anna:
        began = anna.now_ms() - 1_000
        share = on.lot * (on.amount / on.lot / MANY).to_integral_value(ROUND_CEILING)
        _, both = await anna.rest(SELL, price=on.near(SELL), amount=MANY * share)
        order = on.truth(anna).orders[both.exchange_order_id or ""]
        for _ in range(MANY):
            on.desk.fill(order, order.size // MANY)
        await anna.until(both, lambda told: told.status is OrderStatus.FILLED)
        trades = {trade.trade_id: trade.amount for trade in await anna.own_trades(began)}
        assert list(trades.values()) == MANY * [share]


async def test_the_trades_of_one_order_are_all_told_however_many_pages_they_take(
    on: Stand, monkeypatch: pytest.MonkeyPatch
):
    for module, name in LARGE_PAGES.get(on.exchange, ()):
        monkeypatch.setattr(module, name, MANY // 2)
    async with on.account() as anna:
        share = on.lot * (on.amount / on.lot / MANY).to_integral_value(ROUND_CEILING)
        _, both = await anna.rest(SELL, price=on.near(SELL), amount=MANY * share)
        order = on.truth(anna).orders[both.exchange_order_id or ""]
        for number in range(MANY):
            on.desk.fill(order, order.size // MANY)
            if number % 10 == 0:  # some pages go by time: a page is not full of one moment
                await _next_millisecond(on)
        await anna.until(both, lambda told: told.status is OrderStatus.FILLED)
        trades = {trade.trade_id: trade.amount for trade in await anna.order_trades(both)}
        assert list(trades.values()) == MANY * [share]


async def _next_millisecond(on: Stand) -> None:
    now_ms = on.desk.now_ms()
    await until(lambda: on.desk.now_ms() > now_ms, PATIENCE_S)


async def test_an_order_does_not_trade_with_another_of_its_account(on: Stand):
    async with on.account() as anna:
        await anna.rest(SELL, price=on.near(SELL))
        taking = anna.order(tif=IOC, price=on.across(BUY), amount=on.part)
        placed = await anna.tried(taking, Refused)
        if placed is not None:
            await anna.ended(ref(taking, placed))
        assert await anna.own_trades(anna.now_ms() - 60_000) == []
        assert on.truth(anna).executions == []


async def test_two_accounts_that_trade_with_each_other_are_told_the_same(on: Stand):
    async with on.account() as anna, on.account() as boris:
        order, hers = await anna.rest(price=on.near(BUY))
        his, _ = await boris.sold(order.amount or on.amount)
        await anna.until(hers, lambda told: told.status is OrderStatus.FILLED)
        [bought], sold = await anna.order_trades(hers), await boris.order_trades(his)
        assert [(fill.side, fill.price, fill.amount) for fill in sold] == [(SELL, bought.price, bought.amount)]
        assert (bought.side, bought.price, bought.amount) == (BUY, order.price, order.amount)
        assert (bought.is_maker, sold[0].is_maker) in ((True, False), (None, None))


async def test_amounts_are_in_base_currency_whatever_the_exchange_counts(on: Stand):
    async with on.account() as anna:
        order, both = await anna.rest(price=on.near(BUY))
        await on.fill(anna, both.exchange_order_id or "", on.part)
        [row] = await on.accepted(anna)
        size = on.listing.contract
        assert (Decimal(row["size"]) * size, Decimal(row["filled"]) * size) == (order.amount, on.part)
        found = await anna.find(both)
        [fill] = await anna.order_trades(both)
        [listed] = await anna.open_orders(on.instrument)
        assert (found.amount, found.filled, fill.amount) == (order.amount, on.part, on.part)
        assert (listed.amount, listed.filled) == (order.amount, on.part)
