"""An event loop in a thread of its own, one for each process: that of a process which is not asyncio itself, so that
connections stay open; and the one of a daemon for what shall not wait behind its books.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from apps.per_process import PerProcess

T = TypeVar("T")


def _start() -> asyncio.AbstractEventLoop:
    started = asyncio.new_event_loop()
    threading.Thread(target=started.run_forever, name="transport loop", daemon=True).start()
    return started


_running = PerProcess(_start)


def run(coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
    """Run on the process's loop and wait from any thread; TimeoutError after `timeout` seconds, and it is cancelled."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _running.get())
    try:
        return future.result(timeout)
    except TimeoutError:
        future.cancel()
        raise


async def elsewhere(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await it on that loop from another one; it is cancelled with who awaits it."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, _running.get()))
