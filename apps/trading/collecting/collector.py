"""One account's events: what its private socket pushes is recorded in its order, what it may have missed is swept.

Belongs to the event loop. What waits, waits in two threads: one writes what was pushed, event by event; one asks the
exchange. Order events are never dropped: while the database is away they go to a file, from which they are recorded
first once it is back. The same event again costs no database.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections
from msgspec import Struct

from apps.feeds.drivers.base import Frame
from apps.feeds.errors import FeedError, MalformedFrame, Retryable
from apps.feeds.orders import AccountEvent, LookUp
from apps.feeds.transport.link import Link
from apps.trading import reconciling
from apps.trading.collecting.cache import EventCache
from apps.trading.collecting.catalogue import Catalogue
from apps.trading.collecting.lookups import LookUps
from apps.trading.collecting.silence import LONG_S, Silence
from apps.trading.collecting.spool import Spool
from apps.trading.collecting.sweep import AFTER_A_GAP, EVERYTHING, Part, look_up, sweep
from apps.trading.collecting.writer import Writer
from apps.trading.execution.ports import Port
from apps.trading.risk_view import Scope
from apps.users.alerts import raise_alert

log = structlog.get_logger(__name__)

Malformed = Callable[[Link, Frame, MalformedFrame, int], None]
T = TypeVar("T")


PUSHED = frozenset({Part.ORDERS, Part.TRADES})  # what a socket tells, and sweeps in its place


class Times(Struct, frozen=True, kw_only=True):
    """Seconds between two of each."""

    orders_s: float = 10.0
    trades_s: float = 60.0
    holdings_s: float = 60.0
    differing_s: float = 5.0  # holdings, while they differ from our fills
    audit_s: float = 3600.0
    without_socket_s: float = 5.0  # orders and trades
    again_s: float = 1.0  # after a failure, growing to `longest_s`
    longest_s: float = 30.0
    away_s: float = 0.5  # looks whether the database is back
    silent_s: float = LONG_S  # without a word, then a person is called
    watch_s: float = 5.0


class Collector:
    """The sink of the account's private socket; see `PrivateSink`."""

    def __init__(
        self,
        *,
        port: Port,
        spool: Spool,
        cache: EventCache | None = None,
        catalogue: Catalogue | None = None,
        times: Times | None = None,
        malformed: Malformed | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`malformed` keeps frames that could not be read."""
        self.counts: Counter[str] = Counter()
        self.is_ready = False  # pushes come
        self.is_whole = False  # and since the last gap everything was swept
        self.cache = cache or EventCache()
        self._port = port
        self._catalogue = catalogue or Catalogue(port.exchange, port.market_type)
        self._writer = Writer(
            port.account_id,
            spool=spool,
            cache=self.cache,
            catalogue=self._catalogue,
            counts=self.counts,
            failed=self._mark_gap,
        )
        self._times = times or Times()
        self._keep_malformed = malformed
        self._clock = clock
        self._lookups = LookUps(clock)
        self._waiting: deque[AccountEvent] = deque()
        self._pushed, self._asked = asyncio.Event(), asyncio.Event()
        self._away = False
        self._gap = True
        self._differs = False
        self._due: dict[Part, float] = dict.fromkeys(Part, clock())
        self._audit_due_s = clock() + self._times.audit_s
        self._failures = 0
        self._silence = Silence(port.account_id, clock, self._times.silent_s)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix=f"record account {port.account_id}")
        self._asker = ThreadPoolExecutor(1, thread_name_prefix=f"sweep account {port.account_id}")

    # the sink

    def ready(self, link: Link) -> None:
        self.is_ready, self._gap = True, True
        self._asked.set()

    def lost(self, link: Link, reason: str, retry_in_s: float) -> None:
        log.info("private socket lost", account=self._port.account_id, reason=reason, retry_in_s=round(retry_in_s, 2))
        self.counts["lost"] += 1
        self._silent()

    def refused(self, link: Link, code: str, text: str) -> None:
        self._silent()
        self.counts["refused"] += 1
        log.warning("key refused", account=self._port.account_id, code=code)
        self._writing.submit(_refused, self._port.account_id, code)

    def events(self, link: Link, events: list[AccountEvent], received_ns: int) -> None:
        for event in events:
            self.counts[type(event).__name__] += 1
            if isinstance(event, LookUp):
                self._lookups.want(event)
                self._asked.set()
            else:
                self._waiting.append(event)
        self._pushed.set()

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self.counts["malformed"] += 1
        if self._keep_malformed is not None:
            self._keep_malformed(link, frame, error, received_ns)

    # running

    async def run(self) -> None:
        """Until cancelled; what was pushed by then is written, or kept in the file, before this returns."""
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self._write_all(), name=f"record account {self._port.account_id}")
                parts.create_task(self._ask_all(), name=f"sweep account {self._port.account_id}")
                parts.create_task(self._watch(), name=f"silence of account {self._port.account_id}")
        finally:
            self._asker.shutdown(wait=False, cancel_futures=True)
            last = self._writing.submit(self._finish)
            await asyncio.shield(asyncio.wrap_future(last))
            self._writing.shutdown(wait=False)

    def status(self) -> Mapping[str, Any]:
        """For the daemon's status and the pages."""
        cache = self.cache.stats()
        return {
            "account": self._port.account_id,
            "ready": self.is_ready,
            "whole": self.is_whole,
            "waiting": len(self._waiting),
            "database_away": self._away,
            "lookups": len(self._lookups),
            "cache_hits": cache.hits,
            "cache_misses": cache.misses,
            "cache_size": cache.size,
            **dict(self.counts),
        }

    def _mark_gap(self) -> None:
        self._gap = True  # a sweep tells it anew

    def _silent(self) -> None:
        """Nothing is pushed: sweeps alone bring what happens, and so they come sooner."""
        if self.is_whole:
            self._silence.end()
        self.is_ready = self.is_whole = False
        soon_s = self._clock() + self._times.without_socket_s
        for part in (Part.ORDERS, Part.TRADES):
            self._due[part] = min(self._due[part], soon_s)
        self._asked.set()

    # what was pushed

    async def _write_all(self) -> None:
        self._away = self._writer.is_behind  # of a former life
        while True:
            if self._away:
                await _wait(self._pushed, self._times.away_s)
            elif not self._waiting:
                await self._pushed.wait()
            self._pushed.clear()
            batch = list(self._waiting)
            self._away = await self._in(self._writing, self._writer.take, batch)
            for _ in batch:
                self._waiting.popleft()

    def _finish(self) -> None:
        self._writer.take(list(self._waiting))
        self._writer.close()

    # what is asked

    async def _ask_all(self) -> None:
        while True:
            self._asked.clear()
            if lookups := self._lookups.due():
                await self._ask(self._look_up, lookups)
                continue
            parts, audit = self._parts()
            if parts:
                await self._sweep(parts, audit)
                continue
            await _wait(self._asked, self._next_s())

    async def _sweep(self, parts: frozenset[Part], audit: bool) -> None:
        gap, self._gap = self._gap, False
        done = await self._ask(self._sweep_now, parts, audit)
        now_s = self._clock()
        if not done:
            self._gap = self._gap or gap
            return
        for part in parts:
            self._due[part] = now_s + self._every(part)
        if audit:
            self._audit_due_s = now_s + self._times.audit_s
        if gap and not self._gap:
            self.is_whole = self.is_ready
        if parts >= PUSHED:
            self._silence.end()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._times.watch_s)
            if self.is_whole or not self._silence.is_due():
                continue
            try:
                await self._in(self._writing, self._silence.call)
            except (DatabaseError, InterfaceError) as error:  # called for once it is back
                log.warning("nobody is called", account=self._port.account_id, error=str(error))

    async def _ask(self, question: Callable[..., bool], *args: Any) -> bool:
        """False: there was no answer, or nowhere to write it; asked again after a growing pause."""
        try:
            self._differs = await self._in(self._asker, question, *args)
        except (FeedError, DatabaseError, InterfaceError) as error:
            self._failures += 1
            pause_s = min(self._times.again_s * 2 ** (self._failures - 1), self._times.longest_s)
            if isinstance(error, Retryable):
                pause_s = max(pause_s, error.after_s)
            log.info("sweep failed", account=self._port.account_id, error=str(error), again_s=round(pause_s, 1))
            self.counts["sweeps failed"] += 1
            await asyncio.sleep(pause_s)
            return False
        self._failures = 0
        return True

    def _sweep_now(self, parts: frozenset[Part], audit: bool) -> bool:
        """In the asker's thread; whether holdings differ from what our fills make of them."""
        close_old_connections()
        swept = sweep(self._port, parts, audit=audit)
        self.counts["sweeps"] += 1
        self.counts["found by sweeps"] += swept.updates + swept.fills
        return bool(reconciling.judge(self._port.account_id)) if Part.HOLDINGS in parts else self._differs

    def _look_up(self, lookups: Sequence[LookUp]) -> bool:
        close_old_connections()
        for lookup in lookups:
            if not self._catalogue.knows(lookup.symbol):
                self.counts["unlisted"] += 1
                self._lookups.done(lookup)
            elif look_up(self._port, lookup, self._catalogue.instrument(lookup.symbol)):
                self._lookups.done(lookup)
        return self._differs

    def _parts(self) -> tuple[frozenset[Part], bool]:
        """What is due now, and whether it is the time of an audit."""
        now_s = self._clock()
        if now_s >= self._audit_due_s:
            return EVERYTHING, True
        due = frozenset(part for part in Part if now_s >= self._due[part])
        return (due | AFTER_A_GAP if self._gap else due), False

    def _every(self, part: Part) -> float:
        if part in (Part.ORDERS, Part.TRADES) and not self.is_ready:
            return self._times.without_socket_s
        every = {
            Part.ORDERS: self._times.orders_s,
            Part.TRADES: self._times.trades_s,
            Part.HOLDINGS: self._times.differing_s if self._differs else self._times.holdings_s,
            Part.FUNDING: self._times.audit_s,
        }
        return every[part]

    def _next_s(self) -> float:
        next_s = min(*self._due.values(), self._audit_due_s) - self._clock()
        waits = [max(0.0, next_s), self._lookups.next_s]
        return min(wait for wait in waits if wait is not None)

    async def _in(self, threads: ThreadPoolExecutor, call: Callable[..., T], *args: Any) -> T:
        """What is begun is ended, though we are cancelled meanwhile: its thread goes on by itself."""
        return await asyncio.shield(asyncio.wrap_future(threads.submit(call, *args)))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _refused(account_id: int, code: str) -> None:
    """Without its text, which may repeat the key: alerts leave the system."""
    close_old_connections()
    raise_alert(
        kind="KEY_REFUSED",
        scope=Scope.ACCOUNT,
        scope_id=str(account_id),
        text=f"the exchange refuses the account's key: {code}",
    )
