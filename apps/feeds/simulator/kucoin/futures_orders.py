"""The order endpoints of classic futures accounts: parameters to tickets, orders to answers."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.kucoin import futures_rows as rows
from apps.feeds.simulator.kucoin.auth import WINDOW_MS, Caller
from apps.feeds.simulator.kucoin.params import Params
from apps.feeds.simulator.kucoin.refusals import (
    BAD_LEVERAGE,
    FUTURES,
    MARGIN_MODE,
    NO_POSITION,
    RefusalError,
    refusal,
)
from apps.feeds.simulator.kucoin.spot_orders import FORCES, SELF_TRADES, SIDES, TYPES, in_span, listed
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Account, Order
from apps.feeds.simulator.trading.desk import DAY_MS, Desk
from apps.feeds.simulator.trading.tickets import Direction, Mode, PositionSide, Reason, Refused, Ticket

MODES: dict[str, Mode] = {"ISOLATED": "isolated", "CROSS": "cross"}
POSITION_SIDES: dict[str, PositionSide] = {"BOTH": "net", "LONG": "long", "SHORT": "short"}
MOST_CONTRACTS = 1_000_000
MOST_ROWS = 1000
STATUSES: dict[str, Callable[[Order], bool]] = {
    "active": lambda order: order.is_open,
    "done": lambda order: not order.is_open,
}


class FuturesOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def place(self, caller: Caller) -> dict[str, Any]:
        """An order for an isolated position brings its leverage along."""
        ticket = self._ticket(caller)
        setting = caller.account.setting(ticket.symbol)
        if ticket.mode != setting.mode:
            raise refusal(MARGIN_MODE)
        before, leverage = setting.leverage, self._leverage(caller, ticket)
        self._desk.set_leverage(caller.account, ticket.symbol, leverage)
        ticket.words["leverage"] = setting.leverage
        try:
            order = self._desk.place(caller.account, ticket)
        except Refused:
            self._desk.set_leverage(caller.account, ticket.symbol, before)
            raise
        return {"orderId": order.id, "clientOid": order.client_id}

    def test(self, caller: Caller) -> dict[str, Any]:
        """Judged, and nothing is done."""
        ticket = self._ticket(caller)
        return {"orderId": str(self._desk.now_ms()), "clientOid": ticket.client_id}

    def cancel(self, caller: Caller) -> dict[str, Any]:
        order = self._desk.find(caller.account, "futures", id=caller.tail, to_cancel=True)
        self._desk.cancel(caller.account, order)
        return {"cancelledOrderIds": [order.id]}

    def cancel_mine(self, caller: Caller) -> dict[str, Any]:
        symbol = self._symbol(caller.params)
        order = self._desk.find(caller.account, "futures", symbol=symbol, client_id=caller.tail, to_cancel=True)
        self._desk.cancel(caller.account, order)
        return {"clientOid": order.client_id}

    def cancel_all(self, caller: Caller) -> dict[str, Any]:
        symbol = self._symbol(caller.params) if "symbol" in caller.params else None
        gone = self._desk.cancel_all(caller.account, "futures", symbol)
        return {"cancelledOrderIds": [order.id for order in gone]}

    def query(self, caller: Caller) -> dict[str, Any]:
        return rows.order_row(self._desk.find(caller.account, "futures", id=caller.tail))

    def query_mine(self, caller: Caller) -> dict[str, Any]:
        client_id = caller.params.text("clientOid")
        return rows.order_row(self._desk.find(caller.account, "futures", client_id=client_id))

    def orders(self, caller: Caller) -> dict[str, Any]:
        """Newest first, in pages."""
        params = caller.params
        wanted = params.one_of("status", STATUSES, "done")
        symbol = self._symbol(params) if "symbol" in params else None
        found = [
            rows.order_row(order)
            for order in reversed(self._desk.orders(caller.account, "futures", symbol))
            if wanted(order) and in_span(params, order.created_ms)
        ]
        return paged(params, found)

    def recently_done(self, caller: Caller) -> list[dict[str, Any]]:
        """Of the last day, newest first."""
        symbol = self._symbol(caller.params) if "symbol" in caller.params else None
        since = self._desk.now_ms() - DAY_MS
        orders = reversed(self._desk.orders(caller.account, "futures", symbol))
        return [rows.order_row(o) for o in orders if not o.is_open and o.updated_ms >= since][:MOST_ROWS]

    def fills(self, caller: Caller) -> dict[str, Any]:
        """Newest first, in pages."""
        return paged(caller.params, self._fills(caller))

    def recent_fills(self, caller: Caller) -> list[dict[str, Any]]:
        """Of the last day, newest first."""
        since = self._desk.now_ms() - DAY_MS
        return [row for row in self._fills(caller) if row["createdAt"] >= since][:MOST_ROWS]

    def _fills(self, caller: Caller) -> list[dict[str, Any]]:
        params = caller.params
        symbol = self._symbol(params) if "symbol" in params else None
        order_id = params.optional("orderId")
        return [
            rows.fill_row(execution)
            for execution in reversed(self._desk.executions(caller.account, "futures", symbol))
            if order_id in (None, execution.order.id) and in_span(params, execution.ms)
        ]

    def _ticket(self, caller: Caller) -> Ticket:
        params, account = caller.params, caller.account
        client_id = params.client_id(needed=True)
        symbol, kind = self._symbol(params), params.one_of("type", TYPES, "limit")
        listing = self._desk.market("futures", symbol).listing
        force = params.one_of("timeInForce", FORCES, "GTC")
        if params.flag("postOnly"):
            if kind == "market" or force != "gtc":
                raise refusal(("300000", "postOnly is for limit orders that rest"))
            force = "post"
        price = params.number("price") if kind == "limit" else None
        if kind == "limit":
            params.text("price")
        mode = params.one_of("marginMode", MODES, "ISOLATED")
        position_side = params.one_of("positionSide", POSITION_SIDES, "BOTH")
        closes = params.flag("closeOrder")
        side, size = self._closing(account, symbol, position_side) if closes else self._opening(params, listing, price)
        return Ticket(
            market_type="futures",
            symbol=symbol,
            side=side,
            kind=kind,
            size=size,
            price=price,
            force=force,
            client_id=client_id,
            reduce_only=closes or params.flag("reduceOnly"),
            position_side=position_side,
            mode=mode,
            self_trade=params.one_of("stp", SELF_TRADES) if "stp" in params else "",
            expires_ms=caller.sent_ms + WINDOW_MS,
            words={
                "force": params.optional("timeInForce") or "GTC",
                "stp": params.optional("stp"),
                "remark": params.optional("remark"),
                "close": closes,
                "mode": mode,
                "leverage": account.setting(symbol).leverage,
            },
        )

    def _opening(self, params: Params, listing: Listing, price: Decimal | None) -> tuple[Direction, Decimal]:
        """Side, and contracts: told as such, as coins, or as money."""
        side = params.one_of("side", SIDES)
        if sum(name in params for name in ("size", "qty", "valueQty")) != 1:
            raise refusal(("300000", "one of size, qty and valueQty is needed"))
        if "size" in params:
            try:
                count = Decimal(params.whole("size") or 0)
            except RefusalError:
                raise refusal(FUTURES[Reason.OFF_LOT]) from None
        elif "qty" in params:
            count = (params.number("qty") or Decimal(0)) / listing.contract
        else:
            money = params.number("valueQty") or Decimal(0)
            count = money // ((price or self._desk.mark(listing)) * listing.contract)
        if count > MOST_CONTRACTS:
            raise refusal(("300000", f"The size must be at most {MOST_CONTRACTS}"))
        return side, count

    def _closing(self, account: Account, symbol: str, side: PositionSide) -> tuple[Direction, Decimal]:
        position = account.positions.get((symbol, side))
        if position is None or not position.size:
            raise refusal(NO_POSITION)
        return ("sell" if position.size > 0 else "buy"), Decimal(abs(position.size))

    def _leverage(self, caller: Caller, ticket: Ticket) -> int | None:
        """None: the account's own, which is that of cross margin."""
        leverage = caller.params.whole("leverage")
        if ticket.mode == "isolated" and leverage is None and not ticket.reduce_only:
            raise refusal(BAD_LEVERAGE)
        return leverage if ticket.mode == "isolated" else None

    def _symbol(self, params: Params) -> str:
        return listed(self._desk, "futures", params.text("symbol"))


def paged(params: Params, found: list[dict[str, Any]]) -> dict[str, Any]:
    page, size = params.page("currentPage", MOST_ROWS)
    return {
        "currentPage": page,
        "pageSize": size,
        "totalNum": len(found),
        "totalPage": -(-len(found) // size),
        "items": found[(page - 1) * size : page * size],
    }
