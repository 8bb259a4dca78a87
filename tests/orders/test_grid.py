"""O1: an executor dies at each point of an order's way while the exchange does each thing that exchanges do.

Every intent comes to an end within 30 s of a restart, was accepted once at most, and what we know of it is what the
exchange knows. CT_FAULTS sets the number of runs.
"""

import math
from collections import Counter

import pytest

from apps.feeds.tests.waiting import timed
from tests.environment import ON_MARIADB
from tests.orders import evidence, grid, lives
from tests.orders.forks import Fork
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.alone, pytest.mark.faults, pytest.mark.processes, pytest.mark.timeout(1800 * TIMES)]

AT_ONCE = 16
EXCHANGES = ("binance", "okx", "bybit", "kucoin", "coinex", "mexc", "htx")
THREADS, RECOVERERS, RECOVERY_S = 4, 2, 300.0
OVER_S = 30.0  # after executors are there again


@pytest.mark.parametrize("run", range(TIMES))
def test_wherever_an_executor_dies_its_order_is_placed_once_at_most_and_comes_to_an_end(rig: Rig, run: int):
    run = 2 * run + ON_MARIADB  # what one database has at rest the other has filled at once
    exchange = EXCHANGES[run // 2 % len(EXCHANGES)]
    cells = grid.cells(rig, exchange, run)
    died = kill_each(rig, cells)
    with timed() as seconds:
        parts = [
            rig.forks.start(lives.recover, cells=each, threads=THREADS, seconds=RECOVERY_S) for each in halves(cells)
        ]
        assert [line for part in parts for line in part.result()] == []
        took_s = seconds()
    known = rig.forks.call(evidence.told, accounts=[cell["account"] for cell in cells])
    names = {cell["name"] for cell in cells}
    accepted = [row for row in rig.exchanges.accepted(exchange) if row["account"] in names]
    told = f"{sum(died.values())} of {len(cells)} died, {len(accepted)} orders accepted, all over after {took_s:.1f} s"
    print(f"{exchange}: {told}")
    assert violations(accepted, known, fifo=True) == []
    assert set(died) == set(grid.POINTS), "a point was never reached"
    assert took_s <= OVER_S


def kill_each(rig: Rig, cells: list[dict[str, object]]) -> Counter[str]:
    """How many died at each point; all others ended by themselves."""
    died: Counter[str] = Counter()
    for at in range(0, len(cells), AT_ONCE):
        forks: list[tuple[str, Fork]] = []
        for cell in cells[at : at + AT_ONCE]:
            point = str(cell["key"]).split("-")[2]
            forks.append((point, rig.forks.start(lives.live, rig.kill_at(point), cell=cell)))
        for point, fork in forks:
            if fork.killed:
                died[point] += 1
            else:
                fork.result()
    return died


def halves(cells: list[dict[str, object]]) -> list[list[dict[str, object]]]:
    size = math.ceil(len(cells) / RECOVERERS)
    return [cells[at : at + size] for at in range(0, len(cells), size)]
