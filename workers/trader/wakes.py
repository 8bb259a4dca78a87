"""Hints of what was just wished for: which lane has something to do, and which account something to cancel."""

import queue

from apps.feeds.bus.redis import Subscriber
from apps.feeds.transport import loop
from apps.trading.execution.runtime.waking import CANCELS, CHANNEL

MOST = 1_000  # what does not fit is found by the sweeper


class Wakes:
    """Heard in a loop that feeds no books, taken by threads."""

    def __init__(self, redis_url: str) -> None:
        self.dropped = 0
        self._subscriber = Subscriber(redis_url, channels=[CHANNEL])
        self._lanes: queue.Queue[str] = queue.Queue(MOST)
        self._cancels: queue.Queue[str] = queue.Queue(MOST)

    async def run(self) -> None:
        await loop.elsewhere(self._hear())

    async def aclose(self) -> None:
        await loop.elsewhere(self._subscriber.aclose())

    async def _hear(self) -> None:
        async for _, payload in self._subscriber:
            hint = payload.decode(errors="replace")
            waiting = self._cancels if hint.startswith(CANCELS) else self._lanes
            try:
                waiting.put_nowait(hint.removeprefix(CANCELS))
            except queue.Full:
                self.dropped += 1

    def take(self, within_s: float) -> str | None:
        """The next lane that was told; None: none was."""
        return _next(self._lanes, within_s)

    def take_cancels(self, within_s: float) -> int | None:
        """The next account that was told to have something to cancel; None: none was, or what is no account."""
        try:
            return int(_next(self._cancels, within_s) or "")
        except ValueError:  # whoever may publish on the bus can at most name an account
            return None


def _next(waiting: queue.Queue[str], within_s: float) -> str | None:
    try:
        return waiting.get(timeout=within_s)
    except queue.Empty:
        return None
