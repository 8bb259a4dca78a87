"""The market side of a daemon in small: a pool with real sockets, books and REST, on the simulator.

What it does with events is what `workers.feed` does; nothing is published or recorded.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import cycle, islice
from typing import Any

import aiohttp
from msgspec.structs import replace

from apps.feeds.book.books import Books, Tracked
from apps.feeds.book.builder import Changed, NeedSnapshot
from apps.feeds.book.continuity import WholeBooks
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Driver, Frame, Resync, Topic, TopicKind
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import (
    BookDelta,
    BookKey,
    BookSnapshot,
    BookState,
    Instrument,
    InstrumentStatus,
    Levels,
    MarketType,
    PublicTrade,
    in_base,
)
from apps.feeds.simulator.faults import ENDS
from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.subscriptions import Diff, Subscription
from apps.feeds.tests.toy import Watched
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.http import Http
from apps.feeds.transport.link import Link, MarketData
from apps.feeds.transport.pool import Pool
from apps.feeds.transport.timing import Timing

PINGS_S, PONG_S = 0.3, 0.6  # how often the exchange asks for life, and how long it waits for an answer
QUIET_S, ANSWER_S = 1.05, 0.4  # when we ask (one exchange wants no more than a ping a second), and how long we wait
TIMING = Timing(
    close_s=0.2,
    check_s=0.05,
    ack_s=1.5,
    first_data_s=1.0,
    quiet_s=QUIET_S,
    backoff_first_s=0.02,
    backoff_most_s=0.1,
    snapshot_s=0.1,
)
BOOK_MESSAGES_S = 200.0
AGAIN_S = 0.1  # after a snapshot that was of no use


def patience(*, asks_often: bool = False) -> Patience:
    """Snapshots come soon; exchanges that ask for life do it often and wait shortly, where that is told."""
    names = [field.name for field in fields(Patience)]
    short = {name: 0.05 for name in names if name.endswith("_snapshot_s")}
    if asks_often:
        short |= {name: PINGS_S for name in names if name.endswith("_ping_s")}
        short |= {name: PONG_S for name in names if name.endswith("_pong_s")}
    return Patience(**short)


def hasty(exchange: str) -> Driver:
    """The exchange's driver, but our own pings are answered soon or never."""
    driver = registry.driver(exchange)
    heartbeat = driver.heartbeat

    def hurried(market_type: MarketType) -> Any:
        beat = heartbeat(market_type)
        return replace(beat, answer_s=4 * ANSWER_S if beat.listens else ANSWER_S)

    driver.heartbeat = hurried  # type: ignore[method-assign]
    return driver


