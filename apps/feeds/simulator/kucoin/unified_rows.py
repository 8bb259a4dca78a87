"""Orders, executions, money and positions of unified accounts as their REST writes them."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.kucoin import words
from apps.feeds.simulator.kucoin.futures_rows import MAINTENANCE, MODES
from apps.feeds.simulator.kucoin.streams import TRADE_TYPES, ns
from apps.feeds.simulator.kucoin.words import plain
from apps.feeds.simulator.trading.accounts import Execution, Funding, Holding, Order, Position, unit
from apps.feeds.simulator.trading.tickets import Ended

LIVE, FILLED, PARTIAL, CANCELLED, CUT = 2, 3, 4, 5, 6
TRIGGERS = ("triggerDirection", "triggerPrice", "triggerPriceType")
LIMITS = ("tpTriggerPrice", "tpTriggerPriceType", "slTriggerPrice", "slTriggerPriceType")


def status(order: Order) -> int:
    if order.status == "cancelled":
        return CUT if order.filled else CANCELLED
    return {"open": LIVE, "partial": PARTIAL, "filled": FILLED}[order.status]


def size_unit(order: Order) -> str:
    return str(order.ticket.words["unit"])


def counted(order: Order, lots: int, money: Decimal) -> str:
    """A size in the unit that the order names."""
    return plain(money) if size_unit(order) == "QUOTECCY" else words.size(order, lots)


def asked(order: Order) -> str:
    return counted(order, order.size, order.ticket.quote_size or Decimal(0))


def filled(order: Order) -> str:
    return counted(order, order.filled, order.value)


def cut(order: Order) -> str:
    """What was cancelled of it."""
    rest = (order.ticket.quote_size or order.value) - order.value
    return counted(order, order.left, rest) if words.is_cut(order) else "0"


def remaining(order: Order) -> str:
    """What may still trade of it."""
    rest = (order.ticket.quote_size or order.value) - order.value
    return counted(order, order.left, rest) if order.is_open else "0"


def reason(order: Order) -> str:
    """Why it was cancelled; empty where it was not."""
    if order.ended is None:
        return ""
    return "USER" if order.ended is Ended.CLIENT else order.ended.upper().replace(" ", "_")


def price(order: Order) -> str:
    return words.price(order) if order.price else ""


def order_row(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    return {
        "orderId": order.id,
        "symbol": order.listing.symbol,
        "orderType": ticket.kind.upper(),
        "side": order.side.upper(),
        "size": asked(order),
        "price": price(order),
        "timeInForce": words.force(order),
        "orderTime": words.made_ns(order),
        "stp": ticket.words["stp"] or "",
        "cancelAfter": None,
        "postOnly": words.is_post_only(order),
        "reduceOnly": ticket.reduce_only,
        **dict.fromkeys(TRIGGERS + LIMITS, ""),
        "filledSize": filled(order),
        "avgPrice": plain(words.mean(order.average)),
        "fee": plain(words.fee(order)),
        "feeCurrency": words.fee_asset(order),
        "tax": "0",
        "updatedTime": ns(order.updated_ms),
        "triggerOrderId": "",
        "cancelReason": reason(order),
        "cancelSize": cut(order),
        "clientOid": order.client_id,
        "sizeUnit": size_unit(order),
        "status": status(order),
    }


def detail_row(order: Order) -> dict[str, Any]:
    """As in a list, with the market and the last execution."""
    last = str(words.trade_id(order.executions[-1])) if order.executions else ""
    row = order_row(order)
    return row | {"tradeType": TRADE_TYPES[order.listing.market_type], "tradeId": last}


def named_row(order: Order, ms: int) -> dict[str, Any]:
    """What is answered to placing and cancelling."""
    return {
        "orderId": order.id,
        "tradeType": TRADE_TYPES[order.listing.market_type],
        "ts": ns(ms),
        "clientOid": order.client_id or None,
    }


def fill_row(execution: Execution) -> dict[str, Any]:
    order = execution.order
    return {
        "orderId": order.id,
        "symbol": order.listing.symbol,
        "orderType": order.ticket.kind.upper(),
        "side": order.side.upper(),
        "tradeId": str(words.trade_id(execution)),
        "size": words.size(order, execution.size),
        "price": order.listing.price.text(execution.price),
        "value": plain(execution.value),
        "executionTime": ns(execution.ms),
        "fee": plain(execution.fee),
        "feeCurrency": execution.fee_asset,
        "tax": "",
        "liquidityRole": words.role(execution).upper(),
        "fillType": "NORMAL",
    }


def money_row(asset: str, holding: Holding, unrealised: Decimal) -> dict[str, Any]:
    return {
        "currency": asset,
        "equity": f"{holding.total + unrealised:.10f}",
        "hold": f"{holding.locked:.10f}",
        "balance": f"{holding.total:.10f}",
        "available": f"{holding.free:.10f}",
        "liability": "0.0000000000",
    }


def position_row(position: Position, mark: Decimal) -> dict[str, Any]:
    value = mark * position.size * unit(position.listing)
    return {
        "symbol": position.listing.symbol,
        "id": f"1000000000{position.updated_ms % 10_000_000:07d}",
        "marginMode": MODES[position.mode],
        "size": str(position.size),
        "entryPrice": plain(words.mean(position.entry)),
        "positionValue": plain(value),
        "markPrice": plain(mark),
        "leverage": str(position.leverage),
        "unrealizedPnL": plain(words.mean(position.unrealised(mark))),
        "realizedPnL": plain(position.realised),
        "initialMargin": plain(position.margin),
        "mmr": plain(MAINTENANCE),
        "maintenanceMargin": plain(abs(value) * MAINTENANCE),
        "creationTime": ns(position.updated_ms),
    }


def funding_row(row: Funding, mark: Decimal, size: int, mode: str) -> dict[str, Any]:
    """`size`: of the position, in contracts."""
    return {
        "symbol": row.listing.symbol,
        "marginMode": mode,
        "fundingRate": plain(row.rate),
        "markPrice": plain(mark),
        "size": str(size),
        "positionValue": plain(mark * size * unit(row.listing)),
        "fundingFee": plain(row.amount),
        "settleCurrency": row.asset,
        "settlementTime": row.ms,
    }
