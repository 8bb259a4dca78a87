"""Binance's order endpoints, spot and USD-M: parameters to tickets, orders to answers."""

import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.binance import rows
from apps.feeds.simulator.binance.auth import Caller
from apps.feeds.simulator.binance.listings import BAND, MOST_OPEN
from apps.feeds.simulator.binance.params import Params, missing
from apps.feeds.simulator.binance.refusals import (
    NO_SYMBOL,
    NOTHING_TO_CANCEL,
    TOO_MANY_OPEN,
    USE_ALGO,
    RefusalError,
    refusal,
)
from apps.feeds.simulator.trading.accounts import Execution, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.matching import SelfTrade
from apps.feeds.simulator.trading.tickets import Direction, Force, Kind, PositionSide, Reason, Refused, Ticket

SIDES: dict[str, Direction] = {"BUY": "buy", "SELL": "sell"}
SPOT_TYPES: dict[str, Kind] = {"LIMIT": "limit", "LIMIT_MAKER": "limit", "MARKET": "market"}
FUTURES_TYPES: dict[str, Kind] = {"LIMIT": "limit", "MARKET": "market"}
ALGO_TYPES = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
SPOT_FORCES: dict[str, Force] = {"GTC": "gtc", "IOC": "ioc", "FOK": "fok"}
FUTURES_FORCES: dict[str, Force] = {**SPOT_FORCES, "GTX": "post"}
SELF_TRADES: dict[str, SelfTrade] = {
    "NONE": "",
    "EXPIRE_TAKER": "taker",
    "EXPIRE_MAKER": "maker",
    "EXPIRE_BOTH": "both",
}
POSITION_SIDES: dict[str, PositionSide] = {"BOTH": "net", "LONG": "long", "SHORT": "short"}
SPOT_ANSWERS: dict[str, Callable[[Order], dict[str, Any]]] = {
    "ACK": rows.spot_ack,
    "RESULT": rows.spot_result,
    "FULL": rows.spot_full,
}
FUTURES_ANSWERS: dict[str, Callable[[Order], dict[str, Any]]] = {
    "ACK": rows.futures_ack,
    "RESULT": rows.futures_placed,
}
BAD_SIDE = (-1117, "Invalid side.")
BAD_TYPE = (-1116, "Invalid orderType.")
BAD_FORCE = (-1115, "Invalid timeInForce.")
BAD_ENUM = (-1100, "Illegal characters found in a parameter.")
ID_CHARACTERS = string.ascii_letters + string.digits
DAY_MS = 86_400_000
LONGEST_SPAN_MS = {"spot": DAY_MS, "futures": 7 * DAY_MS}  # between startTime and endTime
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Forms:
    """How one market writes orders."""

    order: Callable[[Order], dict[str, Any]]
    cancelled: Callable[[Order], dict[str, Any]]
    trade: Callable[[Execution], dict[str, Any]]


FORMS = {
    "spot": Forms(rows.spot_order, rows.spot_cancelled, rows.spot_trade),
    "futures": Forms(rows.futures_order, rows.futures_placed, rows.futures_trade),
}


