"""Exchanges of a few lines: each changes a plain book and tells it by one continuity rule.

They remember the true book at every id that they gave out, so that a builder can be judged at whatever id it stands.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from msgspec.structs import replace

from apps.feeds.book.continuity import (
    Chain,
    ExactlyPlusOne,
    PlusOne,
    PreviousSequence,
    PreviousUpdate,
    PushedRange,
    Rule,
    UpdateRange,
    VersionRange,
    WholeBooks,
)
from apps.feeds.market import BookDelta, BookSnapshot, Levels

Truth = tuple[Levels, Levels]
Event = BookSnapshot | BookDelta


class Server(ABC):
    """Bids live at 1 to 20 and asks at 21 to 40, so that the true book never crosses. `chance` yields small numbers."""

    rule: Rule

    def __init__(self, chance: Iterator[int]) -> None:
        self.chance = chance
        self.sides: tuple[dict[float, float], dict[float, float]] = ({}, {})
        self.seq = 1_000
        self.truths: dict[int, Truth] = {self.seq: ([], [])}

    def change(self) -> tuple[Levels, Levels]:
        """Change one to three levels; returns what a message must say of it. Each change takes an id of its own."""
        told: tuple[dict[float, float], dict[float, float]] = ({}, {})
        for _ in range(1 + next(self.chance) % 3):
            where, amount = next(self.chance) % 40, float(next(self.chance) % 4)
            side, price = where // 20, float(where + 1)
            told[side][price] = amount
            if amount:
                self.sides[side][price] = amount
            else:
                self.sides[side].pop(price, None)
            self.seq = self.next_id()
            self.truths[self.seq] = self.truth()
        return list(told[0].items()), list(told[1].items())

    def truth(self) -> Truth:
        bids, asks = (sorted(side.items()) for side in self.sides)
        return bids[::-1], asks

    def next_id(self) -> int:
        return self.seq + 1

    @abstractmethod
    def event(self) -> Event:
        """Change the book, and tell it."""

    def oddity(self) -> Event:
        """Something rare that is valid all the same."""
        return self.event()

    def snapshot(self, seq: int | None = None) -> BookSnapshot:
        """The book as it was at an id, the present one unless told."""
        at = self.seq if seq is None else seq
        bids, asks = self.truths[at]
        return BookSnapshot(symbol="X", seq=at, bids=bids, asks=asks, received_ns=0, from_rest=self.rule.holds)


class SpotServer(Server):
    rule = UpdateRange()

    def event(self) -> BookDelta:
        first = self.seq + 1
        bids, asks = self.change()
        return BookDelta(symbol="X", first_seq=first, seq=self.seq, bids=bids, asks=asks, received_ns=0)


class FuturesServer(Server):
    """Ids are shared with other symbols: they jump."""

    rule = PreviousUpdate()

    def next_id(self) -> int:
        return self.seq + 1 + next(self.chance) % 5

    def event(self) -> BookDelta:
        previous = self.seq
        bids, asks = self.change()
        first = min(seq for seq in self.truths if seq > previous)
        return BookDelta(
            symbol="X", first_seq=first, seq=self.seq, prev_seq=previous, bids=bids, asks=asks, received_ns=0
        )


class PlusOneServer(Server):
    rule = PlusOne()

    def change(self) -> tuple[Levels, Levels]:
        before = self.seq
        told = super().change()
        self.seq = before + 1  # one id per message
        self.truths[self.seq] = self.truth()
        return told

    def event(self) -> BookDelta:
        bids, asks = self.change()
        return BookDelta(symbol="X", seq=self.seq, bids=bids, asks=asks, received_ns=0)


class PushedRangeServer(SpotServer):
    rule = PushedRange()


class ChainServer(Server):
    rule = Chain()

    def next_id(self) -> int:
        return self.seq + 1 + next(self.chance) % 9

    def event(self) -> BookDelta:
        previous = self.seq
        bids, asks = self.change()
        return BookDelta(symbol="X", seq=self.seq, prev_seq=previous, bids=bids, asks=asks, received_ns=0)

    def oddity(self) -> BookDelta:
        if next(self.chance) % 2:
            return BookDelta(symbol="X", seq=self.seq, prev_seq=self.seq, bids=[], asks=[], received_ns=0)
        delta = self.event()  # maintenance: the ids begin again below all that were
        self.seq = min(self.truths) - 1_000
        self.truths[self.seq] = self.truth()
        return BookDelta(
            symbol="X", seq=self.seq, prev_seq=delta.prev_seq, bids=delta.bids, asks=delta.asks, received_ns=0
        )


class PreviousSequenceServer(Server):
    """Numbers jump; a push may change nothing and still move them. A snapshot may be of a moment inside a push."""

    rule = PreviousSequence(400)

    def next_id(self) -> int:
        return self.seq + 1 + next(self.chance) % 9

    def event(self) -> BookDelta:
        previous = self.seq
        bids, asks = self.change()
        return BookDelta(symbol="X", seq=self.seq, prev_seq=previous, bids=bids, asks=asks, received_ns=0)

    def oddity(self) -> BookDelta:
        previous, self.seq = self.seq, self.next_id()
        self.truths[self.seq] = self.truth()
        return BookDelta(symbol="X", seq=self.seq, prev_seq=previous, bids=[], asks=[], received_ns=0)


class ExactlyPlusOneServer(PlusOneServer):
    """Every subscription counts anew; its snapshot says so."""

    rule = ExactlyPlusOne()

    def snapshot(self, seq: int | None = None) -> BookSnapshot:
        return replace(super().snapshot(seq), restarts=True)

    def oddity(self) -> BookSnapshot:
        self.seq = min(self.truths) - 1_000
        self.truths[self.seq] = self.truth()
        return self.snapshot()


class VersionRangeServer(SpotServer):
    rule = VersionRange()


class WholeServer(Server):
    rule = WholeBooks()

    def event(self) -> BookSnapshot:
        self.change()
        return self.snapshot()
