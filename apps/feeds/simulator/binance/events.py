"""What an account's private streams say, field by field, on spot and on futures."""

from typing import Any

from apps.feeds.simulator.binance import rows
from apps.feeds.simulator.trading.accounts import Execution, Position
from apps.feeds.simulator.trading.events import AccountEvent, Event, OrderEvent
from apps.feeds.simulator.trading.tickets import Ended

KINDS = {"new": "NEW", "trade": "TRADE"}
CANCELLED = (Ended.CLIENT, Ended.DEAD_MAN)  # of futures; any other end: EXPIRED
ENDS = {Ended.CLIENT: "CANCELED", Ended.SELF_TRADE: "TRADE_PREVENTION"}  # of spot; any other end: EXPIRED
REASONS = {"trade": "ORDER", "funding": "FUNDING_FEE", "transfer": "DEPOSIT"}


def spot(event: Event) -> list[dict[str, Any]]:
    """Events of the futures wallet are not told here."""
    if isinstance(event, OrderEvent):
        return [_execution_report(event)] if event.order.listing.market_type == "spot" else []
    if event.market_type != "spot":
        return []
    position = {
        "e": "outboundAccountPosition",
        "E": event.ms,
        "u": event.ms,
        "B": [
            {"a": asset, "f": rows.money(row.free), "l": rows.money(row.locked)}
            for asset, row in event.holdings.items()
        ],
    }
    if event.reason != "transfer":
        return [position]
    moves = [
        {"e": "balanceUpdate", "E": event.ms, "a": asset, "d": rows.money(change), "T": event.ms}
        for asset, change in event.changes.items()
    ]
    return [*moves, position]


def futures(event: Event) -> list[dict[str, Any]]:
    """Margin that is held back for an order is not told."""
    if isinstance(event, OrderEvent):
        if event.order.listing.market_type != "futures":
            return []
        update = _order_trade_update(event)
        return [_trade_lite(event, event.execution), update] if event.execution is not None else [update]
    if event.market_type != "futures" or event.reason == "order":
        return []
    return [_account_update(event)]


def _execution_report(event: OrderEvent) -> dict[str, Any]:
    order, execution = event.order, event.execution
    cancelled = order.ended == Ended.CLIENT
    zero = order.listing.size.text(0)
    what = KINDS.get(event.kind) or ENDS.get(order.ended or Ended.IOC, "EXPIRED")
    return {
        "e": "executionReport",
        "E": event.ms,
        "s": order.listing.symbol,
        "c": order.ticket.words["cancel_id"] if cancelled else order.client_id,
        "S": order.side.upper(),
        "o": rows.kind(order),
        "f": rows.force(order),
        "q": rows.size(order, order.size),
        "p": rows.price(order),
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": order.client_id if cancelled else "",
        "x": what,
        "X": rows.status(order),
        "r": "NONE",
        "i": order.number,
        "l": zero if execution is None else rows.size(order, execution.size),
        "z": rows.size(order, order.filled),
        "L": order.listing.price.text(0 if execution is None else execution.price),
        "n": "0" if execution is None else rows.money(execution.fee),
        "N": None if execution is None else execution.fee_asset,
        "T": event.ms,
        "t": -1 if execution is None else execution.number,
        "v": 3,
        "I": order.number * 1000 + len(order.executions) + (0 if order.is_open else 500),
        "w": order.is_open,
        "m": execution is not None and execution.is_maker,
        "M": False,
        "O": order.created_ms,
        "Z": rows.money(order.value),
        "Y": rows.money(execution.value) if execution is not None else "0.00000000",
        "Q": rows.money(order.ticket.quote_size) if order.ticket.quote_size is not None else "0.00000000",
        "W": order.created_ms,
        "V": rows.SELF_TRADE[order.ticket.self_trade],
    }


def _order_trade_update(event: OrderEvent) -> dict[str, Any]:
    order, execution = event.order, event.execution
    zero = order.listing.size.text(0)
    what = KINDS.get(event.kind) or ("CANCELED" if order.ended in CANCELLED else "EXPIRED")
    return {
        "e": "ORDER_TRADE_UPDATE",
        "T": event.ms,
        "E": event.ms,
        "o": {
            "s": order.listing.symbol,
            "c": order.client_id,
            "S": order.side.upper(),
            "o": rows.kind(order),
            "f": rows.force(order),
            "q": rows.size(order, order.size),
            "p": rows.price(order),
            "ap": rows.average(order),
            "sp": "0",
            "x": what,
            "X": rows.status(order),
            "i": order.number,
            "l": zero if execution is None else rows.size(order, execution.size),
            "z": rows.size(order, order.filled),
            "L": order.listing.price.text(0 if execution is None else execution.price),
            **({} if execution is None else {"n": rows.money(execution.fee), "N": execution.fee_asset}),
            "T": event.ms,
            "t": 0 if execution is None else execution.number,
            "b": "0",
            "a": "0",
            "m": execution is not None and execution.is_maker,
            "R": order.ticket.reduce_only,
            "wt": "CONTRACT_PRICE",
            "ot": rows.kind(order),
            "ps": rows.SIDE[order.ticket.position_side],
            "cp": False,
            "pP": False,
            "si": 0,
            "ss": 0,
            "rp": "0" if execution is None else rows.money(execution.realised),
            "V": rows.SELF_TRADE[order.ticket.self_trade],
            "pm": "NONE",
            "gtd": 0,
        },
    }


def _trade_lite(event: OrderEvent, execution: Execution) -> dict[str, Any]:
    """Ahead of the order's own event; no fee in it."""
    order = event.order
    return {
        "e": "TRADE_LITE",
        "E": event.ms,
        "T": event.ms,
        "s": order.listing.symbol,
        "c": order.client_id,
        "S": order.side.upper(),
        "q": rows.size(order, order.size),
        "p": rows.price(order),
        "i": order.number,
        "l": rows.size(order, execution.size),
        "L": order.listing.price.text(execution.price),
        "t": execution.number,
        "m": execution.is_maker,
    }


def _account_update(event: AccountEvent) -> dict[str, Any]:
    """Of a trade the change of balance without profit and fee is told: none."""
    changes = event.changes if event.reason != "trade" else {}
    return {
        "e": "ACCOUNT_UPDATE",
        "T": event.ms,
        "E": event.ms,
        "a": {
            "m": REASONS[event.reason],
            "B": [
                {
                    "a": asset,
                    "wb": rows.money(row.total),
                    "cw": rows.money(row.total),
                    "bc": rows.money(changes[asset]) if asset in changes else "0",
                }
                for asset, row in event.holdings.items()
            ],
            "P": [_position(row) for row in event.positions],
        },
    }


def _position(row: Position) -> dict[str, Any]:
    entry = f"{row.entry:.8f}" if row.size else "0"
    isolated = row.mode == "isolated"
    return {
        "s": row.listing.symbol,
        "pa": row.listing.size.text(row.size),
        "ep": entry,
        "bep": entry,
        "cr": rows.money(row.realised),
        "up": "0",
        "mt": row.mode,
        "iw": rows.money(row.margin) if isolated else "0",
        "ps": rows.SIDE[row.side],
    }
