"""Accounts and keys for tests."""

from pathlib import Path
from typing import Any

from apps.feeds.market import MarketType
from apps.feeds.models import Exchange
from apps.feeds.orders import Credentials, Permissions
from apps.trading.credentials import keyring
from apps.trading.credentials.probing import Probe, judged
from apps.trading.models import Account
from apps.users.services import Actor
from apps.users.tests.people import person

KEYS = Credentials(key="canarykey-a7f3e09b", secret="canarysecret-c41d88e2", passphrase="canarypass-5b0e", account="77")
RIGHT = Permissions(read=True, trade_spot=True, trade_futures=True, withdraw=False, ip_bound=True)


def account(name: str = "main", exchange: str = "binance", market_type: str = "spot") -> Account:
    row, _ = Exchange.objects.get_or_create(code=exchange)
    return Account.objects.create(name=name, exchange=row, market_type=market_type)


def trader(name: str = "anna") -> Actor:
    user = person("trader", name)
    return Actor(user=user.username, role="trader", user_id=user.pk)


def probed(keys: Credentials = KEYS, **told: Any) -> Probe:
    """As if the exchange had told so."""
    permissions = Permissions(**{name: getattr(RIGHT, name) for name in RIGHT.__struct_fields__} | told)
    return Probe(keys=keys, permissions=permissions, clock_offset_ms=0, findings=judged(permissions, MarketType.SPOT))


def as_web_process(settings: Any, folder: Path) -> keyring.KeyFiles:
    """Seals to a ring in `folder`, and is not told where the private half is."""
    files = keyring.embedded(folder)
    settings.CT_DATA_DIR, settings.CT_EMBEDDED = folder, True
    settings.CT_SEAL_PUBLIC_KEY = settings.CT_SEAL_PRIVATE_KEYS_FILE = None
    keyring.make_once(files)
    return files
