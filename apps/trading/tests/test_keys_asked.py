"""A key on its way from the form to its exchange, with the settings of a running system."""

import asyncio

import aiohttp
import pytest
from django.core.exceptions import ValidationError

from apps.feeds.errors import Retryable
from apps.feeds.models import Exchange
from apps.feeds.orders import Credentials
from apps.feeds.simulator.server import Simulator
from apps.trading.credentials import keys
from apps.trading.credentials.probing import Check
from apps.trading.models import Account

KEYS = Credentials(key="canarykey-a7f3e09b", secret="canarysecret-c41d88e2")


def account() -> Account:
    return Account(pk=1, name="main", exchange=Exchange(code="binance"), market_type="spot")


async def opened(simulator: Simulator, *permissions: str) -> None:
    body = {"exchange": "binance", "name": "anna", "key": KEYS.key, "secret": KEYS.secret, "permissions": permissions}
    async with aiohttp.ClientSession(simulator.url) as handles, handles.post("/_sim/accounts", json=body) as answer:
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize(
    ("permissions", "failed"),
    [(["read", "trade"], []), (["read", "trade", "withdraw"], [Check.WITHDRAW]), (["read"], [Check.TRADE])],
)
async def test_the_exchange_is_asked_what_a_key_may_do(
    simulator: Simulator, settings, redis_url: str, permissions: list[str], failed: list[Check]
):
    settings.CT_SIMULATOR_URL, settings.REDIS_URL = simulator.url, redis_url
    await opened(simulator, *permissions)
    found = await asyncio.to_thread(keys.ask_exchange, account=account(), keys=KEYS, order=None)
    assert [one.check for one in found.failed] == failed
    assert found.keys == KEYS


def test_an_exchange_that_is_not_there_proves_nothing(settings, redis_url: str):
    settings.CT_SIMULATOR_URL, settings.REDIS_URL = "http://127.0.0.1:9", redis_url
    with pytest.raises(Retryable):
        keys.ask_exchange(account=account(), keys=KEYS, order=None)


def test_what_cannot_be_a_key_is_not_sent(settings):
    with pytest.raises(ValidationError):
        keys.ask_exchange(account=account(), keys=Credentials(key="a\r\nb", secret="s"), order=None)
