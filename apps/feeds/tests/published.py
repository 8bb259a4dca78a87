"""A book as the bus sees it, moved by hand."""

from dataclasses import dataclass, field
from decimal import Decimal

from apps.feeds.market import BookKey, BookState, Instrument, Levels, MarketType

BTC = BookKey("binance", MarketType.SPOT, "BTC/USDT")
ETH = BookKey("binance", MarketType.SPOT, "ETH/USDT")


@dataclass
class Ladder:
    bids: Levels
    asks: Levels

    def top(self, n: int) -> tuple[Levels, Levels]:
        return (self.bids[:n], self.asks[:n]) if n else (self.bids, self.asks)


@dataclass
class Builder:
    book: Ladder | None


def ladder(best_bid: float = 100.0, levels: int = 60) -> Ladder:
    return Ladder(
        bids=[(best_bid - n, 1.0 + n) for n in range(levels)],
        asks=[(best_bid + 1 + n, 2.0 + n) for n in range(levels)],
    )


@dataclass
class HandMade:
    """One tracked book; every change of it counts up `version`."""

    key: BookKey = BTC
    depth: int = 20
    state: BookState = BookState.LIVE
    reason: str = ""
    version: int = 1
    seq: int | None = 10
    exchange_ms: int | None = 1_700_000_000_000
    received_ns: int = 1_700_000_000_000_000_000
    last_event_ns: int = 1_700_000_000_000_000_000
    limit_ms: int = 5_000
    builder: Builder = field(default_factory=lambda: Builder(ladder()))

    @property
    def instrument(self) -> Instrument:
        base, quote = self.key.pair.split("/")
        return Instrument(
            exchange=self.key.exchange,
            market_type=self.key.market_type,
            pair=self.key.pair,
            symbol=base + quote,
            base=base,
            quote=quote,
            settle=quote,
            tick=Decimal("0.01"),
            lot=Decimal("0.00001"),
        )

    def move(self, best_bid: float) -> None:
        self.builder.book = ladder(best_bid)
        self.version += 1
        self.seq = (self.seq or 0) + 1

    def become(self, state: BookState, reason: str = "") -> None:
        self.state, self.reason = state, reason
        self.version += 1
