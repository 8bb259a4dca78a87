"""When the exchange's own timer is armed, refreshed and taken off."""

import pytest

from apps.feeds.drivers.trading import DeadManTerms
from apps.trading.halts.dead_man import Step, next_step
from apps.trading.risk.view import DeadMan

NOW = 1_000_000


@pytest.mark.parametrize(
    ("deadline_ms", "entries_rest", "stopping", "expected"),
    [
        (None, False, False, Step.NOTHING),
        (None, True, False, Step.ARM),
        (NOW + 45_001, True, False, Step.NOTHING),
        (NOW + 45_000, True, False, Step.ARM),
        (NOW - 1, True, False, Step.ARM),
        (NOW + 60_000, False, False, Step.DISARM),  # only what protects a position rests
        (NOW + 60_000, True, True, Step.DISARM),
        (None, True, True, Step.NOTHING),
    ],
)
def test_a_timer_runs_while_entries_rest(deadline_ms: int | None, entries_rest: bool, stopping: bool, expected: Step):
    timer = DeadMan(deadline_ms=deadline_ms, fired=False)
    step = next_step(timer, entries_rest=entries_rest, stopping=stopping, now_ms=NOW, terms=DeadManTerms())
    assert step is expected


def test_one_that_fired_waits_for_a_person():
    fired = DeadMan(deadline_ms=None, fired=True)
    assert next_step(fired, entries_rest=True, stopping=False, now_ms=NOW, terms=DeadManTerms()) is Step.NOTHING


def test_an_exchange_may_want_a_shorter_timer():
    terms, timer = DeadManTerms(timer_ms=30_000, refresh_ms=5_000), DeadMan(deadline_ms=NOW + 25_000, fired=False)
    assert next_step(timer, entries_rest=True, stopping=False, now_ms=NOW, terms=terms) is Step.ARM
