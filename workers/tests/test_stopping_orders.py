"""Trading stops in order: nothing new is begun, what is under way ends, entries that rest are cancelled."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections

from apps.feeds import leases
from apps.feeds.orders import NewOrder
from apps.trading.execution.entry.working import Ended, sweep, work_lane
from apps.trading.execution.executors import lanes
from apps.trading.execution.gateway.opened import is_open, open_account, resource_of
from apps.trading.models import IntentState, Order, OrderIntent
from apps.trading.tests import rows, stage
from workers.trader.stopping import Stopping
from workers.trader.threads import Job, Threads


@pytest.mark.django_db
def test_who_is_told_to_stop_begins_no_order_though_more_intents_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lanes, "TTL_S", 600.0)  # none runs out, however slow the machine is
    trade, told = stage.trade(), threading.Event()

    def answer(order: NewOrder) -> Any:
        told.set()
        return stage.taken(order)

    port = stage.Exchange(trade.account_id, answer)
    for _ in range(3):
        stage.want(trade, repeats=True)
    executor = replace(stage.executor(port), is_stopping=told.is_set)
    assert work_lane(stage.lane(trade), executor=executor).ended is Ended.STOPPED
    assert len(port.accepted) == 1
    assert OrderIntent.objects.filter(state=IntentState.NEW).count() == 2
    assert sweep(executor=executor) == 0


DEFAULTS: dict[str, Any] = {"cancels": True, "within_s": 60.0, "take_off": int}


class Rest:
    """Threads whose cancels job ends every order with a wish, as an exchange that obeys."""

    def __init__(self, obey: bool = True) -> None:
        self.under_way = threading.Event()
        self.let = threading.Event()
        jobs = [
            Job(name="lanes", call=self._work, every_s=0.01, claims=True),
            Job(name="cancels", call=self._obey if obey else int, every_s=0.01),
        ]
        self.threads = Threads(jobs)

    def _work(self) -> None:
        self.under_way.set()
        self.let.wait()

    def _obey(self) -> int:
        try:
            return Order.objects.filter(cancel_state="REQUESTED").update(status="CANCELLED", cancel_state="CONFIRMED")
        finally:
            connections.close_all()

    def stopping(self, **values: Any) -> Stopping:
        return Stopping(**{**DEFAULTS, "threads": self.threads, "accounts": self._accounts, **values})

    def _accounts(self) -> dict[int, int]:
        return {row.account_id or 0: 1 for row in Order.objects.all()}


OPEN = {"status": "OPEN", "request_expires_at": datetime(2026, 1, 1, tzinfo=UTC)}


async def aside(call: Callable[[], Any]) -> Any:
    """As the rows of a test in a thread of the event loop are read and written."""

    def called() -> Any:
        try:
            return call()
        finally:
            connections.close_all()

    return await asyncio.to_thread(called)


def _working() -> dict[str, int]:
    """An entry that rests, one that only reduces, and a hedge."""
    trade = rows.trade(rows.account())
    made = {
        "entry": rows.order(rows.intent(trade), **OPEN),
        "reducing": rows.order(rows.intent(trade, reduce_only=True), reduce_only=True, **OPEN),
        "hedge": rows.order(rows.intent(trade, purpose="hedge"), **OPEN),
    }
    return {name: order.pk for name, order in made.items()}


def _statuses(ids: dict[str, int]) -> dict[str, str]:
    found = dict(Order.objects.values_list("pk", "status"))
    return {name: found[pk] for name, pk in ids.items()}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
async def test_entries_that_rest_are_cancelled_and_what_protects_stays():
    ids, rest = await aside(_working), Rest()
    rest.let.set()
    rest.threads.start()
    left: list[dict[str, str]] = []
    await rest.stopping(take_off=lambda: left.append(_statuses(ids))).finish()
    assert await aside(lambda: _statuses(ids)) == {"entry": "CANCELLED", "reducing": "OPEN", "hedge": "OPEN"}
    assert left == [await aside(lambda: _statuses(ids))]  # the exchanges' own timers are taken off last


def _opened() -> tuple[int, int]:
    """Two accounts that were reconciled: one of this daemon, and one that another daemon has taken from it."""
    mine, lost = (rows.order(rows.intent(rows.trade(rows.account())), **OPEN).account_id or 0 for _ in range(2))
    for account_id in (mine, lost):
        resource = resource_of(account_id)
        open_account(account_id, leases.acquire(holder="d", resources=[resource], ttl_s=600.0)[resource])
    return mine, lost


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
async def test_no_executor_of_another_process_begins_an_order_of_an_account_once_its_entries_are_cancelled():
    mine, lost = await aside(_opened)
    open_then: list[list[bool]] = []

    class Watched(Rest):
        def _obey(self) -> int:
            if Order.objects.filter(cancel_state="NONE").exists():  # not all are wished for yet
                return 0
            open_then.append([is_open(mine), is_open(lost)])
            return super()._obey()

    rest = Watched()
    rest.let.set()
    rest.threads.start()
    await rest.stopping(accounts=lambda: {mine: 1, lost: 0}).finish()
    assert open_then[0] == [False, True]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
async def test_a_deployment_may_keep_its_orders_over_a_stop():
    ids, rest = await aside(_working), Rest()
    rest.let.set()
    rest.threads.start()
    await rest.stopping(cancels=False).finish()
    assert set((await aside(lambda: _statuses(ids))).values()) == {"OPEN"}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
async def test_what_is_not_confirmed_in_time_is_left_to_the_next_who_comes():
    ids, rest = await aside(_working), Rest(obey=False)
    rest.threads.start()
    rest.under_way.wait()
    await rest.stopping(within_s=2.0).finish()
    assert (await aside(lambda: _statuses(ids)))["entry"] == "OPEN"
    assert await aside(lambda: Order.objects.get(pk=ids["entry"]).cancel_state) == "REQUESTED"
    rest.let.set()


def test_jobs_go_on_after_errors_which_are_counted():
    done = threading.Event()
    calls = iter([RuntimeError("once"), None])

    def call() -> None:
        error = next(calls, None)
        if error is not None:
            raise error
        done.set()

    threads = Threads([Job(name="job", call=call, every_s=0.01)])
    threads.start()
    assert done.wait(60)
    threads.stop(claims=False)
    assert threads.join(claims=False, timeout_s=60) == []
    assert threads.errors["job"] == 1
