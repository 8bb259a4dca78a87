"""Faults of accounts: whom they befall, how often, and when they end."""

import pytest

from apps.feeds.simulator.trading.faults import LASTING, AccountFaults


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_fault_befalls_the_next_requests_of_its_kind_and_account() -> None:
    faults = AccountFaults(Clock())
    faults.begin("accept_hang", "anna", kind="cancel", seconds=7, count=2)
    assert faults.take("accept_hang", "boris", "cancel") is None
    assert faults.take("accept_hang", "anna", "place") is None
    assert [faults.take("accept_hang", "anna", "cancel") is not None for _ in range(3)] == [True, True, False]


def test_a_fault_of_nobody_in_particular_befalls_everybody() -> None:
    faults = AccountFaults(Clock())
    faults.begin("reject", None, kind="any")
    assert faults.find("reject", "boris", "read") is not None


@pytest.mark.parametrize("op", [op for op in LASTING if op != "clock_drift"])
def test_a_lasting_fault_ends_by_itself_or_when_it_is_ended(op: str) -> None:
    clock = Clock()
    faults = AccountFaults(clock)
    faults.begin(op, "anna", seconds=3)
    fault = faults.find(op, "anna")
    assert fault is not None
    assert fault.left_s(clock.now) == 3
    clock.now += 3
    assert faults.find(op, "anna") is None
    faults.begin(op, "anna")
    clock.now += 1e6
    assert faults.find(op, "anna") is not None
    faults.begin(op, "anna", count=0)
    assert faults.find(op, "anna") is None


def test_a_fault_takes_the_place_of_one_of_its_name() -> None:
    faults = AccountFaults(Clock())
    faults.begin("late_accept", "anna", seconds=1, count=5)
    faults.begin("late_accept", "anna", seconds=2)
    fault = faults.take("late_accept", "anna", "place")
    assert fault is not None
    assert fault.seconds == 2
    assert faults.take("late_accept", "anna", "place") is None
