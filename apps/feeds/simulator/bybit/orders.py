"""Bybit's order endpoints: parameters to tickets, orders to answers. An order is only acknowledged when placed."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.bybit import rows
from apps.feeds.simulator.bybit.auth import Caller
from apps.feeds.simulator.bybit.funding import paid
from apps.feeds.simulator.bybit.refusals import DONE, bad, refusal
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Execution, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.matching import SelfTrade
from apps.feeds.simulator.trading.tickets import Direction, Force, Kind, PositionSide, Reason, Refused, Ticket

SIDES: dict[str, Direction] = {"Buy": "buy", "Sell": "sell"}
KINDS: dict[str, Kind] = {"Limit": "limit", "Market": "market"}
FORCES: dict[str, Force] = {"GTC": "gtc", "IOC": "ioc", "FOK": "fok", "PostOnly": "post"}
INDEXES: dict[int, PositionSide] = {0: "net", 1: "long", 2: "short"}
SELF_TRADES: dict[str, SelfTrade] = {"None": "", "CancelMaker": "maker", "CancelTaker": "taker", "CancelBoth": "both"}
UNITS = {"baseCoin": "baseCoin", "quoteCoin": "quoteCoin"}
FLAGS = {True: True, False: False}
SLIPPAGE = Decimal("0.05")  # the worst price of a market order, from the middle of the book
MOST_CANCELLED = 500
ENDED_KNOWN = 500  # of an account, where orders are asked for that may be open
UNFILLED_KEPT_MS = 24 * 3_600_000


class Orders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def place(self, caller: Caller) -> dict[str, Any]:
        params, listing = caller.params, self._listing(caller)
        spot = listing.market_type == "spot"
        side, kind = params.one_of("side", SIDES), params.one_of("orderType", KINDS)
        size = params.number("qty")
        usual = "quoteCoin" if side == "buy" else "baseCoin"
        unit = params.one_of("marketUnit", UNITS, usual) if spot and kind == "market" else ""
        in_money = unit == "quoteCoin"
        ticket = Ticket(
            market_type=listing.market_type,
            symbol=listing.symbol,
            side=side,
            kind=kind,
            size=None if in_money else size,
            quote_size=size if in_money else None,
            price=params.number("price") if kind == "limit" else None,
            force=params.one_of("timeInForce", FORCES, "GTC") if kind == "limit" else "gtc",
            client_id=params.client_id(),
            reduce_only=params.one_of("reduceOnly", FLAGS, False) and not spot,
            position_side="net" if spot else params.one_of("positionIdx", INDEXES, 0),
            self_trade=params.one_of("smpType", SELF_TRADES, "None"),
            expires_ms=caller.expires_ms,
            words={"unit": unit, **self._prices(listing, side)},
        )
        order = self._desk.place(caller.account, ticket)
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def cancel(self, caller: Caller) -> dict[str, Any]:
        """By orderId where both are given."""
        listing, params = self._listing(caller), caller.params
        id = params.optional("orderId")
        client_id = params.optional("orderLinkId") if id is None else None
        if id is None and client_id is None:
            raise bad("orderId or orderLinkId")
        kind = listing.market_type
        order = self._desk.find(caller.account, kind, symbol=listing.symbol, id=id, client_id=client_id, to_cancel=True)
        if not order.is_open:
            raise refusal(DONE[kind][order.status])
        self._desk.cancel(caller.account, order)
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def cancel_all(self, caller: Caller) -> dict[str, Any]:
        found = self._open(caller)[:MOST_CANCELLED]
        for order in found:
            self._desk.cancel(caller.account, order)
        listed = [{"orderId": order.id, "orderLinkId": order.client_id} for order in found]
        return {"list": listed, "success": "1"}

    def realtime(self, caller: Caller) -> dict[str, Any]:
        """Those that are open; one that is named, whatever it has become."""
        named = "orderId" in caller.params or "orderLinkId" in caller.params
        return self._paged(caller, self._named(caller) if named else self._open(caller))

    def history(self, caller: Caller) -> dict[str, Any]:
        """Those that have ended."""
        named = "orderId" in caller.params or "orderLinkId" in caller.params
        first, last = (0, 2**63) if named else caller.params.span(self._desk.now_ms())
        category, market_type = caller.params.category()
        found = self._named(caller) if named else self._desk.orders(caller.account, market_type)
        ended = [row for row in found if self._is_kept(row) and first <= row.created_ms <= last]
        return self._paged(caller, self._wanted(caller, category, ended))

    def executions(self, caller: Caller) -> dict[str, Any]:
        """Newest first. Funding is one too, and no trade."""
        params, account = caller.params, caller.account
        category, market_type = params.category()
        first, last = params.span(self._desk.now_ms())
        order_id, client_id = params.optional("orderId"), params.optional("orderLinkId")
        trades = [
            row
            for row in self._desk.executions(account, market_type, params.optional("symbol"), since_ms=first)
            if row.ms <= last and _is_of(row, category, order_id, client_id)
        ]
        found = [rows.execution(row, rows.left_after(row)) for row in trades]
        if market_type == "futures" and not (order_id or client_id):
            found += [paid(self._desk, account, row) for row in account.funding if first <= row.ms <= last]
        kind, symbol = params.optional("execType"), params.optional("symbol")
        found = [row for row in found if kind in (None, row["execType"]) and symbol in (None, row["symbol"])]
        found.sort(key=lambda row: int(row["execTime"]))
        page, cursor = params.page(found[::-1], 50, 100)
        return {"nextPageCursor": cursor, "category": category, "list": page}

    def _paged(self, caller: Caller, found: Iterable[Order]) -> dict[str, Any]:
        """Newest first."""
        category, _ = caller.params.category()
        page, cursor = caller.params.page(sorted(found, key=lambda order: -order.number), 20, 50)
        return {"list": [rows.order_row(order) for order in page], "nextPageCursor": cursor, "category": category}

    def _named(self, caller: Caller) -> list[Order]:
        """One or none; nothing is refused. Of those that have ended the latest are known."""
        category, market_type = caller.params.category()
        id = caller.params.optional("orderId")
        client_id = caller.params.optional("orderLinkId") if id is None else None
        try:
            order = self._desk.find(caller.account, market_type, id=id, client_id=client_id)
        except Refused:
            return []
        ended = [row for row in caller.account.orders.values() if not row.is_open][-ENDED_KNOWN:]
        return self._wanted(caller, category, [order] if order.is_open or order in ended else [])

    def _is_kept(self, order: Order) -> bool:
        """Whether it has ended; without a fill it is soon forgotten."""
        young = self._desk.now_ms() - order.updated_ms < UNFILLED_KEPT_MS
        return not order.is_open and (order.filled > 0 or young)

    def _open(self, caller: Caller) -> list[Order]:
        category, market_type = caller.params.category()
        names = ("symbol", "baseCoin", "settleCoin")
        if category != "spot" and not any(name in caller.params for name in names):
            raise bad("symbol or settleCoin or baseCoin")
        return self._wanted(caller, category, self._desk.open_orders(caller.account, market_type))

    @staticmethod
    def _wanted(caller: Caller, category: str, found: list[Order]) -> list[Order]:
        symbol, base, settle = (caller.params.optional(name) for name in ("symbol", "baseCoin", "settleCoin"))
        return [
            order
            for order in found
            if order.listing.category == category
            and symbol in (None, order.listing.symbol)
            and base in (None, order.listing.base)
            and settle in (None, order.listing.settle or settle)
        ]

    def _listing(self, caller: Caller) -> Listing:
        category, market_type = caller.params.category()
        symbol = caller.params.text("symbol")
        listing = self._desk.market(market_type, symbol).listing
        if listing.category != category:
            raise Refused(Reason.UNKNOWN_SYMBOL)
        return listing

    def _prices(self, listing: Listing, side: Direction) -> dict[str, str]:
        """The last price, and the worst that a market order may have."""
        mark = self._desk.mark(listing)
        worst = mark * (1 + SLIPPAGE if side == "buy" else 1 - SLIPPAGE)
        text = listing.price.text
        return {"last": text(int(mark / listing.price.step)), "price": text(int(worst / listing.price.step))}


def _is_of(row: Execution, category: str, order_id: str | None, client_id: str | None) -> bool:
    order = row.order
    by_id = order_id in (None, order.id) and client_id in (None, order.client_id)
    return order.listing.category == category and by_id
