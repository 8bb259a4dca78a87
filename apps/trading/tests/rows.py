"""Rows of trading for tests; what a row stands on is made where it is missing."""

from decimal import Decimal
from itertools import count
from typing import Any

from apps.feeds.models import Exchange, TradePair
from apps.feeds.tests.listings import list_pairs
from apps.trading.models import MANUAL, Account, Order, OrderFill, OrderIntent, RiskState, RiskUsage, Trade
from apps.users.models import User

NUMBERS = count(1)


def pair(name: str = "BTC/USDT", exchange: str = "binance", market_type: str = "spot") -> TradePair:
    """The catalogue row, listed if it is not."""
    named = {"exchange__code": exchange, "market_type": market_type, "pair": name}
    if not TradePair.objects.filter(**named).exists():
        Exchange.objects.get_or_create(code=exchange, defaults={"name": exchange})
        others = TradePair.objects.filter(exchange__code=exchange, market_type=market_type)
        list_pairs(name, *others.values_list("pair", flat=True), exchange=exchange, market_type=market_type)
    return TradePair.objects.select_related("exchange").get(**named)


def account(exchange: str = "binance", market_type: str = "spot", owner: User | None = None, **values: Any) -> Account:
    """One with its usage row and an open switch."""
    at, _ = Exchange.objects.get_or_create(code=exchange, defaults={"name": exchange})
    named = {"name": f"account {next(NUMBERS)}", **values}
    made = Account.objects.create(exchange=at, market_type=market_type, owner=owner, **named)
    made.refresh_from_db()
    RiskUsage.objects.create(account=made)
    RiskState.objects.create(scope="account", scope_id=str(made.pk), state="ACTIVE")
    return made


def trade(of: Account | None = None, name: str = "BTC/USDT", **values: Any) -> Trade:
    where = {"exchange": of.exchange.code, "market_type": of.market_type, "mode": of.mode} if of else {}
    made = Trade.objects.create(
        **{"exchange": "binance", "pair": name, "strategy": MANUAL, "account": of, **where, **values}
    )
    made.refresh_from_db()
    RiskState.objects.create(scope="trade", scope_id=str(made.pk), state="ACTIVE")
    return made


def intent(of: Trade, **values: Any) -> OrderIntent:
    """A limit order to buy 0.5 BTC at 60,000 that nobody has looked at yet."""
    number, listed = next(NUMBERS), pair(of.pair, of.exchange, of.market_type or "spot")
    row: dict[str, Any] = {
        "intent_key": f"key {number}",
        "fingerprint": "f" * 64,
        "account": of.account,
        "trade": of,
        "pair": listed,
        "lane": f"{of.account_id}:{listed.pk}",
        "side": "buy",
        "type": "limit",
        "amount": Decimal("0.5"),
        "price": Decimal(60_000),
        "max_age_ms": 5_000,
    }
    made = OrderIntent.objects.create(**{**row, **values})
    made.refresh_from_db()
    return made


def order(of: OrderIntent, **values: Any) -> Order:
    """Its first attempt, PENDING."""
    row: dict[str, Any] = {
        "trade": of.trade,
        "exchange": of.pair.exchange,
        "pair": of.pair,
        "type": of.type,
        "side": of.side,
        "amount": of.amount,
        "price": of.price,
        "status": "PENDING",
        "client_order_id": f"ct{next(NUMBERS)}",
        "account": of.account,
        "intent": of,
    }
    made = Order.objects.create(**{**row, **values})
    made.refresh_from_db()
    return made


def fill(of: Order, **values: Any) -> OrderFill:
    row: dict[str, Any] = {
        "order": of,
        "amount": Decimal("0.1"),
        "price": of.price,
        "trade_id": f"t{next(NUMBERS)}",
        "source": "ws",
        "account": of.account,
        "pair": of.pair,
        "side": of.side,
    }
    return OrderFill.objects.create(**{**row, **values})
