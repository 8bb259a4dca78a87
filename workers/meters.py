"""What a daemon measures of itself: time comes in as an argument, in seconds of a monotonic clock."""

import math
from collections import deque

WINDOW_S = 60
PER_OCTAVE = 16  # buckets between a value and its double: quantiles are right to 4.4 %
BUCKETS = 30 * PER_OCTAVE  # from 1 us to 18 min
HOUR_S = 3_600.0


class Latencies:
    """Quantiles of the last 60 s, in bounded memory whatever the rate."""

    def __init__(self) -> None:
        self._seconds = [[0] * BUCKETS for _ in range(WINDOW_S)]
        self._total = [0] * BUCKETS
        self._now = 0

    def add(self, now_s: float, nanoseconds: int) -> None:
        self._advance(int(now_s))
        microseconds = max(nanoseconds / 1_000, 1.0)
        bucket = min(int(math.log2(microseconds) * PER_OCTAVE), BUCKETS - 1)
        self._seconds[self._now % WINDOW_S][bucket] += 1
        self._total[bucket] += 1

    def quantiles_ms(self, now_s: float, *quantiles: float) -> list[float | None]:
        """The upper bound of each quantile's bucket; None where nothing was measured."""
        self._advance(int(now_s))
        count = sum(self._total)
        return [self._quantile_ms(count, quantile) for quantile in quantiles]

    def _quantile_ms(self, count: int, quantile: float) -> float | None:
        below = 0
        for bucket, number in enumerate(self._total):
            below += number
            if below >= max(1.0, quantile * count):
                return round(2 ** ((bucket + 1) / PER_OCTAVE) / 1_000, 3)
        return None

    def _advance(self, second: int) -> None:
        """Forget the seconds that left the window."""
        for past in range(max(self._now + 1, second - WINDOW_S + 1), second + 1):
            old = self._seconds[past % WINDOW_S]
            if any(old):
                self._total = [total - number for total, number in zip(self._total, old, strict=True)]
                self._seconds[past % WINDOW_S] = [0] * BUCKETS
        self._now = max(self._now, second)


class Rate:
    """Mean growth per second of a counter over the last 5 readings, taken once a second."""

    def __init__(self, readings: int = 5) -> None:
        self._readings: deque[tuple[float, int]] = deque(maxlen=readings + 1)

    def read(self, now_s: float, count: int) -> float:
        self._readings.append((now_s, count))
        then_s, before = self._readings[0]
        return round((count - before) / (now_s - then_s), 1) if now_s > then_s else 0.0


class LastHour:
    """Values of the last hour; the oldest leave early when there are very many."""

    def __init__(self, most: int = 10_000) -> None:
        self._values: deque[tuple[float, float]] = deque(maxlen=most)

    def add(self, now_s: float, value: float = 1.0) -> None:
        self._values.append((now_s, value))

    def count(self, now_s: float) -> int:
        self._forget(now_s)
        return len(self._values)

    def quantile(self, now_s: float, quantile: float) -> float | None:
        self._forget(now_s)
        values = sorted(value for _, value in self._values)
        return round(values[min(int(quantile * len(values)), len(values) - 1)], 3) if values else None

    def _forget(self, now_s: float) -> None:
        while self._values and self._values[0][0] < now_s - HOUR_S:
            self._values.popleft()
