"""MEXC's limits where several accounts ask at once, against the simulator, which counts each for all of them."""

import asyncio
import time

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import open_account
from apps.feeds.tests.plain_client import fetch
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import RESERVE, Gates
from apps.feeds.transport.orders import OrderClient, Purpose

ACCOUNTS = 3  # one more than a second has room for
TURN_S = 60.0


async def test_wallets_of_several_accounts_are_read_within_the_limit_that_is_counted_for_all(simulator: Simulator):
    driver, trader = registry.driver("mexc"), registry.trader("mexc")
    for number in range(ACCOUNTS):
        await open_account(simulator, "mexc", name=f"a{number}", key=f"key-{number}", secret="of all")

    async with OrderClient(
        drivers={"mexc": driver},
        traders={"mexc": trader},
        addresses=Addresses(simulator.url),
        gates=Gates(reserve=RESERVE),
        timeout_s=TURN_S,
    ) as client:

        async def read(number: int) -> None:
            keys = Credentials(key=f"key-{number}", secret="of all")
            request = trader.balances(keys, MarketType.SPOT, time.time_ns() // 1_000_000)
            await client.send("mexc", str(number), request, Purpose.READ, turn_s=TURN_S)

        await asyncio.gather(*map(read, range(ACCOUNTS)))
    state = await fetch(simulator, "_sim/state")
    assert (state["asked"]["mexc"]["rest"], state["breaches"]) == (ACCOUNTS, {})
