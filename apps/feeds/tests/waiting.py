"""Waiting on a condition, never for luck, and bounds that say how long our work takes, not how busy the machine is.

Time is counted in moments: time in which the machine did not let this process work does not count.
"""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

MOMENT_S = 0.005
LOOK_S = 0.05


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as `condition()` is true; raise TimeoutError after `seconds`, in moments of the event loop."""
    for _ in range(math.ceil(seconds / MOMENT_S)):
        if condition():
            return
        await asyncio.sleep(MOMENT_S)
    if not condition():
        raise TimeoutError(f"did not happen within {seconds:g} s")


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel it and wait until it is gone; what else it raises comes out here."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def await_that(condition: Callable[[], object], seconds: float = 60) -> None:
    """As `until`, where there is no event loop."""
    for _ in range(math.ceil(seconds / LOOK_S)):
        if condition():
            return
        time.sleep(LOOK_S)
    if not condition():
        raise TimeoutError(f"did not happen within {seconds:g} s")


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Gives the seconds since it began, in moments of another thread of this process."""
    moments, over = [0], threading.Event()

    def count() -> None:
        while not over.wait(MOMENT_S):
            moments[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield lambda: moments[0] * MOMENT_S
    finally:
        over.set()
        thread.join()
