"""What every exchange has to pass with accounts: balances, positions, leverage, fees, funding, permissions, time."""

from decimal import Decimal

import pytest
import pytest_asyncio

from apps.feeds.errors import Refused
from apps.feeds.market import Side
from apps.feeds.orders import Fill, MarginMode, PositionSide
from apps.feeds.simulator.trading.accounts import Rates
from apps.feeds.tests import trading_stand
from apps.feeds.tests.trading_hand import Hand
from apps.feeds.tests.trading_stand import RICH, Stand, pytest_generate_tests  # noqa: F401 (pytest finds it here)

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")
on = pytest_asyncio.fixture(trading_stand.on, scope="module", loop_scope="module")

BUY = Side.BUY
DUST = Decimal("1e-6")  # exchanges cut what they tell


async def test_balances_tell_what_is_there(on: Stand):
    async with on.account() as anna:
        for asset, row in (await anna.balances()).items():
            assert (row.total, row.free) == (RICH, RICH), asset


async def test_a_resting_order_locks_money_and_its_cancel_frees_it(on: Stand):
    async with on.account() as anna:
        asset = on.pays
        _, both = await anna.rest()
        locked = (await anna.balances())[asset]
        assert locked.total == RICH
        assert locked.free is not None
        assert locked.free < RICH
        await anna.cancel(both)
        freed = (await anna.balances())[asset]
        assert (freed.total, freed.free) == (RICH, RICH)


async def test_what_spot_pays_gets_and_its_fees_are_in_the_balances_to_the_last_digit(on: Stand):
    async with on.account() as anna:
        fills = await _traded(anna)
        after = await anna.balances()
        base, quote = on.instrument.base, on.instrument.quote
        bought = sum(_sign(fill) * fill.amount for fill in fills)
        paid = sum(_sign(fill) * fill.amount * fill.price for fill in fills)
        assert abs(after[base].total - (RICH + bought - _fees(fills, base))) <= DUST
        assert abs(after[quote].total - (RICH - paid - _fees(fills, quote))) <= DUST
        assert sum(fill.fee for fill in fills) == _fees(fills, base) + _fees(fills, quote)


async def test_what_futures_gain_or_lose_and_their_fees_are_in_the_balance_to_the_last_digit(on: Stand):
    async with on.account() as anna:
        fills = await _traded(anna)
        paid = sum(_sign(fill) * fill.amount * fill.price for fill in fills)
        after = (await anna.balances())[on.settle]
        assert {fill.fee_asset for fill in fills} == {on.settle}
        assert abs(after.total - (RICH - paid - _fees(fills, on.settle))) <= DUST
        assert await anna.positions() == []


async def _traded(hand: Hand) -> list[Fill]:
    """Buy and sell the same amount; all executions."""
    first, bought = await hand.bought()
    second, _ = await hand.sold(bought.filled)
    fills = [fill for both in (first, second) for fill in await hand.order_trades(both)]
    assert sum(_sign(fill) * fill.amount for fill in fills) == 0
    return fills


def _sign(fill: Fill) -> int:
    return 1 if fill.side is BUY else -1


def _fees(fills: list[Fill], asset: str) -> Decimal:
    return sum((fill.fee for fill in fills if fill.fee_asset == asset), Decimal(0))


async def test_a_position_is_what_was_bought_and_is_gone_when_it_is_closed(on: Stand):
    async with on.account() as anna:
        assert await anna.positions() == []
        both, _ = await anna.bought()
        fills = await anna.order_trades(both)
        average = sum(fill.price * fill.amount for fill in fills) / on.amount
        [held] = await anna.positions()
        assert (held.symbol, held.amount) == (on.instrument.symbol, on.amount)
        assert held.side in (PositionSide.NET, PositionSide.LONG)
        assert held.entry_price is not None
        assert abs(held.entry_price - average) <= average / 10**6
        await anna.sold(on.amount)
        assert await anna.positions() == []


