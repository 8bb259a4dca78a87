"""The gate itself: what comes out of it, and that nothing else does."""

import dataclasses
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from msgspec import structs

import apps.trading
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import MarginMode, NewOrder, OrderType, PositionSide, TimeInForce
from apps.trading.intent import OrderIntent, Purpose
from apps.trading.risk.gate import CONTROLS, ApprovedOrder, Denied, approve
from apps.trading.risk.limits import Limits
from apps.trading.risk.market import symbol_rules
from apps.trading.risk.view import DeadMan, DenyReason, Mismatch, Parent, RiskView
from apps.trading.tests.risk import FUTURES, SPOT, TOP, held, intent, proposal, sent, verdict, view, working


def approved(wanted: OrderIntent, seen: RiskView) -> ApprovedOrder:
    result = approve(wanted, seen)
    assert isinstance(result, ApprovedOrder), result
    return result


def test_all_controls_that_judge_an_order_are_in_the_table():
    assert {control.number for control in CONTROLS} == set(range(1, 23))


def test_reasons_are_stable_words():
    assert all(reason.name == reason.value for reason in DenyReason)
    assert " ".join(DenyReason) == (
        "NOT_A_NUMBER MISSING FAILED NOT_REDUCING LIVE_OFF HALTED ONLY_REDUCING NOT_CONFIRMED ORDER_TOO_LARGE "
        "TOO_LARGE_FOR_DEPTH OUTSIDE_COLLAR NO_BOOK BOOK_NOT_LIVE BOOK_TOO_OLD CLOCK_UNSURE TOO_MANY_OF_PAIR "
        "TOO_MANY_OF_ACCOUNT ASSET_EXPOSURE ACCOUNT_EXPOSURE LEVERAGE NOT_ISOLATED BALANCE DAY_LOSS ORDER_RATE "
        "EXCHANGE_RATE REPEATED_EXECUTION DUPLICATE EXCEEDS_PARENT SELF_TRADE LANE_UNKNOWN "
        "UNKNOWN_BREAKER LANE_PAUSED REJECT_BREAKER MISMATCH UNHEDGED BUILD ALERT_UNACKED DEAD_MAN NOT_TRADING "
        "TOO_SMALL"
    )


def test_an_approved_order_is_asked_for_exactly_so():
    wanted = intent(
        Side.SELL,
        instrument=FUTURES,
        leverage=3,
        position_side=PositionSide.LONG,
        tif=TimeInForce.POST_ONLY,
        reduce_only=True,
        purpose=Purpose.CLOSE,
    )
    assert approved(wanted, view(holdings=(held("5", FUTURES, PositionSide.LONG),))).order("c1", 12) == NewOrder(
        instrument=FUTURES,
        client_order_id="c1",
        side=Side.SELL,
        type=OrderType.LIMIT,
        expires_ms=12,
        amount=Decimal("0.5"),
        price=Decimal(100),
        tif=TimeInForce.POST_ONLY,
        reduce_only=True,
        position_side=PositionSide.LONG,
        margin_mode=MarginMode.ISOLATED,
        leverage=3,
    )


def test_spot_orders_are_not_called_reduce_only():
    wanted = intent(Side.SELL, reduce_only=True)
    order = approved(wanted, view(holdings=(held("5"),))).order("c1", 12)
    assert (order.instrument.market_type, order.reduce_only) == (MarketType.SPOT, False)
    assert approved(intent(margin_mode=MarginMode.CROSS), view()).order("c1", 12).margin_mode is MarginMode.CROSS


def test_nobody_else_makes_or_changes_an_approved_order():
    order = approved(intent(), view())
    with pytest.raises(TypeError, match=r"^only risk approves orders$"):
        dataclasses.replace(order, amount=Decimal(9))
    fields = (order.intent, order.amount, order.price, order.tif, order.reservation)
    for seal in ((), (None,), (object(),)):
        with pytest.raises(TypeError, match=r"^only risk approves orders$"):
            ApprovedOrder(*fields, *seal)
    with pytest.raises(dataclasses.FrozenInstanceError):
        order.amount = Decimal(9)  # type: ignore[misc]
    root = Path(apps.trading.__file__).parent
    assert [path.name for path in root.rglob("*.py") if "tests" not in path.parts and "_GATE" in path.read_text()] == [
        "gate.py"
    ]


