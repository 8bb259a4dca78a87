"""Where what the feed knows goes: who shows books, who records events, who keeps the interruptions."""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from apps.feeds.book.books import Tracked
from apps.feeds.market import BookDelta, BookKey, BookSnapshot, Instrument, PublicTrade


class Shows(Protocol):
    """Is told of books in the event loop, and must not block."""

    def add(self, source: Tracked) -> None: ...

    def remove(self, key: BookKey, reason: str) -> None: ...

    def changed(self, key: BookKey, *, best: bool) -> None:
        """The book moved or changed its state; `best` when its best prices or its state did."""
        ...

    def invalidated(self, key: BookKey) -> None:
        """The book left LIVE: nothing else is told before."""
        ...

    def traded(self, key: BookKey, trades: Iterable[PublicTrade]) -> None: ...


class Recorder(Protocol):
    """What the feed needs of the history."""

    def book(self, instrument: Instrument, stream: str, epoch: int, event: BookSnapshot | BookDelta) -> None: ...

    def trade(self, instrument: Instrument, stream: str, epoch: int, trade: PublicTrade) -> None: ...


class Interruptions(Protocol):
    """Keeps the intervals in which a book's stream was broken."""

    def begin(self, book: Tracked, *, stream: str, epoch: int, seq: int | None, reason: str) -> None: ...

    def end(self, book: Tracked, *, now_ns: int, ended_by: str) -> None: ...

    def count(self, key: BookKey, now_s: float) -> None: ...


class Silent:
    """Shows, records and keeps nothing."""

    def add(self, source: Tracked) -> None: ...

    def remove(self, key: BookKey, reason: str) -> None: ...

    def changed(self, key: BookKey, *, best: bool) -> None: ...

    def invalidated(self, key: BookKey) -> None: ...

    def traded(self, key: BookKey, trades: Iterable[PublicTrade]) -> None: ...

    def book(self, instrument: Instrument, stream: str, epoch: int, event: BookSnapshot | BookDelta) -> None: ...

    def trade(self, instrument: Instrument, stream: str, epoch: int, trade: PublicTrade) -> None: ...

    def begin(self, book: Tracked, *, stream: str, epoch: int, seq: int | None, reason: str) -> None: ...

    def end(self, book: Tracked, *, now_ns: int, ended_by: str) -> None: ...

    def count(self, key: BookKey, now_s: float) -> None: ...


SILENT = Silent()


class Outlet(Struct, frozen=True):
    """Of one kind of books: the watched ones, or those that a daemon holds for its own trading only."""

    shows: tuple[Shows, ...]
    recorder: Recorder
    outages: Interruptions

    def and_to(self, more: Shows) -> "Outlet":
        return Outlet((*self.shows, more), self.recorder, self.outages)

    def add(self, source: Tracked) -> None:
        for one in self.shows:
            one.add(source)

    def remove(self, key: BookKey, reason: str) -> None:
        for one in self.shows:
            one.remove(key, reason)

    def changed(self, key: BookKey, *, best: bool) -> None:
        for one in self.shows:
            one.changed(key, best=best)

    def invalidated(self, key: BookKey) -> None:
        for one in self.shows:
            one.invalidated(key)

    def traded(self, key: BookKey, trades: Iterable[PublicTrade]) -> None:
        for one in self.shows:
            one.traded(key, trades)
