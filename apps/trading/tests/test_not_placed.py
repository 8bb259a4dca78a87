"""When an order is proven never to have been placed."""

import pytest

from apps.feeds.orders import OrderStatus
from apps.trading.not_placed import Look, Patience, miss, next_look_ms, ready_ms
from apps.trading.order_state import Alarm, CancelState, apply, apply_fill
from apps.trading.tests.order_events import EXPIRES_MS, fill, order, update

S = OrderStatus
PATIENCE = Patience(skew_ms=500, tail_ms=10_000, read_lag_ms=1_000, apart_ms=1_000)
READY = 13_500


def look(asked_ms: int, *, order_found: bool = False, among_open: bool = False, among_trades: bool = False) -> Look:
    return Look(asked_ms=asked_ms, order_found=order_found, among_open=among_open, among_trades=among_trades)


def test_not_found_means_something_only_after_expiry_skew_tail_and_lag():
    assert Patience() == PATIENCE
    assert ready_ms(order(), PATIENCE) == EXPIRES_MS + 500 + 10_000 + 1_000 == READY
    assert next_look_ms(order(), PATIENCE) == READY
    assert next_look_ms(order(missed_ms=READY + 5), PATIENCE) == READY + 1_005
    assert next_look_ms(order(missed_ms=0), PATIENCE) == READY


@pytest.mark.parametrize("status", [S.PENDING, S.UNKNOWN])
def test_two_clean_looks_a_second_apart_prove_it(status: S):
    once = miss(order(status=status), look(READY), PATIENCE)
    assert (once.status, once.misses, once.missed_ms) == (status, 1, READY)
    twice = miss(once, look(READY + 1_000), PATIENCE)
    assert (twice.status, twice.misses, twice.missed_ms) == (S.NOT_PLACED, 2, READY + 1_000)


def test_a_look_before_its_time_counts_for_nothing():
    early = order(status=S.UNKNOWN)
    assert miss(early, look(READY - 1), PATIENCE) == early
    once = miss(early, look(READY), PATIENCE)
    assert miss(once, look(READY + 999), PATIENCE) == once


@pytest.mark.parametrize("found", ["order_found", "among_open", "among_trades"])
def test_whatever_is_found_begins_the_proof_anew(found: str):
    once = miss(order(status=S.UNKNOWN), look(READY), PATIENCE)
    anew = miss(once, look(READY + 1_000, **{found: True}), PATIENCE)
    assert (anew.status, anew.misses, anew.missed_ms) == (S.UNKNOWN, 0, None)


@pytest.mark.parametrize("status", [each for each in S if each not in (S.PENDING, S.UNKNOWN)])
def test_an_order_that_was_answered_is_never_taken_for_not_placed(status: S):
    known = order(status=status, misses=1, missed_ms=READY)
    assert miss(known, look(READY + 5_000), PATIENCE) == known
    assert miss(known, look(READY + 5_000, order_found=True), PATIENCE) == known


@pytest.mark.parametrize("wish", CancelState)
def test_what_was_never_placed_needs_no_cancel(wish: CancelState):
    lost = order(status=S.UNKNOWN, cancel=wish)
    once = miss(lost, look(READY), PATIENCE)
    assert once.cancel is wish
    settled = wish if wish is CancelState.NONE else CancelState.CONFIRMED
    assert miss(once, look(READY + 1_000), PATIENCE).cancel is settled


@pytest.mark.parametrize("wish", CancelState)
def test_once_a_cancel_has_left_what_is_not_found_counts_as_cancelled(wish: CancelState):
    """CoinEx forgets an order that was cancelled before any of it was filled."""
    lost = order(status=S.UNKNOWN, cancel=wish, misses=1, missed_ms=READY)
    left = wish in (CancelState.SENT, CancelState.UNKNOWN)
    assert miss(lost, look(READY + 1_000), PATIENCE).status is (S.CANCELLED if left else S.NOT_PLACED)


def test_late_evidence_wins_over_a_proof():
    proven = order(status=S.NOT_PLACED, misses=2, missed_ms=READY)
    filled = apply_fill(proven, fill("t1", 10))
    assert (filled.status, filled.filled, filled.alarms) == (S.FILLED, 10, {Alarm.PROOF_BROKEN})
    assert apply(proven, update(S.OPEN)).alarms == {Alarm.PROOF_BROKEN}


@pytest.mark.parametrize("told", [S.OPEN, S.PARTIAL, S.FILLED, S.EXPIRED])
def test_late_evidence_wins_over_what_counted_as_cancelled_and_it_is_cancelled_anew(told: S):
    lost = order(status=S.UNKNOWN, cancel=CancelState.SENT, misses=1, missed_ms=READY)
    gone = miss(lost, look(READY + 1_000), PATIENCE)
    there = apply(gone, update(told, filled=10 if told is S.FILLED else 4 if told is S.PARTIAL else 0))
    assert (gone.status, there.status, there.alarms) == (S.CANCELLED, told, {Alarm.PROOF_BROKEN})
    assert there.cancel is (CancelState.REQUESTED if told in (S.OPEN, S.PARTIAL) else there.cancel)
    assert apply_fill(gone, fill("t1", 4)).status is S.PARTIAL


def test_what_the_exchange_told_as_cancelled_stays_so_and_raises_no_alarm():
    gone = order(status=S.CANCELLED, cancel=CancelState.CONFIRMED, misses=1)
    for late in (apply(gone, update(S.OPEN)), apply_fill(gone, fill("t1", 4))):
        assert (late.status, late.alarms) == (S.CANCELLED, frozenset())
