"""O15: a daemon that is told to stop under load leaves no entry at an exchange but those that it names."""

import signal
from collections import Counter
from typing import Any

import pytest

from apps.feeds.tests.waiting import await_that
from tests.orders import evidence, lives, stops
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES
from tests.orders.test_halt import open_ones, resting

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(900)]

TOGETHER, DOUBTFUL = 10, 2  # stops at the same time, and those of them with an order that nobody can tell of
RESTING, EVERY_S = 5, 0.02
STOPS_S, PATIENCE_S = 30.0, 300.0


@pytest.mark.parametrize("turn", range(TIMES))
def test_ten_stops_under_load_leave_only_orders_that_they_name(rig: Rig, turn: int):
    accounts = rig.accounts(TOGETHER)
    numbers, cells = [each["id"] for each in accounts], resting(rig, accounts, 1)
    caller = rig.forks.start(stops.load, cells=cells, every_s=EVERY_S)
    doubtful, more = cells[:DOUBTFUL], {"seconds": PATIENCE_S}
    daemons = {
        cell["name"]: rig.forks.start(stops.work_until_told, cell=cell, doubtful=cell in doubtful, **more)
        for cell in cells
    }
    await_that(lambda: len(all_with(rig, cells)) == len(cells), PATIENCE_S)
    for cell in doubtful:
        rig.exchanges.fault(cell["exchange"], cell["name"], "held")
    await_that(lambda: rig.forks.call(stops.in_doubt, accounts=numbers[:DOUBTFUL]) == DOUBTFUL, PATIENCE_S)
    for daemon in daemons.values():
        daemon.send(signal.SIGTERM)
    took_s = [daemon.result() for daemon in daemons.values()]
    assert caller.status is None, caller.log()  # they stopped in the midst of it
    caller.kill()
    assert max(took_s) <= STOPS_S

    left = rig.forks.call(stops.left, accounts=numbers)
    assert {row["status"] for row in left} == {"UNKNOWN"}
    assert {cell["name"] for cell in doubtful} <= {row["account"] for row in left}
    assert [row for row in left if row["id"] not in daemons[row["account"]].log()] == []
    assert {row["client_id"] for row in open_ones(rig, set(daemons))} <= {row["id"] for row in left}
    print(
        f"{len(daemons)} stops of {min(took_s):.1f} to {max(took_s):.1f} s, {len(of(rig, cells))} entries, left {left}"
    )
    come_through(rig, doubtful)
    ended = [{**cell, "cancel": True} for cell in cells]
    assert rig.forks.call(lives.recover, cells=ended, threads=2, seconds=PATIENCE_S) == []
    assert violations(of(rig, cells), rig.forks.call(evidence.told, accounts=numbers)) == []


def of(rig: Rig, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {cell["name"] for cell in cells}
    return [row for row in rig.exchanges.accepted("binance") if row["account"] in names]


def all_with(rig: Rig, cells: list[dict[str, Any]]) -> list[str]:
    """The accounts of which enough rests."""
    return [name for name, count in Counter(row["account"] for row in of(rig, cells)).items() if count >= RESTING]


def come_through(rig: Rig, cells: list[dict[str, Any]]) -> None:
    """What was held up reaches the exchange after all, and rests."""
    for cell in cells:
        rig.exchanges.fault(cell["exchange"], cell["name"], "held", count=0)
    names = {cell["name"] for cell in cells}
    await_that(lambda: {row["account"] for row in open_ones(rig, names)} == names, PATIENCE_S)
