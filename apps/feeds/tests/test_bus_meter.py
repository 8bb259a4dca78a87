"""Limits that several processes share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from apps.feeds.bus.meter import Meter
from apps.feeds.drivers.base import Rate
from apps.feeds.errors import Retryable
from apps.feeds.tests.redis_process import RedisProcess
from apps.feeds.transport.gate import Gate

RATE = Rate(3, 0.3)


@pytest.fixture
async def gates(redis_url: str) -> AsyncIterator[list[Gate]]:
    """The same gate in two processes, as far as they can tell."""
    async with AsyncExitStack() as stack:
        meters = [await stack.enter_async_context(Meter(redis_url)) for _ in range(2)]
        yield [Gate(RATE, name="sockets:toy", meter=meter) for meter in meters]


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_two_processes_together_keep_the_rate(gates: list[Gate]):
    moments: list[float] = []

    async def send(gate: Gate) -> None:
        async with gate.turn():
            moments.append(now())

    async with asyncio.timeout(30):
        await asyncio.gather(*(send(gate) for gate in gates for _ in range(6)))
    moments.sort()
    assert all(later - earlier >= RATE.per_s for earlier, later in zip(moments, moments[RATE.count :], strict=False))


async def test_what_is_long_on_its_way_counts_from_its_arrival(gates: list[Gate]):
    async with gates[0].turn(weight=3):
        await asyncio.sleep(2 * RATE.per_s)
        arrived = now()
    async with asyncio.timeout(20), gates[1].turn():
        assert now() - arrived >= RATE.per_s


async def test_who_is_kept_away_keeps_the_others_away_too(gates: list[Gate]):
    await gates[0].shut(60)
    for gate in gates:
        with pytest.raises(Retryable) as away:
            async with gate.turn():
                pass
        assert 59 < away.value.after_s <= 60


async def test_without_redis_each_process_keeps_the_rate_by_itself():
    server = RedisProcess()
    server.start()
    try:
        async with Meter(server.url) as meter:
            gate = Gate(RATE, name="sockets:toy", meter=meter)
            async with gate.turn():
                server.kill()
            began = now()
            async with asyncio.timeout(20):
                for _ in range(3):
                    async with gate.turn():
                        pass
            assert now() - began >= RATE.per_s / 2
    finally:
        server.close()
