"""All books of one exchange and market that a daemon holds, each with its state and the reason for it.

Pure: times come in as arguments (nanoseconds of our clock). A state leaves LIVE before anything else happens to the
book, so whoever publishes right after a call never serves a wrong one.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from apps.feeds.book.builder import Alive, BookBuilder, Changed, Counts, Dropped, NeedSnapshot, Outcome
from apps.feeds.book.continuity import Rule
from apps.feeds.market import BookDelta, BookKey, BookSnapshot, BookState, Instrument
from apps.feeds.subscriptions import Subscription

SECOND_NS = 1_000_000_000

LIMIT_MS, THIN_LIMIT_MS = 5_000, 60_000  # silence that makes a book STALE: of a busy pair, of the thinnest
INTERVALS_PER_LIMIT = 20
LATE_MS, IN_TIME_MS = 5_000, 2_500  # events wait longer than this for us: STALE; shorter than that: LIVE again
SMOOTHING = 0.1  # weight of the newest interval

STORM_RESYNCS, STORM_NS, PAUSE_NS = 5, 60 * SECOND_NS, 60 * SECOND_NS
OVERDUE_NS = 10 * SECOND_NS

_NO_SOCKET = Dropped("no socket")
_PAUSED = Dropped("resyncs are paused")


class Progress(StrEnum):
    """How far a pair's subscription has come on its present socket."""

    PENDING = "PENDING"
    SUBSCRIBED = "SUBSCRIBED"  # data came: an acknowledgement alone proves nothing
    SYNCED = "SYNCED"  # it was LIVE


class Tracked:
    """One book with its state; `version` grows with every change of the state or of the book."""

    def __init__(self, subscription: Subscription, rule: Rule, silence_s: float | None = None) -> None:
        """`silence_s` that makes the book STALE, None: learned from its own pace."""
        self.instrument: Instrument = subscription.instrument
        self.key: BookKey = subscription.key
        self.depth = subscription.depth
        self.builder = BookBuilder(subscription.instrument.symbol, rule)
        self.state = BookState.DOWN
        self.reason = "no socket yet"
        self.since_ns = 0
        self.version = 0
        self.exchange_ms: int | None = None
        self.received_ns: int | None = None
        self.last_event_ns: int | None = None  # the last proof of life
        self.late_ms = 0.0  # how long the events of its socket have been waiting for us
        self.asked_ns: int | None = None
        self.subscribed_ns: int | None = None
        self.synced_ns: int | None = None
        self.paused_until_ns = 0
        self._silence_s = silence_s
        self._interval_ms = 0.0
        self._reminded_ns = 0
        self._resyncs_ns: deque[int] = deque(maxlen=STORM_RESYNCS)

    @property
    def seq(self) -> int | None:
        return self.builder.seq

    @property
    def counts(self) -> Counts:
        return self.builder.counts

    @property
    def limit_ms(self) -> int:
        """Silence allowed before the book is STALE: a thin pair may be quiet for longer."""
        if self._silence_s is not None:
            return round(1000 * self._silence_s)
        return round(min(max(INTERVALS_PER_LIMIT * self._interval_ms, LIMIT_MS), THIN_LIMIT_MS))

    @property
    def step(self) -> Progress:
        if self.synced_ns is not None:
            return Progress.SYNCED
        return Progress.PENDING if self.subscribed_ns is None else Progress.SUBSCRIBED

    def enter(self, state: BookState, reason: str, now_ns: int) -> None:
        if state is not self.state:
            self.since_ns = now_ns
        self.state, self.reason = state, reason
        self.version += 1

    def start_again(self, state: BookState, reason: str, now_ns: int) -> None:
        """Empty the book, whatever is held for it included; nothing of a former socket survives."""
        self.builder.reset()
        self.asked_ns = self.subscribed_ns = self.synced_ns = self.last_event_ns = None
        self.enter(state, reason, now_ns)

    def proven_alive(self, event: BookSnapshot | BookDelta, now_ns: int) -> None:
        """An event in sequence: the book is LIVE again unless we are behind, and its usual interval is learned."""
        came_ns = now_ns - int(self.late_ms * 1e6)
        if self.last_event_ns is not None and not (isinstance(event, BookSnapshot) and event.from_rest):
            interval_ms = max(came_ns - self.last_event_ns, 0) / 1e6
            self._interval_ms += SMOOTHING * (interval_ms - self._interval_ms) if self._interval_ms else interval_ms
        self.last_event_ns, self.received_ns = came_ns, event.received_ns
        self.exchange_ms = event.exchange_ms if event.exchange_ms is not None else self.exchange_ms
        self.judge(now_ns)

    def judge(self, now_ns: int) -> None:
        """LIVE, or STALE where its newest event is far from what has come."""
        behind = self.late_ms > (IN_TIME_MS if self.state is BookState.STALE else LATE_MS)
        if behind and self.state is not BookState.STALE:
            self.enter(BookState.STALE, f"behind by {self.late_ms / 1000:.1f} s", now_ns)
        elif not behind and self.state is not BookState.LIVE:
            self.synced_ns = self.synced_ns or now_ns
            self.enter(BookState.LIVE, "", now_ns)

    def look(self, now_ns: int) -> None:
        """What time alone brings about."""
        if self.last_event_ns is None or self.state not in (BookState.LIVE, BookState.STALE):
            return
        age_ms = (now_ns - self.last_event_ns) / 1e6
        if age_ms <= self.limit_ms:
            self.judge(now_ns)
        elif self.state is BookState.LIVE:
            self.enter(BookState.STALE, f"silent for {age_ms / 1000:.1f} s", now_ns)

    def wait_for_snapshot(self, reason: str, now_ns: int, *, again: bool) -> None:
        """SYNCING; too many resyncs in a minute pause the pair, so that it does not eat the others' budget."""
        if again:
            self._resyncs_ns.append(now_ns)
            stormy = len(self._resyncs_ns) == STORM_RESYNCS and now_ns - self._resyncs_ns[0] <= STORM_NS
            if stormy:
                self._resyncs_ns.clear()
                self.paused_until_ns = now_ns + PAUSE_NS
                self.builder.reset()
                reason = f"{STORM_RESYNCS} resyncs in {STORM_NS // SECOND_NS} s, waiting; the last: {reason}"
        self.enter(BookState.SYNCING, reason, now_ns)

    def overdue(self, now_ns: int) -> bool:
        """Whether data comes and no snapshot does; true at most once in OVERDUE_NS."""
        waiting_ns = now_ns - max(self.since_ns, self._reminded_ns)
        late = self.state is BookState.SYNCING and self.subscribed_ns is not None and waiting_ns >= OVERDUE_NS
        if not late or now_ns < self.paused_until_ns:
            return False
        self._reminded_ns = now_ns
        return True


