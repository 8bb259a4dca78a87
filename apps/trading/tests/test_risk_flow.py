"""Who may trade at all and how fast, at the boundary of each control."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.market import Side
from apps.feeds.orders import OrderStatus, TimeInForce
from apps.trading.intent import OrderIntent, Purpose
from apps.trading.risk.breakers import Action, Trip, trips
from apps.trading.risk.view import DeadMan, DenyReason, Mismatch, Outcome, RiskView, Scope, ScopeState
from apps.trading.tests.risk import FUTURES, NOW, SPOT, held, intent, limits, sent, verdict, view, working

LONG = {"holdings": (held("5"),)}
CLOSING = intent(Side.SELL, purpose=Purpose.CLOSE)
FLATTENING = intent(Side.SELL, purpose=Purpose.FLATTEN)
D = DenyReason


def both(seen: RiskView) -> tuple[str, str, str]:
    """What is said of an entry, of an order that reduces, and of one that flattens."""
    long = replace(seen, **LONG)
    return verdict(intent(), seen), verdict(CLOSING, long), verdict(FLATTENING, replace(long, flatten_confirmed=True))


def states(scope: Scope, state: ScopeState) -> dict:
    return {**dict.fromkeys(Scope, ScopeState.ACTIVE), scope: state}


@pytest.mark.parametrize("scope", Scope)
def test_r1_the_strictest_scope_holds(scope: Scope):
    halted = view(states=states(scope, ScopeState.HALTED))
    assert both(halted) == ("1 HALTED", "1 HALTED", "OK")
    assert both(view(states=states(scope, ScopeState.REDUCING))) == ("1 ONLY_REDUCING", "OK", "OK")
    others = dict.fromkeys(Scope, ScopeState.REDUCING) | {scope: ScopeState.HALTED}
    assert verdict(CLOSING, view(states=others, **LONG)) == "1 HALTED"


@pytest.mark.parametrize("scope", Scope)
def test_r1_a_scope_without_a_row_is_off(scope: Scope):
    known = {each: ScopeState.ACTIVE for each in Scope if each is not scope}
    assert both(view(states=known)) == ("1 MISSING",) * 3


def test_r1_live_is_off_until_a_person_turns_it_on():
    assert both(view(is_live=True)) == ("1 LIVE_OFF",) * 3
    assert both(view(is_live=True, live_allowed=True)) == ("OK",) * 3


@pytest.mark.parametrize(
    ("wanted", "confirmed"),
    [(FLATTENING, False), (intent(purpose=Purpose.FLATTEN), True), (CLOSING, True)],
)
def test_r1_only_what_flattens_and_was_confirmed_passes_a_halt(wanted: OrderIntent, confirmed: bool):
    halted = view(states=states(Scope.GLOBAL, ScopeState.HALTED), flatten_confirmed=confirmed, **LONG)
    assert verdict(wanted, halted) == "1 HALTED"


@pytest.mark.parametrize("state", [ScopeState.ACTIVE, ScopeState.REDUCING])
def test_r1_what_flattens_is_refused_once_nobody_wants_it_any_more(state: ScopeState):
    released = view(states=states(Scope.ACCOUNT, state), **LONG)
    assert (verdict(CLOSING, released), verdict(FLATTENING, released)) == ("OK", "1 NOT_CONFIRMED")


@pytest.mark.parametrize(
    ("result", "equity", "is_lost"),
    [
        ("-99.99", "20000", False),
        ("-100", "20000", True),
        ("-19.99", "1000", False),
        ("-20", "1000", True),
        ("500", "20000", False),
        ("0", "0", True),
        ("0", "-1", True),
    ],
)
def test_r9_a_lost_day_halts_the_account(result: str, equity: str, is_lost: bool):
    seen = view(day_result_usdt=Decimal(result), equity_usdt=Decimal(equity))
    assert both(seen) == ("9 DAY_LOSS" if is_lost else "OK", "OK", "OK")
    assert trips(seen) == ([Trip(Action.HALT_ACCOUNT, D.DAY_LOSS)] if is_lost else [])


@pytest.mark.parametrize("unknown", ["day_result_usdt", "equity_usdt"])
def test_r9_a_result_that_nobody_knows_denies(unknown: str):
    assert both(view(**{unknown: None})) == ("9 MISSING", "OK", "OK")
    assert trips(view(**{unknown: None})) == []


def test_r10_five_orders_a_second_leave():
    five = tuple(sent(ago, "0.9") for ago in (0, 10, 500, 998, 999))
    assert both(view(sent=five)) == ("10 ORDER_RATE",) * 3
    assert both(view(sent=(*five[:4], sent(1_000, "0.9")))) == ("OK",) * 3


@pytest.mark.parametrize(("load", "expected"), [("0.79", "OK"), ("0.8", "10 EXCHANGE_RATE"), (None, "10 MISSING")])
def test_r10_a_fifth_of_the_exchanges_own_limit_is_left(load: str | None, expected: str):
    assert both(view(exchange_load=load and Decimal(load))) == (expected,) * 3


def test_r11_ten_executions_a_minute_halt_the_trade():
    nine = tuple(NOW - ago for ago in range(1_000, 46_000, 5_000))
    assert len(nine) == 9
    calm, wild = view(trade_sent_ms=(*nine, NOW - 60_000)), view(trade_sent_ms=(*nine, NOW - 59_999))
    assert (both(calm), trips(calm)) == (("OK",) * 3, [])
    assert both(wild) == ("11 REPEATED_EXECUTION", "11 REPEATED_EXECUTION", "OK")
    assert trips(wild) == [Trip(Action.HALT_TRADE, D.REPEATED_EXECUTION)]


def test_r11_a_person_who_resumes_the_trade_forgives_what_was_before():
    wild = view(trade_sent_ms=tuple(range(NOW - 10, NOW)), trade_resumed_ms=NOW - 10)
    assert verdict(intent(), wild) == "OK"
    assert verdict(intent(), replace(wild, trade_resumed_ms=NOW - 11)) == "11 REPEATED_EXECUTION"


def test_r11_of_a_runaway_strategy_no_more_than_ten_orders_leave():
    left: list[int] = []
    for now_ms in range(NOW, NOW + 50_000, 10):
        seen = view(now_ms=now_ms, trade_sent_ms=tuple(left), limits=limits(max_orders_s=1_000))
        if verdict(intent(), seen) == "OK":
            left.append(now_ms)
    assert len(left) == 10


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (sent(999), "12 DUPLICATE"),
        (sent(1_000), "OK"),
        (sent(999, "0.501"), "OK"),
        (sent(999, price="100.01"), "OK"),
        (sent(999, side=Side.SELL), "OK"),
        (sent(999, key=FUTURES.key), "OK"),
    ],
)
def test_r12_the_same_order_twice_in_a_second_is_a_mistake(other, expected: str):
    assert verdict(intent(), view(sent=(other,))) == expected
    assert verdict(intent(repeats=True), view(sent=(other,))) == "OK"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "12 DUPLICATE"),
        ({"intent_id": 51}, "OK"),
        ({"intent_id": 50}, "OK"),
        ({"status": OrderStatus.PENDING}, "OK"),
        ({"created_ms": NOW - 1_000}, "OK"),
        ({"rest": Decimal("0.499")}, "OK"),
        ({"price": Decimal(99)}, "OK"),
        ({"price": None}, "OK"),
        ({"side": Side.SELL, "price": Decimal(101)}, "OK"),
        ({"instrument": FUTURES}, "OK"),
        ({"account_id": 8}, "OK"),
    ],
)
def test_r12_the_same_ahead_of_it_in_the_queue_is_one_as_well(changes: dict, expected: str):
    ahead = replace(working(intent_id=49, status=None, created_ms=NOW - 999), **changes)
    assert verdict(intent(), view(working=(ahead,))) == expected
    assert verdict(intent(repeats=True), view(working=(ahead,))) == "OK"


def test_r12_an_intent_that_is_not_written_yet_comes_after_all_others():
    ahead = working(intent_id=99, status=None, created_ms=NOW, price=None)
    assert verdict(intent(price=None, intent_id=None), view(working=(ahead,))) == "12 DUPLICATE"
    assert verdict(intent(intent_id=None), view(working=(ahead,))) == "OK"


def test_r15_a_lane_in_doubt_only_reduces():
    seen = view(working=(working(status=OrderStatus.UNKNOWN, price="99"),))
    assert both(seen) == ("15 LANE_UNKNOWN", "OK", "OK")
    for other in (working(status=OrderStatus.UNKNOWN, instrument=FUTURES), working(status=OrderStatus.PENDING)):
        assert verdict(intent(), view(working=(other,))) == "OK"


@pytest.mark.parametrize(("oldest", "is_over"), [(299_999, True), (300_000, False)])
def test_r15_three_orders_in_doubt_within_five_minutes_halt_the_account(oldest: int, is_over: bool):
    seen = view(unknown_ms=(NOW - oldest, NOW - 5, NOW))
    assert both(seen) == (("15 UNKNOWN_BREAKER", "15 UNKNOWN_BREAKER", "OK") if is_over else ("OK",) * 3)
    assert trips(seen) == ([Trip(Action.HALT_ACCOUNT, D.UNKNOWN_BREAKER)] if is_over else [])


def outcomes(rejected: int, accepted: int, ago_ms: int = 1_000) -> tuple[Outcome, ...]:
    bad = [Outcome(at_ms=NOW - ago_ms, rejected=True) for _ in range(rejected)]
    return tuple(bad + [Outcome(at_ms=NOW - 500, rejected=False) for _ in range(accepted)])


@pytest.mark.parametrize(
    ("seen", "is_over"),
    [
        (outcomes(6, 4), True),
        (outcomes(5, 5), False),
        (outcomes(6, 5), False),  # of the last ten only five
        (outcomes(6, 0, 59_999), True),
        (outcomes(6, 0, 60_000), False),
        (outcomes(6, 0, 100), True),
    ],
)
def test_r16_more_than_five_rejects_of_ten_pause_the_lane(seen: tuple, is_over: bool):
    lane = view(outcomes=seen)
    assert both(lane) == (("16 LANE_PAUSED", "16 LANE_PAUSED", "OK") if is_over else ("OK",) * 3)
    assert trips(lane) == ([Trip(Action.PAUSE_LANE, D.LANE_PAUSED, NOW + 60_000)] if is_over else [])


def test_r16_a_pause_ends_and_forgives_what_caused_it():
    bad = outcomes(6, 0)
    paused = view(outcomes=bad, paused_until_ms=NOW + 1)
    assert (verdict(intent(), paused), trips(paused)) == ("16 LANE_PAUSED", [])
    over = view(outcomes=bad, paused_until_ms=NOW)
    assert (verdict(intent(), over), trips(over)) == ("OK", [])
    anew = view(outcomes=bad, paused_until_ms=NOW - 1_000)
    assert verdict(intent(), anew) == "16 LANE_PAUSED"
    assert trips(view(outcomes=outcomes(6, 0, -1), paused_until_ms=NOW + 1)) == []
    assert trips(view(outcomes=outcomes(6, 0, 0), paused_until_ms=NOW)) != []


@pytest.mark.parametrize(("oldest", "is_over"), [(3_599_999, True), (3_600_000, False)])
def test_r16_three_pauses_in_an_hour_halt_the_account(oldest: int, is_over: bool):
    seen = view(pauses_ms=(NOW - oldest, NOW - 90_000, NOW - 80_000))
    assert both(seen) == (("16 REJECT_BREAKER", "16 REJECT_BREAKER", "OK") if is_over else ("OK",) * 3)
    assert trips(seen) == ([Trip(Action.HALT_ACCOUNT, D.REJECT_BREAKER)] if is_over else [])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("lots", "age_ms", "expected", "action"),
    [
        ("1", 99_000, ("OK", "OK", "OK"), None),
        ("1.1", 30_000, ("OK", "OK", "OK"), None),
        ("1.1", 30_001, ("17 MISMATCH", "OK", "OK"), Action.REDUCE_ACCOUNT),
        ("1.1", 60_000, ("17 MISMATCH", "OK", "OK"), Action.REDUCE_ACCOUNT),
        ("1.1", 60_001, ("17 MISMATCH", "17 MISMATCH", "OK"), Action.HALT_ACCOUNT),
    ],
)
def test_r17_a_difference_that_stays_stops_the_account(sign: int, lots: str, age_ms: int, expected, action):
    seen = view(mismatch=Mismatch(lots=sign * Decimal(lots), since_ms=NOW - age_ms))
    assert both(seen) == expected
    assert trips(seen) == ([] if action is None else [Trip(action, D.MISMATCH)])


def test_r18_while_a_leg_is_open_it_comes_first():
    seen = view(unhedged_ms=(NOW,))
    assert both(seen) == ("18 UNHEDGED", "OK", "OK")
    assert verdict(intent(purpose=Purpose.HEDGE), seen) == "OK"
    assert verdict(intent(Side.SELL), view(unhedged_ms=(NOW,), **LONG)) == "OK"


@pytest.mark.parametrize(("age_ms", "due"), [(2_000, []), (2_001, [Trip(Action.REDUCE_TRADE, D.UNHEDGED)])])
def test_r18_a_leg_that_stays_open_makes_its_trade_reduce(age_ms: int, due: list):
    assert trips(view(unhedged_ms=(NOW, NOW - age_ms))) == due


@pytest.mark.parametrize(("build", "allowed", "expected"), [("b1", "b2", "19 BUILD"), ("", "", "19 BUILD")])
def test_r19_another_build_sends_nothing(build: str, allowed: str, expected: str):
    assert both(view(build_id=build, allowed_build=allowed)) == (expected,) * 3


@pytest.mark.parametrize(("age_ms", "is_over"), [(300_000, False), (300_001, True)])
def test_r20_an_alert_that_nobody_takes_halts_the_account(age_ms: int, is_over: bool):
    seen = view(alert_unacked_ms=NOW - age_ms)
    assert both(seen) == (("20 ALERT_UNACKED", "20 ALERT_UNACKED", "OK") if is_over else ("OK",) * 3)
    assert trips(seen) == ([Trip(Action.HALT_ACCOUNT, D.ALERT_UNACKED)] if is_over else [])


def test_r21_a_timer_that_fired_waits_for_a_person():
    assert both(view(dead_man=DeadMan(deadline_ms=None, fired=True))) == ("21 DEAD_MAN", "21 DEAD_MAN", "OK")
    assert both(view(dead_man=DeadMan(deadline_ms=None, fired=False))) == ("OK",) * 3


def test_r21_nothing_rests_under_a_timer_that_has_run_out():
    over, runs = (view(dead_man=DeadMan(deadline_ms=at, fired=False)) for at in (NOW, NOW + 1))
    assert both(over) == ("21 DEAD_MAN", "OK", "OK")
    assert both(runs) == ("OK",) * 3
    assert verdict(intent(tif=TimeInForce.IOC), over) == "OK"
    assert verdict(intent(tif=TimeInForce.POST_ONLY), over) == "21 DEAD_MAN"
    assert verdict(intent(instrument=SPOT, price=None), over) == "OK"
