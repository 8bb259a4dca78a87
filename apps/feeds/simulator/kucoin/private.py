"""The unified private push, opened by a token or by a greeting; and the tokens for private sockets."""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.feeds.simulator.exchange import unix_s
from apps.feeds.simulator.kucoin import tokens as tickets
from apps.feeds.simulator.kucoin.auth import UNIFIED, VERIFY, Caller, hashed, judged
from apps.feeds.simulator.kucoin.refusals import BAD_SIGN, NOT_UNIFIED, RefusalError, refusal
from apps.feeds.simulator.kucoin.tokens import Tokens, bullet
from apps.feeds.simulator.kucoin.unified_events import UnifiedEvents
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.sockets import Socket, binary_frame
from apps.feeds.simulator.trading.accounts import Account

if TYPE_CHECKING:
    from apps.feeds.simulator.kucoin.exchange import Kucoin

HOST = "wsapi-push.kucoin.com"
CONNECTS = (250, 300.0)  # per address and 5 minutes
MESSAGES = (100, 10.0)  # of one connection
GREETING = ("kc-api-key", "kc-api-sign", "kc-api-timestamp", "kc-api-passphrase")
# Trade types or account types that a channel may be asked for, and whether it is of one symbol.
CHANNELS: dict[str, tuple[tuple[str, ...], bool]] = {
    "orderAll": (("UNIFIED",), False),
    "order": (("UNIFIED",), True),
    "execution": (("UNIFIED",), False),
    "execution.lite": (("SPOT", "ISOLATED", "CROSS", "FUTURES", "UNIFIED"), False),
    "positionAll": (("UNIFIED",), False),
    "position": (("UNIFIED",), True),
    "leverage": (("UNIFIED",), False),
    "lw": (("UNIFIED",), False),
    "balance": (("UNIFIED", "FUNDING", "ISOLATED"), False),
}


class Bullets:
    def __init__(self, exchange: "Kucoin", tokens: Tokens, sockets: dict[str, str]) -> None:
        """`sockets`: host of the classic socket by market type."""
        self._exchange = exchange
        self._tokens = tokens
        self._sockets = sockets

    def public(self, market_type: str, server: str) -> dict[str, Any]:
        token = self._tokens.issue(market_type, self._exchange.now())
        return bullet(token, server, self._sockets[market_type])

    def classic(self, caller: Caller) -> dict[str, Any]:
        token = self._tokens.issue(caller.market_type, self._exchange.now(), caller.account)
        return bullet(token, caller.server, self._sockets[caller.market_type])

    def unified(self, caller: Caller) -> dict[str, Any]:
        token = self._tokens.issue(tickets.UNIFIED, self._exchange.now(), caller.account)
        return bullet(token, caller.server, HOST)


@dataclass(slots=True)
class Talk:
    """What is known of one client."""

    messages: Sliding
    heard: float
    until: float | None = None  # the token's end
    account: Account | None = None


