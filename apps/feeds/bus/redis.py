"""Redis clients of the bus: who reads books and daemons, who listens to channels."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import structlog
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from apps.feeds.bus import codec
from apps.feeds.bus.connections import pool
from apps.feeds.market import FULL_DEPTH, BookKey
from apps.feeds.shards import shard_of

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 1.0
RECONNECT_S = (0.05, 1.0)  # first and longest delay


def connect(url: str, *, timeout_s: float | None = ANSWER_TIMEOUT_S) -> Redis:
    """An asyncio client that never retries by itself; `timeout_s` None waits for answers for ever (subscribers)."""
    options: dict[str, Any] = {} if url.startswith("unix:") else {"socket_keepalive": True}
    connections = pool(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        **options,
    )
    return Redis.from_pool(connections)


def connect_sync(url: str) -> SyncRedis:
    return SyncRedis.from_url(url, socket_timeout=ANSWER_TIMEOUT_S, socket_connect_timeout=CONNECT_TIMEOUT_S)


def read_book(redis: SyncRedis, key: BookKey, depth: int) -> dict[str, Any] | None:
    """The book as published, cut to `depth` levels a side; None when nobody publishes it now.

    Depth 0 gives the full book where one is published, else the deepest top there is. A book under a lower fence
    than its shard's highest is a former owner's last word and not served. Raises RedisError.
    """
    values: Any = redis.mget(_book_keys(key, depth))  # redis-py types sync and async answers as one union
    return _served(values, depth)


def read_daemons(redis: SyncRedis) -> list[dict[str, Any]]:
    """The last status of every daemon that lives, by id. Raises RedisError."""
    names = list(redis.scan_iter(match=codec.daemon_name("*"), count=1_000))
    values: Any = redis.mget(names) if names else []
    return _statuses(values)


async def read_daemons_async(redis: Redis) -> list[dict[str, Any]]:
    """As `read_daemons`."""
    names = [name async for name in redis.scan_iter(match=codec.daemon_name("*"), count=1_000)]
    return _statuses(await redis.mget(names)) if names else []


class Subscriber:
    """Channels as one stream of (channel, payload) that outlives restarts of Redis.

    What was published while the connection was away is lost: `on_connect` is called after each (re)subscription, so
    that the owner reads the keys again. One task iterates; any task of the same loop may change the channels.
    """

    def __init__(
        self,
        url: str,
        *,
        channels: Iterable[str] = (),
        patterns: Iterable[str] = (),
        on_connect: Callable[[], None] | None = None,
    ) -> None:
        self.connected = False
        self._redis = connect(url, timeout_s=None)
        self._channels = set(channels)
        self._patterns = set(patterns)
        self._on_connect = on_connect
        self._pubsub: PubSub | None = None
        self._changed = asyncio.Event()

    async def subscribe(self, *channels: str) -> None:
        new = set(channels) - self._channels
        self._channels |= new
        self._changed.set()
        await self._tell("subscribe", new)

    async def unsubscribe(self, *channels: str) -> None:
        old = self._channels.intersection(channels)
        self._channels -= old
        await self._tell("unsubscribe", old)

    async def __aiter__(self) -> AsyncIterator[tuple[str, bytes]]:
        delay = RECONNECT_S[0]
        while True:
            await self._something_wanted()
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await self._open(pubsub)
                    delay = RECONNECT_S[0]
                    while pubsub.subscribed:
                        message = await pubsub.get_message(timeout=None)
                        if message is not None:
                            yield message["channel"].decode(), message["data"]
            except (RedisError, OSError) as error:
                log.warning("bus subscription lost", error=str(error), retry_in_s=round(delay, 2))
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 (jitter)
                delay = min(2 * delay, RECONNECT_S[1])
            finally:
                self.connected, self._pubsub = False, None

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def _open(self, pubsub: PubSub) -> None:
        """Of what is wished for or given up meanwhile nobody else tells this connection."""
        if self._patterns:
            await pubsub.psubscribe(*self._patterns)
        told: set[str] = set()
        while told != self._channels:
            wanted = set(self._channels)
            if new := wanted - told:
                await pubsub.subscribe(*new)
            if old := told - wanted:
                await pubsub.unsubscribe(*old)
            told = wanted
        self._pubsub, self.connected = pubsub, True
        if self._on_connect is not None:
            self._on_connect()

    async def _something_wanted(self) -> None:
        while not self._channels and not self._patterns:
            self._changed.clear()
            await self._changed.wait()

    async def _tell(self, verb: str, channels: set[str]) -> None:
        """Send it if there is a connection; else the next one starts with the whole set."""
        if not channels or self._pubsub is None:
            return
        try:
            await getattr(self._pubsub, verb)(*channels)
        except (RedisError, OSError) as error:
            log.info("bus subscription changes with the next connection", error=str(error))


def _book_keys(key: BookKey, depth: int) -> list[str]:
    names = [codec.fence_name(shard_of(key)), codec.book_name(key)]
    return [*names, codec.full_name(key)] if depth == FULL_DEPTH else names


def _served(values: list[bytes | None], depth: int) -> dict[str, Any] | None:
    fence = int(values[0] or 0)
    books = [book for book in (codec.decode(value) for value in values[1:] if value) if book["fence"] >= fence]
    if not books:
        return None
    book = books[-1]
    if depth != FULL_DEPTH:
        book["bids"], book["asks"] = book["bids"][:depth], book["asks"][:depth]
    return book


def _statuses(values: Iterable[bytes | None]) -> list[dict[str, Any]]:
    statuses: list[Mapping[str, Any]] = [codec.decode(value) for value in values if value]
    return sorted((dict(status) for status in statuses), key=lambda status: status["daemon"])
