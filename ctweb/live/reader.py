"""One Redis reader per web process: channels for speed, the keys of the same names once a second for truth.

A message lost on the way, a daemon that died (its keys expire) and a Redis that was away all heal at the next read.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from apps.feeds.bus.codec import DAEMONS_CHANNEL
from apps.feeds.bus.redis import Subscriber, connect, read_daemons_async

log = structlog.get_logger(__name__)

_READ_EVERY_S = 1.0
TOLD_ONCE = ("trades:", "account:")  # what these channels say stands in no key, or is read once


class Reader:
    """Calls `offer(name, raw)` for each message and each read of a wanted name; raw is None when the key is gone."""

    def __init__(self, url: str, offer: Callable[[str, bytes | None], None]) -> None:
        self._url = url
        self._offer = offer
        self._wanted: set[str] = set()
        self._new: set[str] = set()
        self._unread: set[str] = set()  # new ones whose first reading failed
        self._changed = asyncio.Event()
        self.round_trip_ms: float | None = None  # None: Redis does not answer
        self.daemons: list[dict[str, Any]] = []  # what each living daemon said last
        self.first_read = asyncio.Event()

    def want(self, name: str) -> None:
        self._wanted.add(name)
        self._new.add(name)
        self._changed.set()

    def unwant(self, name: str) -> None:
        self._wanted.discard(name)
        self._new.discard(name)
        self._changed.set()

    async def run(self) -> None:
        """Read until cancelled."""
        subscriber = Subscriber(self._url, channels=[DAEMONS_CHANNEL], on_connect=self._read_all_soon)
        redis = connect(self._url)
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self._listen(subscriber), name="live listen")
                parts.create_task(self._follow_wishes(redis, subscriber), name="live subscribe")
                parts.create_task(self._read_keys(redis), name="live read")
        finally:
            await subscriber.aclose()
            await redis.aclose()

    def _read_all_soon(self) -> None:
        """What was published while we were not subscribed is in the keys."""
        self._new |= self._wanted
        self._changed.set()

    async def _listen(self, subscriber: Subscriber) -> None:
        async for name, raw in subscriber:
            if name in self._wanted:
                self._offer(name, raw)

    async def _follow_wishes(self, redis: Redis, subscriber: Subscriber) -> None:
        """Subscribe first and read then, so that nothing falls between."""
        subscribed: set[str] = set()
        while True:
            self._changed.clear()
            new, self._new = self._new, set()
            await subscriber.subscribe(*(self._wanted - subscribed))
            await subscriber.unsubscribe(*(subscribed - self._wanted))
            subscribed = set(self._wanted)
            await self._read(redis, new & subscribed)
            await self._changed.wait()

    async def _read_keys(self, redis: Redis) -> None:
        while True:
            try:
                started = time.perf_counter()
                await redis.echo("")  # any answer will do
                self.round_trip_ms = round((time.perf_counter() - started) * 1000, 1)
                self.daemons = await read_daemons_async(redis)
                self.first_read.set()
            except (RedisError, OSError) as error:
                self.round_trip_ms = None
                log.warning("redis does not answer", error=str(error))
            again, self._unread = self._unread, set()
            await self._read(redis, again | {name for name in self._wanted if not name.startswith(TOLD_ONCE)})
            await asyncio.sleep(_READ_EVERY_S)

    async def _read(self, redis: Redis, names: set[str]) -> None:
        """While Redis is away nothing is offered: ages go on, and books become stale by them."""
        if not names:
            return
        try:
            raws = await redis.mget(list(names))
        except (RedisError, OSError) as error:
            log.warning("keys not read", error=str(error))
            self._unread |= names  # with the next reading: what is read once must be read
            return
        for name, raw in zip(names, raws, strict=True):
            if name in self._wanted:
                self._offer(name, raw)
