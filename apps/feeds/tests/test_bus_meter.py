"""Limits that several processes share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from apps.feeds.bus.meter import WAIT_S, Meter
from apps.feeds.drivers.base import Rate
from apps.feeds.errors import Retryable
from apps.feeds.tests.redis_process import RedisProcess
from apps.feeds.tests.waiting import timed, until
from apps.feeds.transport.gate import Gate

NOTED = "meter:sockets:toy"
QUICK = Rate(3, 0.3)
SLOW = Rate(3, 10.0)  # no machine needs so long for a few requests
WIDE, MANY = Rate(1_000_000, 10.0), 1_000
LATE_S = 0.5  # of a timer of the event loop, in moments in which the machine ran


@pytest.fixture
async def meters(redis_url: str) -> AsyncIterator[list[Meter]]:
    """Of two processes, as far as they can tell; a busy machine does not make them give Redis up."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Meter(redis_url, wait_s=60)) for _ in range(2)]


def gates(meters: list[Meter], rate: Rate) -> list[Gate]:
    """The same gate in each process."""
    return [Gate(rate, name="sockets:toy", meter=each) for each in meters]


async def skip(redis_url: str, seconds: float) -> None:
    """Let so much time pass for Redis: whatever it noted is older by that."""
    async with Redis.from_url(redis_url) as redis:
        for ticket in await redis.zrange(NOTED, 0, -1):
            await redis.zincrby(NOTED, -1_000 * seconds, ticket)


async def enters(gate: Gate, *, within_s: float = SLOW.per_s / 2) -> bool:
    """Whether one more gets its turn, at once unless told otherwise: long before the window of SLOW is over."""
    try:
        async with asyncio.timeout(within_s), gate.turn():
            return True
    except TimeoutError:
        return False


async def test_two_processes_together_keep_the_rate(meters: list[Meter]):
    moments: list[float] = []

    async def send(gate: Gate) -> None:
        async with gate.turn():
            moments.append(asyncio.get_running_loop().time())

    async with asyncio.timeout(60):
        await asyncio.gather(*(send(gate) for gate in gates(meters, QUICK) for _ in range(6)))
    moments.sort()
    assert all(later - earlier >= QUICK.per_s for earlier, later in zip(moments, moments[QUICK.count :], strict=False))


async def test_what_is_long_on_its_way_counts_from_its_arrival(meters: list[Meter], redis_url: str):
    sender, other = gates(meters, SLOW)
    async with sender.turn(weight=SLOW.count):
        await skip(redis_url, 2 * SLOW.per_s)
        assert not await enters(other, within_s=0.2)
    assert not await enters(other, within_s=0.2)
    await skip(redis_url, SLOW.per_s)
    assert await enters(other)


async def test_who_is_kept_away_keeps_the_others_away_too(meters: list[Meter]):
    first, other = gates(meters, SLOW)
    await first.shut(600)
    for gate in (first, other):
        with pytest.raises(Retryable) as away:
            async with gate.turn():
                pass
        assert 500 < away.value.after_s <= 600


async def test_without_redis_each_process_keeps_the_rate_by_itself():
    server = RedisProcess()
    server.start()
    try:
        async with Meter(server.url) as alone:
            gate = Gate(SLOW, name="sockets:toy", meter=alone)
            async with gate.turn():
                server.kill()
            assert [await enters(gate) for _ in range(SLOW.count - 1)] == [True] * (SLOW.count - 1)
            assert not await enters(gate, within_s=0.2)
    finally:
        server.close()


async def test_of_a_redis_that_stands_still_only_who_is_under_way_waits_and_not_for_long():
    server = RedisProcess()
    server.start()
    try:
        async with Meter(server.url) as meter:
            gate = Gate(WIDE, name="sockets:toy", meter=meter)
            async with gate.turn():  # its scripts are there now
                pass
            await until(lambda: not meter.is_away, 60)
            server.pause()
            with timed() as seconds:
                async with gate.turn():
                    assert seconds() <= WAIT_S + LATE_S
                for _ in range(MANY):
                    async with gate.turn():
                        assert meter.is_away
                assert seconds() <= MANY * WAIT_S / 10
            server.resume()
            await until(lambda: not meter.is_away, 60)
    finally:
        server.close()


async def test_what_arrived_while_redis_stood_still_is_told_when_it_is_back():
    server = RedisProcess()
    server.start()
    try:
        async with Meter(server.url) as meter, Meter(server.url, wait_s=60) as other:
            first, second = gates([meter, other], SLOW)
            async with second.turn():  # the scripts are there now
                pass
            await skip(server.url, SLOW.per_s)
            async with first.turn(weight=SLOW.count):
                await until(lambda: not meter.is_away, 60)
                server.pause()
                async with Gate(WIDE, name="sockets:tool", meter=meter).turn():
                    assert meter.is_away
            server.resume()
            await until(lambda: not meter.is_away, 60)
            await skip(server.url, SLOW.per_s)
            assert await enters(second)
    finally:
        server.close()
