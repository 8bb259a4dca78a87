"""A client of the simulator that knows nothing of our drivers: bare sockets, books by the exchanges' written rules."""

import asyncio
import contextlib
import gzip
import math
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from apps.feeds.simulator.server import Simulator

WAIT_S = 120.0
MOMENT_S = 0.02
Row = Sequence[str]


@contextlib.asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Simulator]:
    """A simulator of its own, for a test that wants it otherwise than the fixture."""
    simulator = Simulator(seed=1, **options)
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop()


@contextlib.asynccontextmanager
async def socket(simulator: Simulator, path: str, **options: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket to `HOST/path`, which asks for no life by itself: a machine that is busy is no dead exchange."""
    url = simulator.url.replace("http", "ws") + "/" + path
    async with connect(url, **{"close_timeout": 1, "ping_interval": None, **options}) as connection:
        yield connection


async def send(connection: ClientConnection, message: Any) -> None:
    await connection.send(message if isinstance(message, str) else msgspec.json.encode(message).decode())


def unpacked(data: bytes) -> bytes:
    """What a frame holds, packed with gzip or not."""
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


async def receive(connection: ClientConnection, wanted: Callable[[Any], bool] = lambda message: True) -> Any:
    """The next message that is wanted; others are passed over."""
    async with asyncio.timeout(WAIT_S):
        while True:
            message = msgspec.json.decode(unpacked(await connection.recv(decode=False)))
            if wanted(message):
                return message


async def follow(connection: ClientConnection, take: Callable[[Any], None]) -> None:
    """Take every message until one of them, or the end of the socket, raises."""
    while True:
        take(await receive(connection))


async def heard_within(connection: ClientConnection, seconds: float) -> list[Any]:
    """All JSON that comes in that time; ConnectionClosed when the socket ends in it.

    The simulator lives in the same event loop: time in which the machine let neither of them work does not count.
    """
    messages: list[Any] = []
    reader = asyncio.create_task(_collect(connection, messages))
    try:
        for _ in range(math.ceil(seconds / MOMENT_S)):
            await asyncio.wait({reader}, timeout=MOMENT_S)
            if reader.done():
                await reader
    finally:
        reader.cancel()
        await asyncio.wait({reader})
    return messages


async def _collect(connection: ClientConnection, messages: list[Any]) -> None:
    while True:
        text = await connection.recv(decode=False)
        with contextlib.suppress(msgspec.DecodeError):  # a frame that was broken on purpose
            messages.append(msgspec.json.decode(unpacked(text)))


async def answer(simulator: Simulator, path: str, **query: Any) -> tuple[int, Any, Any]:
    """Status, headers and body of an answer; a body that is not JSON stays text."""
    async with aiohttp.ClientSession() as session, session.get(f"{simulator.url}/{path}", params=query) as response:
        body = await response.read()
        is_json = response.content_type == "application/json"
        return response.status, response.headers, msgspec.json.decode(body) if is_json else body.decode()


async def fetch(simulator: Simulator, path: str, **query: Any) -> Any:
    """The JSON body of an answer whose status is 200."""
    status, _, body = await answer(simulator, path, **query)
    assert status == 200, body
    return body


async def breaches(simulator: Simulator, exchange: str) -> Any:
    return (await fetch(simulator, "_sim/state"))["breaches"].get(exchange, {})


async def order(simulator: Simulator, op: str, **fields: Any) -> None:
    """Ask for a fault."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/_sim/fault", json={"op": op, **fields}) as response,
    ):
        assert response.status == 200, await response.text()


async def truth(simulator: Simulator, exchange: str, market_type: str, symbol: str, depth: int = 0) -> Any:
    return await fetch(
        simulator, "_sim/book", exchange=exchange, market_type=market_type, symbol=symbol, depth=str(depth)
    )


class Book:
    """Levels by price, as decimals."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}

    def load(self, bids: Sequence[Row], asks: Sequence[Row]) -> None:
        self.bids.clear()
        self.asks.clear()
        self.change(bids, asks)

    def change(self, bids: Sequence[Row], asks: Sequence[Row]) -> None:
        for side, rows in ((self.bids, bids), (self.asks, asks)):
            for row in rows:
                price, size = Decimal(row[0]), Decimal(row[1])
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)

    def view(self, depth: int = 0) -> tuple[list[list[float]], list[list[float]]]:
        bids = [[float(price), float(self.bids[price])] for price in sorted(self.bids, reverse=True)]
        asks = [[float(price), float(self.asks[price])] for price in sorted(self.asks)]
        return bids[: depth or None], asks[: depth or None]


class GapError(Exception):
    """A message does not continue the one before."""


class BinanceBook(Book):
    """Diffs on a REST snapshot: events are kept until it is there. Spot joins by U, futures by pu."""

    def __init__(self, *, futures: bool) -> None:
        super().__init__()
        self.futures = futures
        self.seq: int | None = None
        self.held: list[dict[str, Any]] = []
        self.last = 0  # of the snapshot
        self.anchored = False  # an event has joined the snapshot

    def snapshot(self, body: dict[str, Any]) -> bool:
        """Start from the REST book; False when it is older than the events that were kept."""
        self.last = body["lastUpdateId"]
        events = [event for event in self.held if not self._is_old(event)]
        if events and not self._anchors(events[0], self.last):
            return False
        self.load(body["bids"], body["asks"])
        self.seq, self.anchored = self.last, False
        for event in events:
            self.event(event)
        return True

    def event(self, event: dict[str, Any]) -> None:
        if self.seq is None:
            self.held.append(event)
            return
        if not self.anchored and self._is_old(event):
            return
        follows = event["pu"] == self.seq if self.futures else event["U"] == self.seq + 1
        if not (follows or (not self.anchored and self._anchors(event, self.seq))):
            raise GapError(f"had {self.seq}, got {event['U']}..{event['u']}")
        self.seq, self.anchored = event["u"], True
        self.change(event["b"], event["a"])

    def _is_old(self, event: dict[str, Any]) -> bool:
        return bool(event["u"] < self.last if self.futures else event["u"] <= self.last)

    def _anchors(self, event: dict[str, Any], last: int) -> bool:
        if self.futures:
            return event["U"] <= last <= event["u"] or event["pu"] == last
        return event["U"] <= last + 1 <= event["u"]


class BybitBook(Book):
    """Snapshot, then deltas whose `u` rises by one; `u` 1 is a new beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.seq: int | None = None

    def event(self, message: dict[str, Any]) -> None:
        data = message["data"]
        if message["type"] == "snapshot" or data["u"] == 1:
            self.load(data["b"], data["a"])
        elif self.seq is None:
            return
        elif data["u"] != self.seq + 1:
            raise GapError(f"had {self.seq}, got {data['u']}")
        else:
            self.change(data["b"], data["a"])
        self.seq = data["u"]


class OkxBook(Book):
    """Snapshot, then updates that name the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.seq: int | None = None

    def event(self, message: dict[str, Any]) -> None:
        for row in message["data"]:
            if message["action"] == "snapshot":
                self.load(row["bids"], row["asks"])
            elif self.seq is None:
                continue
            elif row["prevSeqId"] != self.seq:
                raise GapError(f"had {self.seq}, got {row['prevSeqId']}")
            else:
                self.change(row["bids"], row["asks"])
            self.seq = row["seqId"]
