"""A small exchange of our own for the transport's tests: its driver, its server on loopback, and a sink that notes all.

The server does what a test tells it to; unless told otherwise it acknowledges every command and starts each
subscribed book with a snapshot.
"""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from msgspec.structs import replace
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.http11 import Response

from apps.feeds.drivers.base import (
    Ack,
    Catalogue,
    Closing,
    Command,
    Event,
    Frame,
    Heartbeat,
    Ignored,
    Limits,
    Ping,
    Pong,
    Rate,
    Request,
    Topic,
    TopicKind,
    Welcome,
)
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookKey, BookSnapshot, Instrument, MarketType, PublicTrade, Side
from apps.feeds.subscriptions import Subscription
from apps.feeds.tests.waiting import end
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.dial import Fetch
from apps.feeds.transport.link import Link, MarketData
from apps.feeds.transport.pool import Pool
from apps.feeds.transport.timing import Timing

PATIENCE_S = 120.0  # of a test for something that must happen

FAST = Timing(  # to act, and patient with others: what a machine does late costs nothing that a test has not asked for
    open_s=PATIENCE_S,
    close_s=0.2,
    check_s=0.02,
    ack_s=PATIENCE_S,
    first_data_s=PATIENCE_S,
    quiet_s=PATIENCE_S,
    idle_s=PATIENCE_S,
    backoff_first_s=0.01,
    backoff_most_s=0.05,
    handover_s=PATIENCE_S,
    refused_s=PATIENCE_S,
)
LIMITS = Limits(
    pairs_per_connection=100,
    topics_per_frame=10,
    commands=Rate(1000, 1.0),
    connects=Rate(1000, 1.0),
    rest_weight=Rate(1000, 1.0),
)
BEAT = Heartbeat(send='{"op":"ping"}', every_s=PATIENCE_S, answer_s=PATIENCE_S)


