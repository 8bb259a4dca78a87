"""The books of this process as trading sees them: from any thread, as they are now.

The feed tells of every change in the event loop. Of the books that trading needs, the top is copied there at once, so
that other threads read whole books without waiting for the loop; whoever matches paper orders is told as well.
"""

import time
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from apps.feeds.book.books import Tracked
from apps.feeds.market import FULL_DEPTH, BookKey, BookState, Instrument, Levels, PublicTrade
from apps.trading.execution.pretrade.market import LEVELS, Market, age_ms, exact, mid_of
from apps.trading.risk.view import Top

SEEN = 50  # levels a side that paper orders may meet


class Watcher(Protocol):
    """Is told in the event loop, in order."""

    def book(self, instrument: Instrument, bids: Levels, asks: Levels, *, whole: bool, exchange_ms: int | None) -> None:
        """A live book: its best levels; `whole`: there are no others."""
        ...

    def no_book(self, instrument: Instrument) -> None:
        """It is not live any more."""
        ...

    def trade(self, instrument: Instrument, trade: PublicTrade) -> None: ...


class _Window(Struct):
    """`source` goes on living in the event loop: single attributes of it may be read from elsewhere."""

    source: Tracked
    bids: Levels = []
    asks: Levels = []
    is_live: bool = False


class Windows:
    """Told by the feed (`outlets.Shows`), read as a `Market`; `beyond` knows the books of other processes."""

    def __init__(self, beyond: Market, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._beyond = beyond
        self._clock = clock
        self._sources: dict[BookKey, Tracked] = {}
        self._needed: frozenset[BookKey] = frozenset()
        self._windows: dict[BookKey, _Window] = {}
        self._watchers: dict[BookKey, list[Watcher]] = {}

    # in the event loop

    def need(self, keys: Collection[BookKey]) -> None:
        """These books are looked at from now on, no others."""
        self._needed = frozenset(keys)
        for key in self._windows.keys() - self._needed:
            del self._windows[key]
        for key in self._needed & self._sources.keys():
            self._look(key)

    def watch(self, keys: Collection[BookKey], watcher: Watcher) -> None:
        """Tell `watcher` of these books and of no others, from how they are now on."""
        for watchers in self._watchers.values():
            if watcher in watchers:
                watchers.remove(watcher)
        for key in keys:
            self._watchers.setdefault(key, []).append(watcher)
            window = self._windows.get(key)
            if window is not None:
                _tell(window, watcher)

    def add(self, source: Tracked) -> None:
        self._sources[source.key] = source
        self._windows.pop(source.key, None)
        self._look(source.key)

    def remove(self, key: BookKey, reason: str) -> None:
        source = self._sources.pop(key, None)
        self._windows.pop(key, None)
        if source is not None:
            for watcher in self._watchers.get(key, ()):
                watcher.no_book(source.instrument)

    def changed(self, key: BookKey, *, best: bool) -> None:
        if key in self._needed:
            self._look(key)

    def invalidated(self, key: BookKey) -> None:
        if key in self._needed:
            self._look(key)

    def traded(self, key: BookKey, trades: Iterable[PublicTrade]) -> None:
        for watcher in self._watchers.get(key, ()):
            for trade in trades:
                watcher.trade(self._sources[key].instrument, trade)

    # from any thread

    def top(self, key: BookKey) -> Top | None:
        window = self._windows.get(key)
        if window is None:
            return self._beyond.top(key)
        source, bids, asks = window.source, window.bids, window.asks
        if not window.is_live or source.last_event_ns is None or not bids or not asks:
            return None
        return Top(
            state=source.state,
            age_ms=age_ms(source.last_event_ns, self._clock()),
            owner_is_current=True,
            bid=exact(bids[0][0]),
            ask=exact(asks[0][0]),
            bid_depth=_amount(bids),
            ask_depth=_amount(asks),
        )

    def mid(self, key: BookKey) -> Decimal | None:
        return mid_of(self.top(key))

    # inside

    def _look(self, key: BookKey) -> None:
        """Copy the top as it is now, and show it to who watches."""
        source = self._sources.get(key)
        if source is None or key not in self._needed:
            return
        book = source.builder.book if source.state is BookState.LIVE else None
        window = _Window(source) if book is None else _Window(source, *book.top(SEEN), True)
        self._windows[key] = window  # replaced as a whole: a thread that reads has the old one or the new one
        for watcher in self._watchers.get(key, ()):
            _tell(window, watcher)


def _tell(window: _Window, watcher: Watcher) -> None:
    source = window.source
    if not window.is_live:
        watcher.no_book(source.instrument)
        return
    whole = source.depth == FULL_DEPTH and max(len(window.bids), len(window.asks)) < SEEN
    watcher.book(source.instrument, window.bids, window.asks, whole=whole, exchange_ms=source.exchange_ms)


def _amount(levels: Levels) -> Decimal:
    return sum((exact(amount) for _, amount in levels[:LEVELS]), Decimal(0))
