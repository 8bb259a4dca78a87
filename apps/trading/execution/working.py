"""A lane is worked: its intents one after the other, one request in flight, until nothing is left or it is lost."""

from dataclasses import dataclass
from enum import StrEnum

from apps.trading.execution.executor import Executor


class Ended(StrEnum):
    """Why `work_lane` came back."""

    EMPTY = "empty"
    BUSY = "busy"  # somebody else works it
    LOST = "lost"  # its lease ran out under us
    FULL = "full"  # there is more, and others wait
    CANNOT = "cannot"  # this process has no way to its account


@dataclass(frozen=True, kw_only=True)
class Worked:
    ended: Ended
    sent: int = 0  # requests that left, whatever became of them
    turned_away: int = 0  # intents that risk refused, or that were too old


def work_lane(lane: str, *, executor: Executor) -> Worked:
    """Take the lane and work it; what is interrupted at any point is resolved by whoever holds the lane next."""
    raise NotImplementedError


def sweep(*, executor: Executor, limit: int = 20) -> int:
    """Work lanes whose wake-up was lost; how many requests were sent. To be called every 250 ms."""
    raise NotImplementedError
