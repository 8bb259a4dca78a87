"""What an exchange says of orders that are rows, for tests of whoever records it."""

from decimal import Decimal
from typing import Any

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading import records
from apps.trading.models import Account, Order, OrderIntent
from apps.trading.tests import rows

EXPIRES_MS = 1_795_164_734_411


def sent(of: Account | None = None, **values: Any) -> Order:
    """An attempt of an intent to buy 0.5 BTC, its request on the way."""
    intent = rows.intent(rows.trade(of or rows.account()), state="SENDING", attempt=1)
    return attempt(intent, **values)


def attempt(intent: OrderIntent, **values: Any) -> Order:
    return rows.order(intent, request_expires_at=records.time_of(EXPIRES_MS), **values)


def instrument(of: Order) -> Instrument:
    return feeds.instrument(of.pair)


def update(of: Order, status: OrderStatus, filled: str | int = 0, **changes: Any) -> OrderUpdate:
    values = {
        "symbol": of.pair.symbol,
        "exchange_order_id": "x1",
        "client_order_id": of.client_order_id,
        "status": status,
        "side": Side.BUY,
        "filled": Decimal(filled),
        "amount": Decimal("0.5"),
        "exchange_ms": EXPIRES_MS,
        **changes,
    }
    return OrderUpdate(**values)


def fill(of: Order, trade_id: str, amount: str = "0.1", price: int = 60_000, **changes: Any) -> Fill:
    values = {
        "symbol": of.pair.symbol,
        "exchange_order_id": "x1",
        "client_order_id": of.client_order_id,
        "trade_id": trade_id,
        "side": Side.BUY,
        "price": Decimal(price),
        "amount": Decimal(amount),
        "fee": Decimal("0.01"),
        "fee_asset": "USDT",
        "is_maker": False,
        "exchange_ms": EXPIRES_MS,
        **changes,
    }
    return Fill(**values)
