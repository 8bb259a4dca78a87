"""Orders, executions and wallets as MEXC's spot writes them, by REST and in the bodies of its private pushes."""

import hashlib
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.trading.accounts import Execution, Holding, Order
from apps.feeds.simulator.trading.events import AccountEvent, OrderEvent

STATUS = {"open": "NEW", "partial": "PARTIALLY_FILLED", "filled": "FILLED"}
STATUS_NUMBERS = {"NEW": 1, "FILLED": 2, "PARTIALLY_FILLED": 3, "CANCELED": 4, "PARTIALLY_CANCELED": 5}
TYPE_NUMBERS = {"LIMIT": 1, "LIMIT_MAKER": 2, "IMMEDIATE_OR_CANCEL": 3, "FILL_OR_KILL": 4, "MARKET": 5}
SIDE_NUMBERS = {"buy": 1, "sell": 2}
CHANNEL = "spot@private.{}.v3.api.pb"
TAKER, MAKER = "X0", "X1"


def plain(value: Decimal) -> str:
    """As few digits as the number needs."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def status(order: Order) -> str:
    if order.status == "cancelled":
        return "PARTIALLY_CANCELED" if order.filled else "CANCELED"
    return STATUS[order.status]


def trade_id(row: Execution) -> str:
    return f"{row.number}{MAKER if row.is_maker else TAKER}"


def placed(order: Order) -> dict[str, Any]:
    """Neither status nor the client's id."""
    return {
        "symbol": order.listing.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "price": order.listing.price.text(order.price),
        "origQty": order.listing.size.text(order.size),
        "type": order.ticket.words["type"],
        "side": order.side.upper(),
        "transactTime": order.created_ms,
    }


def order(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.listing.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id or None,
        **_state(order),
        "stopPrice": None,
        "icebergQty": None,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "origQuoteOrderQty": plain(_amount(order)),
    }


def cancelled(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.listing.symbol,
        "origClientOrderId": order.client_id or None,
        "orderId": order.id,
        "clientOrderId": order.client_id or None,
        **_state(order),
    }


def trade(row: Execution) -> dict[str, Any]:
    order = row.order
    return {
        "symbol": order.listing.symbol,
        "id": trade_id(row),
        "orderId": order.id,
        "orderListId": -1,
        "price": order.listing.price.text(row.price),
        "qty": order.listing.size.text(row.size),
        "quoteQty": plain(row.value),
        "commission": plain(row.fee),
        "commissionAsset": row.fee_asset,
        "time": row.ms,
        "isBuyer": order.side == "buy",
        "isMaker": row.is_maker,
        "isBestMatch": True,
        "isSelfTrade": False,
        "clientOrderId": order.client_id or None,
    }


def balance(asset: str, row: Holding) -> dict[str, str]:
    return {"asset": asset, "free": plain(row.free), "locked": plain(row.locked)}


def order_push(event: OrderEvent) -> dict[str, Any]:
    order, execution = event.order, event.execution
    size, ended = order.listing.size.text, order.status == "cancelled"
    amount = _amount(order)
    return {
        "channel": CHANNEL.format("orders"),
        "symbol": order.listing.symbol,
        "sendTime": event.ms,
        "privateOrders": {
            "id": order.id,
            "clientId": order.client_id,
            "price": order.listing.price.text(order.price),
            "quantity": size(order.size),
            "amount": plain(amount),
            "avgPrice": plain(round(order.average, 8)),
            "orderType": TYPE_NUMBERS[order.ticket.words["type"]],
            "tradeType": SIDE_NUMBERS[order.side],
            "isMaker": execution is not None and execution.is_maker,
            "remainAmount": plain(max(amount - order.value, Decimal(0))),
            "remainQuantity": size(order.left),
            **({} if execution is None or ended else {"lastDealQuantity": size(execution.size)}),
            "cumulativeQuantity": size(order.filled),
            "cumulativeAmount": plain(order.value),
            "status": STATUS_NUMBERS[status(order)],
            "createTime": order.created_ms,
        },
    }


def deal_push(event: OrderEvent, row: Execution) -> dict[str, Any]:
    order = event.order
    return {
        "channel": CHANNEL.format("deals"),
        "symbol": order.listing.symbol,
        "sendTime": event.ms,
        "privateDeals": {
            "price": order.listing.price.text(row.price),
            "quantity": order.listing.size.text(row.size),
            "amount": plain(row.value),
            "tradeType": SIDE_NUMBERS[order.side],
            "isMaker": row.is_maker,
            "tradeId": trade_id(row),
            "clientOrderId": order.client_id,
            "orderId": order.id,
            "feeAmount": plain(row.fee),
            "feeCurrency": row.fee_asset,
            "time": row.ms,
        },
    }


def account_push(event: AccountEvent, asset: str, row: Holding, before: Holding) -> dict[str, Any]:
    """`before`: what the wallet held when it was told of last."""
    frozen = row.locked - before.locked
    kinds = {"trade": "ENTRUST", "transfer": "DEPOSIT", "funding": "CONTRACT_TRANSFER"}
    return {
        "channel": CHANNEL.format("account"),
        "createTime": event.ms,
        "sendTime": event.ms,
        "privateAccount": {
            "vcoinName": asset,
            "coinId": hashlib.sha256(asset.encode()).hexdigest()[:32],
            "balanceAmount": plain(row.free),
            "balanceAmountChange": plain(row.free - before.free),
            "frozenAmount": plain(row.locked),
            "frozenAmountChange": plain(frozen),
            "type": kinds.get(event.reason) or ("ENTRUST_PLACE" if frozen > 0 else "ENTRUST_CANCEL"),
            "time": event.ms,
        },
    }


def _amount(order: Order) -> Decimal:
    """The money that an order is for: none is known of a market order by size."""
    if order.ticket.quote_size is not None:
        return order.ticket.quote_size
    return order.size * order.listing.size.step * order.price * order.listing.price.step


def _state(order: Order) -> dict[str, Any]:
    return {
        "price": order.listing.price.text(order.price),
        "origQty": order.listing.size.text(order.size),
        "executedQty": order.listing.size.text(order.filled),
        "cummulativeQuoteQty": plain(order.value),
        "status": status(order),
        "timeInForce": None,
        "type": order.ticket.words["type"],
        "side": order.side.upper(),
    }
