"""Orders, fills, money and positions of linear swaps as HTX's v5 writes them, by REST and in pushes."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.htx.spot_rows import plain
from apps.feeds.simulator.trading.accounts import ZERO, Account, Execution, Holding, Order, Position
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Ended, Force, PositionSide

SIDES: dict[PositionSide, str] = {"net": "both", "long": "long", "short": "short"}
STATES = {"open": "new", "partial": "partially_filled", "filled": "filled"}
FORCES: dict[Force, str] = {"gtc": "gtc", "ioc": "ioc", "fok": "fok", "post": "gtc"}
SELF_TRADES = {"": "", "taker": "cancel_taker", "maker": "cancel_maker", "both": "cancel_both"}
REASONS = {
    Ended.CLIENT: "user",
    Ended.IOC: "ioc",
    Ended.FOK: "fok",
    Ended.POST_ONLY: "post_only",
    Ended.SELF_TRADE: "self_match_prevent",
    Ended.REDUCE_ONLY: "reduce_only",
    Ended.DEAD_MAN: "system",
}
MAINTENANCE = Decimal("0.0034")
NOT_SET = [f"{kind}_{of}" for kind in ("tp", "sl") for of in ("trigger_price", "order_price", "type")]
NOT_SET += ["tp_trigger_price_type", "sl_trigger_price_type"]


def state(row: Order) -> str:
    return STATES.get(row.status) or ("partially_canceled" if row.filled else "canceled")


def kind(row: Order) -> str:
    if row.ticket.kind == "market":
        return "market"
    return "post_only" if row.ticket.force == "post" else "limit"


def client_id(row: Order) -> str:
    """The order's own number where none was sent."""
    return row.client_id or row.id


def named(row: Order) -> dict[str, Any]:
    return {"order_id": row.id, "client_order_id": client_id(row)}


def order(row: Order) -> dict[str, Any]:
    """The fee of an order is negative when it was paid; that of its fills is not."""
    done = row.counted
    fee = sum((execution.fee for execution in done), ZERO)
    profit = sum((execution.realised for execution in done), ZERO)
    return {
        "id": row.id,
        "side": row.side,
        "type": kind(row),
        "price": row.listing.price.text(row.price),
        "volume": row.listing.size.text(row.size),
        "state": state(row),
        "profit": plain(profit),
        "contract_code": row.listing.symbol,
        "position_side": SIDES[row.ticket.position_side],
        "price_match": None,
        **named(row),
        "margin_mode": row.ticket.mode,
        "lever_rate": row.account.setting(row.listing.symbol).leverage,
        "order_source": "api",
        "reduce_only": row.ticket.reduce_only,
        "time_in_force": FORCES[row.ticket.force],
        **dict.fromkeys(NOT_SET, ""),
        "trade_avg_price": plain(row.average.quantize(Decimal("1e-8"))),
        "trade_volume": row.listing.size.text(row.filled),
        "trade_turnover": plain(row.value),
        "fee_currency": row.listing.settle if done else "",
        "fee": plain(-fee),
        "price_protect": False,
        "contract_type": "swap",
        "created_time": str(row.created_ms),
        "updated_time": str(row.updated_ms),
        "cancel_reason": REASONS[row.ended] if row.ended is not None else None,
        "self_match_prevent": SELF_TRADES[row.ticket.self_trade],
    }


def pushed_order(row: Order) -> dict[str, Any]:
    told = {name: value for name, value in order(row).items() if name not in ("id", "price_protect")}
    amended = dict.fromkeys(("amend_origin_volume", "amend_source", "amend_result"), "")
    return {
        **told,
        "fee_currency": told["fee_currency"] or None,
        "cancel_reason": told["cancel_reason"] or "",
        **amended,
    }


def fill(number: int, row: Execution) -> dict[str, Any]:
    """A row of `order/details`; `number` is its own id."""
    ms = str(row.ms)
    return {
        "id": str(number),
        **_execution(row),
        "side": row.order.side,
        "order_type": "1",
        "margin_mode": row.order.ticket.mode,
        "type": kind(row.order),
        "role": "Maker" if row.is_maker else "TAKER",
        "created_time": ms,
        "updated_time": ms,
        "order_source": "api",
        "fee_currency": row.fee_asset,
        "trade_fee": plain(row.fee),
        "deduction_price": "",
        "profit": plain(row.realised),
    }


