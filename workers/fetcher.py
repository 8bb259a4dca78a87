"""What people want watched and traded, read from the database every second and at once on a nudge."""

import asyncio
import time
from collections.abc import Callable

import structlog

from apps.feeds import selectors as feeds
from apps.feeds.bus import codec
from apps.feeds.bus.redis import Subscriber
from apps.feeds.drivers import registry
from apps.feeds.market import BookKey, Instrument
from apps.feeds.subscriptions import Offers, Task, Wanted, wanted
from apps.monitoring import selectors as monitoring
from apps.trading import runnable as trading
from apps.waits import is_set_within
from workers.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

EVERY_S = 1.0
CATALOGUE_S = 5.0  # the catalogue is read again at a change of the rows, a nudge, or after so long


class Fetcher:
    """Calls `changed(wanted)` after every answer; while the database is away the last answer stands."""

    def __init__(
        self, *, database: Database, default_depth: int, redis_url: str, changed: Callable[[Wanted], None]
    ) -> None:
        self._database = database
        self._default_depth = default_depth
        self._changed = changed
        self._away_since: float | None = None
        self._hurry = asyncio.Event()
        self._tasks: list[Task] = []
        self._catalogue: dict[BookKey, Instrument] = {}
        self._catalogue_due = 0.0
        self._offers = Offers(registry.offered_depths(), registry.ALIASES)
        self._nudges = Subscriber(redis_url, channels=[codec.NUDGE_CHANNEL])

    async def run(self) -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._listen(), name="nudges")
            parts.create_task(self._fetch_for_ever(), name="fetch")

    async def fetch(self) -> None:
        """Read once; a database that is away is logged once and changes nothing."""
        try:
            found = await self._database.call(self._read)
        except DatabaseAwayError as error:
            if self._away_since is None:
                self._away_since = time.monotonic()
                log.warning("tasks cannot be read, the last ones stand", error=str(error))
            return
        if self._away_since is not None:
            log.info("tasks are read again", away_s=round(time.monotonic() - self._away_since, 1))
            self._away_since = None
        self._changed(found)

    async def aclose(self) -> None:
        await self._nudges.aclose()

    async def _fetch_for_ever(self) -> None:
        while True:
            await self.fetch()
            if await is_set_within(self._hurry, EVERY_S):
                self._hurry.clear()
                self._catalogue_due = 0.0

    async def _listen(self) -> None:
        async for _ in self._nudges:
            self._hurry.set()

    def _read(self) -> Wanted:
        """In the database's thread: the rows, and of the catalogue what they name."""
        tasks, exchanges, now = [*monitoring.tasks(), *trading.tasks()], feeds.exchanges(), time.monotonic()
        if tasks != self._tasks or now >= self._catalogue_due:
            self._catalogue = feeds.catalogue(pairs={task.pair.strip().upper() for task in tasks})
            self._tasks, self._catalogue_due = tasks, now + CATALOGUE_S
        return wanted(tasks, self._catalogue, exchanges, offers=self._offers, default_depth=self._default_depth)
