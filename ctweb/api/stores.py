"""Whether the stores answer, and how fast: each is asked on its own, and waited for no longer than a second."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from apps.feeds.bus.redis import connect_sync
from ctweb.api.remembered import Remembered

PATIENCE_S = 1.0
FAILURES = (DatabaseError, RedisError, OSError, HTTPException)


def check() -> dict[str, dict[str, Any]]:
    """Store -> {"ok": bool, "ms": float or None}, as it was within the last second."""
    return _checked()


def _check() -> dict[str, dict[str, Any]]:
    asked: dict[str, Callable[[], None]] = {"database": _database, "redis": _redis, "clickhouse": _clickhouse}
    pool = ThreadPoolExecutor(len(asked))
    deadline = time.monotonic() + PATIENCE_S
    answers = {name: pool.submit(_timed, ask) for name, ask in asked.items()}
    pool.shutdown(wait=False)  # whoever hangs ends with its own timeout
    found = {}
    for name, answer in answers.items():
        try:
            ms = answer.result(max(0.0, deadline - time.monotonic()))
        except TooSlow:
            ms = None
        found[name] = {"ok": ms is not None, "ms": ms}
    return found


def _timed(ask: Callable[[], None]) -> float | None:
    began = time.perf_counter()
    try:
        ask()
    except FAILURES:
        return None
    return round((time.perf_counter() - began) * 1000, 1)


def _database() -> None:
    with closing(connection), connection.cursor() as cursor:  # this thread's own connection
        cursor.execute("SELECT 1")


def _redis() -> None:
    with closing(connect_sync(settings.REDIS_URL)) as redis:
        redis.ping()


def _clickhouse() -> None:
    parts = urlsplit(settings.CLICKHOUSE_URL)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(kind(parts.hostname or "127.0.0.1", parts.port, timeout=PATIENCE_S)) as http:
        http.request("GET", "/ping")
        if http.getresponse().status != 200:
            raise HTTPException("ClickHouse does not answer its ping")


_checked = Remembered("stores", _check)
