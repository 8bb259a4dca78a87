"""`python -m tests.orders.simulated`: the exchanges in a process of their own; prints its address.

Limits of requests are counted, not enforced: they have tests of their own.
"""

import asyncio
import signal
import sys

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.stand import patience


async def serve() -> None:
    simulator = Simulator(seed=5, patience=patience(), strict=False)
    await simulator.start()
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    sys.stdout.write(f"{simulator.url}\n")
    sys.stdout.flush()
    await told.wait()
    await simulator.stop()


if __name__ == "__main__":
    asyncio.run(serve())
