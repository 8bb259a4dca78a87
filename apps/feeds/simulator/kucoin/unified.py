"""The unified push: no token, one symbol in a frame, JSON in binary frames; an unknown symbol is acknowledged too."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.feeds.simulator.exchange import unix_s
from apps.feeds.simulator.kucoin.streams import TRADE_TYPES, Increment, Unstarted
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.recorded import Repeater
from apps.feeds.simulator.sockets import Socket, binary_frame
from apps.feeds.simulator.streams import Stream

if TYPE_CHECKING:
    from apps.feeds.simulator.kucoin.exchange import Kucoin

CONNECTS = (250, 300.0)  # per address and 5 minutes
MESSAGES = (300, 10.0)  # of one connection
TOPICS = 600  # of one connection
PING_INTERVAL_MS = 18000
SHORTEST_PING_S = 1.0
CHANNELS = ("obu", "trade")
DEPTHS = ("increment@10ms", "increment", "50", "5", "1")
ENVIRONMENT = 'topic {} type = "public_{}" not allowed in current environment'


class RefusalError(Exception):
    """`key`: the refusal's text stands under `message` or under `reason`."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


@dataclass(slots=True)
class Talk:
    """What is known of one client."""

    messages: Sliding
    heard: float
    pinged: float | None = None


class Unified:
    name = "unified"

    def __init__(self, exchange: "Kucoin") -> None:
        self.connects = Sliding(*CONNECTS)
        self._exchange = exchange
        self._world = exchange.world
        self._talks: dict[Socket, Talk] = {}

    def opened(self, socket: Socket, query: dict[str, str]) -> None:
        self._talks[socket] = Talk(Sliding(*MESSAGES), self._exchange.now())
        socket.frame = binary_frame
        session = str(uuid.uuid5(uuid.NAMESPACE_OID, socket.id))
        socket.answer({"sessionId": session, "message": "welcome", "pingInterval": PING_INTERVAL_MS})

    def closed(self, socket: Socket) -> None:
        self._talks.pop(socket, None)

    def heard(self, socket: Socket, frame: dict[str, Any]) -> None:
        talk, number = self._talks[socket], frame.get("id")
        talk.heard = self._exchange.now()
        if not talk.messages.add(talk.heard) and self._world.breach(self._exchange.name, "messages unified"):
            self._refuse(socket, number, RefusalError("message", "exceed max permits per 10 seconds"))
            socket.close(1008, "exceed max permits per 10 seconds")
        elif frame.get("type") == "ping" or frame.get("op") == "ping":
            self._ping(socket, talk, number)
        elif frame.get("action") == "SUBSCRIBE":
            self._subscribe(socket, frame, number)
        elif frame.get("action") == "UNSUBSCRIBE":
            self._unsubscribe(socket, frame, number)
        else:
            self._refuse(socket, number, RefusalError("message", "invalid request data"))

    def _ping(self, socket: Socket, talk: Talk, number: Any) -> None:
        often = talk.pinged is not None and talk.heard - talk.pinged < SHORTEST_PING_S
        talk.pinged = talk.heard
        if often and self._world.breach(self._exchange.name, "pings per second"):
            socket.hang_up()
        else:
            socket.answer({"type": "pong", "id": number, "ts": int(unix_s() * 1000) * 1_000_000})

    def _subscribe(self, socket: Socket, frame: dict[str, Any], number: Any) -> None:
        try:
            name = self._judged(socket, frame)
        except RefusalError as refusal:
            self._refuse(socket, number, refusal)
            return
        symbol = frame["symbol"]
        socket.names.add(name)
        self._exchange.acknowledge(socket, {"id": number, "result": True}, socket.market_type, [symbol])
        stream = self._exchange.stream(socket.market_type, name)
        if stream is not None and not self._exchange.refuses(socket.market_type, symbol):
            self._join(socket, stream)

    def _join(self, socket: Socket, stream: Stream) -> None:
        """A channel that starts with a snapshot tells changes first: the snapshot takes its time."""
        shown = stream.inner if isinstance(stream, Repeater) else stream
        late = isinstance(shown, Increment) and not isinstance(shown, Unstarted) and stream.name not in socket.streams
        self._world.engine.join(socket, stream, greet=not late)
        if late:
            asyncio.get_running_loop().call_later(
                self._world.patience.kucoin_snapshot_s, self._world.engine.greet, socket, stream
            )

    def _unsubscribe(self, socket: Socket, frame: dict[str, Any], number: Any) -> None:
        symbol = str(frame.get("symbol", ""))
        name = _name(str(frame.get("channel", "")), str(frame.get("depth", "")), symbol)
        socket.names.discard(name)
        self._world.engine.leave(socket, name)
        self._exchange.acknowledge(socket, {"id": number, "result": True}, socket.market_type, [symbol])

    def _judged(self, socket: Socket, frame: dict[str, Any]) -> str:
        """Name of the channel, listed or not."""
        channel, symbol, depth = frame.get("channel"), frame.get("symbol"), frame.get("depth", "")
        if channel in CHANNELS and "symbols" in frame:
            raise RefusalError("reason", f"symbols are not supported for topic {channel}")
        trade_type = str(frame.get("tradeType"))
        if channel not in CHANNELS or not isinstance(symbol, str) or trade_type not in TRADE_TYPES.values():
            raise RefusalError("message", "invalid request data")
        if channel == "obu" and depth not in DEPTHS:
            raise RefusalError("message", "invalid request data")
        if trade_type != TRADE_TYPES[socket.market_type]:
            raise RefusalError("reason", ENVIRONMENT.format(channel.capitalize(), trade_type.lower()))
        name = _name(channel, depth, symbol)
        if len(socket.names | {name}) > TOPICS and self._world.breach(self._exchange.name, "topics unified"):
            raise RefusalError("reason", "exceed max topics per connection")
        return name

    def _refuse(self, socket: Socket, number: Any, refusal: RefusalError) -> None:
        socket.answer({"id": number, "result": False, refusal.key: str(refusal)})

    def watch(self, socket: Socket, now: float) -> None:
        """Only a client without a subscription is cut for its silence."""
        if not socket.names and now - self._talks[socket].heard > self._world.patience.kucoin_idle_s:
            self._world.breaches.add(self._exchange.name, "no subscription")
            socket.close(1001, "no subscription")


def _name(channel: str, depth: str, symbol: str) -> str:
    return f"obu:{depth}:{symbol}" if channel == "obu" else f"{channel}:{symbol}"
