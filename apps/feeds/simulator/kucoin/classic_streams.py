"""The channels of KuCoin's classic sockets. A channel's name is its topic with one symbol."""

from collections import deque
from typing import Any

from apps.feeds.simulator.kucoin.listings import number
from apps.feeds.simulator.kucoin.streams import FIRST_TRADE_ID, TRADE_POLL_S, Whole, ns
from apps.feeds.simulator.market import Market, Row, Trade
from apps.feeds.simulator.random_market import RandomMarket
from apps.feeds.simulator.streams import FollowingStream, Message, Stream, TradeStream
from apps.feeds.simulator.window import Changes

REAL_TIME_S = 0.01
QUIET_CHANCE = 0.3  # of a message to count one number that no level stands for
SPOT_WHOLE = {"/spotMarket/level2Depth50": 50, "/spotMarket/level2Depth5": 5, "/spotMarket/level1": 1}
FUTURES_WHOLE = {"/contractMarket/level2Depth50": 50, "/contractMarket/level2Depth5": 5}
Entry = tuple[int, str, Row]  # number of the change, "bids" or "asks", the level as it then was


def make(market: Market, name: str) -> Stream | None:
    """The channel of a topic; None when there is no such topic."""
    topic = name.partition(":")[0]
    if market.listing.market_type == "spot":
        if topic == "/market/level2":
            return SpotLevel2(name, market)
        if topic == "/market/match":
            return SpotMatches(name, market, TRADE_POLL_S)
        return Whole(name, market, SPOT_WHOLE[topic], _spot_whole) if topic in SPOT_WHOLE else None
    if topic == "/contractMarket/level2":
        return FuturesLevel2(name, market)
    if topic == "/contractMarket/execution":
        return Executions(name, market, TRADE_POLL_S)
    return Whole(name, market, FUTURES_WHOLE[topic], _futures_whole) if topic in FUTURES_WHOLE else None


def message(topic: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"topic": topic, "type": "message", "subject": subject, "data": data}


class Marks(set[int]):
    """Touched keys of one side, each touch noted with its number."""

    def __init__(self, log: "Log", side: str) -> None:
        super().__init__()
        self._log = log
        self._side = side

    def add(self, key: int) -> None:
        super().add(key)
        market = self._log.market
        levels = market.bids if self._side == "bids" else market.asks
        self._log.entries.append((market.seq + 1, self._side, levels.row(key)))


class Log(Changes):
    """Every change in its order and with its own number, not only the last of each level."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.touched = (Marks(self, "bids"), Marks(self, "asks"))
        self.entries: list[Entry] = []

    def clear(self) -> None:
        super().clear()
        self.entries.clear()

    def drain(self) -> list[Entry]:
        entries = list(self.entries)
        self.clear()
        return entries


class Level2(FollowingStream):
    """The whole book; nothing to start from: the snapshot comes by REST."""

    def __init__(self, name: str, market: Market) -> None:
        super().__init__(name, market, REAL_TIME_S)
        self.changes: Log = Log(market)


class SpotLevel2(Level2):
    """Several changes in a message, each with its number. Price 0 stands for a number without a level."""

    def next(self, ms: int) -> Message | None:
        if not self.changes:
            return None
        entries = self.changes.drain()
        if isinstance(self.market, RandomMarket) and self.market.rng.random() < QUIET_CHANCE:
            self.market.seq += 1
        first, self.last = self.last + 1, self.market.seq
        changes: dict[str, list[Row]] = {"asks": [], "bids": []}
        for change, side, row in entries:
            changes[side].append((*row, str(change)))
        told = {change for change, _, _ in entries}
        changes["asks"] += [("0", "0", str(n)) for n in range(first, self.last + 1) if n not in told]
        data = {
            "changes": changes,
            "sequenceEnd": self.last,
            "sequenceStart": first,
            "symbol": self.market.listing.symbol,
            "time": ms,
        }
        payload = message(self.name, "trade.l2update", data)
        return Message(payload, self.last, changes["bids"], changes["asks"])

    def crossing(self) -> Row:
        return (*super().crossing(), str(self.last))


class FuturesLevel2(Level2):
    """One level in a message."""

    def __init__(self, name: str, market: Market) -> None:
        super().__init__(name, market)
        self._left: deque[Entry] = deque()

    def open(self) -> None:
        super().open()
        self._left.clear()

    def next(self, ms: int) -> Message | None:
        self._left.extend(self.changes.drain())
        return self.more(ms)

    def more(self, ms: int) -> Message | None:
        if not self._left:
            return None
        self.last, side, row = self._left.popleft()
        change = f"{row[0]},{'buy' if side == 'bids' else 'sell'},{row[1]}"
        data = {"sequence": self.last, "change": change, "timestamp": ms}
        return Message({**message(self.name, "level2", data), "sn": self.last}, self.last)

    def cross(self, message: Message) -> None:
        price, size = self.crossing()[:2]
        message.payload["data"]["change"] = f"{price},buy,{size}"


def _spot_whole(stream: Whole, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
    if stream.depth == 1:
        return message(stream.name, "level1", {"asks": asks[0], "bids": bids[0], "timestamp": ms})
    return message(stream.name, "level2", {"asks": asks, "bids": bids, "timestamp": ms})


def _futures_whole(stream: Whole, bids: list[Row], asks: list[Row], ms: int) -> dict[str, Any]:
    """Prices as text, sizes as numbers, and the very lists that a fault may touch."""
    for rows in (bids, asks):
        rows[:] = [(row[0], number(str(row[1]))) for row in rows]
    data = {"bids": bids, "sequence": stream.seq, "timestamp": ms, "ts": ms, "asks": asks}
    return {**message(stream.name, "level2", data), "sn": ms}


class SpotMatches(TradeStream):
    """One message for each match."""

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        return [
            Message(message(self.name, "trade.l3match", self._row(trade)), trade.number, prints=1) for trade in trades
        ]

    def _row(self, trade: Trade) -> dict[str, Any]:
        listing = self.market.listing
        identity = str(FIRST_TRADE_ID + trade.number)
        return {
            "makerOrderId": f"{trade.number:024x}",
            "price": listing.price.text(trade.price),
            "sequence": identity,
            "side": trade.side,
            "size": listing.size.text(trade.size),
            "symbol": listing.symbol,
            "takerOrderId": f"{trade.number + 1:024x}",
            "time": str(ns(trade.ms)),
            "tradeId": identity,
            "type": "match",
        }


class Executions(TradeStream):
    """One message for each match; the size is a number of contracts."""

    def report(self, trades: list[Trade], ms: int) -> list[Message]:
        return [self._message(trade) for trade in trades]

    def _message(self, trade: Trade) -> Message:
        listing = self.market.listing
        data = {
            "symbol": listing.symbol,
            "sequence": trade.number,
            "side": trade.side,
            "size": trade.size,
            "price": listing.price.text(trade.price),
            "takerOrderId": str(FIRST_TRADE_ID + trade.number),
            "makerOrderId": str(FIRST_TRADE_ID + trade.number - 1),
            "tradeId": str(FIRST_TRADE_ID + trade.number),
            "ts": ns(trade.ms),
        }
        return Message({**message(self.name, "match", data), "sn": trade.number}, trade.number, prints=1)
