"""What a web process reads from Redis, while that answers and while it does not."""

import asyncio

import redis.asyncio

from apps.feeds.tests.waiting import until
from ctweb.live.reader import Reader

TAPE = "trades:binance:spot:BTC/USDT"
AWAY_MS = 4_000  # longer than an answer is awaited


async def test_a_tape_that_could_not_be_read_is_read_when_redis_answers_again(redis_url: str):
    offered: dict[str, bytes | None] = {}
    reader = Reader(redis_url, lambda name, raw: offered.update({name: raw}))
    reading = asyncio.create_task(reader.run())
    async with redis.asyncio.from_url(redis_url) as bus:
        await until(reader.first_read.is_set)
        await bus.set(TAPE, b"prints")
        await bus.client_pause(AWAY_MS)
        reader.want(TAPE)
        await until(lambda: offered.get(TAPE) == b"prints")
    reading.cancel()
    await asyncio.wait({reading})
