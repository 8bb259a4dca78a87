"""Books as a feed holds them, moved by hand."""

import time
from decimal import Decimal

from apps.feeds.book.books import Books, Tracked
from apps.feeds.drivers import registry
from apps.feeds.market import BookKey, BookSnapshot, Instrument, Levels, PublicTrade, Side
from apps.feeds.subscriptions import Subscription
from apps.trading.risk.view import Top
from workers.trader.windows import Windows

MILLION = 1_000_000


class Nowhere:
    """No other process has a book."""

    def top(self, key: BookKey) -> Top | None:
        return None

    def mid(self, key: BookKey) -> Decimal | None:
        return None


class Held:
    """One book, told to `windows` as the feed would."""

    def __init__(self, windows: Windows, instrument: Instrument, depth: int = 20) -> None:
        rule = registry.driver(instrument.exchange).rule(instrument.market_type, depth)
        self.books = Books(lambda depth: rule)
        self.tracked: Tracked = self.books.add(Subscription(instrument=instrument, depth=depth))
        self._windows = windows
        self._seq = 0
        windows.add(self.tracked)

    @property
    def key(self) -> BookKey:
        return self.tracked.key

    def show(self, bids: Levels, asks: Levels, at_ns: int | None = None) -> None:
        """It is LIVE with these levels."""
        now_ns = time.time_ns() if at_ns is None else at_ns
        symbol = self.tracked.instrument.symbol
        self.books.socket_open([symbol], now_ns)
        self._seq += 1
        snapshot = BookSnapshot(
            symbol=symbol, seq=self._seq, bids=bids, asks=asks, received_ns=now_ns, exchange_ms=now_ns // MILLION
        )
        self.books.apply(snapshot, now_ns)
        self._windows.changed(self.key, best=True)

    def lose(self) -> None:
        self.books.socket_closed([self.tracked.instrument.symbol], "lost", time.time_ns())
        self._windows.invalidated(self.key)

    def trade(self, side: Side, price: float, amount: float) -> None:
        """Somebody trades, after the book that was shown last."""
        now_ns = time.time_ns()
        trade = PublicTrade(
            symbol=self.tracked.instrument.symbol,
            trade_id=str(now_ns),
            side=side,
            price=price,
            amount=amount,
            exchange_ms=now_ns // MILLION + 1,
            received_ns=now_ns,
        )
        self._windows.traded(self.key, [trade])
