"""KS2: executors that stand still in the middle of a decision, or are cut off from the database, hold up no halt."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from apps.feeds.tests.waiting import await_that, timed
from apps.trading.execution.runtime.transactions import IDLE_S
from tests.orders import endings, halts, lives
from tests.orders.partition import Line
from tests.orders.rig import Rig
from tests.orders.scenarios import is_stopped
from tests.orders.storm import TIMES
from tests.orders.test_halt import EXPIRY_MS, PATIENCE_S, judge, resting

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(1800 * TIMES)]

TRIALS, OF_EACH, CUTS = 200 * TIMES, 2, 3
CUT_S = (1.0, 8.0)  # shorter and longer than the lease of a lane


def test_a_halt_waits_for_nobody_who_stands_still_in_the_middle_of_a_decision(rig: Rig):
    [account] = rig.accounts(1)
    [cell] = resting(rig, [account], 1)
    decides = rig.forks.start(lives.live, rig.kill_at("K4", how="stop"), cell=cell)
    await_that(lambda: is_stopped(decides), PATIENCE_S)
    with timed() as seconds:
        halted = rig.forks.call(halts.press, accounts=[account["id"]], seed=1, every_s=0.0)
        assert seconds() < 2 * IDLE_S
    decides.kill()
    assert rig.forks.call(endings.in_doubt, cell=cell) == 1  # the intent, which is nobody's order
    assert rig.forks.call(halts.written_later, halts=halted) == []
    assert rig.exchanges.accepted("binance", account["name"]) == []


def test_an_order_whose_commit_is_acknowledged_after_it_has_expired_does_not_leave(rig: Rig, tmp_path: Path):
    [account] = rig.accounts(1)
    [cell] = resting(rig, [account], 1)
    with Line(tmp_path / "line", _server()) as line:
        more = {"line": str(line.path), "cell": cell}
        decides = rig.forks.start(halts.live_far_away, rig.kill_at("K4", how="stop"), **more)
        await_that(lambda: is_stopped(decides), PATIENCE_S)
        line.cut_answers()
        decides.send(signal.SIGCONT)
        await_that(lambda: rig.forks.call(halts.committed, accounts=[account["id"]]), PATIENCE_S)
        [halted] = rig.forks.call(halts.press, accounts=[account["id"]], seed=1, every_s=0.0).values()
        await_that(lambda: time.time_ns() // 1_000_000 > halted["committed_ms"] + EXPIRY_MS, PATIENCE_S)
        line.heal()
        did = decides.result()
    assert did.get("orders left") == 1, did
    assert rig.exchanges.accepted("binance", account["name"]) == []


def test_nothing_is_accepted_later_than_a_halt_by_an_executor_that_is_cut_off(rig: Rig, tmp_path: Path):
    accounts = rig.accounts(TRIALS)
    numbers = [each["id"] for each in accounts]
    cells = resting(rig, accounts, OF_EACH)
    with Line(tmp_path / "line", _server()) as line:
        near = rig.forks.start(halts.work, accounts=numbers, seconds=PATIENCE_S)
        more = {"line": str(line.path), "accounts": numbers, "seconds": PATIENCE_S}
        far = [rig.forks.start(halts.work_far_away, **more) for _ in range(2)]
        caller = rig.forks.start(halts.want, cells=cells, every_s=0.02)
        await_that(lambda: rig.exchanges.accepted("binance", accounts[0]["name"]), PATIENCE_S)
        pressed = rig.forks.start(halts.press, accounts=numbers, seed=2, every_s=0.08)
        cuts = cut(line, until=lambda: pressed.status is not None)
        committed = pressed.result()
        caller.result()
        await_that(lambda: not rig.forks.call(halts.working_still, accounts=numbers), PATIENCE_S)
        for worker in (near, *far):
            worker.kill()
            worker.wait()
    print(f"{TRIALS} halts, {cuts} cuts, {line.held} held: {judge(rig, cells, committed)}")
    assert cuts >= CUTS
    assert line.held >= CUTS, "nobody said anything while the line was cut"


def cut(line: Line, until: Callable[[], bool]) -> int:
    """At random instants, for longer or shorter; how often."""
    chance, cuts = Random(4), 0
    while not until():
        line.cut()
        time.sleep(chance.choice(CUT_S))
        line.heal()
        cuts += 1
        time.sleep(chance.uniform(0.2, 1.0))
    return cuts


def _server() -> str:
    return os.environ["DATABASE_URL"].partition("unix_socket=")[2]
