"""Makes callers wait for their turn under a limit."""

import asyncio
import time

from apps.feeds.drivers.base import Rate
from apps.feeds.transport.limits import SlidingWindow


class Gate:
    """Lets callers through in order of arrival, no faster than the rate allows, and nobody while it is shut."""

    def __init__(self, rate: Rate) -> None:
        self._window = SlidingWindow(rate)
        self._turn = asyncio.Lock()
        self._opens = 0.0  # monotonic

    @property
    def shut_s(self) -> float:
        """Seconds for which it is still shut."""
        return max(0.0, self._opens - time.monotonic())

    def shut(self, for_s: float) -> None:
        self._opens = max(self._opens, time.monotonic() + for_s)

    async def enter(self, weight: int = 1) -> None:
        async with self._turn:
            delay = self._delay(weight)
            while delay > 0:
                await asyncio.sleep(delay)
                delay = self._delay(weight)
            self._window.take(time.monotonic(), weight)

    def _delay(self, weight: int) -> float:
        return max(self.shut_s, self._window.delay(time.monotonic(), weight))
