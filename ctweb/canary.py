"""A Celery worker that takes nothing any more, though its broker answers, ends itself; its supervisor starts it again.

Every so often it sends itself a task that does nothing, on a queue of its own: one consumer reads that and all others.
Whatever begins here is a sign of life. While the broker takes no canary nothing is held against the worker.
"""

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable
from itertools import count

import structlog
from celery import shared_task
from celery.utils.nodenames import worker_direct
from celery.worker import state
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

SILENT = 4.5  # so many canaries in a row that nobody took are enough
LOOKS = 10  # for each canary
ENDS_S = 5.0  # after SIGTERM, for what is under way
TEMPFAIL = 75


@shared_task(acks_late=False, ignore_result=True)
def canary() -> None:
    """Taken: that is all."""


def start(node: str, every_s: float) -> None:
    """Watch this process, the worker `node`, from a thread of its own."""
    watch = Watch(every_s, taken=lambda: state.all_total_count[0], send=lambda: _send(node, every_s))
    threading.Thread(target=_run, args=(watch, node), name="canary", daemon=True).start()


class Watch:
    """Time in which this process did not run at all, or waited for the broker, does not count."""

    def __init__(self, every_s: float, *, taken: Callable[[], int], send: Callable[[], bool]) -> None:
        """`taken`: how many tasks began so far; `send`: whether the broker took one more canary."""
        self.look_s = every_s / LOOKS
        self._most = round(SILENT * LOOKS)
        self._taken, self._send = taken, send
        self._seen, self._silent = taken(), 0
        self._looks = count()

    def is_alive(self) -> bool:
        """To be asked every `look_s`."""
        self._silent += 1
        taken = self._taken()
        if taken != self._seen:
            self._seen, self._silent = taken, 0
        if next(self._looks) % LOOKS == 0 and not self._send():
            self._silent = 0
        return self._silent <= self._most


def _send(node: str, every_s: float) -> bool:
    try:
        canary.apply_async(queue=worker_direct(node), expires=every_s, retry=False)
    except (OperationalError, OSError) as error:
        log.info("no canary: the broker is away", error=str(error))
        return False
    return True


def _run(watch: Watch, node: str) -> None:
    while watch.is_alive():
        time.sleep(watch.look_s)
    log.critical("this worker takes nothing any more and ends", worker=node)
    faulthandler.dump_traceback()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ENDS_S)
    os._exit(TEMPFAIL)
