"""Whatever moment a channel is wished for or given up at, Redis hears of it."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from apps.feeds.bus.redis import Subscriber
from apps.feeds.tests.waiting import end, until

STEPS = 60  # turns of the event loop that connecting and the first command take, and some


@asynccontextmanager
async def subscribing(url: str, *channels: str):
    subscriber = Subscriber(url, channels=channels)

    async def listen() -> None:
        async for _ in subscriber:
            pass

    task = asyncio.create_task(listen())
    try:
        yield subscriber
    finally:
        await end(task)
        await subscriber.aclose()


@pytest.mark.parametrize("steps", range(STEPS))
async def test_a_channel_that_is_wished_for_while_it_connects_is_heard(redis_url: str, steps: int):
    async with Redis.from_url(redis_url) as redis, subscribing(redis_url, "first", "given up") as subscriber:
        for _ in range(steps):
            await asyncio.sleep(0)
        await subscriber.subscribe("second")
        await subscriber.unsubscribe("given up")
        await until(lambda: subscriber.connected)
        await subscriber.subscribe("last")  # on the same connection: when it is heard, all before it is
        async with asyncio.timeout(60):
            while not dict(await redis.pubsub_numsub("last"))[b"last"]:
                await redis.ping()
        heard = dict(await redis.pubsub_numsub("first", "second", "given up"))
        assert heard == {b"first": 1, b"second": 1, b"given up": 0}
