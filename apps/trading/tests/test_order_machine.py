"""P2: whatever dies, waits, is lost or repeated, no intent is placed twice, and in the end we know what is true.

CT_EXAMPLES multiplies the number of runs.
"""

from collections import Counter
from itertools import chain, repeat
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds.orders import OrderStatus
from apps.trading.order_state import FINAL
from apps.trading.tests import order_machine
from apps.trading.tests.order_machine import CLOCK_ERROR_MS, EXPIRY_MS, LIMITS, TAIL_MS, Machine, worst
from tests.sizes import examples

EXAMPLES = examples(2_000)
STEPS = 60
SEEN = ("lost", "left", "again", "denied", "died", "halted", "FILLED", "CANCELLED", "NOT_PLACED")
NEVER_THERE = (OrderStatus.REJECTED, OrderStatus.NOT_PLACED)
RUNS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)


def judge(machine: Machine, before: dict[str, tuple[OrderStatus, object]]) -> None:
    for wanted in machine.wanted:
        assert sum(each.accepted for each in wanted.attempts) <= 1, "I1"
    for each in machine.attempts:
        known = each.known
        assert known.executed <= each.filled, "I3"
        was, filled = before.get(known.client_order_id, (known.status, known.filled))
        assert known.status is was or was not in FINAL, "I4"
        assert known.filled >= filled, "I4"  # type: ignore[operator]
        assert not known.alarms, "I4"
        if known.status in NEVER_THERE:
            assert each.accepted_ms is None, "I5"
            late = machine.now_ms > known.expires_ms + TAIL_MS
            assert not each.may_come or each.passed_ms is None or late, "I5: it may still come"
    assert not machine.committed_under_halt, "I11"
    for at_ms, committed in machine.halts:
        for each in machine.attempts[:committed]:
            assert (each.accepted_ms or 0) <= at_ms + EXPIRY_MS + CLOCK_ERROR_MS + TAIL_MS, "I11: accepted too late"
    assert worst(machine) <= LIMITS.max_asset_usdt, "I10"
    assert machine.sent_first == sorted(machine.sent_first), "I12"


def known_of(machine: Machine) -> dict[str, tuple[OrderStatus, object]]:
    return {each.known.client_order_id: (each.known.status, each.known.filled) for each in machine.attempts}


@RUNS
@given(seed=st.integers(0, 2**63))
def test_no_step_breaks_an_invariant_and_in_the_end_all_is_known(seed: int):
    machine = Machine(chain(Random(seed).randbytes(6 * STEPS), repeat(0)))
    for _ in range(STEPS):
        before = known_of(machine)
        machine.step()
        judge(machine, before)
    for attempt in machine.attempts:
        for report in attempt.reports:
            machine.take(attempt, report)
        if attempt.status is not None:
            assert (attempt.known.status, attempt.known.executed) == (attempt.status, attempt.filled)


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """What happened in many runs: a machine in which nothing goes wrong would prove nothing."""
    told: Counter[str] = Counter()
    for seed in range(300):
        machine = Machine(chain(Random(seed).randbytes(6 * STEPS), repeat(0)))
        for _ in range(STEPS):
            machine.step()
        told.update(machine.counts)
        told.update(str(each.known.status) for each in machine.attempts)
    return told


@pytest.mark.parametrize("what", SEEN)
def test_the_machine_goes_through_all_of_it(seen: Counter[str], what: str):
    assert seen[what] > 10


@pytest.mark.parametrize("guard", ["tail", "expiry"])
def test_without_a_guard_an_intent_is_placed_twice(guard: str, monkeypatch: pytest.MonkeyPatch):
    changed = {"tail": {"tail_ms": 0, "read_lag_ms": 0, "skew_ms": 0}, "expiry": {"tail_ms": -3_000, "read_lag_ms": 0}}
    patience = order_machine.Patience(**{"skew_ms": 500, "apart_ms": 0, **changed[guard]})
    monkeypatch.setattr(order_machine, "PATIENCE", patience)
    assert any(doubled(seed) for seed in range(1_500))


def doubled(seed: int) -> bool:
    machine = Machine(chain(Random(seed).randbytes(12 * STEPS), repeat(0)))
    for _ in range(2 * STEPS):
        machine.step()
    return any(sum(each.accepted for each in wanted.attempts) > 1 for wanted in machine.wanted)
