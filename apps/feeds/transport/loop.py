"""The event loop of a process that is not asyncio itself: one, in a thread, so that connections stay open."""

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


def _running() -> asyncio.AbstractEventLoop:
    """Started by the first use in each process: a fork takes the variable along, but not the thread."""
    global _loop, _pid
    with _lock:
        if _loop is None or _pid != os.getpid():
            _loop, _pid = asyncio.new_event_loop(), os.getpid()
            threading.Thread(target=_loop.run_forever, name="transport loop", daemon=True).start()
        return _loop
