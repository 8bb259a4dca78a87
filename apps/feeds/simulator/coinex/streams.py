"""CoinEx's market data channels: gzip in binary frames, no numbers, a checksum on every book."""

import zlib
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from apps.feeds.simulator.market import Market, Row, Side, Trade
from apps.feeds.simulator.sockets import gzip_frame
from apps.feeds.simulator.streams import BookStream, Message, Stream, TradeStream
from apps.feeds.simulator.window import Changes

LIMITS = (5, 10, 20, 50)
INTERVALS = {"0", *(f"{Decimal(1).scaleb(power):f}" for power in range(-11, 4))}  # price steps to merge levels by
DEPTH_S = 0.2
BEST_S = 0.01
TRADE_POLL_S = 0.5
GONE = ("0", "0.0", "0.00000000")  # a deleted level is written in any of these ways
BARE_CHANCE = 0.5  # of a side without changes to be left out
Levels = dict[str, str]  # amount by price, best first


def make(market: Market, name: str, whole_s: float) -> Stream | None:
    """The channel of a name: `depth:LIMIT:INTERVAL:FULL:MARKET`, `bbo:MARKET`, `deals:MARKET`."""
    kind, *parameters, _ = name.split(":")
    if kind == "depth":
        limit, interval, full = parameters
        return Depth(name, market, int(limit), Decimal(interval), full == "true", whole_s)
    if kind == "bbo":
        return Best(name, market, BEST_S)
    return Deals(name, market, TRADE_POLL_S) if kind == "deals" else None


def push(method: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"method": method, "data": data, "id": None}


