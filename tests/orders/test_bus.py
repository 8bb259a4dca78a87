"""O8: Redis is started anew, emptied and stands still while orders are under way: none of them needs it."""

import itertools
import time

import pytest
import redis

from apps.feeds.tests.redis_process import RedisProcess
from tests.orders import evidence, outages, sales
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(900 * TIMES)]

ACCOUNTS, ORDERS, WORKERS, PATIENCE_S = 10, 80 * TIMES, 2, 300.0
STILL_S = 1.0


def test_orders_go_on_whatever_becomes_of_redis(rig: Rig):
    accounts = rig.accounts(ACCOUNTS, held="100")
    cells, names = sales.cells(rig, accounts, ORDERS, "bus"), {each["name"] for each in accounts}
    server = RedisProcess()
    server.start()
    try:
        more = {"cells": cells, "fault": "", "seconds": PATIENCE_S, "redis_url": server.url}
        caller = rig.forks.start(outages.intend, seed=1, **more)
        workers = [rig.forks.start(outages.serve, seed=1, threads=2, **more) for _ in range(WORKERS)]
        for trouble in itertools.cycle((restart, empty, stand_still)):
            trouble(server)
            time.sleep(0.1)
            if caller.status is not None and all(worker.status is not None for worker in workers):
                break
        caller.result()
        for worker in workers:
            worker.result()
    finally:
        server.close()
    known = rig.forks.call(evidence.told, accounts=[each["id"] for each in accounts])
    accepted = [row for row in rig.exchanges.accepted("binance") if row["account"] in names]
    assert len(accepted) > ORDERS / 2
    assert violations(accepted, known) == []


def restart(server: RedisProcess) -> None:
    server.kill()
    server.start()


def empty(server: RedisProcess) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.flushall()


def stand_still(server: RedisProcess) -> None:
    server.pause()
    time.sleep(STILL_S)
    server.resume()
