"""Orders, executions, money and positions as CoinEx writes them; REST and pushes spell some fields otherwise."""

import zlib
from decimal import Decimal
from itertools import accumulate
from typing import Any

from apps.feeds.simulator.coinex.params import MARKET_TYPE
from apps.feeds.simulator.trading.accounts import ZERO, Account, Execution, Holding, Order, Position
from apps.feeds.simulator.trading.desk import Desk

KINDS = {"gtc": "limit", "post": "maker_only", "ioc": "ioc", "fok": "fok"}
STATUS = {"open": "open", "partial": "part_filled", "filled": "filled"}
MAINTENANCE = Decimal("0.005")


def plain(value: Decimal) -> str:
    """No padding, no exponent."""
    return f"{value.normalize():f}" if value else "0"


def kind(order: Order) -> str:
    return "market" if order.ticket.kind == "market" else KINDS[order.ticket.force]


def placed(order: Order) -> dict[str, Any]:
    """What REST answers to an order and to its cancel, and lists: without a status."""
    row = {**_state(order), "market_type": MARKET_TYPE[order.listing.market_type]}
    price, size = _last(order.executions[-1] if order.executions else None)
    if order.listing.market_type == "spot":
        names = {"ccy": order.ticket.words["ccy"], "last_fill_amount": size, "last_fill_price": price}
        base, quote = spot_fees(order)
        return {**row, **names, "base_fee": base, "quote_fee": quote, "discount_fee": "0"}
    realised = sum((execution.realised for execution in executions(order)), ZERO)
    return {
        **row,
        **_futures_fee(order),
        "last_filled_amount": size,
        "last_filled_price": price,
        "realized_pnl": plain(realised),
    }


def with_status(order: Order) -> dict[str, Any]:
    status = STATUS.get(order.status) or ("part_canceled" if order.filled else "canceled")
    return {**placed(order), "status": status}


def finished(order: Order) -> dict[str, Any]:
    """Of the list of finished orders: no last fill, and no time of change."""
    return {name: value for name, value in placed(order).items() if not name.startswith("last_")} | {"updated_at": 0}


def pushed(order: Order, execution: Execution | None) -> dict[str, Any]:
    """The order of an `order.update`."""
    price, size = _last(execution)
    row = {**_state(order), "last_filled_amount": size, "last_filled_price": price}
    if order.listing.market_type == "futures":
        return {**row, **_futures_fee(order)}
    base, quote = spot_fees(order)
    return {**row, "margin_market": "", "base_ccy_fee": base, "quote_ccy_fee": quote, "discount_ccy_fee": "0"}


def executions(order: Order) -> list[Execution]:
    """Those that the order counts as filled: a push may tell of an earlier state."""
    filled = accumulate(execution.size for execution in order.executions)
    return [execution for execution, size in zip(order.executions, filled, strict=True) if size <= order.filled]


def spot_fees(order: Order) -> tuple[str, str]:
    """What was paid in base and in quote."""
    base, quote = (
        sum((execution.fee for execution in executions(order) if execution.fee_asset == asset), ZERO)
        for asset in (order.listing.base, order.listing.quote)
    )
    return plain(base), plain(quote)


def deal(execution: Execution) -> dict[str, Any]:
    """A row of `user-deals`: neither fee nor role."""
    order = execution.order
    return {
        "deal_id": execution.number,
        "created_at": execution.ms,
        "market": order.listing.symbol,
        "side": order.side,
        "order_id": order.number,
        "price": order.listing.price.text(execution.price),
        "amount": order.listing.size.text(execution.size),
    }


def deal_with_fee(execution: Execution) -> dict[str, Any]:
    """A row of `order-deals`."""
    return {
        **deal(execution),
        "role": "maker" if execution.is_maker else "taker",
        "fee": plain(execution.fee),
        "fee_ccy": execution.fee_asset,
    }


def pushed_deal(account: Account, execution: Execution) -> dict[str, Any]:
    """The data of a `user_deals.update`."""
    order = execution.order
    spot = order.listing.market_type == "spot"
    place = {"margin_market": ""} if spot else {"position_id": position_id(account, order.listing.symbol)}
    return {**deal_with_fee(execution), "client_id": order.client_id, **place}


