"""CoinEx's private channels: on the sockets of the public ones, once these are signed."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from apps.feeds.simulator.coinex import rows
from apps.feeds.simulator.coinex.auth import signature
from apps.feeds.simulator.coinex.streams import push
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.events import AccountEvent, Event, OrderEvent

if TYPE_CHECKING:
    from apps.feeds.simulator.coinex.exchange import Coinex

CHANNELS = {
    "spot": ("order", "stop", "user_deals", "balance"),
    "futures": ("order", "stop", "user_deals", "balance", "position"),
}
LISTS = {"balance": "ccy_list"}  # any other channel names markets
ALL = "*"  # kept where an empty list was sent


class NotSignedError(Exception):
    """A private channel is asked for on a socket without an account."""


class BadListError(Exception):
    """What is asked for cannot be had."""


class Private:
    def __init__(self, exchange: "Coinex") -> None:
        self._exchange = exchange
        self._desk = exchange.desk
        self._signed: dict[Socket, Account] = {}
        self._wanted: dict[Socket, dict[str, set[str]]] = {}  # what each channel shall tell of

    def has(self, market_type: str, channel: str) -> bool:
        return channel in CHANNELS[market_type]

    def sign(self, socket: Socket, params: dict[str, Any]) -> bool:
        """Whether the socket is an account's now."""
        found, ms = self._desk.by_key(str(params.get("access_id"))), params.get("timestamp")
        if found is None or type(ms) is not int:
            return False
        account, key = found
        right = params.get("signed_str") == signature(key.secret, str(ms).encode())
        if not right or not key.ip_allowed or "read" not in key.permissions:
            return False
        self._signed[socket] = account
        return True

    def command(self, socket: Socket, channel: str, verb: str, params: dict[str, Any]) -> None:
        """Raises NotSignedError or BadListError."""
        account = self._signed.get(socket)
        if account is None:
            raise NotSignedError
        names = params.get(LISTS.get(channel, "market_list"))
        if not isinstance(names, list) or not all(self._is_known(socket, channel, name) for name in names):
            raise BadListError
        if socket not in self._wanted:
            self._wanted[socket] = {}
            self._desk.listen(account, socket, lambda event: self._told(socket, account, event))
        wanted = self._wanted[socket].setdefault(channel, set())
        if verb == "subscribe":
            wanted.update(names or {ALL})
        else:
            wanted.difference_update(names or list(wanted))

    def closed(self, socket: Socket) -> None:
        self._signed.pop(socket, None)
        self._wanted.pop(socket, None)

    def _is_known(self, socket: Socket, channel: str, name: Any) -> bool:
        if not isinstance(name, str):
            return False
        return bool(name) if channel == "balance" else (socket.market_type, name) in self._exchange.listings

    def _wants(self, socket: Socket, channel: str, name: str) -> bool:
        return not {name, ALL}.isdisjoint(self._wanted.get(socket, {}).get(channel, ()))

    def _told(self, socket: Socket, account: Account, event: Event) -> list[dict[str, Any]]:
        """An event as the channels of this socket tell it; each socket is of one market type."""
        if isinstance(event, AccountEvent):
            return self._money(socket, account, event) if event.market_type == socket.market_type else []
        listing = event.order.listing
        if listing.market_type != socket.market_type:
            return []
        told = []
        if self._wants(socket, "order", listing.symbol):
            told.append(
                push("order.update", {"event": _kind(event), "order": rows.pushed(event.order, event.execution)})
            )
        if event.execution is not None and self._wants(socket, "user_deals", listing.symbol):
            told.append(push("user_deals.update", rows.pushed_deal(account, event.execution)))
        return told

    def _money(self, socket: Socket, account: Account, event: AccountEvent) -> list[dict[str, Any]]:
        """Of balances only those that have changed are told."""
        told = []
        balances = [
            self._balance(account, event, asset) for asset in event.holdings if self._wants(socket, "balance", asset)
        ]
        if balances:
            told.append(push("balance.update", {"balance_list": balances}))
        for row in event.positions:
            if self._wants(socket, "position", row.listing.symbol):
                position = rows.pushed_position(self._desk, account, row)
                told.append(push("position.update", {"event": "update" if row.size else "close", "position": position}))
        return told

    def _balance(self, account: Account, event: AccountEvent, asset: str) -> dict[str, Any]:
        holding = event.holdings[asset]
        if event.market_type == "futures":
            row = rows.futures_balance(self._desk, account, asset, holding)
            return {**row, "equity": rows.plain(holding.total + Decimal(row["unrealized_pnl"]))}
        return {
            "margin_market": "",
            "ccy": asset,
            "available": rows.plain(holding.free),
            "frozen": rows.plain(holding.locked),
            "updated_at": event.ms,
        }


def _kind(event: OrderEvent) -> str:
    if event.kind == "new":
        return "put"
    return "update" if event.order.is_open else "finish"
