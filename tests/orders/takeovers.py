"""A lane whose executor died is worked by another; what its forks do stands first."""

import time
from collections.abc import Callable
from functools import partial
from itertools import count

from apps.trading.execution.cancels import cancelling
from apps.trading.execution.entry import working
from apps.trading.execution.executors import lanes
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.resolution import due, resolving
from apps.trading.execution.runtime.spreading import Spread
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

    def loop(turn_of: Callable[[Executor], Callable[[], object]]) -> None:
        mine = executors.executor(ports)
        steps.measured(mine, cells[:1])
        turn = turn_of(mine)
        executors.until(lambda: patience.patiently(turn) and False, seconds, every_s=SWEEP_S)

    def resolver(mine: Executor) -> Callable[[], object]:
        looks = Spread("looks", partial(resolving.resolve_account, mine))
        return lambda: looks.begin(due.accounts_due())

    turns: list[Callable[[Executor], Callable[[], object]]] = [
        lambda mine: partial(working.sweep, executor=mine),
        resolver,
        lambda mine: partial(cancelling.cancel_due, mine),
        lambda _: ports.remote.clocks.measure_due,
    ]
    patience.in_threads([partial(loop, turn_of) for turn_of in turns])


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
