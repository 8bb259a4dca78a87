"""What fills add up to. CT_EXAMPLES multiplies the number of runs."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from apps.feeds.market import Side
from apps.feeds.orders import Fill, FundingPayment
from apps.trading.portfolio import Holding, Result, result, take_fill, take_funding
from apps.trading.tests.order_events import fill
from apps.trading.tests.risk import FUTURES, SPOT
from tests.sizes import examples

RUNS = settings(max_examples=examples(500), deadline=None, derandomize=True, database=None)
BUY, SELL = Side.BUY, Side.SELL


def held(*trades: tuple[Side, str, str], start: Holding | None = None) -> Holding:
    """After trades of so much at a price, without fees."""
    holding = start or Holding(instrument=FUTURES)
    for side, amount, price in trades:
        number = f"t{len(holding.seen)}"
        free = fill(number, Decimal(amount), Decimal(price), side=side, fee=Decimal(0))
        holding = take_fill(holding, free)
    return holding


@pytest.mark.parametrize(
    ("trades", "amount", "entry", "realised"),
    [
        ([(BUY, "1", "100")], "1", "100", "0"),
        ([(BUY, "1", "100"), (BUY, "3", "104")], "4", "103", "0"),
        ([(BUY, "0.5", "100"), (BUY, "0.5", "104")], "1", "102", "0"),
        ([(BUY, "4", "103"), (SELL, "1", "110")], "3", "103", "7"),
        ([(BUY, "4", "103"), (SELL, "4", "100")], "0", None, "-12"),
        ([(BUY, "1", "100"), (SELL, "3", "90")], "-2", "90", "-10"),
        ([(SELL, "2", "90"), (BUY, "1", "80")], "-1", "90", "10"),
        ([(SELL, "2", "90"), (BUY, "5", "95")], "3", "95", "-10"),
    ],
)
def test_positions_open_grow_close_and_turn(trades: list, amount: str, entry: str | None, realised: str):
    holding = held(*trades)
    assert (holding.amount, holding.realised) == (Decimal(amount), Decimal(realised))
    assert holding.entry_price == (None if entry is None else Decimal(entry))


def test_a_position_is_worth_what_closing_it_would_bring():
    assert held((BUY, "2", "100")).unrealised(Decimal(103)) == 6
    assert held((SELL, "2", "100")).unrealised(Decimal(103)) == -6


def test_a_fill_and_a_payment_that_are_seen_twice_count_once():
    once = take_fill(Holding(instrument=FUTURES), fill("t1", 2))
    assert take_fill(once, fill("t1", 2)) == once
    paid = take_funding(once, payment("f1", "-0.5"))
    assert take_funding(paid, payment("f1", "-0.5")) == paid


def payment(payment_id: str, amount: str) -> FundingPayment:
    return FundingPayment(payment_id=payment_id, symbol="A-PERP", asset="USDT", amount=Decimal(amount), exchange_ms=1)


def test_fees_and_funding_are_kept_apart_from_the_result_by_asset():
    holding = Holding(instrument=FUTURES)
    for number, (fee, asset) in enumerate([("0.1", "USDT"), ("-0.04", "USDT"), ("0.001", "BNB"), ("0", "XYZ")]):
        holding = take_fill(holding, fill(f"t{number}", 1, fee=Decimal(fee), fee_asset=asset))
    for number, amount in enumerate(["-0.5", "0.2"]):
        holding = take_funding(holding, payment(f"f{number}", amount))
    assert holding.fees == {"USDT": Decimal("0.06"), "BNB": Decimal("0.001")}
    assert holding.funding == {"USDT": Decimal("-0.3")}
    assert (holding.realised, holding.cost) == (0, 400)


def test_spot_fees_in_what_is_bought_leave_less_of_it():
    bought = take_fill(Holding(instrument=SPOT), fill("t1", 2, fee=Decimal("0.002"), fee_asset="A"))
    assert (bought.amount, bought.net_amount()) == (2, Decimal("1.998"))
    assert replace(bought, instrument=FUTURES).net_amount() == 2
    assert take_fill(Holding(instrument=SPOT), fill("t1", 2)).net_amount() == 2


def test_a_fill_without_a_side_is_refused():
    with pytest.raises(ValueError, match="fill t1 has no side"):
        take_fill(Holding(instrument=SPOT), fill("t1", 1, side=Side.UNKNOWN))


def test_results_are_told_part_by_part():
    one = held((BUY, "2", "100"), (SELL, "1", "110"))
    one = take_funding(take_fill(one, fill("x", 1, 120, fee=Decimal("0.01"), fee_asset="BNB")), payment("f", "-3"))
    btc = replace(SPOT, pair="B/BTC", base="B", quote="BTC", settle="BTC")
    two = held((BUY, "10", "0.5"), (SELL, "10", "0.6"), start=Holding(instrument=btc))
    rates = {"USDT": Decimal(1), "A": Decimal(130), "BNB": Decimal(500), "BTC": Decimal(1_000)}
    told = result([one, two], rates)
    assert told == Result(realised=Decimal(1_010), unrealised=Decimal(40), fees=Decimal(5), funding=Decimal(-3))
    assert told.total == 1_042
    three = held((BUY, "10", "0.5"), start=Holding(instrument=btc))
    assert result([three], {"BTC": Decimal(1_000), "B": Decimal(600)}) == Result(unrealised=Decimal(1_000))
    with pytest.raises(KeyError, match="BNB"):
        result([one], {"USDT": Decimal(1), "A": Decimal(130)})


TRADES = st.lists(
    st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 10**24), st.integers(1, 10**24)), min_size=1, max_size=12
)


def fills(trades: list[tuple[Side, int, int]]) -> list[Fill]:
    return [
        fill(f"t{number}", Decimal(amount).scaleb(-18), Decimal(price).scaleb(-18), side=side)
        for number, (side, amount, price) in enumerate(trades)
    ]


@RUNS
@given(trades=TRADES)
@example(trades=[(SELL, 1, 1), (SELL, 12195121951219514, 41), (BUY, 12195121951219514, 1)])
def test_no_money_is_made_or_lost_by_reckoning(trades: list[tuple[Side, int, int]]):
    holding, cash, amount = Holding(instrument=FUTURES), Fraction(0), Fraction(0)
    for each in fills(trades):
        holding = take_fill(take_fill(holding, each), each)
        signed = Fraction(each.amount) * (1 if each.side is BUY else -1)
        cash, amount = cash - signed * Fraction(each.price), amount + signed
    assert Fraction(holding.amount) == amount
    assert Fraction(holding.realised) - Fraction(holding.cost) == cash
    assert holding.amount or not holding.cost
    assert holding.cost * holding.amount >= 0
