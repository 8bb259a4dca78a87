"""Orders and executions as Binance's REST writes them."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.trading.accounts import Execution, Order
from apps.feeds.simulator.trading.tickets import Ended

STATUS = {"open": "NEW", "partial": "PARTIALLY_FILLED", "filled": "FILLED"}
ENDED = {
    Ended.CLIENT: "CANCELED",
    Ended.DEAD_MAN: "CANCELED",
    Ended.SELF_TRADE: "EXPIRED_IN_MATCH",
}  # any other end: EXPIRED
SELF_TRADE = {"": "NONE", "taker": "EXPIRE_TAKER", "maker": "EXPIRE_MAKER", "both": "EXPIRE_BOTH"}
FORCE = {"gtc": "GTC", "ioc": "IOC", "fok": "FOK", "post": "GTX"}
SIDE = {"net": "BOTH", "long": "LONG", "short": "SHORT"}


def money(value: Decimal) -> str:
    return f"{value:.8f}"


def status(order: Order) -> str:
    if order.ended is not None:
        return ENDED.get(order.ended, "EXPIRED")
    return STATUS[order.status]


def price(order: Order) -> str:
    return order.listing.price.text(order.price)


def size(order: Order, lots: int) -> str:
    return order.listing.size.text(lots)


def kind(order: Order) -> str:
    if order.listing.market_type == "spot" and order.ticket.force == "post":
        return "LIMIT_MAKER"
    return order.ticket.kind.upper()


def force(order: Order) -> str:
    spot = order.listing.market_type == "spot"
    return "GTC" if spot and order.ticket.force == "post" else FORCE[order.ticket.force]


def spot_ack(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.listing.symbol,
        "orderId": order.number,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": order.updated_ms,
    }


def spot_result(order: Order) -> dict[str, Any]:
    return {
        **spot_ack(order),
        **_spot_state(order),
        "workingTime": order.created_ms,
        "selfTradePreventionMode": SELF_TRADE[order.ticket.self_trade],
    }


def spot_full(order: Order) -> dict[str, Any]:
    fills = [
        {
            "price": order.listing.price.text(row.price),
            "qty": size(order, row.size),
            "commission": money(row.fee),
            "commissionAsset": row.fee_asset,
            "tradeId": row.number,
        }
        for row in order.executions
    ]
    return {**spot_result(order), "fills": fills}


def spot_cancelled(order: Order) -> dict[str, Any]:
    """Here `clientOrderId` is the id of the cancel."""
    return {
        "symbol": order.listing.symbol,
        "origClientOrderId": order.client_id,
        "orderId": order.number,
        "orderListId": -1,
        "clientOrderId": order.ticket.words["cancel_id"],
        "transactTime": order.updated_ms,
        **_spot_state(order),
        "selfTradePreventionMode": SELF_TRADE[order.ticket.self_trade],
    }


def spot_order(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.listing.symbol,
        "orderId": order.number,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        **_spot_state(order),
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.created_ms,
        "selfTradePreventionMode": SELF_TRADE[order.ticket.self_trade],
    }


def spot_trade(row: Execution) -> dict[str, Any]:
    order = row.order
    return {
        "symbol": order.listing.symbol,
        "id": row.number,
        "orderId": order.number,
        "orderListId": -1,
        "price": order.listing.price.text(row.price),
        "qty": size(order, row.size),
        "quoteQty": money(row.value),
        "commission": money(row.fee),
        "commissionAsset": row.fee_asset,
        "time": row.ms,
        "isBuyer": order.side == "buy",
        "isMaker": row.is_maker,
        "isBestMatch": True,
    }


def futures_placed(order: Order) -> dict[str, Any]:
    """The answer of an order and of its cancel: since 2026-06-30 without the average price and the value."""
    return {
        "orderId": order.number,
        "symbol": order.listing.symbol,
        "status": status(order),
        "clientOrderId": order.client_id,
        "price": price(order),
        "origQty": size(order, order.size),
        "executedQty": size(order, order.filled),
        "timeInForce": force(order),
        "type": kind(order),
        "reduceOnly": order.ticket.reduce_only,
        "closePosition": False,
        "side": order.side.upper(),
        "positionSide": SIDE[order.ticket.position_side],
        "stopPrice": "0.00",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": kind(order),
        "priceMatch": "NONE",
        "selfTradePreventionMode": SELF_TRADE[order.ticket.self_trade],
        "goodTillDate": 0,
        "updateTime": order.updated_ms,
    }


def futures_ack(order: Order) -> dict[str, Any]:
    """What is answered before anything has matched."""
    return {**futures_placed(order), "status": "NEW", "executedQty": size(order, 0)}


def futures_order(order: Order) -> dict[str, Any]:
    return {
        **futures_placed(order),
        "avgPrice": average(order),
        "cumQuote": f"{order.value:f}",
        "time": order.created_ms,
    }


def futures_trade(row: Execution) -> dict[str, Any]:
    order = row.order
    return {
        "symbol": order.listing.symbol,
        "id": row.number,
        "orderId": order.number,
        "side": order.side.upper(),
        "price": order.listing.price.text(row.price),
        "qty": size(order, row.size),
        "realizedPnl": money(row.realised),
        "marginAsset": order.listing.settle,
        "quoteQty": f"{row.value:f}",
        "commission": money(row.fee),
        "commissionAsset": row.fee_asset,
        "time": row.ms,
        "positionSide": SIDE[order.ticket.position_side],
        "buyer": order.side == "buy",
        "maker": row.is_maker,
    }


def average(order: Order) -> str:
    """Mean price, rounded down to the 5 digits that futures write; "0.00000" without a fill."""
    return f"{order.average:.5f}"


def _spot_state(order: Order) -> dict[str, Any]:
    return {
        "price": price(order),
        "origQty": size(order, order.size),
        "executedQty": size(order, order.filled),
        "origQuoteOrderQty": money(order.ticket.quote_size or Decimal(0)),
        "cummulativeQuoteQty": money(order.value),
        "status": status(order),
        "timeInForce": force(order),
        "type": kind(order),
        "side": order.side.upper(),
    }
