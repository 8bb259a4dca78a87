"""The exchanges' time as this process knows it: measured every minute, and doubted when clocks jump.

`now_ms` stands on a clock that nobody sets, so a step of this host's time moves nothing; it is taken for a sign that
the host cannot be trusted before the exchanges were asked anew.
"""

import threading
import time
from collections.abc import Callable

import structlog
from msgspec import Struct

from apps.feeds.errors import FeedError
from apps.feeds.market import MarketType

log = structlog.get_logger(__name__)

EVERY_S = 60.0
SOON_S = 1.0  # after a measurement that failed or was not good enough
GOOD_MS = 100  # half a round trip: better ones are not asked for
TRIES = 3
FRESH_S = 180.0  # what was measured longer ago says nothing
JUMP_S = 1.0
DRIFT = 100e-6  # a clock gains or loses no more than that share of the time


def steady_s() -> float:
    """Seconds that nobody sets, those of a sleeping host included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Sample(Struct, frozen=True):
    """The exchange's answer, and between which two moments (steady) it said so."""

    told_ms: int
    sent_s: float
    got_s: float

    @property
    def offset_ms(self) -> float:
        return self.told_ms - (self.sent_s + self.got_s) * 500

    @property
    def bound_ms(self) -> float:
        """So wrong the offset may be, whichever way the time of the round trip was spent."""
        return (self.got_s - self.sent_s) * 500


class Clock:
    """The time of one market of one exchange. Threads may share it."""

    def __init__(self, *, steady: Callable[[], float] = steady_s, wall: Callable[[], float] = time.time) -> None:
        self._steady, self._wall = steady, wall
        self._lock = threading.Lock()
        self._sample: Sample | None = None
        self._error_ms = 0.0
        self._ahead_s = 0.0  # the host's time of the steady one
        self._tried_s: float | None = None

    def now_ms(self) -> int:
        """The exchange's time; this host's where it was never measured."""
        with self._lock:
            if self._sample is None:
                return int(self._wall() * 1000)
            return int(self._steady() * 1000 + self._sample.offset_ms)

    def error_ms(self) -> int | None:
        """How wrong `now_ms` may be; None: never measured, too long ago, doubted, or this host's time has jumped."""
        with self._lock:
            if self._sample is None or self._error_ms < 0:
                return None
            age_s = self._steady() - self._sample.got_s
            if age_s > FRESH_S or abs(self._wall() - self._steady() - self._ahead_s) > JUMP_S:
                return None
            return int(self._error_ms + age_s * 1000 * DRIFT) + 1

    def is_due(self) -> bool:
        """Whether the exchange should be asked now; the caller does so at once."""
        error_ms = self.error_ms()
        with self._lock:
            since_s = float("inf") if self._tried_s is None else self._steady() - self._tried_s
            due = since_s >= (SOON_S if error_ms is None or error_ms > GOOD_MS else EVERY_S)
            if due:
                self._tried_s = self._steady()
            return due

    def note(self, sample: Sample) -> None:
        """What was measured. A step of the exchange's own time counts as an error until it is measured once more."""
        with self._lock:
            before, self._sample = self._sample, sample
            step_ms = 0.0
            if before is not None:
                step_ms = abs(sample.offset_ms - before.offset_ms) - before.bound_ms - sample.bound_ms
                step_ms -= (sample.got_s - before.got_s) * 1000 * DRIFT
            self._error_ms = sample.bound_ms + max(0.0, step_ms)
            self._ahead_s = self._wall() - self._steady()

    def doubt(self) -> None:
        """The exchange says that we are wrong."""
        with self._lock:
            self._error_ms = -1.0


class Clocks:
    """Those of one process. `ask` returns a sample or raises FeedError; it may wait for seconds."""

    def __init__(
        self,
        ask: Callable[[str, MarketType], Sample],
        *,
        make: Callable[[], Clock] = Clock,
    ) -> None:
        self._ask, self._make = ask, make
        self._clocks: dict[tuple[str, MarketType], Clock] = {}
        self._lock = threading.Lock()

    def of(self, exchange: str, market_type: MarketType) -> Clock:
        """Made when it is first asked for, and measured by the next `measure_due`."""
        with self._lock:
            return self._clocks.setdefault((exchange, market_type), self._make())

    def measured(self, exchange: str, market_type: MarketType) -> Clock:
        """The clock, asked about first if that is due."""
        clock = self.of(exchange, market_type)
        if clock.is_due():
            self._measure(exchange, market_type, clock)
        return clock

    def measure_due(self) -> int:
        """Ask about every clock that is due; how many were. To be called every second."""
        with self._lock:
            known = list(self._clocks.items())
        due = [(named, clock) for named, clock in known if clock.is_due()]
        for (exchange, market_type), clock in due:
            self._measure(exchange, market_type, clock)
        return len(due)

    def _measure(self, exchange: str, market_type: MarketType, clock: Clock) -> None:
        """The best of a few; an exchange that does not answer leaves its clock to age."""
        samples: list[Sample] = []
        try:
            while len(samples) < TRIES and not any(sample.bound_ms <= GOOD_MS for sample in samples):
                samples.append(self._ask(exchange, market_type))
        except FeedError as error:
            log.warning("no time told", exchange=exchange, market_type=market_type, error=str(error))
        if samples:
            clock.note(min(samples, key=lambda sample: sample.bound_ms))
