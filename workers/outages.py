"""Intervals in which a book's stream was broken: from the last good event to the first one after it."""

from collections.abc import Callable

from msgspec.structs import replace

from apps.feeds.book.books import Tracked
from apps.feeds.market import BookKey
from apps.monitoring.gaps import Gap
from workers.meters import LastHour

REASON_CHARACTERS = 200


class Outages:
    """Reports a gap when it begins, open, and again when it ends; counts them per book."""

    def __init__(self, *, daemon: str, report: Callable[[Gap], None]) -> None:
        self.total = LastHour()
        self._daemon = daemon
        self._report = report
        self._open: dict[BookKey, Gap] = {}
        self._counts: dict[BookKey, LastHour] = {}

    def begin(self, book: Tracked, *, stream: str, epoch: int, seq: int | None, reason: str) -> None:
        """`seq` is the last one that was good. A book that never had data has nothing to miss."""
        if book.key in self._open or book.received_ns is None:
            return
        gap = Gap(
            exchange=book.key.exchange,
            market_type=book.key.market_type,
            pair=book.key.pair,
            stream=stream,
            epoch=epoch,
            from_ns=book.received_ns,
            to_ns=None,
            from_seq=seq,
            reason=reason[:REASON_CHARACTERS],
            daemon=self._daemon,
        )
        self._open[book.key] = gap
        self._report(gap)

    def end(self, book: Tracked, *, now_ns: int, ended_by: str) -> None:
        gap = self._open.pop(book.key, None)
        if gap is not None:
            self._report(replace(gap, to_ns=now_ns, to_seq=book.seq, ended_by=ended_by))

    def count(self, key: BookKey, now_s: float) -> None:
        self.total.add(now_s)
        self._counts.setdefault(key, LastHour(most=1_000)).add(now_s)

    def last_hour(self, key: BookKey, now_s: float) -> int:
        counts = self._counts.get(key)
        return 0 if counts is None else counts.count(now_s)