class Watched:
    """Lets tests wait for what a predicate says, instead of sleeping."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def note(self) -> None:
        self._changed.set()

    async def until(self, holds: Callable[[], Any], seconds: float | None = None) -> None:
        async with asyncio.timeout(seconds or PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


@dataclass
class ToyDriver:
    """Frames are JSON objects; a topic is called `book.20.AAA` or `trades.AAA`."""

    url: str = "wss://stream.toy.test/ws"
    rest: str = "https://rest.toy.test"
    rules: Limits = LIMITS
    beat: Heartbeat = BEAT
    trades_apart: bool = False
    tokens: bool = False
    exchange_id: str = "toy"
    name: str = "Toy"

    def limits(self, market_type: MarketType) -> Limits:
        return self.rules

    def heartbeat(self, market_type: MarketType) -> Heartbeat:
        return self.beat

    def depths(self, market_type: MarketType) -> Sequence[int]:
        return (20, 50, 0)

    def category(self, market_type: MarketType, topic: Topic) -> str:
        return "market" if self.trades_apart and topic.kind is TopicKind.TRADES else "public"

    def token_request(self, market_type: MarketType, category: str) -> Request | None:
        return Request(method="POST", url=f"{self.rest}/token") if self.tokens else None

    def ws_endpoint(self, market_type: MarketType, category: str, token: bytes | None = None) -> str:
        if token is None:
            return f"{self.url}/{category}"
        if not token.isdigit():
            raise MalformedFrame("not a token")
        return f"{self.url}/{category}?token={token.decode()}"

    def stream(self, market_type: MarketType, topic: Topic) -> str:
        return f"book.{topic.depth}.{topic.symbol}" if topic.kind is TopicKind.BOOK else f"trades.{topic.symbol}"

    def subscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return self._commands("subscribe", topics, first_id)

    def unsubscribe(self, market_type: MarketType, topics: Sequence[Topic], first_id: int) -> list[Command]:
        return self._commands("unsubscribe", topics, first_id)

    def _commands(self, op: str, topics: Sequence[Topic], first_id: int) -> list[Command]:
        size = self.rules.topics_per_frame
        batches = [topics[at : at + size] for at in range(0, len(topics), size)]
        return [
            Command(
                frame=json.dumps(
                    {"op": op, "id": str(number), "topics": [self.stream(MarketType.SPOT, topic) for topic in batch]}
                ),
                request_id=str(number),
                topics=tuple(batch),
            )
            for number, batch in enumerate(batches, first_id)
        ]

    def parse(self, market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
        try:
            message = json.loads(frame)
            return [self._event(message, received_ns)]
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedFrame(str(error)) from error

    def _event(self, message: dict[str, Any], received_ns: int) -> Event:
        if "seq" in message:
            kind = BookSnapshot if message.get("snapshot") else BookDelta
            book = kind(symbol=message["book"], seq=message["seq"], bids=[], asks=[], received_ns=received_ns)
            return replace(book, from_rest=True) if message.get("asked") else book
        if "trade" in message:
            return trade(message["trade"], message["id"], received_ns)
        if message.get("op") == "welcome":
            return Welcome()
        if "ok" in message:
            return Ack(
                ok=message["ok"],
                request_id=message.get("id"),
                topics=tuple(message.get("topics", ())),
                code=message.get("code", ""),
                whole_frame=message.get("whole_frame", False),
            )
        events = {"ping": Ping('{"op":"pong"}'), "pong": Pong(), "closing": Closing("upgrade"), "nothing": Ignored()}
        return events[message["op"]]

    def snapshot_request(self, market_type: MarketType, symbol: str, depth: int) -> Request:
        return Request(method="GET", url=f"{self.rest}/book?symbol={symbol}")

    def snapshot_command(self, market_type: MarketType, topic: Topic, number: int) -> Frame | None:
        return json.dumps({"op": "snapshot", "id": str(number), "book": topic.symbol})

    def instruments_request(self, market_type: MarketType) -> Request:
        return Request(method="GET", url=f"{self.rest}/instruments?page=1")

    def parse_instruments(self, market_type: MarketType, body: bytes) -> Catalogue:
        page = json.loads(body)
        following = page.get("next")
        return Catalogue(
            instruments=[instrument(symbol) for symbol in page["symbols"]],
            next_request=following and Request(method="GET", url=f"{self.rest}/instruments?page={following}"),
        )

    def volumes_request(self, market_type: MarketType) -> Request:
        return Request(method="GET", url=f"{self.rest}/volumes")

    def parse_volumes(self, market_type: MarketType, body: bytes) -> dict[str, float]:
        return json.loads(body)

    def retry_after(self, status: int, headers: dict[str, str], body: bytes) -> float | None:
        return float(headers["Retry-After"]) if status in (418, 429) else None


class CountingConnection(ServerConnection):
    pings = 0

    def process_event(self, event: Any) -> None:
        self.pings += isinstance(event, WireFrame) and event.opcode is Opcode.PING
        super().process_event(event)


class Peer:
    """One socket as the server sees it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.commands: list[dict[str, Any]] = []
        self.topics: set[str] = set()
        self.open = True
        self.opened = asyncio.get_running_loop().time()

    async def send(self, **message: Any) -> None:
        await self.raw(json.dumps(message))

    async def raw(self, frame: Frame) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(frame)

    async def hang_up(self) -> None:
        self.socket.transport.abort()

    @property
    def pings(self) -> int:
        """Protocol pings that came."""
        assert isinstance(self.socket, CountingConnection)
        return self.socket.pings

    def carry(self, command: dict[str, Any]) -> None:
        """Do what a command says."""
        if command["op"] == "subscribe":
            self.topics.update(command["topics"])
        elif command["op"] == "unsubscribe":
            self.topics.difference_update(command["topics"])

    def ops(self, op: str) -> list[list[str]]:
        """Topics of each command of one kind."""
        return [command["topics"] for command in self.commands if command["op"] == op]


async def obey(peer: Peer, command: dict[str, Any]) -> None:
    """Carry out and acknowledge; a subscribed book starts with a snapshot."""
    if command["op"] == "ping":
        await peer.send(op="pong")
    if "topics" not in command:
        return
    peer.carry(command)
    await peer.send(ok=True, id=command["id"])
    for name in command["topics"]:
        if command["op"] == "subscribe" and name.startswith("book."):
            await peer.send(book=name.rpartition(".")[2], seq=1, snapshot=True)


class ToyServer(Watched):
    def __init__(self) -> None:
        super().__init__()
        self.peers: list[Peer] = []
        self.answer: Callable[[Peer, dict[str, Any]], Awaitable[None]] = obey
        self.heard: Callable[[type], None] = lambda kind: None  # the kind of each frame that came
        self.full: HTTPStatus | None = None  # turn new sockets away with this answer
        self.turned_away: list[float] = []  # when
        self.url = ""

    def enter(self, socket: ServerConnection, request: object) -> Response | None:
        if self.full is None:
            return None
        self.turned_away.append(self.now())
        self.note()
        answer = socket.respond(self.full, "full")
        answer.headers["Retry-After"] = "0.4"
        return answer

    async def serve(self, socket: ServerConnection) -> None:
        peer = Peer(socket)
        self.peers.append(peer)
        self.note()
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                self.heard(type(text))
                command = json.loads(text)
                peer.commands.append(command)
                self.note()
                await self.answer(peer, command)
                self.note()
        peer.open = False
        self.note()

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    @staticmethod
    async def pause() -> None:
        """Let the other side read what was sent."""
        await asyncio.sleep(0.001)

    @property
    def open_peers(self) -> list[Peer]:
        return [peer for peer in self.peers if peer.open]


