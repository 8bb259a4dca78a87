"""Hints that a trading daemon hears."""

import asyncio

from redis import Redis

from apps.feeds.tests.waiting import until
from apps.trading.execution.runtime.waking import CANCELS, CHANNEL
from workers.trader.wakes import Wakes

WAIT_S = 60.0


async def test_a_hint_names_a_lane_or_the_account_that_has_something_to_cancel(redis_url: str):
    wakes = Wakes(redis_url)
    hearing = asyncio.create_task(wakes.run())
    try:
        with Redis.from_url(redis_url) as redis:
            await until(lambda: redis.publish(CHANNEL, "1:2") == 1)
            for hint in (f"{CANCELS}nobody", f"{CANCELS}7"):
                redis.publish(CHANNEL, hint)
        assert await asyncio.to_thread(wakes.take, WAIT_S) == "1:2"
        assert await asyncio.to_thread(wakes.take_cancels, WAIT_S) is None
        assert await asyncio.to_thread(wakes.take_cancels, WAIT_S) == 7
        assert await asyncio.to_thread(wakes.take, 0.0) is None
    finally:
        hearing.cancel()
        await asyncio.wait({hearing})
        await wakes.aclose()


async def test_a_hint_is_heard_while_the_loop_that_feeds_books_stands_still(redis_url: str):
    wakes = Wakes(redis_url)
    hearing = asyncio.create_task(wakes.run())
    try:
        with Redis.from_url(redis_url) as redis:
            await until(lambda: redis.publish(CHANNEL, f"{CANCELS}7") == 1)
        assert wakes.take_cancels(WAIT_S) == 7  # in the loop itself, which does nothing else meanwhile
    finally:
        hearing.cancel()
        await asyncio.wait({hearing})
        await wakes.aclose()
