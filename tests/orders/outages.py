"""Jobs in which what executors stand on fails: the database gives up, forgets to answer; exchanges are gone or late."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import F
from django.db.models.functions import Now

from apps.feeds.models import Lease
from apps.trading.execution.entry import working
from apps.trading.execution.entry.claiming import Claim, claim
from apps.trading.execution.executors import lanes
from apps.trading.execution.executors.lanes import HeldLane, LaneLost, lane_of
from apps.trading.execution.resolution import resolving
from apps.trading.execution.runtime import transactions
from apps.trading.models import Order
from apps.trading.tests import held_lanes
from tests.orders import executors, halts, lives, patience, steps
from tests.orders.measuring import measured

DEADLOCK, LOST = 1213, 2013
LONG_S = 55.0  # exchanges take a minute at most
DEADLOCKS = 0.04  # of statements inside transactions: of transactions about a fifth
LOST_ACKS = 0.08  # of commits
SOON_S = 0.2  # nobody answers anyway
Cell = dict[str, Any]


def serve(
    cells: list[Cell], fault: str, seed: int, threads: int, seconds: float, redis_url: str | None = None
) -> dict[str, int]:
    """As `lives.serve`, with a database that fails; how often it did, and what `measured` counts."""
    counted: Counter[str] = Counter()
    settings.REDIS_URL = redis_url or settings.REDIS_URL
    with FAULTS[fault](Random(seed), counted), measured(counted):
        counted["sent"] = lives.serve(sorted({each["account"] for each in cells}), threads, seconds)
    return dict(counted)


def work(accounts: list[int], seconds: float, statement_s: float | None = None, redis_url: str | None = None) -> None:
    """As `halts.work`; `statement_s`: how long a statement may take. To be killed."""
    settings.REDIS_URL = redis_url or settings.REDIS_URL
    transactions.STATEMENT_S = statement_s or transactions.STATEMENT_S  # type: ignore[assignment]
    halts.work(accounts, seconds, redis_url=redis_url)


def intend(
    cells: list[Cell], fault: str, seed: int, seconds: float, redis_url: str | None = None, every_s: float = 0.0
) -> dict[str, int]:
    """A caller who asks again, under the same key, until he knows that his intent is written."""
    counted: Counter[str] = Counter()
    settings.REDIS_URL = redis_url or settings.REDIS_URL
    mine = executors.executor()
    with FAULTS[fault](Random(seed), counted), measured(counted):
        for cell in cells:
            time.sleep(every_s)
            executors.until(lambda cell=cell: patience.patiently(lambda: steps.intend(cell, mine)), seconds)
    return dict(counted)


@contextmanager
def deadlocks(chance: Random, counted: Counter[str]) -> Iterator[None]:
    """The database gives transactions up, as it does with one of two that wait for each other."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if connection.in_atomic_block and chance.random() < DEADLOCKS:
            counted["deadlocks"] += 1
            raise OperationalError(DEADLOCK, "Deadlock found when trying to get lock; try restarting transaction")
        return execute(sql, params, many, context)

    def attach(connection: BaseDatabaseWrapper, **_: Any) -> None:
        connection.execute_wrappers.append(refuse)

    connections.close_all()
    connection_created.connect(attach)
    yield
    connection_created.disconnect(attach)


@contextmanager
def lost_acks(chance: Random, counted: Counter[str]) -> Iterator[None]:
    """A commit is done, and who asked for it never learns that: the connection is gone."""
    commit = BaseDatabaseWrapper._commit

    def forget(self: BaseDatabaseWrapper) -> None:
        commit(self)
        if chance.random() < LOST_ACKS:
            counted["lost acks"] += 1
            raise OperationalError(LOST, "Lost connection to server during query")

    BaseDatabaseWrapper._commit = forget  # type: ignore[method-assign]
    yield
    BaseDatabaseWrapper._commit = commit  # type: ignore[method-assign]


@contextmanager
def nothing(chance: Random, counted: Counter[str]) -> Iterator[None]:
    yield


FAULTS = {"deadlocks": deadlocks, "lost acks": lost_acks, "": nothing}


def grow_old(cells: list[Cell], seconds: float) -> int:
    """As if their orders had been there for so long; how many there are."""
    rows = Order.objects.filter(account__in=[each["account"] for each in cells])
    return rows.update(created_at=F("created_at") - timedelta(seconds=seconds))


def look(cells: list[Cell], url: str | None, rounds: int) -> int:
    """Look at the cells' orders again and again, at exchanges that are at `url`; how often one was looked at."""
    rows = Order.objects.filter(account__in=[each["account"] for each in cells], next_check_at__isnull=False)
    looks = 0
    for _ in range(rounds):
        rows.update(next_check_at=Now())
        looks += _look_once(cells, url, timeout_s=SOON_S)
    return looks


def look_after(cells: list[Cell], seconds: float) -> dict[str, int]:
    """As if the time had passed: look at what is due then, once. `looks`, and how many were `not due`."""
    rows = Order.objects.filter(account__in=[each["account"] for each in cells], next_check_at__isnull=False)
    rows.update(next_check_at=F("next_check_at") - timedelta(seconds=seconds))
    not_due = rows.filter(next_check_at__gt=Now()).count()
    return {"looks": _look_once(cells, None, timeout_s=executors.TIMEOUT_S), "not due": not_due}


def _look_once(cells: list[Cell], url: str | None, timeout_s: float) -> int:
    ports, looks = executors.ports(url=url, timeout_s=timeout_s), Counter[int]()

    def at(account: int) -> None:
        mine = executors.executor(ports)
        patience.patiently(lambda: looks.update({account: resolving.resolve_account(mine, account)}) or True)

    patience.in_threads([partial(at, account) for account in {each["account"] for each in cells}])
    return looks.total()


def place(cells: list[Cell]) -> int:
    """Write and send them, however long that takes; how many left."""
    lanes.TTL_S = LONG_S * 4
    mine = executors.executor(executors.ports(timeout_s=LONG_S), expiry_ms=round(LONG_S * 1000))
    steps.measured(mine, cells)
    sent = 0
    for cell in cells:
        steps.intend(cell, mine)
        sent += working.work_lane(lane_of(cell["account"], cell["pair"]), executor=mine).sent
    return sent


def two_owners(cells: list[Cell]) -> dict[str, int]:
    """Two believe at the same time that a lane is theirs, and claim its next intent at the same moment."""
    told: Counter[str] = Counter()
    ports, lanes.TTL_S = executors.ports(), LONG_S * 4  # nothing runs out here by itself
    first, second = executors.executor(ports), executors.executor(ports)
    steps.measured(first, cells[:1])
    for cell in cells:
        steps.intend(cell, first)
        lane = lane_of(cell["account"], cell["pair"])
        old = held_lanes.acquire(lane, first)
        Lease.objects.filter(resource=lanes.PREFIX + lane).update(expires_at=Now())
        new = held_lanes.acquire(lane, second)
        assert old is not None
        assert new is not None
        together = threading.Barrier(2)
        pairs = (("old", old, first), ("new", new, second))
        patience.in_threads([partial(_claim, *one, cell, together, told) for one in pairs])
        lanes.release(new)
    return dict(told)


def _claim(name: str, held: HeldLane, mine: Any, cell: Cell, together: threading.Barrier, told: Counter[str]) -> None:
    port = mine.ports.of(cell["account"])
    together.wait()
    try:
        made = claim(held, executor=mine, port=port)
    except LaneLost:
        told[f"{name} refused"] += 1
    else:
        told[f"{name} {'claimed' if isinstance(made, Claim) else 'nothing'}"] += 1
