"""Keys of the rig's accounts, sealed as people's are."""

import time
from collections.abc import Sequence

import msgspec
from django.conf import settings
from msgspec.structs import replace

from apps.feeds.drivers import registry
from apps.feeds.drivers.trader import Trader
from apps.feeds.orders import Credentials
from apps.feeds.tests.trading_stand import WideGates, credentials
from apps.feeds.transport import loop
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.orders import OrderClient, Purpose
from apps.trading.credentials import keyring, keys
from apps.trading.credentials.probing import whole
from apps.trading.credentials.sealing import Place
from apps.trading.models import Account, AccountKey
from apps.users.models import User

ASK_S = 120.0


def seal(exchange: str, accounts: Sequence[Account]) -> None:
    """Keys of accounts of one exchange, with what the exchange says whose they are where requests must name it."""
    writer, public = User.objects.get(username="rig"), keyring.embedded(settings.CT_DATA_DIR).public
    key = keyring.read_public(public)
    known = loop.run(_ask(exchange, [one.name for one in accounts]), timeout=ASK_S)
    rows = []
    for one, of_it in zip(accounts, known, strict=True):
        place = Place(table=keys.TABLE, pk=one.pk, user_id=writer.pk, version=1)
        sealed = key.seal(msgspec.json.encode(of_it), place)
        rows.append(AccountKey(account=one, user=writer, version=1, key_id=sealed.key_id, sealed=sealed.box))
    AccountKey.objects.bulk_create(rows)


async def _ask(exchange: str, names: Sequence[str]) -> list[Credentials]:
    driver, trader = registry.driver(exchange), registry.trader(exchange)
    async with OrderClient(
        drivers={exchange: driver},
        traders={exchange: trader},
        addresses=Addresses(settings.CT_SIMULATOR_URL),
        timeout_s=ASK_S,
        gates=WideGates(),
    ) as client:
        return [await _whose(client, trader, credentials(exchange, name)) for name in names]


async def _whose(client: OrderClient, trader: Trader, own: Credentials) -> Credentials:
    requests = trader.account_requests(own, time.time_ns() // 1_000_000)
    answers = [await client.ask(trader.exchange_id, own.key, each, Purpose.READ, whole) for each in requests]
    return replace(own, account=trader.parse_account(answers)) if answers else own
