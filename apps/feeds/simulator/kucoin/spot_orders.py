"""The order endpoints of classic spot accounts ("hf"): parameters to tickets, orders to answers."""

import asyncio
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.kucoin import spot_rows as rows
from apps.feeds.simulator.kucoin.auth import Caller
from apps.feeds.simulator.kucoin.params import Params
from apps.feeds.simulator.kucoin.refusals import NOTHING_TO_CANCEL, OFF_FUNDS, TOO_LATE, bad, refusal
from apps.feeds.simulator.trading.accounts import Account, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.matching import SelfTrade
from apps.feeds.simulator.trading.tickets import Direction, Force, Kind, Reason, Refused, Ticket

SIDES: dict[str, Direction] = {"buy": "buy", "sell": "sell"}
TYPES: dict[str, Kind] = {"limit": "limit", "market": "market"}
FORCES: dict[str, Force] = {"GTC": "gtc", "GTT": "gtc", "IOC": "ioc", "FOK": "fok"}
SELF_TRADES: dict[str, SelfTrade] = {"CN": "taker", "CO": "maker", "CB": "both"}
FUNDS_STEP = Decimal("0.000001")  # `quoteIncrement` of the market list
MOST_FILLS, USUAL_FILLS = 100, 20


class SpotOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def check_time(self, caller: Caller) -> None:
        """An order may say how late it may come in; that is looked at before it reaches the matching."""
        late_ms = expires_ms(caller.params)
        if late_ms is not None and self._desk.now_ms() > late_ms:
            raise refusal(TOO_LATE)

    def place(self, caller: Caller) -> dict[str, Any]:
        return rows.placed_row(self._place(caller))

    def place_sync(self, caller: Caller) -> dict[str, Any]:
        return rows.synchronous_row(self._place(caller))

    def test(self, caller: Caller) -> dict[str, Any]:
        """Judged, and nothing is done."""
        ticket = self._ticket(caller)
        self._desk.market("spot", ticket.symbol)
        return {"orderId": f"{self._desk.now_ms():024x}", "clientOid": ticket.client_id}

    def cancel(self, caller: Caller) -> dict[str, Any]:
        return {"orderId": self._cancel(caller, id=caller.tail).id}

    def cancel_sync(self, caller: Caller) -> dict[str, Any]:
        order = self._cancel(caller, id=caller.tail)
        return {"orderId": order.id} | rows.outcome(order)

    def cancel_mine(self, caller: Caller) -> dict[str, Any]:
        return {"clientOid": self._cancel(caller, client_id=caller.tail).client_id}

    def cancel_mine_sync(self, caller: Caller) -> dict[str, Any]:
        order = self._cancel(caller, client_id=caller.tail)
        return {"clientOid": order.client_id} | rows.outcome(order)

    def cancel_all_of(self, caller: Caller) -> str:
        self._desk.cancel_all(caller.account, "spot", self._symbol(caller.params))
        return "success"

    def cancel_everything(self, caller: Caller) -> dict[str, Any]:
        gone = self._desk.cancel_all(caller.account, "spot")
        return {"succeedSymbols": sorted({order.listing.symbol for order in gone}), "failedSymbols": []}

    def query(self, caller: Caller) -> dict[str, Any]:
        return rows.order_row(self._find(caller, id=caller.tail))

    def query_mine(self, caller: Caller) -> dict[str, Any]:
        return rows.order_row(self._find(caller, client_id=caller.tail))

    def open_orders(self, caller: Caller) -> list[dict[str, Any]]:
        """Newest first."""
        orders = self._desk.open_orders(caller.account, "spot", self._symbol(caller.params))
        return [rows.order_row(order) for order in reversed(orders)]

    def symbols_with_orders(self, caller: Caller) -> dict[str, Any]:
        orders = self._desk.open_orders(caller.account, "spot")
        return {"symbols": sorted({order.listing.symbol for order in orders})}

    def finished(self, caller: Caller) -> dict[str, Any]:
        """Newest first, before the order `lastId`."""
        params = caller.params
        limit, last = params.whole("limit") or USUAL_FILLS, params.whole("lastId") or 2**63
        found = [
            order
            for order in reversed(self._desk.orders(caller.account, "spot", self._symbol(params)))
            if not order.is_open and order.number < last and in_span(params, order.created_ms)
        ][: min(limit, MOST_FILLS)]
        last_id = found[-1].number if found else 0
        return {"lastId": last_id, "items": [rows.order_row(order) for order in found]}

    def fills(self, caller: Caller) -> dict[str, Any]:
        """Newest first, before the row `lastId`."""
        params = caller.params
        limit, last = params.whole("limit") or USUAL_FILLS, params.whole("lastId") or 2**63
        if limit > MOST_FILLS:
            raise bad(f"limit should not greater than {MOST_FILLS}")
        order_id = params.optional("orderId")
        executions = self._desk.executions(caller.account, "spot", self._symbol(params))
        told = [
            rows.fill_row(execution)
            for execution in reversed(executions)
            if order_id in (None, execution.order.id) and in_span(params, execution.ms)
        ]
        page = [row for row in told if row["id"] < last][:limit]
        return {"items": page, "lastId": page[-1]["id"] if page else 0}

    def _place(self, caller: Caller) -> Order:
        order = self._desk.place(caller.account, self._ticket(caller))
        if order.is_open and order.ticket.words["cancel_after"] > 0:
            seconds = order.ticket.words["cancel_after"]
            asyncio.get_running_loop().call_later(seconds, self._run_out, caller.account, order)
        return order

    def _run_out(self, account: Account, order: Order) -> None:
        if order.is_open:
            self._desk.cancel(account, order)

    def _ticket(self, caller: Caller) -> Ticket:
        params = caller.params
        symbol, kind = self._symbol(params), params.one_of("type", TYPES)
        word = params.optional("timeInForce") or "GTC"
        force = params.one_of("timeInForce", FORCES, "GTC")
        after = (params.whole("cancelAfter") or 0) if word == "GTT" else 0
        if params.flag("postOnly"):
            if kind == "market" or force != "gtc":
                raise bad("postOnly is for limit orders that rest")
            force = "post"
        size, funds = params.number("size"), params.number("funds")
        if kind == "limit":
            for name in ("price", "size"):
                params.text(name)
        elif (size is None) == (funds is None):
            raise bad("one of size and funds is needed")
        if funds is not None and funds % FUNDS_STEP:
            raise refusal(OFF_FUNDS)
        return Ticket(
            market_type="spot",
            symbol=symbol,
            side=params.one_of("side", SIDES),
            kind=kind,
            size=size,
            quote_size=funds if kind == "market" else None,
            price=params.number("price") if kind == "limit" else None,
            force=force,
            client_id=params.client_id(),
            self_trade=params.one_of("stp", SELF_TRADES) if "stp" in params else "",
            expires_ms=expires_ms(params),
            words={
                "force": word,
                "cancel_after": after,
                "remark": params.optional("remark"),
                "stp": params.optional("stp"),
            },
        )

    def _cancel(self, caller: Caller, *, id: str | None = None, client_id: str | None = None) -> Order:
        try:
            order = self._find(caller, id=id, client_id=client_id, to_cancel=True)
        except Refused as refused:
            if refused.reason is Reason.UNKNOWN_ORDER:
                raise refusal(NOTHING_TO_CANCEL) from None
            raise
        self._desk.cancel(caller.account, order)
        return order

    def _find(
        self, caller: Caller, *, id: str | None = None, client_id: str | None = None, to_cancel: bool = False
    ) -> Order:
        symbol = self._symbol(caller.params)
        return self._desk.find(caller.account, "spot", symbol=symbol, id=id, client_id=client_id, to_cancel=to_cancel)

    def _symbol(self, params: Params) -> str:
        return listed(self._desk, "spot", params.text("symbol"))


def listed(desk: Desk, market_type: str, symbol: str) -> str:
    """The symbol. Raises Refused when it is not listed; one that is not traded may be asked for."""
    try:
        desk.market(market_type, symbol)
    except Refused as refused:
        if refused.reason is Reason.UNKNOWN_SYMBOL:
            raise
    return symbol


def expires_ms(params: Params) -> int | None:
    window = params.whole("allowMaxTimeWindow")
    if window is None:
        return None
    stamp = params.whole("clientTimestamp")
    if stamp is None:
        raise bad("clientTimestamp is needed with allowMaxTimeWindow")
    return stamp + window


def in_span(params: Params, ms: int) -> bool:
    last = params.whole("endAt")
    return (params.whole("startAt") or 0) <= ms and (last is None or ms <= last)
