"""Binance's market data channels."""

from typing import Any

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Row, Trade
from apps.feeds.simulator.streams import FollowingStream, Message, NumberedStream, Stream, TradeStream
from apps.feeds.simulator.window import Changes

# Seconds by the suffix after the second @; the empty one is the bare name. Anything else is silent.
PERIODS = {
    "spot": {"": 1.0, "100ms": 0.1},
    "futures": {"": 0.25, "100ms": 0.1, "500ms": 0.5},
}
TOPS = {"depth5": 5, "depth10": 10, "depth20": 20}
TRADE_POLL_S = 0.5  # pace of a market that only trade channels listen to


def make(market: Market, name: str, kind: str, suffix: str) -> Stream | None:
    """The channel `kind` with its speed; None when there is no such channel."""
    futures = market.listing.market_type == "futures"
    period = PERIODS[market.listing.market_type].get(suffix)
    if kind == "depth" and period is not None:
        return FuturesDiff(name, market, period) if futures else SpotDiff(name, market, period)
    if kind in TOPS and period is not None:
        return FuturesTop(name, market, period, TOPS[kind]) if futures else SpotTop(name, market, period, TOPS[kind])
    if suffix:
        return None
    if kind == "bookTicker":
        return BookTicker(name, market, 0.1)
    if kind == "trade":
        return RawTrades(name, market, TRADE_POLL_S)
    return AggregateTrades(name, market, TRADE_POLL_S) if kind == "aggTrade" else None


def pair_of(listing: Listing) -> str:
    return listing.symbol.partition("_")[0]


class SpotDiff(FollowingStream):
    """Every changed level; ids join without a hole: U is always the last u + 1."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        self.changes: Changes = Changes(market)

    def next(self, ms: int) -> Message | None:
        if not self.changes:
            return None
        bids, asks = self.changes.rows()
        before, self.last = self.last, self.market.seq
        return Message(self.payload(before, bids, asks, ms), self.last, bids, asks)

    def payload(self, before: int, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
        symbol = self.market.listing.symbol
        return {"e": "depthUpdate", "E": ms, "s": symbol, "U": before + 1, "u": self.last, "b": bids, "a": asks}


class FuturesDiff(SpotDiff):
    """Ids are shared between symbols and jump: only `pu` joins the messages."""

    def payload(self, before: int, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
        return futures_depth(self.market, before, self.last, bids, asks, ms)


def futures_depth(market: Market, before: int, last: int, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
    listing = market.listing
    return {
        "e": "depthUpdate",
        "E": ms,
        "T": ms - 3,
        "s": listing.symbol,
        "ps": pair_of(listing),
        "U": min(before + 3, last),  # ids grow by at least 3 at a time: those between belong to other symbols
        "u": last,
        "pu": before,
        "b": bids,
        "a": asks,
        "st": 1,
    }


class SpotTop(FollowingStream):
    """The best N levels, whole, each time; neither symbol nor time in it."""

    def __init__(self, name: str, market: Market, period_s: float, depth: int) -> None:
        super().__init__(name, market, period_s)
        self.depth = depth

    def next(self, ms: int) -> Message | None:
        bids, asks = self.market.bids.top(self.depth), self.market.asks.top(self.depth)
        before, self.last = self.last, self.market.seq
        return Message(self.payload(before, bids, asks, ms), self.last, bids, asks)

    def payload(self, before: int, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
        return {"lastUpdateId": self.last, "bids": bids, "asks": asks}


class FuturesTop(SpotTop):
    """Looks like a diff: only the channel's name tells that it is whole."""

    def payload(self, before: int, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
        return futures_depth(self.market, before, self.last, bids, asks, ms)


class BookTicker(NumberedStream):
    """The best bid and ask, when they change."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        self._told: tuple[Row, Row] | None = None

    def open(self) -> None:
        super().open()
        self._told = None

    def next(self, ms: int) -> Message | None:
        bid, ask = self.market.bids.top(1)[0], self.market.asks.top(1)[0]
        if self._told == (bid, ask):
            return None
        self._told, self.last = (bid, ask), self.market.seq
        listing = self.market.listing
        quote = {"b": bid[0], "B": bid[1], "a": ask[0], "A": ask[1]}
        if listing.market_type == "spot":
            return Message({"u": self.last, "s": listing.symbol, **quote}, self.last)
        head = {"e": "bookTicker", "u": self.last, "s": listing.symbol, "ps": pair_of(listing)}
        return Message({**head, **quote, "T": ms - 1, "E": ms, "st": 1}, self.last)


class RawTrades(TradeStream):
    """One message for each match; on spot the ids rise by exactly 1."""

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        return [Message(self._payload(trade, ms), trade.number, prints=1) for trade in trades]

    def _payload(self, trade: Trade, ms: int) -> dict[str, Any]:
        listing = self.market.listing
        payload = {
            "e": "trade",
            "E": ms,
            "s": listing.symbol,
            "t": trade.number,
            "p": listing.price.text(trade.price),
            "q": listing.size.text(trade.size),
            "T": trade.ms,
            "m": trade.side == "sell",  # the buyer was the maker
        }
        return {**payload, "M": True} if listing.market_type == "spot" else {**payload, "X": "MARKET", "st": 1}


class AggregateTrades(TradeStream):
    """Matches of one taker at one price as one print."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        self._number = market.seq // 7

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        messages = []
        for trade in trades:
            self._number += 1
            messages.append(Message(self._payload(trade, ms), self._number, prints=1))
        return messages

    def _payload(self, trade: Trade, ms: int) -> dict[str, Any]:
        listing = self.market.listing
        size = listing.size.text(trade.size)
        futures = listing.market_type == "futures"
        return {
            "e": "aggTrade",
            "E": ms,
            "s": listing.symbol,
            "a": self._number,
            "p": listing.price.text(trade.price),
            "q": size,
            **({"nq": size} if futures else {}),
            "f": trade.number,
            "l": trade.number,
            "T": trade.ms,
            "m": trade.side == "sell",
            **({"st": 1} if futures else {"M": True}),
        }
