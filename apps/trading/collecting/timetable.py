"""When an account's sweeps are due: on timers, sooner while nothing is pushed, at once after a gap; later what was not
told."""

import random
from collections.abc import Callable, Collection

from msgspec import Struct

from apps.feeds.transport.backoff import Backoff
from apps.trading.collecting.silence import LONG_S
from apps.trading.collecting.swept import AFTER_A_GAP, EVERYTHING, Part

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
        self._rests: dict[Part, float] = {}  # until then it is not asked for
        self._audit_s = clock() + times.audit_s
        self._gap = True
        self._missed: frozenset[Part] = frozenset()
        rng = rng or random.SystemRandom()
        self._backoff, *backoffs = (
            Backoff(first_s=times.again_s, most_s=times.longest_s, rng=rng, least=LEAST) for _ in (None, *Part)
        )
        self._backoffs = dict(zip(Part, backoffs, strict=True))

    def missed(self) -> None:
        """Something may have happened unseen, whatever is being swept. May be called from any thread."""
        self._gap = True

    @property
    def has_gap(self) -> bool:
        """Not all of what may have been missed was told since."""
        return self._gap or bool(self._missed)

    def parts(self) -> tuple[frozenset[Part], bool]:
        """What is due now, and whether it is the time of an audit."""
        if self._gap:
            self._gap, self._missed = False, AFTER_A_GAP
        now_s = self._clock()
        if now_s >= self._audit_s:
            return EVERYTHING, True
        due = frozenset(part for part in Part if now_s >= self._due[part])
        return frozenset(part for part in due | self._missed if now_s >= self._rests.get(part, now_s)), False

    def swept(
        self, parts: Collection[Part], audit: bool, unread: Collection[Part] = frozenset(), after_s: float = 0.0
    ) -> None:
        """Those that are `unread` were not told in full: due again after a pause of `after_s` or more."""
        now_s = self._clock()
        self._missed -= frozenset(parts) - frozenset(unread)
        for part in parts:
            self._due[part] = now_s + self._every(part)
            self._rests.pop(part, None)
            if part not in unread:
                self._backoffs[part].reset()
        for part in unread:
            self._due[part] = self._rests[part] = now_s + max(self._backoffs[part].next(), after_s)
        if audit:
            self._audit_s = max([now_s + self._times.audit_s] if not unread else map(self._rests.__getitem__, unread))

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
        due = [max(at, self._rests.get(part, at)) for part, at in self._due.items()]
        return max(0.0, min(*due, self._audit_s) - self._clock())

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
