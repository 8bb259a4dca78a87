"""KuCoin as its documentation says it is to be used: connecting, subscribing, and books by the written rules."""

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import Book, GapError, receive, send, socket

UNIFIED = {"spot": "x-push-spot.kucoin.com", "futures": "x-push-futures.kucoin.com"}
CLASSIC = {"spot": "ws-api-spot.kucoin.com/", "futures": "ws-api-futures.kucoin.com/"}
REST = {"spot": "api.kucoin.com", "futures": "api-futures.kucoin.com"}


async def bullet(simulator: Simulator, market_type: str) -> Any:
    """Data of the answer to the request for a token."""
    url = f"{simulator.url}/{REST[market_type]}/api/v1/bullet-public"
    async with aiohttp.ClientSession() as session, session.post(url) as response:
        return (await response.json())["data"]


@contextlib.asynccontextmanager
async def unified(simulator: Simulator, market_type: str) -> AsyncIterator[ClientConnection]:
    async with socket(simulator, UNIFIED[market_type]) as connection:
        assert (await receive(connection))["message"] == "welcome"
        yield connection


@contextlib.asynccontextmanager
async def classic(simulator: Simulator, market_type: str) -> AsyncIterator[ClientConnection]:
    token = (await bullet(simulator, market_type))["token"]
    async with socket(simulator, f"{CLASSIC[market_type]}?token={token}&connectId=me") as connection:
        assert await receive(connection) == {"id": "me", "type": "welcome"}
        yield connection


def subscribe(market_type: str, symbol: str, depth: str = "increment@10ms", number: str = "p1") -> dict[str, Any]:
    """The unified form for a book."""
    frame = {"id": number, "action": "SUBSCRIBE", "channel": "obu", "tradeType": market_type.upper()}
    return {**frame, "symbol": symbol, "depth": depth, "rpiFilter": 0}


def topic(name: str, kind: str = "subscribe", number: str = "1") -> dict[str, Any]:
    """The classic form."""
    return {"id": number, "type": kind, "topic": name, "privateChannel": False, "response": True}


async def ask(connection: ClientConnection, frame: dict[str, Any]) -> Any:
    """Send a command and give its answer."""
    await send(connection, frame)
    return await receive(connection, lambda message: message.get("id") == frame["id"])


class UnifiedBook(Book):
    """A snapshot frame, then deltas; those before it are dropped. At most 500 levels a side."""

    def __init__(self) -> None:
        super().__init__()
        self.seq: int | None = None
        self.early = 0  # deltas that came before the snapshot

    def event(self, message: dict[str, Any]) -> None:
        data = message["d"]
        if message["t"] == "snapshot":
            self.load(data["b"], data["a"])
        elif self.seq is None:
            self.early += 1
            return
        elif data["C"] <= self.seq:
            return
        elif data["O"] > self.seq + 1:
            raise GapError(f"had {self.seq}, got {data['O']}..{data['C']}")
        else:
            self.change(data["b"], data["a"])
        self.seq = data["C"]


class ClassicBook(Book):
    """Changes on a REST snapshot, each with its own number; frames are kept until the snapshot is there."""

    def __init__(self) -> None:
        super().__init__()
        self.seq: int | None = None
        self.held: list[dict[str, Any]] = []

    def snapshot(self, data: dict[str, Any]) -> bool:
        """Start from the REST book; False when it is older than the frames that were kept."""
        last = int(data["sequence"])
        frames = [frame for frame in self.held if _range(frame)[1] > last]
        if frames and _range(frames[0])[0] > last + 1:
            return False
        self.load([[str(cell) for cell in row] for row in data["bids"]], [[str(c) for c in r] for r in data["asks"]])
        self.seq, self.held = last, []
        for frame in frames:
            self.event(frame)
        return True

    def event(self, message: dict[str, Any]) -> None:
        data = message["data"]
        if self.seq is None:
            self.held.append(data)
            return
        first, last = _range(data)
        if last <= self.seq:
            return
        if first > self.seq + 1:
            raise GapError(f"had {self.seq}, got {first}..{last}")
        for number, side, row in _changes(data):
            if number > self.seq and Decimal(row[0]):
                self.change([row] if side == "bids" else [], [row] if side == "asks" else [])
        self.seq = last


def _range(data: dict[str, Any]) -> tuple[int, int]:
    if "sequence" in data:
        return data["sequence"], data["sequence"]
    return data["sequenceStart"], data["sequenceEnd"]


def _changes(data: dict[str, Any]) -> list[tuple[int, str, list[str]]]:
    """Number, side and level of each change, in the order of numbers."""
    if "change" in data:
        price, side, size = data["change"].split(",")
        return [(data["sequence"], "bids" if side == "buy" else "asks", [price, size])]
    rows = [(int(row[2]), side, row[:2]) for side in ("bids", "asks") for row in data["changes"][side]]
    return sorted(rows, key=lambda row: row[0])
