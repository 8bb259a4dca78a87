"""Executors with one guard taken out (O4): each must be seen to do wrong here, or its guard counts as absent.

`without` is a name of GUARDS, or empty: then all guards are there.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.db.models.functions import Now
from msgspec.structs import replace

from apps.feeds.models import Lease
from apps.trading.execution.entry import claiming, working
from apps.trading.execution.executors import lanes
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import HeldLane, lane_of
from apps.trading.execution.resolution import resolving
from apps.trading.models import IntentState, Order, OrderIntent
from apps.trading.not_placed import Patience
from apps.trading.tests.looks import resolve_due
from tests.orders import endings, executors, steps

LONG_MS, LONG_TTL_S = 55_000, 240.0  # of scenarios in which no time may run out by itself
LATER_MS = 50_000  # the most that Binance takes is 60 s
Cell = dict[str, Any]


def no_expiry() -> None:
    """The exchange is told a time that never comes."""

    def place(self: executors.ShortPort, order: Any, **more: Any) -> Any:
        return self._port.place(replace(order, expires_ms=order.expires_ms + LATER_MS), **more)

    executors.ShortPort.place = place  # type: ignore[attr-defined]


def no_wait() -> None:
    """Two answers "not found" are believed whenever they come."""
    nothing = Patience(skew_ms=-2 * LONG_MS, tail_ms=0, read_lag_ms=0, apart_ms=0)
    resolving.patience = lambda expiry: nothing  # type: ignore[attr-defined]


def no_fence() -> None:
    """Who held the lane once goes on as if it were still so."""
    claiming._lock_lease = lambda *_: None  # type: ignore[assignment]
    lanes.keep = lambda held, executor: held  # type: ignore[assignment]


def no_lane_lock() -> None:
    """A lane is taken whoever holds it."""
    find: Callable[[str, Executor], HeldLane | None] = lanes.find

    def found(lane: str, executor: Executor) -> HeldLane | None:
        Lease.objects.filter(resource=lanes.PREFIX + lane).update(expires_at=Now())
        return find(lane, executor)

    lanes.find = found


GUARDS: Mapping[str, Callable[[], None]] = {
    "expiry": no_expiry,
    "wait": no_wait,
    "fence": no_fence,
    "lane lock": no_lane_lock,
    "": lambda: None,
}


def send(cell: Cell, without: str, patient: bool = False) -> str:
    """Write the intents of a cell's lane and work it; `patient`: requests and leases last for long."""
    GUARDS[without]()
    mine = _executor(cell, patient, executors.TAIL_S)
    steps.measured(mine, [cell])
    for number in range(cell.get("orders", 1)):
        steps.intend({**cell, "key": f"{cell['key']}-{number}"}, mine)
    return str(working.work_lane(_lane(cell), executor=mine).ended)


def resolve(
    cell: Cell,
    without: str,
    notes: str,
    patient: bool = False,
    tail_s: float = executors.TAIL_S,
    seconds: float = 600.0,
) -> None:
    """Look at the cell's orders all the time, and send what is to be sent anew; to be killed.

    In the file `notes` is written when it has looked, and has done what followed from it [ms of the day's clock].
    """
    GUARDS[without]()
    mine = _executor(cell, patient, tail_s)
    steps.measured(mine, [cell])

    def turn() -> bool:
        orders = Order.objects.filter(account=cell["account"], status__in=endings.IN_DOUBT)
        if patient:
            orders.update(next_check_at=Now())
        looked = resolve_due(mine)
        if OrderIntent.objects.filter(account=cell["account"], state=IntentState.NEW).exists():
            working.work_lane(_lane(cell), executor=mine)
        if looked:
            file.write(f"{time.time_ns() // 1_000_000}\n")
            file.flush()
        return False

    with Path(notes).open("a") as file:
        executors.until(turn, seconds, every_s=0.1)


def end_lease(cell: Cell) -> None:
    """As if its time had run out."""
    Lease.objects.filter(resource=lanes.PREFIX + _lane(cell)).update(expires_at=Now())


def _executor(cell: Cell, patient: bool, tail_s: float) -> Executor:
    """For the cell's account alone: who lacks a guard shall do no harm to others."""
    changes: dict[str, Any] = {}
    if patient:
        lanes.TTL_S = LONG_TTL_S
        changes["expiry_ms"] = LONG_MS
    return executors.executor(executors.ports(tail_s=tail_s, only=cell["account"]), **changes)


def _lane(cell: Cell) -> str:
    return lane_of(cell["account"], cell["pair"])
