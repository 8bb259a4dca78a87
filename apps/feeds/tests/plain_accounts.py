"""Accounts of the simulator by its own handles under `/_sim/`, for tests of any dialect."""

from typing import Any

import aiohttp

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import fetch

KEY, SECRET = "key-of-anna", "secret-of-anna"
MONEY = {"BTC": "100", "ETH": "1000", "USDT": "10000000"}


async def control(simulator: Simulator, handle: str, **body: Any) -> tuple[int, Any]:
    """Status and body of `POST /_sim/HANDLE`."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/_sim/{handle}", json=body) as response,
    ):
        return response.status, await response.json()


async def did(simulator: Simulator, handle: str, **body: Any) -> Any:
    """The body of an answer whose status is 200."""
    status, answer = await control(simulator, handle, **body)
    assert status == 200, answer
    return answer


async def open_account(
    simulator: Simulator, exchange: str, *, name: str = "anna", key: str = KEY, secret: str = SECRET, **more: Any
) -> None:
    """With money in every wallet, unless `balances` says otherwise."""
    wallets = simulator.exchanges[exchange].desk.rules_of(more.get("kind", "")).wallets.values()
    more.setdefault("balances", dict.fromkeys(wallets, MONEY))
    await did(simulator, "accounts", exchange=exchange, name=name, key=key, secret=secret, **more)


async def trouble(simulator: Simulator, exchange: str, op: str, **more: Any) -> None:
    """Script a fault of the account anna."""
    await did(simulator, "account_fault", exchange=exchange, account="anna", op=op, **more)


async def fill(simulator: Simulator, exchange: str, order_id: str, size: str, account: str = "anna") -> Any:
    """Let an anonymous taker take so much of a resting order."""
    return await did(simulator, "fill", exchange=exchange, account=account, order_id=order_id, size=size)


async def accepted(simulator: Simulator, exchange: str) -> Any:
    """The accept log."""
    return await fetch(simulator, "_sim/orders", exchange=exchange)


async def account(simulator: Simulator, exchange: str, name: str = "anna") -> Any:
    rows = await fetch(simulator, "_sim/accounts", exchange=exchange)
    return next(row for row in rows if row["name"] == name)
