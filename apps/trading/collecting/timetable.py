"""When an account's sweeps are due: on timers, sooner while nothing is pushed, at once after a gap."""

import random
from collections.abc import Callable, Collection

from msgspec import Struct

from apps.feeds.transport.backoff import Backoff
from apps.trading.collecting.silence import LONG_S
from apps.trading.collecting.sweep import AFTER_A_GAP, EVERYTHING, Part

LEAST = 0.5  # of a pause after a failure
PUSHED = frozenset({Part.ORDERS, Part.TRADES})  # what a socket tells, and sweeps in its place


class Times(Struct, frozen=True, kw_only=True):
    """Seconds between two of each."""

    orders_s: float = 10.0
    trades_s: float = 60.0
    holdings_s: float = 60.0
    differing_s: float = 5.0  # holdings, while they differ from our fills
    audit_s: float = 3600.0
    without_socket_s: float = 5.0  # orders and trades
    again_s: float = 1.0  # after a failure, growing to `longest_s`
    longest_s: float = 30.0
    away_s: float = 0.5  # looks whether the database is back
    silent_s: float = LONG_S  # without a word, then a person is called
    watch_s: float = 5.0


class Timetable:
    """Of one account. `is_pushed`: its socket runs; `differs`: its holdings are not what our fills make of them."""

    def __init__(self, times: Times, clock: Callable[[], float], rng: random.Random | None = None) -> None:
        self.is_pushed = False
        self.differs = False
        self._times = times
        self._clock = clock
        self._due: dict[Part, float] = dict.fromkeys(Part, clock())
        self._audit_s = clock() + times.audit_s
        self._backoff = Backoff(
            first_s=times.again_s, most_s=times.longest_s, rng=rng or random.SystemRandom(), least=LEAST
        )

    def parts(self, gap: bool) -> tuple[frozenset[Part], bool]:
        """What is due now, and whether it is the time of an audit. `gap`: something may have been missed."""
        now_s = self._clock()
        if now_s >= self._audit_s:
            return EVERYTHING, True
        due = frozenset(part for part in Part if now_s >= self._due[part])
        return (due | AFTER_A_GAP if gap else due), False

    def swept(self, parts: Collection[Part], audit: bool) -> None:
        now_s = self._clock()
        for part in parts:
            self._due[part] = now_s + self._every(part)
        if audit:
            self._audit_s = now_s + self._times.audit_s

    def silent(self) -> None:
        """Nothing is pushed: sweeps alone bring what happens, and so they come sooner."""
        self.is_pushed = False
        soon_s = self._clock() + self._times.without_socket_s
        for part in PUSHED:
            self._due[part] = min(self._due[part], soon_s)

    def answered(self) -> None:
        self._backoff.reset()

    def failed(self) -> float:
        """Seconds before the exchange is asked again; accounts that failed together do not ask together."""
        return self._backoff.next()

    @property
    def next_s(self) -> float:
        """Seconds until something is due."""
        return max(0.0, min(*self._due.values(), self._audit_s) - self._clock())

    def _every(self, part: Part) -> float:
        if part in PUSHED and not self.is_pushed:
            return self._times.without_socket_s
        every = {
            Part.ORDERS: self._times.orders_s,
            Part.TRADES: self._times.trades_s,
            Part.HOLDINGS: self._times.differing_s if self.differs else self._times.holdings_s,
            Part.FUNDING: self._times.audit_s,
        }
        return every[part]
