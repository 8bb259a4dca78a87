"""Sees to it that this daemon has the books that its accounts trade on."""

import asyncio
from collections.abc import Callable, Collection, Mapping

import structlog

from apps.feeds.bus import codec
from apps.feeds.bus.redis import Subscriber
from apps.feeds.market import BookKey
from apps.feeds.subscriptions import Subscription
from apps.waits import is_set_within
from workers.database import Database, DatabaseAwayError
from workers.paper.desk import Desk
from workers.trader import needs
from workers.trader.windows import Windows

log = structlog.get_logger(__name__)

EVERY_S = 1.0


class Books:
    """Reads what is needed every second and at once on a nudge; while the database is away the last answer stands."""

    def __init__(
        self,
        *,
        database: Database,
        redis_url: str,
        default_depth: int,
        accounts: Callable[[], Collection[int]],
        hold: Callable[[Mapping[BookKey, Subscription]], None],
        windows: Windows,
        desk: Desk,
    ) -> None:
        self._database = database
        self._default_depth = default_depth
        self._accounts = accounts
        self._hold = hold
        self._windows = windows
        self._desk = desk
        self._needed: set[BookKey] = set()
        self._hurry = asyncio.Event()
        self._nudges = Subscriber(redis_url, channels=[codec.NUDGE_CHANNEL])

    async def run(self) -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._listen(), name="nudges of trading")
            parts.create_task(self._read_for_ever(), name="needs of trading")

    async def aclose(self) -> None:
        """No book is needed any more."""
        self._needed = set()
        self._hold({})
        await self._nudges.aclose()

    def look(self) -> None:
        """An account looks at other books than before."""
        self._windows.need(self._needed | self._desk.keys)

    async def read(self) -> None:
        """Once; a database that is away changes nothing."""
        try:
            found = await self._database.call(needs.read, frozenset(self._accounts()), self._default_depth)
        except DatabaseAwayError as error:
            log.debug("needs of trading are not read, the last ones stand", error=str(error))
            return
        self._needed = set(found.subscriptions)
        self._hold(found.subscriptions)
        self.look()
        for account_id, keys in found.of_account.items():
            self._desk.look_at(account_id, keys)

    async def _read_for_ever(self) -> None:
        while True:
            await self.read()
            if await is_set_within(self._hurry, EVERY_S):
                self._hurry.clear()

    async def _listen(self) -> None:
        async for _ in self._nudges:
            self._hurry.set()
