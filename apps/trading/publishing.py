"""What happens on an account, told on the bus for pages and own programs: channel `account:<id>`, see API.md.

Best effort, after the commit: rows are the truth, and who missed a message reads them. A bus that does not answer is
left alone for a second, so that it costs the order path nothing; what is not told is counted.
"""

import os
import threading
import time
from collections import Counter
from functools import lru_cache
from queue import Full, Queue
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.exceptions import RedisError

from apps.trading.execution.runtime import hooks
from apps.trading.models import Order, OrderFill
from apps.trading.plain import plainly

TIMEOUT_S = 0.1
REST_S = 1.0  # after a failure
MOST = 10_000  # messages that wait

counts: Counter[str] = Counter()  # of this process: told, failed, rested, shed


class Publisher:
    """One way to one bus, in a thread of its own: who commits an order waits for no bus. Safe to use from threads."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._rests_until = 0.0
        self._lock = threading.Lock()
        self._waiting: Queue[tuple[int, dict[str, Any]]] = Queue(MOST)
        self._pid = 0

    def publish(self, account_id: int, message: dict[str, Any]) -> None:
        """Tell it soon, after what was published before; never raises and never waits."""
        self._start()
        try:
            self._waiting.put_nowait((account_id, message))
        except Full:
            counts["shed"] += 1

    def tell(self, account_id: int, message: dict[str, Any]) -> bool:
        """Whether the bus took it; never raises."""
        if time.monotonic() < self._rests_until:
            counts["rested"] += 1
            return False
        try:
            self._redis.publish(channel(account_id), msgspec.json.encode(plainly(message)))
        except (RedisError, OSError):
            self._rests_until = time.monotonic() + REST_S
            counts["failed"] += 1
            return False
        counts["told"] += 1
        return True

    def _start(self) -> None:
        """Once in each process: a fork takes this object along, but not its thread."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._waiting = Queue(MOST)
                threading.Thread(target=self._run, name="publish accounts", daemon=True).start()
                self._pid = os.getpid()

    def _run(self) -> None:
        while True:
            self.tell(*self._waiting.get())


def channel(account_id: int) -> str:
    return f"account:{account_id}"


@lru_cache(maxsize=4)
def publisher(url: str) -> Publisher:
    """The one of this process; made when it is first needed."""
    return Publisher(url)


def tell_on_commit(account_id: int, message: dict[str, Any]) -> None:
    """Publish once the transaction is committed."""
    url = settings.REDIS_URL

    def tell() -> None:
        hooks.at("K11")
        publisher(url).publish(account_id, message)

    transaction.on_commit(tell)


def order_on_commit(row: Order) -> None:
    if row.account_id is None:
        return
    message = {
        "type": "order",
        "id": row.pk,
        "client_order_id": row.client_order_id,
        "exchange_order_id": row.exchange_order_id,
        "intent_id": row.intent_id,
        "pair_id": row.pair_id,
        "side": row.side,
        "status": row.status,
        "amount": row.amount,
        "filled": row.filled,
        "average_price": row.average_price,
        "cancel_state": row.cancel_state,
        "external": row.is_external,
    }
    tell_on_commit(row.account_id, message)


def fill_on_commit(row: OrderFill) -> None:
    if row.account_id is None:
        return
    message = {
        "type": "fill",
        "id": row.pk,
        "order_id": row.order_id,
        "pair_id": row.pair_id,
        "side": row.side,
        "trade_id": row.trade_id,
        "amount": row.amount,
        "price": row.price,
        "fee": row.fee,
        "fee_asset": row.fee_asset,
        "exchange_ms": row.exchange_ms,
    }
    tell_on_commit(row.account_id, message)


def holdings_on_commit(account_id: int) -> None:
    """Wallets or positions have changed; what they hold now is read from the rows."""
    tell_on_commit(account_id, {"type": "holdings"})
