"""How trading stops in order: nothing new, what is under way ends, entries that rest are cancelled, all is let go."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping

import structlog
from django.db import DatabaseError, connections
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.trading.execution.cancels.cancelling import request_cancel
from apps.trading.execution.gateway.opened import close_accounts
from apps.trading.intent import Purpose
from apps.trading.models import Account, Order
from apps.trading.order_state import FINAL
from apps.users.services import Actor
from workers.trader.threads import Threads

log = structlog.get_logger(__name__)

UNDER_WAY_S = 3.0  # for requests that have left
CONFIRM_S = 10.0  # for cancels
REST_S = 1.5  # of the time that is given, for all else
LOOK_S = 0.1
BY = Actor(user="daemon")
REASON = "its daemon stops"


class Stopping:
    """`accounts` are those of this daemon, with their fences: no other process begins an order of them either. With
    `cancels` the entries that rest there are cancelled: what protects or ends a position stays."""

    def __init__(
        self,
        *,
        threads: Threads,
        accounts: Callable[[], Mapping[int, int]],
        cancels: bool,
        take_off: Callable[[], object],
        within_s: float,
    ) -> None:
        """`take_off` stops the exchanges' own timers, which nobody would refresh."""
        self._take_off = take_off
        self._threads = threads
        self._accounts = accounts
        self._cancels = cancels
        self._within_s = within_s

    def begin(self) -> None:
        """Commit no order any more."""
        self._threads.stop(claims=True)

    async def finish(self) -> None:
        """Within the time that is given; what is not confirmed then is told, and found by whoever comes next."""
        end = time.monotonic() + self._within_s - REST_S
        self.begin()
        under_way_s = min(UNDER_WAY_S, max(0.0, end - time.monotonic()))
        try:
            under_way_s = min(UNDER_WAY_S, max(0.0, end - time.monotonic()))
            late = await asyncio.to_thread(self._threads.join, claims=True, timeout_s=under_way_s)
            if late:
                log.warning("requests are still under way", threads=late)
            unconfirmed = await asyncio.to_thread(self._cancel, min(CONFIRM_S, max(0.0, end - time.monotonic())))
            if unconfirmed:
                log.warning("orders whose cancel is not confirmed", orders=unconfirmed)
        finally:
            self._threads.stop(claims=False)
        await asyncio.to_thread(self._threads.join, claims=False, timeout_s=REST_S / 2)

    def _cancel(self, within_s: float) -> list[str]:
        """Wish for it, and wait until whoever carries it out is done; the orders that are not over by then."""
        deadline = time.monotonic() + within_s
        try:
            accounts = dict(self._accounts())
            close_accounts(accounts)
            rows = list(_entries(accounts)) if self._cancels else []
            for row in rows:
                _wish(row)
            log.info("cancelled for the stop", orders=len(rows))
            ids = [row.pk for row in rows]
            while _working(ids).exists() and time.monotonic() < deadline:
                time.sleep(LOOK_S)
            self._take_off()
            Account.objects.filter(pk__in=accounts).update(stopped_at=Now())
            return [str(row) for row in _working(ids)]
        finally:
            connections.close_all()


def _wish(row: Order) -> None:
    """One that fails leaves the others their turn."""
    try:
        request_cancel(row, BY, reason=REASON)
    except DatabaseError:
        log.exception("order not cancelled for the stop", order=row.pk)


def _entries(accounts: Collection[int]) -> QuerySet[Order]:
    rows = Order.objects.filter(account__in=accounts, intent__purpose=Purpose.ENTRY, reduce_only=False)
    return rows.exclude(status__in=list(FINAL)).order_by("id")


def _working(ids: Collection[int]) -> QuerySet[Order]:
    return Order.objects.filter(pk__in=ids).exclude(status__in=list(FINAL))
