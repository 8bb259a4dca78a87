"""Work of many accounts side by side: an exchange that does not answer, however many accounts it has, holds up nobody
else's."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import DatabaseError, InterfaceError, connections

from apps.feeds.errors import FeedError
from apps.trading.execution.runtime import failing
from apps.trading.execution.runtime.failing import Rests
from apps.trading.models import Account

log = structlog.get_logger(__name__)

THREADS = 8  # of each exchange, begun as they are needed
KEPT_S = 60.0  # a connection to the database that nobody has used for so long is not trusted; a new one costs a cancel
# half a dozen answers of the database
REST_S = 2.0  # at most, of an account whose work has failed and that nobody tells of
AT_ONCE = 2  # of one account, where the second was told of and others find half of the threads free all the same


class Exchanges:
    """At which exchange an account is. Asked once: it never moves."""

    def __init__(self) -> None:
        self._known: dict[int, Hashable] = {}

    def __call__(self, account_id: int) -> Hashable:
        if account_id not in self._known:
            self._known.update(Account.objects.filter(pk=account_id).values_list("pk", "exchange_id"))
        return self._known.get(account_id)


class Spread:
    """Calls that belong to accounts: of different ones at once, of one account one at a time, or two: see `begin`.

    Each exchange has threads of its own.
    """

    def __init__(
        self,
        name: str,
        call: Callable[[int], object],
        threads: int = THREADS,
        *,
        exchange_of: Callable[[int], Hashable] | None = None,
        kept_s: float = KEPT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.errors = 0
        self._kept_s = kept_s
        self._own = threading.local()
        self._name, self._call = name, call
        self._exchange_of = exchange_of or Exchanges()
        self._pools: dict[Hashable, ThreadPoolExecutor] = {}
        self._threads = threads
        self._busy: Counter[int] = Counter()
        self._busy_at: Counter[Hashable] = Counter()  # the same, of each exchange
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
            exchange = self._exchange_of(account_id)
            with self._lock:
                if self._closed:
                    break
                if self._busy[account_id] and not (told and self._has_room_beside(account_id, exchange)):
                    if told:
                        self._again.add(account_id)
                    continue
                self._busy[account_id] += 1
                self._busy_at[exchange] += 1
                self._submit(account_id, exchange)
            begun += 1
        return begun

    def close(self) -> None:
        """Wait for what was begun; nothing else begins."""
        with self._lock:
            self._closed = True
        for pool in self._pools.values():  # all first: nothing begins while another exchange is waited for
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in self._pools.values():
            pool.shutdown(wait=True)

    def _submit(self, account_id: int, exchange: Hashable) -> None:
        if exchange not in self._pools:
            self._pools[exchange] = ThreadPoolExecutor(self._threads, thread_name_prefix=self._name)
        self._pools[exchange].submit(self._run, account_id, exchange)

    def _run(self, account_id: int, exchange: Hashable) -> None:
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
            self._leave(account_id, exchange)

    def _count_failure(self, account_id: int) -> int:
        """Of this work, how many there were."""
        self._rests.begin(account_id)
        self.errors += 1
        connections.close_all()  # one that broke is opened anew
        return failing.count(self._name)

    def _has_room_beside(self, account_id: int, exchange: Hashable) -> bool:
        return self._busy[account_id] < AT_ONCE and self._busy_at[exchange] < self._threads // 2

    def _leave(self, account_id: int, exchange: Hashable) -> None:
        """Free it, or let it wait for a thread once more, behind those that wait already."""
        with self._lock:
            if account_id in self._again and not self._closed:
                self._again.discard(account_id)
                self._submit(account_id, exchange)
            else:
                self._busy -= Counter([account_id])
                self._busy_at[exchange] -= 1
