"""Jobs of stops in order: a daemon's threads until they are told to stop, and callers who go on meanwhile."""

import asyncio
import itertools
import signal
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from apps.feeds.orders import OrderStatus
from apps.feeds.tests.waiting import timed
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.entry import working
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import lane_of
from apps.trading.execution.resolution import resolving
from apps.trading.models import Order
from apps.trading.order_state import FINAL
from tests.orders import executors, steps
from workers.trader import stopping as stopping_module
from workers.trader.stopping import Stopping
from workers.trader.threads import Job, Threads

WITHIN_S = 25.0  # as TRADE_STOP_S of a daemon
EVERY_S = 0.25
SLOW_S = 120.0  # where nothing is in doubt: on a machine that is busy with others all the same is confirmed
AGE_MS = 3_000  # of intents: those that wait when all stopped are soon nobody's
PRICES = 300  # each a step from the last: the same again at once would be taken for a mistake
LONG_TAIL_S = 120.0  # an order that is held up stays in doubt over the stop


def load(cells: list[dict[str, Any]], every_s: float) -> None:
    """Intents of the cells' accounts in turn, as strategies write them. To be killed."""
    mine, known = executors.executor(), [steps.rows_of(cell) for cell in cells]
    for number in itertools.count():
        cell, price_step = cells[number % len(cells)], number // len(cells) % PRICES
        more = {"key": f"{cell['key']}-{number}", "price": f"{Decimal(cell['price']) - price_step}"}
        steps.intend({**cell, **more, "max_age_ms": AGE_MS}, mine, known[number % len(cells)])
        time.sleep(every_s)


def work_until_told(cell: dict[str, Any], seconds: float, doubtful: bool) -> float:
    """Work for the cell's account until SIGTERM, then stop in order; how many seconds that took. `doubtful`: what
    cannot be confirmed in a daemon's own time is given up."""
    told = threading.Event()
    if not doubtful:
        stopping_module.CONFIRM_S = SLOW_S
    within_s = WITHIN_S if doubtful else 2 * SLOW_S
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    ports = executors.ports(tail_s=LONG_TAIL_S, only=cell["account"])

    def job(name: str, call: Callable[[Executor], object], *, claims: bool = False) -> Job:
        mine = executors.executor(ports, is_stopping=told.is_set)
        return Job(name=name, call=partial(call, mine), every_s=EVERY_S, claims=claims)

    account, lane = cell["account"], lane_of(cell["account"], cell["pair"])
    steps.measured(executors.executor(ports), [cell])
    threads = Threads(
        [
            job("lane", lambda mine: working.work_lane(lane, executor=mine), claims=True),
            job("cancels", lambda mine: cancelling.cancel_account(mine, account)),
            job("resolver", lambda mine: resolving.resolve_account(mine, account)),
            job("clocks", lambda mine: ports.remote.clocks.measure_due()),
        ]
    )
    stopping = Stopping(
        threads=threads, accounts=lambda: {account: 1}, cancels=True, take_off=lambda: None, within_s=within_s
    )
    threads.start()
    if not told.wait(seconds):
        raise TimeoutError("nobody told it to stop")
    with timed() as took_s:
        asyncio.run(stopping.finish())
        return took_s()


def in_doubt(accounts: list[int]) -> int:
    """How many of these accounts have an order of which nobody knows whether it is there."""
    rows = Order.objects.filter(account__in=accounts, status=OrderStatus.UNKNOWN)
    return rows.values("account").distinct().count()


def left(accounts: list[int]) -> list[dict[str, Any]]:
    """Orders that are not over."""
    rows = Order.objects.filter(account__in=accounts).exclude(status__in=list(FINAL)).select_related("account")
    return [{"account": row.account.name if row.account else "", "id": str(row), "status": row.status} for row in rows]
