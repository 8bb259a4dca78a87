"""How much may be sent when. Pure: the time (seconds, any steady clock) comes in with every call."""

from collections import deque
from collections.abc import Sequence

from apps.feeds.drivers.base import Rate

MARGIN = 0.1  # frames travel at uneven speed: what left 1.0 s apart may arrive 0.95 s apart


class SlidingWindow:
    """At most `rate.count` of weight in any stretch of `rate.per_s` seconds, with a margin for the way there."""

    def __init__(self, rate: Rate, *, margin: float = MARGIN) -> None:
        self.count = rate.count
        self.per_s = rate.per_s * (1 + margin)
        self._taken: deque[tuple[float, int]] = deque()  # (when, weight), oldest first
        self._sum = 0

    def delay(self, now: float, weight: int = 1, *, spare: int = 0) -> float:
        """Seconds until `weight` more fits, 0.0 if it does now; one over the whole budget waits for an empty window.

        `spare` of the budget stays free for those who ask without.
        """
        self._forget(now)
        count = self.count - spare
        excess = self._sum + min(weight, count) - count
        if excess <= 0:
            return 0.0
        for at, taken in self._taken:
            excess -= taken
            if excess <= 0:
                return at + self.per_s - now
        raise AssertionError("the window's sum is the sum of its entries")

    def take(self, now: float, weight: int = 1) -> None:
        """Count `weight` as sent at `now`, whether it fits or not."""
        self._forget(now)
        weight = min(weight, self.count)
        self._taken.append((now, weight))
        self._sum += weight

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0][0] + self.per_s <= now:
            self._sum -= self._taken.popleft()[1]


class Pace:
    """Several windows that hold at once, such as frames per second and frames per hour."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._windows = [SlidingWindow(rate) for rate in rates]

    def delay(self, now: float, weight: int = 1) -> float:
        return max((window.delay(now, weight) for window in self._windows), default=0.0)

    def take(self, now: float, weight: int = 1) -> None:
        for window in self._windows:
            window.take(now, weight)
