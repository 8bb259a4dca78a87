"""Whatever moment a task that speaks with Redis is told to stop at, it stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from redis.exceptions import RedisError

from apps.feeds.bus.redis import Subscriber, connect
from apps.feeds.tests.listening import listening

STEPS = 60  # turns of the event loop that connecting and the first command take, and some


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        await reader.read()  # until the other side hangs up
    writer.close()


@pytest.fixture(params=[hang_up, say_nothing, None], ids=["hangs up", "is silent", "is a Redis"])
async def url(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[str]:
    """Of what stands where Redis should be."""
    if request.param is None:
        yield redis_url
        return
    async with listening(request.param) as port:
        yield f"redis://127.0.0.1:{port}/0"


async def ask_for_ever(url: str) -> None:
    redis = connect(url)
    try:
        while True:
            with suppress(RedisError, OSError):
                await redis.echo("")
            await asyncio.sleep(0)
    finally:
        await redis.aclose()


async def listen_for_ever(url: str) -> None:
    subscriber = Subscriber(url, channels=["news"])
    try:
        async for _ in subscriber:
            pass
    finally:
        await subscriber.aclose()


@pytest.mark.parametrize("work", [ask_for_ever, listen_for_ever])
async def test_a_cancelled_task_ends_whatever_it_was_doing_with_redis(url, work):
    going_on = []
    for steps in range(STEPS):
        task = asyncio.create_task(work(url))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task}, timeout=10)
        if not task.cancelled():
            going_on.append(steps)
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)
    assert going_on == []
