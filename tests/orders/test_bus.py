"""O8: Redis is started anew, emptied and stands still while orders are under way: none of them needs it."""

import time

import pytest
import redis

from apps.feeds.tests.redis_process import RedisProcess
from apps.feeds.tests.waiting import await_that
from tests.orders import endings, evidence, outages, sales
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(900 * TIMES)]

ACCOUNTS, ORDERS, WORKERS, PATIENCE_S = 10, 400 * TIMES, 2, 300.0
EVERY_S, STILL_S, BETWEEN_S = 0.02, 1.0, 0.2
RESTARTS, STILLS = 5 * TIMES, 3 * TIMES


def test_orders_go_on_whatever_becomes_of_redis(rig: Rig):
    accounts = rig.accounts(ACCOUNTS, held="100")
    cells, names = sales.cells(rig, accounts, ORDERS, "bus"), {each["name"] for each in accounts}
    numbers, ends = [each["id"] for each in accounts], [{"account": each["id"]} for each in accounts]
    server = RedisProcess()
    server.start()
    try:
        more = {"seconds": PATIENCE_S, "redis_url": server.url}
        workers = [rig.forks.start(outages.work, accounts=numbers, **more) for _ in range(WORKERS)]
        caller = rig.forks.start(outages.intend, cells=cells, fault="", seed=1, every_s=EVERY_S, **more)
        await_that(lambda: rig.exchanges.accepted("binance", accounts[0]["name"]), PATIENCE_S)
        assert is_asked(server), "no request was counted"
        for trouble in [restart, empty] * RESTARTS + [stand_still] * STILLS:
            trouble(server)
            time.sleep(BETWEEN_S)
        caller.result()
        await_that(lambda: not rig.forks.call(endings.unsettled, cells=ends), PATIENCE_S)
        for worker in workers:
            worker.kill()
            worker.wait()
    finally:
        server.close()
    known = rig.forks.call(evidence.told, accounts=numbers)
    accepted = [row for row in rig.exchanges.accepted("binance") if row["account"] in names]
    assert len(accepted) > ORDERS / 2
    assert violations(accepted, known) == []


def is_asked(server: RedisProcess) -> bool:
    """Whether executors count there what they send."""
    with redis.Redis.from_url(server.url) as client:
        return any(client.scan_iter("meter:*"))


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