class Books:
    """The books by symbol. `rule` gives the continuity rule of a depth; `stray` counts events of symbols not held.

    `silence_s` is the silence that makes a book STALE where the exchange sends on a clock.
    """

    def __init__(self, rule: Callable[[int], Rule], *, silence_s: float | None = None) -> None:
        self._rule = rule
        self._silence_s = silence_s
        self._books: dict[str, Tracked] = {}
        self.stray = 0

    def __iter__(self) -> Iterator[Tracked]:
        return iter(list(self._books.values()))

    def __len__(self) -> int:
        return len(self._books)

    def get(self, symbol: str) -> Tracked | None:
        return self._books.get(symbol)

    def add(self, subscription: Subscription) -> Tracked:
        """Hold a pair, DOWN until its socket opens; one held at another depth starts again."""
        tracked = Tracked(subscription, self._rule(subscription.depth), self._silence_s)
        self._books[subscription.instrument.symbol] = tracked
        return tracked

    def remove(self, key: BookKey) -> Tracked | None:
        """Forget a pair; what still arrives for it is stray."""
        symbol = next((symbol for symbol, tracked in self._books.items() if tracked.key == key), None)
        return None if symbol is None else self._books.pop(symbol)

    def socket_open(self, symbols: Iterable[str], now_ns: int) -> list[Tracked]:
        return self._start_again(symbols, BookState.SYNCING, "waiting for the first snapshot", now_ns)

    def socket_closed(self, symbols: Iterable[str], reason: str, now_ns: int) -> list[Tracked]:
        return self._start_again(symbols, BookState.DOWN, reason, now_ns)

    def resync(self, symbol: str, reason: str, now_ns: int) -> Tracked | None:
        """Drop one book, because someone outside knows better; the caller fetches or subscribes anew."""
        tracked = self._books.get(symbol)
        if tracked is None or tracked.state is BookState.DOWN:
            return None
        tracked.builder.reset()
        tracked.counts.resyncs += 1
        tracked.wait_for_snapshot(reason, now_ns, again=True)
        return tracked

    def apply(self, event: BookSnapshot | BookDelta, now_ns: int) -> tuple[Tracked, Outcome] | None:
        """Apply the next event; None when nobody holds its symbol.

        NeedSnapshot asks the caller for one, unless the pair is paused: what comes before its pause ends is dropped,
        and `overdue` asks again after it.
        """
        tracked = self._books.get(event.symbol)
        if tracked is None:
            self.stray += 1
            return None
        if tracked.state is BookState.DOWN:
            tracked.counts.dropped += 1
            return tracked, _NO_SOCKET
        if tracked.subscribed_ns is None:
            tracked.subscribed_ns = now_ns
        if now_ns < tracked.paused_until_ns:
            tracked.counts.dropped += 1
            return tracked, _PAUSED
        resyncs = tracked.counts.resyncs
        outcome = tracked.builder.apply(event)
        if isinstance(outcome, Changed):
            tracked.version += 1
            tracked.proven_alive(event, now_ns)
        elif isinstance(outcome, Alive):
            tracked.proven_alive(event, now_ns)
        elif isinstance(outcome, NeedSnapshot):
            tracked.wait_for_snapshot(outcome.reason, now_ns, again=tracked.counts.resyncs > resyncs)
        return tracked, outcome

    def check(self, now_ns: int) -> list[Tracked]:
        """Those that became STALE, by their age or because we are behind, and those that are LIVE again as we are not.

        What was silent is LIVE again with its next unbroken event.
        """
        before = [(tracked, tracked.state) for tracked in self._books.values()]
        for tracked, _ in before:
            tracked.look(now_ns)
        return [tracked for tracked, state in before if tracked.state is not state]

    def overdue(self, now_ns: int) -> list[Tracked]:
        """Those that still wait for a snapshot although data comes: ask for it (again)."""
        return [tracked for tracked in self._books.values() if tracked.overdue(now_ns)]

    def _start_again(self, symbols: Iterable[str], state: BookState, reason: str, now_ns: int) -> list[Tracked]:
        changed = [tracked for symbol in symbols if (tracked := self._books.get(symbol)) is not None]
        for tracked in changed:
            tracked.start_again(state, reason, now_ns)
        return changed
