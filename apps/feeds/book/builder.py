"""Builds one symbol's book from snapshots and differences, or says what is missing; a wrong book is never kept.

Pure and without a clock: the caller fetches snapshots, measures ages and publishes.
"""

from typing import TypeAlias

from msgspec import Struct

from apps.feeds.book.book import OrderBook
from apps.feeds.book.checksum import RawLevels
from apps.feeds.book.continuity import Rule, Step
from apps.feeds.market import BookDelta, BookSnapshot


class Changed(Struct, frozen=True):
    """The book moved; `best`: the best bid or ask has another price or amount."""

    snapshot: bool
    best: bool


class Held(Struct, frozen=True):
    """Kept until a snapshot comes."""


class Dropped(Struct, frozen=True):
    """Of no use: the book is as it was."""

    reason: str


class Alive(Struct, frozen=True):
    """Proof of life: in sequence, and nothing changed."""


class NeedSnapshot(Struct, frozen=True):
    """There is no book until a snapshot comes; `gap`: there was one, and it was dropped."""

    reason: str
    gap: bool


Outcome: TypeAlias = Changed | Held | Dropped | Alive | NeedSnapshot

_LOADED = Changed(snapshot=True, best=True)
_BEST = Changed(snapshot=False, best=True)
_DEEP = Changed(snapshot=False, best=False)
_HELD = Held()
_ALIVE = Alive()
_OLD = Dropped("already in the book")
_EARLY = Dropped("no snapshot yet")
_UNASKED = Dropped("a snapshot that nobody needs")


class Counts(Struct):
    """`applied` counts messages of the stream (keep-alives too, REST snapshots not); `gaps` books dropped;
    `resyncs` snapshots wanted after the first."""

    applied: int = 0
    dropped: int = 0
    held: int = 0
    gaps: int = 0
    resyncs: int = 0


class BookBuilder:
    """One symbol's book. `book` is None whenever there is nothing that may be served."""

    def __init__(self, symbol: str, rule: Rule, *, max_held: int = 1000) -> None:
        self.symbol = symbol
        self.book: OrderBook | None = None
        self.seq: int | None = None
        self.counts = Counts()
        self._rule = rule
        self._max_held = max_held
        self._held: list[BookDelta] = []
        self._anchored = False  # whether a difference has continued the snapshot yet
        self._raw: RawLevels | None = None

    def apply(self, event: BookSnapshot | BookDelta) -> Outcome:
        """Apply the next event of this symbol; after NeedSnapshot the book is gone and the event is held."""
        if isinstance(event, BookSnapshot):
            return self._snapshot(event)
        if self.book is None:
            return self._hold(event)
        return self._delta(self.book, event)

    def reset(self) -> None:
        """Back to no book and nothing held: the socket is lost, or a new subscription begins."""
        self._forget()
        self._held = []

    def _forget(self) -> None:
        self.book, self.seq, self._raw, self._anchored = None, None, None, False

    def _delta(self, book: OrderBook, delta: BookDelta) -> Outcome:
        judge = self._rule.next if self._anchored else self._rule.first
        step = judge(self.seq, delta)
        if step is Step.OLD:
            self.counts.dropped += 1
            return _OLD
        if step is Step.GAP:
            got = delta.prev_seq if delta.prev_seq is not None else delta.first_seq or delta.seq
            return self._gap(f"gap: had {self.seq}, got {got}", [delta])
        self.seq, self._anchored = delta.seq, True
        before = book.tops()
        book.update(delta.bids, delta.asks)
        fault = self._fault(book, delta)
        if fault:
            return self._gap(fault, [delta])
        self.counts.applied += 1
        if not delta.bids and not delta.asks:
            return _ALIVE
        return _DEEP if book.tops() == before else _BEST

    def _fault(self, book: OrderBook, event: BookSnapshot | BookDelta) -> str | None:
        """Why the book cannot be right after a whole event, None when nothing speaks against it."""
        if book.crossed:
            return f"crossed: {book.bid_prices[-1]} >= {book.ask_prices[0]}"
        if event.window is not None and max(book.bids_count, book.asks_count) > event.window:
            return f"{book.bids_count} bids and {book.asks_count} asks where the stream keeps {event.window}"
        if self._rule.keep is not None:
            book.keep(self._rule.keep)
        return self._checksum_fault(event)

    def _checksum_fault(self, event: BookSnapshot | BookDelta) -> str | None:
        proof = self._rule.proof
        if event.checksum is None or proof is None:
            self._raw = None  # the stream stopped proving itself this way
            return None
        if isinstance(event, BookSnapshot):
            self._raw = proof()
        if self._raw is None:
            return "checksum: the book began without one"
        self._raw.update(event.raw_bids or [], event.raw_asks or [])
        if self._rule.keep is not None:
            self._raw.keep(self._rule.keep)
        return None if self._raw.crc32() == event.checksum else "checksum"

    def _gap(self, reason: str, held: list[BookDelta]) -> NeedSnapshot:
        """Drop the book first; `held` begins the wait for the next snapshot, where the rule waits with events."""
        self._forget()
        self._held = held if self._rule.holds else []
        self.counts.gaps += 1
        self.counts.resyncs += 1
        return NeedSnapshot(reason=reason, gap=True)

    def _hold(self, delta: BookDelta) -> Outcome:
        if not self._rule.holds:
            self.counts.dropped += 1
            return _EARLY
        self.counts.held += 1
        if len(self._held) < self._max_held:
            self._held.append(delta)
            return _HELD if len(self._held) > 1 else NeedSnapshot(reason="the first event is held", gap=False)
        self.counts.dropped += len(self._held)
        self.counts.resyncs += 1
        self._held = [delta]
        return NeedSnapshot(reason=f"held {self._max_held} events and no snapshot came", gap=False)

    def _snapshot(self, snapshot: BookSnapshot) -> Outcome:
        if self.book is not None:
            if snapshot.from_rest:
                self.counts.dropped += 1
                return _UNASKED
            if not self._rule.replaces(self.seq, snapshot):
                self.counts.dropped += 1
                return _OLD
        book = OrderBook(snapshot.bids, snapshot.asks)
        fault = self._fault(book, snapshot)
        if fault:
            return self._gap(fault, self._held)
        if snapshot.from_rest and self._too_old(snapshot):
            self.counts.resyncs += 1
            return NeedSnapshot(reason=f"the snapshot {snapshot.seq} is older than what is held", gap=False)
        self.book, self.seq, self._anchored = book, snapshot.seq, not snapshot.from_rest
        self.counts.applied += not snapshot.from_rest
        return self._apply_held()

    def _too_old(self, snapshot: BookSnapshot) -> bool:
        """Whether the first held event that the snapshot does not cover fails to continue it."""
        for delta in self._held:
            step = self._rule.first(snapshot.seq, delta)
            if step is not Step.OLD:
                return step is Step.GAP
        return False

    def _apply_held(self) -> Outcome:
        held, self._held = self._held, []
        for at, delta in enumerate(held):
            outcome = self.apply(delta)
            if isinstance(outcome, NeedSnapshot):
                self._held += held[at + 1 :]
                return outcome
        return _LOADED
