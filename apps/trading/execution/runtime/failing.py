"""Faults at the tops of loops: logged, counted by the work that failed, and not repeated at once.

What is wrong with one account, lane or position stops no other one's work. A database that is away is no such fault:
what it raises goes up to whoever runs the loop.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError

from apps.trading.execution.runtime.transactions import is_passing

log = structlog.get_logger(__name__)
T = TypeVar("T", bound=Hashable)

FIRST_S, LONGEST_S = 1.0, 30.0  # what has failed rests so long, each time twice as long, and no longer than this

_counts: Counter[str] = Counter()  # of this process
_counting = threading.Lock()


def count(work: str) -> int:
    """One more; how many that makes."""
    with _counting:
        _counts[work] += 1
        return _counts[work]


def counts() -> Mapping[str, int]:
    """By work, since the process began."""
    with _counting:
        return dict(_counts)


def for_ever(work: str, call: Callable[[], object], every_s: float) -> None:
    """Of a thread that nobody starts anew: it has to outlive whatever is raised."""
    while True:
        try:
            call()
        except Exception:
            log.exception("work failed", work=work, failures=count(work))
        time.sleep(every_s)


class Rests:
    """What has failed, and is left alone for a while. Threads may share it."""

    def __init__(self, *, longest_s: float = LONGEST_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest_s, self._clock = longest_s, clock
        self._until: dict[Hashable, tuple[float, float]] = {}  # thing -> until when, and how long that is
        self._lock = threading.Lock()

    def has(self, thing: Hashable) -> bool:
        with self._lock:
            return thing in self._until and self._clock() < self._until[thing][0]

    def all(self) -> list[Hashable]:
        """What is left alone now."""
        with self._lock:
            now = self._clock()
            return [thing for thing, (until, _) in self._until.items() if now < until]

    def begin(self, thing: Hashable) -> None:
        """It has failed once more."""
        with self._lock:
            now = self._clock()
            known = {each: rest for each, rest in self._until.items() if now < rest[0] + self._longest_s}
            last_s = known[thing][1] if thing in known else FIRST_S / 2
            rest_s = min(2 * last_s, self._longest_s)
            self._until = {**known, thing: (now + rest_s, rest_s)}

    def end(self, thing: Hashable) -> None:
        with self._lock:
            self._until.pop(thing, None)


class Apart:
    """Work on many things, each apart from the others."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rests: dict[str, Rests] = {}  # by work

    def each(self, work: str, call: Callable[[T], int], things: Iterable[T]) -> int:
        """The sum of what `call` returns; what fails counts as nothing, and is passed over while it rests."""
        return sum(self._one(work, call, thing) for thing in things)

    def resting(self, work: str) -> list[Hashable]:
        """What of that work is passed over now."""
        return self._of(work).all()

    def _one(self, work: str, call: Callable[[T], int], thing: T) -> int:
        rests = self._of(work)
        if rests.has(thing):
            return 0
        try:
            done = call(thing)
        except Exception as error:
            if _is_away(error):
                raise
            log.exception("work failed", work=work, about=str(thing), failures=count(work))
            rests.begin(thing)
            return 0
        rests.end(thing)
        return done

    def _of(self, work: str) -> Rests:
        return self._rests.setdefault(work, Rests(clock=self._clock))


def _is_away(error: Exception) -> bool:
    """Whether the database is; one row that somebody holds too long is a row's fault."""
    return isinstance(error, InterfaceError) or (isinstance(error, OperationalError) and not is_passing(error))