def checksum(bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> int:
    """Of the levels as they are written, bids first, each side best first; unsigned."""
    text = ":".join(f"{price}:{amount}" for side in (bids, asks) for price, amount in side)
    return zlib.crc32(text.encode())


def view(side: Side, limit: int, interval: Decimal) -> Levels:
    """The best levels of a side, merged to the interval if it is coarser than the tick."""
    market_rows = side.top(limit)
    if not interval:
        return {str(price): str(amount) for price, amount in market_rows}
    rounding = ROUND_FLOOR if side.sign < 0 else ROUND_CEILING
    merged: dict[Decimal, Decimal] = {}
    for price, amount in side.top(len(side.keys)):
        step = (Decimal(str(price)) / interval).to_integral_value(rounding) * interval
        if step not in merged and len(merged) == limit:
            break
        merged[step] = merged.get(step, Decimal(0)) + Decimal(str(amount))
    return {_plain(price): _plain(amount) for price, amount in merged.items()}


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def book(market: Market, bids: Levels, asks: Levels, ms: int) -> dict[str, Any]:
    """A whole book as pushes and REST answers carry it."""
    return {
        "asks": list(asks.items()),
        "bids": list(bids.items()),
        "last": last_price(market),
        "updated_at": ms,
        "checksum": checksum(bids.items(), asks.items()),
    }


def last_price(market: Market) -> str:
    listing = market.listing
    if market.trades:
        return listing.price.text(market.trades[-1].price)
    return listing.price.text(round(listing.start_price / float(listing.price.step)))


class Channel(BookStream):
    """`seq` is only a count of the channel's messages: none of them carries a number."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        self._count = 0

    def frame(self, body: bytes) -> bytes:
        return gzip_frame(body)

    @property
    def seq(self) -> int:
        return self._count


class Depth(Channel):
    """The best N levels: whole for whoever comes and about once a minute; else what differs from the last push.

    A level that others pushed off the far end is not deleted: the client has to cut.
    """

    def __init__(self, name: str, market: Market, limit: int, interval: Decimal, full: bool, whole_s: float) -> None:
        super().__init__(name, market, DEPTH_S)
        self.changes: Changes = Changes(market)
        self._limit = limit
        self._interval = interval
        self._full = full
        self._whole_ms = whole_s * 1000
        self._told: tuple[Levels, Levels] = ({}, {})
        self._whole_at: int | None = None  # when all were last told the whole book

    def open(self) -> None:
        super().open()
        self._told, self._whole_at = ({}, {}), None

    def welcome(self, ms: int) -> Message | None:
        self.changes.clear()
        self._told = self._view()
        if self._whole_at is None:
            self._whole_at = ms
        return self._whole(ms)

    def next(self, ms: int) -> Message | None:
        if not self.changes:
            return None
        self.changes.clear()
        before, self._told = self._told, self._view()
        if self._told == before:
            return None
        if self._full or self._is_due(ms):
            return self.again(ms)
        bids, asks = (self._differences(old, new) for old, new in zip(before, self._told, strict=True))
        self._count += 1
        return self._message(False, {**self._side("asks", asks), **self._side("bids", bids), **self._tail(ms)})

    def idle(self, ms: int, quiet_s: float) -> Message | None:
        return self.again(ms) if self._is_due(ms) else None

    def again(self, ms: int) -> Message | None:
        self._told, self._whole_at = self._view(), ms
        self._count += 1
        return self._whole(ms)

    def cross(self, message: Message) -> None:
        """The checksum is that of the book with the crossing bid: only the prices tell that it is wrong."""
        depth, (bids, asks) = message.payload["data"]["depth"], self._told
        crossing = (str(self.crossing()[0]), str(self.crossing()[1]))
        depth["bids"] = [crossing, *depth.get("bids", ())]
        if message.payload["data"]["is_full"]:
            del depth["bids"][self._limit :]
        depth["checksum"] = checksum([crossing, *bids.items()][: self._limit], asks.items())

    def spoil_checksum(self, message: Message) -> None:
        message.payload["data"]["depth"]["checksum"] ^= 1

    def _is_due(self, ms: int) -> bool:
        return self._whole_at is not None and ms - self._whole_at >= self._whole_ms

    def _view(self) -> tuple[Levels, Levels]:
        market = self.market
        return view(market.bids, self._limit, self._interval), view(market.asks, self._limit, self._interval)

    def _differences(self, old: Levels, new: Levels) -> list[Row]:
        """Changed levels, then those gone, but for the ones that only left the far end of a side as long as before."""
        changed: list[Row] = [(price, amount) for price, amount in new.items() if old.get(price) != amount]
        worst = Decimal(list(new)[-1]) if len(new) >= self._limit else None
        falling = new is self._told[0]
        gone = [price for price in old if price not in new]
        gone = [price for price in gone if worst is None or (Decimal(price) > worst) == falling]
        return changed + [(price, self.market.rng.choice(GONE)) for price in gone]

    def _side(self, name: str, rows: list[Row]) -> dict[str, list[Row]]:
        return {} if not rows and self.market.rng.random() < BARE_CHANCE else {name: rows}

    def _tail(self, ms: int) -> dict[str, Any]:
        bids, asks = self._told
        return {
            "last": last_price(self.market),
            "updated_at": ms,
            "checksum": checksum(bids.items(), asks.items()),
        }

    def _whole(self, ms: int) -> Message:
        return self._message(True, book(self.market, *self._told, ms))

    def _message(self, full: bool, depth: dict[str, Any]) -> Message:
        data = {"market": self.market.listing.symbol, "is_full": full, "depth": depth}
        return Message(push("depth.update", data), self._count)


class Best(Channel):
    """The best bid and ask, when they change."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        self._told: tuple[Row, Row] | None = None

    def open(self) -> None:
        super().open()
        self._told = None

    def next(self, ms: int) -> Message | None:
        best = bid, ask = self.market.bids.top(1)[0], self.market.asks.top(1)[0]
        if best == self._told:
            return None
        self._told = best
        self._count += 1
        data = {
            "market": self.market.listing.symbol,
            "updated_at": ms,
            "best_bid_price": bid[0],
            "best_bid_size": bid[1],
            "best_ask_price": ask[0],
            "best_ask_size": ask[1],
        }
        return Message(push("bbo.update", data), self._count)


class Deals(TradeStream):
    """All matches of one moment in one message, newest first."""

    def frame(self, body: bytes) -> bytes:
        return gzip_frame(body)

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        data = {
            "market": self.market.listing.symbol,
            "deal_list": [deal(self.market, trade) for trade in reversed(trades)],
        }
        return [Message(push("deals.update", data), trades[-1].number, prints=len(trades))]


def deal(market: Market, trade: Trade) -> dict[str, Any]:
    listing = market.listing
    return {
        "deal_id": trade.number,
        "created_at": trade.ms,
        "side": trade.side,
        "price": listing.price.text(trade.price),
        "amount": listing.size.text(trade.size),
    }
