"""Numbers on an instrument's grid. CT_EXAMPLES multiplies the number of runs."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from apps.feeds.drivers.registry import driver
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import units
from apps.feeds.simulator.hyperliquid import listings as hyperliquid
from apps.feeds.simulator.hyperliquid.orders import OrderError, _check_price
from apps.trading.risk.rounding import (
    amount_down,
    fee_up,
    grain,
    is_on_grid,
    notional,
    price_step,
    price_within,
    slipped,
)
from tests.sizes import examples

RUNS = settings(max_examples=examples(1_000), deadline=None, derandomize=True, database=None)
SIDES = st.sampled_from([Side.BUY, Side.SELL])
MONEY = st.integers(1, 10**37).map(lambda units: Decimal(units).scaleb(-18))  # all that a column holds
STEPS = st.one_of(
    st.integers(-18, 3).map(lambda power: Decimal(1).scaleb(power)),
    st.sampled_from([Decimal("0.5"), Decimal("0.25"), Decimal("0.0005"), Decimal("2.5"), Decimal(5), Decimal("0.125")]),
)
BTC = Instrument(
    exchange="toy",
    market_type=MarketType.FUTURES,
    pair="BTC/USDT",
    symbol="BTC-PERP",
    base="BTC",
    quote="USDT",
    settle="USDT",
    tick=Decimal("0.5"),
    lot=Decimal(1),
    contract_size=Decimal("0.001"),
)


@RUNS
@given(amount=MONEY, lot=STEPS, size=STEPS)
def test_amounts_go_down_to_the_next_step_and_no_further(amount: Decimal, lot: Decimal, size: Decimal):
    instrument = replace(BTC, lot=lot, contract_size=size)
    step, rounded = grain(instrument), amount_down(amount, instrument)
    assert 0 <= Fraction(amount) - Fraction(rounded) < Fraction(step)
    assert (Fraction(rounded) / Fraction(step)).denominator == 1
    assert not rounded or amount_down(rounded, instrument) == rounded


@RUNS
@given(contracts=st.integers(1, 10**9), size=st.sampled_from(["1", "0.001", "0.01", "100", "0.0001"]))
def test_contracts_and_base_currency_turn_into_each_other_exactly(contracts: int, size: str):
    instrument = replace(BTC, contract_size=Decimal(size))
    amount = amount_down(contracts * Decimal(size), instrument)
    assert units(amount, instrument) == contracts


@RUNS
@given(limit=MONEY, tick=STEPS, side=SIDES)
def test_a_price_is_never_worse_than_the_limit_and_less_than_a_tick_better(limit: Decimal, tick: Decimal, side: Side):
    instrument = replace(BTC, tick=tick)
    if side is Side.BUY and limit < tick:
        with pytest.raises(ValueError, match="less than a tick"):
            price_within(limit, side, instrument)
        return
    price = price_within(limit, side, instrument)
    better = Fraction(limit) - Fraction(price) if side is Side.BUY else Fraction(price) - Fraction(limit)
    assert 0 <= better < Fraction(tick)
    assert (Fraction(price) / Fraction(tick)).denominator == 1
    assert price_within(price, side, instrument) == price


PERPETUALS = {one.symbol: one for one in hyperliquid.listings() if one.category == hyperliquid.MAIN}
META = json.encode(hyperliquid.meta(list(PERPETUALS.values())))
FEW_DIGITS = st.sampled_from(driver("hyperliquid").parse_instruments(MarketType.FUTURES, META).instruments)
PRICES = st.tuples(st.integers(1, 10**9), st.integers(-7, 0)).map(lambda parts: Decimal(parts[0]).scaleb(parts[1]))


def takes(instrument: Instrument, price: Decimal) -> bool:
    """Whether the exchange that counts a price's digits takes it, by its own rule."""
    try:
        _check_price(PERPETUALS[instrument.symbol], price)
    except OrderError:
        return False
    return True


