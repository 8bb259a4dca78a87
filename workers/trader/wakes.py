"""Hints of what was just wished for: which lane has something to do, and that there is something to cancel."""

import queue
import threading

from apps.feeds.bus.redis import Subscriber
from apps.trading.execution.waking import CANCELS, CHANNEL

MOST = 1_000  # what does not fit is found by the sweeper


class Wakes:
    """Heard in the event loop, taken by threads."""

    def __init__(self, redis_url: str) -> None:
        self.dropped = 0
        self._subscriber = Subscriber(redis_url, channels=[CHANNEL])
        self._lanes: queue.Queue[str] = queue.Queue(MOST)
        self._cancels = threading.Event()

    async def run(self) -> None:
        async for _, payload in self._subscriber:
            hint = payload.decode(errors="replace")
            if hint.startswith(CANCELS):
                self._cancels.set()
                continue
            try:
                self._lanes.put_nowait(hint)
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

    def await_cancels(self, within_s: float) -> None:
        """Return when there is something to cancel, or after so long: one may not have been told."""
        self._cancels.wait(within_s)
        self._cancels.clear()
