"""Hyperliquid's channels of one user: no login, any address; who has none hears nothing."""

from dataclasses import dataclass, field
from typing import Any

from apps.feeds.simulator.hyperliquid import rows
from apps.feeds.simulator.hyperliquid.account import Accounts
from apps.feeds.simulator.hyperliquid.wallets import ADDRESS, Wallets
from apps.feeds.simulator.sockets import Socket, encode
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.events import Event, OrderEvent

TYPES = ("orderUpdates", "userFills", "userEvents", "spotState", "clearinghouseState")
STATES = ("spotState", "clearinghouseState")
MOST_USERS = 10  # of one address's sockets
ECHOED = {"userFills": {"aggregateByTime": False}}


@dataclass(slots=True)
class Listener:
    """One user on one socket."""

    user: str
    account: Account
    accounts: Accounts
    types: set[str] = field(default_factory=set)

    def translate(self, event: Event) -> list[dict[str, Any]]:
        told = self._order(event) if isinstance(event, OrderEvent) else self._money(event.reason)
        return [{"channel": channel, "data": data} for kind, channel, data in told if kind in self.types]

    def _order(self, event: OrderEvent) -> list[tuple[str, str, Any]]:
        if event.kind == "new" and rows.status(self.account.orders[event.order.id]) in rows.REJECTED.values():
            return []  # it was never open
        update = ("orderUpdates", "orderUpdates", [rows.update(event.order, rows.basic(event.order))])
        if event.execution is None:
            return [update]
        fills = [rows.fill(event.execution)]
        return [
            ("userFills", "userFills", {"user": self.user, "fills": fills}),
            ("userEvents", "user", {"fills": fills}),
            update,
        ]

    def _money(self, reason: str) -> list[tuple[str, str, Any]]:
        told: list[tuple[str, str, Any]] = [(kind, kind, self.state(kind)) for kind in STATES if kind in self.types]
        if reason != "funding" or not self.account.funding:
            return told
        last = self.account.funding[-1]
        paid = rows.funding(last, self.account.position(last.listing, "net").size)
        delta = {name: value for name, value in paid["delta"].items() if name != "type"}
        return [*told, ("userEvents", "user", {"funding": {"time": paid["time"], **delta}})]

    def state(self, kind: str) -> Any:
        """What a new subscription is told first; None when there is nothing."""
        if kind == "userFills":
            return {"isSnapshot": True, "user": self.user, "fills": self.accounts.fills(self.account)[::-1]}
        if kind == "spotState":
            return {"user": self.user, "spotState": self.accounts.spot(self.account)}
        if kind == "clearinghouseState":
            return {"dex": "", "user": self.user, "clearinghouseState": self.accounts.perpetuals(self.account)}
        return None


class Private:
    def __init__(self, desk: Desk, accounts: Accounts, wallets: Wallets) -> None:
        self._desk = desk
        self._accounts = accounts
        self._wallets = wallets
        self._listeners: dict[Socket, dict[str, Listener]] = {}
        self._strangers: dict[Socket, set[tuple[str, str]]] = {}  # users without an account, and what is asked of them

    def asked(self, socket: Socket, method: str, subscription: dict[str, Any]) -> str | None:
        """Carry out a subscription or its end: no key is asked for. Returns what is wrong with it.

        Addresses come back in small letters.
        """
        kind, user = subscription["type"], subscription["user"].lower()
        echo = {"type": kind, "user": user, **ECHOED.get(kind, {})}
        if self._holds(socket, kind, user) == (method == "subscribe"):
            return f"Already {method}d: {encode(echo).decode()}"
        socket.answer({"channel": "subscriptionResponse", "data": {"method": method, "subscription": echo}})
        if method == "unsubscribe":
            self._unsubscribe(socket, kind, user)
        elif (first := self._subscribe(socket, kind, user)) is not None:
            socket.answer({"channel": kind, "data": first})
        return None

    def _holds(self, socket: Socket, kind: str, user: str) -> bool:
        """Whether the socket has the subscription."""
        listener = self._listeners.get(socket, {}).get(user)
        known = listener is not None and kind in listener.types
        return known or (kind, user) in self._strangers.get(socket, set())

    def full(self, user: str) -> bool:
        """Whether the user would be one too many."""
        users = {user for listeners in self._listeners.values() for user in listeners}
        users |= {user for pairs in self._strangers.values() for _, user in pairs}
        return user not in users and len(users) >= MOST_USERS

    def _subscribe(self, socket: Socket, kind: str, user: str) -> Any:
        """Returns what is to be told first, if anything."""
        account = self._wallets.account(user)
        if account is None:
            self._strangers.setdefault(socket, set()).add((kind, user))
            return {"isSnapshot": True, "user": user, "fills": []} if kind == "userFills" else None
        listeners = self._listeners.setdefault(socket, {})
        if user not in listeners:
            listeners[user] = Listener(user, account, self._accounts)
            self._desk.listen(account, socket, listeners[user].translate)
        listeners[user].types.add(kind)
        return listeners[user].state(kind)

    def _unsubscribe(self, socket: Socket, kind: str, user: str) -> None:
        self._strangers.get(socket, set()).discard((kind, user))
        listener = self._listeners.get(socket, {}).get(user)
        if listener is not None:
            listener.types.discard(kind)

    def closed(self, socket: Socket) -> None:
        self._listeners.pop(socket, None)
        self._strangers.pop(socket, None)


def is_of_user(wanted: Any) -> bool:
    """Whether a subscription is one to a channel of a user."""
    if not isinstance(wanted, dict) or wanted.get("type") not in TYPES:
        return False
    return isinstance(wanted.get("user"), str) and ADDRESS.fullmatch(wanted["user"]) is not None
