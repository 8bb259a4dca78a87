"""An account as its exchange has it beside what our rows say, to the last digit.

On futures exchanges count open profits into wallets or not: there positions are compared, on spot wallets.
"""

from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import connection

from apps.feeds.market import MarketType
from apps.feeds.simulator.trading.accounts import Order as TrueOrder
from apps.feeds.simulator.trading.accounts import unit
from apps.trading.models import Order, OrderFill, Position, StrayFill, Wallet
from apps.trading.tests.remote_seat import Desk

STATUS = {"open": "OPEN", "partial": "PARTIAL", "filled": "FILLED", "cancelled": "CANCELLED"}
READ_ONLY = frozenset(("account", "lease"))  # tell when it was last looked at


def there(on: Desk, *, explained: bool = True) -> dict[str, Any]:
    """`explained`: our fills make what is held."""
    orders = list(on.truth.orders.values())
    held = {asset: each.total for asset, each in _wallet(on).items() if each.total and on.market is MarketType.SPOT}
    amounts = {
        position.listing.symbol: position.size * unit(position.listing)
        for position in on.truth.positions.values()
        if position.size
    }
    return {
        "orders": sorted((each.id, STATUS[each.status], each.side, _filled(each), _amount(each)) for each in orders),
        "fills": sorted(fill for each in orders for fill in _executions(on, each)),
        "wallets": held,
        "positions": amounts,
        "explained": (held if on.market is MarketType.SPOT else amounts) if explained else None,
        "strays": 0,
    }


def here(on: Desk, *, explained: bool = True) -> dict[str, Any]:
    rows = Order.objects.filter(account=on.account).exclude(exchange_order_id=None)
    fills = OrderFill.objects.filter(account=on.account).select_related("order")
    return {
        "orders": sorted((row.exchange_order_id, row.status, row.side, row.filled, row.amount) for row in rows),
        "fills": sorted(_told(on, fill) for fill in fills),
        "wallets": {on_there(on, row.asset): row.total for row in _wallets(on) if row.total},
        "positions": {row.pair.symbol: row.told_amount for row in _positions(on) if row.told_amount},
        "explained": _explained(on) if explained else None,
        "strays": StrayFill.objects.filter(account=on.account, order=None).count(),
    }


def tables() -> dict[str, list[Any]]:
    """All rows of trading as the database has them."""
    names = [model._meta.db_table for model in apps.get_app_config("trading").get_models()]
    with connection.cursor() as cursor:
        return {name: _read(cursor, name) for name in names if name not in READ_ONLY}


def on_there(on: Desk, asset: str) -> str:
    """Their name of an asset."""
    listed = {on.desk.market(on.market, each.symbol).listing for each in (on.instrument, on.other)}
    names = {each.base: row.base for each in (on.instrument, on.other) for row in listed if row.symbol == each.symbol}
    return names.get(asset, asset)


def _read(cursor: Any, name: str) -> list[Any]:
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)} ORDER BY 1")
    return list(cursor.fetchall())


def _filled(order: TrueOrder) -> Decimal:
    return order.filled * unit(order.listing)


def _amount(order: TrueOrder) -> Decimal:
    return order.size * unit(order.listing)


def _executions(on: Desk, order: TrueOrder) -> list[tuple[Any, ...]]:
    return [
        (order.id, each.price * order.listing.price.step, each.size * unit(order.listing), each.fee, each.fee_asset)
        for each in order.executions
    ]


def _told(on: Desk, fill: OrderFill) -> tuple[Any, ...]:
    return (fill.order.exchange_order_id, fill.price, fill.amount, fill.fee, on_there(on, fill.fee_asset))


def _wallet(on: Desk) -> Any:
    return on.truth.wallets[on.desk.rules.wallets[on.market]]


def _wallets(on: Desk) -> list[Wallet]:
    return list(Wallet.objects.filter(account=on.account)) if on.market is MarketType.SPOT else []


def _positions(on: Desk) -> list[Position]:
    return list(Position.objects.filter(account=on.account).select_related("pair"))


def _explained(on: Desk) -> dict[str, Any]:
    if on.market is MarketType.SPOT:
        return {on_there(on, row.asset): row.expected for row in _wallets(on) if row.expected}
    return {row.pair.symbol: row.opening + row.amount for row in _positions(on) if row.opening + row.amount}