async def test_a_short_position_is_negative(on: Stand):
    async with on.account() as anna:
        await anna.sold(on.amount)
        [held] = await anna.positions()
        assert (held.symbol, held.amount) == (on.instrument.symbol, -on.amount)
        assert held.side in (PositionSide.NET, PositionSide.SHORT)


async def test_long_and_short_positions_stand_side_by_side_in_hedge_mode(on: Stand):
    async with on.account(hedge=True) as anna:
        await anna.bought(position_side=PositionSide.LONG)
        await anna.sold(on.part, position_side=PositionSide.SHORT)
        held = {row.side: row.amount for row in await anna.positions()}
        assert held == {PositionSide.LONG: on.amount, PositionSide.SHORT: -on.part}
        await anna.sold(on.amount, position_side=PositionSide.LONG, reduce_only=True)
        [left] = await anna.positions()
        assert (left.side, left.amount) == (PositionSide.SHORT, -on.part)


async def test_leverage_and_margin_mode_are_set_and_setting_them_again_is_no_error(on: Stand):
    async with on.account() as anna:
        for leverage in (5, 5, 3):
            await anna.set_leverage(leverage, MarginMode.ISOLATED)
        await anna.bought(leverage=3, margin_mode=MarginMode.ISOLATED)  # some orders carry them
        [truth] = on.truth(anna).positions.values()
        assert (truth.leverage, truth.mode) == (3, "isolated")
        [held] = await anna.positions()
        assert held.leverage in (None, 3)
        assert held.margin_mode in (None, MarginMode.ISOLATED)


async def test_leverage_that_is_not_offered_is_refused(on: Stand):
    async with on.account() as anna:
        with pytest.raises(Refused) as refusal:
            await anna.set_leverage(5_000, MarginMode.CROSS)
        assert str(refusal.value)


async def test_fees_are_those_of_the_account(on: Stand):
    async with on.account() as anna:
        rates = on.truth(anna).rates[on.market] = Rates(Decimal("0.0003"), Decimal("0.0007"))
        fees = await anna.fees()
        assert (fees.maker, fees.taker) == (rates.maker, rates.taker)


async def test_funding_is_paid_once_and_read_back(on: Stand):
    async with on.account() as anna:
        since_ms = anna.now_ms() - 1_000
        assert await anna.funding(since_ms) == []
        await anna.bought()
        await on.post("funding", symbol=on.instrument.symbol, rate="0.0001")
        [payment] = await anna.funding(since_ms)
        [truth] = on.truth(anna).funding
        assert payment.payment_id
        assert (payment.symbol, payment.asset) == (on.instrument.symbol, on.settle)
        assert abs(payment.amount - truth.amount) <= DUST
        assert payment.amount < 0
        assert payment.rate in (None, truth.rate)
        assert abs(payment.exchange_ms - truth.ms) < 1_000
        assert await anna.funding(since_ms) == [payment]


async def test_the_exchanges_time_is_told(on: Stand):
    async with on.account() as anna:
        early = anna.now_ms()
        told = await anna.server_time()
        assert early - 1_000 <= told <= anna.now_ms() + 1_000
        await on.fault(anna, "clock_drift", seconds=7200)
        assert await anna.server_time() >= early + 7_199_000


async def test_a_key_that_may_trade_is_told_as_such(on: Stand):
    async with on.account(permissions=["read", "trade"]) as anna, on.account(permissions=["read"]) as boris:
        trades, reads = await anna.permissions(), await boris.permissions()
        assert (on.trades(trades), on.trades(reads)) == (True, False)
        assert {trades.read, reads.read} <= {True, None}


async def test_a_key_that_may_withdraw_is_told_as_such(on: Stand):
    async with on.account(permissions=["read", "trade", "withdraw"]) as anna:
        assert (await anna.permissions()).withdraw is True
    async with on.account(permissions=["read", "trade"]) as boris:
        assert (await boris.permissions()).withdraw is False
