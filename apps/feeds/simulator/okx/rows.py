"""Orders, executions, balances and positions as OKX writes them, in its answers and in its pushes."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.trading.accounts import Account, Execution, Order, Position, unit
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Ended

STATE = {"open": "live", "partial": "partially_filled", "filled": "filled", "cancelled": "canceled"}
CANCEL_SOURCE = {
    None: "",
    Ended.CLIENT: "1",
    Ended.FOK: "13",
    Ended.IOC: "14",
    Ended.POST_ONLY: "31",
    Ended.SELF_TRADE: "32",
    Ended.REDUCE_ONLY: "0",
    Ended.DEAD_MAN: "20",
}
STP = {"": "", "maker": "cancel_maker", "taker": "cancel_taker", "both": "cancel_both"}
FINEST = 12  # digits after the point of what was divided
# What is always said and never used here.
UNUSED = (
    *("algoClOrdId", "algoId", "attachAlgoClOrdId", "pxType", "pxUsd", "pxVol", "quickMgnType", "source", "stpId"),
    *("slOrdPx", "slTriggerPx", "slTriggerPxType", "tpOrdPx", "tpTriggerPx", "tpTriggerPxType"),
)
UNUSED_PUSHED = (
    *("amendResult", "amendSource", "fillFwdPx", "fillMarkPx", "fillMarkVol", "fillPxUsd", "fillPxVol", "msg", "reqId"),
    *("outcome", "riskBypassResult"),
)
UNUSED_HELD = (
    *("accAvgPx", "borrowFroz", "clSpotInUseAmt", "crossLiab", "interest", "liab", "maxLoan", "maxSpotInUseAmt"),
    *("openAvgPx", "spotBal", "spotInUseAmt", "spotUpl", "spotUplRatio", "totalPnl", "totalPnlRatio", "uplLiab"),
)


def number(value: Decimal) -> str:
    """No exponent, no zeros at the end."""
    text = f"{round(value, FINEST):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def size(order: Order) -> str:
    """In money where the order said so."""
    money = order.ticket.quote_size
    return order.listing.size.text(order.size) if money is None else number(money)


def order_row(order: Order) -> dict[str, Any]:
    """What answers and pushes have in common."""
    listing, ticket = order.listing, order.ticket
    fees = [row.fee for row in order.counted]
    spot = listing.market_type == "spot"
    paid = (listing.base if order.side == "buy" else listing.quote) if spot else listing.settle
    other = (listing.quote if order.side == "buy" else listing.base) if spot else listing.settle
    rebate = -sum((fee for fee in fees if fee < 0), Decimal(0))
    return {
        "instType": listing.category,
        "instId": listing.symbol,
        "tgtCcy": ticket.words["tgtCcy"],
        "ccy": "" if spot else listing.settle,
        "tradeQuoteCcy": listing.quote if spot else "",
        "ordId": order.id,
        "clOrdId": order.client_id,
        "tag": ticket.words["tag"],
        "px": listing.price.text(order.price) if order.price else "",
        "sz": size(order),
        "ordType": ticket.words["ordType"],
        "side": order.side,
        "posSide": "" if spot else ticket.position_side,
        "tdMode": ticket.words["tdMode"],
        "accFillSz": listing.size.text(order.filled),
        "avgPx": number(order.average),
        "state": STATE[order.status],
        "lever": "" if spot else str(order.account.setting(listing.symbol).leverage),
        "pnl": number(sum((row.realised for row in order.counted), Decimal(0))),
        "feeCcy": paid,
        "fee": number(-sum((fee for fee in fees if fee > 0), Decimal(0))),
        "rebateCcy": paid if rebate else other,
        "rebate": number(rebate),
        "category": "normal",
        "uTime": str(order.updated_ms),
        "cTime": str(order.created_ms),
        "reduceOnly": "true" if ticket.reduce_only else "false",
        "cancelSource": CANCEL_SOURCE[order.ended],
        "cancelSourceReason": "",
        "stpMode": STP[ticket.self_trade],
        "isTpLimit": "false",
        "linkedAlgoOrd": {"algoId": ""},
        "attachAlgoOrds": [],
        **dict.fromkeys(UNUSED, ""),
    }


def answered(order: Order) -> dict[str, Any]:
    """Of queries: the last fill without its fee, and "0" for none."""
    last = order.executions[-1] if order.executions else None
    price, lots = order.listing.price, order.listing.size
    return {
        **order_row(order),
        "fillPx": "0" if last is None else price.text(last.price),
        "fillSz": "0" if last is None else lots.text(last.size),
        "fillTime": "0" if last is None else str(last.ms),
        "tradeId": "0" if last is None else str(last.number),
    }


def pushed(order: Order, last: Execution | None) -> dict[str, Any]:
    """`last`: the fill that is told of, if there is one."""
    listing = order.listing
    worth = (order.price * listing.price.step or order.average) * order.size * unit(listing)
    fill = {
        "fillPx": "" if last is None else listing.price.text(last.price),
        "fillSz": "0" if last is None else listing.size.text(last.size),
        "fillTime": "" if last is None else str(last.ms),
        "tradeId": "" if last is None else str(last.number),
        "fillFee": "0" if last is None else number(-last.fee),
        "fillFeeCcy": "" if last is None else last.fee_asset,
        "fillPnl": "0" if last is None else number(last.realised),
        "fillIdxPx": "0",
        "execType": "" if last is None else "M" if last.is_maker else "T",
    }
    return {
        **order_row(order),
        **fill,
        "lastPx": fill["fillPx"],
        "notionalUsd": number(worth),
        "fillNotionalUsd": number(order.value) if order.filled else "",
        "slippage": "0",
        "code": "0",
        **dict.fromkeys(UNUSED_PUSHED, ""),
    }


def fill(row: Execution, bill: str) -> dict[str, Any]:
    order, listing = row.order, row.order.listing
    return {
        "instType": listing.category,
        "instId": listing.symbol,
        "tradeId": str(row.number),
        "ordId": order.id,
        "clOrdId": order.client_id,
        "billId": bill,
        "subType": "1" if order.side == "buy" else "2",
        "tag": order.ticket.words["tag"],
        "fillPx": listing.price.text(row.price),
        "fillSz": listing.size.text(row.size),
        "fillIdxPx": "",
        "fillPnl": number(row.realised),
        **dict.fromkeys(("fillPxVol", "fillPxUsd", "fillMarkVol", "fillFwdPx", "fillMarkPx"), ""),
        "side": order.side,
        "posSide": "net" if listing.market_type == "spot" else order.ticket.position_side,
        "execType": "M" if row.is_maker else "T",
        "feeRate": number(-_rate(row.fee, row.size * unit(listing) if row.fee_asset == listing.base else row.value)),
        "fee": number(-row.fee),
        "feeCcy": row.fee_asset,
        "tradeQuoteCcy": listing.quote if listing.market_type == "spot" else "",
        "fillTime": str(row.ms),
        "ts": str(row.ms),
    }


def position(desk: Desk, account: Account, row: Position) -> dict[str, Any]:
    """Net positions are signed; long and short ones are told by their side."""
    listing, mark = row.listing, desk.mark(row.listing)
    last = next((trade for trade in reversed(account.executions) if trade.order.listing is listing), None)
    count = row.size if row.side == "net" else abs(row.size)
    profit = row.unrealised(mark)
    cross = row.mode == "cross"
    return {
        "instType": listing.category,
        "instId": listing.symbol,
        "mgnMode": row.mode,
        "posId": str(stable_id(listing.symbol, row.side)),
        "posSide": row.side,
        "pos": listing.size.text(count),
        "ccy": listing.settle,
        "posCcy": "",
        "availPos": "" if row.side == "net" else listing.size.text(count),
        "avgPx": number(row.entry) if row.size else "",
        "lever": str(row.leverage),
        "last": number(mark),
        "markPx": number(mark),
        "liqPx": "",
        "margin": "" if cross else number(row.margin),
        "imr": number(row.margin) if cross else "",
        "mmr": number(row.cost / 250),
        "notionalUsd": number(mark * abs(row.size) * unit(listing)),
        "upl": number(profit),
        "uplRatio": number(profit / row.margin) if row.margin else "0",
        "realizedPnl": number(row.realised),
        "pnl": number(row.realised),
        "adl": "1" if row.size else "",
        "tradeId": "" if last is None else str(last.number),
        "cTime": str(row.updated_ms),
        "uTime": str(row.updated_ms),
        "pTime": str(desk.now_ms()),
    }


def stable_id(*names: str) -> int:
    """A number that stays the same for the same names."""
    number = 0
    for letter in ":".join(names).encode():
        number = (number * 131 + letter) % 10**18
    return number


def _rate(fee: Decimal, traded: Decimal) -> Decimal:
    """Zero of an execution of nothing."""
    return fee / traded if traded else Decimal(0)
