"""What the channels of unified accounts tell: orders with their fees, executions, money and positions."""

from collections.abc import Iterator
from typing import Any

from apps.feeds.simulator.kucoin import unified_rows as rows
from apps.feeds.simulator.kucoin import words
from apps.feeds.simulator.kucoin.account import unrealised
from apps.feeds.simulator.kucoin.futures_rows import MODES, liquidation
from apps.feeds.simulator.kucoin.order_steps import steps
from apps.feeds.simulator.kucoin.streams import TRADE_TYPES, ns
from apps.feeds.simulator.kucoin.words import plain
from apps.feeds.simulator.trading.accounts import Account, Execution, Holding, Order, Position
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.events import AccountEvent, Event, OrderEvent

Told = dict[str, Any]
LATE_NS = 274_499  # from the event to its push
# The step of an order as the channel calls it; `received` and the `filled` behind a match are not told.
STEPS = {"open": "OPEN", "match": "MATCH", "canceled": "CANCEL"}


class UnifiedEvents:
    """Translates the events of one account for one socket."""

    def __init__(self, desk: Desk, account: Account, names: set[str]) -> None:
        """`names`: of the socket's channels, as they are at any time: channel, trade type and symbol."""
        self._desk = desk
        self._account = account
        self._names = names

    def __call__(self, event: Event) -> list[Told]:
        if isinstance(event, OrderEvent):
            return list(self._order(event))
        return list(self._money(event))

    def _order(self, event: OrderEvent) -> Iterator[Told]:
        order, symbol = event.order, event.order.listing.symbol
        for kind, _, execution in steps(event):
            if kind in STEPS:
                data = order_data(order, kind, execution, event.ms)
                yield from self._told("orderAll", "UNIFIED", "", data, event.ms)
                yield from self._told("order", "UNIFIED", symbol, data, event.ms)
        if event.execution is not None:
            yield from self._execution(event.execution, event.ms)

    def _execution(self, execution: Execution, ms: int) -> Iterator[Told]:
        whole = execution_data(execution)
        yield from self._told("execution", "UNIFIED", "", whole, ms)
        lite = {name: whole[name] for name in whole if name not in ("f", "fC")} | {"ti": words.trade_id(execution)}
        for trade_type in ("UNIFIED", TRADE_TYPES[execution.order.listing.market_type]):
            yield from self._told("execution.lite", trade_type, "", lite, ms)

    def _money(self, event: AccountEvent) -> Iterator[Told]:
        for asset, held in event.holdings.items():
            profit = unrealised(self._desk, self._account, asset)
            data = balance_data(asset, held, event.ms) | {"e": plain(held.total + profit)}
            yield from self._told("balance", "UNIFIED", "", data, event.ms)
        for position in event.positions:
            data = self._position_data(position, event.ms)
            yield from self._told("positionAll", "UNIFIED", "", data, event.ms)
            yield from self._told("position", "UNIFIED", position.listing.symbol, data, event.ms)

    def _position_data(self, position: Position, ms: int) -> Told:
        row = rows.position_row(position, self._desk.mark(position.listing))
        return {
            "pi": row["id"],
            "s": row["symbol"],
            "mM": MODES[position.mode],
            "q": row["size"],
            "eP": row["entryPrice"],
            "pV": row["positionValue"],
            "mP": row["markPrice"],
            "lP": plain(liquidation(position)),
            "bP": plain(liquidation(position)),
            "l": row["leverage"],
            "uPL": row["unrealizedPnL"],
            "rPL": row["realizedPnL"],
            "iM": row["initialMargin"],
            "mmr": row["mmr"],
            "mtM": row["maintenanceMargin"],
            "U": str(ns(ms)),
            "O": ns(position.updated_ms),
        }

    def _told(self, channel: str, trade_type: str, symbol: str, data: Told, ms: int) -> Iterator[Told]:
        if f"{channel}:{trade_type}:{symbol}" in self._names:
            yield {"T": f"{channel}.{trade_type}", "P": str(ns(ms) + LATE_NS), "d": data}


def order_data(order: Order, kind: str, execution: Execution | None, ms: int) -> Told:
    ticket, filled = order.ticket, not order.left
    return {
        "tT": TRADE_TYPES[order.listing.market_type],
        "oi": order.id,
        "ci": order.client_id,
        "os": rows.status(order),
        "eT": "FILL" if kind == "match" and filled else STEPS[kind],
        "s": order.listing.symbol,
        "S": order.side.upper(),
        "oT": ticket.kind.upper(),
        "lR": "" if execution is None else words.role(execution).upper(),
        "oS": "USER",
        "p": rows.price(order),
        "ti": "" if execution is None else str(words.trade_id(execution)),
        "q": rows.asked(order),
        "qU": rows.size_unit(order),
        "fS": rows.filled(order),
        "lS": "0" if execution is None else rows.counted(order, execution.size, execution.value),
        "ls": "0" if execution is None else order.listing.price.text(execution.price),
        "aP": plain(words.mean(order.average)),
        "f": plain(words.fee(order)),
        "fC": words.fee_asset(order),
        "t": "0",
        "cR": rows.reason(order),
        "cS": rows.cut(order),
        "rS": rows.remaining(order),
        "tD": "",
        "tP": "",
        "tPT": "",
        "pP": "",
        "pPT": "",
        "lP": "",
        "lPT": "",
        "toi": "",
        "stp": ticket.words["stp"] or "",
        "rO": ticket.reduce_only,
        "tIF": words.force(order),
        "pO": words.is_post_only(order),
        "O": str(words.made_ns(order)),
        "U": ns(ms),
    }


def execution_data(execution: Execution) -> Told:
    order = execution.order
    return {
        "E": str(ns(execution.ms)),
        "S": order.side.upper(),
        "f": f"{execution.fee:.20f}",
        "p": order.listing.price.text(execution.price),
        "q": words.size(order, execution.size),
        "s": order.listing.symbol,
        "fC": execution.fee_asset,
        "lR": words.role(execution).upper(),
        "oT": order.ticket.kind.upper(),
        "oi": order.id,
        "ti": str(words.trade_id(execution)),
    }


def balance_data(asset: str, held: Holding, ms: int) -> Told:
    return {
        "c": asset,
        "e": plain(held.total),
        "b": f"{held.total:.10f}",
        "a": f"{held.free:.10f}",
        "h": f"{held.locked:.10f}",
        "U": str(ns(ms)),
        "l": "0.0000000000",
    }
