"""Hints that a lane has something to do. They may be lost, late or doubled: executors sweep the database anyway.

Who writes an intent never waits for Redis or Celery: one thread of the process tells them, from a short queue, and what
does not fit into it is dropped and counted. Executors that hear the channel `wake` are told the lane's name there; the
queue `exec.wake` of Celery is told as well.
"""

import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from apps.trading.execution import hooks

log = structlog.get_logger(__name__)

CHANNEL = "wake"
MOST = 1_000  # hints that wait
TIMEOUT_S = 0.5
REST_S = 1.0  # after a failure nothing is told for so long

counts: Counter[str] = Counter()  # of this process: told, failed, rested, dropped


class Waker:
    """Tells hints in the order in which they came, from a thread of its own."""

    def __init__(self, url: str, tell: Callable[[str], None]) -> None:
        """`tell` brings a lane to whoever has no ear at the channel."""
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._tell = tell
        self._hints: queue.Queue[str] = queue.Queue(MOST)
        threading.Thread(target=self._run, name="waker", daemon=True).start()

    def wake(self, lane: str) -> None:
        try:
            self._hints.put_nowait(lane)
        except queue.Full:
            counts["dropped"] += 1

    def _run(self) -> None:
        rests_until = 0.0
        while True:
            lane = self._hints.get()
            if time.monotonic() < rests_until:
                counts["rested"] += 1
            elif not self._told(lane):
                rests_until = time.monotonic() + REST_S
            hooks.at("K3")

    def _told(self, lane: str) -> bool:
        try:
            self._redis.publish(CHANNEL, lane)
            self._tell(lane)
        except (RedisError, OperationalError, OSError) as error:
            counts["failed"] += 1
            log.info("hint not told", lane=lane, error=str(error))
            return False
        counts["told"] += 1
        return True


def wake_on_commit(lane: str) -> None:
    """Once the transaction is committed; at once without one."""
    transaction.on_commit(lambda: _wake(lane))


def _wake(lane: str) -> None:
    hooks.at("K2")
    _waker().wake(lane)


_lock = threading.Lock()
_made: Waker | None = None
_pid = 0


def _waker() -> Waker:
    """Made by the first use in each process: a fork takes the variable along, but not the thread."""
    global _made, _pid
    with _lock:
        if _made is None or _pid != os.getpid():
            from apps.trading.tasks import tell_celery  # it imports executors, and they this

            _made, _pid = Waker(settings.REDIS_URL, tell_celery), os.getpid()
        return _made
