"""The exchange's own timer (R21): armed while orders rest that open something, refreshed well before it is due.

It cancels everything of the account, what protects a position included: with only such orders it stays off.
"""

from enum import StrEnum

from apps.feeds.drivers.trading import DeadManTerms
from apps.trading.risk.view import DeadMan


class Step(StrEnum):
    NOTHING = "NOTHING"
    ARM = "ARM"  # or refresh: the request is the same
    DISARM = "DISARM"


def next_step(timer: DeadMan, *, entries_rest: bool, stopping: bool, now_ms: int, terms: DeadManTerms) -> Step:
    """What to tell the exchange now. One that has fired waits for a person; a clean stop takes it off."""
    if timer.fired:
        return Step.NOTHING
    if stopping or not entries_rest:
        return Step.NOTHING if timer.deadline_ms is None else Step.DISARM
    due = timer.deadline_ms is None or timer.deadline_ms - now_ms <= terms.timer_ms - terms.refresh_ms
    return Step.ARM if due else Step.NOTHING
