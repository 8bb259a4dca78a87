"""Orders and what an exchange says of them, for tests of the order's life."""

from decimal import Decimal
from typing import Any

from apps.feeds.market import Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading.order_state import Order

AMOUNT = Decimal(10)
EXPIRES_MS = 2_000


def order(**changes: Any) -> Order:
    values = {"client_order_id": "ct1", "side": Side.BUY, "amount": AMOUNT, "expires_ms": EXPIRES_MS, **changes}
    return Order(**values)


def update(status: OrderStatus, filled: int | Decimal = 0, **changes: Any) -> OrderUpdate:
    values = {
        "symbol": "BTCUSDT",
        "exchange_order_id": "x1",
        "client_order_id": "ct1",
        "status": status,
        "side": Side.BUY,
        "filled": Decimal(filled),
        **changes,
    }
    return OrderUpdate(**values)


def fill(trade_id: str, amount: int | Decimal, price: int | Decimal = 100, **changes: Any) -> Fill:
    values = {
        "symbol": "BTCUSDT",
        "exchange_order_id": "x1",
        "client_order_id": "ct1",
        "trade_id": trade_id,
        "side": Side.BUY,
        "price": Decimal(price),
        "amount": Decimal(amount),
        "fee": Decimal("0.1"),
        "fee_asset": "USDT",
        "is_maker": False,
        "exchange_ms": 1_000,
        **changes,
    }
    return Fill(**values)
