"""Work of many accounts side by side: an exchange that does not answer, however many accounts it has, holds up nobody
else's."""

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import DatabaseError, InterfaceError, connections

from apps.feeds.drivers import registry
from apps.feeds.errors import FeedError
from apps.trading.execution.runtime import failing
from apps.trading.execution.runtime.failing import Rests
from apps.trading.models import Account

log = structlog.get_logger(__name__)

THREADS = 8  # of one exchange at most
OWN = 2  # of these, that an exchange has whatever the others do; it shares the rest with them, for each thread has a
# connection to the database, which does not have many
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

    Each exchange has `own` threads, and all of them together `threads - own` more, so `threads` is the most of one.
    """

    def __init__(
        self,
        name: str,
        call: Callable[[int], object],
        threads: int = THREADS,
        own: int = OWN,
        *,
        exchange_of: Callable[[int], Hashable] | None = None,
        kept_s: float = KEPT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.errors = 0
        self._kept_s = kept_s
        self._local = threading.local()
        self._name, self._call = name, call
        self._exchange_of = exchange_of or Exchanges()
        self._threads, self._own = threads, min(own, threads)
        most = threads + self._own * (len(registry.exchange_ids()) - 1)
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._waiting: dict[Hashable, deque[int]] = defaultdict(deque)  # for a thread, of each exchange
        self._running: Counter[Hashable] = Counter()  # threads of each exchange
        self._busy: Counter[int] = Counter()  # what runs or waits of each account
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
                self._waiting[exchange].append(account_id)
                if (turn := self._take()) is not None:
                    self._pool.submit(self._run, *turn)
            begun += 1
        return begun

    def close(self) -> None:
        """Wait for what was begun; nothing else begins."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
        self._pool.shutdown(wait=True)

    def _take(self) -> tuple[int, Hashable] | None:
        """A thread for what waits, first at the exchange that has the fewest: the account and the exchange."""
        spare = self._spare()
        able = [
            each for each, waiting in self._waiting.items() if waiting and (spare or self._running[each] < self._own)
        ]
        if not able:
            return None
        exchange = min(able, key=self._running.__getitem__)
        self._running[exchange] += 1
        return self._waiting[exchange].popleft(), exchange

    def _spare(self) -> int:
        """Of the threads that no exchange has for itself."""
        return self._threads - self._own - sum(max(0, each - self._own) for each in self._running.values())

    def _run(self, account_id: int, exchange: Hashable) -> None:
        turn: tuple[int, Hashable] | None = (account_id, exchange)
        while turn is not None:
            self._call_one(turn[0])
            turn = self._leave(*turn)

    def _call_one(self, account_id: int) -> None:
        try:
            if time.monotonic() >= getattr(self._local, "kept_until", 0.0):
                connections.close_all()
            self._call(account_id)
            self._local.kept_until = time.monotonic() + self._kept_s
            self._rests.end(account_id)
        except (DatabaseError, InterfaceError, FeedError) as error:
            failures = self._count_failure(account_id)
            log.warning("an account waits", work=self._name, account=account_id, error=str(error), failures=failures)
        except Exception:
            failures = self._count_failure(account_id)
            log.exception("work of an account failed", work=self._name, account=account_id, failures=failures)

    def _count_failure(self, account_id: int) -> int:
        """Of this work, how many there were."""
        self._rests.begin(account_id)
        self.errors += 1
        self._local.kept_until = 0.0  # a connection that broke is opened anew
        return failing.count(self._name)

    def _has_room_beside(self, account_id: int, exchange: Hashable) -> bool:
        unused = self._spare() + max(0, self._own - self._running[exchange])
        return self._busy[account_id] < AT_ONCE and unused > self._threads // 2

    def _leave(self, account_id: int, exchange: Hashable) -> tuple[int, Hashable] | None:
        """Free it, or let it wait for a thread once more, behind those that wait already. What has this thread next."""
        with self._lock:
            self._running[exchange] -= 1
            if account_id in self._again and not self._closed:
                self._again.discard(account_id)
                self._waiting[exchange].append(account_id)
            else:
                self._busy -= Counter([account_id])
            return self._take()
