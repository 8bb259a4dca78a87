"""The accounts that this daemon looks after: each is opened, held against its exchange, and only then traded."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from enum import StrEnum
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError

from apps.feeds.errors import FeedError, Retryable
from apps.feeds.transport.backoff import Backoff
from apps.trading.bookkeeping.paper_rows import NotHeld, NotOnPaper
from apps.trading.execution.gateway.ports import CannotWork, KeyClosed
from apps.trading.execution.runtime import failing
from workers.database import DatabaseAwayError
from workers.paper.journal import JournalFull, MatcherFailed

log = structlog.get_logger(__name__)

AGAIN_S, LONGEST_S = 5.0, 60.0  # after something failed, ever longer until the account is open
LEAST = 0.5  # of such a pause: all that is known of an account is asked for each time
UNTOLD = (FeedError, DatabaseError, InterfaceError)  # asked again: meanwhile what is pushed is kept
PASSING = (DatabaseAwayError, JournalFull, MatcherFailed, NotHeld, NotOnPaper, FeedError, CannotWork, DatabaseError)


class Step(StrEnum):
    STARTING = "STARTING"  # its matcher or its socket
    RECONCILING = "RECONCILING"  # nothing is sent yet
    READY = "READY"
    WAITING = "WAITING"  # for another try


class Care(Exception):
    """What somebody does for an account ended by itself."""


class Accounts:
    """Belongs to the event loop, but for `is_open` and `looked_after`, which threads may ask."""

    def __init__(
        self,
        *,
        serve: Callable[[int, int, int, Callable[[], None]], Coroutine[Any, Any, None]],
        reconcile: Callable[[int, int], Awaitable[bool]],
        trusted: Callable[[], bool],
        unopened: Callable[[int], None] = lambda account: None,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`serve(account, fence, life, opened)` matches or collects until cancelled, and calls `opened` once its port
        can be asked; lives count from 1 under each fence. `reconcile(account, fence)` is True when all that the
        exchange knows is known, so that orders may leave. `trusted`: the leases were prolonged in time. `unopened` is
        told of each account whose key does not open here."""
        self.steps: dict[int, Step] = {}
        self.reasons: dict[int, str] = {}
        self._serve = serve
        self._reconcile = reconcile
        self._trusted = trusted
        self._unopened = unopened
        self._rng, self._sleep = rng or random.SystemRandom(), sleep
        self._failures: Counter[int] = Counter()  # of reconciling
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._ending: dict[int, asyncio.Task[None]] = {}

    def is_open(self, account_id: int) -> bool:
        """Whether orders of it may leave."""
        return self.steps.get(account_id) is Step.READY and self._trusted()

    def looked_after(self) -> list[tuple[int, str, str, int]]:
        """Account, step, why where it waits, and how often reconciling did not come to its end; by number."""
        reasons, steps = self.reasons.copy(), self.steps.copy()
        return sorted((each, str(step), reasons.get(each, ""), self._failures[each]) for each, step in steps.items())

    def counts(self) -> dict[str, int]:
        return dict(Counter(str(step) for step in self.steps.values()))

    def begin(self, account_id: int, fence: int) -> None:
        """Look after it from now on."""
        if self._group is None:
            raise RuntimeError("accounts come before their owner runs")
        log.debug("account taken", account=account_id, fence=fence)
        self.steps[account_id] = Step.STARTING
        former = self._ending.pop(account_id, None)
        task = self._group.create_task(self._care(account_id, fence, former), name=f"account {account_id}")
        self._tasks[account_id] = task

    def end(self, account_id: int, reason: str) -> None:
        """Do nothing more for it."""
        log.info("account left", account=account_id, reason=reason)
        self._drop(account_id)

    def end_all(self) -> None:
        """The daemon stops."""
        for account_id in list(self._tasks):
            self._drop(account_id)

    def _drop(self, account_id: int) -> None:
        self.steps.pop(account_id, None)
        self.reasons.pop(account_id, None)
        self._failures.pop(account_id, None)
        if (task := self._tasks.pop(account_id, None)) is not None:
            task.cancel()
            self._ending[account_id] = task
            task.add_done_callback(lambda done: self._forget(account_id, done))

    async def run(self) -> None:
        """Own what is done for accounts until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            await asyncio.Event().wait()

    async def _care(self, account_id: int, fence: int, former: asyncio.Task[None] | None) -> None:
        if former is not None:
            await asyncio.wait({former})  # it may have something to write yet
        life = 0
        backoff = Backoff(first_s=AGAIN_S, most_s=LONGEST_S, rng=self._rng, least=LEAST)
        while True:
            life += 1
            try:
                await self._live(account_id, fence, life, backoff)
            except PASSING as error:
                log.warning("account waits", account=account_id, reason=str(error))
                self._wait(account_id, str(error))
                if isinstance(error, KeyClosed):
                    self._unopened(account_id)
            except Exception as error:
                log.exception("account failed", account=account_id, failures=failing.count("accounts"))
                self._wait(account_id, type(error).__name__)
            await self._sleep(backoff.next())

    async def _live(self, account_id: int, fence: int, life: int, backoff: Backoff) -> None:
        """One life of it; raises what ends it."""
        opened = asyncio.Event()
        self.steps[account_id] = Step.STARTING
        serving = asyncio.ensure_future(self._serve(account_id, fence, life, opened.set))
        checking = asyncio.ensure_future(self._open(account_id, fence, opened, backoff))
        try:
            await asyncio.wait({serving, checking}, return_when=asyncio.FIRST_COMPLETED)  # neither ends by itself
        finally:
            self._close(account_id)
            for task in (serving, checking):
                task.cancel()
            await asyncio.wait({serving, checking})
        for task in (serving, checking):
            if not task.cancelled():
                task.result()
        raise Care(f"account {account_id}: what is done for it ended by itself")

    async def _open(self, account_id: int, fence: int, opened: asyncio.Event, backoff: Backoff) -> None:
        """Reconcile until it is clean, again and again; its socket stays open meanwhile."""
        await opened.wait()
        self.steps[account_id] = Step.RECONCILING
        while (pause_s := await self._try(account_id, fence, backoff)) is not None:
            await self._sleep(pause_s)
        self.reasons.pop(account_id, None)
        backoff.reset()
        self.steps[account_id] = Step.READY
        log.info("account ready", account=account_id)
        await asyncio.Event().wait()

    async def _try(self, account_id: int, fence: int, backoff: Backoff) -> float | None:
        """Reconcile once; where it does not come to its end, the seconds until the next try."""
        least_s, reason = 0.0, "not all of it is known yet"
        try:
            if await self._reconcile(account_id, fence):
                return None
        except UNTOLD as error:
            least_s, reason = error.after_s if isinstance(error, Retryable) else 0.0, str(error)
        pause_s = max(backoff.next(), least_s)
        self.reasons[account_id] = reason
        self._failures[account_id] += 1
        log.warning("account not reconciled", account=account_id, reason=reason, again_s=round(pause_s, 1))
        return pause_s

    def _close(self, account_id: int) -> None:
        if account_id in self.steps:
            self.steps[account_id] = Step.WAITING

    def _wait(self, account_id: int, reason: str) -> None:
        if account_id in self.steps:
            self.steps[account_id], self.reasons[account_id] = Step.WAITING, reason

    def _forget(self, account_id: int, done: asyncio.Task[None]) -> None:
        if self._ending.get(account_id) is done:
            del self._ending[account_id]
