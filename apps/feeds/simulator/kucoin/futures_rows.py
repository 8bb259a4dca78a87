"""Orders, executions, positions and money of classic futures accounts as their REST writes them."""

import zlib
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.kucoin import words
from apps.feeds.simulator.kucoin.streams import ns
from apps.feeds.simulator.kucoin.words import plain
from apps.feeds.simulator.trading.accounts import ZERO, Account, Execution, Funding, Order, Position, unit, worth
from apps.feeds.simulator.trading.tickets import Mode

MAINTENANCE = Decimal("0.004")  # of a position's value
MODES = {"cross": "CROSS", "isolated": "ISOLATED"}
POSITION_SIDES = {"net": "BOTH", "long": "LONG", "short": "SHORT"}


def order_row(order: Order) -> dict[str, Any]:
    ticket, listing = order.ticket, order.listing
    return {
        "id": order.id,
        "symbol": listing.symbol,
        "type": ticket.kind,
        "side": order.side,
        "price": words.price(order),
        "size": order.size,
        "value": plain(worth(listing, order.price, order.size) or order.value),
        "dealValue": plain(order.value),
        "dealSize": order.filled,
        "stp": ticket.words["stp"] or "",
        "stop": "",
        "stopPriceType": "",
        "stopTriggered": False,
        "stopPrice": None,
        "timeInForce": words.force(order),
        "postOnly": words.is_post_only(order),
        "hidden": False,
        "iceberg": False,
        "leverage": str(ticket.words["leverage"]),
        "forceHold": False,
        "closeOrder": ticket.words["close"],
        "visibleSize": 0,
        "clientOid": order.client_id,
        "remark": ticket.words["remark"],
        "tags": "",
        "isActive": order.is_open,
        "cancelExist": words.is_cut(order),
        "createdAt": order.created_ms,
        "updatedAt": order.updated_ms,
        "endAt": None if order.is_open else order.updated_ms,
        "orderTime": words.made_ns(order),
        "settleCurrency": listing.settle,
        "marginMode": MODES[ticket.words["mode"]],
        "positionSide": POSITION_SIDES[ticket.position_side],
        "avgDealPrice": plain(words.mean(order.average)),
        "filledSize": order.filled,
        "filledValue": plain(order.value),
        "status": "open" if order.is_open else "done",
        "reduceOnly": ticket.reduce_only,
    }


def fill_row(execution: Execution) -> dict[str, Any]:
    order = execution.order
    fee, closes = plain(execution.fee), bool(execution.realised)
    return {
        "symbol": order.listing.symbol,
        "tradeId": str(words.trade_id(execution)),
        "orderId": order.id,
        "side": order.side,
        "liquidity": words.role(execution),
        "forceTaker": False,
        "price": order.listing.price.text(execution.price),
        "size": execution.size,
        "value": plain(execution.value),
        "openFeePay": "0" if closes else fee,
        "closeFeePay": fee if closes else "0",
        "stop": "",
        "feeRate": f"{words.rate(order, execution):.5f}",
        "fixFee": "0",
        "feeCurrency": execution.fee_asset,
        "marginMode": MODES[order.ticket.words["mode"]],
        "fee": fee,
        "settleCurrency": order.listing.settle,
        "orderType": order.ticket.kind,
        "displayType": order.ticket.kind,
        "tradeType": "trade",
        "subTradeType": None,
        "tradeTime": ns(execution.ms),
        "createdAt": execution.ms + 148,
    }


def position_row(position: Position, mark: Decimal, ms: int) -> dict[str, Any]:
    """Numbers, not text. All of it whatever the margin mode, but for what only an isolated one has: its leverage is not
    what was set, but what it comes to now."""
    listing, margin = position.listing, position.margin
    value = mark * position.size * unit(listing)
    cost = position.cost if position.size >= 0 else -position.cost
    row = {
        "id": f"5000{zlib.crc32(listing.symbol.encode()):014d}",
        "symbol": listing.symbol,
        "crossMode": position.mode == "cross",
        "delevPercentage": 0.5,
        "openingTimestamp": position.updated_ms,
        "currentTimestamp": ms,
        "currentQty": position.size,
        "currentCost": cost,
        "currentComm": ZERO,
        "unrealisedCost": cost,
        "realisedGrossCost": -position.realised,
        "realisedCost": -position.realised,
        "isOpen": bool(position.size),
        "markPrice": mark,
        "markValue": value,
        "posCost": cost,
        "posInit": margin,
        "posMargin": margin,
        "realisedGrossPnl": position.realised,
        "realisedPnl": position.realised,
        "unrealisedPnl": position.unrealised(mark),
        "unrealisedPnlPcnt": share(position.unrealised(mark), position.cost),
        "unrealisedRoePcnt": share(position.unrealised(mark), margin),
        "avgEntryPrice": words.mean(position.entry),
        "liquidationPrice": liquidation(position),
        "bankruptPrice": liquidation(position),
        "settleCurrency": listing.settle,
        "isInverse": listing.inverse,
        "marginMode": MODES[position.mode],
        "positionSide": POSITION_SIDES[position.side],
        "leverage": position.leverage,
    }
    real = share(abs(value), margin + position.unrealised(mark))
    isolated = {
        "autoDeposit": False,
        "maintMarginReq": MAINTENANCE,
        "riskLimit": 500000,
        "leverage": real,
        "realLeverage": real,
        "posCross": ZERO,
        "posCrossMargin": ZERO,
        "posComm": ZERO,
        "posCommCommon": ZERO,
        "posLoss": ZERO,
        "posFunding": ZERO,
        "posMaint": abs(value) * MAINTENANCE,
        "maintMargin": margin + position.unrealised(mark),
        "maintainMargin": MAINTENANCE,
    }
    return row if position.mode == "cross" else row | isolated


def liquidation(position: Position) -> Decimal:
    """Where the margin is used up; 0 when there is no such price."""
    if not position.size:
        return ZERO
    room = position.entry / position.leverage
    return words.mean(max(ZERO, position.entry - room if position.size > 0 else position.entry + room))


def share(part: Decimal, whole: Decimal) -> Decimal:
    return round(part / whole, 4) if whole else ZERO


def overview(account: Account, asset: str, unrealised: Decimal) -> dict[str, Any]:
    """`unrealised`: of the positions that are settled in the asset."""
    holding, margin = account.holding("futures", asset), account.margin(asset)
    return {
        "accountEquity": holding.total + unrealised,
        "unrealisedPNL": unrealised,
        "marginBalance": holding.total,
        "positionMargin": margin,
        "orderMargin": holding.locked - margin,
        "frozenFunds": ZERO,
        "availableBalance": holding.free,
        "currency": asset,
        "riskRatio": ZERO,
        "maxWithdrawAmount": holding.free,
    }


def funding_row(row: Funding, mark: Decimal, size: int, mode: Mode) -> dict[str, Any]:
    """`size`: of the position, in contracts."""
    return {
        "id": 1_472_387_374_000_000 + row.number,
        "symbol": row.listing.symbol,
        "timePoint": row.ms,
        "fundingRate": row.rate,
        "markPrice": mark,
        "positionQty": size,
        "positionCost": mark * size * unit(row.listing),
        "funding": row.amount,
        "settleCurrency": row.asset,
        "context": f'{{"marginMode": "{MODES[mode]}", "positionSide": "BOTH"}}',
        "marginMode": MODES[mode],
    }
