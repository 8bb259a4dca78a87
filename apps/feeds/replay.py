"""Replays recorded frames of one exchange and market through its driver and its books, without clock or network.

Amounts stay as the exchange counts them: a replay has no catalogue.
"""

import binascii
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from apps.feeds.book.builder import BookBuilder
from apps.feeds.book.recorded import Recorded
from apps.feeds.drivers.base import Driver, Frame
from apps.feeds.errors import MalformedFrame, Refused, Retryable
from apps.feeds.market import FULL_DEPTH, BookDelta, BookSnapshot, BookState, Levels, MarketType


class SymbolReport(Struct, frozen=True, kw_only=True):
    """What became of one symbol. `malformed` counts the frames that named it, and those that named nobody."""

    symbol: str
    state: BookState
    seq: int | None
    applied: int
    dropped: int
    gaps: int
    resyncs: int
    malformed: int
    bids_count: int
    asks_count: int
    bids: Levels
    asks: Levels


def frames(lines: Iterable[bytes], *, base64: bool) -> Iterator[Frame | MalformedFrame]:
    """One frame per line; blank lines are none. What is not base64 where it should be is a malformed frame."""
    for line in lines:
        text = line.rstrip(b"\r\n")
        if not text:
            continue
        try:
            yield b64decode(text, validate=True) if base64 else text
        except binascii.Error as error:
            yield MalformedFrame(f"not base64: {error}")


class Replay:
    """`snapshots` are REST answers by symbol, offered in their order whenever a book waits for one."""

    def __init__(self, driver: Driver, market_type: MarketType, snapshots: Mapping[str, Sequence[bytes]]) -> None:
        self.malformed: list[MalformedFrame] = []
        self._driver = driver
        self._market_type = market_type
        self._builders: dict[str, BookBuilder] = {}
        self._rules: dict[str, Recorded] = {}
        self._snapshots = {symbol: list(answers) for symbol, answers in snapshots.items()}
        self._named_malformed: defaultdict[str, int] = defaultdict(int)

    def play(self, frame: Frame | MalformedFrame) -> None:
        """Apply one frame; a malformed one is counted and changes nothing else."""
        if isinstance(frame, MalformedFrame):
            self._refuse(frame)
            return
        try:
            events = self._driver.parse(self._market_type, frame, 0)
        except MalformedFrame as error:
            self._refuse(error)
            return
        for event in events:
            if isinstance(event, BookSnapshot | BookDelta):
                builder = self._builder(event.symbol)
                if isinstance(event, BookSnapshot):
                    self._rules[event.symbol].saw(event)
                builder.apply(event)
                self._offer(builder)

    def finish(self, levels: int = FULL_DEPTH) -> list[SymbolReport]:
        """Every symbol that a book, a snapshot or a malformed frame named, with its best `levels` (0 is all)."""
        for symbol in (*self._snapshots, *self._named_malformed):
            self._offer(self._builder(symbol))
        return [self._report(builder, levels) for builder in self._builders.values()]

    def _builder(self, symbol: str) -> BookBuilder:
        if symbol not in self._builders:
            rules = [self._driver.rule(self._market_type, depth) for depth in self._driver.depths(self._market_type)]
            # The rule of the full depth takes whole books as well, the one of whole books takes no differences.
            rule = Recorded(self._driver.rule(self._market_type, FULL_DEPTH), rules, anchored=symbol in self._snapshots)
            self._rules[symbol], self._builders[symbol] = rule, BookBuilder(symbol, rule)
        return self._builders[symbol]

    def _offer(self, builder: BookBuilder) -> None:
        waiting = self._snapshots.get(builder.symbol, [])
        while builder.book is None and waiting:
            answer = waiting.pop(0)
            try:
                builder.apply(self._driver.parse_snapshot(self._market_type, builder.symbol, answer, 0))
            except (MalformedFrame, Refused, Retryable) as error:
                self._refuse(MalformedFrame(f"snapshot of {builder.symbol}: {error}", symbol=builder.symbol))

    def _refuse(self, error: MalformedFrame) -> None:
        self.malformed.append(error)
        if error.symbol is not None:
            self._named_malformed[error.symbol] += 1

    def _report(self, builder: BookBuilder, levels: int) -> SymbolReport:
        book, counts = builder.book, builder.counts
        bids, asks = ([], []) if book is None else book.top(levels)
        nameless = sum(error.symbol is None for error in self.malformed)
        return SymbolReport(
            symbol=builder.symbol,
            state=BookState.SYNCING if book is None else BookState.LIVE,
            seq=builder.seq,
            applied=counts.applied,
            dropped=counts.dropped,
            gaps=counts.gaps,
            resyncs=counts.resyncs,
            malformed=self._named_malformed[builder.symbol] + nameless,
            bids_count=0 if book is None else book.bids_count,
            asks_count=0 if book is None else book.asks_count,
            bids=bids,
            asks=asks,
        )


JSON_FIELDS = ("state", "seq", "gaps", "applied", "malformed", "bids", "asks")


def as_json(reports: Iterable[SymbolReport]) -> dict[str, dict[str, object]]:
    return {report.symbol: {field: getattr(report, field) for field in JSON_FIELDS} for report in reports}


def as_text(reports: Iterable[SymbolReport]) -> Iterator[str]:
    """One head line per symbol, then its levels side by side, best first."""
    for report in reports:
        yield (
            f"{report.symbol}  {report.state}  seq {report.seq}  applied {report.applied}  dropped {report.dropped}  "
            f"gaps {report.gaps}  malformed {report.malformed}  resyncs {report.resyncs}  "
            f"levels {report.bids_count}/{report.asks_count}"
        )
        for rank in range(max(len(report.bids), len(report.asks))):
            yield f"  {_level(report.bids, rank):>36}  |  {_level(report.asks, rank)}"


def _level(levels: Levels, rank: int) -> str:
    if rank >= len(levels):
        return ""
    price, amount = levels[rank]
    return f"{amount!r} at {price!r}"
