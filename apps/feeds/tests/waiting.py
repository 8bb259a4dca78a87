"""Waiting on a condition, never for luck."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as `condition()` is true; raise TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (the condition may live in another process)
            await asyncio.sleep(0.005)