class Orders:
    def __init__(self, desk: Desk, rng: random.Random) -> None:
        self._desk = desk
        self._rng = rng

    def place_spot(self, caller: Caller) -> dict[str, Any]:
        params = caller.params
        kind = params.one_of("type", SPOT_TYPES, BAD_TYPE)
        maker_only = params.text("type") == "LIMIT_MAKER"
        if kind == "limit":
            params.require("quantity", "price", *(() if maker_only else ("timeInForce",)))
            params.forbid("quoteOrderQty", *(("timeInForce",) if maker_only else ()))
        else:
            params.forbid("price", "timeInForce")
            if ("quantity" in params) == ("quoteOrderQty" in params):
                raise missing("quantity")
        force = "post" if maker_only else params.one_of("timeInForce", SPOT_FORCES, BAD_FORCE, "GTC")
        answer = params.one_of("newOrderRespType", SPOT_ANSWERS, BAD_ENUM, "ACK" if maker_only else "FULL")
        return answer(self._place(caller, kind, force, quote_size=params.number("quoteOrderQty")))

    def place_futures(self, caller: Caller) -> dict[str, Any]:
        params = caller.params
        if params.text("type") in ALGO_TYPES:
            raise refusal(USE_ALGO)
        kind = params.one_of("type", FUTURES_TYPES, BAD_TYPE)
        params.require("quantity", *(("price", "timeInForce") if kind == "limit" else ()))
        if kind == "market":
            params.forbid("price", "timeInForce")
        if caller.account.hedge:
            params.forbid("reduceOnly")
        force = params.one_of("timeInForce", FUTURES_FORCES, BAD_FORCE, "GTC")
        answer = params.one_of("newOrderRespType", FUTURES_ANSWERS, BAD_ENUM, "ACK")
        order = self._place(
            caller,
            kind,
            force,
            reduce_only=params.flag("reduceOnly"),
            position_side=params.one_of("positionSide", POSITION_SIDES, BAD_ENUM, "BOTH"),
        )
        return answer(order)

    def cancel(self, caller: Caller) -> dict[str, Any]:
        try:
            order = self._find(caller, to_cancel=True)
        except Refused:
            raise refusal(NOTHING_TO_CANCEL) from None
        self._cancel(caller, order, caller.params.client_id("newClientOrderId", caller.market_type))
        return FORMS[caller.market_type].cancelled(order)

    def cancel_all_spot(self, caller: Caller) -> list[dict[str, Any]]:
        orders = self._desk.open_orders(caller.account, "spot", self.symbol(caller))
        if not orders:
            raise refusal(NOTHING_TO_CANCEL)
        for order in orders:
            self._cancel(caller, order, None)
        return [rows.spot_cancelled(order) for order in orders]

    def cancel_all_futures(self, caller: Caller) -> dict[str, Any]:
        for order in self._desk.open_orders(caller.account, "futures", self.symbol(caller)):
            self._cancel(caller, order, None)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def query(self, caller: Caller) -> dict[str, Any]:
        return FORMS[caller.market_type].order(self._find(caller))

    def open_orders(self, caller: Caller) -> list[dict[str, Any]]:
        symbol = self.symbol(caller) if "symbol" in caller.params else None
        orders = self._desk.open_orders(caller.account, caller.market_type, symbol)
        return [FORMS[caller.market_type].order(order) for order in orders]

    def all_orders(self, caller: Caller) -> list[dict[str, Any]]:
        first, last = _span(caller)
        from_id = caller.params.whole("orderId")
        found = [
            order
            for order in self._desk.orders(caller.account, caller.market_type, self.symbol(caller))
            if order.number >= from_id and first <= order.created_ms <= last
        ]
        return [FORMS[caller.market_type].order(order) for order in _cut(caller.params, found)]

    def trades(self, caller: Caller) -> list[dict[str, Any]]:
        first, last = _span(caller)
        order_id, from_id = caller.params.whole("orderId"), caller.params.whole("fromId")
        found = [
            row
            for row in self._desk.executions(caller.account, caller.market_type, self.symbol(caller), since_ms=first)
            if row.ms <= last and row.number >= from_id and order_id in (0, row.order.number)
        ]
        return [FORMS[caller.market_type].trade(row) for row in _cut(caller.params, found)]

    def own_id(self) -> str:
        """A client id as Binance makes one where the client gives none."""
        return "".join(self._rng.choices(ID_CHARACTERS, k=22))

    def _place(self, caller: Caller, kind: Kind, force: Force, **more: Any) -> Order:
        params = caller.params
        ticket = Ticket(
            market_type=caller.market_type,
            symbol=self.symbol(caller),
            side=params.one_of("side", SIDES, BAD_SIDE),
            kind=kind,
            size=self._exact(caller, "quantity"),
            price=self._exact(caller, "price"),
            force=force,
            client_id=params.client_id("newClientOrderId", caller.market_type) or self.own_id(),
            self_trade=params.one_of("selfTradePreventionMode", SELF_TRADES, BAD_ENUM, "NONE"),
            expires_ms=caller.expires_ms,
            **more,
        )
        self._check_filters(caller, ticket)
        return self._desk.place(caller.account, ticket)

    def _check_filters(self, caller: Caller, ticket: Ticket) -> None:
        """The filters of exchangeInfo that the desk does not know: how many orders, how far from the mark price."""
        if len(self._desk.open_orders(caller.account, ticket.market_type, ticket.symbol)) >= MOST_OPEN:
            raise refusal(TOO_MANY_OPEN[ticket.market_type])
        if ticket.market_type == "spot" or ticket.price is None:
            return
        mark = self._desk.mark(self._desk.market("futures", ticket.symbol).listing)
        low, high = (mark * share for share in BAND)
        if ticket.side == "buy" and ticket.price > high:
            raise RefusalError(-4016, f"Limit price can't be higher than {high:.2f}.")
        if ticket.side == "sell" and ticket.price < low:
            raise RefusalError(-4024, f"Limit price can't be lower than {low:.2f}.")

    def _cancel(self, caller: Caller, order: Order, cancel_id: str | None) -> None:
        if order.is_open:
            order.ticket.words["cancel_id"] = cancel_id or self.own_id()
        self._desk.cancel(caller.account, order)

    def _exact(self, caller: Caller, name: str) -> Decimal | None:
        """A number with no more digits than the exchange takes; futures count those of the symbol's step."""
        number = caller.params.number(name)
        if number is None or caller.market_type == "spot":
            return number
        listing = self._desk.market("futures", self.symbol(caller)).listing
        step = (listing.size if name == "quantity" else listing.price).text(1)
        if -int(number.normalize().as_tuple().exponent) > len(step.partition(".")[2]):
            raise RefusalError(-1111, "Precision is over the maximum defined for this asset.")
        return number

    def _find(self, caller: Caller, *, to_cancel: bool = False) -> Order:
        params = caller.params
        number, client_id = params.optional("orderId"), params.optional("origClientOrderId")
        if number is None and client_id is None:
            raise RefusalError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        if number is not None:
            params.whole("orderId")
        return self._desk.find(
            caller.account,
            caller.market_type,
            symbol=self.symbol(caller),
            id=number,
            client_id=client_id,
            to_cancel=to_cancel,
        )

    def symbol(self, caller: Caller) -> str:
        symbol = caller.params.text("symbol")
        try:
            self._desk.market(caller.market_type, symbol)
        except Refused as refused:
            if refused.reason == Reason.UNKNOWN_SYMBOL:
                raise refusal(NO_SYMBOL) from None
        return symbol


def _span(caller: Caller) -> tuple[int, int]:
    params = caller.params
    first, last = params.whole("startTime"), params.whole("endTime", 2**63)
    if "startTime" in params and "endTime" in params and last - first > LONGEST_SPAN_MS[caller.market_type]:
        raise RefusalError(-1127, "More than allowed time between startTime and endTime.")
    return first, last


def _cut(params: Params, found: list[Any]) -> list[Any]:
    """The first rows from where the client asked to begin, else the latest."""
    limit = params.whole("limit", 500)
    if not 0 < limit <= MOST_ROWS:
        raise RefusalError(-1130, "Data sent for parameter 'limit' is not valid.")
    begins = "startTime" in params or "fromId" in params
    return found[:limit] if begins else found[-limit:]
