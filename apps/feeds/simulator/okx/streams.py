"""OKX's public channels. A channel is named here `channel:instId`."""

from typing import Any

from apps.feeds.simulator.market import Market, Row, Trade
from apps.feeds.simulator.streams import Message, NumberedStream, Stream, TradeStream
from apps.feeds.simulator.window import Window

BOOKS_DEPTH = 400
PERIODS = {"books": 0.1, "books5": 0.1, "bbo-tbt": 0.01}
TOPS = {"books5": 5, "bbo-tbt": 1}
TRADE_POLL_S = 0.5


def make(market: Market, name: str, channel: str, keep_alive_s: float) -> Stream | None:
    if channel == "trades":
        return Trades(name, market, TRADE_POLL_S)
    if channel == "books":
        return Books(name, market, keep_alive_s)
    return Top(name, market, channel) if channel in TOPS else None


class Channel(NumberedStream):
    def __init__(self, name: str, market: Market, channel: str) -> None:
        super().__init__(name, market, PERIODS[channel])
        self.arg = {"channel": channel, "instId": market.listing.symbol}


class Books(Channel):
    """400 levels: a snapshot for whoever comes, then updates that each name the one before."""

    def __init__(self, name: str, market: Market, keep_alive_s: float) -> None:
        super().__init__(name, market, "books")
        self.changes: Window = Window(market, BOOKS_DEPTH)
        self._keep_alive_s = keep_alive_s

    def welcome(self, ms: int) -> Message | None:
        bids, asks = self.changes.snapshot()
        self.last = self.market.seq
        return self._message("snapshot", -1, bids, asks, ms)

    def next(self, ms: int) -> Message | None:
        if not self.changes:
            return None
        bids, asks = self.changes.rows()
        return self._update(bids, asks, ms) if bids or asks else None

    def idle(self, ms: int, quiet_s: float) -> Message | None:
        """Nothing changed for a minute: an empty update whose seqId is the one before."""
        return self._message("update", self.last, [], [], ms) if quiet_s >= self._keep_alive_s else None

    def reset(self, ms: int) -> Message | None:
        """After maintenance the numbers begin anew: this update's seqId is smaller than its prevSeqId."""
        self.market.seq = self.market.rng.randrange(10, 10_000)
        return self._update(*self.changes.rows(), ms)

    def _update(self, bids: list[Row], asks: list[Row], ms: int) -> Message:
        before, self.last = self.last, self.market.seq
        return self._message("update", before, bids, asks, ms)

    def _message(self, action: str, before: int, bids: list[Row], asks: list[Row], ms: int) -> Message:
        row = {
            "asks": asks,
            "bids": bids,
            "ts": str(ms),
            "checksum": 0,  # the constant since 2026-06-23
            "seqId": self.last,
            "prevSeqId": before,
        }
        return Message({"arg": self.arg, "action": action, "data": [row]}, self.last, bids, asks)


class Top(Channel):
    """The best 5 levels, or the best one: whole, and only when they changed."""

    def __init__(self, name: str, market: Market, channel: str) -> None:
        super().__init__(name, market, channel)
        self._depth = TOPS[channel]
        self._told: tuple[list[Row], list[Row]] | None = None
        # A book of 400 is never ahead of the best bid and ask: both count with the same numbers.
        self.leads = channel == "bbo-tbt"

    def welcome(self, ms: int) -> Message | None:
        self._told = self._top()
        return self._message(*self._told, ms)

    def next(self, ms: int) -> Message | None:
        top = self._top()
        if top == self._told:
            return None
        self._told = top
        return self._message(*top, ms)

    def _top(self) -> tuple[list[Row], list[Row]]:
        return self.market.bids.top(self._depth), self.market.asks.top(self._depth)

    def _message(self, bids: list[Row], asks: list[Row], ms: int) -> Message:
        self.last = self.market.seq
        row: dict[str, Any] = {"asks": asks, "bids": bids, "ts": str(ms), "seqId": self.last}
        if self._depth > 1:
            row["instId"] = self.market.listing.symbol
        return Message({"arg": self.arg, "data": [row]}, self.last, bids, asks)


class Trades(TradeStream):
    """One message for each price that a taker hit."""

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        arg = {"channel": "trades", "instId": self.market.listing.symbol}
        return [Message({"arg": arg, "data": [row(self.market, trade)]}, trade.number, prints=1) for trade in trades]


def row(market: Market, trade: Trade) -> dict[str, Any]:
    listing = market.listing
    return {
        "instId": listing.symbol,
        "tradeId": str(trade.number),
        "px": listing.price.text(trade.price),
        "sz": listing.size.text(trade.size),
        "side": trade.side,
        "ts": str(trade.ms),
        "count": "1",
        "source": "0",
        "seqId": trade.seq,
    }
