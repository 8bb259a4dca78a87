"""Hyperliquid's public channels. A channel is named here `type:coin`, with the variant of a book after its type."""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.listings import Listing, magnitude
from apps.feeds.simulator.market import Market, Row, Side, Trade
from apps.feeds.simulator.recorded import RecordedMarket
from apps.feeds.simulator.streams import BookStream, Message, Stream, TradeStream

BOOK_PERIOD_S = 5.4  # since June 2026; 0.5 before
FAST_PERIOD_S = 0.54
BEST_PERIOD_S = 0.15
BLOCKS_S = 0.5  # matches are told as the blocks come
BOOK_DEPTH, FAST_DEPTH = 20, 5
AGE_MS = 200  # of what is told: the time of its block
REPLAYED = 30  # fills that a new listener to trades gets
Levels = list[dict[str, Any]]


class DelistedMarket(Market):
    """Nobody quotes and nobody trades: its books are told, and are empty."""

    def __init__(self, listing: Listing) -> None:
        super().__init__(listing, rng=random.Random(listing.symbol), write=lambda ticks, lots: (), seq=0)

    def step(self, now: float, ms: int) -> list[Trade]:
        return []


def make(market: Market, name: str, kind: str) -> Stream | None:
    kind, _, variant = kind.partition(".")
    if kind == "trades":
        return Trades(name, market, BLOCKS_S)
    if kind == "bbo":
        return Best(name, market, BEST_PERIOD_S)
    if variant == "fast":
        return Book(name, market, FAST_PERIOD_S, FAST_DEPTH, fast=True)
    if variant:
        return Buckets(name, market, variant)
    return Book(name, market, BOOK_PERIOD_S, BOOK_DEPTH)


def book(market: Market, depth: int, ms: int) -> dict[str, Any]:
    """The best levels of both sides, as channel and REST say them."""
    sides = [levels(side.top(depth)) for side in (market.bids, market.asks)]
    return {"coin": market.listing.symbol, "time": ms, "levels": sides}


def levels(rows: Sequence[Row]) -> Levels:
    return [{"px": row[0], "sz": row[1], "n": row[2]} for row in rows]


class Book(BookStream):
    """The whole book of so many levels, changed or not; one clock for all coins."""

    clocked = True

    def __init__(self, name: str, market: Market, period_s: float, depth: int, *, fast: bool = False) -> None:
        super().__init__(name, market, period_s)
        self.pace = 1 / period_s
        self.depth = depth
        self.last = 0
        self.told: int | None = None  # number of the market in the last frame
        self._fast = fast

    @property
    def seq(self) -> int:
        return self.last

    def welcome(self, ms: int) -> Message | None:
        return self.next(ms)

    def next(self, ms: int) -> Message | None:
        data = self.data(self._time(ms))
        if self._fast:
            data["fast"] = True
        return Message({"channel": "l2Book", "data": data}, self.last, *data["levels"])

    def data(self, ms: int) -> dict[str, Any]:
        return book(self.market, self.depth, ms)

    def cross(self, message: Message) -> None:
        if message.asks:
            message.bids.insert(0, levels([self.crossing()])[0])  # type: ignore[arg-type]

    def _time(self, ms: int) -> int:
        """The time of the block: it never falls, and it rises whenever the book has changed."""
        market = self.market
        if isinstance(market, RecordedMarket):
            self.last = market.seq
        else:
            self.last = max(ms - AGE_MS, self.last + (self.told != market.seq))
        self.told = market.seq
        return self.last


class Buckets(Book):
    """Levels rounded to `digits` significant digits, away from the touch, and added up."""

    def __init__(self, name: str, market: Market, variant: str) -> None:
        """`variant`: the digits, and after a dash the mantissa, if one was asked for."""
        super().__init__(name, market, BOOK_PERIOD_S, BOOK_DEPTH)
        digits, _, mantissa = variant.partition("-")
        listing = market.listing
        step = Decimal(int(mantissa or 1)).scaleb(magnitude(listing.start_price) + 1 - int(digits))
        self._width = max(1, int(step / listing.price.step))

    def data(self, ms: int) -> dict[str, Any]:
        market = self.market
        sides = [self._added(side) for side in (market.bids, market.asks)]
        spread = market.asks.keys[0] + market.bids.keys[0] if market.asks.keys and market.bids.keys else 0
        data = {"coin": market.listing.symbol, "time": ms, "levels": sides}
        return data | {"spread": written(market.listing.price.text(spread))}

    def _added(self, side: Side) -> Levels:
        sums: dict[int, tuple[int, int]] = {}
        for key in side.keys:
            bucket = -(-key // self._width) * self._width  # a key grows away from the touch
            if bucket not in sums and len(sums) == self.depth:
                break
            size, count = sums.get(bucket, (0, 0))
            sums[bucket] = size + side.sizes[key], count + 1
        price, lots = self.market.listing.price, self.market.listing.size
        return [
            {"px": written(price.text(side.sign * bucket)), "sz": written(lots.text(size)), "n": count}
            for bucket, (size, count) in sums.items()
        ]


class Best(BookStream):
    """The best bid and ask, when they change; null for a side that is empty."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        self.last = 0
        self._told: list[dict[str, Any] | None] | None = None

    @property
    def seq(self) -> int:
        return self.last

    def welcome(self, ms: int) -> Message | None:
        self._told = self._best()
        self.last = max(self.last, ms - AGE_MS)
        data = {"coin": self.market.listing.symbol, "time": self.last, "bbo": self._told}
        return Message({"channel": "bbo", "data": data}, self.last)

    def next(self, ms: int) -> Message | None:
        return None if self._best() == self._told else self.welcome(ms)

    def _best(self) -> list[dict[str, Any] | None]:
        return [next(iter(levels(side.top(1))), None) for side in (self.market.bids, self.market.asks)]


class Trades(TradeStream):
    """The matches of a block in one frame. Whoever comes gets the latest fills again."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        # A book every five seconds is too rare for a market to trade by; a recording keeps to its own frames.
        self.moves = not isinstance(market, RecordedMarket)

    def welcome(self, ms: int) -> Message | None:
        latest = list(self.market.trades)[-REPLAYED:]
        return self._message(latest) if latest else None

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        return [self._message(trades)]

    def _message(self, trades: list[Trade]) -> Message:
        data = [fill(self.market, trade) for trade in trades]
        return Message({"channel": "trades", "data": data}, trades[-1].number, prints=len(trades))


def fill(market: Market, trade: Trade) -> dict[str, Any]:
    """`side` is the taker's; ids are unique and in no order."""
    listing = market.listing
    tid, digest = trade_id(trade.number), trade_hash(trade.number)
    return {
        "coin": listing.symbol,
        "side": "B" if trade.side == "buy" else "A",
        "px": written(listing.price.text(trade.price)),
        "sz": written(listing.size.text(trade.size)),
        "time": trade.ms,
        "hash": digest,
        "tid": tid,
        "users": [digest[:42], f"0x{digest[26:]}"],
    }


def trade_id(number: int) -> int:
    return number * 0x9E3779B97F4A7C15 % 2**50


def trade_hash(number: int) -> str:
    """Of the transaction that a match was in."""
    whole = trade_id(number) * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276BF3A27251F86C6A11D0C18E95
    return f"0x{whole % 2**256:064x}"


def written(number: str) -> str:
    """A whole number has a zero after the point."""
    return number if "." in number else f"{number}.0"
