"""A lane whose executor died is worked by another; what its forks do stands first."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from apps.trading.execution.cancels import cancelling
from apps.trading.execution.entry import working
from apps.trading.execution.executors import lanes
from apps.trading.execution.resolution import resolving
from apps.trading.tests import held_lanes
from tests.orders import executors, lives, patience, sales, steps
from tests.orders.rig import Rig
from tests.orders.steps import Cell

SWEEP_S, WANTED_S, LOOK_S = 0.25, 0.1, 0.01
PATIENCE_S = 120.0
AMOUNT = "0.0012"  # of the second: another than the first


def serve(cells: list[Cell], seconds: float) -> None:
    """The threads of a daemon that trades; to be killed."""
    ports = executors.ports(tail_s=10.0)

    def loop(turn: Callable[[Any], Any]) -> None:
        mine = executors.executor(ports)
        steps.measured(mine, cells[:1])
        executors.until(lambda: patience.patiently(lambda: turn(mine)) and False, seconds, every_s=SWEEP_S)

    turns: list[Callable[[Any], Any]] = [
        lambda mine: working.sweep(executor=mine),
        lambda mine: resolving.resolve_due(mine),
        lambda mine: cancelling.cancel_due(mine),
    ]
    patience.in_threads([lambda turn=turn: loop(turn) for turn in turns])  # type: ignore[misc]


def hold(cell: Cell) -> None:
    """Take the cell's lane and keep it; to be killed."""
    mine = executors.executor()
    held = held_lanes.acquire(lanes.lane_of(cell["account"], cell["pair"]), mine)
    while held is not None:
        held = lanes.keep(held, mine)
        time.sleep(SWEEP_S)
    raise RuntimeError("the lane was not free")


def is_held(cell: Cell) -> bool:
    return held_lanes.acquire(lanes.lane_of(cell["account"], cell["pair"]), executors.executor()) is None


def want(cell: Cell) -> None:
    """Write the intent."""
    steps.intend(cell, executors.executor())


def takeover(rig: Rig, *, in_flight: bool, clock: Callable[[], float] = time.monotonic) -> float:
    """Seconds from the death of who held a lane to the next acceptance in it; entries, which wait for a proof.

    Raise TimeoutError when there is none.
    """
    [account] = rig.accounts(1)
    first, second = sales.cells(rig, [account], 2, f"takeover-{account['name']}")
    price = f"{round(rig.middle(account) * 99 / 100)}"
    first, second = (
        {**each, "side": "buy", "tif": "gtc", "purpose": "entry", "price": price} for each in (first, second)
    )
    second["amount"] = AMOUNT
    if in_flight:
        holder = rig.forks.start(lives.live, rig.kill_at("K6"), cell=first)
        holder.wait()
    else:
        holder = rig.forks.start(hold, cell=first)
        while not rig.forks.call(is_held, cell=first):
            time.sleep(LOOK_S)
        holder.kill()
    died = clock()
    server = rig.forks.start(serve, cells=[second], seconds=PATIENCE_S)
    for number in count(1):  # until it is proven what became of the first, entries are refused
        rig.forks.call(want, cell={**second, "key": f"{second['key']}-{number}"})
        time.sleep(WANTED_S)
        if any(row["account"] == account["name"] for row in rig.exchanges.accepted("binance")):
            break
        if clock() - died > PATIENCE_S:
            raise TimeoutError(f"nobody has worked the lane of {account['name']}")
    took_s = clock() - died
    server.kill()
    return took_s
