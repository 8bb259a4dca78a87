"""Work of many accounts side by side: an exchange that does not answer holds up nobody else's."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import DatabaseError, InterfaceError, connections

from apps.feeds.errors import FeedError
from apps.trading.execution.runtime import failing
from apps.trading.execution.runtime.failing import Rests

log = structlog.get_logger(__name__)

THREADS = 8
KEPT_S = 60.0  # a connection to the database that nobody has used for so long is not trusted; a new one costs a cancel
# half a dozen answers of the database
REST_S = 2.0  # at most, of an account whose work has failed and that nobody tells of
AT_ONCE = 2  # of one account, where the second was told of and others find half of the threads free all the same


class Spread:
    """Calls that belong to accounts: of different ones at once, of one account one at a time, or two: see `begin`."""

    def __init__(
        self,
        name: str,
        call: Callable[[int], object],
        threads: int = THREADS,
        *,
        kept_s: float = KEPT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.errors = 0
        self._kept_s = kept_s
        self._own = threading.local()
        self._name, self._call = name, call
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._half = threads // 2
        self._busy: Counter[int] = Counter()
        self._again: set[int] = set()  # of the busy ones
        self._rests = Rests(longest_s=REST_S, clock=clock)
        self._closed = False
        self._lock = threading.Lock()

    def begin(self, accounts: Iterable[int], *, told: bool = False) -> int:
        """Begin with those that nothing is done for; how many. It does not wait for them.

        `told`: something new is known to be there for them. What is under way may have looked before that, and waits
        for an exchange's answer, so one that is busy is begun a second time beside it, while enough threads are free;
        else it has its turn once more right after, however often it was told.
        """
        begun = 0
        for account_id in accounts:
            if not told and self._rests.has(account_id):
                continue
            with self._lock:
                if self._closed:
                    break
                if self._busy[account_id] and not (told and self._has_room_beside(account_id)):
                    if told:
                        self._again.add(account_id)
                    continue
                self._busy[account_id] += 1
            self._pool.submit(self._run, account_id)
            begun += 1
        return begun

    def close(self) -> None:
        """Wait for what was begun; nothing else begins."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, account_id: int) -> None:
        if time.monotonic() >= getattr(self._own, "kept_until", 0.0):
            connections.close_all()
        try:
            self._call(account_id)
            self._own.kept_until = time.monotonic() + self._kept_s
            self._rests.end(account_id)
        except (DatabaseError, InterfaceError, FeedError) as error:
            failures = self._count_failure(account_id)
            log.warning("an account waits", work=self._name, account=account_id, error=str(error), failures=failures)
        except Exception:
            failures = self._count_failure(account_id)
            log.exception("work of an account failed", work=self._name, account=account_id, failures=failures)
        finally:
            self._leave(account_id)

    def _count_failure(self, account_id: int) -> int:
        """Of this work, how many there were."""
        self._rests.begin(account_id)
        self.errors += 1
        connections.close_all()  # one that broke is opened anew
        return failing.count(self._name)

    def _has_room_beside(self, account_id: int) -> bool:
        return self._busy[account_id] < AT_ONCE and self._busy.total() < self._half

    def _leave(self, account_id: int) -> None:
        """Free it, or let it wait for a thread once more, behind those that wait already."""
        with self._lock:
            if account_id in self._again and not self._closed:
                self._again.discard(account_id)
                self._pool.submit(self._run, account_id)
            else:
                self._busy -= Counter([account_id])
