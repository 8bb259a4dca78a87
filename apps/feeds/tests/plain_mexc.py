"""MEXC by its written rules: spot's binary frames read by field numbers, and books on ranges of versions."""

import asyncio
from collections import defaultdict
from typing import Any

from websockets.asyncio.client import ClientConnection

from apps.feeds.tests.plain_client import WAIT_S, Book, GapError, Row

# Field numbers of the wrapper, and of what it holds.
CHANNEL, SYMBOL, SEND_TIME = 1, 3, 6
LIMIT_DEPTHS, AGGRE_DEPTHS, AGGRE_DEALS, AGGRE_TICKER = 303, 313, 314, 315
ASKS, BIDS, FROM_VERSION, TO_VERSION, LIMIT_VERSION = 1, 2, 4, 5, 4
Fields = dict[int, list[Any]]


def fields(body: bytes) -> Fields:
    """Values by field number in the order of the wire: whole numbers, or bytes not yet read."""
    found: Fields = defaultdict(list)
    at = 0
    while at < len(body):
        tag, at = _number(body, at)
        value, at = _number(body, at)
        if tag & 7 == 2:
            assert at + value <= len(body), "cut off"
            found[tag >> 3].append(body[at : at + value])
            at += value
        else:
            assert tag & 7 == 0, f"kind {tag & 7}"
            found[tag >> 3].append(value)
    return found


def _number(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (body[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if body[at - 1] < 0x80:
            return value, at


def rows(items: list[bytes]) -> list[Row]:
    """Price and quantity of each level."""
    levels = [fields(item) for item in items]
    return [(level[1][0].decode(), level[2][0].decode()) for level in levels]


async def push(connection: ClientConnection, kind: int) -> Fields:
    """The body of the next frame that holds such a one; all else is passed over."""
    async with asyncio.timeout(WAIT_S):
        while True:
            frame = await connection.recv()
            if isinstance(frame, bytes) and kind in (wrapper := fields(frame)):
                return fields(wrapper[kind][0])


class RangeBook(Book):
    """Pushes that each cover a range of versions, on a REST book."""

    def __init__(self) -> None:
        super().__init__()
        self.seq: int | None = None
        self.anchored = False  # a push has joined the snapshot
        self.held: list[tuple[int, int, list[Row], list[Row]]] = []

    def snapshot(self, version: int, bids: list[Row], asks: list[Row]) -> bool:
        """Start from the REST book; False when it is older than the pushes that were kept."""
        pushes = [push for push in self.held if push[1] > version]
        if pushes and pushes[0][0] > version + 1:
            return False
        self.load(bids, asks)
        self.seq, self.anchored = version, False
        for push in pushes:
            self.push(*push)
        return True

    def push(self, first: int, last: int, bids: list[Row], asks: list[Row]) -> None:
        if self.seq is None:
            self.held.append((first, last, bids, asks))
        elif last > self.seq:
            if first != self.seq + 1 and (self.anchored or first > self.seq + 1):
                raise GapError(f"had {self.seq}, got {first}..{last}")
            self.change(bids, asks)
            self.seq, self.anchored = last, True

    def spot(self, body: Fields) -> None:
        versions = int(body[FROM_VERSION][0]), int(body[TO_VERSION][0])
        self.push(*versions, rows(body[BIDS]), rows(body[ASKS]))

    def futures(self, data: dict[str, Any]) -> None:
        assert data["version"] == data["end"]
        self.push(data["begin"], data["end"], data["bids"], data["asks"])
