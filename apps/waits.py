"""Waiting for what may not come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TURNS = 10


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set, at most so long; whether it is."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """As `asyncio.timeout`, but the event loop must have been there all the time: who was not looked at is not late.

    A timer that comes late after a pause of the process, or of a loop that others keep busy, comes before the answer
    that has long been there is read. The time is cut into TURNS parts, each of which begins when the loop has come
    to it. Raises TimeoutError.
    """
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle | None = None

    def turn(left: int) -> None:
        nonlocal timer
        if left > 0:
            timer = loop.call_later(seconds / TURNS, turn, left - 1)
        else:
            timer = None
            deadline.reschedule(loop.time())

    async with asyncio.timeout(None) as deadline:
        turn(TURNS)
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