@RUNS
@given(limit=PRICES, side=SIDES, instrument=FEW_DIGITS)
def test_a_price_of_few_digits_is_never_worse_than_the_limit_and_taken(
    limit: Decimal, side: Side, instrument: Instrument
):
    if side is Side.BUY and limit < instrument.tick:
        with pytest.raises(ValueError, match="less than a tick"):
            price_within(limit, side, instrument)
        return
    price = price_within(limit, side, instrument)
    better = limit - price if side is Side.BUY else price - limit
    assert 0 <= better < price_step(limit, instrument)
    assert takes(instrument, price)
    assert price_within(price, side, instrument) == price


@RUNS
@given(price=PRICES, instrument=FEW_DIGITS)
def test_a_price_is_on_the_grid_where_digits_are_counted_exactly_if_the_exchange_takes_it(
    price: Decimal, instrument: Instrument
):
    assert is_on_grid(price, price_step(price, instrument)) == takes(instrument, price)


@pytest.mark.parametrize(
    ("limit", "side", "price"),
    [
        *(("12345.6", Side.BUY, "12345"), ("12345.6", Side.SELL, "12346"), ("123456", Side.BUY, "123456")),
        *(("123456.5", Side.SELL, "123457"), ("9999.95", Side.SELL, "10000"), ("1.23456", Side.BUY, "1.2345")),
        *(("0.00123456", Side.SELL, "0.001235"), ("0.00123456", Side.BUY, "0.001234")),
    ],
)
def test_five_digits_are_kept_or_a_whole_number(limit: str, side: Side, price: str):
    instrument = replace(BTC, tick=Decimal("0.000001"), price_digits=5)
    assert price_within(Decimal(limit), side, instrument) == Decimal(price)


@RUNS
@given(amount=MONEY, price=MONEY, rate=st.integers(-1000, 1000))
def test_a_notional_is_exact_and_a_fee_is_rounded_against_us(amount: Decimal, price: Decimal, rate: int):
    value = notional(amount, price, BTC)
    assert Fraction(value) == Fraction(amount) * Fraction(price)
    exact = Fraction(value) * Fraction(rate, 10**6)
    assert 0 <= Fraction(fee_up(value, Decimal(rate).scaleb(-6))) - exact < Fraction(1, 10**18)


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "100.5"), (Side.SELL, "99.5")])
def test_a_market_order_may_slip_so_far_and_no_further(side: Side, price: str):
    assert slipped(Decimal(100), side, Decimal("0.005"), BTC) == Decimal(price)
    assert slipped(Decimal(100), side, Decimal("0.0074"), BTC) == Decimal(price)


def test_the_grid_knows_its_steps():
    assert is_on_grid(Decimal("1.5"), Decimal("0.5"))
    assert not is_on_grid(Decimal("1.6"), Decimal("0.5"))


@pytest.mark.parametrize("number", ["0", "-1", "NaN", "Infinity", "-Infinity"])
def test_what_is_no_positive_number_is_refused(number: str):
    bad, good = Decimal(number), Decimal(1)
    for broken in (
        lambda: amount_down(bad, BTC),
        lambda: price_within(bad, Side.BUY, BTC),
        lambda: slipped(bad, Side.BUY, Decimal(0), BTC),
        lambda: notional(bad, good, BTC),
        lambda: notional(good, bad, BTC),
        lambda: grain(replace(BTC, lot=bad)),
        lambda: grain(replace(BTC, contract_size=bad)),
        lambda: price_within(good, Side.BUY, replace(BTC, tick=bad)),
    ):
        with pytest.raises(ValueError, match="is not a positive number"):
            broken()


def test_inverse_contracts_and_orders_without_a_side_are_refused():
    with pytest.raises(ValueError, match="BTC-PERP: inverse contracts are not traded"):
        notional(Decimal(1), Decimal(1), replace(BTC, inverse=True))
    with pytest.raises(ValueError, match="an order has a side"):
        price_within(Decimal(1), Side.UNKNOWN, BTC)
