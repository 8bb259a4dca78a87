"""The reader of Redis names, while Redis answers badly."""

import asyncio
from typing import Any

from redis.exceptions import RedisError

from apps.feeds.tests.waiting import until
from ctweb.live.reader import Reader

TAPE = "trades:binance:spot:BTC/USDT"


class Stutters:
    """Fails the first reading, as a busy Redis does, and answers afterwards."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def mget(self, names: list[str]) -> list[bytes]:
        self.asked.append(sorted(names))
        if len(self.asked) == 1:
            raise RedisError("too slow")
        return [b"value"] * len(names)

    async def echo(self, text: str) -> str:
        raise RedisError("not asked about")


async def test_what_is_read_once_is_read_again_when_that_failed():
    heard: list[tuple[str, Any]] = []
    reader, stutters = Reader("redis://127.0.0.1:1/0", lambda name, raw: heard.append((name, raw))), Stutters()
    reader.want(TAPE)
    await reader._read(stutters, {TAPE})
    assert heard == []
    reading = asyncio.create_task(reader._read_keys(stutters))
    await until(lambda: heard)
    reading.cancel()
    assert heard == [(TAPE, b"value")]
    assert stutters.asked == [[TAPE], [TAPE]]
