"""The transport with the real drivers against the simulator, which counts what it sent and each broken limit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from apps.feeds.book.builder import BookBuilder
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Driver, Resync
from apps.feeds.market import BookDelta, BookSnapshot, Instrument, InstrumentStatus, MarketType, PublicTrade
from apps.feeds.simulator.server import Simulator
from apps.feeds.subscriptions import Diff, Subscription
from apps.feeds.tests.toy import PATIENCE_S, Notes, running
from apps.feeds.tests.waiting import until
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.http import Http
from apps.feeds.transport.pool import Pool
from apps.feeds.transport.timing import Timing

MARKETS = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]
TIMING = Timing(
    close_s=0.3, check_s=0.05, ack_s=30.0, quiet_s=30.0, handover_s=30.0, backoff_first_s=0.05, backoff_most_s=0.2
)
BOOK_MESSAGES_S = 400.0
PAIRS_PER_CONNECTION = 40

pytestmark = pytest.mark.parametrize(("exchange", "market"), MARKETS)


@dataclass
class Floor:
    """One exchange's market in the simulator, and a pool on it."""

    exchange: str
    market: MarketType
    driver: Driver
    simulator: Simulator
    pool: Pool
    sink: Notes
    session: aiohttp.ClientSession
    instruments: list[Instrument]

    def take(self, count: int, *, depth: int = 20) -> list[Subscription]:
        """Hold the first `count` listed pairs."""
        taken = [Subscription(instrument=each, depth=depth) for each in self.instruments[:count]]
        self.pool.apply(Diff(add=taken, remove=[]))
        return taken

    async def live(self, subscriptions: list[Subscription]) -> None:
        symbols = [each.instrument.symbol for each in subscriptions]
        await self.sink.until(lambda: all(self.sink.seqs(symbol) for symbol in symbols))

    async def fault(self, op: str, **where: Any) -> None:
        order = {"op": op, "exchange": self.exchange, "market_type": self.market, **where}
        async with self.session.post("/_sim/fault", json=order) as answer:
            assert answer.status == 200, await answer.text()

    async def pace(self, msg_s: float) -> None:
        async with self.session.post("/_sim/rate", json={"msg_s": msg_s}) as answer:
            assert answer.status == 200, await answer.text()

    async def ask(self, path: str) -> Any:
        async with self.session.get(path) as answer:
            return await answer.json()

    async def sent(self, symbol: str) -> tuple[int, int]:
        """Book messages and trades of a symbol that were really written, over all sockets."""
        rows = [
            row
            for row in await self.ask(f"/_sim/log?exchange={self.exchange}&market_type={self.market}")
            if row["symbol"] == symbol
        ]
        books = sum(row["sent"] for row in rows if row["kind"] == "book")
        return books, sum(row["trades"] for row in rows if row["kind"] == "trades")

    def received(self, symbol: str) -> tuple[int, int]:
        return len(self.sink.seqs(symbol)), len(self.sink.trades(symbol))

    async def settled(self, subscriptions: list[Subscription]) -> None:
        """Stop the market and wait until all that was sent has come; fails if anything was lost or came twice."""
        await self.pace(0.001)
        for each in subscriptions:
            symbol = each.instrument.symbol
            async with asyncio.timeout(PATIENCE_S):
                while self.received(symbol) != await self.sent(symbol):  # noqa: ASYNC110 (the other side counts)
                    await asyncio.sleep(0.02)

    def books(self, symbol: str) -> list[BookSnapshot | BookDelta]:
        return [event for event in self.sink.data if event.symbol == symbol and not isinstance(event, PublicTrade)]

    def gaps(self, symbol: str, depth: int) -> int:
        """Broken continuity in the book events received, by the exchange's own rule from the first event on."""
        books = self.books(symbol)
        builder = BookBuilder(symbol, self.driver.rule(self.market, depth))
        first = books[0]
        if isinstance(first, BookDelta):  # continues a snapshot that REST would have brought
            builder.apply(first)
            builder.apply(BookSnapshot(symbol=symbol, seq=first.seq, bids=[], asks=[], received_ns=0, from_rest=True))
        for event in books:
            builder.apply(event)
        return builder.counts.gaps

    async def breaches(self) -> Any:
        return (await self.ask("/_sim/state"))["breaches"]


