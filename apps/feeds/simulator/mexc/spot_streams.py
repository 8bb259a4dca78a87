"""MEXC's public spot channels: binary frames of Protocol Buffers, named like the topic."""

from typing import Any

from apps.feeds.simulator.market import Market, Row, Trade
from apps.feeds.simulator.mexc.listings import places
from apps.feeds.simulator.mexc.protobuf import WRAPPER, encode
from apps.feeds.simulator.sockets import binary_frame
from apps.feeds.simulator.streams import FollowingStream, Message, NumberedStream, Stream, TradeStream
from apps.feeds.simulator.window import Changes

SPEEDS = {"100ms": 0.1, "10ms": 0.01}
DEPTHS = ("5", "10", "20")
LIMIT_PERIOD_S = 0.1
TRADE_POLL_S = 0.5
BARE_CHANCE = 1 / 500  # of a frame without a body before a push
SIDES = ("asks", "bids")  # in this order on the wire


def make(market: Market, name: str) -> Stream | None:
    """`name` is `spot@public.KIND.v3.api.pb@...`; None when there is no such channel."""
    kind, *rest = name.split("@")[1:]
    if kind == "public.limit.depth.v3.api.pb" and len(rest) == 2 and rest[1] in DEPTHS:
        return Limit(name, market, int(rest[1]))
    if len(rest) != 2 or rest[0] not in SPEEDS:
        return None
    speed = SPEEDS[rest[0]]
    if kind == "public.aggre.depth.v3.api.pb":
        return Diff(name, market, speed)
    if kind == "public.aggre.bookTicker.v3.api.pb":
        return Best(name, market, speed)
    return Deals(name, market, TRADE_POLL_S) if kind == "public.aggre.deals.v3.api.pb" else None


def symbol_of(name: str) -> str:
    """The part of a topic that names the symbol."""
    parts = name.split("@")
    return parts[2] if ".limit." in name and len(parts) > 2 else parts[-1]


def padded(rows: list[Row], market: Market) -> list[Row]:
    """Digits to the full width, as REST and whole books write them; pushes of changes trim them."""
    price, size = places(market.listing.price.step), places(market.listing.size.step)
    return [(_pad(str(row[0]), price), _pad(str(row[1]), size)) for row in rows]


def _pad(text: str, width: int) -> str:
    whole, _, part = text.partition(".")
    return f"{whole}.{part.ljust(width, '0')}" if width else whole


class Binary(Stream):
    """The payload is a dict of the wrapper's fields; levels in it are rows like everywhere."""

    def body(self, message: Message) -> bytes:
        return encode(_with_items(message.payload), WRAPPER)

    def broken(self, message: Message, *, cut: bool) -> bytes:
        """Cut off inside its last field, or with a tag that no field may have."""
        body = self.body(message)
        return body[:-1] if cut else b"\x00" + body

    def frame(self, body: bytes) -> bytes:
        return binary_frame(body)

    def wrapper(self, ms: int, **body: Any) -> dict[str, Any]:
        return {"channel": self.name, "symbol": self.market.listing.symbol, "sendTime": ms, **body}

    @property
    def event_type(self) -> str:
        return self.name.removesuffix(f"@{self.market.listing.symbol}")


def _with_items(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload with a message for each level."""
    return {name: _items(value) if isinstance(value, dict) else value for name, value in payload.items()}


def _items(body: dict[str, Any]) -> dict[str, Any]:
    return body | {
        side: [{"price": row[0], "quantity": row[1]} for row in body[side]] for side in SIDES if side in body
    }


class Diff(Binary, FollowingStream):
    """Every changed level; versions join without a hole."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        self.changes: Changes = Changes(market)

    def next(self, ms: int) -> Message | None:
        if not self.changes:
            return None
        if self.market.rng.random() < BARE_CHANCE:
            return Message(self.wrapper(ms), self.last, told=False)
        bids, asks = self.changes.rows()
        before, self.last = self.last, self.market.seq
        versions = {"fromVersion": str(before + 1), "toVersion": str(self.last), "lastOrderCreateTime": ms - 2}
        body = {"asks": asks, "bids": bids, "eventType": self.event_type, **versions}
        return Message(self.wrapper(ms, publicAggreDepths=body), self.last, bids, asks)


class Limit(Binary, NumberedStream):
    """The best N levels, whole, whenever the book has changed."""

    def __init__(self, name: str, market: Market, depth: int) -> None:
        super().__init__(name, market, LIMIT_PERIOD_S)
        self.depth = depth

    def welcome(self, ms: int) -> Message | None:
        self.last = self.market.seq
        bids = padded(self.market.bids.top(self.depth), self.market)
        asks = padded(self.market.asks.top(self.depth), self.market)
        event = self.name.partition("@")[0] + "@" + self.name.split("@")[1]
        version = {"version": str(self.last), "lastOrderCreateTime": ms - 2}
        body = {"asks": asks, "bids": bids, "eventType": event, **version}
        return Message(self.wrapper(ms, publicLimitDepths=body), self.last, bids, asks)

    def next(self, ms: int) -> Message | None:
        return None if self.last == self.market.seq else self.welcome(ms)


class Best(Binary, NumberedStream):
    """The best bid and ask, again and again: most of the time nothing is new."""

    def next(self, ms: int) -> Message | None:
        self.last = self.market.seq
        (bid,), (ask,) = self.market.bids.top(1), self.market.asks.top(1)
        body = {"bidPrice": bid[0], "bidQuantity": bid[1], "askPrice": ask[0], "askQuantity": ask[1]}
        body |= {"version": str(self.last), "lastOrderCreateTime": ms - 2}
        return Message(self.wrapper(ms, publicAggreBookTicker=body), self.last)


class Deals(Binary, TradeStream):
    """All matches of one moment; nothing is told again to a new socket."""

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        body = {"deals": [row(self.market, trade) for trade in trades], "eventType": self.event_type}
        return [Message(self.wrapper(ms, publicAggreDeals=body), trades[-1].number, prints=len(trades))]


def row(market: Market, trade: Trade) -> dict[str, Any]:
    number = 731901896000000000 + 2 * trade.number
    return {
        "price": market.listing.price.text(trade.price),
        "quantity": market.listing.size.text(trade.size),
        "tradeType": 1 if trade.side == "buy" else 2,
        "time": trade.ms,
        "tradeId": f"{number}X0_{number + 1}X0",
    }
