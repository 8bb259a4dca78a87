"""Binance's private streams: spot by a signed subscription on the WebSocket API, futures by listen keys."""

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.binance import events
from apps.feeds.simulator.binance.auth import Caller, keyed, signed_params, timely
from apps.feeds.simulator.binance.params import missing
from apps.feeds.simulator.binance.refusals import BAD_SIGNATURE, NO_LISTEN_KEY, RefusalError, refusal
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.events import Event

if TYPE_CHECKING:
    from apps.feeds.simulator.binance.exchange import Binance

KEY_LENGTH = 64
UNKNOWN_METHOD = (-1020, "Unknown method.")
ALREADY_SUBSCRIBED = (-2035, "User Data Stream subscription already active.")


@dataclass(slots=True)
class ListenKey:
    text: str
    account: Account
    until: float  # of the exchange's steady clock


class Private:
    def __init__(self, exchange: "Binance") -> None:
        self._exchange = exchange
        self._desk = exchange.desk
        self._keys: dict[str, ListenKey] = {}  # by the account's name
        self._listening: dict[Socket, ListenKey] = {}  # futures sockets
        self._subscribed: dict[Socket, dict[int, Account]] = {}  # spot sockets

    # listen keys of futures

    def make_key(self, caller: Caller) -> dict[str, Any]:
        """Asked for again, the same key lives on."""
        key = self._live(caller.account)
        if key is None:
            text = "".join(self._exchange.rng.choices(string.ascii_letters + string.digits, k=KEY_LENGTH))
            key = self._keys[caller.account.name] = ListenKey(text, caller.account, 0.0)
        key.until = self._exchange.now() + self._exchange.world.patience.binance_listen_key_s
        return {"listenKey": key.text}

    def renew_key(self, caller: Caller) -> dict[str, Any]:
        if self._live(caller.account) is None:
            raise refusal(NO_LISTEN_KEY)
        return self.make_key(caller)

    def end_key(self, caller: Caller) -> dict[str, Any]:
        if (key := self._live(caller.account)) is None:
            raise refusal(NO_LISTEN_KEY)
        key.until = 0.0
        return {}

    def opened(self, socket: Socket, request: web.Request) -> None:
        """A futures socket with its key in the query; an unknown key is not told, there is just silence."""
        wanted = {name for name in request.query.get("events", "").split("/") if name}
        key = next((k for k in self._keys.values() if k.text == request.query.get("listenKey")), None)
        if key is None or key.until <= self._exchange.now():
            return
        self._listening[socket] = key

        def translate(event: Event) -> list[dict[str, Any]]:
            told = [message for message in events.futures(event) if not wanted or message["e"] in wanted]
            return [{"stream": key.text, "data": message} for message in told] if socket.combined else told

        self._desk.listen(key.account, socket, translate)

    def watch(self, socket: Socket, now: float) -> None:
        """A socket whose key has expired is told so, and hears no more."""
        key = self._listening.get(socket)
        if key is not None and key.until <= now:
            del self._listening[socket]
            self._desk.leave(socket)
            notice = {"e": "listenKeyExpired", "E": self._desk.now_ms(), "listenKey": key.text}
            socket.answer({"stream": key.text, "data": notice} if socket.combined else notice)

    def closed(self, socket: Socket) -> None:
        self._listening.pop(socket, None)
        self._subscribed.pop(socket, None)

    def _live(self, account: Account) -> ListenKey | None:
        key = self._keys.get(account.name)
        return key if key is not None and key.until > self._exchange.now() else None

    # the WebSocket API of spot

    def asked(self, socket: Socket, frame: Any) -> None:
        """A request of a socket of the WebSocket API."""
        number = frame.get("id") if isinstance(frame, dict) else None
        try:
            socket.answer({"id": number, "status": 200, "result": self._answer(socket, frame)})
        except RefusalError as error:
            socket.answer({"id": number, "status": error.status, "error": error.body})

    def _answer(self, socket: Socket, frame: Any) -> dict[str, Any]:
        params = frame.get("params", {}) if isinstance(frame, dict) else None
        if not isinstance(params, dict):
            raise RefusalError(-1135, "Invalid JSON Request")
        method = frame.get("method")
        if method == "userDataStream.subscribe.signature":
            return self._subscribe(socket, {name: str(value) for name, value in params.items()})
        if method == "userDataStream.unsubscribe":
            self._subscribed.pop(socket, None)
            self._desk.leave(socket)
            return {}
        if method == "time":
            return {"serverTime": self._desk.now_ms()}
        if method == "ping":
            return {}
        raise refusal(UNKNOWN_METHOD)

    def _subscribe(self, socket: Socket, values: dict[str, str]) -> dict[str, Any]:
        account, key = keyed(self._desk, values.get("apiKey", ""), "read")
        timely(self._desk, values)
        if "signature" not in values:
            raise missing("signature")
        if signed_params(key.secret, values) != values["signature"]:
            raise refusal(BAD_SIGNATURE)
        subscriptions = self._subscribed.setdefault(socket, {})
        if account in subscriptions.values():
            raise refusal(ALREADY_SUBSCRIBED)
        number = len(subscriptions)
        subscriptions[number] = account
        self._desk.listen(
            account,
            socket,
            lambda event: [{"subscriptionId": number, "event": message} for message in events.spot(event)],
        )
        return {"subscriptionId": number}
