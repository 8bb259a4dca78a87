"""HTX's public channels. A stream is named like its topic; that of changes only ends in ` incremental`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from apps.feeds.simulator.market import Market, Row, Trade
from apps.feeds.simulator.sockets import gzip_frame
from apps.feeds.simulator.streams import Message, NumberedStream, Stream, TradeStream
from apps.feeds.simulator.window import Window

TRADE_POLL_S = 0.5
SMALL = 20  # books of so few levels leave out the side that did not change
INCREMENTAL = " incremental"


class Book(NumberedStream):
    def __init__(self, name: str, market: Market, period_s: float, depth: int) -> None:
        super().__init__(name, market, period_s)
        self.topic = name.removesuffix(INCREMENTAL)
        self.depth = depth

    def frame(self, body: bytes) -> bytes:
        return gzip_frame(body)

    def top(self) -> tuple[list[Row], list[Row]]:
        return self.market.bids.top(self.depth), self.market.asks.top(self.depth)

    def push(self, tick: dict[str, Any], ms: int, bids: list[Row], asks: list[Row]) -> Message:
        return Message({"ch": self.topic, "ts": ms, "tick": tick}, self.seq, bids, asks)


class Mbp(Book):
    """Changes of the best N levels, each naming the one before; the snapshot they need is asked for by `req`."""

    def __init__(self, name: str, market: Market, period_s: float, depth: int) -> None:
        super().__init__(name, market, period_s, depth)
        self.changes: Window = Window(market, depth)

    def open(self) -> None:
        super().open()
        self.changes.snapshot()
        self.last = self.market.seq

    def next(self, ms: int) -> Message | None:
        """Large books are told even when nothing changed inside the window: the number goes on."""
        if self.last == self.market.seq:
            return None
        bids, asks = self.changes.rows()
        sides = {"bids": bids, "asks": asks}
        if self.depth <= SMALL:
            sides = {name: rows for name, rows in sides.items() if rows}
            if not sides:
                return None
        before, self.last = self.last, self.market.seq
        return self.push({"seqNum": self.last, "prevSeqNum": before, **sides}, ms, bids, asks)


class Whole(Book):
    """The best N levels each time, changed or not."""

    def welcome(self, ms: int) -> Message | None:
        return self.next(ms)

    def next(self, ms: int) -> Message | None:
        self.last = self.market.seq
        bids, asks = self.top()
        return self.push(self.tick(bids, asks, ms), ms, bids, asks)

    def tick(self, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
        return {"seqNum": self.last, "bids": bids, "asks": asks}


class SpotStep(Whole):
    def tick(self, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
        return {"bids": bids, "asks": asks, "version": self.last, "ts": ms - 2}


class ContractStep(Whole):
    """Numbered by `mrid`: `version` is the time in seconds."""

    def tick(self, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
        second = ms // 1000
        head = {"mrid": self.last, "id": second, "bids": bids, "asks": asks}
        return {**head, "ts": ms - 2, "version": second, "ch": self.topic}


class HighFrequency(Book):
    """Numbered by a version of its own that rises by 1 and starts anew with the channel."""

    def __init__(self, name: str, market: Market, period_s: float, depth: int) -> None:
        super().__init__(name, market, period_s, depth)
        self.version = 0

    @property
    def seq(self) -> int:
        return self.version

    def open(self) -> None:
        super().open()
        self.version = self.market.rng.randrange(10**6, 10**8)

    def push_event(self, event: str, bids: list[Row], asks: list[Row], ms: int) -> Message:
        number = self.market.seq
        head = {"asks": asks, "bids": bids, "ch": self.topic, "event": event}
        return self.push({**head, "id": number, "mrid": number, "ts": ms - 2, "version": self.version}, ms, bids, asks)


class Incremental(HighFrequency):
    """A snapshot for whoever comes, then what changed."""

    def __init__(self, name: str, market: Market, period_s: float, depth: int) -> None:
        super().__init__(name, market, period_s, depth)
        self.changes: Window = Window(market, depth)

    def welcome(self, ms: int) -> Message | None:
        return self.push_event("snapshot", *self.changes.snapshot(), ms)

    def next(self, ms: int) -> Message | None:
        if not self.changes:
            return None
        bids, asks = self.changes.rows()
        if not bids and not asks:
            return None
        self.version += 1
        return self.push_event("update", bids, asks, ms)

    def again(self, ms: int) -> Message | None:
        self.version += 1
        return self.push_event("snapshot", *self.changes.snapshot(), ms)


class HighFrequencyWhole(HighFrequency):
    """Whoever does not ask for changes gets the whole book each time that it changed."""

    def welcome(self, ms: int) -> Message | None:
        return self.push_event("snapshot", *self.top(), ms)

    def next(self, ms: int) -> Message | None:
        if self.last == self.market.seq:
            return None
        self.last = self.market.seq
        self.version += 1
        return self.push_event("snapshot", *self.top(), ms)


class Best(Book):
    """The best bid and ask, when they change."""

    def __init__(self, name: str, market: Market, period_s: float) -> None:
        super().__init__(name, market, period_s, depth=1)
        self._told: tuple[list[Row], list[Row]] | None = None

    def welcome(self, ms: int) -> Message | None:
        return self._quote(*self.top(), ms)

    def next(self, ms: int) -> Message | None:
        best = self.top()
        return None if best == self._told else self._quote(*best, ms)

    def _quote(self, bids: list[Row], asks: list[Row], ms: int) -> Message:
        self._told, self.last = (bids, asks), self.market.seq
        (bid,), (ask,) = bids, asks
        if self.market.listing.market_type == "spot":
            sides: dict[str, Any] = {"bid": bid[0], "bidSize": bid[1], "ask": ask[0], "askSize": ask[1]}
            tick = {"seqId": self.last, **sides, "quoteTime": ms - 2, "symbol": self.market.listing.symbol}
        else:
            sides = {"bid": bid, "ask": ask}
            tick = {"mrid": self.last, "id": ms // 1000, **sides, "ts": ms - 2, "version": self.last, "ch": self.topic}
        return self.push(tick, ms, [], [])


class Trades(TradeStream):
    """All matches of one moment; a new socket gets the last one, however old."""

    def frame(self, body: bytes) -> bytes:
        return gzip_frame(body)

    def welcome(self, ms: int) -> Message | None:
        return self._message([self.market.trades[-1]], ms) if self.market.trades else None

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        return [self._message(trades, ms)]

    def _message(self, trades: list[Trade], ms: int) -> Message:
        last = trades[-1]
        tick = {"id": last.seq, "ts": last.ms, "data": [row(self.market, trade) for trade in trades]}
        return Message({"ch": self.name, "ts": ms, "tick": tick}, last.number, prints=len(trades))


def row(market: Market, trade: Trade) -> dict[str, Any]:
    listing = market.listing
    price, amount = market.asks.write(trade.price, trade.size)[:2]
    if listing.market_type == "spot":
        numbers: dict[str, Any] = {"id": long_id(trade), "ts": trade.ms, "tradeId": trade.number, "amount": amount}
        return {**numbers, "price": price, "direction": trade.side, "isRpiTrade": False}
    value = float(amount) * float(listing.contract)
    coins = {"quantity": value / float(price)} if listing.inverse else {"quantity": value}
    turnover = {} if listing.inverse else {"trade_turnover": value * float(price)}
    head = {"amount": amount, **coins, **turnover, "ts": trade.ms, "id": trade.number * 10000}
    return {**head, "price": price, "direction": trade.side}


def long_id(trade: Trade) -> str:
    """More digits than 64 bits hold."""
    return f"{trade.seq}{trade.number:016}"


Maker = Callable[[str, Market], Stream]
# The channels of each kind of socket: what follows `market.SYMBOL.` in a topic.
SPOT: dict[str, Maker] = {
    **{f"mbp.refresh.{depth}": partial(Whole, period_s=0.1, depth=depth) for depth in (5, 10, 20)},
    "depth.step0": partial(SpotStep, period_s=1.0, depth=150),
    "bbo": partial(Best, period_s=0.05),
    "trade.detail": partial(Trades, period_s=TRADE_POLL_S),
}
FEED: dict[str, Maker] = {
    **{f"mbp.{depth}": partial(Mbp, period_s=0.03, depth=depth) for depth in (5, 20)},
    **{f"mbp.{depth}": partial(Mbp, period_s=0.1, depth=depth) for depth in (150, 400)},
}
CONTRACTS: dict[str, Maker] = {
    "depth.step0": partial(ContractStep, period_s=0.1, depth=150),
    "depth.step6": partial(ContractStep, period_s=0.1, depth=20),
    "bbo": partial(Best, period_s=0.03),
    "trade.detail": partial(Trades, period_s=TRADE_POLL_S),
}
for _depth in (20, 150):
    _channel = f"depth.size_{_depth}.high_freq"
    CONTRACTS[_channel] = partial(HighFrequencyWhole, period_s=0.03, depth=_depth)
    CONTRACTS[_channel + INCREMENTAL] = partial(Incremental, period_s=0.03, depth=_depth)
CHANNELS = {"spot": SPOT | FEED, "futures": CONTRACTS}
