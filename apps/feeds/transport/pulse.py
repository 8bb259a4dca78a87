"""Whether the other side of a socket still lives."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from apps.feeds.drivers.base import Frame, Heartbeat
from apps.feeds.errors import ConnectionLost


class Pulse:
    """Asks for life as often as the exchange wants it, and at once when nothing was heard for `quiet_s` seconds.

    `ask` sends the heartbeat's frame, or a protocol ping for None; any frame after it is an answer. Where the exchange
    alone asks, nothing is sent, and its questions are the proof of life.
    """

    def __init__(self, beat: Heartbeat, *, quiet_s: float, ask: Callable[[Frame | None], Awaitable[None]]) -> None:
        self.heard = time.monotonic()
        self._beat = beat
        self._quiet_s = quiet_s
        self._ask = ask
        self._number = 0

    def hear(self) -> None:
        self.heard = time.monotonic()

    async def run(self) -> None:
        """Until cancelled; raises ConnectionLost when no frame comes in time."""
        await (self._listen() if self._beat.listens else self._beat_for_ever())

    async def _listen(self) -> None:
        while True:
            left = self.heard + self._beat.answer_s - time.monotonic()
            if left <= 0:
                raise ConnectionLost(f"no frame for {self._beat.answer_s:g} s")
            await asyncio.sleep(left)

    async def _beat_for_ever(self) -> None:
        asked = time.monotonic()
        while True:
            due = min(asked + self._beat.every_s, max(self.heard, asked) + self._quiet_s)
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
                continue
            asked = time.monotonic()
            await self._ask(self._frame())
            await asyncio.sleep(self._beat.answer_s)
            if self.heard < asked:
                raise ConnectionLost(f"no frame within {self._beat.answer_s:g} s of a ping")

    def _frame(self) -> Frame | None:
        self._number += 1
        send = self._beat.send
        return send(self._number) if callable(send) else send
