"""Accounts at the simulator, which makes keys for whoever asks: an account with a key is tried, and nothing risked."""

from typing import Any

import aiohttp
from django.conf import settings

from apps.feeds.orders import Credentials
from apps.feeds.transport import loop

MONEY = {"USDT": "10000", "USDC": "10000", "BTC": "0.1", "ETH": "2"}  # in each of its wallets
WORDS = ("key", "secret", "passphrase")
TIMEOUT_S = 10.0


class NoSimulator(Exception):
    """The exchanges of this system are not simulated, or the simulator does not answer."""


def open_account(exchange: str, name: str) -> Credentials:
    """The key of a new account called `name`, with MONEY. Raises NoSimulator."""
    if settings.CT_SIMULATOR_URL is None:
        raise NoSimulator("the exchanges of this system are real ones")
    body = {"exchange": exchange, "name": name, "money": MONEY}
    try:
        told = loop.run(_post(settings.CT_SIMULATOR_URL, body), timeout=TIMEOUT_S)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NoSimulator(f"the simulator did not open an account: {type(error).__name__}") from None
    return Credentials(**{word: told[word] for word in WORDS})


async def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.post(f"{url}/_sim/accounts", json=body) as answer,
    ):
        told: dict[str, Any] = await answer.json()
        return told
