"""KS4: a person stops everything by the file on the host while the database is dead."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.feeds.tests.waiting import await_that
from tests.fixtures.mariadb import MariaDB
from tests.orders import ablated, evidence, halts, lives, outages
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.scenarios import is_stopped
from tests.orders.storm import TIMES
from tests.orders.test_halt import EXPIRY_MS, PATIENCE_S, resting

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(900 * TIMES)]

ACCOUNTS, OF_EACH, EVERY_S = 10, 8, 0.05
DEAD_S = 3.0  # longer than a request is good
FILE_MS = 250  # from when the file is there until nothing leaves this host


@pytest.fixture
def signal_file(durable: Rig) -> Iterator[Path]:
    yield durable.halt_file
    durable.halt_file.unlink(missing_ok=True)


def die(server: MariaDB) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait()


def test_what_was_committed_before_the_database_died_does_not_leave_once_the_file_is_there(
    durable: Rig, server: MariaDB, signal_file: Path
):
    accounts = durable.accounts(2)
    stop = durable.kill_at("K5", how="stop")
    senders = [
        durable.forks.start(ablated.send, stop, cell=cell, without="", patient=True)
        for cell in resting(durable, accounts, 1)
    ]
    await_that(lambda: all(is_stopped(each) for each in senders), PATIENCE_S)
    die(server)
    senders[0].send(signal.SIGCONT)
    await_that(lambda: durable.exchanges.accepted("binance", accounts[0]["name"]), PATIENCE_S)  # the rig would see it
    signal_file.touch()
    senders[1].send(signal.SIGCONT)
    for each in senders:
        each.wait()
    server.serve()
    assert durable.exchanges.accepted("binance", accounts[1]["name"]) == []


def test_without_a_database_nobody_sends_and_afterwards_all_is_accounted_for(
    durable: Rig, server: MariaDB, signal_file: Path
):
    accounts = durable.accounts(ACCOUNTS)
    numbers, names = [each["id"] for each in accounts], {each["name"] for each in accounts}
    cells = resting(durable, accounts, OF_EACH)
    notes = signal_file.with_name("left")
    worker = durable.forks.start(halts.work, accounts=numbers, seconds=PATIENCE_S, notes=str(notes))
    caller = durable.forks.start(outages.intend, cells=cells, fault="", seed=1, seconds=PATIENCE_S, every_s=EVERY_S)
    await_that(lambda: notes.exists() and len(left_ms(notes)) >= ACCOUNTS, PATIENCE_S)
    die(server)
    died_ms = now_ms()
    time.sleep(DEAD_S)
    signal_file.touch()
    written_ms = now_ms()
    server.serve()
    caller.result()
    await_that(lambda: not durable.forks.call(halts.undecided, accounts=numbers), PATIENCE_S)
    worker.kill()
    left = left_ms(notes)
    assert max(left) <= written_ms + FILE_MS
    assert [at for at in left if died_ms + EXPIRY_MS < at < written_ms] == []
    known = durable.forks.call(evidence.told, accounts=numbers)
    refused = [each for each in known["orders"] if each["status"] == "REJECTED"]
    assert refused, "nobody wanted to send while the file was there"
    signal_file.unlink()
    ended = [{**cell, "cancel": True} for cell in cells]
    assert durable.forks.call(lives.recover, cells=ended, threads=2, seconds=PATIENCE_S) == []
    known = durable.forks.call(evidence.told, accounts=numbers)
    accepted = [row for row in durable.exchanges.accepted("binance") if row["account"] in names]
    assert violations(accepted, known) == []


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def left_ms(notes: Path) -> list[int]:
    """When each order that left did so."""
    return [int(line) for line in notes.read_text().split()]
