"""A clock that stands still but for what a test sets it forward by."""

import asyncio
import time

TURNS = 200  # of the event loop: more than anything takes that goes over loopback


class StandingClock:
    """Takes the place of `time.monotonic`, which event loops ask too: no timer rings until it is set forward."""

    def __init__(self) -> None:
        self._real = time.monotonic
        self._now = self._real()
        self._running_since: float | None = None

    def __call__(self) -> float:
        return self._now if self._running_since is None else self._now + self._real() - self._running_since

    def skip(self, seconds: float) -> None:
        self._now += seconds

    async def settle(self) -> None:
        """Let happen what is due, and what comes of that."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def run(self) -> None:
        """Go on like any clock."""
        self._running_since = self._real()