class UnifiedPrivate:
    name = "unified private"

    def __init__(self, exchange: "Kucoin", tokens: Tokens) -> None:
        self.connects = Sliding(*CONNECTS)
        self._exchange = exchange
        self._world = exchange.world
        self._desk = exchange.desk
        self._tokens = tokens
        self._talks: dict[Socket, Talk] = {}

    def opened(self, socket: Socket, query: dict[str, str]) -> None:
        """Without a token the client has to greet; a token that is not good ends it."""
        now = self._exchange.now()
        talk = self._talks[socket] = Talk(Sliding(*MESSAGES), now)
        socket.frame = binary_frame
        if "token" in query:
            token = self._tokens.find(query["token"], tickets.UNIFIED, now)
            if token is None:
                self._refuse(socket, None, "token is expired")
                socket.close(1008, "token is expired")
                return
            talk.until, talk.account = token.until, token.account
        session = str(uuid.uuid5(uuid.NAMESPACE_OID, socket.id))
        socket.answer({"sessionId": session, "message": "welcome", "pingInterval": tickets.PING_MS})

    def closed(self, socket: Socket) -> None:
        self._talks.pop(socket, None)

    def heard(self, socket: Socket, frame: dict[str, Any]) -> None:
        talk, number = self._talks[socket], frame.get("id")
        talk.heard = self._exchange.now()
        action = str(frame.get("action", "")).upper()
        if not talk.messages.add(talk.heard) and self._world.breach(self._exchange.name, "messages unified private"):
            self._refuse(socket, number, "exceed max permits per 10 seconds")
            socket.close(1008, "exceed max permits per 10 seconds")
        elif frame.get("type") == "ping" or frame.get("op") == "ping":
            socket.answer({"type": "pong", "id": number, "ts": int(unix_s() * 1000) * 1_000_000})
        elif frame.get("op") == "auth":
            self._greet(socket, talk, frame)
        elif action == "SUBSCRIBE":
            self._subscribe(socket, talk, frame)
        elif action == "UNSUBSCRIBE":
            socket.names.difference_update(_names(frame))
            socket.answer({"id": number, "result": True})
        else:
            self._refuse(socket, number, "invalid request data")

    def _greet(self, socket: Socket, talk: Talk, frame: dict[str, Any]) -> None:
        key, sign, stamp, passphrase = (str(frame.get(name, "")) for name in GREETING)
        try:
            account, found = judged(self._desk, key, stamp=stamp, passphrase=passphrase, version="2")
            if sign != hashed(found.secret, stamp + VERIFY):
                raise refusal(BAD_SIGN)
        except RefusalError as error:
            self._refuse(socket, frame.get("id"), str(error))
            return
        talk.account = account
        socket.answer({"id": frame.get("id"), "result": True})

    def _subscribe(self, socket: Socket, talk: Talk, frame: dict[str, Any]) -> None:
        """No channel tells how things stand; it tells what happens from now on."""
        number = frame.get("id")
        fault = _fault(frame)
        if talk.account is None:
            fault = "not authenticated"
        elif talk.account.kind != UNIFIED:
            fault = NOT_UNIFIED[1]
        if fault or talk.account is None:
            self._refuse(socket, number, fault)
            return
        first = not socket.names
        socket.names.update(_names(frame))
        self._exchange.acknowledge(socket, {"id": number, "result": True}, socket.market_type)
        if first:
            self._desk.listen(talk.account, socket, UnifiedEvents(self._desk, talk.account, socket.names))

    def _refuse(self, socket: Socket, number: Any, reason: str) -> None:
        socket.answer({"id": number, "result": False, "reason": reason})

    def watch(self, socket: Socket, now: float) -> None:
        talk = self._talks[socket]
        if talk.until is not None and now > talk.until:
            socket.close(1001, "token is expired")
        elif now - talk.heard > self._world.patience.kucoin_idle_s:
            self._world.breaches.add(self._exchange.name, "no ping")
            socket.close(1001, "ping timeout")


def _fault(frame: dict[str, Any]) -> str:
    """What is wrong with a subscription; empty when nothing is."""
    channel = frame.get("channel")
    if channel not in CHANNELS:
        topic = str(channel).capitalize()
        return f'topic {topic} type = "private" not allowed in current environment'
    kinds, is_of_symbol = CHANNELS[channel]
    if (channel == "balance") == ("tradeType" in frame) or _kind(frame) not in kinds:
        return "invalid request data"
    if is_of_symbol and not _symbols(frame):
        return f"missing `symbol` for topic: {channel.capitalize()}"
    return ""


def _kind(frame: dict[str, Any]) -> str:
    return str(frame.get("accountType" if frame.get("channel") == "balance" else "tradeType", "")).upper()


def _symbols(frame: dict[str, Any]) -> list[str]:
    symbols = frame.get("symbols", [frame["symbol"]] if "symbol" in frame else [])
    return [symbol for symbol in symbols if isinstance(symbol, str)] if isinstance(symbols, list) else []


def _names(frame: dict[str, Any]) -> set[str]:
    """The channel for each symbol, or as a whole."""
    channel = str(frame.get("channel", ""))
    is_of_symbol = channel in CHANNELS and CHANNELS[channel][1]
    return {f"{channel}:{_kind(frame)}:{symbol}" for symbol in (_symbols(frame) if is_of_symbol else [""])}
