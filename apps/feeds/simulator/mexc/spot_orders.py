"""MEXC's spot orders: parameters to tickets, orders to answers."""

import re
from typing import Any

from apps.feeds.simulator.mexc import spot_rows as rows
from apps.feeds.simulator.mexc.auth import Caller
from apps.feeds.simulator.mexc.listings import NO_API
from apps.feeds.simulator.mexc.refusals import (
    BAD_CLIENT_ID,
    NO_ORDER_NAMED,
    SPOT,
    SPOT_NOT_BY_API,
    SPOT_NOTHING_TO_CANCEL,
    SPOT_OVERSOLD,
    refusal,
)
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.desk import DAY_MS, Desk
from apps.feeds.simulator.trading.matching import SelfTrade
from apps.feeds.simulator.trading.tickets import Direction, Force, Kind, Reason, Refused, Ticket

SIDES: dict[str, Direction] = {"BUY": "buy", "SELL": "sell"}
TYPES: dict[str, tuple[Kind, Force]] = {
    "LIMIT": ("limit", "gtc"),
    "LIMIT_MAKER": ("limit", "post"),
    "IMMEDIATE_OR_CANCEL": ("limit", "ioc"),
    "FILL_OR_KILL": ("limit", "fok"),
    "MARKET": ("market", "gtc"),
}
SELF_TRADES: dict[str, SelfTrade] = {"cancel_taker": "taker", "cancel_maker": "maker", "cancel_both": "both"}
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
MOST_ORDERS, MOST_TRADES = 1000, 100  # rows of one answer
MOST_SYMBOLS = 5  # of one cancel of all
LONGEST_SPAN_MS = 7 * DAY_MS
MONTH_MS = 30 * DAY_MS


class SpotOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def place(self, caller: Caller) -> dict[str, Any]:
        return rows.placed(self._place(caller, self._ticket(caller)))

    def test(self, caller: Caller) -> dict[str, Any]:
        """Only looked at."""
        self._ticket(caller)
        return {}

    def cancel(self, caller: Caller) -> dict[str, Any]:
        try:
            order = self._find(caller, to_cancel=True)
        except Refused:
            raise refusal("spot", SPOT_NOTHING_TO_CANCEL) from None
        self._desk.cancel(caller.account, order)
        return rows.cancelled(order)

    def cancel_all(self, caller: Caller) -> list[dict[str, Any]]:
        symbols = caller.params.text("symbol").split(",")
        if len(symbols) > MOST_SYMBOLS:
            raise caller.params.wrong("symbol")
        for symbol in symbols:
            self._check_symbol(symbol)
        return [
            rows.cancelled(order)
            for symbol in symbols
            for order in self._desk.cancel_all(caller.account, "spot", symbol)
        ]

    def query(self, caller: Caller) -> dict[str, Any]:
        return rows.order(self._find(caller))

    def open_orders(self, caller: Caller) -> list[dict[str, Any]]:
        return [rows.order(row) for row in self._desk.open_orders(caller.account, "spot", self._symbol(caller))]

    def all_orders(self, caller: Caller) -> list[dict[str, Any]]:
        """Of the last day unless a time is given, and of seven days at most."""
        last = caller.params.whole("endTime", self._desk.now_ms())
        first = caller.params.whole("startTime", last - DAY_MS)
        if last - first > LONGEST_SPAN_MS:
            raise caller.params.wrong("startTime")
        found = self._desk.orders(caller.account, "spot", self._symbol(caller))
        found = [row for row in found if first <= row.created_ms <= last]
        return [rows.order(row) for row in found[-caller.params.rows("limit", 500, MOST_ORDERS) :]]

    def trades(self, caller: Caller) -> list[dict[str, Any]]:
        """Of the last month, the latest first."""
        last = caller.params.whole("endTime", self._desk.now_ms())
        first = max(caller.params.whole("startTime"), self._desk.now_ms() - MONTH_MS)
        id = caller.params.optional("orderId")
        found = [
            row
            for row in self._desk.executions(caller.account, "spot", self._symbol(caller), since_ms=first)
            if row.ms <= last and id in (None, row.order.id)
        ]
        most = caller.params.rows("limit", MOST_TRADES, MOST_TRADES)
        return [rows.trade(row) for row in reversed(found[-most:])]

    def _ticket(self, caller: Caller) -> Ticket:
        params = caller.params
        symbol, type_name = self._symbol(caller), params.text("type")
        kind, force = params.one_of("type", TYPES)
        side = params.one_of("side", SIDES)
        size, money = params.number("quantity"), params.number("quoteOrderQty")
        if kind == "limit":
            size, money = params.need("quantity"), None
        elif size is None and (money is None or side == "sell"):
            raise params.wrong("quantity")
        client_id = params.optional("newClientOrderId") or ""
        if client_id and CLIENT_ID.fullmatch(client_id) is None:
            raise refusal("spot", BAD_CLIENT_ID["spot"])
        return Ticket(
            market_type="spot",
            symbol=symbol,
            side=side,
            kind=kind,
            size=size,
            quote_size=None if size is not None else money,
            price=params.need("price") if kind == "limit" else None,
            force=force,
            client_id=client_id,
            self_trade=params.one_of("stpMode", SELF_TRADES) if "stpMode" in params else "",
            words={"type": type_name},
        )

    def _place(self, caller: Caller, ticket: Ticket) -> Order:
        try:
            return self._desk.place(caller.account, ticket)
        except Refused as refused:
            if refused.reason == Reason.INSUFFICIENT_FUNDS and ticket.side == "sell":
                raise refusal("spot", SPOT_OVERSOLD) from None
            raise

    def _find(self, caller: Caller, *, to_cancel: bool = False) -> Order:
        id, client_id = caller.params.optional("orderId"), caller.params.optional("origClientOrderId")
        if id is None and client_id is None:
            raise refusal("spot", NO_ORDER_NAMED)
        symbol = self._symbol(caller)
        return self._desk.find(caller.account, "spot", symbol=symbol, id=id, client_id=client_id, to_cancel=to_cancel)

    def _symbol(self, caller: Caller) -> str:
        symbol = caller.params.text("symbol")
        self._check_symbol(symbol)
        return symbol

    def _check_symbol(self, symbol: str) -> None:
        listing = next((row for row in self._desk.listed("spot") if row.symbol == symbol), None)
        if listing is None:
            raise refusal("spot", SPOT[Reason.UNKNOWN_SYMBOL])
        if listing.base == NO_API:
            raise refusal("spot", SPOT_NOT_BY_API)
