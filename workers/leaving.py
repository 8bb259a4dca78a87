"""How a process ends within its time, whatever its threads still wait for: what they leave undone, rows tell the next.

Python itself waits for threads until a store or an exchange answers: an event loop that closes for those that it has
given work, and the interpreter for all that are no daemons.
"""

import os
import sys
import threading
import time
from typing import NoReturn

import structlog

log = structlog.get_logger(__name__)

THREADS_END_S = 0.5


def within(seconds: float, code: int) -> None:
    """The process ends by then, with this code unless it has ended by itself."""
    threading.Thread(target=_end_after, args=(seconds, code), name="leaving", daemon=True).start()


def leave(code: int) -> NoReturn:
    """End the process, at once if a thread still hangs."""
    end = time.monotonic() + THREADS_END_S
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                _end(code)
    sys.exit(code)


def _end_after(seconds: float, code: int) -> None:
    time.sleep(seconds)
    log.warning("leaving without these threads", threads=[one.name for one in threading.enumerate() if not one.daemon])
    _end(code)


def _end(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
