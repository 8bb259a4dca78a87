"""MEXC's public WebSocket servers: spot, and the contracts'."""

from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.engine import now_ms
from apps.feeds.simulator.exchange import Exchange, World
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Write
from apps.feeds.simulator.mexc import futures_streams, spot_streams
from apps.feeds.simulator.mexc.listings import NAME, listings
from apps.feeds.simulator.mexc.recorded import MexcLibrary
from apps.feeds.simulator.mexc.rest import REST_HOSTS, Rest
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.streams import Stream

SPOT_HOST = "wbs-api.mexc.com"
CLOSED_HOST = "wbs.mexc.com"  # still there, but nothing can be had
FUTURES_HOST = "contract.mexc.com"
DOORS = {(SPOT_HOST, "ws"): "spot", (CLOSED_HOST, "ws"): "spot", (FUTURES_HOST, "edge"): "futures"}
MAX_SUBSCRIPTIONS = 30  # of one spot socket
SPOT_MESSAGES = (100, 1.0)  # of one spot socket
CHANNELS = ("depth", "depth.full", "deal")


class Mexc(Exchange):
    name = NAME
    hosts = frozenset({SPOT_HOST, CLOSED_HOST, FUTURES_HOST} | REST_HOSTS)

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else MexcLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        self._rest = Rest(self)
        self._messages: dict[Socket, Sliding] = {}

    def rest(self, request: web.Request, host: str, path: str) -> web.Response:
        return self._rest.answer(request, host, path)

    def id_jump(self, listing: Listing) -> int:
        return 1

    def writer(self, listing: Listing) -> Write:
        return super().writer(listing) if listing.market_type == "spot" else futures_streams.writer(listing)

    def enter(self, host: str, path: str) -> str | web.Response:
        return DOORS.get((host, path.strip("/"))) or web.Response(status=404)

    def opened(self, socket: Socket, request: web.Request) -> None:
        self._messages[socket] = Sliding(*SPOT_MESSAGES)

    def closed(self, socket: Socket) -> None:
        super().closed(socket)
        del self._messages[socket]

    def heard(self, socket: Socket, text: str) -> None:
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError:
            frame = None
        if socket.market_type == "spot":
            self._spot(socket, frame)
        elif isinstance(frame, dict):
            self._futures(socket, frame)

    def _spot(self, socket: Socket, frame: Any) -> None:
        if not self._messages[socket].add(self.now()) and self.world.breach(self.name, "messages per second"):
            socket.close(1008, "too many requests")
            return
        method, params = (frame.get("method"), frame.get("params")) if isinstance(frame, dict) else (None, None)
        if method == "PING":
            socket.last_ping = self.now()
            socket.answer(_verdict("PONG"))
        elif method in ("SUBSCRIPTION", "UNSUBSCRIPTION") and (topics := _names(params)):
            text = self._subscribe(socket, topics) if method == "SUBSCRIPTION" else self._unsubscribe(socket, topics)
            symbols = {spot_streams.symbol_of(topic) for topic in topics}
            self.acknowledge(socket, _verdict(text), "spot", symbols)
        else:
            socket.answer(_verdict("msg format invalid"))

    def _subscribe(self, socket: Socket, topics: list[str]) -> str:
        """What the ack says; what is said to be blocked is not delivered, though the code is 0 all the same."""
        taken, blocked = [], []
        for topic in topics:
            stream = None if socket.host == CLOSED_HOST or self._full(socket, topic) else self._here(topic)
            if stream is None:
                blocked.append(topic)
                continue
            taken.append(topic)
            socket.names.add(topic)
            self.world.engine.join(socket, stream)
        if not blocked:
            return ",".join(taken)
        if not taken:
            return f"Not Subscribed successfully! [{','.join(blocked)}].  Reason： Blocked! "
        refused = f"Not Subscribed successfully! [{','.join(blocked)}]. Reason： Blocked! "
        return f"Subscribed successful! [{','.join(taken)}]. {refused}"

    def _full(self, socket: Socket, topic: str) -> bool:
        over = topic not in socket.names and len(socket.names) >= MAX_SUBSCRIPTIONS
        return over and self.world.breach(self.name, "subscriptions per connection")

    def _here(self, topic: str) -> Stream | None:
        if self.refuses("spot", spot_streams.symbol_of(topic)) or not topic.startswith("spot@public."):
            return None
        return self.stream("spot", topic)

    def _unsubscribe(self, socket: Socket, topics: list[str]) -> str:
        for topic in topics:
            socket.names.discard(topic)
            self.world.engine.leave(socket, topic)
        return ",".join(topics)

    def _futures(self, socket: Socket, frame: dict[str, Any]) -> None:
        """An unknown method gets no answer."""
        method, param = frame.get("method"), frame.get("param")
        operation, _, channel = method.partition(".") if isinstance(method, str) else ("", "", "")
        if operation == "ping":
            socket.last_ping = self.now()
            ms = now_ms()
            socket.answer({"channel": "pong", "data": ms, "ts": ms})
        elif operation in ("sub", "unsub", "usub") and channel in CHANNELS and isinstance(param, dict):
            self._futures_command(socket, operation, channel, param)

    def _futures_command(self, socket: Socket, operation: str, channel: str, param: dict[str, Any]) -> None:
        """The ack names no contract."""
        symbol = str(param.get("symbol"))
        depth = f"#{param.get('limit', 20)}" if channel == "depth.full" else ""
        name = f"{channel}{depth}:{symbol}"
        ack = {"channel": f"rs.{operation}.{channel}", "data": "success", "ts": now_ms()}
        if operation != "sub":
            for name in [known for known in socket.names if _is_of(known, channel, symbol)]:
                socket.names.discard(name)
                self.world.engine.leave(socket, name)
            self.acknowledge(socket, ack, "futures", [symbol])
            return
        stream = None if self.refuses("futures", symbol) else self.stream("futures", name)
        if stream is None:
            socket.answer({"channel": "rs.error", "data": f"Contract [{symbol}] not exists", "ts": now_ms()})
            return
        socket.names.add(name)
        self.acknowledge(socket, ack, "futures", [symbol])
        self.world.engine.join(socket, stream)

    def make_stream(self, market_type: str, name: str) -> Stream | None:
        if market_type == "spot":
            market = self.market("spot", spot_streams.symbol_of(name))
            return None if market is None else spot_streams.make(market, name)
        market = self.market("futures", name.partition(":")[2])
        return None if market is None else futures_streams.make(market, name)

    def watch(self, socket: Socket, now: float) -> None:
        if socket.market_type == "spot":
            self._watch_spot(socket, now)
        elif now - socket.last_ping > self.world.patience.mexc_quiet_s:
            self.world.breaches.add(self.name, "no ping")
            text = "more than 60 seconds no response, close the channel"
            socket.answer({"channel": "rs.error", "data": text, "ts": now_ms()})
            socket.hang_up()

    def _watch_spot(self, socket: Socket, now: float) -> None:
        patience = self.world.patience
        if now - socket.opened > patience.connection_life_s:
            socket.close(1000, "")
        elif not socket.names and now - socket.opened > patience.mexc_idle_s:
            self.world.breaches.add(self.name, "no subscription")
            socket.close(1000, "")
        elif now - socket.sent > patience.mexc_quiet_s:
            self.world.breaches.add(self.name, "silence")
            socket.close(1000, "")


def _verdict(text: str) -> dict[str, Any]:
    """The `id` of a command is not repeated, and no refusal has a code."""
    return {"id": 0, "code": 0, "msg": text}


def _names(params: Any) -> list[str]:
    """The topics of a command; none where anything else is among them."""
    named = isinstance(params, list) and all(isinstance(topic, str) for topic in params)
    return params if named else []


def _is_of(name: str, channel: str, symbol: str) -> bool:
    head, _, tail = name.partition(":")
    return tail == symbol and head.partition("#")[0] == channel
