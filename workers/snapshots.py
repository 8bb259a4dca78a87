"""Fetches REST snapshots for books that need one: one request per book at a time, calmer after each failure."""

import asyncio
from collections.abc import Callable, Mapping
from time import time_ns

import structlog

from apps.feeds.drivers.base import Driver
from apps.feeds.errors import FeedError, MalformedFrame, Refused, Retryable
from apps.feeds.market import BookKey, BookSnapshot
from apps.feeds.subscriptions import Subscription
from apps.feeds.transport.http import Http

log = structlog.get_logger(__name__)

DELAYS_S = (0.0, 1.0, 2.0, 4.0)  # before the first request and the ones after it
REFUSED_S = 60.0


class Snapshots:
    """`deliver` gets the snapshot; whether it was of use shows when `settled` is called for the book."""

    def __init__(
        self, *, http: Http, drivers: Mapping[str, Driver], deliver: Callable[[BookKey, BookSnapshot], None]
    ) -> None:
        self._http = http
        self._drivers = drivers
        self._deliver = deliver
        self._attempts: dict[BookKey, int] = {}
        self._tasks: dict[BookKey, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self.failures = 0

    async def run(self) -> None:
        """Own the requests until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            await asyncio.Event().wait()

    def want(self, subscription: Subscription) -> None:
        """Ask once more, unless a request for this book is already under way."""
        key = subscription.key
        if self._group is None or key in self._tasks:
            return
        task = self._group.create_task(self._serve(subscription), name=f"snapshot {key}")
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._forget_task(key, done))

    def settled(self, key: BookKey) -> None:
        """The book is LIVE: its next need is a new one."""
        self._attempts.pop(key, None)

    def forget(self, key: BookKey) -> None:
        self._attempts.pop(key, None)
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()

    async def _serve(self, subscription: Subscription) -> None:
        """A fault of ours with one book must not stop the others; `Books.overdue` asks again for it."""
        try:
            await self._fetch(subscription)
        except Exception:
            self.failures += 1
            log.exception("snapshot failed", book=str(subscription.key), failures=self.failures)

    async def _fetch(self, subscription: Subscription) -> None:
        """Until there is an answer that can be read."""
        key, snapshot = subscription.key, None
        while snapshot is None:
            attempt = self._attempts.get(key, 0)
            self._attempts[key] = attempt + 1
            await asyncio.sleep(DELAYS_S[min(attempt, len(DELAYS_S) - 1)])
            snapshot = await self._try(subscription, attempt)
        self._tasks.pop(key, None)  # before delivery: the book may ask again at once
        self._deliver(key, snapshot)

    async def _try(self, subscription: Subscription, attempt: int) -> BookSnapshot | None:
        instrument, driver = subscription.instrument, self._drivers[subscription.key.exchange]
        request = driver.snapshot_request(instrument.market_type, instrument.symbol, subscription.depth)
        try:
            body = await self._http.fetch(instrument.exchange, request)
            return driver.parse_snapshot(instrument.market_type, instrument.symbol, body, time_ns())
        except (Retryable, Refused, MalformedFrame) as error:
            log.warning("no snapshot", book=str(subscription.key), attempt=attempt + 1, error=str(error))
            await asyncio.sleep(_stay_away_s(error))
            return None

    def _forget_task(self, key: BookKey, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]


def _stay_away_s(error: FeedError) -> float:
    """Beyond the usual delay before the next attempt."""
    if isinstance(error, Retryable):
        return error.after_s
    return REFUSED_S if isinstance(error, Refused) else 0.0
