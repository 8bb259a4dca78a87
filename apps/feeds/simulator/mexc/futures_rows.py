"""Orders, executions, positions and wallets as MEXC's contracts write them: the same by REST and on the socket.

Sizes are whole contracts. Numbers are numbers, ids are text.
"""

from decimal import Decimal
from itertools import accumulate
from typing import Any

from apps.feeds.simulator.trading.accounts import Account, Execution, Holding, Order, Position
from apps.feeds.simulator.trading.tickets import Ended

STATES = {"open": 2, "partial": 2, "filled": 3, "cancelled": 4}
# Why an order was cancelled; by the client: 0.
ERRORS = {Ended.IOC: 18, Ended.FOK: 19, Ended.POST_ONLY: 20, Ended.SELF_TRADE: 8, Ended.REDUCE_ONLY: 8}
MARKET_ERROR = 21
MARKET_TYPES = (5, 6)
OPEN_TYPES = {"isolated": 1, "cross": 2}
FIRST_POSITION_ID = 1_394_650
PLACES = Decimal("1e-8")


def number(value: Decimal) -> Decimal:
    """With as few digits as it needs."""
    value = value.quantize(PLACES).normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def order(order: Order) -> dict[str, Any]:
    words, settle = order.ticket.words, order.listing.settle
    done = _done(order)
    maker = sum((row.fee for row in done if row.is_maker), Decimal(0))
    taker = sum((row.fee for row in done if not row.is_maker), Decimal(0))
    setting = order.account.setting(order.listing.symbol)
    return {
        "orderId": order.id,
        "symbol": order.listing.symbol,
        "positionId": position_id(order.account, order.account.position(order.listing, order.ticket.position_side)),
        "price": _price(order),
        "vol": order.size,
        "leverage": setting.leverage,
        "side": words["side"],
        "category": 1,
        "orderType": words["type"],
        "dealAvgPrice": number(order.average),
        "dealVol": order.filled,
        "orderMargin": number(order.locked),
        "takerFee": number(taker),
        "makerFee": number(maker),
        "profit": number(sum((row.realised for row in done), Decimal(0))),
        "feeCurrency": settle,
        "openType": words["open_type"],
        "state": STATES[order.status],
        "externalOid": order.client_id,
        "errorCode": _error(order),
        "usedMargin": 0,
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "positionMode": 1 if order.account.hedge else 2,
        "reduceOnly": order.ticket.reduce_only,
    }


def order_push(order_: Order) -> dict[str, Any]:
    """What REST does not have: the rest, and the number of the change."""
    version = 1 + len(_done(order_)) + (order_.status == "cancelled")
    return {**order(order_), "remainVol": order_.left, "version": version}


def deal(row: Execution, *, taker: str) -> dict[str, Any]:
    """`taker`: how that is called here."""
    order = row.order
    return {
        "id": trade_id(row),
        "symbol": order.listing.symbol,
        "side": order.ticket.words["side"],
        "vol": row.size,
        "price": number(row.price * order.listing.price.step),
        "fee": number(row.fee),
        "feeCurrency": row.fee_asset,
        "profit": number(row.realised),
        "category": 1,
        "orderId": order.id,
        "externalOid": order.client_id,
        "positionMode": 1 if order.account.hedge else 2,
        "isSelf": False,
        taker: not row.is_maker,
        "timestamp": row.ms,
    }


def trade_id(row: Execution) -> str:
    return str(row.number)


def position(account: Account, row: Position, frozen: int = 0) -> dict[str, Any]:
    """`frozen`: contracts that orders to close it wait for."""
    long = row.side == "long" or (row.side == "net" and row.size >= 0)
    return {
        "positionId": position_id(account, row),
        "symbol": row.listing.symbol,
        "positionType": 1 if long else 2,
        "openType": OPEN_TYPES[row.mode],
        "state": 1 if row.size else 3,
        "holdVol": abs(row.size),
        "frozenVol": frozen,
        "closeVol": 0,
        "holdAvgPrice": number(row.entry),
        "openAvgPrice": number(row.entry),
        "closeAvgPrice": 0,
        "liquidatePrice": 0,
        "oim": number(row.margin),
        "im": number(row.margin),
        "holdFee": 0,
        "realised": number(row.realised),
        "leverage": row.leverage,
        "createTime": row.updated_ms,
        "updateTime": row.updated_ms,
        "autoAddIm": False,
    }


def asset(name: str, row: Holding, margin: Decimal) -> dict[str, Any]:
    return {
        "availableBalance": number(row.free),
        "bonus": 0,
        "currency": name,
        "frozenBalance": number(row.locked - margin),
        "positionMargin": number(margin),
    }


def position_id(account: Account, row: Position) -> int:
    """Positions keep their place in the account."""
    keys = list(account.positions)
    return FIRST_POSITION_ID + keys.index((row.listing.symbol, row.side))


def _done(order: Order) -> list[Execution]:
    """The executions of an order as it was then: a copy of it shares the list with the order of now."""
    sizes = accumulate(row.size for row in order.executions)
    return [row for row, filled in zip(order.executions, sizes, strict=True) if filled <= order.filled]


def _price(order: Order) -> Decimal:
    """A market order tells the price that it was sent at."""
    return number(order.price * order.listing.price.step if order.price else Decimal(order.ticket.words["mark"]))


def _error(order: Order) -> int:
    if order.ended is None or order.ended == Ended.CLIENT:
        return 0
    return MARKET_ERROR if order.ticket.words["type"] in MARKET_TYPES else ERRORS[order.ended]
