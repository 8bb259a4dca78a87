"""Records what an exchange sends: every frame of some pairs, and the snapshots that belong to them.

The books are held only to know which snapshots they need; what is written is what came, before it is read.
"""

import asyncio
from collections.abc import Callable, Collection
from time import time_ns
from typing import Any, cast

from msgspec import Struct

from apps.feeds.book.books import Books, Tracked
from apps.feeds.book.builder import NeedSnapshot
from apps.feeds.capture_files import Files
from apps.feeds.drivers.base import Driver, Frame, Resync, Topic, TopicKind
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import (
    BookDelta,
    BookSnapshot,
    BookState,
    Instrument,
    Levels,
    MarketType,
    PublicTrade,
)
from apps.feeds.subscriptions import Diff, Subscription
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.http import Http
from apps.feeds.transport.link import Link, MarketData
from apps.feeds.transport.pool import Pool

AGAIN_S = 1.0  # after a snapshot that was of no use


class Held(Struct, frozen=True):
    """What a book was when the recording ended."""

    instrument: Instrument
    state: BookState
    seq: int | None
    gaps: int
    bids: Levels
    asks: Levels


class Recording(Struct, frozen=True):
    books: list[Held]
    refusals: dict[str, str]  # by symbol
    malformed_frames: int


class Tapped:
    """A driver that shows each frame and each answer to a snapshot request before it reads it."""

    def __init__(
        self, driver: Driver, *, frame: Callable[[Frame], None], snapshot: Callable[[str, bytes], None]
    ) -> None:
        self._driver = driver
        self._frame = frame
        self._snapshot = snapshot

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def parse(self, market_type: MarketType, frame: Frame, received_ns: int) -> Any:
        self._frame(frame)
        return self._driver.parse(market_type, frame, received_ns)

    def parse_snapshot(self, market_type: MarketType, symbol: str, body: bytes, received_ns: int) -> BookSnapshot:
        self._snapshot(symbol, body)
        return self._driver.parse_snapshot(market_type, symbol, body, received_ns)


class Watcher:
    """The pool's sink: keeps the books, and gets each the snapshot that it needs."""

    def __init__(self, driver: Driver, market_type: MarketType, http: Http, *, again_s: float = AGAIN_S) -> None:
        self.books = Books(lambda depth: driver.rule(market_type, depth))
        self.refusals: dict[str, str] = {}  # by symbol
        self.malformed_frames = 0
        self.pool: Pool
        self._driver = driver
        self._market_type = market_type
        self._http = http
        self._again_s = again_s
        self._asked: set[str] = set()
        self._tasks: asyncio.TaskGroup

    async def run(self) -> None:
        """Own the requests until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            await asyncio.Event().wait()

    def opened(self, link: Link) -> None:
        """Books open with the first word that they were asked for."""

    def closed(self, link: Link, topics: Collection[Topic], reason: str, retry_in_s: float) -> None:
        self.books.socket_closed([topic.symbol for topic in topics if topic.kind is TopicKind.BOOK], reason, time_ns())

    def events(self, link: Link, events: list[MarketData]) -> None:
        for event in events:
            if not isinstance(event, PublicTrade):
                self.apply(event)

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self.malformed_frames += 1

    def asked(self, link: Link, topic: Topic) -> None:
        tracked = self.books.get(topic.symbol)
        if tracked is not None and topic.kind is TopicKind.BOOK and tracked.state is BookState.DOWN:
            self.books.socket_open([topic.symbol], time_ns())

    def acknowledged(self, link: Link, topic: Topic) -> None:
        """Proves nothing."""

    def refused(self, link: Link, topic: Topic, code: str, text: str) -> None:
        self.refusals[topic.symbol] = f"{code} {text}".strip()

    def waiting(self, subscription: Subscription, reason: str) -> None:
        self.refusals[subscription.instrument.symbol] = reason

    def held(self) -> list[Held]:
        """All books as they are now, amounts as the exchange counts them."""
        return [_held(tracked) for tracked in self.books]

    def apply(self, event: BookSnapshot | BookDelta) -> None:
        applied = self.books.apply(event, time_ns())
        if applied is not None and isinstance(applied[1], NeedSnapshot):
            self._need(applied[0])

    def _need(self, tracked: Tracked) -> None:
        way, symbol = self._driver.resync(self._market_type, tracked.depth), tracked.instrument.symbol
        if way is Resync.RESUBSCRIBE:
            self.pool.resubscribe(tracked.key)
        elif way is Resync.SOCKET:
            self.pool.ask_snapshot(tracked.key)
        elif symbol not in self._asked:
            self._asked.add(symbol)
            self._tasks.create_task(self._fetch(symbol, tracked.depth), name=f"snapshot {symbol}")

    async def _fetch(self, symbol: str, depth: int) -> None:
        """Until the book has no more need of one; what the exchange refuses is not asked for again."""
        while (tracked := self.books.get(symbol)) is not None and tracked.builder.book is None:
            try:
                request = self._driver.snapshot_request(self._market_type, symbol, depth)
                body = await self._http.fetch(self._driver.exchange_id, request)
                self.apply(self._driver.parse_snapshot(self._market_type, symbol, body, time_ns()))
            except Refused as error:
                self.refusals[symbol] = str(error)
                return
            except (Retryable, MalformedFrame):
                await asyncio.sleep(self._again_s)
            else:
                await asyncio.sleep(0 if tracked.builder.book is not None else self._again_s)
        self._asked.discard(symbol)


async def capture(
    driver: Driver,
    market_type: MarketType,
    pairs: Collection[str],
    *,
    depth: int,
    seconds: float,
    files: Files,
    simulator_url: str | None,
    max_connections: int,
    pairs_per_connection: int,
) -> Recording:
    """Record for so long; raise Refused when a pair is not listed, Retryable when the list is not to be had."""
    tapped = cast(Driver, Tapped(driver, frame=files.frame, snapshot=files.snapshot))
    drivers, addresses = {driver.exchange_id: tapped}, Addresses(simulator_url)
    async with Http(drivers=drivers, addresses=addresses) as http:
        instruments = _chosen(await http.fetch_instruments(driver, market_type), pairs)
        watcher = Watcher(tapped, market_type, http)
        watcher.pool = Pool(
            drivers=drivers,
            sink=watcher,
            addresses=addresses,
            fetch=http.fetch,
            pairs_per_connection=pairs_per_connection,
            max_connections=max_connections,
        )
        subscriptions = [Subscription(instrument=instrument, depth=depth) for instrument in instruments]
        for subscription in subscriptions:
            watcher.books.add(subscription)
        async with asyncio.TaskGroup() as tasks:
            parts = [tasks.create_task(watcher.run()), tasks.create_task(watcher.pool.run())]
            watcher.pool.apply(Diff(add=subscriptions, remove=[]))
            await asyncio.sleep(seconds)
            files.close()
            recording = Recording(watcher.held(), watcher.refusals, watcher.malformed_frames)
            for part in reversed(parts):
                part.cancel()
    return recording


def _held(tracked: Tracked) -> Held:
    book = tracked.builder.book
    bids, asks = ([], []) if book is None else book.top(0)
    return Held(tracked.instrument, tracked.state, tracked.seq, tracked.counts.gaps, bids, asks)


def _chosen(listed: Collection[Instrument], pairs: Collection[str]) -> list[Instrument]:
    by_pair = {instrument.pair: instrument for instrument in listed}
    missing = [pair for pair in pairs if pair.upper() not in by_pair]
    if missing:
        raise Refused(f"not listed: {', '.join(missing)}")
    return [by_pair[pair.upper()] for pair in pairs]
