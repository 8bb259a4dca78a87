"""Makes callers wait for their turn under a limit."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import uuid4

from apps.feeds.drivers.base import Rate
from apps.feeds.errors import Retryable
from apps.feeds.transport.limits import MARGIN, SlidingWindow


class Meter(Protocol):
    """Counts what all processes send that the exchanges see as one address."""

    async def enter(self, name: str, ticket: str, rate: Rate, weight: int) -> tuple[float, float]:
        """(0.0, 0.0) when it is counted, else the seconds to wait for room, and those for which nobody may enter."""
        ...

    async def leave(self, name: str, ticket: str) -> None:
        """What was sent has arrived or never will: its time in the window begins."""
        ...

    async def shut(self, name: str, for_s: float) -> None: ...


class Gate:
    """Lets callers through in order of arrival, no faster than the rate allows, and nobody while it is shut.

    With a meter the rate and the closing times are shared with the other processes under `name`.
    """

    def __init__(self, rate: Rate, *, name: str = "", meter: Meter | None = None) -> None:
        self._rate = rate
        self._name = name
        self._meter = meter
        self._window = SlidingWindow(rate)
        self._turn = asyncio.Lock()
        self._opens = 0.0  # monotonic

    @property
    def shut_s(self) -> float:
        """Seconds for which it is still shut, as far as this process knows."""
        return max(0.0, self._opens - time.monotonic())

    async def shut(self, for_s: float) -> None:
        self._close(for_s)
        if self._meter is not None and for_s > 0:
            await self._meter.shut(self._name, for_s)

    @asynccontextmanager
    async def turn(self, weight: int = 1) -> AsyncIterator[None]:
        """Wait, then send inside the block. Raises Retryable while it is shut, also if that happens on the way."""
        ticket = uuid4().hex
        async with self._turn:
            delay = await self._delay(ticket, weight)
            while delay > 0:
                await asyncio.sleep(delay)
                delay = await self._delay(ticket, weight)
            self._window.take(time.monotonic(), weight)
        try:
            yield
        finally:
            if self._meter is not None:
                await self._meter.leave(self._name, ticket)

    async def _delay(self, ticket: str, weight: int) -> float:
        if (left := self.shut_s) > 0:
            raise Retryable("the exchange wants us to stay away", after_s=left)
        delay = self._window.delay(time.monotonic(), weight)
        if delay > 0 or self._meter is None:
            return delay
        shared = Rate(self._rate.count, self._rate.per_s * (1 + MARGIN))
        delay, shut_s = await self._meter.enter(self._name, ticket, shared, weight)
        if shut_s > 0:
            self._close(shut_s)
            return await self._delay(ticket, weight)  # which says so
        return delay

    def _close(self, for_s: float) -> None:
        self._opens = max(self._opens, time.monotonic() + for_s)
