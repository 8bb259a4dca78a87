"""KuCoin's channels that both generations share, and the unified ones."""

from collections.abc import Callable
from typing import Any

from apps.feeds.simulator.market import Market, Row, Trade
from apps.feeds.simulator.sockets import binary_frame
from apps.feeds.simulator.streams import BookStream, Message, Stream, TradeStream
from apps.feeds.simulator.window import Changes, Window

INCREMENT_DEPTH = 500
INCREMENT_S = 0.01
WHOLE_S = {1: 0.01, 5: 0.1, 50: 0.1}
TRADE_POLL_S = 0.5
FIRST_TRADE_ID = 24021490000000000  # beyond what a double holds
TRADE_TYPES = {"spot": "SPOT", "futures": "FUTURES"}
Payload = Callable[["Whole", list[Row], list[Row], int], dict[str, Any]]


def make(market: Market, channel: str, depth: str) -> Stream | None:
    """A unified channel; None when there is no such channel or depth."""
    symbol = market.listing.symbol
    if channel == "trade":
        return Trades(f"trade:{symbol}", market, TRADE_POLL_S)
    name = f"obu:{depth}:{symbol}"
    if depth == "increment@10ms":
        return Increment(name, market, depth, Window(market, INCREMENT_DEPTH))
    if depth == "increment":
        return Unstarted(name, market, depth, Changes(market))
    if depth.isdigit() and int(depth) in WHOLE_S:
        return UnifiedWhole(name, market, int(depth), _whole_payload)
    return None


def ns(ms: int) -> int:
    """Nanoseconds, as the exchange gives them: whole milliseconds of matching."""
    return ms * 1_000_000


class Increment(BookStream):
    """The best 500 levels: a snapshot for whoever comes, then deltas whose `O` is the last `C` + 1."""

    def __init__(self, name: str, market: Market, depth: str, changes: Changes) -> None:
        super().__init__(name, market, INCREMENT_S)
        self.changes: Changes = changes
        self._depth = depth
        self._last = market.seq

    def frame(self, body: bytes) -> bytes:
        return binary_frame(body)

    @property
    def seq(self) -> int:
        return self._last

    def open(self) -> None:
        super().open()
        self._last = self.market.seq

    def welcome(self, ms: int) -> Message | None:
        return self._snapshot(ms)

    def next(self, ms: int) -> Message | None:
        if not self.changes:
            return None
        bids, asks = self.changes.rows()
        if not bids and not asks:
            return None
        first, self._last = self._last + 1, self.market.seq
        return self._message("delta", first, bids, asks, ms)

    def again(self, ms: int) -> Message | None:
        self._last = self.market.seq
        return self._snapshot(ms)

    def _snapshot(self, ms: int) -> Message | None:
        """Numbered like the last delta: what changed since lies outside of the window."""
        if not isinstance(self.changes, Window):
            return None
        if not self.sockets:
            self._last = self.market.seq
        return self._message("snapshot", self._last, *self.changes.snapshot(), ms)

    def _message(self, kind: str, first: int, bids: list[Row], asks: list[Row], ms: int) -> Message:
        listing = self.market.listing
        data = {"a": asks, "b": bids, "C": self._last, "s": listing.symbol, "M": ns(ms), "O": first}
        head = {"T": f"obu.{TRADE_TYPES[listing.market_type]}", "dp": self._depth, "t": kind, "P": ns(ms) + 671_191}
        return Message({**head, "d": data}, self._last, bids, asks)


class Unstarted(Increment):
    """The deprecated channel of the whole book: deltas only, nothing to start from."""

    def again(self, ms: int) -> Message | None:
        return None


class Whole(BookStream):
    """The best N levels, whole each time. Futures repeat them unchanged, spot does not."""

    def __init__(self, name: str, market: Market, depth: int, payload: Payload) -> None:
        super().__init__(name, market, WHOLE_S[depth])
        self.depth = depth
        self._payload = payload
        self._repeats = depth > 1 and market.listing.market_type == "futures"
        self._told: tuple[list[Row], list[Row]] | None = None
        self._last = market.seq

    @property
    def seq(self) -> int:
        return self._last

    def open(self) -> None:
        super().open()
        self._told, self._last = None, self.market.seq

    def next(self, ms: int) -> Message | None:
        top = self.market.bids.top(self.depth), self.market.asks.top(self.depth)
        if top == self._told and not self._repeats:
            return None
        self._told, self._last = (list(top[0]), list(top[1])), self.market.seq
        return Message(self._payload(self, *top, ms), self._last, *top)


class UnifiedWhole(Whole):
    def frame(self, body: bytes) -> bytes:
        return binary_frame(body)


def _whole_payload(stream: Whole, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
    listing = stream.market.listing
    return {
        "T": f"obu.{TRADE_TYPES[listing.market_type]}",
        "dp": str(stream.depth),
        "t": "snapshot",
        "P": ns(ms) + 671_191,
        "d": {"a": asks, "b": bids, "C": stream.seq, "s": listing.symbol, "M": ns(ms)},
    }


class Trades(TradeStream):
    """One message for each match. Spot writes the side in small letters, futures in capitals."""

    def frame(self, body: bytes) -> bytes:
        return binary_frame(body)

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        return [Message(self._payload(trade, ms), trade.number, prints=1) for trade in trades]

    def _payload(self, trade: Trade, ms: int) -> dict[str, Any]:
        listing = self.market.listing
        data = {
            "E": FIRST_TRADE_ID + trade.number,
            "M": ns(trade.ms),
            "S": trade.side if listing.market_type == "spot" else trade.side.upper(),
            "p": listing.price.text(trade.price),
            "q": listing.size.text(trade.size),
            "s": listing.symbol,
            "ti": str(FIRST_TRADE_ID + trade.number),
        }
        return {"T": f"trade.{TRADE_TYPES[listing.market_type]}", "P": ns(ms) + 899_171, "d": data}
