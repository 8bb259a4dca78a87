"""Once a second: what is enabled, what the daemons say and how fast the stores answer become one picture."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import structlog
from django.db import DatabaseError
from msgspec import Struct
from msgspec.structs import replace

from ctweb.live.fleet import picture
from ctweb.live.fleetfeed import FleetFeed
from ctweb.live.reader import Reader
from ctweb.live.shapes import Daemon
from ctweb.live.status import typed

log = structlog.get_logger(__name__)

_EVERY_S = 1.0
_STORES_EVERY_S = 5.0
_LOST_KEPT_MS = 24 * 3600 * 1000


class Enabled(Struct, frozen=True):
    """What the database wants: key -> depth of every pair that may run, key -> reason of those that cannot."""

    depths: Mapping[str, int]
    refused: Mapping[str, str]


class Watchman:
    """Keeps the last answer of a store that is away; a daemon that fell silent stays in the picture for a day."""

    def __init__(
        self,
        *,
        enabled: Callable[[], Awaitable[Enabled]],
        stores: Callable[[], Awaitable[dict[str, float | None]]],
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._load = enabled
        self._ask_stores = stores
        self._clock_ms = clock_ms
        self._enabled = Enabled({}, {})
        self._seen: dict[str, Daemon] = {}
        self._stores: dict[str, float | None] = {}

    async def run(self, reader: Reader, feed: FleetFeed) -> None:
        """Feed a new picture each second until cancelled."""
        await reader.first_read.wait()  # before it no daemon is known, which is not the same as none running
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._watch_stores(), name="live stores")
            parts.create_task(self._watch_books(reader, feed), name="live books")

    async def _watch_books(self, reader: Reader, feed: FleetFeed) -> None:
        while True:
            await self._refresh()
            self._take(reader.daemons, feed)
            await asyncio.sleep(_EVERY_S)

    async def _watch_stores(self) -> None:
        while True:
            self._stores = await self._ask_stores()
            await asyncio.sleep(_STORES_EVERY_S)

    def _take(self, found: Iterable[dict[str, Any]], feed: FleetFeed) -> None:
        now_ms = self._clock_ms()
        statuses = typed(found)
        alive = {one.daemon for one in statuses}
        lost = {
            name: replace(daemon, state="LOST")
            for name, daemon in self._seen.items()
            if name not in alive and now_ms - daemon.seen_ms < _LOST_KEPT_MS
        }
        fleet = picture(statuses, self._enabled.depths, lost, self._enabled.refused, now_ms)
        self._seen = {daemon.id: daemon for daemon in fleet.daemons}
        feed.take(fleet, self._stores)

    async def _refresh(self) -> None:
        """Read the database; while it does not answer the last answer stands."""
        try:
            self._enabled = await self._load()
        except DatabaseError as error:
            log.warning("database does not answer", error=str(error))
