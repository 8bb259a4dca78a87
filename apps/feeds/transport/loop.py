"""An event loop in a thread of its own, one for each process: that of a process which is not asyncio itself, so that
connections stay open; and the one of a daemon for what shall not wait behind its books.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_pid = 0


def run(coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
    """Run on the process's loop and wait from any thread; TimeoutError after `timeout` seconds, and it is cancelled."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _running())
    try:
        return future.result(timeout)
    except TimeoutError:
        future.cancel()
        raise


async def elsewhere(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await it on that loop from another one; it is cancelled with who awaits it."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, _running()))


def _running() -> asyncio.AbstractEventLoop:
    """Started by the first use in each process: a fork takes the variable along, but not the thread."""
    global _loop, _pid
    with _lock:
        if _loop is None or _pid != os.getpid():
            _loop, _pid = asyncio.new_event_loop(), os.getpid()
            threading.Thread(target=_loop.run_forever, name="transport loop", daemon=True).start()
        return _loop
