"""Bybit's public topics."""

import uuid
from typing import Any

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Row, Trade
from apps.feeds.simulator.streams import BookStream, Message, Stream, TradeStream
from apps.feeds.simulator.window import Window

PERIODS = {1: 0.01, 50: 0.02, 200: 0.1, 1000: 0.2}  # seconds by depth
SNAPSHOT_CHANCE = 1 / 2000  # of an update to come as a whole book in its stead
TRADE_POLL_S = 0.5


def make(market: Market, name: str, repeat_s: float) -> Stream | None:
    kind, _, rest = name.partition(".")
    if kind == "publicTrade":
        return Trades(name, market, TRADE_POLL_S)
    depth = rest.partition(".")[0]
    if kind != "orderbook" or not depth.isdigit() or int(depth) not in PERIODS:
        return None
    if depth == "1":
        return Best(name, market, PERIODS[1], repeat_s)
    return Levels(name, market, PERIODS[int(depth)], int(depth))


class Book(BookStream):
    """`u` rises by exactly 1 with each message of the topic; `seq` is the market's and jumps."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s)
        self.u = market.rng.randrange(10**5, 10**8)

    @property
    def seq(self) -> int:
        return self.u

    def message(self, kind: str, bids: list[Row], asks: list[Row], ms: int) -> Message:
        listing = self.market.listing
        head: dict[str, Any] = {"topic": self.name}
        # Spot names the time first; no parser may rely on the order.
        head |= {"ts": ms, "type": kind} if listing.market_type == "spot" else {"type": kind, "ts": ms}
        data = {"s": listing.symbol, "b": bids, "a": asks, "u": self.u, "seq": self.market.seq}
        return Message({**head, "data": data, "cts": ms - 2}, self.u, bids, asks)


class Levels(Book):
    """The best N levels: a snapshot for whoever comes, then deltas."""

    def __init__(self, name: str, market: Market, period_s: float, depth: int) -> None:
        super().__init__(name, market, period_s)
        self.changes: Window = Window(market, depth)

    def welcome(self, ms: int) -> Message | None:
        return self.message("snapshot", *self.changes.snapshot(), ms)

    def next(self, ms: int) -> Message | None:
        if not self.changes:
            return None
        if self.market.rng.random() < SNAPSHOT_CHANCE:
            return self.again(ms)
        bids, asks = self.changes.rows()
        if not bids and not asks:
            return None
        self.u += 1
        return self.message("delta", bids, asks, ms)

    def again(self, ms: int) -> Message | None:
        self.u += 1
        return self.message("snapshot", *self.changes.snapshot(), ms)

    def reset(self, ms: int) -> Message | None:
        """A restart of the service: `u` is 1 and the book is whole, whatever the type says."""
        self.u = 1
        return self.message("delta", *self.changes.snapshot(), ms)


class Best(Book):
    """One level a side, always whole; the same again, with the same `u`, after some seconds without a change."""

    def __init__(self, name: str, market: Market, period_s: float, repeat_s: float) -> None:
        super().__init__(name, market, period_s)
        self._repeat_s = repeat_s
        self._told: tuple[list[Row], list[Row]] | None = None

    def welcome(self, ms: int) -> Message | None:
        self._told = self._best()
        return self.message("snapshot", *self._told, ms)

    def next(self, ms: int) -> Message | None:
        best = self._best()
        if best == self._told:
            return None
        self._told = best
        self.u += 1
        return self.message("snapshot", *best, ms)

    def idle(self, ms: int, quiet_s: float) -> Message | None:
        return self.message("snapshot", *self._best(), ms) if quiet_s >= self._repeat_s else None

    def _best(self) -> tuple[list[Row], list[Row]]:
        return self.market.bids.top(1), self.market.asks.top(1)


class Trades(TradeStream):
    """All matches of one moment in one message; its type says snapshot and means nothing by it."""

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        listing = self.market.listing
        spot = listing.market_type == "spot"
        head: dict[str, Any] = {"topic": f"publicTrade.{listing.symbol}"}
        head |= {"ts": ms, "type": "snapshot"} if spot else {"type": "snapshot", "ts": ms}
        data = [row(self.market, trade) for trade in trades]
        return [Message({**head, "data": data}, trades[-1].seq, prints=len(trades))]


def trade_id(listing: Listing, number: int) -> str:
    """Spot: rising decimal text; futures: a UUID."""
    if listing.market_type == "spot":
        return str(2290000000000000000 + number)
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{listing.symbol}{number}"))


def row(market: Market, trade: Trade) -> dict[str, Any]:
    listing = market.listing
    return {
        "T": trade.ms,
        "s": listing.symbol,
        "S": "Buy" if trade.side == "buy" else "Sell",
        "v": listing.size.text(trade.size),
        "p": listing.price.text(trade.price),
        **({} if listing.market_type == "spot" else {"L": "PlusTick" if trade.side == "buy" else "MinusTick"}),
        "i": trade_id(listing, trade.number),
        "BT": False,
        "RPI": False,
        "seq": trade.seq,
    }
