"""What all browser sockets of one web process share: one Redis reader, the newest value of each name, one clock tick.

The hub lives while a socket does: the first that joins starts it, the last that leaves stops it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from apps.feeds.market import FULL_DEPTH, BookKey, Instrument
from apps.trading.execution.runtime import failing
from apps.trading.publishing import channel
from ctweb.live.feeds import AccountFeed, BookFeed, Feed, TapeFeed
from ctweb.live.fleetfeed import FleetFeed
from ctweb.live.protocol import TICK_MS
from ctweb.live.reader import Reader
from ctweb.live.watchman import Watchman

log = structlog.get_logger(__name__)

Catalogue = Callable[[], Awaitable[Mapping[BookKey, Instrument]]]

_CATALOGUE_FRESH_S = 60.0
_CATALOGUE_RETRY_S = 2.0  # how often an unknown key may ask the database again
_RESTART_S = 1.0


class Hub:
    def __init__(self, *, redis_url: str, catalogue: Catalogue, watchman: Watchman) -> None:
        self._redis_url = redis_url
        self._load_catalogue = catalogue
        self._watchman = watchman
        self._catalogue: Mapping[BookKey, Instrument] = {}
        self._catalogue_s = float("-inf")
        self._books: dict[str, BookFeed] = {}
        self._tapes: dict[str, TapeFeed] = {}
        self._accounts: dict[str, AccountFeed] = {}
        self._members = 0
        self._task: asyncio.Task[None] | None = None
        self._tick = asyncio.Event()
        self._reader: Reader | None = None
        self.fleet = FleetFeed()
        self.failures: Counter[str] = Counter()  # faults of ours since the process began: of the hub, of a socket

    async def join(self) -> None:
        self._members += 1
        if self._task is None:
            self._reader = Reader(self._redis_url, self._offer)
            self._tick = asyncio.Event()
            self._task = asyncio.create_task(self._run(self._reader), name="live hub")

    async def leave(self) -> None:
        self._members -= 1
        if self._members or self._task is None:
            return
        task, self._task = self._task, None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._reader = None

    async def ticked(self) -> None:
        """Wait for the next tick: all sockets wake together, so a book is encoded once for all of them."""
        await self._tick.wait()

    async def instrument(self, text: str) -> Instrument | None:
        """The instrument of a book key as the browser wrote it; None: not in the catalogue."""
        try:
            key = BookKey.parse(text)
        except ValueError:
            return None
        age = time.monotonic() - self._catalogue_s
        if age > (_CATALOGUE_FRESH_S if key in self._catalogue else _CATALOGUE_RETRY_S):
            self._catalogue = await self._load_catalogue()
            self._catalogue_s = time.monotonic()
        return self._catalogue.get(key)

    def book(self, instrument: Instrument, depth: int) -> BookFeed:
        """The feed of a book, its full one for depth 0; it is read from now on."""
        name = f"{'full' if depth == FULL_DEPTH else 'book'}:{instrument.key}"
        if name not in self._books:
            self._books[name] = BookFeed(name, instrument)
            self._want(name)
        return self._books[name]

    def tape(self, instrument: Instrument) -> TapeFeed:
        name = f"trades:{instrument.key}"
        if name not in self._tapes:
            self._tapes[name] = TapeFeed(name, instrument)
            self._want(name)
        return self._tapes[name]

    def account(self, account_id: int) -> AccountFeed:
        """What happens on an account; who may see it was asked before."""
        name = channel(account_id)
        if name not in self._accounts:
            self._accounts[name] = AccountFeed(name)
            self._want(name)
        return self._accounts[name]

    def release(self) -> None:
        """Stop reading what nobody looks at any more."""
        kinds: tuple[dict[str, Any], ...] = (self._books, self._tapes, self._accounts)
        for feeds in kinds:
            for name in [name for name, feed in feeds.items() if not feed.watchers]:
                del feeds[name]
                if self._reader is not None:
                    self._reader.unwant(name)

    def _want(self, name: str) -> None:
        if self._reader is not None:
            self._reader.want(name)

    def _offer(self, name: str, raw: bytes | None) -> None:
        feed: Feed | AccountFeed | None = self._books.get(name) or self._tapes.get(name) or self._accounts.get(name)
        if feed is not None:
            feed.offer(raw)

    async def _run(self, reader: Reader) -> None:
        while self._members:
            try:
                await self._serve(reader)
            except Exception:  # on leaving, a part that fails while it is cancelled takes the cancellation's place
                self.failures["hub"] += 1
                log.exception("live hub failed", again_in_s=_RESTART_S, failures=failing.count("live hub"))
                await asyncio.sleep(_RESTART_S if self._members else 0)

    async def _serve(self, reader: Reader) -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(reader.run(), name="live reader")
            parts.create_task(self._beat(), name="live tick")
            parts.create_task(self._watchman.run(reader, self.fleet), name="live fleet")

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            tick, self._tick = self._tick, asyncio.Event()
            tick.set()
            due = max(due + TICK_MS / 1000, loop.time())
            await asyncio.sleep(due - loop.time())
