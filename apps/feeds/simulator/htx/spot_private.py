"""Spot's private socket, `/ws/v2`: plain text, one login for the socket, channels with their parameters in the name."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from apps.feeds.simulator.htx import spot_rows as rows
from apps.feeds.simulator.htx.auth import keyed, signature, timely
from apps.feeds.simulator.htx.refusals import SPOT, RefusalError
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.trading.accounts import Account, Execution
from apps.feeds.simulator.trading.events import AccountEvent, Event, OrderEvent

if TYPE_CHECKING:
    from apps.feeds.simulator.htx.exchange import Htx

SIGNED = ("accessKey", "signatureMethod", "signatureVersion", "timestamp")
BAD, NO_AUTH, TOO_MANY = 2001, 2002, 4000
MOST_SOCKETS = 10  # of one key
CHANGES = {"order": "order.place", "trade": "order.match", "transfer": "transfer"}
MODES = ("0", "1", "2")


class SocketError(Exception):
    """A command that is refused: code and text."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True, eq=False)
class Guest:
    """A socket: the addresses that its login may have signed, its account, what it hears."""

    addresses: list[tuple[str, str]]
    account: Account | None = None
    key: str = ""
    channels: list[str] = field(default_factory=list)
    seq: int = 0


class SpotPrivate:
    def __init__(self, exchange: "Htx") -> None:
        self._exchange = exchange
        self._desk = exchange.desk
        self._guests: dict[Socket, Guest] = {}

    def opened(self, socket: Socket, addresses: list[tuple[str, str]]) -> None:
        self._guests[socket] = Guest(addresses)

    def closed(self, socket: Socket) -> None:
        self._guests.pop(socket, None)

    def heard(self, socket: Socket, frame: dict[str, Any]) -> None:
        action, ch = frame.get("action"), frame.get("ch")
        told = {"action": action, "ch": ch}
        try:
            if (action, ch) == ("req", "auth"):
                self._login(self._guests[socket], frame.get("params"))
            elif action in ("sub", "unsub") and isinstance(ch, str):
                self._subscribe(socket, action, ch)
            else:
                raise SocketError(BAD, "invalid.action")
        except SocketError as error:
            socket.answer({**told, "code": error.code, "message": str(error)})
            return
        self._exchange.acknowledge(socket, {**told, "code": 200, "data": {}}, "spot")
        if action == "sub" and str(ch).startswith("accounts.update"):
            self._exchange.later(self._tell_state, socket, str(ch))

    def ping(self, socket: Socket, ms: int) -> None:
        socket.answer({"action": "ping", "data": {"ts": ms}})

    def pong(self, frame: dict[str, Any]) -> Any:
        """What a pong repeats; None when the frame is none."""
        data = frame.get("data")
        return data.get("ts") if frame.get("action") == "pong" and isinstance(data, dict) else None

    def _login(self, guest: Guest, params: Any) -> None:
        """Raises SocketError; `authType` is not signed."""
        if not isinstance(params, dict) or params.get("authType") != "api":
            raise SocketError(NO_AUTH, "auth.fail")
        values = {name: params.get(name) for name in SIGNED}
        try:
            account, key = keyed(self._desk, str(values["accessKey"]), SPOT)
            timely(self._desk, str(values["timestamp"]), SPOT)
        except RefusalError:
            raise SocketError(NO_AUTH, "auth.fail") from None
        right = {signature(key.secret, "GET", host, path, values) for host, path in guest.addresses}
        fits = (values["signatureMethod"], values["signatureVersion"]) == ("HmacSHA256", "2.1")
        if not fits or str(params.get("signature")) not in right or "read" not in key.permissions:
            raise SocketError(NO_AUTH, "auth.fail")
        others = [other for other in self._guests.values() if other is not guest and other.key == key.key]
        if len(others) >= MOST_SOCKETS and self._exchange.world.breach(self._exchange.name, "sockets of a key"):
            raise SocketError(TOO_MANY, "too.many.connection")
        guest.account, guest.key = account, key.key

    def _subscribe(self, socket: Socket, action: str, ch: str) -> None:
        guest = self._guests[socket]
        if guest.account is None:
            raise SocketError(NO_AUTH, "invalid.auth.state")
        if not self._is_known(ch):
            raise SocketError(BAD, "invalid.ch")
        if action == "unsub":
            guest.channels = [name for name in guest.channels if name != ch]
            return
        if not guest.channels:
            self._desk.listen(guest.account, socket, lambda event: self._told(guest, event))
        if ch not in guest.channels:
            guest.channels.append(ch)

    def _is_known(self, ch: str) -> bool:
        kind, _, rest = ch.partition("#")
        symbol, _, mode = rest.partition("#")
        if kind == "accounts.update":
            return rest in ("", *MODES)
        if kind not in ("orders", "trade.clearing") or (kind == "orders" and mode) or mode not in ("", "0", "1"):
            return False
        return symbol == "*" or ("spot", symbol) in self._exchange.listings

    def _tell_state(self, socket: Socket, ch: str) -> None:
        """The first messages of a channel of balances are what is there."""
        guest = self._guests.get(socket)
        if guest is None or guest.account is None:
            return
        for asset, holding in guest.account.wallets.get("spot", {}).items():
            event = AccountEvent("transfer", "spot", "spot", 0, {asset: holding})
            for message in self._balances(guest, ch, event):
                socket.answer({**message, "data": {**message["data"], "changeType": None, "changeTime": None}})

    def _told(self, guest: Guest, event: Event) -> list[dict[str, Any]]:
        """Orders are told ahead of their clearing."""
        if isinstance(event, AccountEvent):
            of_spot = event.market_type == "spot"
            return [
                message
                for ch in guest.channels
                if of_spot and ch.startswith("accounts.update")
                for message in self._balances(guest, ch, event)
            ]
        if event.order.listing.market_type != "spot":
            return []
        names = {"orders", "trade.clearing"}
        told = [
            (name, {"action": "push", "ch": ch, "data": data})
            for ch in guest.channels
            if (name := ch.partition("#")[0]) in names and ch.split("#")[1] in ("*", event.order.listing.symbol)
            for data in ([order_data(event)] if name == "orders" else clearing_data(event, ch))
        ]
        return [message for _, message in sorted(told, key=lambda row: row[0])]

    def _balances(self, guest: Guest, ch: str, event: AccountEvent) -> Iterable[dict[str, Any]]:
        """Mode 0 tells of balances only, mode 1 of what has changed alone, mode 2 of both together."""
        mode = ch.partition("#")[2] or "0"
        for asset, holding in event.holdings.items():
            both = {"balance": rows.plain(holding.total), "available": rows.plain(holding.free)}
            told = [both]
            if mode == "0":
                told = [{"balance": both["balance"]}] if event.reason != "order" else []
            elif mode == "1":
                told = [{name: value} for name, value in both.items() if event.reason != "order" or name != "balance"]
            for values in told:
                guest.seq += 1
                data = {
                    "currency": asset.lower(),
                    "accountId": rows.account_id(guest.account) if guest.account is not None else 0,
                    **values,
                    "changeType": CHANGES[event.reason],
                    "accountType": "trade",
                    "seqNum": guest.seq,
                    "changeTime": event.ms,
                }
                yield {"action": "push", "ch": ch, "data": data}


