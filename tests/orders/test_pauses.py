"""O3: an executor stands still at each point of an order's way, others take over meanwhile, then it wakes up."""

import signal
import time
from collections import Counter
from contextlib import suppress

import pytest

from apps.feeds.tests.waiting import await_that
from tests.orders import evidence, grid, lives, sales
from tests.orders.forks import Fork
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.scenarios import is_stopped
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(1800)]

PAUSES_S = (0.3, 1.0, 3.0, 6.0, 9.0)  # the last are as long as a lease and longer
RECOVERY_S, THREADS = 300.0, 4
STILL_S, WAKE_S = 120.0, 0.1
WOKEN_REFUSED = ("orders left", "orders refused", "lanes lost")


@pytest.mark.parametrize("turn", range(TIMES))  # in turns: a database has no room for 800 executors at a time
def test_who_sleeps_over_a_takeover_wakes_up_to_no_harm(rig: Rig, turn: int):
    plan = [(point, pause_s) for point in grid.POINTS for pause_s in PAUSES_S]
    accounts = rig.accounts(len(plan), held="1")
    cells = [
        {
            **sales.cells(rig, [account], 1, f"pause-{turn}-{number}")[0],
            "tif": "gtc" if number % 2 else "ioc",
            "cancel": True,
        }
        for number, account in enumerate(accounts)
    ]
    forks = [
        rig.forks.start(lives.live, rig.kill_at(point, how="stop"), cell=cell)
        for (point, _), cell in zip(plan, cells, strict=True)
    ]
    with suppress(TimeoutError):  # who is later stands still later, and is woken all the same
        await_that(lambda: all(fork.status is not None or is_stopped(fork) for fork in forks), STILL_S)
    rescue = rig.forks.start(lives.recover, cells=cells, threads=THREADS, seconds=RECOVERY_S)
    refused = wake(forks, [pause_s for _, pause_s in plan])
    rescue.result()
    assert rig.forks.call(lives.recover, cells=cells, threads=THREADS, seconds=RECOVERY_S) == []
    known = rig.forks.call(evidence.told, accounts=[cell["account"] for cell in cells])
    names = {cell["name"] for cell in cells}
    accepted = [row for row in rig.exchanges.accepted("binance") if row["account"] in names]
    print(f"{len(cells)} pauses, {len(accepted)} orders accepted, woken and refused: {dict(refused)}")
    assert violations(accepted, known) == []
    assert refused.total() >= len(PAUSES_S), "nobody was ever refused: the pauses are too short"


def wake(forks: list[Fork], pauses_s: list[float]) -> Counter[str]:
    """Each after its pause; what those that stood still were refused."""
    asleep = [fork for fork in forks if fork.status is None]
    slept = 0.0
    for pause_s, fork in sorted(zip(pauses_s, forks, strict=True), key=lambda each: each[0]):
        time.sleep(max(0.0, pause_s - slept))
        slept = max(slept, pause_s)
        fork.send(signal.SIGCONT)
    refused: Counter[str] = Counter()
    for fork in asleep:
        while fork.status is None:
            fork.send(signal.SIGCONT)
            time.sleep(WAKE_S)
        did = fork.result()
        refused.update({name: did[name] for name in WOKEN_REFUSED if did.get(name)})
    for fork in forks:
        fork.result()
    return refused
