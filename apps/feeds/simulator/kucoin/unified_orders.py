"""The order endpoints of unified accounts, spot and futures in one: parameters to tickets, orders to answers."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.kucoin import unified_rows as rows
from apps.feeds.simulator.kucoin.account import is_engaged
from apps.feeds.simulator.kucoin.auth import WINDOW_MS, Caller
from apps.feeds.simulator.kucoin.futures_orders import MODES, POSITION_SIDES
from apps.feeds.simulator.kucoin.params import Params
from apps.feeds.simulator.kucoin.refusals import MARGIN_MODE, NOTHING_TO_CANCEL, OFF_FUNDS, bad, refusal
from apps.feeds.simulator.kucoin.spot_orders import FORCES, FUNDS_STEP, SELF_TRADES, in_span, listed
from apps.feeds.simulator.kucoin.streams import TRADE_TYPES, ns
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Direction, Kind, Reason, Refused, Ticket

MARKETS = {trade_type: market_type for market_type, trade_type in TRADE_TYPES.items()}
SIDES: dict[str, Direction] = {"BUY": "buy", "SELL": "sell"}
TYPES: dict[str, Kind] = {"LIMIT": "limit", "MARKET": "market"}
UNITS = {"spot": ("BASECCY", "QUOTECCY"), "futures": ("UNIT", "BASECCY")}  # the first is the usual one
MOST_ROWS = 200


class UnifiedOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def place(self, caller: Caller) -> dict[str, Any]:
        """An order may name margin mode and leverage: the symbol's from then on, if it is not engaged in another."""
        ticket = self._ticket(caller)
        account = caller.account
        if ticket.market_type == "futures":
            if ticket.mode != account.setting(ticket.symbol).mode and is_engaged(self._desk, account, ticket.symbol):
                raise refusal(MARGIN_MODE)
            self._desk.set_leverage(account, ticket.symbol, caller.params.whole("leverage"), ticket.mode)
        return rows.named_row(self._desk.place(account, ticket), self._desk.now_ms())

    def cancel(self, caller: Caller) -> dict[str, Any]:
        try:
            order = self._find(caller, to_cancel=True)
        except Refused as refused:
            if refused.reason is Reason.UNKNOWN_ORDER:
                raise refusal(NOTHING_TO_CANCEL) from None
            raise
        self._desk.cancel(caller.account, order)
        return rows.named_row(order, self._desk.now_ms())

    def cancel_all(self, caller: Caller) -> dict[str, Any]:
        market_type = caller.params.one_of("tradeType", MARKETS)
        symbol = listed(self._desk, market_type, caller.params.text("symbol"))
        gone = self._desk.cancel_all(caller.account, market_type, symbol)
        items = [{"orderId": order.id} for order in gone]
        return {"tradeType": TRADE_TYPES[market_type], "ts": ns(self._desk.now_ms()), "items": items}

    def query(self, caller: Caller) -> dict[str, Any]:
        return rows.detail_row(self._find(caller))

    def open_orders(self, caller: Caller) -> dict[str, Any]:
        """Newest first, in pages."""
        market_type, symbol = self._place_of(caller.params)
        found = self._desk.open_orders(caller.account, market_type, symbol)
        page, size = caller.params.page("pageNumber", MOST_ROWS)
        told = [rows.order_row(order) for order in reversed(found)]
        return {
            "pageNumber": page,
            "pageSize": size,
            "totalNum": len(told),
            "totalPage": -(-len(told) // size),
            "items": told[(page - 1) * size : page * size],
            "tradeType": TRADE_TYPES[market_type],
        }

    def history(self, caller: Caller) -> dict[str, Any]:
        """Finished orders, newest first, before the order `lastId`."""
        params = caller.params
        market_type, symbol = self._place_of(params)
        _, size = params.page("pageNumber", MOST_ROWS)
        last = params.whole("lastId") or 2**63
        found = [
            order
            for order in reversed(self._desk.orders(caller.account, market_type, symbol))
            if not order.is_open and order.number < last and in_span(params, order.created_ms)
        ][:size]
        return {
            "tradeType": TRADE_TYPES[market_type],
            "lastId": found[-1].number if found else 0,
            "items": [rows.order_row(order) for order in found],
        }

    def fills(self, caller: Caller) -> dict[str, Any]:
        """Newest first, before the row `lastId`."""
        params = caller.params
        market_type, symbol = self._place_of(params)
        _, size = params.page("pageNumber", MOST_ROWS)
        last, order_id = params.whole("lastId") or 2**63, params.optional("orderId")
        executions = self._desk.executions(caller.account, market_type, symbol)
        told = [
            rows.fill_row(row)
            for row in reversed(executions)
            if order_id in (None, row.order.id) and in_span(params, row.ms)
        ]
        page = [row for row in told if int(row["tradeId"]) < last][:size]
        last_id = int(page[-1]["tradeId"]) if page else 0
        return {"tradeType": TRADE_TYPES[market_type], "lastId": last_id, "items": page}

    def _ticket(self, caller: Caller) -> Ticket:
        params = caller.params
        market_type = params.one_of("tradeType", MARKETS)
        symbol, kind = listed(self._desk, market_type, params.text("symbol")), params.one_of("orderType", TYPES)
        listing = self._desk.market(market_type, symbol).listing
        force = params.one_of("timeInForce", FORCES, "GTC")
        if params.flag("postOnly"):
            if kind == "market" or force != "gtc":
                raise bad("postOnly is for limit orders that rest")
            force = "post"
        unit = params.optional("sizeUnit") or UNITS[market_type][0]
        if unit not in UNITS[market_type] or (unit == "QUOTECCY" and kind == "limit"):
            raise bad(f"sizeUnit {unit} is not for this order")
        size, funds = self._amounts(params, listing, unit)
        if kind == "limit":
            params.text("price")
        mode = params.one_of("marginMode", MODES) if "marginMode" in params else caller.account.setting(symbol).mode
        return Ticket(
            market_type=market_type,
            symbol=symbol,
            side=params.one_of("side", SIDES),
            kind=kind,
            size=size,
            quote_size=funds,
            price=params.number("price") if kind == "limit" else None,
            force=force,
            client_id=params.client_id(),
            reduce_only=self._reduces(params, market_type),
            position_side=params.one_of("positionSide", POSITION_SIDES, "BOTH"),
            mode=mode,
            self_trade=params.one_of("stp", SELF_TRADES) if "stp" in params else "",
            expires_ms=caller.sent_ms + WINDOW_MS,
            words={
                "force": params.optional("timeInForce") or "GTC",
                "stp": params.optional("stp"),
                "unit": "UNIT" if market_type == "futures" else unit,
                "mode": mode,
            },
        )

    def _amounts(self, params: Params, listing: Listing, unit: str) -> tuple[Decimal | None, Decimal | None]:
        """Size as the exchange counts, or money."""
        params.text("size")
        size = params.number("size") or Decimal(0)
        if unit == "QUOTECCY":
            if size % FUNDS_STEP:
                raise refusal(OFF_FUNDS)
            return None, size
        return (size / listing.contract if unit == "BASECCY" else size), None

    def _reduces(self, params: Params, market_type: str) -> bool:
        reduces = params.flag("reduceOnly")
        if reduces and market_type == "spot":
            raise bad("reduceOnly is for futures")
        return reduces

    def _place_of(self, params: Params) -> tuple[str, str | None]:
        """Market type, and the symbol if one is named."""
        market_type = params.one_of("tradeType", MARKETS)
        symbol = params.optional("symbol")
        return market_type, None if symbol is None else listed(self._desk, market_type, symbol)

    def _find(self, caller: Caller, *, to_cancel: bool = False) -> Order:
        """By `orderId`, else by `clientOid`; the market may be left out."""
        params = caller.params
        id, client_id = params.optional("orderId"), params.optional("clientOid")
        if id is None and client_id is None:
            raise bad("orderId or clientOid is needed")
        named = "tradeType" in params
        kinds = [params.one_of("tradeType", MARKETS)] if named else list(MARKETS.values())
        symbol = params.optional("symbol")
        if symbol is not None and named:
            listed(self._desk, kinds[0], symbol)
        for market_type in kinds[:-1]:
            try:
                return self._desk.find(
                    caller.account, market_type, symbol=symbol, id=id, client_id=client_id, to_cancel=to_cancel
                )
            except Refused:
                continue  # it may be of the other market
        return self._desk.find(
            caller.account, kinds[-1], symbol=symbol, id=id, client_id=client_id, to_cancel=to_cancel
        )
