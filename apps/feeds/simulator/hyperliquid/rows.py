"""Orders, fills, wallets and positions as Hyperliquid writes them: the same by REST and on the socket."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.hyperliquid.listings import decimals, spot_meta
from apps.feeds.simulator.hyperliquid.streams import trade_hash, trade_id, written
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Account, Execution, Funding, Holding, Order, Position
from apps.feeds.simulator.trading.tickets import Ended

SIDES = {"buy": "B", "sell": "A"}
TIFS = {"gtc": "Gtc", "ioc": "Ioc", "post": "Alo"}
ENDED = {  # any other end: canceled
    Ended.SELF_TRADE: "selfTradeCanceled",
    Ended.REDUCE_ONLY: "reduceOnlyCanceled",
    Ended.DEAD_MAN: "scheduledCancel",
}
REJECTED = {Ended.POST_ONLY: "badAloPxRejected", Ended.IOC: "iocCancelRejected"}  # those that never traded
MOST_LEVERAGE = 20
DOLLAR_PLACES = 6
NOTHING = Decimal(0)


def number(value: Decimal, places: int = 8) -> str:
    """At least one digit after the point, no needless zeros."""
    text = f"{round(value, places):f}".rstrip("0") if value else "0"
    return written(text.rstrip("."))


def price(listing: Listing, ticks: int) -> str:
    return written(listing.price.text(ticks))


def size(listing: Listing, lots: int) -> str:
    return written(listing.size.text(lots))


def status(order: Order) -> str:
    """An immediate order that found nobody is rejected, as is one that should not have found anybody."""
    if order.status in ("open", "partial"):
        return "open"
    if order.status == "filled":
        return "filled"
    ended = order.ended or Ended.CLIENT
    if ended in REJECTED and not order.filled:
        return REJECTED[ended]
    return ENDED.get(ended, "canceled")


def basic(order: Order) -> dict[str, Any]:
    """`sz` is what is not filled, whatever became of the order."""
    return {
        "coin": order.listing.symbol,
        "side": SIDES[order.side],
        "limitPx": price(order.listing, order.price),
        "sz": size(order.listing, order.left),
        "oid": int(order.id),
        "timestamp": order.created_ms,
        "origSz": size(order.listing, order.size),
        **({"cloid": order.client_id} if order.client_id else {}),
    }


def whole(order: Order) -> dict[str, Any]:
    return {
        **basic(order),
        "triggerCondition": "N/A",
        "isTrigger": False,
        "triggerPx": "0.0",
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": order.ticket.reduce_only,
        "orderType": "Limit",
        "tif": TIFS[order.ticket.force],
        "cloid": order.client_id or None,
    }


def update(order: Order, row: dict[str, Any]) -> dict[str, Any]:
    return {"order": row, "status": status(order), "statusTimestamp": order.updated_ms}


def fill(row: Execution) -> dict[str, Any]:
    order, listing = row.order, row.order.listing
    start = _start(row)
    return {
        "coin": listing.symbol,
        "px": price(listing, row.price),
        "sz": size(listing, row.size),
        "side": SIDES[order.side],
        "time": row.ms,
        "startPosition": size(listing, start),
        "dir": _direction(row, start),
        "closedPnl": number(row.realised, DOLLAR_PLACES),
        "hash": trade_hash(row.number),
        "oid": int(order.id),
        "crossed": not row.is_maker,
        "fee": number(row.fee),
        "tid": trade_id(row.number),
        "feeToken": row.fee_asset,
        **({"cloid": order.client_id} if order.client_id else {}),
        "twapId": None,
    }


def _start(row: Execution) -> int:
    """Signed lots that the account had traded of the symbol before."""
    lots = 0
    for other in row.order.account.executions:
        if other is row:
            break
        if other.order.listing is row.order.listing:
            lots += other.size if other.order.side == "buy" else -other.size
    return lots


def _direction(row: Execution, start: int) -> str:
    buys = row.order.side == "buy"
    if row.order.listing.market_type == "spot":
        return "Buy" if buys else "Sell"
    if start == 0 or (start > 0) == buys:
        return "Open Long" if buys else "Open Short"
    if row.size > abs(start):
        return "Short > Long" if buys else "Long > Short"
    return "Close Short" if buys else "Close Long"


def spot_balances(account: Account, listings: Iterable[Listing]) -> list[dict[str, Any]]:
    tokens = {token["name"]: token["index"] for token in reversed(spot_meta(list(listings))["tokens"])}
    return [
        {
            "coin": asset,
            "token": tokens[asset],
            "total": number(row.total),
            "hold": number(row.locked),
            "entryNtl": "0.0",
        }
        for asset, row in account.wallets.get("spot", {}).items()
        if asset in tokens
    ]


def summary(value: Decimal, notional: Decimal, raw: Decimal, margin: Decimal) -> dict[str, str]:
    figures = {"accountValue": value, "totalNtlPos": notional, "totalRawUsd": raw, "totalMarginUsed": margin}
    return {name: number(figure, DOLLAR_PLACES) for name, figure in figures.items()}


def clearinghouse(held: Holding, positions: list[tuple[Position, Decimal]], ms: int) -> dict[str, Any]:
    """The state of the perpetuals; each position comes with its mark price."""
    unrealised = sum((row.unrealised(mark) for row, mark in positions), NOTHING)
    notional = sum((_value(row, mark) for row, mark in positions), NOTHING)
    signed = sum((_value(row, mark) * (1 if row.size > 0 else -1) for row, mark in positions), NOTHING)
    value, margin = held.total + unrealised, sum((row.margin for row, _ in positions), NOTHING)
    figures = summary(value, notional, value - signed, margin)
    return {
        "marginSummary": figures,
        "crossMarginSummary": figures,
        "crossMaintenanceMarginUsed": number(margin / 2, DOLLAR_PLACES),
        "withdrawable": number(max(held.free, NOTHING), DOLLAR_PLACES),
        "assetPositions": [{"type": "oneWay", "position": position(row, mark)} for row, mark in positions],
        "time": ms,
    }


def position(row: Position, mark: Decimal) -> dict[str, Any]:
    gain = row.unrealised(mark)
    return {
        "coin": row.listing.symbol,
        "szi": size(row.listing, row.size),
        "leverage": {"type": row.mode, "value": row.leverage},
        "entryPx": number(row.entry, max(1, 6 - decimals(row.listing))),
        "positionValue": number(_value(row, mark), DOLLAR_PLACES),
        "unrealizedPnl": number(gain, DOLLAR_PLACES),
        "returnOnEquity": number(gain / row.margin if row.margin else NOTHING),
        "liquidationPx": None,
        "marginUsed": number(row.margin, DOLLAR_PLACES),
        "maxLeverage": MOST_LEVERAGE,
        "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
    }


def funding(row: Funding, held: int) -> dict[str, Any]:
    """`held`: signed lots of the position; money that is received is positive."""
    return {
        "time": row.ms,
        "hash": "0x" + "0" * 64,
        "delta": {
            "type": "funding",
            "coin": row.listing.symbol,
            "usdc": number(row.amount, DOLLAR_PLACES),
            "szi": size(row.listing, held),
            "fundingRate": number(row.rate, 10),
            "nSamples": None,
        },
    }


def _value(row: Position, mark: Decimal) -> Decimal:
    return mark * abs(row.size) * row.listing.size.step
