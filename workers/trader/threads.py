"""What a trading daemon does again and again beside its event loop: each job in a thread of its own, so that none waits
behind another."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection

import structlog
from django.db import DatabaseError, InterfaceError, connections
from msgspec import Struct

from apps.feeds.errors import FeedError

log = structlog.get_logger(__name__)

AFTER_ERROR_S = 1.0
SWITCH_S = 0.0005  # each answer of the database or an exchange waits so long at most for the loop that feeds books: a
# cancel waits for dozens of them, and Python's own 5 ms would make its way to the exchange a fifth of a second


class Job(Struct, frozen=True, kw_only=True):
    """`call` does what is due. With `more` it returns how much that was: after something it is called again at once.

    `claims`: it begins new orders, and so is the first to stop.
    """

    name: str
    call: Callable[[], object]
    every_s: float
    more: bool = False
    claims: bool = False


class Threads:
    """Runs jobs until they are told to stop. Their errors are logged and counted; a database that is away, once."""

    def __init__(self, jobs: Collection[Job]) -> None:
        self.errors: Counter[str] = Counter()
        self._jobs = list(jobs)
        self._stopped = {True: threading.Event(), False: threading.Event()}  # by `claims`
        self._threads: dict[Job, threading.Thread] = {}

    def start(self) -> None:
        sys.setswitchinterval(SWITCH_S)
        for job in self._jobs:
            thread = threading.Thread(target=self._run, args=(job,), name=job.name, daemon=True)
            self._threads[job] = thread
            thread.start()

    def stop(self, *, claims: bool) -> None:
        """Begin nothing new; what is under way goes on."""
        self._stopped[claims].set()

    def join(self, *, claims: bool, timeout_s: float) -> list[str]:
        """Wait for the ends of those that were told to stop; the names of those that still work after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        of = {job.name: thread for job, thread in self._threads.items() if job.claims is claims}
        for thread in of.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        return [name for name, thread in of.items() if thread.is_alive()]

    def _run(self, job: Job) -> None:
        stopped, away = self._stopped[job.claims], False
        try:
            while not stopped.is_set():
                pause_s = job.every_s
                try:
                    done = job.call()
                    pause_s = 0.0 if job.more and done else job.every_s
                    away = False
                except (DatabaseError, InterfaceError) as error:
                    pause_s = AFTER_ERROR_S
                    self._note(job, error, say=not away)
                    away = True
                except FeedError as error:
                    pause_s = AFTER_ERROR_S
                    self._note(job, error, say=True)
                except Exception:
                    pause_s = AFTER_ERROR_S
                    self.errors[job.name] += 1
                    log.exception("a job of trading failed", job=job.name, errors=self.errors[job.name])
                if pause_s == AFTER_ERROR_S:
                    connections.close_all()  # one that broke is opened anew
                stopped.wait(pause_s)
        finally:
            connections.close_all()

    def _note(self, job: Job, error: Exception, *, say: bool) -> None:
        self.errors[job.name] += 1
        if say:
            log.warning("a job of trading waits", job=job.name, error=str(error), errors=self.errors[job.name])
