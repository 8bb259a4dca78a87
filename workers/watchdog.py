"""A daemon whose event loop stands says where it does, and ends if it goes on: others take its books and lanes over."""

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)

TELLS_S, ENDS_S = 1.0, 10.0
LOOK_S = 0.1
QUIET_S = 60.0  # after it was told where a loop stands
LOG_S = 0.5  # what stands may be the log


@contextmanager
def watching(code: int) -> Iterator[None]:
    """Look at the running event loop from a thread of its own; one that stands for ENDS_S ends the process."""
    over = threading.Event()
    arguments = (asyncio.get_running_loop(), threading.get_ident(), over, code)
    thread = threading.Thread(target=_watch, args=arguments, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(loop: asyncio.AbstractEventLoop, loop_thread: int, over: threading.Event, code: int) -> None:
    """Looks are counted, not the clock: a process that does not run at all, or hardly, does not stand.

    What never lets go of the interpreter's lock stops this thread as well. Its leases run out as those of a process
    that is gone.
    """
    answered = threading.Event()
    answered.set()
    looks, quiet_until = 0, 0.0
    while not over.wait(LOOK_S):
        if answered.is_set():
            looks = 0
            answered.clear()
            loop.call_soon_threadsafe(answered.set)
            continue
        looks += 1
        if looks >= ENDS_S / LOOK_S:
            _tell("the event loop stands: this process ends", loop_thread, ENDS_S).join(LOG_S)
            os._exit(code)
        if looks >= TELLS_S / LOOK_S and time.monotonic() >= quiet_until:
            _tell("the event loop stands", loop_thread, TELLS_S)
            quiet_until = time.monotonic() + QUIET_S


def _tell(event: str, loop_thread: int, seconds: float) -> threading.Thread:
    """Log the stacks of all threads, that of the event loop first; no values are in them."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sorted(sys._current_frames().items(), key=lambda one: one[0] != loop_thread)
    stacks = "\n".join(f"{names.get(ident)}:\n{''.join(traceback.format_stack(frame))}" for ident, frame in frames)
    telling = threading.Thread(
        target=log.error, args=(event,), kwargs={"seconds": seconds, "stacks": stacks}, name="telling", daemon=True
    )
    telling.start()
    return telling
