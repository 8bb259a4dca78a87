"""Work of many accounts side by side: an exchange that does not answer holds up nobody else's."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import DatabaseError, connections

from apps.feeds.errors import FeedError

log = structlog.get_logger(__name__)

THREADS = 8


class Spread:
    """Calls that belong to accounts: of one account one at a time, of different ones at once."""

    def __init__(self, name: str, call: Callable[[int], object], threads: int = THREADS) -> None:
        self.errors = 0
        self._name, self._call = name, call
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._busy: set[int] = set()
        self._lock = threading.Lock()

    def begin(self, accounts: Iterable[int]) -> int:
        """Begin with those that nothing is done for; how many. It does not wait for them."""
        begun = 0
        for account_id in accounts:
            with self._lock:
                if account_id in self._busy:
                    continue
                self._busy.add(account_id)
            self._pool.submit(self._run, account_id)
            begun += 1
        return begun

    def close(self) -> None:
        """Wait for what was begun; nothing else begins."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, account_id: int) -> None:
        try:
            self._call(account_id)
        except (DatabaseError, FeedError) as error:
            self.errors += 1
            log.warning("an account waits", work=self._name, account=account_id, error=str(error))
        except Exception:
            self.errors += 1
            log.exception("work of an account failed", work=self._name, account=account_id)
        finally:
            connections.close_all()
            with self._lock:
                self._busy.discard(account_id)
