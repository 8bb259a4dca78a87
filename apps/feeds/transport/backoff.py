"""How long to stay away after a failure."""

import random


class Backoff:
    """Full jitter: each delay is anywhere in 0..ceiling seconds, and the ceiling doubles until `reset`.

    `least`: the share of the ceiling that each delay has at least, where an attempt is dear.
    """

    def __init__(self, *, first_s: float, most_s: float, rng: random.Random, least: float = 0.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._rng = rng
        self._least = least
        self._ceiling_s = first_s

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        delay = self._rng.uniform(self._least * self._ceiling_s, self._ceiling_s)
        self._ceiling_s = min(2 * self._ceiling_s, self._most_s)
        return delay

    def reset(self) -> None:
        """The last attempt worked."""
        self._ceiling_s = self._first_s
