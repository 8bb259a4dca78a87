"""When an account is swept: on timers, after a gap at once, sooner without pushes, later while nobody answers."""

import random

import pytest

from apps.trading.collecting.swept import AFTER_A_GAP, EVERYTHING, Part
from apps.trading.collecting.timetable import PUSHED, Times, Timetable

TIMES = Times(
    orders_s=10.0,
    trades_s=20.0,
    holdings_s=60.0,
    differing_s=5.0,
    audit_s=3600.0,
    without_socket_s=2.0,
    again_s=1.0,
    longest_s=4.0,
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def swept(clock: Clock) -> Timetable:
    """Of an account whose socket runs, swept just now."""
    made = Timetable(TIMES, clock)
    made.is_pushed = True
    made.parts()
    made.swept(EVERYTHING, audit=False)
    return made


def due_at(table: Timetable, clock: Clock, now_s: float) -> frozenset[Part]:
    clock.now_s = now_s
    return table.parts()[0]


def test_all_is_due_at_first(clock: Clock):
    assert Timetable(TIMES, clock).parts() == (EVERYTHING, False)


def test_each_part_has_its_timer(swept: Timetable, clock: Clock):
    assert due_at(swept, clock, 9.9) == frozenset()
    assert due_at(swept, clock, 10.0) == {Part.ORDERS}
    assert due_at(swept, clock, 60.0) == {Part.ORDERS, Part.TRADES, Part.HOLDINGS}
    assert swept.next_s == 0.0


def test_after_a_gap_what_is_pushed_and_what_is_held_is_due_at_once(swept: Timetable, clock: Clock):
    swept.missed()
    assert due_at(swept, clock, 0.0) == AFTER_A_GAP


def test_while_nothing_is_pushed_what_would_be_is_due_soon_and_from_then_on(swept: Timetable, clock: Clock):
    clock.now_s = 1.0
    swept.silent()
    assert (swept.next_s, due_at(swept, clock, 2.9)) == (2.0, frozenset())
    assert due_at(swept, clock, 3.0) == PUSHED
    swept.swept(PUSHED, audit=False)
    assert due_at(swept, clock, 4.9) == frozenset()
    assert due_at(swept, clock, 5.0) == PUSHED
    swept.is_pushed = True
    swept.swept(PUSHED, audit=False)
    assert due_at(swept, clock, 14.9) == frozenset()


def test_a_socket_that_is_lost_again_and_again_puts_nothing_off(swept: Timetable, clock: Clock):
    clock.now_s = 1.0
    swept.silent()
    clock.now_s = 2.9
    swept.silent()
    assert due_at(swept, clock, 3.0) == PUSHED


def test_while_what_is_held_differs_it_is_looked_at_more_often(swept: Timetable, clock: Clock):
    swept.differs = True
    swept.swept({Part.HOLDINGS}, audit=False)
    assert due_at(swept, clock, 5.0) == {Part.HOLDINGS}


def test_an_audit_asks_for_everything_once_an_hour(swept: Timetable, clock: Clock):
    clock.now_s = 3600.0
    assert swept.parts() == (EVERYTHING, True)
    swept.swept(EVERYTHING, audit=True)
    assert swept.parts() == (frozenset(), False)


def test_whoever_does_not_answer_is_asked_ever_later_up_to_a_bound_until_he_does(clock: Clock):
    class Highest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    table = Timetable(TIMES, clock, Highest())
    assert [table.failed() for _ in range(4)] == [1.0, 2.0, 4.0, 4.0]
    table.answered()
    assert table.failed() == 1.0


def test_accounts_that_failed_together_do_not_ask_together_again(clock: Clock):
    pauses = {Timetable(TIMES, clock).failed() for _ in range(20)}
    assert len(pauses) == 20
    assert 0.5 <= min(pauses) <= max(pauses) <= 1.0


@pytest.fixture
def slow(clock: Clock) -> Timetable:
    """As `swept`, with the longest pauses that there are."""

    class Highest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    made = Timetable(TIMES, clock, Highest())
    made.is_pushed = True
    made.parts()
    made.swept(EVERYTHING, audit=False)
    return made


def test_a_part_that_is_not_told_rests_ever_longer_and_the_others_keep_their_time(slow: Timetable, clock: Clock):
    slow.swept({Part.ORDERS, Part.TRADES}, audit=False, unread={Part.TRADES})
    assert (slow.next_s, due_at(slow, clock, 0.9), due_at(slow, clock, 1.0)) == (1.0, frozenset(), {Part.TRADES})
    for pause_s in (2.0, 4.0, 4.0):
        slow.swept({Part.TRADES}, audit=False, unread={Part.TRADES})
        assert slow.next_s == pause_s
    slow.swept({Part.TRADES}, audit=False, unread={Part.TRADES}, after_s=9.0)
    assert due_at(slow, clock, 9.9) == frozenset()
    assert due_at(slow, clock, 10.0) == {Part.ORDERS, Part.TRADES}
    slow.swept({Part.TRADES}, audit=False)
    slow.swept({Part.TRADES}, audit=False, unread={Part.TRADES})
    assert due_at(slow, clock, 11.0) == {Part.ORDERS, Part.TRADES}


def test_a_gap_lasts_until_each_part_of_it_was_told_and_hurries_none_that_rests(slow: Timetable, clock: Clock):
    slow.missed()
    assert slow.parts() == (AFTER_A_GAP, False)
    slow.swept(AFTER_A_GAP, audit=False, unread={Part.HOLDINGS})
    assert (slow.has_gap, due_at(slow, clock, 0.9)) == (True, frozenset())
    slow.silent()  # soon is not at once
    assert slow.next_s == pytest.approx(0.1)
    assert due_at(slow, clock, 1.0) == {Part.HOLDINGS}
    slow.swept({Part.HOLDINGS}, audit=False)
    assert not slow.has_gap
    slow.parts()
    slow.missed()  # while that was asked for
    slow.swept(AFTER_A_GAP, audit=False)
    assert slow.has_gap


def test_an_audit_that_was_not_told_in_full_is_made_again_after_a_pause(slow: Timetable, clock: Clock):
    clock.now_s = 3600.0
    slow.swept(EVERYTHING, audit=True, unread={Part.FUNDING})
    assert (slow.parts(), slow.next_s) == ((frozenset(), False), 1.0)
    clock.now_s = 3601.0
    assert slow.parts() == (EVERYTHING, True)
