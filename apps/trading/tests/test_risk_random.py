"""Single controls against a second reckoning of their rules. CT_EXAMPLES multiplies the number of runs."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from apps.feeds.market import BookState, Side
from apps.feeds.orders import OrderStatus
from apps.trading.risk.breakers import Action, trips
from apps.trading.risk.gate import ApprovedOrder, approve
from apps.trading.risk.view import Mismatch
from apps.trading.tests.risk import FUTURES, NOW, SPOT, TOP, intent, sent, verdict, view, working
from tests.sizes import examples

RUNS = settings(max_examples=examples(1_000), deadline=None, derandomize=True, database=None)
SIDES = st.sampled_from([Side.BUY, Side.SELL])
BIDS = st.integers(1, 10**9).map(lambda ticks: Decimal(ticks) / 100)
TICKS = st.integers(-3, 3)


@RUNS
@given(side=SIDES, bid=BIDS, spread=st.integers(1, 50), edge=st.sampled_from([98, 100, 102]), ticks=TICKS)
def test_r4_a_limit_is_let_through_exactly_within_the_collar(
    side: Side, bid: Decimal, spread: int, edge: int, ticks: int
):
    top = replace(TOP, bid=bid, ask=bid + Decimal(spread) / 100, ask_depth=Decimal(10**9), bid_depth=Decimal(10**9))
    mid = (Fraction(top.bid) + Fraction(top.ask)) / 2
    price = Decimal(round(mid * edge)) / 100 + Decimal(ticks) / 100
    if price <= 0:
        return
    free = replace(SPOT, min_amount=None, min_notional=None)
    said = verdict(intent(side, amount="0.001", price=str(price), instrument=free), view(top=top))
    assert (said == "4 OUTSIDE_COLLAR") is (abs(Fraction(price) - mid) > mid * Fraction(2, 100))


@RUNS
@given(price=st.integers(9_801, 10_199), ticks=TICKS)
def test_r2_an_order_is_let_through_exactly_up_to_its_limit(price: int, ticks: int):
    lots = 10_000_000 // price + ticks  # thousandths at hundredths: 100 USDT
    said = verdict(intent(amount=str(Decimal(lots) / 1_000), price=str(Decimal(price) / 100)), view())
    assert (said == "2 ORDER_TOO_LARGE") is (lots * price > 10_000_000)
    assert said in ("OK", "2 ORDER_TOO_LARGE")


@RUNS
@given(
    side=SIDES,
    at_market=st.booleans(),
    state=st.sampled_from(BookState),
    age_ms=st.integers(-10, 12_000),
    current=st.booleans(),
    spread=st.integers(-5, 5),
    is_leg=st.booleans(),
)
def test_r5_no_order_passes_on_a_book_that_is_not_to_be_trusted(
    side: Side, at_market: bool, state: BookState, age_ms: int, current: bool, spread: int, is_leg: bool
):
    ask = Decimal(100) + Decimal(spread) / 100
    top = replace(TOP, state=state, age_ms=age_ms, owner_is_current=current, bid=Decimal(100), ask=ask)
    wanted = intent(side, price=None if at_market else "100", arbitrage_id=1 if is_leg else None)
    trusted = state is BookState.LIVE and 0 <= age_ms <= (1_000 if is_leg else 5_000) and current and spread > 0
    assert isinstance(approve(wanted, view(top=top)), ApprovedOrder) is trusted


@RUNS
@given(
    side=SIDES,
    price=st.integers(9_850, 10_150),
    resting=st.integers(9_850, 10_150),
    other_side=SIDES,
    account_id=st.sampled_from([7, 8]),
    same_market=st.booleans(),
    status=st.sampled_from([None, OrderStatus.PENDING, OrderStatus.OPEN, OrderStatus.PARTIAL]),
)
def test_r14_no_order_is_let_through_that_would_meet_our_own(
    side: Side,
    price: int,
    resting: int,
    other_side: Side,
    account_id: int,
    same_market: bool,
    status: OrderStatus | None,
):
    own = working(
        other_side,
        "0.1",
        str(Decimal(resting) / 100),
        account_id=account_id,
        instrument=SPOT if same_market else FUTURES,
        status=status,
    )
    said = verdict(intent(side, price=str(Decimal(price) / 100)), view(working=(own,)))
    bid, ask = (price, resting) if side is Side.BUY else (resting, price)
    meets = same_market and side is not other_side and bid >= ask
    assert said == ("14 SELF_TRADE" if meets else "OK")


@RUNS
@given(ago_ms=st.integers(0, 2_000), more=st.integers(0, 1), ticks=st.integers(0, 1), side=SIDES)
def test_r12_exactly_the_same_order_within_a_second_is_denied(ago_ms: int, more: int, ticks: int, side: Side):
    amount, price = Decimal("0.5") + Decimal(more) / 1_000, Decimal(100) + Decimal(ticks) / 100
    before = sent(ago_ms, str(amount), str(price), side=side)
    same = ago_ms < 1_000 and not more and not ticks and side is Side.BUY
    assert verdict(intent(), view(sent=(before,))) == ("12 DUPLICATE" if same else "OK")


@RUNS
@given(start=st.integers(100, 100_000), falls=st.lists(st.integers(0, 40), min_size=1, max_size=30))
def test_r9_the_account_halts_at_the_first_look_after_too_large_a_loss(start: int, falls: list[int]):
    lost = 0
    for fall in falls:
        lost += fall
        seen = view(equity_usdt=Decimal(start), day_result_usdt=Decimal(-lost))
        too_much = lost >= min(Fraction(start, 50), 100)
        assert (Action.HALT_ACCOUNT in [trip.action for trip in trips(seen)]) is too_much
        assert verdict(intent(), seen) == ("9 DAY_LOSS" if too_much else "OK")


@RUNS
@given(lots=st.integers(-30, 30), age_ms=st.integers(0, 90_000))
def test_r17_a_drift_is_seen_by_size_and_age(lots: int, age_ms: int):
    seen = view(mismatch=Mismatch(lots=Decimal(lots) / 10, since_ms=NOW - age_ms))
    drifted = abs(lots) > 10
    actions = [trip.action for trip in trips(seen)]
    assert (Action.HALT_ACCOUNT in actions) is (drifted and age_ms > 60_000)
    assert (Action.REDUCE_ACCOUNT in actions) is (drifted and 30_000 < age_ms <= 60_000)
    assert verdict(intent(), seen) == ("17 MISMATCH" if drifted and age_ms > 30_000 else "OK")
