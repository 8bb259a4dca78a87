"""The exchange's own timer (R21): armed while orders rest that open something, refreshed well before it is due.

It cancels everything of the account, what protects a position included: with only such orders it stays off.
"""

from enum import StrEnum

from msgspec import Struct

from apps.trading.risk_view import DeadMan


class Timing(Struct, frozen=True, kw_only=True):
    timer_ms: int = 60_000
    refresh_ms: int = 15_000


class Step(StrEnum):
    NOTHING = "NOTHING"
    ARM = "ARM"  # or refresh: the request is the same
    DISARM = "DISARM"


def next_step(timer: DeadMan, *, entries_rest: bool, stopping: bool, now_ms: int, timing: Timing) -> Step:
    """What to tell the exchange now. One that has fired waits for a person; a clean stop takes it off."""
    if timer.fired:
        return Step.NOTHING
    if stopping or not entries_rest:
        return Step.NOTHING if timer.deadline_ms is None else Step.DISARM
    due = timer.deadline_ms is None or timer.deadline_ms - now_ms <= timing.timer_ms - timing.refresh_ms
    return Step.ARM if due else Step.NOTHING
