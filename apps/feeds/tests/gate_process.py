"""A process that sends under a limit which others share: prints when (monotonic seconds), one line for each.

It ends with ALONE when Redis did not answer in time: then it kept the limit by itself.
"""

import asyncio
import sys
import time

from apps.feeds.bus.meter import Meter
from apps.feeds.drivers.base import Rate
from apps.feeds.transport.gate import Gate

ALONE = 3
WAIT_S = 60.0  # a busy machine does not make it give Redis up


class Noted(Meter):
    alone = False

    def _away(self, error: Exception) -> None:
        self.alone = True
        super()._away(error)


async def send(redis_url: str, name: str, rate: Rate, number: int) -> int:
    async with Noted(redis_url, wait_s=WAIT_S) as meter:
        gate = Gate(rate, name=name, meter=meter)
        for _ in range(number):
            async with gate.turn():
                sys.stdout.write(f"{time.monotonic()}\n")
        return ALONE if meter.alone else 0


if __name__ == "__main__":
    _, url, name, count, per_s, number = sys.argv
    sys.exit(asyncio.run(send(url, name, Rate(int(count), float(per_s)), int(number))))
