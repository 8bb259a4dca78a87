"""CoinEx's order endpoints, spot and futures: parameters to tickets, orders to answers."""

from dataclasses import dataclass
from typing import Any

from apps.feeds.simulator.coinex import rows
from apps.feeds.simulator.coinex.auth import Caller
from apps.feeds.simulator.coinex.params import MOST_VALUE, illegal
from apps.feeds.simulator.coinex.refusals import NO_ORDER, NOT_FILLED_WHOLE, UNKNOWN_MARKET, RefusalError, envelope
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.matching import SelfTrade
from apps.feeds.simulator.trading.tickets import Direction, Ended, Force, Kind, Ticket

SIDES: dict[str, Direction] = {"buy": "buy", "sell": "sell"}
TYPES: dict[str, tuple[Kind, Force]] = {
    "limit": ("limit", "gtc"),
    "maker_only": ("limit", "post"),
    "ioc": ("limit", "ioc"),
    "fok": ("limit", "fok"),
    "market": ("market", "gtc"),
}
SELF_TRADES: dict[str, SelfTrade] = {"ct": "taker", "cm": "maker", "both": "both"}
FOREVER_MS = 2**60


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list, with what stands beside `data`."""

    rows: list[dict[str, Any]]
    pagination: dict[str, Any]


class Orders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def place(self, caller: Caller) -> dict[str, Any]:
        return self._place(caller, caller.params.one_of("side", SIDES))

    def close_position(self, caller: Caller) -> dict[str, Any]:
        """An order that only makes the position smaller: the other side is that of the position."""
        listing = self._listing(caller)
        held = caller.account.position(listing, "net")
        return self._place(caller, "buy" if held.size < 0 else "sell", reduce_only=True)

    def _place(self, caller: Caller, side: Direction, *, reduce_only: bool = False) -> dict[str, Any]:
        params, listing = caller.params, self._listing(caller)
        params.check_market_type(caller.market_type)
        kind, force = params.one_of("type", TYPES)
        params.flag("is_hide")
        amount, ccy = params.positive("amount"), self._currency(caller, listing, kind, side)
        by_money, price = ccy == listing.quote, params.positive("price") if kind == "limit" else None
        if amount * (price or 1) > MOST_VALUE:
            raise illegal("amount")
        ticket = Ticket(
            market_type=caller.market_type,
            symbol=listing.symbol,
            side=side,
            kind=kind,
            size=None if by_money else amount,
            quote_size=amount if by_money else None,
            price=price,
            force=force,
            client_id=params.client_id(),
            reduce_only=reduce_only,
            self_trade=params.one_of("stp_mode", SELF_TRADES) if "stp_mode" in params else "",
            expires_ms=caller.expires_ms,
            words={"ccy": ccy},
        )
        order = self._desk.place(caller.account, ticket)
        if order.ended == Ended.FOK:
            raise RefusalError(*NOT_FILLED_WHOLE)
        return rows.placed(order)

    def cancel(self, caller: Caller) -> dict[str, Any]:
        caller.params.check_market_type(caller.market_type)
        order = self._find(caller, to_cancel=True)
        self._desk.cancel(caller.account, order)
        return rows.placed(order)

    def cancel_by_client_id(self, caller: Caller) -> list[dict[str, Any]]:
        """All open orders of that id: it may be that of several."""
        caller.params.check_market_type(caller.market_type)
        wanted, symbol = caller.params.text("client_id"), self._symbol(caller)
        found = [
            order
            for order in caller.account.open.values()
            if (order.client_id, order.listing.market_type) == (wanted, caller.market_type)
            and symbol in (None, order.listing.symbol)
        ]
        if not found:
            raise RefusalError(*NO_ORDER)
        for order in found:
            self._desk.cancel(caller.account, order)
        return [envelope(0, rows.placed(order), "OK") for order in found]

    def cancel_all(self, caller: Caller) -> dict[str, Any]:
        listing, side = self._listing(caller), self._side(caller)
        caller.params.check_market_type(caller.market_type)
        for order in list(caller.account.open.values()):
            if order.listing is listing and side in (None, order.side):
                self._desk.cancel(caller.account, order)
        return {}

    def status(self, caller: Caller) -> dict[str, Any]:
        """An order that was cancelled without a fill is not kept."""
        order = self._find(caller)
        if not _kept(order):
            raise RefusalError(*NO_ORDER)
        return rows.with_status(order)

    def pending(self, caller: Caller) -> Page:
        found = [order for order in self._listed(caller) if order.is_open]
        page, more = caller.params.page(found)
        return Page([rows.placed(order) for order in page], {"total": len(found), "has_next": more})

    def finished(self, caller: Caller) -> Page:
        page, more = caller.params.page([row for row in self._listed(caller) if not row.is_open and _kept(row)])
        return Page([rows.finished(order) for order in page], {"has_next": more})

    def order_deals(self, caller: Caller) -> Page:
        caller.params.check_market_type(caller.market_type)
        page, more = caller.params.page(self._find(caller).executions[::-1])
        return Page([rows.deal_with_fee(row) for row in page], {"has_next": more})

    def user_deals(self, caller: Caller) -> Page:
        params = caller.params
        params.check_market_type(caller.market_type)
        first, last, side = params.whole("start_time", 0), params.whole("end_time", FOREVER_MS), self._side(caller)
        found = self._desk.executions(caller.account, caller.market_type, self._symbol(caller), since_ms=first)
        page, more = params.page([row for row in reversed(found) if row.ms <= last and side in (None, row.order.side)])
        return Page([rows.deal(row) for row in page], {"has_next": more})

    def _currency(self, caller: Caller, listing: Listing, kind: Kind, side: Direction) -> str:
        """What the amount counts: `ccy` says it of market orders of spot, else a buy counts money."""
        if caller.market_type == "futures" or kind == "limit":
            return listing.base
        ccy = caller.params.optional("ccy") or (listing.quote if side == "buy" else listing.base)
        if ccy not in (listing.base, listing.quote):
            raise illegal("ccy")
        return ccy

    def _listed(self, caller: Caller) -> list[Order]:
        """Orders of the list that is asked for, newest first."""
        caller.params.check_market_type(caller.market_type)
        symbol, side, client_id = self._symbol(caller), self._side(caller), caller.params.client_id()
        found = self._desk.orders(caller.account, caller.market_type, symbol)
        return [order for order in reversed(found) if side in (None, order.side) and client_id in ("", order.client_id)]

    def _find(self, caller: Caller, *, to_cancel: bool = False) -> Order:
        symbol, number = self._listing(caller).symbol, caller.params.whole("order_id")
        return self._desk.find(caller.account, caller.market_type, symbol=symbol, id=str(number), to_cancel=to_cancel)

    def _listing(self, caller: Caller) -> Listing:
        symbol = caller.params.text("market")
        for listing in self._desk.listed(caller.market_type):
            if listing.symbol == symbol:
                return listing
        raise RefusalError(*UNKNOWN_MARKET)

    def _symbol(self, caller: Caller) -> str | None:
        return self._listing(caller).symbol if "market" in caller.params else None

    def _side(self, caller: Caller) -> Direction | None:
        return caller.params.one_of("side", SIDES) if "side" in caller.params else None


def _kept(order: Order) -> bool:
    return order.is_open or bool(order.filled)
