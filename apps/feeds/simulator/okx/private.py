"""OKX's private sockets: login, subscriptions of one account, and their pushes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from apps.feeds.simulator.okx.auth import logged_in
from apps.feeds.simulator.okx.events import BY_KIND, CHANNELS, KINDS, Subscription, Teller
from apps.feeds.simulator.okx.refusals import RefusalError
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.events import Event

if TYPE_CHECKING:
    from apps.feeds.simulator.okx.exchange import Okx

CONNECTIONS = 30  # of one account with one channel
REPEAT_S = 5.0  # between two pushes of the whole, unless the client wants none


@dataclass(slots=True)
class Session:
    """One socket that is logged in."""

    account: Account
    teller: Teller
    subscriptions: dict[str, Subscription] = field(default_factory=dict)  # by the argument they were asked for with
    repeated: float = 0.0  # when the whole was said last

    def translate(self, event: Event) -> list[dict[str, Any]]:
        return [message for row in self.subscriptions.values() for message in self.teller.tell(row, event)]


class Private:
    def __init__(self, exchange: "Okx") -> None:
        self._exchange = exchange
        self._desk = exchange.desk
        self._sessions: dict[Socket, Session] = {}

    def is_logged_in(self, socket: Socket) -> bool:
        return socket in self._sessions

    def login(self, socket: Socket, args: Any) -> None:
        """Raises RefusalError."""
        account = logged_in(self._desk, args)
        if socket not in self._sessions:
            self._sessions[socket] = Session(account, Teller(self._desk, account), repeated=self._exchange.now())

    def serves(self, socket: Socket, channel: str) -> bool:
        return channel in CHANNELS and socket.path.strip("/").endswith("private")

    def subscribe(self, socket: Socket, arg: dict[str, str]) -> list[dict[str, Any]]:
        """Take a channel on: what is said after its ack. Raises RefusalError."""
        session = self._sessions.get(socket)
        channel = arg["channel"]
        if session is None:
            raise RefusalError("60011", "Please log in")
        if channel in BY_KIND and arg.get("instType") not in KINDS:
            raise RefusalError("60018", f"channel:{channel},instType:{arg.get('instType', '')} doesn't exist")
        if arg.get("instId") and not self._is_listed(arg["instId"]):
            raise RefusalError("60018", f"channel:{channel},instId:{arg['instId']} doesn't exist")
        count = 1 + sum(self._has(row, session.account, channel) for s, row in self._sessions.items() if s != socket)
        told = {"channel": channel, "connCount": str(count)}
        if count > CONNECTIONS and self._exchange.world.breach(self._exchange.name, f"connections of {channel}"):
            return [{"event": "channel-conn-count-error", **told}]
        if not session.subscriptions:
            self._desk.listen(session.account, socket, session.translate)
        subscription = Subscription(arg, repeats=channel == "account" and _repeats(arg))
        session.subscriptions[_key(arg)] = subscription
        return [{"event": "channel-conn-count", **told}, *session.teller.snapshot(subscription)]

    def unsubscribe(self, socket: Socket, arg: dict[str, str]) -> None:
        session = self._sessions.get(socket)
        if session is None:
            return
        session.subscriptions.pop(_key(arg), None)
        if not session.subscriptions:
            self._desk.leave(socket)

    def watch(self, socket: Socket, now: float) -> None:
        """Say the balances again, to those who have not asked to be spared it."""
        session = self._sessions.get(socket)
        if session is None or now - session.repeated < REPEAT_S:
            return
        session.repeated = now
        for subscription in session.subscriptions.values():
            if subscription.repeats:
                for message in session.teller.snapshot(subscription):
                    socket.answer(message)

    def closed(self, socket: Socket) -> None:
        self._sessions.pop(socket, None)

    def _is_listed(self, symbol: str) -> bool:
        return any(name == symbol for _, name in self._exchange.listings)

    @staticmethod
    def _has(session: Session, account: Account, channel: str) -> bool:
        return session.account is account and any(row.channel == channel for row in session.subscriptions.values())


def _key(arg: dict[str, str]) -> str:
    return ":".join(arg.get(name, "") for name in ("channel", "instType", "instFamily", "instId", "ccy"))


def _repeats(arg: dict[str, str]) -> bool:
    try:
        more = msgspec.json.decode(arg.get("extraParams", "{}"), type=dict[str, Any])
    except msgspec.DecodeError:
        raise RefusalError("60012", f"Illegal request: {arg['extraParams']}") from None
    return str(more.get("updateInterval", "")) != "0"
