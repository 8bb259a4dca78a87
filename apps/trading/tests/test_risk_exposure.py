"""What an account stands to lose, at the boundary of each control."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.market import Side
from apps.feeds.orders import MarginMode, OrderStatus, OrderType, PositionSide
from apps.trading.risk.exposure import Reservation, reducing, reservation
from apps.trading.risk.gate import ApprovedOrder, approve
from apps.trading.risk.view import Parent
from apps.trading.tests.risk import FUTURES, SPOT, TOP, held, intent, limits, proposal, verdict, view, working

BUY, SELL = Side.BUY, Side.SELL
OTHER = replace(SPOT, pair="B/USDT", symbol="BUSDT", base="B")
UNSURE = [None, OrderStatus.PENDING, OrderStatus.UNKNOWN, OrderStatus.OPEN, OrderStatus.PARTIAL]
FAR = {"price": "98.5"}


def queue(count: int, **changes) -> tuple:
    return tuple(working(rest="0.05", intent_id=100 + number, **FAR, **changes) for number in range(count))


@pytest.mark.parametrize("status", UNSURE)
def test_r6_a_pair_has_no_more_than_five_open_orders_whatever_is_known_of_them(status):
    four = "15 LANE_UNKNOWN" if status is OrderStatus.UNKNOWN else "OK"
    assert verdict(intent(), view(working=queue(4, status=status))) == four
    assert verdict(intent(), view(working=queue(5, status=status))) == "6 TOO_MANY_OF_PAIR"


def test_r6_an_account_has_no_more_than_twenty():
    others = queue(19, instrument=OTHER)
    rates = {"USDT": Decimal(1), "A": Decimal(100), "B": Decimal(100)}
    assert verdict(intent(), view(working=others, rates=rates)) == "OK"
    assert verdict(intent(), view(working=queue(20, instrument=OTHER), rates=rates)) == "6 TOO_MANY_OF_ACCOUNT"
    assert verdict(intent(), view(working=queue(20, instrument=OTHER, account_id=8), rates=rates)) == "OK"


def test_r6_an_intent_does_not_count_itself_but_its_earlier_attempts():
    four, itself = queue(4), working(rest="0.05", intent_id=50, status=None, **FAR)
    assert verdict(intent(), view(working=(*four, itself))) == "OK"
    tried = replace(itself, status=OrderStatus.OPEN)
    assert verdict(intent(), view(working=(*four, tried))) == "6 TOO_MANY_OF_PAIR"


@pytest.mark.parametrize("status", [None, OrderStatus.PENDING, OrderStatus.OPEN, OrderStatus.PARTIAL])
@pytest.mark.parametrize(
    ("have", "waits", "expected"),
    [("4.5", "5", "OK"), ("4.5", "5.001", "7 ASSET_EXPOSURE"), ("4.501", "5", "7 ASSET_EXPOSURE")],
)
def test_r7_an_asset_counts_with_all_that_may_still_be_bought(status, have: str, waits: str, expected: str):
    seen = view(holdings=(held(have),), working=(working(rest=waits, status=status, **FAR),))
    assert verdict(intent(), seen) == expected


@pytest.mark.parametrize(("waits", "expected"), [("9.5", "OK"), ("9.501", "7 ASSET_EXPOSURE")])
def test_r7_what_is_sold_short_counts_like_what_is_bought(waits: str, expected: str):
    others = (working(SELL, waits, "102", instrument=FUTURES),)
    assert verdict(intent(SELL, instrument=FUTURES), view(working=others)) == expected
    short = (held(f"-{waits}", FUTURES),)
    assert verdict(intent(SELL, instrument=FUTURES), view(holdings=short)) == expected


def test_r7_orders_of_both_sides_do_not_balance_each_other():
    others = (working(BUY, "9.8", "98.5"), working(SELL, "5", "102"))
    assert verdict(intent(), view(working=others)) == "7 ASSET_EXPOSURE"


def test_r7_the_dearer_of_mark_and_limit_counts():
    seen = view(holdings=(held("9.5"),), rates={"USDT": Decimal(1), "A": Decimal(99)})
    assert verdict(intent(), seen) == "OK"
    assert verdict(intent(price="100.01"), seen) == "7 ASSET_EXPOSURE"
    assert verdict(intent(), view(holdings=(held("9.5"),), rates={"USDT": Decimal(1), "A": Decimal("100.01")})) == (
        "7 ASSET_EXPOSURE"
    )


def test_r7_an_account_counts_all_its_assets():
    rates = {"USDT": Decimal(1), "A": Decimal(100), "B": Decimal(10)}
    most = limits(max_asset_usdt=Decimal(50_000))
    exactly = view(holdings=(held("495", OTHER),), rates=rates, limits=most)
    assert verdict(intent(), exactly) == "OK"
    over = view(holdings=(held("495.001", OTHER),), rates=rates, limits=most)
    assert verdict(intent(), over) == "7 ACCOUNT_EXPOSURE"
    assert verdict(intent(), replace(over, holdings=(held("-495.001", OTHER),))) == "7 ACCOUNT_EXPOSURE"


def test_r7_an_asset_counts_on_all_its_instruments_together():
    both = view(holdings=(held("5"), held("4.5", FUTURES)))
    assert verdict(intent(), both) == "OK"
    assert verdict(intent(), replace(both, holdings=(held("5"), held("4.501", FUTURES)))) == "7 ASSET_EXPOSURE"


def test_r7_values_what_is_quoted_in_another_currency_and_what_is_cheap():
    btc = replace(SPOT, pair="A/BTC", quote="BTC", min_notional=None)
    top = replace(TOP, bid=Decimal("0.499"), ask=Decimal("0.501"))
    rates = {"USDT": Decimal(1), "A": Decimal("0.5"), "BTC": Decimal(200)}
    seen = view(rates=rates, top=top, free={"BTC": Decimal(10)}, holdings=(held("9.5", btc),))
    assert verdict(intent(price="0.5", instrument=btc), seen) == "OK"
    assert verdict(intent(price="0.51", instrument=btc), seen) == "7 ASSET_EXPOSURE"


@pytest.mark.parametrize("rates", [{}, {"B": Decimal(0)}, {"B": Decimal(-1)}])
def test_r7_an_asset_without_a_price_denies(rates: dict):
    rates = {"USDT": Decimal(1), "A": Decimal(100), **rates}
    assert verdict(intent(), view(holdings=(held("1", OTHER),), rates=rates)) == "7 MISSING"
    assert verdict(intent(), view(working=(working(instrument=OTHER),), rates=rates)) == "7 MISSING"
    assert verdict(intent(), view(rates={"USDT": Decimal(1)})) == "7 MISSING"


@pytest.mark.parametrize(
    ("asked", "account", "expected"),
    [(3, None, "OK"), (4, 1, "7 LEVERAGE"), (None, 3, "OK"), (None, 4, "7 LEVERAGE"), (1, 9, "OK")]
    + [(0, 1, "7 LEVERAGE"), (None, None, "7 MISSING")],
)
def test_r7_futures_are_traded_with_threefold_leverage_at_most(asked, account, expected: str):
    assert verdict(intent(instrument=FUTURES, leverage=asked), view(leverage=account)) == expected


def test_r7_futures_are_traded_with_isolated_margin():
    assert verdict(intent(instrument=FUTURES, margin_mode=MarginMode.CROSS), view()) == "7 NOT_ISOLATED"
    assert verdict(intent(margin_mode=MarginMode.CROSS), view(leverage=None)) == "OK", "spot has no margin"


def test_r7_what_only_reduces_is_never_held_up_by_the_exposure():
    seen = view(holdings=(held("50"),), free={"A": Decimal(50)})
    assert verdict(intent(SELL), seen) == "OK"
    short = view(holdings=(held("-50", FUTURES),), leverage=9)
    assert verdict(intent(instrument=FUTURES, reduce_only=True), short) == "OK"


@pytest.mark.parametrize(
    ("side", "have", "waits", "expected"),
    [
        (SELL, "0.5", "0", True),
        (SELL, "0.499", "0", False),
        (SELL, "1", "0.5", True),
        (SELL, "1", "0.501", False),
        (SELL, "-1", "0", False),
        (BUY, "-0.5", "0", True),
        (BUY, "-0.499", "0", False),
        (BUY, "1", "0", False),
    ],
)
def test_an_order_reduces_if_it_cannot_turn_the_position(side: Side, have: str, waits: str, expected: bool):
    others = (working(side, waits, None), working(BUY if side is SELL else SELL, "9", None))
    elsewhere = (held("9", OTHER), held("-9", FUTURES), held(have))
    seen = view(holdings=elsewhere, working=(*others, working(side, "9", None, account_id=8)))
    assert reducing(intent(side), Decimal("0.5"), seen) is expected


def test_on_futures_only_an_order_that_says_so_reduces():
    seen = view(holdings=(held("-5", FUTURES),))
    assert reducing(intent(instrument=FUTURES, reduce_only=True), Decimal("0.5"), seen)
    assert not reducing(intent(instrument=FUTURES), Decimal("0.5"), seen)


@pytest.mark.parametrize("instrument", [SPOT, FUTURES])
def test_an_order_that_says_that_it_reduces_and_does_not_is_denied(instrument):
    assert verdict(intent(SELL, reduce_only=True, instrument=instrument), view()) == "0 NOT_REDUCING"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (intent(BUY), ("USDT", "50.1")),
        (intent(SELL), ("A", "0.5")),
        (intent(BUY, instrument=FUTURES), ("USDT", "25.1")),
        (intent(SELL, instrument=FUTURES), ("USDT", "25.1")),
        (intent(BUY, instrument=FUTURES, leverage=3), ("USDT", "16.766666666666666667")),
        (intent(BUY, instrument=FUTURES, leverage=1), ("USDT", "50.1")),
    ],
)
def test_r8_so_much_is_set_aside_with_fees(wanted, expected):
    approved = approve(wanted, view())
    assert isinstance(approved, ApprovedOrder)
    assert approved.reservation == Reservation(asset=expected[0], amount=Decimal(expected[1]))


def test_r8_closing_a_futures_position_needs_nothing():
    seen = view(holdings=(held("5", FUTURES),), free={}, leverage=None)
    wanted = intent(SELL, instrument=FUTURES, reduce_only=True)
    approved = approve(wanted, seen)
    assert isinstance(approved, ApprovedOrder)
    assert approved.reservation == Reservation(asset="USDT", amount=Decimal(0))
    with pytest.raises(ValueError, match=r"^no leverage$"):
        reservation(replace(proposal(wanted, seen), reduces=False), seen)


@pytest.mark.parametrize(
    ("free", "reserved"), [("-5", "0"), ("10", "50")], ids=["a loss has eaten the margin", "an order in doubt holds it"]
)
def test_r8_closing_a_futures_position_passes_with_less_than_nothing_free(free: str, reserved: str):
    in_doubt = working(status=OrderStatus.UNKNOWN, instrument=OTHER, held_asset="USDT", held=Decimal(reserved))
    rates = {"USDT": Decimal(1), "A": Decimal(100), "B": Decimal(100)}
    seen = view(
        holdings=(held("5", FUTURES),), free={"USDT": Decimal(free)}, working=(in_doubt,), rates=rates, leverage=None
    )
    assert verdict(intent(SELL, instrument=FUTURES, reduce_only=True), seen) == "OK"


@pytest.mark.parametrize("settle", ["USDC"])
def test_r8_futures_are_paid_for_in_what_they_settle_in(settle: str):
    instrument = replace(FUTURES, settle=settle)
    assert verdict(intent(instrument=instrument), view()) == "8 BALANCE"
    assert verdict(intent(instrument=instrument), view(free={settle: Decimal(26)})) == "OK"


@pytest.mark.parametrize(
    ("side", "asset", "free", "expected"),
    [
        (BUY, "USDT", "50.1", "OK"),
        (BUY, "USDT", "50.0999", "8 BALANCE"),
        (SELL, "A", "0.5", "OK"),
        (SELL, "A", "0.4999", "8 BALANCE"),
    ],
)
def test_r8_an_order_needs_its_balance_beside_what_others_hold(side: Side, asset: str, free: str, expected: str):
    assert verdict(intent(side), view(free={asset: Decimal(free)})) == expected
    reserved = tuple(
        working(side, "0.05", instrument=OTHER, held_asset=at, held=Decimal(much), account_id=number)
        for at, much, number in ((asset, 4, 7), (asset, 3, 7), ("XYZ", 9, 7), (asset, 5, 8))
    )
    rates = {"USDT": Decimal(1), "A": Decimal(100), "B": Decimal(100)}
    seen = view(free={asset: Decimal(free) + 7}, working=reserved, rates=rates)
    assert verdict(intent(side), seen) == expected


def test_r8_an_asset_that_is_not_there_pays_for_nothing():
    assert verdict(intent(), view(free={})) == "8 BALANCE"


@pytest.mark.parametrize(("committed", "expected"), [("9.5", "OK"), ("9.501", "13 EXCEEDS_PARENT")])
def test_r13_the_parts_are_together_no_more_than_the_whole(committed: str, expected: str):
    whole = Parent(amount=Decimal(10), committed=Decimal(committed))
    assert verdict(intent(), view(parent=whole)) == expected


def test_r13_without_a_whole_there_is_no_part():
    assert verdict(intent(), view(parent=None)) == "13 MISSING"


@pytest.mark.parametrize("account_id", [7, 8])
@pytest.mark.parametrize(
    ("side", "resting", "expected"),
    [
        (BUY, "100", "14 SELF_TRADE"),
        (BUY, "99.99", "14 SELF_TRADE"),
        (BUY, "100.01", "OK"),
        (BUY, None, "14 SELF_TRADE"),
        (SELL, "100", "14 SELF_TRADE"),
        (SELL, "100.01", "14 SELF_TRADE"),
        (SELL, "99.99", "OK"),
        (SELL, None, "14 SELF_TRADE"),
    ],
)
def test_r14_no_order_meets_one_of_our_own(side: Side, resting: str | None, expected: str, account_id: int):
    other_side = SELL if side is BUY else BUY
    met = working(other_side, "0.5", resting, account_id=account_id)
    same_side = working(side, "0.5", resting)
    assert verdict(intent(side), view(working=(same_side, met))) == expected
    assert verdict(intent(side), view(working=(same_side,))) == "OK"
    assert verdict(intent(side), view(working=(replace(met, instrument=FUTURES),))) == "OK"


def test_r14_an_order_at_the_market_meets_what_its_limit_reaches():
    met = working(SELL, "0.5", "100.6")
    assert verdict(intent(price=None), view(working=(met,))) == "14 SELF_TRADE"
    assert verdict(intent(price=None), view(working=(replace(met, price=Decimal("100.61")),))) == "OK"
    assert intent(price=None).type is OrderType.MARKET


@pytest.mark.parametrize(("side", "way"), [(PositionSide.LONG, SELL), (PositionSide.SHORT, BUY)])
def test_of_a_hedged_account_each_side_is_closed_for_itself(side: PositionSide, way: Side):
    """Together they come to nothing."""
    both = view(holdings=(held("5", FUTURES, PositionSide.LONG), held("-5", FUTURES, PositionSide.SHORT)))
    wanted = intent(way, instrument=FUTURES, reduce_only=True, position_side=side)
    assert reducing(wanted, Decimal(5), both)
    assert not reducing(wanted, Decimal("5.1"), both)
    assert not reducing(replace(wanted, position_side=PositionSide.NET), Decimal("0.5"), both)
