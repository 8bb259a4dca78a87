"""Hints of intents that were just written: which lane has something to do, as the bus tells it."""

import queue

from apps.feeds.bus.redis import Subscriber
from apps.trading.execution.waking import CHANNEL

MOST = 1_000  # what does not fit is found by the sweeper


class Wakes:
    """Heard in the event loop, taken by threads."""

    def __init__(self, redis_url: str) -> None:
        self.dropped = 0
        self._subscriber = Subscriber(redis_url, channels=[CHANNEL])
        self._lanes: queue.Queue[str] = queue.Queue(MOST)

    async def run(self) -> None:
        async for _, payload in self._subscriber:
            try:
                self._lanes.put_nowait(payload.decode(errors="replace"))
            except queue.Full:
                self.dropped += 1

    async def aclose(self) -> None:
        await self._subscriber.aclose()

    def take(self, within_s: float) -> str | None:
        """The next lane that was told; None: none was."""
        try:
            return self._lanes.get(timeout=within_s)
        except queue.Empty:
            return None
