"""HTX's order endpoints of spot: parameters to tickets, orders to answers."""

import re
from typing import Any

from apps.feeds.simulator.htx import spot_rows as rows
from apps.feeds.simulator.htx.auth import Caller
from apps.feeds.simulator.htx.listings import NO_API, least
from apps.feeds.simulator.htx.params import MOST_VALUE
from apps.feeds.simulator.htx.refusals import NO_RECORD, SPOT, SPOT_DESK, RefusalError, order_state
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Execution, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.matching import SelfTrade
from apps.feeds.simulator.trading.tickets import Direction, Force, Kind, Reason, Refused, Ticket

SIDES: dict[str, Direction] = {"buy": "buy", "sell": "sell"}
KINDS: dict[str, tuple[Kind, Force]] = {
    "market": ("market", "gtc"),
    "limit": ("limit", "gtc"),
    "ioc": ("limit", "ioc"),
    "limit-maker": ("limit", "post"),
    "limit-fok": ("limit", "fok"),
}
TYPES = {f"{side}-{name}": (side, *kind) for side in SIDES.values() for name, kind in KINDS.items()}
SELF_TRADES: dict[int, SelfTrade] = {0: "", 1: "taker"}
STATES = {"submitted", "partial-filled", "filled", "partial-canceled", "canceled"}
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LIVE_KEPT_MS, ENDED_KEPT_MS = 8 * 3_600_000, 2 * 3_600_000  # for queries by the client's id
CANCELLING, NOT_FOUND = 10, 0
MOST_CANCELLED = 100


class SpotOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def place(self, caller: Caller) -> dict[str, Any]:
        params = caller.params
        self._check_account(caller)
        listing = self._listing(params.text("symbol"))
        if listing.base == NO_API:
            raise RefusalError(*SPOT_DESK[Reason.MARKET_CLOSED])
        side, kind, force = params.one_of("type", TYPES)
        amount, by_money = params.positive("amount"), (kind, side) == ("market", "buy")
        price = None if kind == "market" else params.positive("price")
        if amount * (price or 1) > MOST_VALUE:
            raise SPOT.illegal("amount")
        if amount % listing.size.step:  # of money too
            raise RefusalError(*SPOT_DESK[Reason.OFF_LOT])
        client_id = params.optional("client-order-id") or ""
        if client_id and CLIENT_ID.fullmatch(client_id) is None:
            raise RefusalError(*SPOT_DESK[Reason.DUPLICATE_ID])
        prevent = params.whole("self-match-prevent", 0)
        if prevent not in SELF_TRADES or params.optional("source") not in (None, "spot-api", "api"):
            raise SPOT.illegal("source")
        if not by_money and amount < least(listing).size:
            raise _too_small(kind, listing)
        ticket = Ticket(
            market_type="spot",
            symbol=listing.symbol,
            side=side,
            kind=kind,
            size=None if by_money else amount,
            quote_size=amount if by_money else None,
            price=price,
            force=force,
            client_id=client_id,
            self_trade=SELF_TRADES[prevent],
            expires_ms=caller.expires_ms,
        )
        return {"status": "ok", "data": self._desk.place(caller.account, ticket).id}

    def cancel(self, caller: Caller) -> dict[str, Any]:
        order = self._desk.find(caller.account, "spot", id=caller.id, to_cancel=True)
        try:
            self._desk.cancel(caller.account, order)
        except Refused:
            refused = SPOT_DESK[Reason.ALREADY_FINAL]
            raise RefusalError(*refused, more={"order-state": order_state(order)}) from None
        return {"status": "ok", "data": order.id}

    def cancel_by_client_id(self, caller: Caller) -> dict[str, Any]:
        """The data is the state of an order that is closed already, 0 for none, 10 for one that goes now."""
        try:
            order = self._desk.find(
                caller.account, "spot", client_id=caller.params.text("client-order-id"), to_cancel=True
            )
        except Refused:
            return {"status": "ok", "data": NOT_FOUND}
        if not order.is_open:
            return {"status": "ok", "data": order_state(order)}
        self._desk.cancel(caller.account, order)
        return {"status": "ok", "data": CANCELLING}

    def cancel_all(self, caller: Caller) -> dict[str, Any]:
        """So many at once; `next-id` is the first of those that are left, -1 for none."""
        self._check_account(caller, needed=False)
        size = caller.params.whole("size", MOST_CANCELLED)
        if not 1 <= size <= MOST_CANCELLED:
            raise SPOT.illegal("size")
        found = self._open(caller)
        for order in found[:size]:
            self._desk.cancel(caller.account, order)
        left = int(found[size].id) if len(found) > size else -1
        return {"code": 200, "data": {"success-count": len(found[:size]), "failed-count": 0, "next-id": left}}

    def query(self, caller: Caller) -> dict[str, Any]:
        return {"status": "ok", "data": rows.order(self._desk.find(caller.account, "spot", id=caller.id))}

    def query_by_client_id(self, caller: Caller) -> dict[str, Any]:
        order = self._desk.find(caller.account, "spot", client_id=caller.params.text("clientOrderId"))
        if is_forgotten(order, self._desk.now_ms()):
            raise RefusalError(*NO_RECORD)
        return {"status": "ok", "data": rows.order(order)}

    def open_orders(self, caller: Caller) -> dict[str, Any]:
        self._check_account(caller, needed="symbol" in caller.params)
        shown = set(self._desk.open_orders(caller.account, "spot"))
        found = [(int(row.id), row) for row in reversed(self._open(caller)) if row in shown]
        return {"status": "ok", "data": [rows.open_order(row) for row in caller.params.cut(found, "size", 100, 500)]}

    def orders(self, caller: Caller) -> dict[str, Any]:
        """Of one symbol in the states that are asked for, newest first."""
        params, symbol = caller.params, self._listing(caller.params.text("symbol")).symbol
        states = params.text("states").split(",")
        if not set(states) <= STATES:
            raise SPOT.illegal("states")
        since, until = params.span("start-time", "end-time", self._desk.now_ms())
        found = [
            (int(row.id), row)
            for row in reversed(self._desk.orders(caller.account, "spot", symbol))
            if rows.state(row) in states and since <= row.created_ms <= until
        ]
        return {"status": "ok", "data": [rows.order(row) for row in params.cut(found, "size", 100, 100)]}

    def matches_of_order(self, caller: Caller) -> dict[str, Any]:
        order = self._desk.find(caller.account, "spot", id=caller.id)
        found = [(number, row) for number, row in _numbered(caller) if row.order is order]
        return {"status": "ok", "data": [rows.match(number, row) for number, row in found]}

    def matches(self, caller: Caller) -> dict[str, Any]:
        """Newest first."""
        params = caller.params
        symbol = self._listing(params.text("symbol")).symbol if "symbol" in params else None
        since, until = params.span("start-time", "end-time", self._desk.now_ms())
        shown = set(self._desk.executions(caller.account, "spot", symbol, since_ms=since))
        found = [(number, (number, row)) for number, row in _numbered(caller) if row in shown and row.ms <= until]
        return {"status": "ok", "data": [rows.match(*row) for row in params.cut(found, "size", 100, 500)]}

    def _open(self, caller: Caller) -> list[Order]:
        """Open orders of the symbols and side that are asked for, oldest first."""
        symbols = [self._listing(name).symbol for name in (caller.params.optional("symbol") or "").split(",") if name]
        side = caller.params.one_of("side", SIDES) if "side" in caller.params else None
        return [
            order
            for order in caller.account.open.values()
            if order.listing.market_type == "spot"
            and (not symbols or order.listing.symbol in symbols)
            and side in (None, order.side)
        ]

    def _check_account(self, caller: Caller, *, needed: bool = True) -> None:
        if (needed or "account-id" in caller.params) and caller.params.whole("account-id") != rows.account_id(
            caller.account
        ):
            raise RefusalError("account-get-accounts-inexistent-error", "account for id is inexistent")

    def _listing(self, symbol: str) -> Listing:
        for listing in self._desk.listed("spot"):
            if listing.symbol == symbol:
                return listing
        raise RefusalError(*SPOT_DESK[Reason.UNKNOWN_SYMBOL])


def is_forgotten(order: Order, now_ms: int) -> bool:
    """Whether it can be asked for by the client's id no more."""
    return now_ms - order.created_ms > (LIVE_KEPT_MS if order.is_open else ENDED_KEPT_MS)


def _numbered(caller: Caller) -> list[tuple[int, Execution]]:
    """The account's executions with the ids of their rows, newest first."""
    return list(enumerate(caller.account.executions, 1))[::-1]


def _too_small(kind: Kind, listing: Listing) -> RefusalError:
    return RefusalError(
        f"order-{kind}order-amount-min-error", f"{kind} order amount error, min: `{rows.plain(least(listing).size)}`"
    )
