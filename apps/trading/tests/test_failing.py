"""Faults at the tops of loops are counted, stop nobody else's work, and are not repeated at once."""

from collections import Counter
from itertools import pairwise

import pytest
from django.db import OperationalError

from apps.trading.execution.runtime import failing
from apps.trading.execution.runtime.failing import LONGEST_S, Apart


class Work:
    """Fails for what is negative."""

    def __init__(self) -> None:
        self.tries: Counter[int] = Counter()
        self.error: Exception = ZeroDivisionError()

    def __call__(self, number: int) -> int:
        self.tries[number] += 1
        if number < 0:
            raise self.error
        return number


def test_what_fails_is_counted_and_stops_no_other():
    work, before = Work(), failing.counts().get("work of a test", 0)
    assert Apart().each("work of a test", work, [1, -1, 2]) == 3
    assert failing.counts()["work of a test"] - before == 1


def test_what_has_failed_is_left_alone_the_longer_the_oftener_it_does():
    work, now = Work(), [0.0]
    apart = Apart(clock=lambda: now[0])
    at = []
    for now[0] in range(200):
        before = work.tries[-1]
        apart.each("work of a test", work, [-1, 1])
        at += [now[0]] * (work.tries[-1] - before)
    assert at[:6] == [0, 1, 3, 7, 15, 31]
    assert {later - earlier for earlier, later in pairwise(at[5:])} == {LONGEST_S}
    assert work.tries[1] == 200


def test_a_database_that_is_away_is_told_to_whoever_runs_the_loop():
    work = Work()
    work.error = OperationalError(2006, "gone")
    with pytest.raises(OperationalError):
        Apart().each("work of a test", work, [-1, 1])


def test_a_row_that_somebody_holds_too_long_is_that_rows_fault():
    work = Work()
    work.error = OperationalError(1205, "lock wait timeout")
    assert Apart().each("work of a test", work, [-1, 1]) == 1


def test_a_thread_that_nobody_starts_anew_outlives_what_is_raised():
    tries = []

    def call() -> None:
        tries.append(1)
        raise ZeroDivisionError if len(tries) < 3 else SystemExit

    with pytest.raises(SystemExit):
        failing.for_ever("work of a test", call, 0.0)
    assert len(tries) == 3
