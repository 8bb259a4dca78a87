"""CoinEx as its documentation says it is to be used: subscribing, and books by the written rules."""

import zlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from websockets.asyncio.client import ClientConnection

from apps.feeds.tests.plain_client import GapError, receive, send

SOCKETS = {"spot": "socket.coinex.com/v2/spot", "futures": "socket.coinex.com/v2/futures"}
REST = "api.coinex.com/v2"


def subscribe(channel: str, *rows: Any, verb: str = "subscribe", number: int = 1) -> dict[str, Any]:
    return {"method": f"{channel}.{verb}", "params": {"market_list": list(rows)}, "id": number}


async def ask(connection: ClientConnection, frame: dict[str, Any]) -> Any:
    """Send a command and give its answer."""
    await send(connection, frame)
    return await receive(connection, lambda message: message.get("id") == frame["id"])


def is_depth(message: dict[str, Any]) -> bool:
    return message.get("method") == "depth.update"


def checksum(*sides: Sequence[Sequence[str]]) -> int:
    return zlib.crc32(":".join(f"{price}:{amount}" for side in sides for price, amount in side).encode())


class CoinexBook:
    """A whole book, then changes; sides are cut to the limit, and only the checksum tells that nothing was lost."""

    seq = None  # nothing numbers a book here

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bids: list[list[str]] = []
        self.asks: list[list[str]] = []
        self.whole = 0  # complete books that came
        self.changes = 0

    def event(self, message: dict[str, Any]) -> None:
        data = message["data"]
        depth = data["depth"]
        if data["is_full"]:
            self.bids, self.asks = [], []
            self.whole += 1
        elif not self.whole:
            return
        else:
            self.changes += 1
        self.bids = self._side(self.bids, depth.get("bids", []), falling=True)
        self.asks = self._side(self.asks, depth.get("asks", []), falling=False)
        if checksum(self.bids, self.asks) != depth["checksum"]:
            raise GapError(f"checksum {depth['checksum']}")

    def _side(self, levels: list[list[str]], rows: Sequence[Sequence[str]], *, falling: bool) -> list[list[str]]:
        side = {Decimal(price): [price, amount] for price, amount in levels}
        for price, amount in rows:
            side.pop(Decimal(price), None)
            if Decimal(amount):
                side[Decimal(price)] = [price, amount]
        return [side[price] for price in sorted(side, reverse=falling)][: self.limit]

    def view(self) -> tuple[list[list[float]], list[list[float]]]:
        bids, asks = ([[float(cell) for cell in level] for level in side] for side in (self.bids, self.asks))
        return bids, asks
