"""The caches of trading: what is read often is remembered for as long as its tier says, and every tier counts.

market   prices, a moment long
config   what people and exchanges change seldom: catalogue, fees, limits
event    what was recorded already, so that telling it again costs no database

Redis is the tier behind them, shared by all processes, where a cache is given one. It is best effort: without it each
process asks for itself. Nothing that is money rests on a cache: what decides an order is read in its transaction.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec
from cachetools import TTLCache
from msgspec import Struct
from redis import Redis
from redis.exceptions import RedisError

K = TypeVar("K")
V = TypeVar("V")

TIMEOUT_S = 0.1
REST_S = 1.0  # Redis is left alone for so long after a failure


class Size(Struct, frozen=True, kw_only=True):
    """The least recently used beyond `most` is forgotten, and everything after `ttl_s`."""

    most: int
    ttl_s: float


MARKET = Size(most=5_000, ttl_s=0.25)
CONFIG = Size(most=20_000, ttl_s=5.0)
EVENT = Size(most=50_000, ttl_s=3600.0)


class Stats(Struct, frozen=True, kw_only=True):
    """Since the process began. `shared` are hits of the tier behind, among the misses of this one."""

    hits: int
    misses: int
    shared: int
    size: int

    @property
    def hit_ratio(self) -> float:
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class Behind(Protocol):
    """The tier behind: texts by name. Never raises."""

    def get(self, name: str) -> bytes | None: ...
    def put(self, name: str, value: bytes, ttl_s: float) -> None: ...
    def drop(self, name: str) -> None: ...


class Cache(Generic[K, V]):
    """One tier of one process; safe to use from threads. None is no value."""

    def __init__(
        self,
        name: str,
        size: Size,
        *,
        behind: Behind | None = None,
        type: type[V] | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """With a tier `behind`, `type` says what its texts are read as."""
        self.name = name
        self._size = size
        self._kept: TTLCache = TTLCache(maxsize=size.most, ttl=size.ttl_s, timer=timer)
        self._behind, self._type = behind, type
        self._lock = threading.Lock()
        self._hits = self._misses = self._shared = 0

    def get(self, key: K) -> V | None:
        """None: not known here, nor behind."""
        with self._lock:
            found: V | None = self._kept.get(key)
            if found is not None:
                self._hits += 1
                return found
            self._misses += 1
        return self._from_behind(key)

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
        if self._behind is not None:
            self._behind.put(self._name_of(key), msgspec.json.encode(value), self._size.ttl_s)

    def drop(self, key: K) -> None:
        with self._lock:
            self._kept.pop(key, None)
        if self._behind is not None:
            self._behind.drop(self._name_of(key))

    def stats(self) -> Stats:
        with self._lock:
            self._kept.expire()
            return Stats(hits=self._hits, misses=self._misses, shared=self._shared, size=len(self._kept))

    def _from_behind(self, key: K) -> V | None:
        if self._behind is None:
            return None
        text = self._behind.get(self._name_of(key))
        if text is None:
            return None
        try:
            value = cast(V, msgspec.json.decode(text, type=cast(Any, self._type or Any)))
        except (msgspec.DecodeError, msgspec.ValidationError):  # written by another build: as if it were not there
            return None
        with self._lock:
            self._shared += 1
            self._kept[key] = value
        return value

    def _name_of(self, key: K) -> str:
        return f"cache:{self.name}:{key}"


class RedisTier:
    """Redis as the tier behind; while it does not answer nothing is known there."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._rests_until = 0.0
        self.failures = 0

    def get(self, name: str) -> bytes | None:
        return self._ask(lambda: cast(bytes | None, self._redis.get(name)))

    def put(self, name: str, value: bytes, ttl_s: float) -> None:
        self._ask(lambda: self._redis.set(name, value, px=max(1, round(ttl_s * 1000))))

    def drop(self, name: str) -> None:
        self._ask(lambda: self._redis.delete(name))

    def _ask(self, question: Callable[[], V]) -> V | None:
        if time.monotonic() < self._rests_until:
            return None
        try:
            return question()
        except (RedisError, OSError):
            self.failures += 1
            self._rests_until = time.monotonic() + REST_S
            return None
