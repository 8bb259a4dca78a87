"""O14: the exchange's clock is set while orders are under way, a little, much, ahead and back."""

import time

import pytest

from apps.feeds.tests.waiting import await_that
from tests.orders import evidence, halts, lives
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES
from tests.orders.test_halt import resting

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(900 * TIMES)]

EXCHANGE = "okx"
STEPS_S = (0.1, -0.1, 0.5, -0.5, 2.0, -2.0, 60.0, -60.0, 5.0) * TIMES
OF_EACH, PATIENCE_S = 9, 300.0
LASTS_S = 0.2  # a step: what is under way, or waits, meets it; nothing is waited for


def test_a_clock_that_is_set_at_any_time_does_no_harm(rig: Rig):
    accounts = rig.accounts(len(STEPS_S), EXCHANGE)
    numbers, names = [each["id"] for each in accounts], {each["name"] for each in accounts}
    worker = rig.forks.start(halts.work, accounts=numbers, seconds=PATIENCE_S)
    cells = resting(rig, accounts, OF_EACH)
    try:
        for number, step_s in enumerate(STEPS_S):
            rig.exchanges.fault(EXCHANGE, None, "clock_drift", seconds=step_s)
            rig.forks.call(halts.want, cells=cells[number * OF_EACH : (number + 1) * OF_EACH], every_s=0.0)
            time.sleep(LASTS_S)
    finally:
        rig.exchanges.fault(EXCHANGE, None, "clock_drift", count=0)
    await_that(lambda: not rig.forks.call(halts.undecided, accounts=numbers), PATIENCE_S)
    worker.kill()
    ended = [{**cell, "cancel": True} for cell in cells]
    assert rig.forks.call(lives.recover, cells=ended, threads=4, seconds=PATIENCE_S) == []
    known = rig.forks.call(evidence.told, accounts=numbers)
    accepted = [row for row in rig.exchanges.accepted(EXCHANGE) if row["account"] in names]
    print(f"{len(STEPS_S)} steps of the exchange's clock: {len(accepted)} of {len(cells)} orders accepted")
    assert accepted
    assert violations(accepted, known) == []
