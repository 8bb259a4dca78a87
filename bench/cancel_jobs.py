"""What `bench.cancels` writes: an account with its key, and the wishes of the person it belongs to."""

import time
from collections import Counter
from decimal import Decimal
from typing import Any

from django.conf import settings

from apps.feeds.market import BookKey, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import OrderType
from apps.feeds.tests.trading_stand import credentials
from apps.trading import accounts
from apps.trading.credentials import keyring, keys
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.entry.intake import record_intent
from apps.trading.execution.gateway import opened
from apps.trading.execution.pretrade.market import RedisMarket
from apps.trading.models import Account, AccountMode, Order, OrderIntent, RiskLimit, Trade, TradingSwitch
from apps.trading.risk.limits import CEILINGS
from apps.trading.tests.key_rows import probed
from apps.users.models import User
from apps.users.services import Actor

KEY = BookKey.parse("binance:spot:BTC/USDT")
PERSON = Actor(user="bench")
AMOUNT, STEP, AMOUNTS = Decimal("0.001"), Decimal("0.00001"), 200
BELOW = Decimal("0.985")
WIDE = (
    "max_open_pair",
    "max_open_account",
    "max_orders_s",
    "max_cancels_s",
    "max_executions",
    "max_account_usdt",
    "max_asset_usdt",
    "max_order_usdt",
    "max_day_loss_usdt",
)


def prepare(desk: Any, build: str, name: str) -> int:
    """An account at the simulated exchange; its id."""
    shown = credentials(KEY.exchange, name)
    money = {"spot": {"USDT": "1000000", "BTC": "10"}}
    body = {"exchange": KEY.exchange, "name": name, "key": shown.key, "secret": shown.secret, "balances": money}
    desk.simulator("accounts", body)
    keyring.make_once(keyring.embedded(settings.CT_DATA_DIR))
    TradingSwitch.objects.update_or_create(pk=1, defaults={"allowed_build": build})
    RiskLimit.objects.bulk_create([RiskLimit(scope="global", name=one, value=CEILINGS[one]) for one in WIDE])
    Account.objects.update(active=False)
    person = User.objects.create(username=name)
    actor = Actor(user=name, user_id=person.pk)
    market_type = KEY.market_type
    account = accounts.add(
        name=name, exchange=KEY.exchange, market_type=market_type, actor=actor, mode="testnet", owner_id=person.pk
    )
    keys.keep(account=account, found=probed(shown), actor=actor)
    Trade.objects.create(
        exchange=KEY.exchange, market_type=KEY.market_type, pair=KEY.pair, account=account, mode=AccountMode.TESTNET
    )
    return account.pk


def is_open(account_id: int) -> bool:
    return opened.is_open(account_id)


def want(account_id: int, number: int) -> int | None:
    """An order that rests; None without a book. Each `number` has an amount of its own, or it counts as a mistake."""
    market = RedisMarket.at(settings.REDIS_URL)
    mid = market.mid(KEY)
    if mid is None:
        return None
    recorded = record_intent(
        key=f"order {number}",
        account=Account.objects.select_related("exchange").get(pk=account_id),
        pair=TradePair.objects.select_related("exchange").get(
            exchange__code=KEY.exchange, market_type=KEY.market_type, pair=KEY.pair
        ),
        side=Side.BUY,
        type=OrderType.LIMIT,
        amount=AMOUNT + number % AMOUNTS * STEP,
        price=round(mid * BELOW, 1),
        user=None,
        market=market,
    )
    return recorded.intent.pk


def came_to(intents: list[int]) -> Counter[str]:
    rows = OrderIntent.objects.filter(pk__in=intents).values_list("state", "result", "deny_reason")
    return Counter(" ".join(filter(None, row)) for row in rows)


def resting(account_id: int) -> list[Order]:
    """The oldest first."""
    return list(Order.objects.filter(account_id=account_id, status="OPEN", cancel_state="NONE").order_by("id"))


def is_working(account_id: int) -> bool:
    return OrderIntent.objects.filter(account_id=account_id, state__in=["NEW", "SENDING"]).exists()


def cancel(order: Order) -> int:
    """Nanoseconds of the host's clock once the wish is committed."""
    cancelling.request_cancel(order, PERSON)
    return time.time_ns()
