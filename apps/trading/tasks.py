"""Hints that executors get from Celery, on the queue `exec.wake`: ids only, acknowledged early, dropped after five
seconds. Whoever takes one does what any executor does with it; a lost one costs the time until the next sweep.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from celery import shared_task
from django.conf import settings

from apps.per_process import PerProcess
from apps.trading.execution.cancels.cancelling import cancel_due
from apps.trading.execution.controls import unattended
from apps.trading.execution.entry import working
from apps.trading.execution.executors import lanes, monitor, vitals
from apps.trading.execution.executors.executor import Executor, client_ids, new_holder
from apps.trading.execution.gateway.opened import OpenedPorts
from apps.trading.execution.gateway.remote_ports import connect
from apps.trading.execution.pretrade.catalogue import Catalogue
from apps.trading.execution.pretrade.market import RedisMarket
from apps.trading.execution.runtime import failing
from apps.trading.execution.runtime.transactions import mend
from apps.trading.execution.runtime.waking import EXPIRES_S, WAKE_CANCELS, WAKE_LANE, tell_celery

THREADS = 8  # that work lanes in one process of Celery
CLOCKS_S = 1.0  # between two looks whether an exchange's clock is due
HINT: dict[str, Any] = {
    "acks_late": False,
    "reject_on_worker_lost": False,
    "ignore_result": True,
    "expires": EXPIRES_S,
}


@shared_task(name=WAKE_LANE, **HINT)
def wake_lane(lane: str) -> None:
    """Work a lane, unless somebody does."""
    _desk.get().run(lambda executor: working.work_lane(lane, executor=executor))


@shared_task(name=WAKE_CANCELS, **HINT)
def wake_cancels(account_id: int) -> None:
    """Send an account's cancels that are due."""
    desk = _desk.get()
    desk.run(lambda executor: cancel_due(replace(executor, ports=desk.ports), account_id=account_id))


@shared_task
def look_at_lanes() -> None:
    """On the schedule: ends what waits for nobody, and hints at lanes that wait, should no process sweep them."""
    lanes.expire_old()
    for lane in lanes.due(100):
        tell_celery(lane)


@shared_task
def watch_accounts() -> None:
    """On the schedule: calls for accounts that no daemon looks after, also where none runs that could."""
    unattended.watch()


class Desk:
    """Threads of this process that work lanes: each an executor, with a connection to the database that stays open.

    Celery's own threads give theirs up after each task.
    """

    def __init__(self) -> None:
        self._own = threading.local()
        self._catalogue, self._market = Catalogue(), RedisMarket.at(settings.REDIS_URL)
        self.ports, self._ids = connect(), client_ids()
        self._reporter, self._teller = monitor.Reporter(settings.REDIS_URL), vitals.Teller(settings.REDIS_URL)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="executor")
        threading.Thread(target=self._measure, name="clocks", daemon=True).start()

    def run(self, work: Callable[[Executor], object]) -> None:
        """Wait for it in the calling thread; what it raises comes out there."""
        self._threads.submit(self._run, work).result()

    def _run(self, work: Callable[[Executor], object]) -> None:
        executor = self._executor()
        mend()
        work(executor)
        self._reporter.report(executor)

    def _measure(self) -> None:
        """Ask the exchanges that are traded on for their time, and say how this process fares, for ever."""
        failing.for_ever("clocks", self._measure_due, CLOCKS_S)

    def _measure_due(self) -> None:
        self.ports.clocks.measure_due()
        self._teller.tell(vitals.own(word="orders worker", build_id=settings.CT_BUILD_ID))

    def _executor(self) -> Executor:
        if not hasattr(self._own, "executor"):
            self._own.executor = Executor(
                holder=new_holder(),
                build_id=settings.CT_BUILD_ID,
                ports=OpenedPorts(self.ports),
                market=self._market,
                ids=self._ids,
                catalogue=self._catalogue,
            )
        executor: Executor = self._own.executor
        return executor


_desk = PerProcess(Desk)  # by the first hint
