"""The life of an order, one step at a time."""

from decimal import Decimal

import pytest

from apps.feeds.market import Side
from apps.feeds.orders import OrderStatus
from apps.trading.order_state import FINAL, Alarm, CancelState, advance_cancel, apply, apply_fill, lose, refuse
from apps.trading.tests.order_events import fill, order, update

S = OrderStatus
TELLABLE = (S.OPEN, S.PARTIAL, S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED)
# (before, told) -> after; whatever is not named changes nothing
MOVES = {
    **{(before, told): told for before in (S.PENDING, S.UNKNOWN) for told in TELLABLE},
    **{(S.OPEN, told): told for told in (S.PARTIAL, S.FILLED, S.CANCELLED, S.EXPIRED)},
    **{(S.PARTIAL, told): told for told in (S.FILLED, S.CANCELLED, S.EXPIRED)},
    (S.OPEN, S.REJECTED): S.CANCELLED,
    (S.PARTIAL, S.REJECTED): S.CANCELLED,
}
REOPENED = {
    **{(S.REJECTED, told): told for told in (S.OPEN, S.PARTIAL, S.FILLED)},
    **{(S.NOT_PLACED, told): told for told in (S.OPEN, S.PARTIAL, S.FILLED, S.CANCELLED, S.EXPIRED)},
}


@pytest.mark.parametrize("told", S)
@pytest.mark.parametrize("before", S)
def test_an_update_moves_an_order_as_the_table_says(before: S, told: S):
    after = apply(order(status=before), update(told))
    assert after.status is {**MOVES, **REOPENED}.get((before, told), before)
    assert (Alarm.PROOF_BROKEN in after.alarms) is ((before, told) in REOPENED)
    assert apply(after, update(told)) == after


@pytest.mark.parametrize("before", S)
def test_a_fill_is_counted_in_every_state(before: S):
    after = apply_fill(order(status=before), fill("t1", 4))
    assert (after.filled, after.executed, after.unexplained) == (4, 4, 0)
    stays = before in FINAL - {S.REJECTED, S.NOT_PLACED}
    assert after.status is (before if stays else S.PARTIAL)
    assert (Alarm.PROOF_BROKEN in after.alarms) is (before in {S.REJECTED, S.NOT_PLACED})


@pytest.mark.parametrize("before", [S.PENDING, S.UNKNOWN, S.OPEN, S.PARTIAL])
def test_an_order_is_full_when_its_fills_are(before: S):
    half = apply_fill(order(status=before), fill("t1", 4))
    assert apply_fill(half, fill("t2", 6)).status is S.FILLED
    assert apply_fill(half, fill("t2", 5)).status is S.PARTIAL


def test_an_update_that_calls_all_of_it_filled_fills_it_whatever_its_status_says():
    assert apply(order(), update(S.PARTIAL, 10)).status is S.FILLED
    assert apply(order(), update(S.OPEN, 3)).status is S.PARTIAL


def test_a_cancel_that_is_told_with_a_part_filled_ends_the_order_with_that_part():
    after = apply(order(), update(S.CANCELLED, 3))
    assert (after.status, after.filled, after.unexplained) == (S.CANCELLED, 3, 3)


def test_a_fill_that_is_told_after_the_cancel_counts_and_the_order_stays_cancelled():
    after = apply_fill(apply(order(), update(S.CANCELLED, 3)), fill("t1", 3))
    assert (after.status, after.filled, after.unexplained) == (S.CANCELLED, 3, 0)


def test_filled_never_falls():
    after = apply(apply(order(), update(S.PARTIAL, 6)), update(S.PARTIAL, 4))
    assert (after.filled, after.unexplained) == (6, 6)


def test_a_fill_that_is_seen_twice_is_one_fill():
    once = apply_fill(order(), fill("t1", 4))
    assert apply_fill(once, fill("t1", 4, fee=Decimal("0.2"))) == once


@pytest.mark.parametrize("other", [fill("t1", 5), fill("t1", 4, 101), fill("t1", 4, side=Side.SELL)])
def test_one_trade_id_with_two_contents_keeps_the_first_and_raises_an_alarm(other):
    once = apply_fill(order(), fill("t1", 4))
    after = apply_fill(once, other)
    assert (after.fills, after.alarms) == (once.fills, {Alarm.FILLS_DIFFER})


def test_the_average_price_is_that_of_the_known_fills():
    after = apply_fill(apply_fill(order(), fill("t1", 1, 100)), fill("t2", 3, 104))
    assert after.average_price == 103
    assert order().average_price is None


def test_large_amounts_are_added_up_to_the_last_place():
    large, small = Decimal("98765432109876543210"), Decimal("0.000000000000000001")
    after = apply_fill(apply_fill(order(amount=large * 2), fill("t1", large)), fill("t2", small, 10**18))
    assert (after.executed, after.unexplained) == (Decimal(f"{large}.000000000000000001"), 0)
    assert apply(after, update(S.OPEN, large)).unexplained == 0
    assert apply(after, update(S.OPEN, large + 1)).unexplained == Decimal("0.999999999999999999")
    assert after.average_price == Decimal("100.000000000000000000")