class Desk(Watched):
    """The pool's sink: holds the books, says which need a snapshot, and notes what happened."""

    def __init__(self, driver: Driver, market_type: MarketType, need: Callable[[Tracked], None]) -> None:
        super().__init__()
        self.books = Books(lambda depth: driver.rule(market_type, depth))
        self.prints: defaultdict[str, list[PublicTrade]] = defaultdict(list)
        self.events_of: defaultdict[str, list[BookSnapshot | BookDelta]] = defaultdict(list)
        self.removed: defaultdict[str, int] = defaultdict(int)  # levels that went from the middle of a book
        self.resyncs: defaultdict[str, list[str]] = defaultdict(list)
        self.refusals: dict[str, str] = {}
        self.waits: dict[BookKey, str] = {}
        self.losses: list[str] = []
        self.malformed_frames = 0
        self.served_without_socket = 0
        self._need = need

    def opened(self, link: Link) -> None:
        self.note()

    def closed(self, link: Link, topics: Collection[Topic], reason: str, retry_in_s: float) -> None:
        self.losses.append(reason)
        symbols = [topic.symbol for topic in topics if topic.kind is TopicKind.BOOK]
        closed = self.books.socket_closed(symbols, reason, now())
        self.served_without_socket += sum(tracked.builder.book is not None for tracked in closed)
        self.note()

    def events(self, link: Link, events: list[MarketData]) -> None:
        for event in events:
            if isinstance(event, PublicTrade):
                self.prints[event.symbol].append(event)
            else:
                self.book_event(event)
        self.note()

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self.malformed_frames += 1
        self.note()

    def asked(self, link: Link, topic: Topic) -> None:
        tracked = self.books.get(topic.symbol)
        if tracked is not None and topic.kind is TopicKind.BOOK and tracked.state is BookState.DOWN:
            self.books.socket_open([topic.symbol], now())

    def acknowledged(self, link: Link, topic: Topic) -> None:
        self.note()

    def refused(self, link: Link, topic: Topic, code: str, text: str) -> None:
        self.refusals[topic.symbol] = f"{code} {text}".strip()
        self.note()

    def waiting(self, subscription: Subscription, reason: str) -> None:
        self.waits[subscription.key] = reason
        self.note()

    def book_event(self, event: BookSnapshot | BookDelta) -> None:
        tracked = self.books.get(event.symbol)
        if tracked is None:
            return
        event = in_base(event, tracked.instrument)
        self.events_of[event.symbol].append(event)
        before = _top(tracked)
        applied = self.books.apply(event, now())
        outcome = None if applied is None else applied[1]
        if isinstance(outcome, Changed):
            self.removed[event.symbol] += _gone(before, _top(tracked))
        if isinstance(outcome, NeedSnapshot):
            if outcome.gap:
                self.resyncs[event.symbol].append(outcome.reason)
            self._need(tracked)
        self.note()


def _top(tracked: Tracked) -> tuple[Levels, Levels]:
    book = tracked.builder.book
    return ([], []) if book is None else book.top(20)


def _gone(before: tuple[Levels, Levels], after: tuple[Levels, Levels]) -> int:
    """Prices that are no more, although the book still reaches beyond them."""
    count = 0
    for was, now_is in zip(before, after, strict=True):
        prices = {price for price, _ in now_is}
        if prices:
            low, high = min(prices), max(prices)
            count += sum(low < price < high and price not in prices for price, _ in was)
    return count


def now() -> int:
    return time.time_ns()


