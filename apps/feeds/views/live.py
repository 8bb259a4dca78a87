"""What the daemons say about themselves and their books right now, as they publish it in Redis."""

import time
from contextlib import closing
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from apps.feeds.bus.redis import connect_sync, read_book, read_daemons
from apps.feeds.market import FULL_DEPTH, BookKey, BookState

LOST_MS = 3_000  # a daemon speaks every second
TOP = 50  # levels of the key that holds the top of a book


def book(key: BookKey, depth: int) -> dict[str, Any] | None:
    """The published book with at most `depth` levels a side (0: all); None when there is none. Raises RedisError."""
    with closing(connect_sync(settings.REDIS_URL)) as redis:
        found = read_book(redis, key, FULL_DEPTH if depth > TOP else depth)
    if found is not None and depth != FULL_DEPTH:
        found["bids"], found["asks"] = found["bids"][:depth], found["asks"][:depth]
    return found


def statuses() -> list[dict[str, Any]] | None:
    """The last word of each daemon; None when Redis does not answer."""
    try:
        with closing(connect_sync(settings.REDIS_URL)) as redis:
            return read_daemons(redis)
    except RedisError:
        return None


def is_lost(status: dict[str, Any], now_ms: int) -> bool:
    return now_ms - int(status["now_ms"]) > LOST_MS


def books(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Key -> its book's status, from the owner with the highest fence; a lost daemon's books are DOWN."""
    now_ms = time.time_ns() // 1_000_000
    latest: dict[str, dict[str, Any]] = {}
    for status in found:
        lost = {"state": BookState.DOWN, "reason": "its daemon is lost"} if is_lost(status, now_ms) else {}
        for one in status["books"]:
            have = latest.get(one["key"])
            if have is None or (one.get("fence") or 0) > (have.get("fence") or 0):
                latest[one["key"]] = {**one, "daemon": status["daemon"], **lost}
    return latest