def pushed_fill(row: Execution) -> dict[str, Any]:
    """A row of the topic `trade`: without a fee."""
    ms = str(row.ms)
    return {
        "direction": row.order.side,
        "id": f"{100_000_000_000 + row.number}-{row.order.id}-1",
        **_execution(row),
        "role": "maker" if row.is_maker else "taker",
        "client_order_id": client_id(row.order),
        "created_time": ms,
        "updated_time": ms,
    }


def _execution(row: Execution) -> dict[str, Any]:
    listing = row.order.listing
    return {
        "contract_code": listing.symbol,
        "contract_type": "swap",
        "order_id": row.order.id,
        "trade_id": str(row.number),
        "position_side": SIDES[row.order.ticket.position_side],
        "trade_volume": listing.size.text(row.size),
        "trade_price": listing.price.text(row.price),
        "trade_turnover": plain(row.value),
    }


def money(desk: Desk, account: Account, asset: str, holding: Holding, ms: int) -> dict[str, Any]:
    """One currency of an account."""
    held = [row for row in account.positions.values() if row.size and row.listing.settle == asset]
    profit = sum((row.unrealised(desk.mark(row.listing)) for row in held), ZERO)
    isolated = [row for row in held if row.mode == "isolated"]
    unreal = sum((row.unrealised(desk.mark(row.listing)) for row in isolated), ZERO)
    margin = sum((row.margin for row in isolated), ZERO)
    free = plain(holding.free)
    return {
        "currency": asset,
        "equity": plain(holding.total + profit),
        "available": free,
        "profit_unreal": plain(profit),
        "initial_margin": plain(holding.locked),
        "maintenance_margin": plain(sum((row.cost for row in held), ZERO) * MAINTENANCE),
        "maintenance_margin_rate": "0",
        "initial_margin_rate": "0",
        "voucher": "0",
        "voucher_value": "0",
        "withdraw_available": free,
        "isolated_equity": plain(margin + unreal),
        "isolated_profit_unreal": plain(unreal),
        "created_time": ms,
        "updated_time": ms,
    }


def position(desk: Desk, row: Position) -> dict[str, Any]:
    """What REST and pushes say alike."""
    mark = desk.mark(row.listing)
    profit, size = row.unrealised(mark), row.listing.size.text(abs(row.size))
    return {
        "contract_code": row.listing.symbol,
        "position_side": SIDES[row.side],
        "direction": "sell" if row.size < 0 else "buy",
        "margin_mode": row.mode,
        "open_avg_price": plain(row.entry.quantize(Decimal("1e-8"))),
        "volume": size,
        "available": size,
        "lever_rate": row.leverage,
        "adl_risk_percent": 3,
        "liquidation_price": "0",
        "initial_margin": plain(row.margin),
        "maintenance_margin": plain(row.cost * MAINTENANCE),
        "profit_unreal": plain(profit),
        "profit_rate": plain((profit / row.margin).quantize(Decimal("1e-4"))) if row.margin else "0",
        "margin_rate": "0.0012",
        "mark_price": plain(mark),
        "last_price": plain(mark),
        "contract_type": "swap",
        "created_time": str(row.updated_ms),
        "updated_time": str(row.updated_ms),
    }


def listed_position(desk: Desk, row: Position) -> dict[str, Any]:
    return {**position(desk, row), "margin": plain(row.margin), "margin_currency": row.listing.settle}


def pushed_position(desk: Desk, account: Account, row: Position, version: int) -> dict[str, Any]:
    paid = sum((e.fee for e in account.executions if e.order.listing is row.listing), ZERO)
    return {
        **position(desk, row),
        "symbol": row.listing.base,
        "position_mode": "dual_side" if account.hedge else "single_side",
        "fee": plain(paid),
        "total_trade_fee": plain(paid),
        "break_even_price": plain(row.entry.quantize(Decimal("1e-8"))),
        "profit": plain(row.realised),
        "state": "normal",
        "funding_fee": "0",
        "version": version,
    }
