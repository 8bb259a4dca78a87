"""Orders, executions and balances of classic spot accounts as their REST writes them."""

import zlib
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.kucoin import words
from apps.feeds.simulator.kucoin.words import plain
from apps.feeds.simulator.trading.accounts import ZERO, Execution, Holding, Order, worth


def order_row(order: Order) -> dict[str, Any]:
    ticket, funds = order.ticket, order_funds(order)
    rest = max(ZERO, funds - order.value) if funds else ZERO
    return {
        "id": order.id,
        "clientOid": order.client_id,
        "symbol": order.listing.symbol,
        "opType": "DEAL",
        "type": ticket.kind,
        "side": order.side,
        "price": words.price(order),
        "size": words.size(order, asked(order)),
        "funds": plain(funds),
        "dealSize": words.size(order, order.filled),
        "dealFunds": plain(order.value),
        "remainSize": words.size(order, words.remaining(order)),
        "remainFunds": plain(rest if order.is_open else ZERO),
        "cancelledSize": words.size(order, words.cut(order)),
        "cancelledFunds": plain(ZERO if order.is_open else rest),
        "fee": plain(words.fee(order)),
        "feeCurrency": words.fee_asset(order),
        "stp": ticket.words["stp"],
        "timeInForce": words.force(order),
        "postOnly": words.is_post_only(order),
        "hidden": False,
        "iceberg": False,
        "visibleSize": "0",
        "cancelAfter": ticket.words["cancel_after"],
        "channel": "API",
        "remark": ticket.words["remark"],
        "tags": None,
        "cancelExist": words.is_cut(order),
        "tradeType": "TRADE",
        "inOrderBook": order.resting is not None,
        "active": order.is_open,
        "tax": "0",
        "createdAt": order.created_ms,
        "lastUpdatedAt": order.updated_ms,
    }


def asked(order: Order) -> int:
    """Lots that were asked for; none by a market order that names money."""
    return order.size if order.ticket.quote_size is None else 0


def order_funds(order: Order) -> Decimal:
    """Money that a limit order is worth, or a market order names; 0 for the other ones."""
    return order.ticket.quote_size or worth(order.listing, order.price, order.size)


def placed_row(order: Order) -> dict[str, Any]:
    return {"orderId": order.id, "clientOid": order.client_id}


def outcome(order: Order) -> dict[str, Any]:
    """What the calls tell that wait for the matching."""
    return {
        "originSize": words.size(order, asked(order)),
        "dealSize": words.size(order, order.filled),
        "remainSize": words.size(order, words.remaining(order)),
        "canceledSize": words.size(order, words.cut(order)),
        "status": "open" if order.is_open else "done",
    }


def synchronous_row(order: Order) -> dict[str, Any]:
    return placed_row(order) | {"orderTime": order.created_ms} | outcome(order) | {"matchTime": order.updated_ms}


def fill_row(execution: Execution) -> dict[str, Any]:
    order = execution.order
    return {
        "id": words.trade_id(execution),
        "orderId": order.id,
        "counterOrderId": f"{execution.number:024x}",
        "tradeId": words.trade_id(execution),
        "symbol": order.listing.symbol,
        "side": order.side,
        "liquidity": words.role(execution),
        "type": order.ticket.kind,
        "forceTaker": False,
        "price": order.listing.price.text(execution.price),
        "size": words.size(order, execution.size),
        "funds": plain(execution.value),
        "fee": plain(execution.fee),
        "feeRate": plain(words.rate(order, execution)),
        "feeCurrency": execution.fee_asset,
        "stop": "",
        "tradeType": "TRADE",
        "taxRate": "0",
        "tax": "0",
        "createdAt": execution.ms,
    }


def account_row(asset: str, holding: Holding) -> dict[str, Any]:
    return {
        "id": f"548{zlib.crc32(asset.encode()):09d}",
        "currency": asset,
        "type": "trade",
        "balance": plain(holding.total),
        "available": plain(holding.free),
        "holds": plain(holding.locked),
    }
