"""Jobs that write what the tests of orders stand on: a catalogue, accounts with keys, money, limits and switches."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.request import urlopen

from django.conf import settings
from django.core.management import call_command

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.models import Exchange, TradePair
from apps.feeds.services import sync_instruments
from apps.feeds.transport import loop
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.http import Http
from apps.trading.credentials import keyring
from apps.trading.models import (
    MANUAL,
    Account,
    AccountMode,
    Position,
    RiskLimit,
    RiskState,
    RiskUsage,
    Trade,
    TradingSwitch,
    Wallet,
)
from apps.trading.risk.limits import CEILINGS
from apps.trading.risk.view import Scope, ScopeState
from apps.users.models import User
from tests.orders import sealed

BUILD = "rig"
LIST_S = 120.0
RICH = Decimal(1_000_000)
# as wide as people may set them: what holds orders up here shall be what is tested
WIDE = (
    "max_open_pair",
    "max_open_account",
    "max_asset_usdt",
    "max_account_usdt",
    "max_orders_s",
    "max_executions",
    "max_unknown",
    "max_order_usdt",
    "max_day_loss_usdt",
    "max_cancels_s",
)


def migrate() -> None:
    call_command("migrate", verbosity=0)
    keyring.make_once(keyring.embedded(settings.CT_DATA_DIR))
    User.objects.create(username="rig")
    TradingSwitch.objects.update_or_create(pk=1, defaults={"allowed_build": BUILD})
    RiskLimit.objects.bulk_create([RiskLimit(scope=Scope.GLOBAL, name=name, value=CEILINGS[name]) for name in WIDE])


def list_market(exchange: str, market_type: str) -> int:
    """Take over what the simulator lists."""
    instruments = loop.run(_fetch(exchange, MarketType(market_type)), timeout=LIST_S)
    return sync_instruments(exchange=exchange, market_type=MarketType(market_type), instruments=instruments)


async def _fetch(exchange: str, market_type: MarketType) -> list[Any]:
    driver = registry.driver(exchange)
    async with Http(drivers={exchange: driver}, addresses=Addresses(settings.CT_SIMULATOR_URL)) as http:
        return await http.fetch_instruments(driver, market_type)


def mid(exchange: str, market_type: str, symbol: str) -> Decimal:
    """Of the true book, which stands still."""
    address = f"{settings.CT_SIMULATOR_URL}/_sim/book?exchange={exchange}&market_type={market_type}&symbol={symbol}"
    with urlopen(address, timeout=LIST_S) as answer:
        book = json.loads(answer.read())
    return (Decimal(str(book["bids"][0][0])) + Decimal(str(book["asks"][0][0]))) / 2


def open_accounts(
    *, exchange: str, market_type: str, names: list[str], pairs: list[str], held: str = "0"
) -> list[dict[str, Any]]:
    """Accounts with much money of everything; `held` of each pair was bought by them before, so that sales reduce."""
    at = Exchange.objects.get(code=exchange)
    listed = list(TradePair.objects.filter(exchange=at, market_type=market_type, pair__in=pairs))
    where = {"exchange": at, "market_type": market_type, "mode": AccountMode.TESTNET}
    User.objects.bulk_create([User(username=name) for name in names])  # who owns several is watched as one
    owners = {user.username: user for user in User.objects.filter(username__in=names)}
    Account.objects.bulk_create([Account(name=name, owner=owners[name], **where) for name in names])
    made = list(Account.objects.filter(name__in=names, **where).order_by("pk"))
    sealed.seal(exchange, made)
    today = datetime.now(UTC).date()
    RiskUsage.objects.bulk_create([RiskUsage(account=one, day=today, equity=RICH) for one in made])
    assets = sorted({asset for pair in pairs for asset in pair.split("/")})
    RiskState.objects.bulk_create([_open(Scope.ACCOUNT, one.pk) for one in made])
    Wallet.objects.bulk_create([_wallet(one, asset) for one in made for asset in assets])
    if amount := Decimal(held):
        prices = {pair.pk: mid(exchange, market_type, pair.symbol) for pair in listed}
        rows = [Position(account=one, pair=p, amount=amount, entry_price=prices[p.pk]) for one in made for p in listed]
        Position.objects.bulk_create(rows)
    return [_told(one, listed) for one in made]


def _open(scope: Scope, number: int) -> RiskState:
    return RiskState(scope=scope, scope_id=str(number), state=ScopeState.ACTIVE)


def _wallet(account: Account, asset: str) -> Wallet:
    return Wallet(account=account, asset=asset, free=RICH, total=RICH, expected=RICH)


def _told(account: Account, pairs: list[TradePair]) -> dict[str, Any]:
    trades = {}
    for pair in pairs:
        trade = Trade.objects.create(
            exchange=account.exchange.code,
            market_type=account.market_type,
            pair=pair.pair,
            trade_pair_id=pair.pk,
            strategy=MANUAL,
            account=account,
            mode=account.mode,
        )
        _open(Scope.TRADE, trade.pk).save()
        trades[pair.pair] = trade.pk
    return {
        "id": account.pk,
        "name": account.name,
        "trades": trades,
        "pairs": {one.pair: one.pk for one in pairs},
        "symbols": {one.pair: one.symbol for one in pairs},
    }
