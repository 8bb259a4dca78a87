"""O7: the database is killed, stands still, gives transactions up, and forgets to tell of commits."""

import signal
import time
from collections import Counter
from typing import Any

import pytest

from apps.feeds.tests.waiting import await_that
from apps.trading.execution.runtime import transactions
from tests.fixtures.mariadb import MariaDB
from tests.orders import evidence, lives, outages, sales
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(1800 * TIMES)]

ACCOUNTS, ORDERS, WORKERS, PATIENCE_S = 10, 120 * TIMES, 2, 300.0
FAILURES = 20 * TIMES  # of each kind
# where the server stands still a statement may take less long than elsewhere, so that it need not stand so long
STATEMENT_S, STALL_S, BETWEEN_S = 1.0, 1.5, 0.3
EVERY_S = 0.2
STALE_S = 0.2  # the server tells anew who waits only after 0.1 s in which nobody has asked
LONGEST_MS = (transactions.STATEMENT_S + 0.5) * 1000  # and what is not its longest statement


@pytest.mark.parametrize("fault", ["deadlocks", "lost acks"])
def test_transactions_that_fail_at_any_statement_or_commit_do_no_harm(durable: Rig, fault: str):
    accounts = durable.accounts(ACCOUNTS, held="100")
    cells = sales.cells(durable, accounts, ORDERS, fault)
    caller = durable.forks.start(outages.intend, cells=cells, fault=fault, seed=1, seconds=PATIENCE_S)
    more = {"cells": cells, "fault": fault, "threads": 2, "seconds": PATIENCE_S}
    asked = caller.result()
    workers = [durable.forks.start(outages.serve, seed=seed, **more) for seed in range(WORKERS)]
    told = [worker.result() for worker in workers]
    assert check(durable, cells) == []
    total = Counter[str]()
    for each in (asked, *told):
        assert each["longest ms"] <= LONGEST_MS
        total.update(each)
    print(f"{total[fault]} {fault} in {total['transactions']} transactions, {total['asked']} requests")
    assert total[fault] >= FAILURES
    assert total["asked"] > ORDERS / 2
    assert total["asked inside"] == 0


def test_a_transaction_waits_no_longer_than_its_bound_for_rows_that_somebody_holds(durable: Rig, server: MariaDB):
    import MySQLdb

    [account] = durable.accounts(1, held="1")
    with MySQLdb.connect(user="root", unix_socket=str(server.socket), db="rig") as link, link.cursor() as cursor:
        cursor.execute("SELECT 1 FROM risk_usage WHERE account_id = %s FOR UPDATE", [account["id"]])
        cells = sales.cells(durable, [account], 1, "held")
        caller = durable.forks.start(outages.intend, cells=cells, fault="", seed=1, seconds=PATIENCE_S)
        await_that(lambda: waiting(cursor), PATIENCE_S)
        first = waiting(cursor)
        await_that(lambda: waiting(cursor) - first, PATIENCE_S)
    assert caller.result()["longest ms"] <= LONGEST_MS


def waiting(cursor: Any) -> set[str]:
    """Transactions that wait for rows."""
    time.sleep(STALE_S)
    cursor.execute("SELECT trx_id, trx_started FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
    return {f"{number} {began}" for number, began in cursor.fetchall()}


def test_a_server_that_is_killed_and_one_that_stands_still_do_no_harm(durable: Rig, server: MariaDB):
    accounts = durable.accounts(ACCOUNTS, held="100")
    numbers = [each["id"] for each in accounts]
    cells = sales.cells(durable, accounts, 2 * ORDERS, "server")
    more = {"accounts": numbers, "seconds": PATIENCE_S, "statement_s": STATEMENT_S}
    workers = [durable.forks.start(outages.work, **more) for _ in range(WORKERS)]
    caller = durable.forks.start(outages.intend, cells=cells, fault="", seed=1, seconds=PATIENCE_S, every_s=EVERY_S)
    await_that(lambda: durable.exchanges.accepted("binance", accounts[0]["name"]), PATIENCE_S)
    before = len(taken(durable, cells))
    for _ in range(FAILURES):
        kill(server)
        time.sleep(BETWEEN_S)
        stall(server)
        time.sleep(BETWEEN_S)
    assert len(taken(durable, cells)) > before, "nothing was under way"
    caller.result(PATIENCE_S * TIMES)
    for worker in workers:
        worker.kill()
        worker.wait()
    assert durable.forks.call(lives.recover, cells=cells, threads=4, seconds=PATIENCE_S) == []
    assert check(durable, cells) == []


def kill(server: MariaDB) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    server.serve()


def stall(server: MariaDB) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    time.sleep(STALL_S)
    server.process.send_signal(signal.SIGCONT)


def check(rig: Rig, cells: list[dict[str, Any]]) -> list[str]:
    known = rig.forks.call(evidence.told, accounts=sorted({cell["account"] for cell in cells}))
    accepted = taken(rig, cells)
    assert len(accepted) > len(cells) / 2
    return violations(accepted, known)


def taken(rig: Rig, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {cell["name"] for cell in cells}
    return [row for row in rig.exchanges.accepted("binance") if row["account"] in names]
