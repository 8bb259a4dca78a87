"""MEXC's private channels of contracts: after a login, on the same socket as the public ones."""

from dataclasses import dataclass, field
from typing import Any

from apps.feeds.simulator.mexc import futures_rows as rows
from apps.feeds.simulator.mexc.auth import login
from apps.feeds.simulator.mexc.refusals import RefusalError
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.events import AccountEvent, Event, OrderEvent

CHANNELS = frozenset({"order", "order.deal", "position", "asset"})


@dataclass(slots=True)
class Listener:
    """`rules`: the symbols of each channel that is wanted; None for all of them."""

    account: Account
    wanted: dict[str, frozenset[str] | None] = field(default_factory=dict)

    def translate(self, event: Event) -> list[dict[str, Any]]:
        told = self._order(event) if isinstance(event, OrderEvent) else self._money(event)
        return [
            {"channel": f"push.personal.{channel}", "data": data, "ts": event.ms}
            for channel, data in told
            if self._wants(channel, data.get("symbol"))
        ]

    def _wants(self, channel: str, symbol: str | None) -> bool:
        if channel not in self.wanted:
            return False
        symbols = self.wanted[channel]
        return symbols is None or symbol is None or symbol in symbols

    def _order(self, event: OrderEvent) -> list[tuple[str, dict[str, Any]]]:
        if event.order.listing.market_type != "futures":
            return []
        deals = [] if event.execution is None else [("order.deal", rows.deal(event.execution, taker="isTaker"))]
        return [("order", rows.order_push(event.order)), *deals]

    def _money(self, event: AccountEvent) -> list[tuple[str, dict[str, Any]]]:
        if event.market_type != "futures":
            return []
        positions = [("position", rows.position(self.account, row)) for row in event.positions]
        assets = [("asset", rows.asset(name, row, event.margins[name])) for name, row in event.holdings.items()]
        return [*positions, *assets]


class FuturesPrivate:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._listeners: dict[Socket, Listener] = {}

    def asked(self, socket: Socket, frame: dict[str, Any]) -> bool:
        """Answer a login or a filter; False when the frame is neither."""
        method, param = frame.get("method"), frame.get("param")
        if method == "login":
            self._login(socket, frame, param)
        elif method == "personal.filter":
            self._filter(socket, param)
        else:
            return False
        return True

    def closed(self, socket: Socket) -> None:
        self._listeners.pop(socket, None)

    def _login(self, socket: Socket, frame: dict[str, Any], param: Any) -> None:
        try:
            account = login(self._desk, param)
        except RefusalError as error:
            self._say(socket, "rs.error", error.body["message"])
            return
        listener = self._listeners[socket] = Listener(account)
        if frame.get("subscribe") is not False:
            listener.wanted = dict.fromkeys(CHANNELS)
        self._desk.listen(account, socket, listener.translate)
        self._say(socket, "rs.login", "success")

    def _filter(self, socket: Socket, param: Any) -> None:
        """Each filter takes the place of the one before; an empty one wants everything."""
        listener = self._listeners.get(socket)
        filters = param.get("filters") if isinstance(param, dict) else None
        if listener is None or not isinstance(filters, list) or not all(map(_is_filter, filters)):
            self._say(socket, "rs.error", "not logged in" if listener is None else "the filters make no sense")
            return
        rules = {row["filter"]: frozenset(row["rules"]) if row.get("rules") else None for row in filters}
        listener.wanted = rules or dict.fromkeys(CHANNELS)
        self._say(socket, "rs.personal.filter", "success")

    def _say(self, socket: Socket, channel: str, data: str) -> None:
        """Here the time is text."""
        socket.answer({"channel": channel, "data": data, "ts": str(self._desk.now_ms())})


def _is_filter(row: Any) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("filter"), str) or row["filter"] not in CHANNELS:
        return False
    rules = row.get("rules", [])
    return isinstance(rules, list) and all(isinstance(symbol, str) for symbol in rules)
