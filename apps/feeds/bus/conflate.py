"""What of one book must be published, and when: the latest state at a settable rate, bad news at once. Pure.

`now_ns` is a monotonic clock, so that a step of the wall clock neither stops nor floods the bus; `wall_ns` is what
messages carry.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from apps.feeds.bus import codec
from apps.feeds.market import PublicTrade

BEST_GAP_NS = 20_000_000  # between two changes of the best prices
FULL_GAP_NS = 500_000_000
TAPE_GAP_NS = 100_000_000
TAPE_KEY_GAP_NS = 1_000_000_000
REWRITE_NS = 2_000_000_000  # keys expire after 5 s


class Op(NamedTuple):
    """One write: `ttl_s` > 0 sets the key and publishes, 0 only publishes, < 0 only sets the key."""

    name: str
    ttl_s: int
    payload: bytes


class Slot:
    """Everything that waits to be published of one book.

    Versions count up from `base`, so that a book which leaves and comes back goes on where it was.
    """

    def __init__(self, source: codec.Source, *, shard: str, interval_ns: int, base: int) -> None:
        self.source = source
        self.shard = shard
        self.base = base
        self.skipped = 0  # trades that were never published while Redis was away
        self._interval_ns = interval_ns
        self._urgent: list[Op] = []
        self._book_due: int | None = None
        self._full_due: int | None = None
        self._tape_due: int | None = None
        self._book_sent = self._full_sent = self._best_sent = self._tape_sent = self._tape_key_sent = 0
        self._version_sent = -1
        self._best: tuple[object, ...] = ()
        self._tape_key_old = False
        self._trades: deque[codec.TradeMessage] = deque(maxlen=codec.TAPE_TRADES)
        self._taken_trades: list[codec.TradeMessage] = []
        self._tape: deque[codec.TradeMessage] = deque(maxlen=codec.TAPE_TRADES)

    @property
    def version(self) -> int:
        return self.base + self.source.version

    @property
    def urgent(self) -> bool:
        return bool(self._urgent)

    @property
    def waiting(self) -> bool:
        return (
            bool(self._urgent)
            or self._book_due is not None
            or self._full_due is not None
            or (self._tape_due is not None)
        )

    def changed(self, now_ns: int, *, best: bool) -> None:
        """The book moved; `best` when its best prices or its state did."""
        gap = min(BEST_GAP_NS, self._interval_ns) if best else self._interval_ns
        self._book_due = _sooner(self._book_due, max(now_ns, self._book_sent + gap))
        if codec.full_wanted(self.source):
            self._full_due = _sooner(self._full_due, max(now_ns, self._full_sent + FULL_GAP_NS))

    def invalidated(self, now_ns: int, wall_ns: int, fence: int) -> None:
        """The book left LIVE: that it did is published even if it is LIVE again a moment later."""
        payload = self._encode(codec.top_levels(self.source.depth), fence, wall_ns)
        ops = [Op(codec.book_name(self.source.key), codec.BOOK_TTL_S, payload)]
        if codec.full_wanted(self.source):
            full = self._encode(codec.FULL_LEVELS, fence, wall_ns)
            ops.append(Op(codec.full_name(self.source.key), codec.BOOK_TTL_S, full))
        ops.append(self._best_op(now_ns))
        self._urgent = ops

    def traded(self, now_ns: int, trades: Iterable[PublicTrade]) -> None:
        for trade in trades:
            if len(self._trades) == codec.TAPE_TRADES:
                self.skipped += 1
            message = codec.trade_message(trade)
            self._trades.append(message)
            self._tape.append(message)
        self._tape_key_old = True
        self._tape_due = _sooner(self._tape_due, max(now_ns, self._tape_sent + TAPE_GAP_NS))

    def rewrite(self, now_ns: int) -> None:
        """Keep the keys alive: make due what was not written for too long."""
        if self._book_due is None and now_ns - self._book_sent >= REWRITE_NS:
            self._book_due = now_ns
        if codec.full_wanted(self.source) and self._full_due is None and now_ns - self._full_sent >= REWRITE_NS:
            self._full_due = now_ns
        if self._tape_key_old and self._tape_due is None and now_ns - self._tape_key_sent >= TAPE_KEY_GAP_NS:
            self._tape_due = now_ns

    def refresh(self, now_ns: int) -> None:
        """Redis may have lost what it had: every key of this book is due again."""
        self._book_due = now_ns
        self._full_due = now_ns if codec.full_wanted(self.source) else None
        self._best_sent = self._tape_key_sent = 0
        self._tape_key_old = bool(self._tape)
        if self._tape:
            self._tape_due = now_ns

    def failed(self, now_ns: int) -> None:
        """What was taken last may not have arrived: the latest is due again.

        An old invalidation is not: had it arrived, its version would go backwards.
        """
        back = self._taken_trades + list(self._trades)
        self.skipped += max(0, len(back) - codec.TAPE_TRADES)
        self._trades = deque(back, maxlen=codec.TAPE_TRADES)
        self._taken_trades = []
        self._version_sent = -1
        self.refresh(now_ns)

    def take_urgent(self) -> list[Op]:
        ops, self._urgent = self._urgent, []
        return ops

    def take(self, now_ns: int, wall_ns: int, fence: int) -> tuple[list[Op], int | None]:
        """What is due now, and since when (wall clock) a new state of the book has been; None when it is an old one.

        A new state is due from its receipt, or from the moment that the rate allowed it if that is later.
        """
        ops: list[Op] = []
        since_ns = None
        self._taken_trades = []
        if self._book_due is not None and self._book_due <= now_ns:
            if self.version != self._version_sent:
                since_ns = max(wall_ns - (now_ns - self._book_due), self.source.received_ns or 0)
            ops += self._take_book(now_ns, wall_ns, fence)
        if self._full_due is not None and self._full_due <= now_ns:
            payload = self._encode(codec.FULL_LEVELS, fence, wall_ns)
            ops.append(Op(codec.full_name(self.source.key), codec.BOOK_TTL_S, payload))
            self._full_due, self._full_sent = None, now_ns
        if self._tape_due is not None and self._tape_due <= now_ns:
            ops += self._take_tape(now_ns)
        return ops, since_ns

    def gone(self, wall_ns: int, fence: int, reason: str) -> list[Op]:
        """The last words: DOWN, under a version above all others."""
        payload = codec.encode_gone(
            self.source, reason=reason, fence=fence, version=self.version + 1, published_ns=wall_ns
        )
        names = [codec.book_name(self.source.key)]
        if codec.full_wanted(self.source):
            names.append(codec.full_name(self.source.key))
        return [Op(name, codec.BOOK_TTL_S, payload) for name in names]

    def _take_book(self, now_ns: int, wall_ns: int, fence: int) -> list[Op]:
        payload = self._encode(codec.top_levels(self.source.depth), fence, wall_ns)
        ops = [Op(codec.book_name(self.source.key), codec.BOOK_TTL_S, payload)]
        self._book_due, self._book_sent, self._version_sent = None, now_ns, self.version
        if self._best != codec.best_of(self.source) or now_ns - self._best_sent >= REWRITE_NS:
            ops.append(self._best_op(now_ns))
        return ops

    def _take_tape(self, now_ns: int) -> list[Op]:
        name, ops = codec.trades_name(self.source.key), []
        self._taken_trades = list(self._trades)
        self._trades.clear()
        if self._taken_trades:
            ops.append(Op(name, 0, codec.encode_trades(self._taken_trades)))
        if self._tape_key_old and now_ns - self._tape_key_sent >= TAPE_KEY_GAP_NS:
            ops.append(Op(name, -codec.TAPE_TTL_S, codec.encode_trades(self._tape)))
            self._tape_key_old, self._tape_key_sent = False, now_ns
        self._tape_due, self._tape_sent = None, now_ns
        return ops

    def _best_op(self, now_ns: int) -> Op:
        self._best, self._best_sent = codec.best_of(self.source), now_ns
        return Op(codec.best_name(self.source.key), codec.BOOK_TTL_S, codec.encode_best(self.source))

    def _encode(self, levels: int, fence: int, wall_ns: int) -> bytes:
        return codec.encode_book(self.source, levels=levels, fence=fence, version=self.version, published_ns=wall_ns)


def _sooner(have: int | None, candidate: int) -> int:
    return candidate if have is None else min(have, candidate)
