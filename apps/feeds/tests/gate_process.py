"""A process that sends under a limit which others share: prints when (monotonic seconds), one line for each."""

import asyncio
import sys
import time

from apps.feeds.bus.meter import Meter
from apps.feeds.drivers.base import Rate
from apps.feeds.transport.gate import Gate


async def send(redis_url: str, name: str, rate: Rate, number: int) -> None:
    async with Meter(redis_url) as meter:
        gate = Gate(rate, name=name, meter=meter)
        for _ in range(number):
            async with gate.turn():
                sys.stdout.write(f"{time.monotonic()}\n")


if __name__ == "__main__":
    _, url, name, count, per_s, number = sys.argv
    asyncio.run(send(url, name, Rate(int(count), float(per_s)), int(number)))
