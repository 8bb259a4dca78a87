"""A market that moves as it once did: recorded frames, played again and again."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from apps.feeds.simulator.listings import Listing, Scale
from apps.feeds.simulator.market import Market, Side, Trade, Write
from apps.feeds.simulator.streams import BookStream, Message

PLAY_S = 0.5  # natural time between two frames
QUOTES = ("USDT", "USDC", "EUR", "USD", "BTC", "ETH")
MIN_UPDATES = 10  # a shorter recording would close its sockets all the time
Levels = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Print:
    """A recorded trade, in the exchange's text."""

    number: int
    side: str
    price: str
    size: str
    ms: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One recorded message, or the book that a recording begins with."""

    seq: int
    bids: Levels = ()
    asks: Levels = ()
    payload: dict[str, Any] = field(default_factory=dict)  # word for word, without an envelope
    prints: tuple[Print, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """What one symbol did. `channel`: whose frames are played word for word; others are made from the book."""

    market_type: str
    symbol: str
    channel: str
    first: Frame
    frames: list[Frame]
    pair: tuple[str, str] | None = None  # base and quote, where the symbol does not end with the quote

    @property
    def updates(self) -> int:
        return sum(not frame.prints for frame in self.frames)


class RecordedMarket(Market):
    """Book and numbers are those of the recording at the frame last played."""

    def __init__(self, listing: Listing, recording: Recording, write: Write) -> None:
        super().__init__(listing, rng=random.Random(listing.symbol), write=write, seq=recording.first.seq)
        self._recording = recording
        self._next = 0
        self._played: list[Message] | None = None  # frames for the channel that repeats them, while it is open
        self._load()

    def played(self, stream: BookStream) -> BookStream:
        """The stream itself, or the one that repeats the recorded frames in its place."""
        stream.pace = 1 / PLAY_S
        return Repeater(stream, self) if stream.name == self._recording.channel else stream

    def listen(self, messages: list[Message] | None) -> None:
        self._played = messages

    def step(self, now: float, ms: int) -> list[Trade]:
        """Play up to the next book frame; waits while the last one has not been passed on."""
        trades: list[Trade] = []
        while not self._played and not self.ended:
            frame = self._recording.frames[self._next]
            self._next += 1
            self.ended = self._next == len(self._recording.frames)
            trades += [self._trade(print_) for print_ in frame.prints]
            if not frame.prints:
                self._apply(frame)
                break
        self.trades.extend(trades)
        return trades

    def rewind(self) -> None:
        super().rewind()
        self._next = 0
        if self._played is not None:
            self._played.clear()
        self._load()

    def _load(self) -> None:
        first = self._recording.first
        for side, levels in ((self.bids, first.bids), (self.asks, first.asks)):
            for key in list(side.keys):
                self.put(side, key, 0)
            self._set(side, levels)
        self.seq = first.seq

    def _apply(self, frame: Frame) -> None:
        self._set(self.bids, frame.bids)
        self._set(self.asks, frame.asks)
        self.seq = frame.seq
        if self._played is not None:
            self._played.append(Message(frame.payload, frame.seq))

    def _set(self, side: Side, levels: Levels) -> None:
        price, size = self.listing.price, self.listing.size
        for level in levels:
            self.put(side, side.sign * price.count(level[0]), size.count(level[1]))

    def _trade(self, print_: Print) -> Trade:
        return Trade(
            number=print_.number,
            side="buy" if print_.side == "buy" else "sell",
            price=self.listing.price.count(print_.price),
            size=self.listing.size.count(print_.size),
            ms=print_.ms,
            seq=self.seq,
        )


class Repeater(BookStream):
    """Says what was recorded, word for word; a new socket starts with the book of this moment."""

    def __init__(self, stream: BookStream, market: RecordedMarket) -> None:
        super().__init__(stream.name, market, PLAY_S)
        self.pace = stream.pace
        self.inner = stream
        self._recorded = market
        self._messages: list[Message] = []

    @property
    def seq(self) -> int:
        return self.market.seq

    def body(self, message: Message) -> bytes:
        return self.inner.body(message)

    def broken(self, message: Message, *, cut: bool) -> bytes:
        return self.inner.broken(message, cut=cut)

    def frame(self, body: bytes) -> bytes:
        return self.inner.frame(body)

    def open(self) -> None:
        self._messages.clear()
        self._recorded.listen(self._messages)

    def shut(self) -> None:
        super().shut()
        self._recorded.listen(None)

    def welcome(self, ms: int) -> Message | None:
        return self.inner.welcome(ms)

    def next(self, ms: int) -> Message | None:
        return self._messages.pop(0) if self._messages else None


class Library(ABC):
    """The recordings of one exchange in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def recordings(self) -> Iterable[Recording]: ...

    def markets(self, listings: list[Listing], writer: Callable[[Listing], Write]) -> list[RecordedMarket]:
        """All recordings that are long enough; listed as the exchange lists them, or like a neighbour."""
        markets = []
        for recording in self.recordings():
            if recording.updates >= MIN_UPDATES:
                listing = _listing(recording, listings)
                markets.append(RecordedMarket(listing, recording, writer(listing)))
        return markets

    def lines(self, pattern: str) -> Iterable[tuple[str, list[dict[str, Any]]]]:
        """Name and JSON lines of each file that fits, in the order of names."""
        for path in sorted(self.folder.glob(pattern)):
            yield path.name, [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line]


def _listing(recording: Recording, listings: list[Listing]) -> Listing:
    """The listing with the tick and lot that the recorded numbers need."""
    here = [listing for listing in listings if listing.market_type == recording.market_type and listing.live]
    found = next((listing for listing in here if listing.symbol == recording.symbol), None)
    if found is None:
        base, quote = recording.pair or _split(recording.symbol.upper())
        alike = [listing for listing in here if listing.quote == quote] or here
        found = replace(alike[-1], symbol=recording.symbol, base=base, quote=quote, category=alike[0].category)
    levels = [level for frame in (recording.first, *recording.frames) for level in (*frame.bids, *frame.asks)]
    sizes = [level[1] for level in levels] + [print_.size for frame in recording.frames for print_ in frame.prints]
    prices = [level[0] for level in levels] + [print_.price for frame in recording.frames for print_ in frame.prints]
    return replace(
        found,
        start_price=float(recording.first.bids[0][0]),
        price=_scale(prices, recording.first.bids[0][0]),
        size=_scale(sizes, recording.first.bids[0][1]),
        activity=1.0,
    )


def _split(name: str) -> tuple[str, str]:
    quote = next(quote for quote in QUOTES if name.endswith(quote))
    return name.removesuffix(quote).rstrip("-_"), quote


def _scale(texts: list[str], sample: str) -> Scale:
    """The coarsest power of ten that all numbers are multiples of; digits fixed if the sample ends in zeros."""
    exponents = [int(Decimal(text).normalize().as_tuple().exponent) for text in texts if Decimal(text)]
    step = Decimal(1).scaleb(min([0, *exponents]))
    fixed = "." in sample and sample.endswith("0")
    return Scale(step, len(sample.partition(".")[2]) if fixed else None)
