"""The life of one order from intent to end, which a fork lives until it dies, and others take up where it was left."""

import itertools
from typing import Any

from apps.trading.execution.cancels import cancelling
from apps.trading.execution.entry import working
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import lane_of
from apps.trading.models import IntentState, OrderIntent
from apps.trading.tests.looks import resolve_due
from tests.orders import executors, steps
from tests.orders.endings import all_done, is_over, unsettled
from tests.orders.patience import in_threads, patiently
from tests.orders.steps import Cell


def live(cell: Cell) -> dict[str, int]:
    """All of it; what the executor did, by name. It cares for its own account: others may stand still on their rows."""
    mine = executors.executor(executors.ports(only=cell["account"]))
    steps.measured(mine, [cell])
    patiently(lambda: steps.intend(cell, mine))
    patiently(lambda: working.work_lane(lane_of(cell["account"], cell["pair"]), executor=mine))
    steps.befall(cell)
    patiently(lambda: steps.collect([cell], mine))
    for _ in range(2):
        patiently(lambda: steps.look_now([cell]))
        patiently(lambda: resolve_due(mine))
        patiently(lambda: steps.cancel([cell], mine))
    return dict(mine.tally.counts())


def recover(cells: list[Cell], threads: int, seconds: float) -> list[str]:
    """Executors that were started anew, and callers who ask again, until all is over; what is not."""
    ports = executors.ports()
    in_threads([lambda part=part: _take_up(part, ports, seconds) for part in _parts(cells, threads)])
    return unsettled(cells)


def _take_up(cells: list[Cell], ports: Any, seconds: float) -> None:
    mine = executors.executor(ports)
    if not cells:
        return
    steps.measured(mine, cells)
    for cell in cells:
        executors.until(lambda cell=cell: patiently(lambda: steps.intend(cell, mine)), seconds)
    executors.until(lambda: patiently(lambda: _turn(cells, mine, ports)), seconds, every_s=0.25)


def _turn(cells: list[Cell], mine: Executor, ports: Any) -> bool:
    ports.remote.clocks.measure_due()
    for lane in {lane_of(each["account"], each["pair"]) for each in cells}:
        if OrderIntent.objects.filter(lane=lane, state=IntentState.NEW).exists():
            working.work_lane(lane, executor=mine)
    resolve_due(mine, 5)
    steps.cancel(cells, mine)
    steps.look_now(cells)
    steps.explain(cells, mine)
    return not unsettled(cells)


def intend_all(cells: list[Cell]) -> int:
    """How many were written and not refused at once. Each account has one pair and one trade here."""
    mine = executors.executor()
    known = {number: steps.rows_of(cell) for number, cell in {each["account"]: each for each in cells}.items()}
    return sum(steps.intend(cell, mine, known[cell["account"]]).state != IntentState.DONE for cell in cells)


def serve(accounts: list[int], threads: int, seconds: float) -> int:
    """Work as an executor does until nothing of these accounts is left; how many requests left."""
    ports = executors.ports()
    cells = [{"account": number, "exchange": "binance"} for number in accounts]
    sent: list[int] = []

    def work() -> None:
        mine = executors.executor(ports)
        executors.until(lambda: patiently(lambda: steps.measured(mine, cells[:1]) or True))
        number, turns = 0, itertools.cycle(cells)

        def turn() -> bool:
            nonlocal number
            ports.remote.clocks.measure_due()
            number += working.sweep(executor=mine)
            resolve_due(mine)
            cancelling.cancel_due(mine)
            steps.explain(cells if all_done(cells) else [next(turns)], mine)
            return is_over(cells)

        executors.until(lambda: patiently(turn), seconds, every_s=0.1)
        sent.append(number)

    in_threads([work] * threads)
    return sum(sent)


def _parts(cells: list[Cell], number: int) -> list[list[Cell]]:
    return [cells[at::number] for at in range(number)]