@dataclass
class Stand:
    """One market of one exchange; `neighbour` is held all the time, and no test may disturb it."""

    exchange: str
    market: MarketType
    driver: Driver
    simulator: Simulator
    session: aiohttp.ClientSession
    http: Http
    pool: Pool
    desk: Desk
    instruments: list[Instrument]
    neighbour: Subscription
    fresh: Iterable[Instrument]

    @property
    def depth(self) -> int:
        """That of the neighbour."""
        return self.neighbour.depth

    def take(self, count: int, *, depth: int | None = None) -> list[Subscription]:
        """Pairs that no test has just used, not yet held."""
        depth = self.depth if depth is None else depth
        return [Subscription(instrument=each, depth=depth) for each in islice(self.fresh, count)]

    def hold(self, *subscriptions: Subscription) -> None:
        for subscription in subscriptions:
            self.desk.books.add(subscription)
        self.pool.apply(Diff(add=list(subscriptions), remove=[]))

    def drop(self, *subscriptions: Subscription) -> None:
        self.pool.apply(Diff(add=[], remove=[subscription.key for subscription in subscriptions]))
        for subscription in subscriptions:
            self.desk.books.remove(subscription.key)

    @contextlib.asynccontextmanager
    async def holding(self, count: int = 1) -> AsyncIterator[list[Subscription]]:
        """Pairs that are LIVE; dropped at the end, and all faults with them."""
        async with self.holding_these(self.take(count)) as pairs:
            yield pairs

    @contextlib.asynccontextmanager
    async def holding_these(self, pairs: list[Subscription]) -> AsyncIterator[list[Subscription]]:
        self.hold(*pairs)
        try:
            await self.live(*pairs, self.neighbour)
            yield pairs
        finally:
            for op in ENDS:
                await self.fault(op)
            self.drop(*pairs)

    def book(self, pair: Subscription) -> Tracked:
        tracked = self.desk.books.get(pair.instrument.symbol)
        assert tracked is not None
        return tracked

    def state(self, pair: Subscription) -> BookState:
        return self.book(pair).state

    def resyncs(self, pair: Subscription) -> list[str]:
        return self.desk.resyncs[pair.instrument.symbol]

    def applied(self, pair: Subscription) -> int:
        return self.book(pair).counts.applied

    async def live(self, *pairs: Subscription) -> None:
        await self.desk.until(lambda: all(self.state(pair) is BookState.LIVE for pair in pairs))

    async def moved(self, pair: Subscription, messages: int = 5) -> None:
        """The book is LIVE and took so many messages of the stream more."""
        start = self.applied(pair)
        await self.desk.until(lambda: self.state(pair) is BookState.LIVE and self.applied(pair) >= start + messages)

    async def true(self, pair: Subscription) -> None:
        """The book becomes what the simulator's own book is, whose market is stopped for it."""
        await self.fault("freeze", pair)
        truth = await self.truth(pair)
        await self.desk.until(lambda: self.state(pair) is BookState.LIVE and self.equal(pair, truth))
        await self.fault("thaw", pair)

    def equal(self, pair: Subscription, truth: tuple[Levels, Levels]) -> bool:
        """Level by level, as deep as asked for; a full book may end where the exchange's stream does."""
        book = self.book(pair).builder.book
        assert book is not None
        for ours, theirs in zip(book.top(pair.depth), truth, strict=True):
            depth = min(len(theirs), pair.depth or max(20, len(ours)))
            if ours[:depth] != theirs[:depth] or (pair.depth and len(ours) > depth):
                return False
        return True

    async def truth(self, pair: Subscription) -> tuple[Levels, Levels]:
        instrument = pair.instrument
        rows = await self.ask("/_sim/book", symbol=instrument.symbol)
        book = BookSnapshot(
            symbol=instrument.symbol,
            seq=0,
            bids=[(price, amount) for price, amount in rows["bids"]],
            asks=[(price, amount) for price, amount in rows["asks"]],
            received_ns=0,
        )
        scaled = in_base(book, instrument)
        return scaled.bids, scaled.asks

    async def ask(self, path: str, **query: str) -> Any:
        query = {"exchange": self.exchange, "market_type": self.market, **query}
        async with self.session.get(path, params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    def listened(self, pair: Subscription) -> bool:
        """Whether anybody is subscribed to the pair, as the simulator sees it."""
        place = (self.exchange, self.market, pair.instrument.symbol)
        listings = [stream.market.listing for stream in self.simulator.world.engine.streams()]
        return place in [(one.exchange, one.market_type, one.symbol) for one in listings]

    def sockets(self) -> int:
        """Those that the simulator has open for this exchange, whoever opened them."""
        return len(self.simulator.exchanges[self.exchange].sockets)

    async def spoil(self, op: str, pair: Subscription, count: int = 1) -> None:
        """Let the next messages of the pair's book suffer, and wait until it has moved on."""
        await self.fault(op, pair, count=count)
        await self.moved(pair, 2 * count + 3)

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """The neighbour and all sockets stay as they are."""
        before = (self.resyncs(self.neighbour).copy(), self.desk.losses.copy())
        yield
        assert (self.resyncs(self.neighbour), self.desk.losses) == before

    async def fault(self, op: str, pair: Subscription | None = None, **more: Any) -> None:
        where = {"exchange": self.exchange, "market_type": self.market}
        if pair is not None:
            where["symbol"] = pair.instrument.symbol
        async with self.session.post("/_sim/fault", json={"op": op, **where, **more}) as answer:
            assert answer.status == 200, await answer.text()

    async def breaches(self) -> dict[str, int]:
        return (await self.ask("/_sim/state"))["breaches"].get(self.exchange, {})


def _depth_of_differences(driver: Driver, market: MarketType) -> int:
    """The shallowest depth whose books are built from differences: what can go wrong at all, goes wrong there."""
    depths = sorted(driver.depths(market), key=lambda depth: depth or 1000)
    built = [depth for depth in depths if not isinstance(driver.rule(market, depth), WholeBooks)]
    return (built or depths)[0]


class Snapshots:
    """Gets a book the snapshot that it needs, the way its exchange gives one."""

    def __init__(self, driver: Driver, market_type: MarketType, http: Http) -> None:
        self.pool: Pool
        self.desk: Desk
        self._driver = driver
        self._market_type = market_type
        self._http = http
        self._asked: set[str] = set()
        self._tasks: asyncio.TaskGroup

    async def run(self) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            await asyncio.Event().wait()

    def need(self, tracked: Tracked) -> None:
        way = self._driver.resync(self._market_type, tracked.depth)
        symbol = tracked.instrument.symbol
        if way is Resync.RESUBSCRIBE:
            self.pool.resubscribe(tracked.key)
        elif way is Resync.SOCKET:
            self.pool.ask_snapshot(tracked.key)
        elif symbol not in self._asked:
            self._asked.add(symbol)
            self._tasks.create_task(self._fetch(symbol, tracked.depth))

    async def _fetch(self, symbol: str, depth: int) -> None:
        request = self._driver.snapshot_request(self._market_type, symbol, depth)
        snapshot = None
        try:
            body = await self._http.fetch(self._driver.exchange_id, request)
            snapshot = self._driver.parse_snapshot(self._market_type, symbol, body, now())
        except Refused:
            return
        except Retryable as error:
            await asyncio.sleep(error.after_s)
        finally:
            await asyncio.sleep(AGAIN_S)
            self._asked.discard(symbol)
        tracked = self.desk.books.get(symbol)
        if snapshot is not None and tracked is not None and tracked.state is not BookState.DOWN:
            self.desk.book_event(snapshot)
        elif tracked is not None and tracked.state is BookState.SYNCING:
            self.need(tracked)


@contextlib.asynccontextmanager
async def stand(simulator: Simulator, exchange: str, market: MarketType, **options: Any) -> AsyncIterator[Stand]:
    """A pool on one market, with one pair that stays."""
    driver, addresses = hasty(exchange), Addresses(simulator.url)
    drivers = {exchange: driver}
    async with (
        aiohttp.ClientSession(simulator.url) as session,
        Http(drivers=drivers, addresses=addresses) as http,
        asyncio.TaskGroup() as tasks,
    ):
        snapshots = Snapshots(driver, market, http)
        desk = snapshots.desk = Desk(driver, market, snapshots.need)
        pool = snapshots.pool = Pool(
            drivers=drivers,
            sink=desk,
            addresses=addresses,
            fetch=http.fetch,
            **{"pairs_per_connection": 50, "max_connections": 20, "timing": TIMING, **options},
        )
        listed = await http.fetch_instruments(driver, market)
        instruments = [each for each in listed if each.status is InstrumentStatus.TRADING]
        built = Stand(
            exchange=exchange,
            market=market,
            driver=driver,
            simulator=simulator,
            session=session,
            http=http,
            pool=pool,
            desk=desk,
            instruments=instruments,
            neighbour=Subscription(instrument=instruments[0], depth=_depth_of_differences(driver, market)),
            fresh=cycle(instruments[1:]),
        )
        parts = [tasks.create_task(pool.run()), tasks.create_task(snapshots.run())]
        await asyncio.sleep(0)
        built.hold(built.neighbour)
        try:
            await built.live(built.neighbour)
            yield built
        finally:
            for part in parts:
                part.cancel()
