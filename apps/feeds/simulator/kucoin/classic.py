"""The classic sockets: a token to come in, topics of up to 100 symbols, text frames."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apps.feeds.simulator.exchange import unix_s
from apps.feeds.simulator.kucoin.auth import UNIFIED
from apps.feeds.simulator.kucoin.classic_events import ClassicEvents, is_private
from apps.feeds.simulator.kucoin.tokens import Tokens
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.streams import Stream
from apps.feeds.simulator.trading.accounts import Account

if TYPE_CHECKING:
    from apps.feeds.simulator.kucoin.exchange import Kucoin

CONNECTS = (30, 60.0)  # per address and minute
MESSAGES = (100, 10.0)  # of one connection: subscribe, unsubscribe and ping together
SYMBOLS_PER_TOPIC = 100
TOPICS = {"spot": 400, "futures": None}  # of one connection; each symbol is one
TYPES = ("ping", "subscribe", "unsubscribe")


class RefusalError(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Talk:
    """What is known of one client."""

    messages: Sliding
    heard: float
    until: float  # the token's end
    account: Account | None  # whose the token is
    topics: set[str] = field(default_factory=set)  # private ones


class Classic:
    name = "classic"

    def __init__(self, exchange: "Kucoin", tokens: Tokens) -> None:
        self.connects = Sliding(*CONNECTS)
        self._exchange = exchange
        self._world = exchange.world
        self._tokens = tokens
        self._talks: dict[Socket, Talk] = {}

    def opened(self, socket: Socket, query: dict[str, str]) -> None:
        now = self._exchange.now()
        token = self._tokens.find(query.get("token", ""), socket.market_type, now)
        if token is None:
            self._error(socket, None, 401, "token is expired")
            socket.close(1008, "token is expired")
            return
        if token.used:
            self._world.breaches.add(self._exchange.name, "token used again")
        token.used = True
        self._talks[socket] = Talk(Sliding(*MESSAGES), now, token.until, token.account)
        socket.answer({"id": query.get("connectId", socket.id), "type": "welcome"})

    def closed(self, socket: Socket) -> None:
        self._talks.pop(socket, None)

    def heard(self, socket: Socket, frame: dict[str, Any]) -> None:
        talk = self._talks[socket]
        talk.heard = self._exchange.now()
        number, kind = str(frame.get("id", "")), frame.get("type")
        if not talk.messages.add(talk.heard) and self._world.breach(self._exchange.name, "messages classic"):
            self._error(socket, None, 509, "exceed max permits per 10 seconds")
            socket.close(1008, "exceed max permits per 10 seconds")
        elif kind == "ping":
            stamp = {"timestamp": int(unix_s() * 1e6)} if socket.market_type == "futures" else {}
            socket.answer({"id": number, "type": "pong", **stamp})
        elif kind in TYPES and is_private(socket.market_type, str(frame.get("topic", ""))):
            self._private_command(socket, talk, frame, number)
        elif kind in TYPES:
            self._command(socket, kind, frame, number)
        else:
            self._error(socket, number, 415, "type is not supported")

    def _command(self, socket: Socket, kind: str, frame: dict[str, Any], number: str) -> None:
        """A topic is taken as a whole or not at all. Without `response` nothing is acknowledged."""
        topic, _, text = str(frame.get("topic", "")).partition(":")
        symbols = text.split(",")
        names = [f"{topic}:{symbol}" for symbol in symbols]
        wanted: list[Stream] = []
        if kind == "subscribe":
            try:
                wanted = self._judged(socket, topic, symbols)
            except RefusalError as refusal:
                self._error(socket, number, refusal.code, str(refusal))
                return
            socket.names.update(names)
        if frame.get("response") is True:
            self._exchange.acknowledge(socket, {"id": number, "type": "ack"}, socket.market_type, symbols)
        for stream in wanted:
            self._world.engine.join(socket, stream)
        if kind == "unsubscribe":
            for name in names:
                socket.names.discard(name)
                self._world.engine.leave(socket, name)

    def _private_command(self, socket: Socket, talk: Talk, frame: dict[str, Any], number: str) -> None:
        """A topic of the token's account; to a unified account it has nothing to tell."""
        topic, account = str(frame["topic"]), talk.account
        if account is None or frame.get("privateChannel") is not True:
            self._error(socket, number, 404, "topic does not exist")
            return
        first = not talk.topics
        if frame["type"] == "subscribe":
            talk.topics.add(topic)
        else:
            talk.topics.discard(topic)
        if frame.get("response") is True:
            self._exchange.acknowledge(socket, {"id": number, "type": "ack"}, socket.market_type)
        if first and talk.topics and account.kind != UNIFIED:
            events = ClassicEvents(self._exchange.desk, account, socket.market_type, talk.topics)
            self._exchange.desk.listen(account, socket, events)

    def _judged(self, socket: Socket, topic: str, symbols: list[str]) -> list[Stream]:
        name, most = self._exchange.name, TOPICS[socket.market_type]
        if len(symbols) > SYMBOLS_PER_TOPIC and self._world.breach(name, "symbols per topic"):
            raise RefusalError(400, "exceed max symbols per topic")
        held = len(socket.names.union(f"{topic}:{symbol}" for symbol in symbols))
        if most is not None and held > most and self._world.breach(name, "topics classic"):
            raise RefusalError(400, "exceed max topics per connection")
        wanted = []
        for symbol in symbols:
            stream = self._exchange.stream(socket.market_type, f"{topic}:{symbol}") if topic.startswith("/") else None
            if stream is None or self._exchange.refuses(socket.market_type, symbol):
                raise RefusalError(404, "topic does not exist")
            wanted.append(stream)
        return wanted

    def _error(self, socket: Socket, number: str | None, code: int, text: str) -> None:
        error = {"type": "error", "code": code, "data": text}
        socket.answer(error if number is None else {"id": number, **error})

    def watch(self, socket: Socket, now: float) -> None:
        """A client that says nothing is cut, however much it is told."""
        talk = self._talks.get(socket)
        if talk is None:
            return
        if now > talk.until:
            socket.close(1001, "token is expired")
        elif now - talk.heard > self._world.patience.kucoin_idle_s:
            self._world.breaches.add(self._exchange.name, "no ping")
            self._error(socket, None, 400, "ping timeout")
            socket.close(1001, "ping timeout")
