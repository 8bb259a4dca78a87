"""Orders, executions and positions as Bybit writes them, in its answers and in its pushes."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.bybit.streams import trade_id
from apps.feeds.simulator.trading.accounts import Execution, Order, Position, unit
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Ended

STATUS = {"open": "New", "partial": "PartiallyFilled", "filled": "Filled", "cancelled": "Cancelled"}
CUT = "PartiallyFilledCanceled"  # of spot
FORCE = {"gtc": "GTC", "ioc": "IOC", "fok": "FOK", "post": "PostOnly"}
SELF_TRADE = {"": "None", "maker": "CancelMaker", "taker": "CancelTaker", "both": "CancelBoth"}
INDEX = {"net": 0, "long": 1, "short": 2}
NO_REASON = "EC_NoError"
REASONS = {
    Ended.CLIENT: "EC_PerCancelRequest",
    Ended.IOC: "EC_NoImmediateQtyToFill",
    Ended.FOK: "EC_CancelForNoFullFill",
    Ended.POST_ONLY: "EC_PostOnlyWillTakeLiquidity",
}
CANCELS = {
    Ended.CLIENT: "CancelByUser",
    Ended.SELF_TRADE: "CancelBySmp",
    Ended.REDUCE_ONLY: "CancelByReduceOnly",
}
FINEST = 12  # digits after the point of what was divided
UNUSED = ("blockTradeId", "orderIv", "placeType", "smpOrderId", "stopOrderType", "triggerBy", "tpTriggerBy")
UNUSED_STOPS = ("slTriggerBy", "triggerPrice", "takeProfit", "stopLoss", "tpLimitPrice", "slLimitPrice")
UNUSED_TRADE = ("tradeIv", "markIv", "blockTradeId", "indexPrice", "underlyingPrice", "extraFees")


def number(value: Decimal) -> str:
    """No exponent, no zeros at the end."""
    text = f"{round(value, FINEST):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def status(order: Order) -> str:
    """On spot what was filled in part has an end of its own; a buy by money always leaves some dust of it."""
    spent = order.ticket.quote_size
    dust = spent is not None and order.side == "buy" and order.status == "filled" and order.value < spent
    cut = order.status == "cancelled" and order.filled > 0 and order.listing.market_type == "spot"
    return CUT if dust or cut else STATUS[order.status]


def order_row(order: Order) -> dict[str, Any]:
    listing, ticket = order.listing, order.ticket
    spot, fees = listing.market_type == "spot", order.counted
    left = order.left if order.is_open else 0
    paid = sum((row.fee for row in fees), Decimal(0))
    money = ticket.quote_size
    row = {
        "symbol": listing.symbol,
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "side": order.side.capitalize(),
        "orderType": ticket.kind.capitalize(),
        "price": ticket.words["price"] if ticket.kind == "market" else listing.price.text(order.price),
        "qty": listing.size.text(order.size) if money is None else number(money),
        "timeInForce": "IOC" if ticket.kind == "market" else FORCE[ticket.force],
        "orderStatus": status(order),
        "cancelType": CANCELS.get(order.ended, "UNKNOWN") if order.ended else "UNKNOWN",
        "rejectReason": REASONS.get(order.ended, NO_REASON) if order.ended else NO_REASON,
        "isLeverage": "0" if spot else "",
        "positionIdx": INDEX[ticket.position_side],
        "leavesQty": listing.size.text(left),
        "leavesValue": number(order.price * listing.price.step * left * unit(listing)),
        "cumExecQty": listing.size.text(order.filled),
        "cumExecValue": number(order.value),
        "cumExecFee": number(paid),
        "cumFeeDetail": {fees[0].fee_asset: number(paid)} if fees else {},
        "avgPrice": number(order.average) if order.filled else "",
        "lastPriceOnCreated": ticket.words["last"],
        "reduceOnly": ticket.reduce_only,
        "closeOnTrigger": False,
        "triggerDirection": 0,
        "smpType": SELF_TRADE[ticket.self_trade],
        "smpGroup": 0,
        "marketUnit": ticket.words["unit"],
        "createType": "CreateByUser",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        **dict.fromkeys((*UNUSED, *UNUSED_STOPS), ""),
    }
    return row if spot else {**row, "tpslMode": ""}


def pushed(order: Order) -> dict[str, Any]:
    asset = order.executions[0].fee_asset if order.filled else ""
    return {"category": order.listing.category, **order_row(order), "feeCurrency": asset}


def execution(row: Execution, left: int) -> dict[str, Any]:
    """`left`: lots of the order after it."""
    order, listing = row.order, row.order.listing
    price = order.ticket.words["price"] if order.ticket.kind == "market" else listing.price.text(order.price)
    received = row.fee_asset == listing.base and listing.market_type == "spot"
    closes = row.realised != 0
    return {
        "symbol": listing.symbol,
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "side": order.side.capitalize(),
        "orderType": order.ticket.kind.capitalize(),
        "stopOrderType": "UNKNOWN",
        "orderPrice": price,
        "orderQty": listing.size.text(order.size),
        "leavesQty": listing.size.text(left),
        "execId": trade_id(listing, row.number),
        "execPrice": listing.price.text(row.price),
        "execQty": listing.size.text(row.size),
        "execValue": number(row.value),
        "execType": "Trade",
        "execTime": str(row.ms),
        "execFee": number(row.fee),
        "feeRate": number(_rate(row.fee, row.size * unit(listing) if received else row.value)),
        "feeCurrency": row.fee_asset,
        "execPnl": number(row.realised),
        "closedSize": listing.size.text(row.size) if closes else "0",
        "isMaker": row.is_maker,
        "isLeverage": "0",
        "markPrice": listing.price.text(row.price),
        "marketUnit": order.ticket.words["unit"],
        "createType": "CreateByUser",
        "seq": row.number,
        **dict.fromkeys(UNUSED_TRADE, ""),
    }


def left_after(row: Execution) -> int:
    """Lots that the order still wanted after this execution."""
    lots = row.order.size
    for other in row.order.executions:
        lots -= other.size
        if other is row:
            break
    return lots


def position(desk: Desk, row: Position, *, entry: str) -> dict[str, Any]:
    """`entry`: what the entry price is called: in pushes otherwise than in answers."""
    listing, mark = row.listing, desk.mark(row.listing)
    profit = row.unrealised(mark)
    margin = number(row.margin) if row.size else "0"
    upkeep = number(row.cost / 200)
    return {
        "positionIdx": INDEX[row.side],
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": listing.symbol,
        "side": ("Buy" if row.size > 0 else "Sell") if row.size else "",
        "size": listing.size.text(abs(row.size)),
        entry: number(row.entry),
        "positionValue": number(row.cost) if row.size else "0",
        "tradeMode": 0 if row.mode == "cross" else 1,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 2 if row.size else 0,
        "leverage": str(row.leverage),
        "breakEvenPrice": number(row.entry) if row.size else "",
        "positionBalance": margin,
        "markPrice": number(mark),
        "liqPrice": "",
        "bustPrice": "",
        **dict.fromkeys(("positionIM", "positionIMByMp"), margin),
        **dict.fromkeys(("positionMM", "positionMMByMp"), upkeep),
        "tpslMode": "Full",
        **dict.fromkeys(("takeProfit", "stopLoss", "trailingStop"), "0"),
        "unrealisedPnl": number(profit) if row.size else "0",
        "curRealisedPnl": number(row.realised),
        "cumRealisedPnl": number(row.realised),
        "sessionAvgPrice": "",
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": str(row.updated_ms),
        "updatedTime": str(row.updated_ms),
        "seq": desk.now_ms(),
    }


def _rate(fee: Decimal, traded: Decimal) -> Decimal:
    """Zero of an execution of nothing."""
    return fee / traded if traded else Decimal(0)
