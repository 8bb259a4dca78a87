"""A lane in the hands of a test: taken at once, where an executor takes it together with its first intent."""

from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import HeldLane, LaneLost, find, take


def acquire(lane: str, executor: Executor) -> HeldLane | None:
    """Take the lane if it is free or run out; None: somebody works it, or was faster."""
    held = find(lane, executor)
    try:
        return None if held is None else take(held)
    except LaneLost:
        return None
