"""OKX's order endpoints, the same for both markets: parameters to tickets, orders to answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.feeds.simulator.okx import params, rows
from apps.feeds.simulator.okx.auth import Caller
from apps.feeds.simulator.okx.params import Item
from apps.feeds.simulator.okx.refusals import (
    CANCEL_CANCELED,
    CANCEL_FILLED,
    CANCEL_UNKNOWN,
    DESK,
    NO_INSTRUMENT,
    RefusalError,
    bad,
    refusal,
)
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.matching import SelfTrade
from apps.feeds.simulator.trading.tickets import Direction, Force, Kind, Mode, PositionSide, Reason, Refused, Ticket

CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}")
TAG = re.compile(r"[A-Za-z0-9]{0,16}")
SIDES: dict[str, Direction] = {"buy": "buy", "sell": "sell"}
POSITION_SIDES: dict[str, PositionSide] = {"": "net", "net": "net", "long": "long", "short": "short"}
SELF_TRADES: dict[str, SelfTrade] = {"cancel_maker": "maker", "cancel_taker": "taker", "cancel_both": "both"}
FLAGS = {True: True, False: False, "true": True, "false": False}
SPOT_MODES: dict[str, Mode | None] = {"cash": None}
MODES: dict[str, Mode | None] = {"cross": "cross", "isolated": "isolated"}
UNFILLED_KEPT_MS = 2 * 3_600_000
FILLS_KEPT_MS = 3 * 86_400_000


@dataclass(frozen=True, slots=True)
class Form:
    kind: Kind
    force: Force
    derivatives_only: bool = False


FORMS = {
    "limit": Form("limit", "gtc"),
    "market": Form("market", "gtc"),
    "post_only": Form("limit", "post"),
    "fok": Form("limit", "fok"),
    "ioc": Form("limit", "ioc"),
    "optimal_limit_ioc": Form("market", "gtc", derivatives_only=True),
}


class Orders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def place(self, caller: Caller) -> dict[str, Any]:
        return self._each(caller, [caller.body], self._place)

    def place_many(self, caller: Caller) -> dict[str, Any]:
        return self._each(caller, params.batch(caller.body), self._place)

    def cancel(self, caller: Caller) -> dict[str, Any]:
        return self._each(caller, [caller.body], self._cancel)

    def cancel_many(self, caller: Caller) -> dict[str, Any]:
        return self._each(caller, params.batch(caller.body), self._cancel)

    def query(self, caller: Caller) -> list[Item]:
        return [rows.answered(self._find(caller, dict(caller.query)))]

    def pending(self, caller: Caller) -> list[Item]:
        found = self._listed(caller, self._desk.open_orders)
        return [rows.answered(row) for row in params.page(caller, found, lambda row: int(row.id))]

    def history(self, caller: Caller) -> list[Item]:
        if "instType" not in caller.query:
            raise bad("instType")
        found = [row for row in self._listed(caller, self._desk.orders) if not row.is_open and self._is_kept(row)]
        first, last = params.span(caller)
        found = [row for row in found if first <= row.created_ms <= last]
        return [rows.answered(row) for row in params.page(caller, found, lambda row: int(row.id))]

    def fills(self, caller: Caller) -> list[Item]:
        """Of the last three days."""
        return self.old_fills(caller, self._desk.now_ms() - FILLS_KEPT_MS)

    def old_fills(self, caller: Caller, since_ms: int = 0) -> list[Item]:
        bills = {id(row): 10_000_000 + n for n, row in enumerate(caller.account.executions)}
        first, last = params.span(caller)
        first = max(first, since_ms)
        order_id = caller.query.get("ordId")
        found = [
            row
            for market_type in params.market_types(caller)
            for row in self._desk.executions(caller.account, market_type, caller.query.get("instId"), since_ms=first)
            if row.ms <= last and order_id in (None, row.order.id) and _is_wanted(caller, row.order)
        ]
        found.sort(key=lambda row: bills[id(row)])
        paged = params.page(caller, found, lambda row: bills[id(row)])
        return [rows.fill(row, str(bills[id(row)])) for row in paged]

    def _each(self, caller: Caller, items: list[Any], act: Callable[[Caller, Item], Order]) -> dict[str, Any]:
        """An answer with a row for each order: code 0 where all are done, 1 where none is, else 2."""
        came = str(self._desk.now_ms() * 1000)
        data = [self._row(caller, item, act) for item in items]
        failed = sum(row["sCode"] != "0" for row in data)
        code = "0" if not failed else "1" if failed == len(data) else "2"
        words = {"0": "", "1": "All operations failed", "2": "Bulk operation partially succeeded."}
        left = str(self._desk.now_ms() * 1000 + 1)
        return {"code": code, "data": data, "inTime": came, "msg": words[code], "outTime": left}

    def _row(self, caller: Caller, item: Any, act: Callable[[Caller, Item], Order]) -> dict[str, Any]:
        given = item if isinstance(item, dict) else {}
        said: dict[str, Any] = {"ordId": "", "clOrdId": str(given.get("clOrdId", "")), "tag": str(given.get("tag", ""))}
        try:
            order = act(caller, given)
        except Refused as refused:
            said |= dict(zip(("sCode", "sMsg"), DESK[refused.reason], strict=True))
        except RefusalError as error:
            said |= {"sCode": error.code, "sMsg": str(error)}
        else:
            said |= {"ordId": order.id, "clOrdId": order.client_id, "tag": order.ticket.words["tag"]}
            said |= {"sCode": "0", "sMsg": ""}
        return {**said, "ts": str(self._desk.now_ms())}

    def _place(self, caller: Caller, item: Item) -> Order:
        symbol, market_type = self._symbol(item)
        spot = market_type == "spot"
        form = params.one_of(item, "ordType", FORMS)
        if form.derivatives_only and spot:
            raise bad("ordType")
        mode = params.one_of(item, "tdMode", SPOT_MODES if spot else MODES)
        side = params.one_of(item, "side", SIDES)
        size, price = params.number(item, "sz"), params.number(item, "px") if form.kind == "limit" else None
        unit = params.unit(item, side) if spot and form.kind == "market" else ""
        in_money = unit == "quote_ccy"
        if mode is not None and not any(
            row.size for row in caller.account.positions.values() if row.listing.symbol == symbol
        ):
            self._desk.set_leverage(caller.account, symbol, None, mode)
        ticket = Ticket(
            market_type=market_type,
            symbol=symbol,
            side=side,
            kind=form.kind,
            size=None if in_money else size,
            quote_size=size if in_money else None,
            price=price,
            force=form.force,
            client_id=params.text(item, "clOrdId", CLIENT_ID),
            reduce_only=params.one_of(item, "reduceOnly", FLAGS, False) and not spot,
            position_side="net" if spot else params.one_of(item, "posSide", POSITION_SIDES, ""),
            mode=mode,
            self_trade=params.one_of(item, "stpMode", SELF_TRADES, "cancel_maker"),
            expires_ms=caller.expires_ms,
            words={
                "ordType": item["ordType"],
                "tdMode": item["tdMode"],
                "tgtCcy": unit,
                "tag": params.text(item, "tag", TAG),
            },
        )
        return self._desk.place(caller.account, ticket)

    def _cancel(self, caller: Caller, item: Item) -> Order:
        try:
            order = self._find(caller, item, to_cancel=True)
        except Refused:
            raise refusal(CANCEL_UNKNOWN) from None
        if not order.is_open:
            raise refusal(CANCEL_FILLED if order.status == "filled" else CANCEL_CANCELED)
        self._desk.cancel(caller.account, order)
        return order

    def _find(self, caller: Caller, item: Item, *, to_cancel: bool = False) -> Order:
        """By ordId where both are given."""
        symbol, market_type = self._symbol(item)
        id, client_id = params.name(item, "ordId"), params.name(item, "clOrdId")
        if id is None and client_id is None:
            raise bad("ordId")
        by = {"id": id} if id is not None else {"client_id": client_id}
        order = self._desk.find(caller.account, market_type, symbol=symbol, **by, to_cancel=to_cancel)
        if not self._is_kept(order):
            raise Refused(Reason.UNKNOWN_ORDER)
        return order

    def _is_kept(self, order: Order) -> bool:
        """One that ended without a fill is soon forgotten."""
        return order.is_open or order.filled > 0 or self._desk.now_ms() - order.updated_ms < UNFILLED_KEPT_MS

    def _symbol(self, item: Item) -> tuple[str, str]:
        """The instrument and its market type."""
        symbol = item.get("instId")
        if not isinstance(symbol, str) or not symbol:
            raise bad("instId")
        market_type = "futures" if symbol.count("-") > 1 else "spot"
        try:
            self._desk.market(market_type, symbol)
        except Refused as refused:
            if refused.reason == Reason.UNKNOWN_SYMBOL:
                raise refusal(NO_INSTRUMENT) from None
        return symbol, market_type

    def _listed(self, caller: Caller, read: Callable[..., list[Order]]) -> list[Order]:
        """Oldest first."""
        symbol = caller.query.get("instId")
        found = [row for kind in params.market_types(caller) for row in read(caller.account, kind, symbol)]
        return sorted((row for row in found if _is_wanted(caller, row)), key=lambda row: row.number)


def _is_wanted(caller: Caller, order: Order) -> bool:
    query = caller.query
    return (
        query.get("instType") in (None, order.listing.category)
        and query.get("ordType", order.ticket.words["ordType"]) == order.ticket.words["ordType"]
        and query.get("state") in (None, rows.STATE[order.status])
    )
