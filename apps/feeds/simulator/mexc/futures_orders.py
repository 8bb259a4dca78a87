"""MEXC's orders of contracts: parameters to tickets, orders to answers."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.mexc import futures_rows as rows
from apps.feeds.simulator.mexc.auth import Caller
from apps.feeds.simulator.mexc.listings import NO_API_CONTRACT
from apps.feeds.simulator.mexc.refusals import (
    BAD_CLIENT_ID,
    CONTRACT_NOT_BY_API,
    FUTURES,
    NO_SUCH_ORDER,
    ORDER_IS_FINAL,
    refusal,
)
from apps.feeds.simulator.trading.accounts import Execution, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Direction, Force, Kind, Mode, PositionSide, Reason, Refused, Ticket

# number -> direction, the side of a hedged position, whether it closes
SIDES: dict[str, tuple[Direction, PositionSide, bool]] = {
    "1": ("buy", "long", False),
    "2": ("buy", "short", True),
    "3": ("sell", "short", False),
    "4": ("sell", "long", True),
}
TYPES: dict[str, tuple[Kind, Force]] = {
    "1": ("limit", "gtc"),
    "2": ("limit", "post"),
    "3": ("limit", "ioc"),
    "4": ("limit", "fok"),
    "5": ("market", "gtc"),
    "6": ("market", "gtc"),
}
MODES: dict[str, Mode] = {"1": "isolated", "2": "cross"}
HEDGE = {"1": True, "2": False}
LONGEST_ID = 32
MOST_CANCELS = 50
MOST_ROWS = 100


class FuturesOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(self, caller: Caller) -> dict[str, Any]:
        order = self._place(caller)
        return {"orderId": order.id, "ts": order.created_ms}

    def submit(self, caller: Caller) -> str:
        """The endpoint of old: only the id."""
        return self._place(caller).id

    def cancel(self, caller: Caller) -> list[dict[str, Any]]:
        """Each order for itself; ids come back as numbers."""
        listed = caller.body.get("orderIds") if isinstance(caller.body, dict) else caller.body
        if not isinstance(listed, list) or not 0 < len(listed) <= MOST_CANCELS:
            raise caller.params.wrong("orderIds")
        return [self._cancelled(caller, str(id)) for id in listed]

    def cancel_by_client(self, caller: Caller) -> dict[str, Any]:
        symbol, client_id = self._symbol(caller), caller.params.text("externalOid")
        order = self._desk.find(caller.account, "futures", symbol=symbol, client_id=client_id, to_cancel=True)
        self._desk.cancel(caller.account, order)
        return {"symbol": symbol, "externalOid": client_id}

    def cancel_all(self, caller: Caller) -> None:
        symbol = self._symbol(caller) if "symbol" in caller.params else None
        self._desk.cancel_all(caller.account, "futures", symbol)

    def query(self, caller: Caller) -> dict[str, Any] | None:
        """An unknown order is a success without data."""
        try:
            return rows.order(self._desk.find(caller.account, "futures", id=caller.parts[0]))
        except Refused:
            return None

    def query_by_client(self, caller: Caller) -> dict[str, Any] | None:
        symbol, client_id = caller.parts
        try:
            return rows.order(self._desk.find(caller.account, "futures", symbol=symbol, client_id=client_id))
        except Refused:
            return None

    def open_orders(self, caller: Caller) -> list[dict[str, Any]]:
        symbol = caller.parts[0] if caller.parts else caller.params.optional("symbol")
        found = self._desk.open_orders(caller.account, "futures", symbol)
        return [rows.order(row) for row in page(caller, reversed(found))]

    def history(self, caller: Caller) -> list[dict[str, Any]]:
        """Final orders, the latest first."""
        states = {int(text) for text in (caller.params.optional("states") or "3,4").split(",") if text.isdecimal()}
        found = [
            row
            for row in self._desk.orders(caller.account, "futures", caller.params.optional("symbol"))
            if not row.is_open and rows.STATES[row.status] in states and _within(caller, row.created_ms)
        ]
        return [rows.order(row) for row in page(caller, reversed(found))]

    def deals_of_order(self, caller: Caller) -> list[dict[str, Any]]:
        order = self._desk.find(caller.account, "futures", id=caller.parts[0])
        return [rows.deal(row, taker="taker") for row in order.executions]

    def deals(self, caller: Caller) -> list[dict[str, Any]]:
        """The latest first."""
        found: list[Execution] = [
            row
            for row in self._desk.executions(caller.account, "futures", caller.params.optional("symbol"))
            if _within(caller, row.ms)
        ]
        return [rows.deal(row, taker="taker") for row in page(caller, reversed(found))]

    def _place(self, caller: Caller) -> Order:
        params, account = caller.params, caller.account
        symbol = self._symbol(caller)
        side, hedged, closes = params.one_of("side", SIDES)
        kind, force = params.one_of("type", TYPES)
        mode = params.one_of("openType", MODES)
        if "positionMode" in params and params.one_of("positionMode", HEDGE) != account.hedge:
            raise params.wrong("positionMode")
        reduces = params.flag("reduceOnly")
        if reduces and account.hedge:
            raise params.wrong("reduceOnly")
        client_id = params.optional("externalOid") or ""
        if len(client_id.encode()) > LONGEST_ID:
            raise refusal("futures", BAD_CLIENT_ID["futures"])
        ticket = Ticket(
            market_type="futures",
            symbol=symbol,
            side=side,
            kind=kind,
            size=params.need("vol"),
            price=params.need("price") if kind == "limit" else None,
            force=force,
            client_id=client_id,
            reduce_only=reduces or (closes and not account.hedge),
            position_side=hedged if account.hedge else "net",
            mode=mode,
            words=self._words(caller, symbol),
        )
        self._set_leverage(caller, symbol, mode, closes or reduces)
        return self._desk.place(account, ticket)

    def _words(self, caller: Caller, symbol: str) -> dict[str, Any]:
        params = caller.params
        mark: Decimal = self._desk.mark(self._desk.market("futures", symbol).listing)
        numbers = {"side": "side", "type": "type", "open_type": "openType"}
        return {"mark": str(mark), **{word: params.whole(name) for word, name in numbers.items()}}

    def _set_leverage(self, caller: Caller, symbol: str, mode: Mode, closes: bool) -> None:
        """An isolated order that opens has to name its leverage."""
        leverage = caller.params.whole("leverage") or None
        if mode == "isolated" and leverage is None and not closes:
            raise caller.params.wrong("leverage")
        if not closes:
            self._desk.set_leverage(caller.account, symbol, leverage, mode)

    def _cancelled(self, caller: Caller, id: str) -> dict[str, Any]:
        code, text = 0, "success"
        try:
            self._desk.cancel(caller.account, self._desk.find(caller.account, "futures", id=id, to_cancel=True))
        except Refused as refused:
            code, text = ORDER_IS_FINAL if refused.reason == Reason.ALREADY_FINAL else NO_SUCH_ORDER
        return {"orderId": int(id) if id.isdecimal() else id, "errorCode": code, "errorMsg": text}

    def _symbol(self, caller: Caller) -> str:
        symbol = caller.params.text("symbol")
        listing = next((row for row in self._desk.listed("futures") if row.symbol == symbol), None)
        if listing is None:
            raise refusal("futures", FUTURES[Reason.UNKNOWN_SYMBOL])
        if listing.base == NO_API_CONTRACT:
            raise refusal("futures", CONTRACT_NOT_BY_API)
        return symbol


def _within(caller: Caller, ms: int) -> bool:
    return caller.params.whole("start_time") <= ms <= caller.params.whole("end_time", 2**63)


def page(caller: Caller, found: Iterable[Any]) -> list[Any]:
    """The rows of the page that is asked for."""
    number, size = caller.params.whole("page_num", 1), caller.params.whole("page_size", 20)
    if not number or not 0 < size <= MOST_ROWS:
        raise caller.params.wrong("page_size")
    return list(found)[(number - 1) * size : number * size]
