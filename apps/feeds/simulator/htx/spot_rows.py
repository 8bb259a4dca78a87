"""Spot's orders, fills and money as HTX's REST writes them."""

import zlib
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.trading.accounts import ZERO, Account, Execution, Order
from apps.feeds.simulator.trading.tickets import Force

KINDS: dict[Force, str] = {"gtc": "limit", "ioc": "ioc", "post": "limit-maker", "fok": "limit-fok"}
STATES = {"open": "submitted", "partial": "partial-filled", "filled": "filled"}


def plain(value: Decimal) -> str:
    """No padding, no exponent."""
    return f"{value.normalize():f}" if value else "0"


def account_id(account: Account) -> int:
    """Of its spot account."""
    return 1_000_000 + zlib.crc32(account.name.encode())


def user_id(account: Account) -> int:
    return 100_000_000 + zlib.crc32(f"user {account.name}".encode()) % 900_000_000


def kind(order: Order) -> str:
    """Side and type in one word."""
    return f"{order.side}-{'market' if order.ticket.kind == 'market' else KINDS[order.ticket.force]}"


def state(order: Order) -> str:
    return STATES.get(order.status) or ("partial-canceled" if order.filled else "canceled")


def amount(order: Order) -> Decimal:
    """Coins; of a market buy the money that it spends."""
    return order.ticket.quote_size or order.size * order.listing.size.step


def price(order: Order) -> Decimal:
    return order.price * order.listing.price.step


def order(row: Order) -> dict[str, Any]:
    """The answer to a query for one order."""
    filled, value, fees = _filled(row)
    return {
        "id": int(row.id),
        **_common(row),
        "client-order-id": row.client_id,
        "field-amount": filled,
        "field-cash-amount": value,
        "field-fees": fees,
        "finished-at": 0 if row.is_open else row.updated_ms,
        "canceled-at": row.updated_ms if row.status == "cancelled" else 0,
    }


def open_order(row: Order) -> dict[str, Any]:
    """A row of the list of open orders, which spells what is filled otherwise."""
    filled, value, fees = _filled(row)
    return {
        "id": int(row.id),
        **_common(row),
        "client-order-id": row.client_id,
        "filled-amount": filled,
        "filled-cash-amount": value,
        "filled-fees": fees,
    }


def match(number: int, row: Execution) -> dict[str, Any]:
    """A row of `matchresults`; `number` is its own id."""
    listing = row.order.listing
    return {
        "symbol": listing.symbol,
        "fee-currency": row.fee_asset.lower(),
        "source": "spot-api",
        "price": listing.price.text(row.price),
        "created-at": row.ms,
        "role": "maker" if row.is_maker else "taker",
        "order-id": int(row.order.id),
        "match-id": number,
        "trade-id": row.number,
        "filled-amount": listing.size.text(row.size),
        "filled-fees": plain(row.fee),
        "filled-points": "0",
        "fee-deduct-currency": "",
        "fee-deduct-state": "done",
        "id": number,
        "type": kind(row.order),
    }


def _common(row: Order) -> dict[str, Any]:
    return {
        "symbol": row.listing.symbol,
        "account-id": account_id(row.account),
        "amount": f"{amount(row):.18f}",
        "price": f"{price(row):.18f}",
        "created-at": row.created_ms,
        "type": kind(row),
        "source": "spot-api",
        "state": state(row),
    }


def _filled(row: Order) -> tuple[str, str, str]:
    """Coins, money and fee that were traded."""
    fees = sum((execution.fee for execution in row.executions), ZERO)
    coins = row.filled * row.listing.size.step
    values = (f"{value:.18f}" if value else "0.0" for value in (coins, row.value, fees))
    filled, value, fee = values
    return filled, value, fee
