"""One account's events: what its private socket pushes is recorded in its order, what it may have missed is swept.

Belongs to the event loop. What waits, waits in two threads: one writes what was pushed, event by event; one asks the
exchange. Order events are never dropped: while the database is away they go to a file, from which they are recorded
first once it is back. The same event again costs no database.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections

from apps.feeds.drivers.base import Frame
from apps.feeds.errors import FeedError, MalformedFrame, Retryable
from apps.feeds.orders import AccountEvent, LookUp
from apps.feeds.transport.link import Link
from apps.trading.collecting import reconciling
from apps.trading.collecting.aside import Aside
from apps.trading.collecting.cache import EventCache
from apps.trading.collecting.catalogue import Catalogue
from apps.trading.collecting.lookups import LookUps
from apps.trading.collecting.silence import Silence, call_for_key
from apps.trading.collecting.spool import Spool
from apps.trading.collecting.sweep import look_up, sweep
from apps.trading.collecting.swept import Part, Unread, after_s
from apps.trading.collecting.timetable import PUSHED, Times, Timetable
from apps.trading.collecting.writer import Writer
from apps.trading.execution.gateway.ports import Port
from apps.trading.execution.runtime import failing
from apps.waits import is_set_within

log = structlog.get_logger(__name__)

T = TypeVar("T")
Malformed = Callable[[Link, Frame, MalformedFrame, int], None]
LAST_S, WRITE_S = 5.0, 30.0  # for a sweep under way when all stops; what was pushed is written, or in the file, sooner


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
            failed=lambda: self._timetable.missed(),  # a sweep tells it anew
        )
        self._times = times or Times()
        self._keep_malformed = malformed
        self._lookups = LookUps(clock)
        self._waiting: deque[AccountEvent] = deque()
        self._pushed, self._asked, self._back = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._away = False
        self._timetable = Timetable(self._times, clock)
        self._silence = Silence(port.account_id, clock, self._times.silent_s)
        self._writing = Aside(f"record account {port.account_id}")
        self._asker = Aside(f"sweep account {port.account_id}")

    # the sink

    def ready(self, link: Link) -> None:
        self.is_ready = self._timetable.is_pushed = True
        self._timetable.missed()
        self._back.set()
        self._asked.set()

    def lost(self, link: Link, reason: str, retry_in_s: float) -> None:
        log.info("private socket lost", account=self._port.account_id, reason=reason, retry_in_s=round(retry_in_s, 2))
        self.counts["lost"] += 1
        self._silent()

    def refused(self, link: Link, code: str, text: str) -> None:
        self._silent()
        self.counts["refused"] += 1
        log.warning("key refused", account=self._port.account_id, code=code)
        self._writing.begin(call_for_key, self._port.account_id, code)

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
            self._writing.begin(self._finish)
            await self._writing.end(WRITE_S)
            await self._asker.end(LAST_S)

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

    def _silent(self) -> None:
        if self.is_whole:
            self._silence.end()
        self.is_ready = self.is_whole = False
        self._timetable.silent()
        self._asked.set()

    # what was pushed

    async def _write_all(self) -> None:
        self._away = self._writer.is_behind  # of a former life
        while True:
            if self._away:
                await is_set_within(self._pushed, self._times.away_s)
            elif not self._waiting:
                await self._pushed.wait()
            self._pushed.clear()
            batch = list(self._waiting)
            self._away = await self._writing.call(self._writer.take, batch)
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
            parts, audit = self._timetable.parts()
            if parts:  # in turn with look-ups, which may never cease
                await self._sweep(parts, audit)
            if parts or lookups:
                continue
            waits = [self._timetable.next_s, self._lookups.next_s]
            await is_set_within(self._asked, min(wait for wait in waits if wait is not None))

    async def _sweep(self, parts: frozenset[Part], audit: bool) -> None:
        had_gap = self._timetable.has_gap
        told = await self._ask(self._sweep_now, parts, audit)
        if told is None:
            return
        self._timetable.answered()
        self._timetable.differs, unread = told
        left = frozenset(each.part for each in unread)
        self._timetable.swept(parts, audit, left, after_s(unread))
        if had_gap and not self._timetable.has_gap:
            self.is_whole = self.is_ready
        if parts - left >= PUSHED:
            self._silence.end()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._times.watch_s)
            if self.is_whole or not self._silence.is_due():
                continue
            try:
                await self._writing.call(self._silence.call)
            except (DatabaseError, InterfaceError) as error:  # called for once it is back
                log.warning("nobody is called", account=self._port.account_id, error=str(error))

    async def _ask(self, question: Callable[..., T], *args: Any) -> T | None:
        """None: there was no answer, or nowhere to write it; asked again later, or once pushes come."""
        try:
            return await self._asker.call(question, *args)
        except (FeedError, DatabaseError, InterfaceError) as error:
            pause_s = self._pause_s(error)
            log.info("sweep failed", account=self._port.account_id, error=str(error), again_s=round(pause_s, 1))
        except Exception as error:  # pushes are recorded all the same; a gap that stays calls a person
            pause_s = self._pause_s(error)
            log.exception("sweep failed", account=self._port.account_id, failures=failing.count("sweeps"))
        self._back.clear()
        await is_set_within(self._back, pause_s)
        return None

    def _pause_s(self, error: Exception) -> float:
        self.counts["sweeps failed"] += 1
        pause_s = self._timetable.failed()
        return max(pause_s, error.after_s) if isinstance(error, Retryable) else pause_s

    def _sweep_now(self, parts: frozenset[Part], audit: bool) -> tuple[bool, list[Unread]]:
        """In the asker's thread; whether holdings differ from what our fills make, and what was not told."""
        close_old_connections()
        swept = sweep(self._port, parts, audit=audit)
        self.counts["found by sweeps"] += swept.updates + swept.fills
        swept.raise_unread(unless_some=True)
        self.counts["sweeps in part" if swept.unread else "sweeps"] += 1
        for each in swept.unread:
            log.warning("not told", account=self._port.account_id, what=str(each))
        told = Part.HOLDINGS in parts - swept.unread_parts
        return bool(reconciling.judge(self._port.account_id)) if told else self._timetable.differs, swept.unread

    def _look_up(self, lookups: Sequence[LookUp]) -> None:
        close_old_connections()
        for lookup in lookups:
            if not self._catalogue.knows(lookup.symbol):
                self.counts["unlisted"] += 1
                self._lookups.done(lookup)
            elif look_up(self._port, lookup, self._catalogue.instrument(lookup.symbol)):
                self._lookups.done(lookup)
