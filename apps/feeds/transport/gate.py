"""Makes callers wait for their turn under a limit."""

import asyncio
import time

from apps.feeds.drivers.base import Rate
from apps.feeds.transport.limits import SlidingWindow


class Gate:
    """Lets callers through in order of arrival, no faster than the rate allows."""

    def __init__(self, rate: Rate) -> None:
        self._window = SlidingWindow(rate)
        self._turn = asyncio.Lock()

    async def enter(self, weight: int = 1) -> None:
        async with self._turn:
            await asyncio.sleep(self._window.delay(time.monotonic(), weight))
            self._window.take(time.monotonic(), weight)
