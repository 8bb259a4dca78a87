"""MEXC's public channels of contracts: JSON. A stream is named `CHANNEL:SYMBOL`, whole books with their depth."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Row, Trade, Write
from apps.feeds.simulator.streams import FollowingStream, Message, NumberedStream, Stream, TradeStream
from apps.feeds.simulator.window import Changes

DEPTHS = (5, 10, 20, 50)
DIFF_PERIOD_S = 0.2
FULL_PERIOD_S = 0.3
TRADE_POLL_S = 0.5


def make(market: Market, name: str) -> Stream | None:
    """`depth`, `deal`, or `depth.full` with one of its limits; None when there is no such channel."""
    channel, _, depth = name.partition(":")[0].partition("#")
    if channel == "depth":
        return Diff(name, market)
    if channel == "depth.full" and depth in map(str, DEPTHS):
        return Full(name, market, int(depth))
    return Deals(name, market, TRADE_POLL_S) if channel == "deal" else None


def writer(listing: Listing) -> Write:
    """Price, contracts, orders: numbers that are the same however oddly they are spelled."""

    def write(ticks: int, lots: int) -> Row:
        price = Decimal(listing.price.text(ticks))
        odd = (ticks + lots) % 16
        if odd == 0:
            price = price.normalize()  # 97500 becomes 9.75E+4
        elif odd == 1 and price != price.to_integral_value():
            price = Decimal(f"{price}00")
        if not lots:
            return price, 0, 0
        return price, Decimal(f"{lots}.000000000000") if odd == 2 else lots, 1 + lots % 9

    return write


class Diff(FollowingStream):
    """Every changed level, in no order; `begin` follows the last `end`."""

    def __init__(self, name: str, market: Market) -> None:
        super().__init__(name, market, DIFF_PERIOD_S)
        self.changes: Changes = Changes(market)

    def next(self, ms: int) -> Message | None:
        if not self.changes:
            return None
        bids, asks = self.changes.rows()
        for side in (bids, asks):
            self.market.rng.shuffle(side)
        before, self.last = self.last, self.market.seq
        versions = {"end": self.last, "begin": before + 1, "version": self.last}
        data = {"cts": ms - 3, "asks": asks, "bids": bids, **versions}
        return Message(push(self.market, "depth", data, ms), self.last, bids, asks)


class Full(NumberedStream):
    """The best N levels, whole, whenever the book has changed."""

    def __init__(self, name: str, market: Market, depth: int) -> None:
        super().__init__(name, market, FULL_PERIOD_S)
        self.depth = depth

    def welcome(self, ms: int) -> Message | None:
        self.last = self.market.seq
        bids, asks = self.market.bids.top(self.depth), self.market.asks.top(self.depth)
        data = {"cts": ms - 3, "asks": asks, "bids": bids, "version": self.last}
        return Message(push(self.market, "depth.full", data, ms), self.last, bids, asks)

    def next(self, ms: int) -> Message | None:
        return None if self.last == self.market.seq else self.welcome(ms)


class Deals(TradeStream):
    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        data = [row(self.market, trade) for trade in trades]
        return [Message(push(self.market, "deal", data, ms), trades[-1].number, prints=len(trades))]


def push(market: Market, channel: str, data: Any, ms: int) -> dict[str, Any]:
    return {"symbol": market.listing.symbol, "data": data, "channel": f"push.{channel}", "ts": ms}


def row(market: Market, trade: Trade) -> dict[str, Any]:
    return {
        "p": Decimal(market.listing.price.text(trade.price)),
        "v": trade.size,
        "T": 1 if trade.side == "buy" else 2,
        "O": 3,
        "M": 1,
        "t": trade.ms,
        "i": str(trade.number),
        "cts": str(trade.ms),
    }
