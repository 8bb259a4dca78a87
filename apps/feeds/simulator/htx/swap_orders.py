"""HTX's order endpoints of linear swaps, v5: parameters to tickets, orders to answers."""

from typing import Any

from apps.feeds.simulator.htx import swap_rows as rows
from apps.feeds.simulator.htx.auth import Caller
from apps.feeds.simulator.htx.params import MOST_VALUE
from apps.feeds.simulator.htx.refusals import (
    BAD_CLIENT_ID,
    CONTRACT_DESK,
    CONTRACTS,
    FILLED_ALREADY,
    NO_SYMBOL,
    NOTHING_TO_CANCEL,
    TOO_LARGE,
    RefusalError,
)
from apps.feeds.simulator.htx.spot_orders import is_forgotten
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.matching import SelfTrade
from apps.feeds.simulator.trading.tickets import Direction, Force, Kind, Mode, PositionSide, Reason, Refused, Ticket

SIDES: dict[str, Direction] = {"buy": "buy", "sell": "sell"}
TYPES: dict[str, Kind] = {"limit": "limit", "market": "market", "post_only": "limit"}
FORCES: dict[str, Force] = {"gtc": "gtc", "ioc": "ioc", "fok": "fok"}
MODES: dict[str, Mode] = {"cross": "cross", "isolated": "isolated"}
POSITION_SIDES: dict[str, PositionSide] = {"both": "net", "long": "long", "short": "short"}
SELF_TRADES: dict[str, SelfTrade] = {"cancel_taker": "taker", "cancel_maker": "maker", "cancel_both": "both"}
LARGEST_ID = 2**63 - 1


class SwapOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def place(self, caller: Caller) -> dict[str, Any]:
        params, listing = caller.params, self.listing(caller)
        kind, mode = params.one_of("type", TYPES), params.one_of("margin_mode", MODES)
        force = "post" if params.text("type") == "post_only" else params.one_of("time_in_force", FORCES, "gtc")
        volume, price = params.positive("volume"), None if kind == "market" else params.positive("price")
        if volume * listing.contract * (price or 1) > MOST_VALUE:
            raise RefusalError(*TOO_LARGE)
        reduce_only = params.whole("reduce_only", 0)
        if reduce_only not in (0, 1) or "price_match" in params:
            raise CONTRACTS.illegal("reduce_only")
        ticket = Ticket(
            market_type="futures",
            symbol=listing.symbol,
            side=params.one_of("side", SIDES),
            kind=kind,
            size=volume,
            price=price,
            force=force,
            client_id=_client_id(caller),
            reduce_only=bool(reduce_only),
            position_side=params.one_of("position_side", POSITION_SIDES, "both"),
            mode=mode,
            self_trade=params.one_of("self_match_prevent", SELF_TRADES, "cancel_taker"),
            expires_ms=caller.expires_ms,
        )
        self._desk.set_leverage(caller.account, listing.symbol, None, mode)
        return done(self._desk, rows.named(self._desk.place(caller.account, ticket)))

    def cancel(self, caller: Caller) -> dict[str, Any]:
        order = self._find(caller, to_cancel=True)
        try:
            self._desk.cancel(caller.account, order)
        except Refused:
            refused = FILLED_ALREADY if order.status == "filled" else CONTRACT_DESK[Reason.ALREADY_FINAL]
            raise RefusalError(*refused) from None
        return done(self._desk, rows.named(order))

    def cancel_all(self, caller: Caller) -> dict[str, Any]:
        symbol = self.symbol(caller)
        side = caller.params.one_of("side", SIDES) if "side" in caller.params else None
        found = [
            order
            for order in caller.account.open.values()
            if order.listing.market_type == "futures"
            and symbol in (None, order.listing.symbol)
            and side in (None, order.side)
        ]
        if not found:
            raise RefusalError(*NOTHING_TO_CANCEL)
        for order in found:
            self._desk.cancel(caller.account, order)
        return done(self._desk, [{"code": 200, "message": "Success", **rows.named(order)} for order in found])

    def query(self, caller: Caller) -> dict[str, Any]:
        order = self._find(caller)
        if "order_id" not in caller.params and is_forgotten(order, self._desk.now_ms()):
            raise RefusalError(*CONTRACT_DESK[Reason.UNKNOWN_ORDER])
        return done(self._desk, {**rows.order(order), "real_profit": None})

    def opens(self, caller: Caller) -> dict[str, Any]:
        return self._list(caller, self._desk.open_orders(caller.account, "futures", self.symbol(caller)))

    def history(self, caller: Caller) -> dict[str, Any]:
        """Orders that are final."""
        found = self._desk.orders(caller.account, "futures", self.symbol(caller))
        return self._list(caller, [order for order in found if not order.is_open])

    def details(self, caller: Caller) -> dict[str, Any]:
        """Fills, newest first."""
        params, wanted = caller.params, caller.params.optional("order_id")
        since, until = params.span("start_time", "end_time", self._desk.now_ms())
        shown = set(self._desk.executions(caller.account, "futures", self.symbol(caller), since_ms=since))
        found = [
            (number, (number, row))
            for number, row in reversed(list(enumerate(caller.account.executions, 1)))
            if row in shown and row.ms <= until and wanted in (None, row.order.id)
        ]
        return done(self._desk, [rows.fill(*row) for row in params.cut(found, "limit", 10, 100)])

    def listing(self, caller: Caller) -> Listing:
        code = caller.params.text("contract_code").upper()  # any case will do
        for listing in self._desk.listed("futures"):
            if (listing.symbol, listing.category) == (code, "linear"):
                return listing
        raise RefusalError(*NO_SYMBOL)

    def symbol(self, caller: Caller) -> str | None:
        return self.listing(caller).symbol if "contract_code" in caller.params else None

    def _list(self, caller: Caller, found: list[Order]) -> dict[str, Any]:
        """Newest first."""
        mode = caller.params.one_of("margin_mode", MODES) if "margin_mode" in caller.params else None
        listed = [(int(row.id), row) for row in reversed(found) if mode in (None, row.ticket.mode)]
        page = caller.params.cut(listed, "limit", 10, 100)
        return done(self._desk, [rows.order(row) for row in page])

    def _find(self, caller: Caller, *, to_cancel: bool = False) -> Order:
        params, symbol = caller.params, self.listing(caller).symbol
        number, client_id = params.optional("order_id"), _client_id(caller)
        if number is None and not client_id:
            raise CONTRACTS.illegal("order_id")
        named = {"id": number} if number is not None else {"client_id": client_id}
        return self._desk.find(caller.account, "futures", symbol=symbol, to_cancel=to_cancel, **named)


def _client_id(caller: Caller) -> str:
    """A whole number of 63 bits; empty where none is given."""
    if "client_order_id" not in caller.params:
        return ""
    try:
        number = caller.params.whole("client_order_id")
    except RefusalError:
        raise RefusalError(*BAD_CLIENT_ID) from None
    if not 1 <= number <= LARGEST_ID:
        raise RefusalError(*BAD_CLIENT_ID)
    return str(number)


def done(desk: Desk, data: Any) -> dict[str, Any]:
    return {"code": 200, "message": "Success", "data": data, "ts": desk.now_ms()}
