"""The market side of a daemon in small: a pool with real sockets, books and REST, on the simulator.

What it does with events is what `workers.feed` does; nothing is published or recorded.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import cycle, islice
from typing import Any, Literal

import aiohttp
from msgspec.structs import replace

from apps.feeds.book.books import Tracked
from apps.feeds.book.continuity import WholeBooks
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Driver
from apps.feeds.market import (
    BookSnapshot,
    BookState,
    Instrument,
    InstrumentStatus,
    Levels,
    MarketType,
    in_base,
)
from apps.feeds.simulator.faults import ENDS
from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.simulator.streams import Kind
from apps.feeds.subscriptions import Diff, Subscription
from apps.feeds.tests.desk import Desk
from apps.feeds.tests.waiting import until
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.http import Http
from apps.feeds.transport.pool import Pool
from apps.feeds.transport.timing import Timing

PINGS_S, PONG_S = 0.3, 1.2  # how often the exchange asks for life, and how long it waits for an answer
QUIET_S, ANSWER_S = 1.05, 1.0  # when we ask (one exchange wants no more than a ping a second), and how long we wait
TIMING = Timing(
    close_s=0.2,
    check_s=0.05,
    ack_s=30.0,
    first_data_s=1.0,
    backoff_first_s=0.02,
    backoff_most_s=0.1,
    snapshot_s=0.1,
)
HASTY = replace(TIMING, ack_s=1.5, quiet_s=QUIET_S)
BOOK_MESSAGES_S = 200.0


def patience(*, asks_often: bool = False) -> Patience:
    """Snapshots come soon; exchanges that ask for life do it often and wait shortly, where that is told."""
    names = [field.name for field in fields(Patience)]
    short = {name: 0.05 for name in names if name.endswith("_snapshot_s")}
    if asks_often:
        short |= {name: PINGS_S for name in names if name.endswith("_ping_s")}
        short |= {name: PONG_S for name in names if name.endswith("_pong_s")}
    return Patience(**short)


def hurried(exchange: str) -> Driver:
    """The exchange's driver, but our own pings are answered soon or never."""
    driver = registry.driver(exchange)
    heartbeat = driver.heartbeat

    def soon(market_type: MarketType) -> Any:
        beat = heartbeat(market_type)
        return replace(beat, answer_s=2 * ANSWER_S if beat.listens else ANSWER_S)

    driver.heartbeat = soon  # type: ignore[method-assign]
    return driver


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
        """However many they are: some exchanges take five commands a second, and two or three a pair."""
        await self.desk.until(lambda: all(self.state(pair) is BookState.LIVE for pair in pairs), 10 + len(pairs))

    async def moved(self, pair: Subscription, messages: int = 5) -> None:
        """The book is LIVE and took so many messages of the stream more."""
        start = self.applied(pair)
        await self.desk.until(lambda: self.state(pair) is BookState.LIVE and self.applied(pair) >= start + messages)

    async def true(self, pair: Subscription) -> None:
        """The book becomes what the simulator's own book is, whose market is stopped for it."""
        async with self.standing(pair):
            pass

    @contextlib.asynccontextmanager
    async def standing(self, pair: Subscription) -> AsyncIterator[None]:
        """The market does nothing by itself, and the book is what the simulator's own book is."""
        await self.fault("freeze", pair)
        truth = await self.truth(pair)
        await self.desk.until(lambda: self.state(pair) is BookState.LIVE and self.equal(pair, truth))
        yield
        await self.fault("thaw", pair)

    async def trade(self, pair: Subscription, side: Literal["buy", "sell"], lots: int, price: float) -> None:
        """Let somebody take all of so many lots, at prices no worse than that."""
        size = lots * pair.instrument.lot
        order = {
            "symbol": pair.instrument.symbol,
            "side": side,
            "size": f"{size:f}",
            "price": f"{Decimal(repr(price)):f}",
        }
        where = {"exchange": self.exchange, "market_type": self.market}
        async with self.session.post("/_sim/trade", json={**where, **order}) as answer:
            assert answer.status == 200, await answer.text()
            assert Decimal((await answer.json())["traded"]) == size

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

    def listened(self, pair: Subscription, *kinds: Kind) -> bool:
        """Whether anybody is subscribed to the pair, to channels of all these kinds, as the simulator sees it."""
        place = (self.exchange, self.market, pair.instrument.symbol)
        found = [(stream.kind, stream.market.listing) for stream in self.simulator.world.engine.streams()]
        heard = {kind for kind, one in found if (one.exchange, one.market_type, one.symbol) == place}
        return bool(heard) and heard.issuperset(kinds)

    def sockets(self) -> int:
        """Those that the simulator has open for this exchange, whoever opened them."""
        return len(self.simulator.exchanges[self.exchange].sockets)

    async def spoil(self, op: str, pair: Subscription, count: int = 1) -> None:
        """Let the next messages of the pair's book suffer, and wait until they have and it has moved on.

        What was on its way before, of a busy machine many messages, proves nothing.
        """
        await self.fault(op, pair, count=count)
        await until(lambda: not self._suffers(op, pair))
        await self.moved(pair, 2 * count + 3)

    def _suffers(self, op: str, pair: Subscription) -> bool:
        faults, symbol = self.simulator.world.faults, pair.instrument.symbol
        streams = [each for each in self.simulator.world.engine.streams() if each.market.listing.symbol == symbol]
        return any(faults.left(op, self.exchange, self.market, stream.name) for stream in streams)

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


@contextlib.asynccontextmanager
async def stand(
    simulator: Simulator, exchange: str, market: MarketType, *, hasty: bool = False, **options: Any
) -> AsyncIterator[Stand]:
    """A pool on one market, with one pair that stays; `hasty`: it soon gives up who does not answer."""
    driver, addresses = hurried(exchange) if hasty else registry.driver(exchange), Addresses(simulator.url)
    drivers = {exchange: driver}
    async with (
        aiohttp.ClientSession(simulator.url) as session,
        Http(drivers=drivers, addresses=addresses) as http,
        asyncio.TaskGroup() as tasks,
    ):
        desk = Desk(driver, market, http)
        pool = desk.pool = Pool(
            drivers=drivers,
            sink=desk,
            addresses=addresses,
            fetch=http.fetch,
            **{"pairs_per_connection": 50, "max_connections": 20, "timing": HASTY if hasty else TIMING, **options},
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
        parts = [tasks.create_task(pool.run()), tasks.create_task(desk.run())]
        await asyncio.sleep(0)
        built.hold(built.neighbour)
        try:
            await built.live(built.neighbour)
            yield built
        finally:
            for part in parts:
                part.cancel()
