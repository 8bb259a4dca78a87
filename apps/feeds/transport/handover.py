"""From one socket to its successor without a hole or a repeat. Pure: events in, events to pass on out.

Both sockets carry the same streams for a while, each at its own lag. A stream moves over at the first event that both
have brought: what the old socket brought after it is skipped on the new one, and what the new one brought after it
(held until then) follows at once. A snapshot counts as the event whose `seq` it has, since it says the same. Where the
exchange numbers nothing, no event is known to be the same: such a stream begins anew with the new socket's snapshot.
"""

from apps.feeds.drivers.base import TopicKind
from apps.feeds.market import BookSnapshot, PublicTrade
from apps.feeds.transport.ledger import Ledger
from apps.feeds.transport.link import MarketData
from apps.feeds.transport.slots import Phase, Slot

MAX_HELD = 1_000  # events of one stream; with more the two have lost each other


class _Stream:
    """One stream on both sockets, until and after it moves over."""

    __slots__ = ("held", "moved", "told")

    def __init__(self) -> None:
        self.told: dict[int | str | None, None] = {}  # what the old socket brought and the new one has still to bring
        self.held: list[MarketData] = []  # from the new socket, not passed on yet
        self.moved = False

    @property
    def settled(self) -> bool:
        return not self.told and not self.held

    def old(self, event: MarketData) -> list[MarketData]:
        if self.moved:
            return []
        for at, held in enumerate(self.held):
            if _id(held) == _id(event):
                self.told.clear()
                return [event, *self.move(self.held[at + 1 :])]
        self.told[_id(event)] = None
        return [event]

    def new(self, event: MarketData) -> list[MarketData]:
        if _id(event) is None and not self.moved:
            return self._begin_anew(event)
        if _id(event) in self.told:
            self._forget_until(event)
            return self.move([])
        if self.moved:
            return [event]
        self.held.append(event)
        return self.move(self.held) if len(self.held) > MAX_HELD else []

    def move(self, rest: list[MarketData]) -> list[MarketData]:
        self.moved, self.held = True, []
        return rest

    def _begin_anew(self, event: MarketData) -> list[MarketData]:
        if not isinstance(event, BookSnapshot):
            return []
        self.told.clear()
        return self.move([event])

    def _forget_until(self, event: MarketData) -> None:
        """What the old socket brought before this event came before the new one's subscription."""
        for told in list(self.told):
            del self.told[told]
            if told == _id(event):
                return


class Handover:
    def __init__(self, old: Ledger, new: Ledger) -> None:
        self._old = old
        self._new = new
        self._streams: dict[tuple[TopicKind, str], _Stream] = {}

    def from_old(self, events: list[MarketData]) -> list[MarketData]:
        return [passed for event in events for passed in self._stream(event).old(event)]

    def from_new(self, events: list[MarketData]) -> list[MarketData]:
        return [passed for event in events for passed in self._stream(event).new(event)]

    def complete(self) -> bool:
        """The old socket can go: all that it brings, the new one brings too."""
        books = all(_ready(slot, self._new.books.get(symbol), Phase.LIVE) for symbol, slot in self._old.books.items())
        # trades of a thin pair may stay away for hours: the ack has to do
        trades = all(
            _ready(slot, self._new.trades.get(symbol), Phase.LIVE, Phase.SUBSCRIBED)
            for symbol, slot in self._old.trades.items()
        )
        return books and trades and all(stream.settled for stream in self._streams.values())

    def finish(self) -> list[MarketData]:
        """Give out what is still held: where the sockets found no common event, the book must judge the break."""
        return [event for stream in self._streams.values() for event in stream.move(stream.held)]

    def _stream(self, event: MarketData) -> _Stream:
        kind = TopicKind.TRADES if isinstance(event, PublicTrade) else TopicKind.BOOK
        return self._streams.setdefault((kind, event.symbol), _Stream())


def _ready(old: Slot, new: Slot | None, *enough: Phase) -> bool:
    return old.phase is not Phase.LIVE or not old.passing or (new is not None and new.phase in enough)


def _id(event: MarketData) -> int | str | None:
    return event.trade_id if isinstance(event, PublicTrade) else event.seq