@contextlib.asynccontextmanager
async def toy_server() -> AsyncIterator[ToyServer]:
    toy = ToyServer()
    server: Server
    async with serve(
        toy.serve,
        "127.0.0.1",
        0,
        compression=None,
        max_size=None,
        ping_interval=None,
        close_timeout=0.2,
        create_connection=CountingConnection,
        process_request=toy.enter,
    ) as server:
        toy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield toy


@dataclass
class Notes(Watched):
    """A sink that remembers everything."""

    opened_links: list[Link] = field(default_factory=list)
    losses: list[tuple[Link, list[Topic], str, float]] = field(default_factory=list)
    data: list[MarketData] = field(default_factory=list)
    bad_frames: list[Frame] = field(default_factory=list)
    asked_topics: list[Topic] = field(default_factory=list)
    acknowledged_topics: list[Topic] = field(default_factory=list)
    refusals: list[tuple[Topic, str]] = field(default_factory=list)
    waits: list[tuple[BookKey, str]] = field(default_factory=list)
    story: list[str] = field(default_factory=list)  # the names of all calls in order, events by their symbol

    def __post_init__(self) -> None:
        super().__init__()

    def opened(self, link: Link) -> None:
        self.opened_links.append(link)
        self._tell("opened")

    def closed(self, link: Link, topics: Collection[Topic], reason: str, retry_in_s: float) -> None:
        self.losses.append((link, list(topics), reason, retry_in_s))
        self._tell("closed")

    def events(self, link: Link, events: list[MarketData]) -> None:
        self.data += events
        self._tell(*(event.symbol for event in events))

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self.bad_frames.append(frame)
        self._tell("malformed")

    def asked(self, link: Link, topic: Topic) -> None:
        self.asked_topics.append(topic)
        self._tell("asked")

    def acknowledged(self, link: Link, topic: Topic) -> None:
        self.acknowledged_topics.append(topic)
        self._tell("acknowledged")

    def refused(self, link: Link, topic: Topic, code: str, text: str) -> None:
        self.refusals.append((topic, code))
        self._tell("refused")

    def waiting(self, subscription: Subscription, reason: str) -> None:
        self.waits.append((subscription.key, reason))
        self._tell("waiting")

    def seqs(self, symbol: str) -> list[int | None]:
        """Of all book events of a symbol, in the order they came."""
        return [event.seq for event in self.data if event.symbol == symbol and not isinstance(event, PublicTrade)]

    def trades(self, symbol: str) -> list[str]:
        return [event.trade_id for event in self.data if event.symbol == symbol and isinstance(event, PublicTrade)]

    def _tell(self, *names: str) -> None:
        self.story += names
        self.note()


@contextlib.asynccontextmanager
async def running(pool: Pool) -> AsyncIterator[Pool]:
    """The pool at work; it is stopped, all sockets closed, when the block ends."""
    task = asyncio.create_task(pool.run())
    try:
        yield pool
    finally:
        await end(task)


def pool_on(
    server: ToyServer,
    sink: Notes,
    *,
    driver: ToyDriver | None = None,
    timing: Timing = FAST,
    rng: random.Random | None = None,
    pairs_per_connection: int = 40,
    max_connections: int = 20,
    fetch: Fetch | None = None,
) -> Pool:
    return Pool(
        drivers={"toy": driver or ToyDriver()},
        sink=sink,
        addresses=Addresses(server.url),
        fetch=fetch or _nothing_to_fetch,
        timing=timing,
        rng=rng,
        pairs_per_connection=pairs_per_connection,
        max_connections=max_connections,
    )


async def _nothing_to_fetch(exchange: str, request: Request) -> bytes:
    raise AssertionError(f"nobody asked {exchange} for {request.url}")


def instrument(symbol: str) -> Instrument:
    return Instrument(
        exchange="toy",
        market_type=MarketType.SPOT,
        pair=f"{symbol}/USDT",
        symbol=symbol,
        base=symbol,
        quote="USDT",
        settle="USDT",
        tick=Decimal("0.01"),
        lot=Decimal("0.01"),
    )


def subscription(symbol: str, depth: int = 20) -> Subscription:
    return Subscription(instrument=instrument(symbol), depth=depth)


def key(symbol: str) -> BookKey:
    return instrument(symbol).key


def trade(symbol: str, trade_id: str, received_ns: int = 0) -> PublicTrade:
    return PublicTrade(
        symbol=symbol,
        trade_id=trade_id,
        side=Side.BUY,
        price=1.0,
        amount=1.0,
        exchange_ms=0,
        received_ns=received_ns,
    )