def futures_balance(desk: Desk, account: Account, asset: str, holding: Holding) -> dict[str, Any]:
    """Money in positions is `margin`, money held back for orders is `frozen`."""
    positions = [row for row in account.positions.values() if row.size and row.listing.settle == asset]
    margin = min(holding.locked, sum((row.margin for row in positions), ZERO))  # a push may be of a moment ago
    return {
        "ccy": asset,
        "available": plain(holding.free),
        "frozen": plain(holding.locked - margin),
        "margin": plain(margin),
        "transferrable": plain(holding.free),
        "unrealized_pnl": plain(sum((row.unrealised(desk.mark(row.listing)) for row in positions), ZERO)),
    }


def listed_position(desk: Desk, account: Account, row: Position) -> dict[str, Any]:
    """A row of `pending-position`; what a push calls `settle_val` is `settle_value` here."""
    told = position(desk, account, row)
    return {**told, "market_type": MARKET_TYPE["futures"], "settle_value": told["cml_position_value"]}


def pushed_position(desk: Desk, account: Account, row: Position) -> dict[str, Any]:
    """The position of a `position.update`."""
    prices = [
        row.listing.price.text(execution.price)
        for execution in account.executions
        if execution.order.listing is row.listing
    ]
    told = position(desk, account, row)
    return {
        **told,
        "settle_val": told["cml_position_value"],
        "first_filled_price": prices[0] if prices else "0",
        "latest_filled_price": prices[-1] if prices else "0",
    }


def position(desk: Desk, account: Account, row: Position) -> dict[str, Any]:
    """What REST and pushes say alike."""
    size, value = row.listing.size.text(abs(row.size)), row.cost
    entry = f"{row.entry:.8f}" if row.size else "0"
    rate = (row.margin / value).quantize(Decimal("1e-8")) if value else ZERO
    return {
        "position_id": position_id(account, row.listing.symbol),
        "market": row.listing.symbol,
        "side": "short" if row.size < 0 else "long",
        "margin_mode": row.mode,
        "open_interest": size,
        "close_avbl": size,
        "ath_position_amount": size,
        "unrealized_pnl": plain(row.unrealised(desk.mark(row.listing))),
        "realized_pnl": plain(row.realised),
        "avg_entry_price": entry,
        "cml_position_value": plain(value),
        "max_position_value": plain(value),
        "take_profit_price": "0",
        "stop_loss_price": "0",
        "take_profit_type": "",
        "stop_loss_type": "",
        "leverage": str(row.leverage),
        "margin_avbl": plain(row.margin),
        "ath_margin_size": plain(row.margin),
        "position_margin_rate": plain(rate),
        "maintenance_margin_rate": plain(MAINTENANCE),
        "maintenance_margin_value": plain(value * MAINTENANCE),
        "liq_price": "0",
        "bkr_price": "0",
        "adl_level": 1,
        "settle_price": entry,
        "created_at": row.updated_ms,
        "updated_at": row.updated_ms,
    }


def position_id(account: Account, symbol: str) -> int:
    return zlib.crc32(f"{account.name} {symbol}".encode())


def _state(order: Order) -> dict[str, Any]:
    """What REST and pushes write alike. An order by money counts `amount` and what is left of it in money."""
    listing, by_money = order.listing, order.ticket.quote_size
    left = listing.size.text(order.left) if by_money is None else plain(by_money - order.value)
    rates = order.account.rate(listing.market_type)
    return {
        "order_id": order.number,
        "market": listing.symbol,
        "side": order.side,
        "type": kind(order),
        "amount": listing.size.text(order.size) if by_money is None else plain(by_money),
        "price": listing.price.text(order.price),
        "client_id": order.client_id,
        "created_at": order.created_ms,
        "updated_at": order.updated_ms,
        "maker_fee_rate": plain(rates.maker),
        "taker_fee_rate": plain(rates.taker),
        "unfilled_amount": left,
        "filled_amount": listing.size.text(order.filled),
        "filled_value": plain(order.value),
    }


def _futures_fee(order: Order) -> dict[str, Any]:
    fee = sum((execution.fee for execution in executions(order)), ZERO)
    return {"fee": plain(fee), "fee_ccy": order.listing.settle}


def _last(execution: Execution | None) -> tuple[str, str]:
    """Price and size of the last fill."""
    if execution is None:
        return "0", "0"
    listing = execution.order.listing
    return listing.price.text(execution.price), listing.size.text(execution.size)