def test_more_than_was_asked_for_raises_an_alarm_and_is_kept():
    after = apply_fill(order(), fill("t1", 11))
    assert (after.status, after.filled) == (S.FILLED, 11)
    assert after.alarms == {Alarm.OVERFILLED}
    assert apply_fill(order(), fill("t1", 10)).alarms == frozenset()


def test_a_final_order_that_is_overfilled_raises_an_alarm_too():
    after = apply_fill(order(status=S.CANCELLED), fill("t1", 11))
    assert (after.status, after.alarms) == (S.CANCELLED, {Alarm.OVERFILLED})


def test_an_order_told_in_quote_currency_is_full_only_when_the_exchange_says_so():
    bought = apply_fill(order(amount=None), fill("t1", 400))
    assert bought.status is S.PARTIAL
    assert apply(bought, update(S.FILLED, 400)).status is S.FILLED


def test_the_exchanges_id_comes_with_the_first_event_and_never_changes():
    by_update, by_fill = apply(order(), update(S.OPEN)), apply_fill(order(), fill("t1", 1))
    assert by_update.exchange_order_id == by_fill.exchange_order_id == "x1"
    after = apply(by_update, update(S.FILLED, 10, exchange_order_id="x2"))
    assert after.exchange_order_id == "x1"
    assert (after.status, after.filled, after.alarms) == (S.OPEN, 0, {Alarm.TWO_ORDERS})


def test_a_fill_of_a_second_order_with_our_id_counts_and_raises_an_alarm():
    after = apply_fill(apply(order(), update(S.OPEN)), fill("t1", 2, exchange_order_id="x2"))
    assert (after.exchange_order_id, after.filled, after.alarms) == ("x1", 2, {Alarm.TWO_ORDERS})


def test_events_without_our_id_are_taken_and_those_of_another_order_refused():
    assert apply(order(), update(S.OPEN, client_order_id=None)).status is S.OPEN
    assert apply_fill(order(), fill("t1", 1, client_order_id=None)).filled == 1
    with pytest.raises(ValueError, match="an event of ct2 is none of ct1"):
        apply(order(), update(S.OPEN, client_order_id="ct2"))
    with pytest.raises(ValueError, match="an event of ct2 is none of ct1"):
        apply_fill(order(), fill("t1", 1, client_order_id="ct2"))


@pytest.mark.parametrize("before", S)
def test_only_what_is_on_its_way_can_be_lost_or_refused(before: S):
    assert lose(order(status=before)).status is (S.UNKNOWN if before is S.PENDING else before)
    refusable = before in (S.PENDING, S.UNKNOWN)
    assert refuse(order(status=before)).status is (S.REJECTED if refusable else before)


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        (S.FILLED, CancelState.TOO_LATE),
        (S.CANCELLED, CancelState.CONFIRMED),
        (S.EXPIRED, CancelState.CONFIRMED),
    ],
)
def test_the_end_of_the_order_tells_what_became_of_the_cancel(ended: S, outcome: CancelState):
    wanted = advance_cancel(order(status=S.OPEN), CancelState.REQUESTED)
    assert apply(wanted, update(ended, 10 if ended is S.FILLED else 0)).cancel is outcome
    assert apply(order(status=S.OPEN), update(ended)).cancel is CancelState.NONE
    assert advance_cancel(order(status=ended), CancelState.REQUESTED).cancel is outcome


def test_a_full_fill_makes_a_cancel_too_late_and_a_refusal_makes_it_needless():
    wanted = advance_cancel(order(), CancelState.REQUESTED)
    assert apply_fill(wanted, fill("t1", 10)).cancel is CancelState.TOO_LATE
    assert refuse(wanted).cancel is CancelState.CONFIRMED


C = CancelState
STEPS = {(C.NONE, C.REQUESTED), (C.REQUESTED, C.SENT), (C.SENT, C.UNKNOWN), (C.UNKNOWN, C.SENT)}


@pytest.mark.parametrize("step", C)
@pytest.mark.parametrize("before", C)
def test_a_cancel_is_requested_sent_and_sent_again_when_its_answer_is_lost(before: C, step: C):
    after = advance_cancel(order(status=S.OPEN, cancel=before), step)
    assert after.cancel is (step if (before, step) in STEPS else before)


@pytest.mark.parametrize("done", [C.CONFIRMED, C.TOO_LATE])
def test_an_order_that_turns_out_to_be_there_is_cancelled_anew(done: C):
    after = apply(order(status=S.NOT_PLACED, cancel=done), update(S.OPEN))
    assert (after.status, after.cancel) == (S.OPEN, C.REQUESTED)
    assert apply(order(status=S.OPEN, cancel=C.SENT), update(S.PARTIAL, 1)).cancel is C.SENT


def test_what_is_heard_of_an_order_makes_its_misses_count_no_more():
    missed = order(status=S.OPEN, misses=2, missed_ms=1)
    for heard in (apply(missed, update(S.OPEN)), apply_fill(missed, fill("t1", 1))):
        assert (heard.misses, heard.missed_ms) == (0, None)


def test_a_late_fill_of_an_order_that_the_exchange_called_cancelled_breaks_no_proof_though_it_was_missed_before():
    cancelled = apply(order(status=S.OPEN, misses=2, missed_ms=1), update(S.CANCELLED))
    after = apply_fill(cancelled, fill("t1", 4))
    assert (after.status, after.filled, after.alarms) == (S.CANCELLED, 4, frozenset())
