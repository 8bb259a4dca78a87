"""What the transport tells its user: one `Link` per line of topics, and the `Sink` that receives everything."""

from collections.abc import Collection
from enum import StrEnum
from typing import Protocol, TypeAlias

from apps.feeds.drivers.base import Frame, Topic
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade
from apps.feeds.subscriptions import Subscription

MarketData: TypeAlias = BookSnapshot | BookDelta | PublicTrade


class LinkState(StrEnum):
    CONNECTING = "CONNECTING"
    OPEN = "OPEN"
    BACKOFF = "BACKOFF"  # lost or not reached, waiting for the next attempt
    CLOSED = "CLOSED"  # for good: nothing is left to hold, or the pool stops


class Link:
    """Name and counters of one connection; it stays the same object over all reconnects and replacements."""

    __slots__ = (
        "bytes",
        "category",
        "exchange",
        "frames",
        "id",
        "late_s",
        "malformed",
        "market_type",
        "opened_ns",
        "pairs",
        "reconnects",
        "state",
        "stray",
    )

    def __init__(self, *, exchange: str, market_type: MarketType, category: str, number: int) -> None:
        self.id = f"{exchange}:{market_type}:{category}:{number}"
        self.exchange = exchange
        self.market_type = market_type
        self.category = category
        self.state = LinkState.CONNECTING
        self.pairs = 0
        self.frames = 0
        self.bytes = 0
        self.malformed = 0
        self.stray = 0  # events of what is not, or no longer, subscribed
        self.late_s = 0.0  # how long the newest frame that was handled had been waiting for us
        self.reconnects = 0
        self.opened_ns = 0


class Sink(Protocol):
    """Called from the read loops, so no call may block."""

    def opened(self, link: Link) -> None: ...

    def closed(self, link: Link, topics: Collection[Topic], reason: str, retry_in_s: float) -> None:
        """Nothing more comes of these topics until `opened`; said again for each failed attempt to reconnect."""
        ...

    def events(self, link: Link, events: list[MarketData]) -> None:
        """Market data of subscribed topics, in wire order."""
        ...

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None: ...

    def asked(self, link: Link, topic: Topic) -> None:
        """The subscribe frame was really sent; said again before the first data of a pair that was `waiting` for it."""
        ...

    def acknowledged(self, link: Link, topic: Topic) -> None: ...

    def refused(self, link: Link, topic: Topic, code: str, text: str) -> None: ...

    def waiting(self, subscription: Subscription, reason: str) -> None:
        """The pair does not run: no room for it, or the exchange sends nothing."""
        ...
