"""All connections of a daemon: which pair lies on which, within what the exchanges and the settings allow."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from apps.feeds.drivers.base import Driver, Rate, Topic, TopicKind
from apps.feeds.market import BookKey, Instrument, MarketType
from apps.feeds.subscriptions import Diff, Subscription
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.connection import Connection
from apps.feeds.transport.dial import Fetch
from apps.feeds.transport.gate import Gate, Meter
from apps.feeds.transport.groups import Group, group_of, pairs_of_a_socket, topics_of
from apps.feeds.transport.link import Link, Sink
from apps.feeds.transport.timing import Timing
from apps.feeds.transport.turns import Turns


class _Pair(Struct):
    subscription: Subscription
    places: dict[Topic, Connection]


class Pool:
    """Holds the pairs that `apply` gives it; a pair runs with its book and its trades.

    Pairs fill a socket before the next is opened. Where an exchange wants trades on sockets of their own, these take
    as many pairs as the exchange allows, so that they cost few of `max_connections`.
    """

    def __init__(
        self,
        *,
        drivers: Mapping[str, Driver],
        sink: Sink,
        addresses: Addresses,
        fetch: Fetch,
        pairs_per_connection: int,
        max_connections: int,
        clock: Callable[[], int] = time.time_ns,
        rng: random.Random | None = None,
        timing: Timing | None = None,
        meter: Meter | None = None,
    ) -> None:
        """Without a `meter` the exchanges' limits on new sockets are kept by this process alone."""
        self._drivers = drivers
        self._sink = sink
        self._addresses = addresses
        self._fetch = fetch  # of tokens for sockets
        self._pairs_per_connection = pairs_per_connection
        self._max_connections = max_connections
        self._clock = clock
        self._rng = rng or random.SystemRandom()
        self._timing = timing or Timing()
        self.turns = Turns()
        self._gates = {
            name: Gate(_connect_rate(driver), name=f"sockets:{name}", meter=meter) for name, driver in drivers.items()
        }
        self._groups: dict[Group, list[Connection]] = {}
        self._pairs: dict[BookKey, _Pair] = {}
        self._keys: dict[tuple[str, MarketType, str], BookKey] = {}  # by exchange, market and symbol
        self._refused: dict[tuple[BookKey, Topic], float] = {}  # when it may be asked for again
        self._numbers: dict[Group, int] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._running: dict[Connection, asyncio.Task[None]] = {}
        self._closing: dict[asyncio.Task[None], Connection] = {}

    async def run(self) -> None:
        """Own every connection until cancelled; then all sockets are closed."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for connections in self._groups.values():
                for connection in connections:
                    self._start(tasks, connection)
            while True:
                await asyncio.sleep(self._timing.check_s)
                self._ask_again(time.monotonic())

    def apply(self, diff: Diff) -> None:
        """Change what is held; pairs that are not named are not touched."""
        for key in diff.remove:
            self._remove(key)
        for subscription in diff.add:
            self._add(subscription)
        self._stop_empty()

    def current(self) -> dict[BookKey, int]:
        """Depth of every pair that is held; not of those without room and not of those refused."""
        return {key: pair.subscription.depth for key, pair in self._pairs.items()}

    def resubscribe(self, key: BookKey) -> None:
        """Start the stream of this pair's book from the beginning; nothing else moves."""
        if pair := self._pairs.get(key):
            for topic, connection in pair.places.items():
                if topic.kind is TopicKind.BOOK:
                    connection.renew(topic)

    def ask_snapshot(self, key: BookKey) -> None:
        """Ask for a snapshot of this pair's book on its own socket; it comes with the events."""
        if pair := self._pairs.get(key):
            for topic, connection in pair.places.items():
                if topic.kind is TopicKind.BOOK:
                    connection.ask_snapshot(topic)

    def gate(self, exchange: str) -> Gate:
        """What every new socket to the exchange goes through, whoever opens it."""
        return self._gates[exchange]

    def links(self) -> list[Link]:
        return [connection.link for connections in self._groups.values() for connection in connections]

    def _add(self, subscription: Subscription) -> None:
        """Place the book and the trades, or neither and say why."""
        key = subscription.key
        if key in self._pairs:
            self._remove(key)
        topics = [topic for topic in topics_of(subscription) if (key, topic) not in self._refused]
        if not any(topic.kind is TopicKind.BOOK for topic in topics):
            return
        places = self._place(subscription.instrument, topics)
        if isinstance(places, str):
            self._sink.waiting(subscription, places)
            return
        self._pairs[key] = _Pair(subscription, places)
        self._keys[key.exchange, key.market_type, subscription.instrument.symbol] = key

    def _remove(self, key: BookKey) -> None:
        pair = self._pairs.pop(key, None)
        if pair is None:
            return
        del self._keys[key.exchange, key.market_type, pair.subscription.instrument.symbol]
        for topic, connection in pair.places.items():
            connection.drop(topic)

    def _place(self, instrument: Instrument, topics: Sequence[Topic]) -> dict[Topic, Connection] | str:
        """Give each topic its connection; without room for all of them nothing changes, the answer is the reason."""
        driver = self._drivers.get(instrument.exchange)
        if driver is None:
            return f"no driver for {instrument.exchange}"
        groups = {topic: group_of(driver, instrument, topic) for topic in topics}
        found = {group: self._with_room(driver, group, instrument.symbol) for group in groups.values()}
        missing = [group for group, connection in found.items() if connection is None]
        free, most, whose = self._free(driver, instrument)
        if len(missing) > free:
            if len(missing) > free + len(self._closing):
                self._gather(instrument.exchange if whose else None)
            return (
                f"no room: {free} of {most} connections{whose} are free, and those for {instrument.exchange} "
                f"{instrument.market_type} {missing[0].category} hold their {self._capacity(driver, missing[0])} pairs"
            )
        places = {}
        for topic, group in groups.items():
            connection = found[group] or self._connect(driver, group)
            found[group] = connection
            connection.want(topic)
            places[topic] = connection
        return places

    def _with_room(self, driver: Driver, group: Group, symbol: str) -> Connection | None:
        """The connection that has the symbol already, else the first with room for one more."""
        capacity, lines = self._capacity(driver, group), self._groups.get(group, [])
        own = [line for line in lines if symbol in line.symbols]
        return next((line for line in own or lines if own or line.link.pairs < capacity), None)

    def _capacity(self, driver: Driver, group: Group) -> int:
        return pairs_of_a_socket(driver, group, self._pairs_per_connection)

    def _gather(self, exchange: str | None) -> None:
        """Close one socket (of this exchange) that the others of its group have room for.

        Pairs that left have thinned them out. Those that move start anew on theirs; the socket that gets free serves
        the next `apply`.
        """
        for group, lines in self._groups.items():
            capacity = self._capacity(self._drivers[group.exchange], group)
            spare = capacity * len(lines) - sum(line.link.pairs for line in lines)
            if spare >= capacity and len(lines) > 1 and exchange in (None, group.exchange):
                self._dissolve(group, min(lines, key=lambda line: line.link.pairs))
                return

    def _dissolve(self, group: Group, line: Connection) -> None:
        lines, driver = self._groups[group], self._drivers[group.exchange]
        lines.remove(line)
        for pair in self._pairs.values():
            topics = [topic for topic, connection in pair.places.items() if connection is line]
            if not topics:
                continue
            self._sink.closed(line.link, topics, "moves to another socket: this one makes room", 0.0)
            for topic in topics:
                line.drop(topic)
                pair.places[topic] = self._with_room(driver, group, topic.symbol) or line  # there is room
                pair.places[topic].want(topic)
        lines.append(line)
        self._stop_empty()

    def _free(self, driver: Driver, instrument: Instrument) -> tuple[int, int, str]:
        """Connections that may still be opened, out of how many, and who says so where it is the exchange.

        Those that are being closed count until they are.
        """
        lines = [line for connections in self._groups.values() for line in connections] + list(self._closing.values())
        ours = self._max_connections - len(lines)
        most = driver.limits(instrument.market_type).connections
        if most is None:
            return ours, self._max_connections, ""
        theirs = most - sum(line.link.exchange == instrument.exchange for line in lines)
        return (ours, self._max_connections, "") if ours <= theirs else (theirs, most, f" to {instrument.exchange}")

    def _connect(self, driver: Driver, group: Group) -> Connection:
        number = self._numbers[group] = self._numbers.get(group, 0) + 1
        connection = Connection(
            Link(exchange=group.exchange, market_type=group.market_type, category=group.category, number=number),
            driver=driver,
            sink=self._sink,
            addresses=self._addresses,
            gate=self._gates[group.exchange],
            timing=self._timing,
            turns=self.turns,
            clock=self._clock,
            rng=self._rng,
            fetch=self._fetch,
            on_refused=self._on_refused,
            on_silent=self._on_silent,
        )
        self._groups.setdefault(group, []).append(connection)
        if self._tasks is not None:
            self._start(self._tasks, connection)
        return connection

    def _start(self, tasks: asyncio.TaskGroup, connection: Connection) -> None:
        self._running[connection] = tasks.create_task(connection.run(), name=connection.link.id)

    def _stop_empty(self) -> None:
        """A socket whose last topic went is closed."""
        for connections in self._groups.values():
            for connection in [line for line in connections if not line.link.pairs]:
                connections.remove(connection)
                task = self._running.pop(connection, None)
                if task is not None:
                    self._closing[task] = connection
                    task.add_done_callback(self._closing.pop)
                    task.cancel()

    def _on_refused(self, connection: Connection, topic: Topic, for_s: float) -> None:
        """Without its book a pair is no use; without its trades it runs on."""
        link = connection.link
        key = self._keys.get((link.exchange, link.market_type, topic.symbol))
        if key is None:
            return
        self._refused[key, topic] = time.monotonic() + for_s
        self._pairs[key].places.pop(topic, None)
        if topic.kind is TopicKind.BOOK:
            self._remove(key)
        self._stop_empty()

    def _on_silent(self, connection: Connection, topic: Topic) -> None:
        link = connection.link
        key = self._keys.get((link.exchange, link.market_type, topic.symbol))
        if key is not None:
            self._sink.waiting(self._pairs[key].subscription, "subscribed twice, and no data came")

    def _ask_again(self, now: float) -> None:
        """What was refused is worth another question after a while; books are asked for by the next `apply`."""
        for (key, topic), until in list(self._refused.items()):
            if until > now:
                continue
            del self._refused[key, topic]
            pair = self._pairs.get(key)
            if pair is not None and topic.kind is TopicKind.TRADES:
                places = self._place(pair.subscription.instrument, [topic])
                if isinstance(places, str):
                    self._refused[key, topic] = now + self._timing.refused_s
                else:
                    pair.places.update(places)


def _connect_rate(driver: Driver) -> Rate:
    """Addresses are counted over both markets: the stricter rate holds."""
    return min((driver.limits(market).connects for market in MarketType), key=lambda rate: rate.count / rate.per_s)