def changed(exchange: str, connection_age_s: float | None, *, hasty: bool) -> Driver:
    """The exchange's driver, but sockets age fast; `hasty`: one second without an answer will do instead of ten.

    Where the exchange alone asks, every five seconds, a socket has a second more than that.
    """
    driver = registry.driver(exchange)
    heartbeat, limits = driver.heartbeat, driver.limits
    if hasty:
        driver.heartbeat = lambda market: replace(heartbeat(market), answer_s=6.0 if heartbeat(market).listens else 1.0)
    driver.limits = lambda market: replace(limits(market), connection_age_s=connection_age_s)
    return driver


@contextlib.asynccontextmanager
async def floor(
    exchange: str,
    market: MarketType,
    *,
    timing: Timing = TIMING,
    max_connections: int = 20,
    connection_age_s: float | None = None,
    hasty: bool = False,
) -> AsyncIterator[Floor]:
    simulator, sink = Simulator(seed=3, rate=BOOK_MESSAGES_S), Notes()
    await simulator.start()
    drivers = {exchange: changed(exchange, connection_age_s, hasty=hasty)}
    addresses = Addresses(simulator.url)
    http = Http(drivers=drivers, addresses=addresses)
    pool = Pool(
        drivers=drivers,
        sink=sink,
        addresses=addresses,
        fetch=http.fetch,
        pairs_per_connection=PAIRS_PER_CONNECTION,
        max_connections=max_connections,
        timing=timing,
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(simulator.stop)
        session = await stack.enter_async_context(aiohttp.ClientSession(simulator.url))
        await stack.enter_async_context(http)
        listed = await http.fetch_instruments(drivers[exchange], market)
        await stack.enter_async_context(running(pool))
        yield Floor(
            exchange=exchange,
            market=market,
            driver=drivers[exchange],
            simulator=simulator,
            pool=pool,
            sink=sink,
            session=session,
            instruments=[each for each in listed if each.status is InstrumentStatus.TRADING],
        )


async def test_sixty_pairs_start_within_all_limits_and_nothing_is_lost(exchange, market):
    async with floor(exchange, market) as on:
        pairs = on.take(60)
        await on.live(pairs)
        await on.settled(pairs)
        assert await on.breaches() == {}
        assert on.sink.losses == []
        assert set(on.pool.current()) == {pair.key for pair in pairs}
        most = min(on.driver.limits(market).pairs_per_connection, PAIRS_PER_CONNECTION)
        books = [link.pairs for link in on.pool.links() if link.category == on.pool.links()[0].category]
        assert books == [min(most, 60 - done) for done in range(0, 60, most)]


async def test_one_of_several_pairs_goes_and_another_comes_without_loss_for_the_rest(exchange, market):
    async with floor(exchange, market) as on:
        pairs = on.take(6)
        await on.live(pairs)
        gone = pairs.pop(2)
        new = Subscription(instrument=on.instruments[10], depth=50)
        on.pool.apply(Diff(add=[new], remove=[gone.key]))
        await on.sink.until(lambda: any(topic.symbol == new.instrument.symbol for topic in on.sink.asked_topics))
        await on.settled(pairs)
        assert set(on.pool.current()) == {pair.key for pair in pairs} | {new.key}
        assert on.sink.losses == []
        assert await on.breaches() == {}


async def test_a_cut_socket_comes_back_with_all_its_pairs(exchange, market):
    async with floor(exchange, market) as on:
        pairs = on.take(5)
        await on.live(pairs)
        sockets = len(on.pool.links())
        await on.fault("disconnect")
        await on.sink.until(lambda: len(on.sink.losses) == sockets)
        lost = {topic.symbol for _, topics, _, _ in on.sink.losses for topic in topics}
        assert lost == {pair.instrument.symbol for pair in pairs}
        on.sink.data.clear()
        await on.live(pairs)
        await until(lambda: [link.reconnects for link in on.pool.links()] == [1] * sockets)
        assert await on.breaches() == {}


async def test_a_resubscribed_pair_starts_anew_and_the_others_lose_nothing(exchange, market):
    async with floor(exchange, market) as on:
        pairs = on.take(4)
        await on.live(pairs)
        await on.sink.until(lambda: len(set(on.sink.acknowledged_topics)) == 2 * len(pairs))  # nothing is left to ask
        renewed = pairs.pop(0)
        symbol = renewed.instrument.symbol
        asked = len(on.sink.asked_topics)
        on.pool.resubscribe(renewed.key)
        await on.sink.until(lambda: len(on.sink.asked_topics) == asked + 1)
        assert on.sink.asked_topics[-1].symbol == symbol
        on.sink.data = [event for event in on.sink.data if event.symbol != symbol]
        await on.live([renewed])
        if on.driver.resync(market, 20) is Resync.RESUBSCRIBE:
            await on.sink.until(lambda: any(isinstance(event, BookSnapshot) for event in on.books(symbol)))
            books = on.books(symbol)
            new = next(each for each in books if isinstance(each, BookSnapshot))
            late = books[: books.index(new)]  # on its way when it was asked anew: of the time before
            assert new.seq is None or all(each.seq <= new.seq for each in late)
        await on.settled(pairs)
        assert on.sink.losses == []


async def test_a_pair_that_the_exchange_does_not_serve_stops_no_other(exchange, market):
    """Binance acknowledges what it does not serve and stays silent; the others refuse it."""
    async with floor(exchange, market, timing=replace(TIMING, first_data_s=3.0)) as on:
        bad = on.instruments[1]
        await on.fault("refuse", symbol=bad.symbol)
        pairs = on.take(5)
        good = [pair for pair in pairs if pair.instrument is not bad]
        await on.live(good)
        await on.sink.until(lambda: on.sink.refusals or on.sink.waits)
        refused = {topic.symbol for topic, _ in on.sink.refusals}
        waiting = {key for key, _ in on.sink.waits}
        assert refused | {key.pair for key in waiting} in ({bad.symbol}, {bad.pair})
        if on.driver.limits(market).closes_within_s is None:
            assert on.sink.losses == []
            await on.settled(good)
        else:  # it refuses by closing the socket
            on.sink.data.clear()
            await on.live(good)


async def test_a_silent_socket_is_found_and_replaced(exchange, market):
    async with floor(exchange, market, timing=replace(TIMING, quiet_s=0.2), hasty=True) as on:
        pairs = on.take(3)
        await on.live(pairs)
        await on.fault("silence")
        await on.sink.until(lambda: on.sink.losses)
        assert on.sink.losses[0][2].startswith("no frame ")
        await on.fault("unsilence")
        on.sink.data.clear()
        await on.live(pairs)


@pytest.mark.parametrize("depth", [20, 50])
async def test_sockets_that_grow_old_are_replaced_without_a_gap_or_a_repeated_trade(exchange, market, depth):
    async with floor(exchange, market, connection_age_s=0.3) as on:
        pairs = on.take(5, depth=depth)
        await on.live(pairs)
        sockets = len(on.pool.links())
        seen: set[str] = set()

        async def connections() -> int:
            state = await on.ask("/_sim/state")
            seen.update(socket["connection"] for socket in state["sockets"])
            return len(seen)

        async with asyncio.timeout(PATIENCE_S):
            while await connections() < 3 * sockets:  # noqa: ASYNC110 (the other side counts)
                await asyncio.sleep(0.02)
        assert (on.sink.losses, len(on.sink.opened_links)) == ([], sockets)
        for pair in pairs:
            symbol = pair.instrument.symbol
            ids = on.sink.trades(symbol)
            assert len(ids) == len(set(ids))
            assert on.gaps(symbol, depth) == 0
        assert await on.breaches() == {}


async def test_late_answers_to_commands_harm_nothing(exchange, market):
    async with floor(exchange, market) as on:
        await on.fault("delay_ack", seconds=0.2)
        pairs = on.take(3)
        await on.live(pairs)
        await on.sink.until(lambda: len(on.sink.acknowledged_topics) >= 6)
        assert on.sink.losses == []


async def test_answers_that_stay_away_for_a_while_cost_no_pair_and_no_socket(exchange, market):
    """Without data either, all is asked for again; who refuses that because we have it already, says yes."""
    async with floor(exchange, market, timing=replace(TIMING, ack_s=0.4, ack_tries=100)) as on:
        await on.fault("mute")
        await on.fault("no_ack", seconds=0.6)
        pairs = on.take(3)
        await on.sink.until(lambda: len(set(on.sink.acknowledged_topics)) == 6)
        await on.fault("unmute")
        await on.live(pairs)
        assert (on.sink.losses, on.sink.refusals) == ([], [])
        await on.settled(pairs)


async def test_a_pair_beyond_the_capacity_waits_and_says_why(exchange, market):
    async with floor(exchange, market, max_connections=2) as on:
        taken = on.take(100)
        waiting = [key for key, _ in on.sink.waits]
        assert len(waiting) + len(on.pool.current()) == len(taken)
        assert waiting
        assert all("0 of 2 connections are free" in reason for _, reason in on.sink.waits)
