"""Waiting on a condition, never for luck."""

import asyncio
import math
from collections.abc import Callable

MOMENT_S = 0.005


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as `condition()` is true; raise TimeoutError after `seconds`.

    They are counted in moments of this process's event loop: time in which the machine did not let it work does not
    count, so that a bound says how long our work takes and not how busy the machine is.
    """
    for _ in range(math.ceil(seconds / MOMENT_S)):
        if condition():
            return
        await asyncio.sleep(MOMENT_S)
    if not condition():
        raise TimeoutError(f"did not happen within {seconds:g} s")