def order_data(event: OrderEvent) -> dict[str, Any]:
    order = event.order
    spends = order.ticket.quote_size is not None
    common = {
        "orderSource": "spot-api",
        "symbol": order.listing.symbol,
        "type": rows.kind(order),
        "orderId": int(order.id),
        "clientOrderId": order.client_id,
        "orderStatus": rows.state(order),
        "orderValue" if spends else "orderSize": rows.plain(rows.amount(order)),
    }
    if order.price:
        common["orderPrice"] = order.listing.price.text(order.price)
    if event.kind == "new":
        account = rows.account_id(order.account)
        return {**common, "eventType": "creation", "accountId": account, "orderCreateTime": order.created_ms}
    done = order.value if spends else order.filled * order.listing.size.step
    common |= {"execAmt": rows.plain(done), "remainAmt": rows.plain(rows.amount(order) - done)}
    if event.execution is None:
        return {**common, "eventType": "cancellation", "lastActTime": event.ms}
    return {**common, "eventType": "trade", **_trade(event.execution)}


def clearing_data(event: OrderEvent, ch: str) -> list[dict[str, Any]]:
    """Trades; with mode 1 cancels too."""
    order, execution = event.order, event.execution
    common = {
        "symbol": order.listing.symbol,
        "orderId": order.id,
        "clientOrderId": order.client_id,
        "orderSide": order.side,
        "orderType": rows.kind(order),
        "accountId": rows.account_id(order.account),
        "source": "spot-api",
        "orderValue" if order.ticket.quote_size is not None else "orderSize": rows.plain(rows.amount(order)),
        "orderCreateTime": order.created_ms,
        "orderStatus": rows.state(order),
    }
    if order.price:
        common["orderPrice"] = order.listing.price.text(order.price)
    if execution is not None:
        fee = {
            "feeCurrency": execution.fee_asset.lower(),
            "transactFee": rows.plain(execution.fee),
            "feeDeduct": "0",
            "feeDeductType": "",
        }
        return [{"eventType": "trade", **common, **_trade(execution), **fee}]
    if event.kind != "cancelled" or not ch.endswith("#1"):
        return []
    left = Decimal(order.left) * order.listing.size.step
    return [{"eventType": "cancellation", **common, "remainAmt": rows.plain(left)}]


def _trade(row: Execution) -> dict[str, Any]:
    listing = row.order.listing
    return {
        "tradePrice": listing.price.text(row.price),
        "tradeVolume": listing.size.text(row.size),
        "tradeId": row.number,
        "tradeTime": row.ms,
        "aggressor": not row.is_maker,
    }
