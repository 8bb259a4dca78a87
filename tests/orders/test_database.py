"""O7: the database is killed, stands still, gives transactions up, and forgets to tell of commits."""

import signal
import time
from collections.abc import Iterator

import pytest

from tests.fixtures.mariadb import MariaDB
from tests.orders import evidence, lives, outages, sales
from tests.orders.conftest import MODULES
from tests.orders.invariants import violations
from tests.orders.rig import Rig, create_database
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(1800 * TIMES)]

ACCOUNTS, ORDERS, WORKERS, PATIENCE_S = 10, 60 * TIMES, 2, 300.0
KILLS, STALLS, STALL_S = 2 * TIMES, 2 * TIMES, 2.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """One that keeps what was committed when it is killed, and that nobody else uses."""
    mariadb = MariaDB(tmp_path_factory.mktemp("durable") / "mariadb", durable=True)
    mariadb.start()
    yield mariadb
    mariadb.stop()


@pytest.fixture(scope="module")
def durable(server: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("durable-rig") / "files", create_database(server.url, "rig"), MODULES) as running:
        yield running


@pytest.mark.parametrize("fault", ["deadlocks", "lost acks"])
def test_transactions_that_fail_at_any_statement_or_commit_do_no_harm(durable: Rig, fault: str):
    accounts = durable.accounts(ACCOUNTS, held="100")
    cells = sales.cells(durable, accounts, ORDERS, fault)
    caller = durable.forks.start(outages.intend, cells=cells, fault=fault, seed=1, seconds=PATIENCE_S)
    more = {"cells": cells, "fault": fault, "threads": 2, "seconds": PATIENCE_S}
    caller.result()
    workers = [durable.forks.start(outages.serve, seed=seed, **more) for seed in range(WORKERS)]
    told = [worker.result() for worker in workers]
    assert check(durable, cells) == []
    assert any(each.get(fault) for each in told), "nothing ever failed"


def test_a_server_that_is_killed_and_one_that_stands_still_do_no_harm(durable: Rig, server: MariaDB):
    accounts = durable.accounts(ACCOUNTS, held="100")
    cells = sales.cells(durable, accounts, ORDERS, "server")
    caller = durable.forks.start(outages.intend, cells=cells, fault="", seed=1, seconds=PATIENCE_S)
    more = {"cells": cells, "fault": "", "seed": 1, "threads": 2, "seconds": PATIENCE_S}
    workers = [durable.forks.start(outages.serve, **more) for _ in range(WORKERS)]
    for number in range(KILLS + STALLS):
        time.sleep(0.5)
        assert server.process is not None
        if number % 2:
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(STALL_S)
            server.process.send_signal(signal.SIGCONT)
        else:
            server.process.kill()
            server.process.wait()
            server.serve()
    caller.result()
    for worker in workers:
        worker.result()
    assert durable.forks.call(lives.recover, cells=cells, threads=4, seconds=PATIENCE_S) == []
    assert check(durable, cells) == []


def check(rig: Rig, cells: list[dict[str, object]]) -> list[str]:
    names = {cell["name"] for cell in cells}
    known = rig.forks.call(evidence.told, accounts=sorted({cell["account"] for cell in cells}))  # type: ignore[type-var]
    accepted = [row for row in rig.exchanges.accepted("binance") if row["account"] in names]
    assert len(accepted) > len(cells) / 2
    return violations(accepted, known)