BAD = [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity"), 1.5]
NUMBERS = {
    "day_result_usdt": lambda bad: bad,
    "equity_usdt": lambda bad: bad,
    "exchange_load": lambda bad: bad,
    "clock_error_ms": lambda bad: bad,
    "free": lambda bad: {"USDT": bad},
    "rates": lambda bad: {"USDT": Decimal(1), "A": bad},
    "top": lambda bad: structs.replace(TOP, bid=bad),
    "limits": lambda bad: Limits(max_order_usdt=bad),
    "holdings": lambda bad: (structs.replace(held("1"), amount=bad),),
    "working": lambda bad: (structs.replace(working(), held=bad),),
    "sent": lambda bad: (structs.replace(sent(10), price=bad),),
    "parent": lambda bad: Parent(amount=bad, committed=Decimal(0)),
    "mismatch": lambda bad: Mismatch(lots=bad, since_ms=0),
}


@pytest.mark.parametrize("bad", BAD, ids=str)
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_denies_wherever_it_stands(name: str, bad: Decimal):
    assert verdict(intent(), view(**{name: NUMBERS[name](bad)})) == "0 NOT_A_NUMBER"


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_an_intent_of_no_number_is_denied(bad: Decimal):
    assert verdict(structs.replace(intent(), amount=bad), view()) == "0 NOT_A_NUMBER"
    assert verdict(structs.replace(intent(), price=bad), view()) == "0 NOT_A_NUMBER"
    odd = structs.replace(SPOT, tick=bad)
    assert verdict(intent(instrument=odd), view()) == "0 NOT_A_NUMBER"


@pytest.mark.parametrize(
    "wanted",
    [
        intent(amount="0"),
        intent(amount="-1"),
        intent(price="0"),
        intent(price="-1"),
        intent(price="0.001"),
        intent(Side.UNKNOWN),
        intent(instrument=structs.replace(SPOT, inverse=True)),
        intent(instrument=structs.replace(SPOT, lot=Decimal(0))),
        intent(instrument=structs.replace(SPOT, tick=Decimal(0))),
    ],
)
def test_nonsense_is_denied_before_the_controls(wanted: OrderIntent):
    assert verdict(wanted, view()) == "0 FAILED"


def test_a_limit_order_without_a_price_is_denied():
    assert verdict(intent(price=None, type=OrderType.LIMIT), view()) == "0 MISSING"


def test_a_control_that_fails_denies_and_is_named():
    broken = view(dead_man="not a timer", mismatch=None)
    assert approve(intent(), broken) == Denied(
        reason=DenyReason.FAILED, control=21, text="AttributeError: 'str' object has no attribute 'fired'"
    )
    assert verdict(intent(), view(sent=None)) == "10 FAILED"
    assert verdict(intent(), view(dead_man=DeadMan(deadline_ms=None, fired=False))) == "OK"
    assert approve(intent(), view(parent=None)) == Denied(reason=DenyReason.MISSING, control=13)


def test_r22_denies_what_is_off_the_grid_though_it_was_brought_onto_it():
    on = proposal(intent(), view())
    assert symbol_rules(on, view()) is None
    assert symbol_rules(structs.replace(on, amount=Decimal("0.5005")), view()) is DenyReason.TOO_SMALL
    assert symbol_rules(structs.replace(on, price=Decimal("100.005")), view()) is DenyReason.TOO_SMALL


def test_money_is_not_rounded_on_its_way_through_the_gate():
    tiny = structs.replace(SPOT, lot=Decimal("1e-18"), tick=Decimal("1e-18"), min_notional=None, min_amount=None)
    amount, price = "0.123456789012345678", "100.123456789012345678"
    order = approved(intent(amount=amount, price=price, instrument=tiny), view())
    assert (order.amount, order.price) == (Decimal(amount), Decimal(price))
    needed = Fraction(amount) * Fraction(price) * Fraction("1.002")
    assert order.reservation.asset == "USDT"
    assert 0 <= Fraction(order.reservation.amount) - needed < Fraction(1, 10**18)
    over = intent(amount="1.0000000001", price="99.999999990000000001", instrument=tiny)  # by 1e-28
    assert verdict(over, view()) == "2 ORDER_TOO_LARGE"


@pytest.mark.parametrize(("age_ms", "is_old"), [(5_000, False), (5_001, True)])
def test_an_intent_grows_old(age_ms: int, is_old: bool):
    wanted = intent()
    assert wanted.is_too_old(wanted.created_ms + age_ms) is is_old
