"""KS4: a file on the host stops its senders, also when the database is away."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.feeds.tests.waiting import await_that
from tests.orders import evidence, halts, lives
from tests.orders.invariants import at_most_once, monotone
from tests.orders.rig import Rig
from tests.orders.test_halt import EXPIRY_MS, PATIENCE_S, resting

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(900)]

ACCOUNTS, OF_EACH = 10, 5


@pytest.fixture
def signal_file(rig: Rig) -> Iterator[Path]:
    yield rig.halt_file
    rig.halt_file.unlink(missing_ok=True)


def test_a_file_on_the_host_stops_what_has_not_left_yet(rig: Rig, signal_file: Path):
    accounts = rig.accounts(ACCOUNTS)
    numbers, names = [each["id"] for each in accounts], {each["name"] for each in accounts}
    cells = resting(rig, accounts, OF_EACH)
    worker = rig.forks.start(halts.work, accounts=numbers, seconds=PATIENCE_S)
    caller = rig.forks.start(halts.want, cells=cells, every_s=0.1)
    await_that(lambda: rig.exchanges.accepted("binance", accounts[0]["name"]), PATIENCE_S)
    signal_file.touch()
    written_ms = time.time_ns() // 1_000_000
    caller.result()
    await_that(lambda: not rig.forks.call(halts.undecided, accounts=numbers), PATIENCE_S)
    accepted = [row for row in rig.exchanges.accepted("binance") if row["account"] in names]
    assert [row for row in accepted if row["ms"] > written_ms + EXPIRY_MS] == []
    known = rig.forks.call(evidence.told, accounts=numbers)
    assert [*at_most_once(accepted, known), *monotone(known)] == []
    signal_file.unlink()
    ended = [{**cell, "cancel": True} for cell in cells]
    assert rig.forks.call(lives.recover, cells=ended, threads=2, seconds=PATIENCE_S) == []
    worker.kill()
