"""Controls that hold an order against its market, each at its boundary."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.market import BookState, InstrumentStatus, Side
from apps.feeds.orders import OrderType, TimeInForce
from apps.trading.intent import Purpose
from apps.trading.risk.gate import ApprovedOrder, approve
from apps.trading.risk.market import symbol_rules
from apps.trading.risk.view import DenyReason
from apps.trading.tests.risk import FUTURES, SPOT, TOP, held, intent, limits, proposal, verdict, view


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_an_order_that_breaks_no_rule_is_approved(side: Side):
    assert verdict(intent(side), view()) == "OK"


@pytest.mark.parametrize(
    ("amount", "price", "expected"),
    [("1", "100", "OK"), ("1", "100.01", "2 ORDER_TOO_LARGE"), ("1.001", "100", "2 ORDER_TOO_LARGE")],
)
def test_r2_an_order_is_worth_no_more_than_its_limit(amount: str, price: str, expected: str):
    assert verdict(intent(amount=amount, price=price), view()) == expected


def test_r2_values_what_is_quoted_in_another_currency():
    btc = replace(SPOT, pair="A/BTC", quote="BTC", min_notional=None)
    rates = {"USDT": Decimal(1), "A": Decimal(100), "BTC": Decimal("200.1")}
    top = replace(TOP, bid=Decimal("0.499"), ask=Decimal("0.501"))
    seen = view(rates=rates, top=top, free={"BTC": Decimal(10)})
    assert verdict(intent(amount="0.999", price="0.5", instrument=btc), seen) == "OK"
    assert verdict(intent(amount="1", price="0.5", instrument=btc), seen) == "2 ORDER_TOO_LARGE"


@pytest.mark.parametrize("rate", [None, "0", "-1"])
def test_r2_a_currency_without_a_rate_is_not_guessed(rate: str | None):
    rates = {"A": Decimal(100)} | ({} if rate is None else {"USDT": Decimal(rate)})
    assert verdict(intent(), view(rates=rates)) == "0 MISSING"


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_r3_an_order_takes_no_more_than_a_quarter_of_the_side_that_it_hits(side: Side):
    hit = "ask_depth" if side is Side.BUY else "bid_depth"
    assert verdict(intent(side), view(top=replace(TOP, **{hit: Decimal(2)}))) == "OK"
    thin = view(top=replace(TOP, **{hit: Decimal("1.999")}))
    assert verdict(intent(side), thin) == "3 TOO_LARGE_FOR_DEPTH"


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize(("price", "expected"), [("98", "OK"), ("102", "OK"), ("97.99", "no"), ("102.01", "no")])
def test_r4_a_limit_stays_within_two_percent_of_the_mid(side: Side, price: str, expected: str):
    assert verdict(intent(side, price=price), view()) == ("OK" if expected == "OK" else "4 OUTSIDE_COLLAR")


def test_r4_a_pair_may_have_a_wider_collar():
    assert verdict(intent(price="109"), view(limits=limits(collar_share=Decimal("0.1")))) == "OK"


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "100.60"), (Side.SELL, "99.41")])
def test_r4_an_order_at_the_market_becomes_one_with_a_limit_of_which_nothing_rests(side: Side, price: str):
    approved = approve(intent(side, price=None), view())
    assert isinstance(approved, ApprovedOrder)
    assert (approved.price, approved.tif) == (Decimal(price), TimeInForce.IOC)
    assert approved.order("c1", 5).type is OrderType.LIMIT


@pytest.mark.parametrize(("amount", "side", "price"), [("-5", Side.BUY, "101.1"), ("5", Side.SELL, "98.91")])
def test_r4_flattening_may_slip_one_percent(amount: str, side: Side, price: str):
    seen = view(holdings=(held(amount, FUTURES),), flatten_confirmed=True)
    wanted = intent(side, price=None, instrument=FUTURES, purpose=Purpose.FLATTEN, reduce_only=True)
    approved = approve(wanted, seen)
    assert isinstance(approved, ApprovedOrder)
    assert approved.price == Decimal(price)


def test_r4_an_order_at_the_market_across_a_wide_spread_is_outside_the_collar():
    wide = replace(TOP, bid=Decimal(95), ask=Decimal(105))
    assert verdict(intent(price=None), view(top=wide)) == "4 OUTSIDE_COLLAR"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"age_ms": 5_000}, "OK"),
        ({"age_ms": 0}, "OK"),
        ({"age_ms": 5_001}, "5 BOOK_TOO_OLD"),
        ({"age_ms": -1}, "5 BOOK_TOO_OLD"),
        ({"owner_is_current": False}, "5 BOOK_NOT_LIVE"),
        ({"bid": Decimal("100.1")}, "5 BOOK_NOT_LIVE"),
        ({"bid": Decimal("100.2")}, "5 BOOK_NOT_LIVE"),
        ({"bid": Decimal(0)}, "5 BOOK_NOT_LIVE"),
        *[({"state": state}, "5 BOOK_NOT_LIVE") for state in BookState if state is not BookState.LIVE],
    ],
)
def test_r5_only_a_fresh_live_book_is_traded_on(changes: dict, expected: str):
    assert verdict(intent(), view(top=replace(TOP, **changes))) == expected


@pytest.mark.parametrize(("age_ms", "expected"), [(1_000, "OK"), (1_001, "5 BOOK_TOO_OLD")])
def test_r5_a_leg_of_an_arbitrage_needs_a_younger_book(age_ms: int, expected: str):
    assert verdict(intent(arbitrage_id=1), view(top=replace(TOP, age_ms=age_ms))) == expected


def test_r5_without_a_book_nothing_is_sent():
    assert verdict(intent(), view(top=None)) == "5 NO_BOOK"
    assert verdict(intent(price=None), view(top=None)) == "0 NO_BOOK"


@pytest.mark.parametrize(
    ("error", "expected"),
    [(250, "OK"), (-250, "OK"), (251, "5 CLOCK_UNSURE"), (-251, "5 CLOCK_UNSURE"), (None, "5 MISSING")],
)
def test_r5_an_unsure_clock_sends_nothing(error: int | None, expected: str):
    assert verdict(intent(), view(clock_error_ms=error)) == expected


@pytest.mark.parametrize("status", [each for each in InstrumentStatus if each is not InstrumentStatus.TRADING])
def test_r22_what_is_not_trading_is_not_traded(status: InstrumentStatus):
    assert verdict(intent(instrument=replace(SPOT, status=status)), view()) == "22 NOT_TRADING"


@pytest.mark.parametrize(
    ("amount", "price", "instrument", "expected"),
    [
        ("0.05", "100", SPOT, "OK"),
        ("0.0505", "99.01", SPOT, "22 TOO_SMALL"),  # the notional
        ("0.049", "100", SPOT, "22 TOO_SMALL"),
        ("0.05", "99.99", SPOT, "22 TOO_SMALL"),
        ("0.0009", "100", SPOT, "0 TOO_SMALL"),
        ("0.5", "100", replace(SPOT, min_amount=Decimal("0.5")), "OK"),
        ("0.499", "100", replace(SPOT, min_amount=Decimal("0.5")), "22 TOO_SMALL"),
        ("0.5", "100", replace(FUTURES, min_amount=Decimal(5)), "OK"),  # in contracts
        ("0.5", "100", replace(FUTURES, min_amount=Decimal(6)), "22 TOO_SMALL"),
        ("0.01", "100", replace(SPOT, min_amount=None, min_notional=None), "OK"),
    ],
)
def test_r22_an_order_is_as_large_as_the_exchange_wants(amount: str, price: str, instrument, expected: str):
    assert verdict(intent(amount=amount, price=price, instrument=instrument), view()) == expected


@pytest.mark.parametrize(("price", "is_right"), [("123.45", True), ("1234.5", True), ("1234.56", False)])
def test_r22_a_price_has_no_more_digits_than_the_exchange_takes(price: str, is_right: bool):
    few = replace(SPOT, price_digits=5)
    found = replace(proposal(intent(instrument=few), view()), price=Decimal(price))
    assert symbol_rules(found, view()) == (None if is_right else DenyReason.TOO_SMALL)


def test_r22_amounts_go_down_and_prices_never_get_worse():
    approved = approve(intent(amount="0.50099", price="100.009"), view())
    assert isinstance(approved, ApprovedOrder)
    assert (approved.amount, approved.price) == (Decimal("0.5"), Decimal(100))
    approved = approve(intent(Side.SELL, amount="0.59", price="100.001", instrument=FUTURES), view())
    assert isinstance(approved, ApprovedOrder)
    assert (approved.amount, approved.price) == (Decimal("0.5"), Decimal("100.01"))
