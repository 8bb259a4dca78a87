"""Hints that a lane has something to do. They may be lost, late or doubled: executors sweep the database anyway.

Who writes an intent never waits for Redis or Celery: one thread of the process tells them, from a short queue, and what
does not fit into it is dropped and counted. Executors that hear the channel `wake` are told there; Celery is told on
its queue `exec.wake`, while that is not full. A hint is a lane's name, or `cancels:<account id>`.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from apps.per_process import PerProcess
from apps.trading.execution.runtime import failing, hooks

log = structlog.get_logger(__name__)

CHANNEL = "wake"
CANCELS = "cancels:"
QUEUE = "ct:exec.wake"  # the key of Celery's queue
WAKE_LANE, WAKE_CANCELS = "apps.trading.tasks.wake_lane", "apps.trading.tasks.wake_cancels"
EXPIRES_S = 5  # a hint that nobody of Celery's took by then is dropped
MOST = 1_000  # hints that wait, here and there
TIMEOUT_S = 0.5
REST_S = 1.0  # after a failure nothing is told for so long

counts: Counter[str] = Counter()  # of this process: told, full, failed, rested, dropped


class Waker:
    """Tells hints in the order in which they came, from a thread of its own."""

    def __init__(self, url: str, tell: Callable[[str], None]) -> None:
        """`tell` brings a hint to whoever has no ear at the channel."""
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._tell = tell
        self._hints: queue.Queue[str] = queue.Queue(MOST)
        threading.Thread(target=self._run, name="waker", daemon=True).start()

    def wake(self, hint: str) -> None:
        try:
            self._hints.put_nowait(hint)
        except queue.Full:
            counts["dropped"] += 1

    def _run(self) -> None:
        rests_until = 0.0
        while True:
            hint = self._hints.get()
            if time.monotonic() < rests_until:
                counts["rested"] += 1
            elif not self._told(hint):
                rests_until = time.monotonic() + REST_S
            hooks.at("K3")

    def _told(self, hint: str) -> bool:
        try:
            self._redis.publish(CHANNEL, hint)
            if int(str(self._redis.llen(QUEUE))) >= MOST:  # nobody is there to take them
                counts["full"] += 1
                return True
            self._tell(hint)
        except (RedisError, OperationalError, OSError) as error:
            counts["failed"] += 1
            log.info("hint not told", hint=hint, error=str(error))
            return False
        except Exception:  # the thread has to outlive it: nobody starts another
            counts["failed"] += 1
            log.exception("hint not told", hint=hint, failures=failing.count("hints"))
            return False
        counts["told"] += 1
        return True


def wake_on_commit(lane: str) -> None:
    """Once the transaction is committed; at once without one."""
    transaction.on_commit(lambda: _wake(lane))


def wake_cancels_on_commit(account_id: int) -> None:
    """The same for an account that has orders to cancel."""
    transaction.on_commit(lambda: _waker.get().wake(f"{CANCELS}{account_id}"))


def _wake(lane: str) -> None:
    hooks.at("K2")
    _waker.get().wake(lane)


def tell_celery(hint: str) -> None:
    """By the task's name: tasks know executors, and these know this. A message that is lost is not tried again.

    Raises what kombu raises when the broker is away.
    """
    is_cancels = hint.startswith(CANCELS)
    name, about = (WAKE_CANCELS, int(hint.removeprefix(CANCELS))) if is_cancels else (WAKE_LANE, hint)
    current_app.send_task(name, (about,), retry=False, expires=EXPIRES_S, ignore_result=True)


_waker = PerProcess(lambda: Waker(settings.REDIS_URL, tell_celery))
