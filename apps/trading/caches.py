"""The caches of trading: what is read often is remembered for as long as its tier says, and every tier counts.

market   prices, a moment long; behind it is Redis, shared by all processes, with the books that daemons publish
config   what people and exchanges change seldom; behind it is the database alone, since money is reckoned with it,
         and whoever may write to Redis shall not be able to change that
event    what was recorded already, so that telling it again costs no database; each process for itself

Nothing that decides an order rests on a cache alone: that is read in its transaction.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar
from weakref import WeakSet

from cachetools import TTLCache
from msgspec import Struct

K = TypeVar("K")
V = TypeVar("V")


class Size(Struct, frozen=True, kw_only=True):
    """The least recently used beyond `most` is forgotten, and everything after `ttl_s`."""

    most: int
    ttl_s: float


MARKET = Size(most=5_000, ttl_s=0.5)
CONFIG = Size(most=20_000, ttl_s=5.0)
EVENT = Size(most=50_000, ttl_s=3600.0)


class Stats(Struct, frozen=True, kw_only=True):
    """Since the process began."""

    hits: int = 0
    misses: int = 0
    size: int = 0


class Cache(Generic[K, V]):
    """One tier of one process; safe to use from threads. None is no value."""

    def __init__(self, name: str, size: Size, *, timer: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._kept: TTLCache = TTLCache(maxsize=size.most, ttl=size.ttl_s, timer=timer)
        self._lock = threading.Lock()
        self._hits = self._misses = 0
        _all.add(self)

    def get(self, key: K) -> V | None:
        """None: not known, or too long ago."""
        with self._lock:
            found: V | None = self._kept.get(key)
            self._hits += found is not None
            self._misses += found is None
            return found

    def get_or_load(self, key: K, load: Callable[[], V]) -> V:
        """What is known, else what `load` brings; two threads may load at the same time, and the later is kept."""
        found = self.get(key)
        if found is None:
            found = load()
            self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._kept[key] = value

    def drop(self, key: K) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def stats(self) -> Stats:
        with self._lock:
            self._kept.expire()
            return Stats(hits=self._hits, misses=self._misses, size=len(self._kept))


def report() -> Mapping[str, Stats]:
    """All caches of this process by name; those of one name together."""
    found: dict[str, Stats] = {}
    for cache in list(_all):
        before, now = found.get(cache.name, Stats()), cache.stats()
        found[cache.name] = Stats(
            hits=before.hits + now.hits, misses=before.misses + now.misses, size=before.size + now.size
        )
    return dict(sorted(found.items()))


_all: WeakSet[Cache] = WeakSet()
