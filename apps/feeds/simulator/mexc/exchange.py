"""MEXC's WebSocket servers: spot, and the contracts'."""

from collections.abc import Awaitable
from decimal import Decimal
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
from apps.feeds.simulator.mexc.futures_private import FuturesPrivate
from apps.feeds.simulator.mexc.listings import NAME, least, listings
from apps.feeds.simulator.mexc.recorded import MexcLibrary
from apps.feeds.simulator.mexc.refusals import DESK, RefusalError, refusal
from apps.feeds.simulator.mexc.rest import REST_HOSTS, Rest, banned, firewall, refused, too_often
from apps.feeds.simulator.mexc.spot_account import ListenKeys
from apps.feeds.simulator.mexc.spot_private import SpotPrivate
from apps.feeds.simulator.mexc.trading import Trading
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.streams import Stream
from apps.feeds.simulator.trading.rules import Rates, Rules
from apps.feeds.simulator.trading.tickets import Reason

SPOT_HOST = "wbs-api.mexc.com"
CLOSED_HOST = "wbs.mexc.com"  # still there, but nothing can be had
FUTURES_HOST = "contract.mexc.com"
DOORS = {(SPOT_HOST, "ws"): "spot", (CLOSED_HOST, "ws"): "spot", (FUTURES_HOST, "edge"): "futures"}
MAX_SUBSCRIPTIONS = 30  # of one spot socket
SPOT_MESSAGES = (100, 1.0)  # of one spot socket
CHANNELS = ("depth", "depth.full", "deal")
RATES = {
    "spot": Rates(Decimal("0.0005"), Decimal("0.0005")),
    "futures": Rates(Decimal(0), Decimal("0.0002")),
}
UNKNOWN_OUTCOME = {"spot": (500, "Internal error"), "futures": (9999, "Unknown error")}
NOT_CARRIED_OUT = {"spot": (503, "Service unavailable"), "futures": (501, "System busy")}


class Mexc(Exchange):
    name = NAME
    hosts = frozenset({SPOT_HOST, CLOSED_HOST, FUTURES_HOST} | REST_HOSTS)
    rules = Rules(
        unique="never",  # nothing is said of spot's
        futures_unique="forever",
        post_only="cancel",
        fee_in="quote",
        rates=RATES,
        most_leverage=200,
        least=least,
        order_id=lambda number: f"C02__{505_979_000_000_000_000 + number}043",
        futures_order_id=lambda number: str(739_113_000_000_000_000 + number),
    )

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else MexcLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        self._rest = Rest(self)
        keys = ListenKeys(self.rng)
        self._trading = Trading(self, self._rest, keys)
        self._spot_private = SpotPrivate(self.desk, keys)
        self._futures_private = FuturesPrivate(self.desk)
        self._messages: dict[Socket, Sliding] = {}

    def rest(self, request: web.Request, host: str, path: str) -> web.Response | Awaitable[web.StreamResponse]:
        if self._trading.serves(request, path):
            return self._trading.answer(request, path)
        return self._rest.answer(request, host, path)

    def fault_answer(self, request: web.Request, op: str, seconds: float) -> web.Response:
        market_type = "spot" if "/api/v3/" in request.path else "futures"
        if op == "ban":
            error = banned(market_type, round(seconds))
            return refused(error) if isinstance(error, RefusalError) else firewall()
        if op == "rate_limit":
            return refused(too_often(market_type, round(seconds)))
        if op == "reject":
            return refused(refusal(market_type, DESK[market_type][Reason.INSUFFICIENT_FUNDS]))
        code, text = (UNKNOWN_OUTCOME if op == "error_placed" else NOT_CARRIED_OUT)[market_type]
        return refused(refusal(market_type, (code, text), status=code))

    def id_jump(self, listing: Listing) -> int:
        return 1

    def writer(self, listing: Listing) -> Write:
        return super().writer(listing) if listing.market_type == "spot" else futures_streams.writer(listing)

    def enter(self, host: str, path: str) -> str | web.Response:
        return DOORS.get((host, path.strip("/"))) or web.Response(status=404)

    def opened(self, socket: Socket, request: web.Request) -> None:
        self._messages[socket] = Sliding(*SPOT_MESSAGES)
        key = request.query.get("listenKey")
        if key is not None and socket.host == SPOT_HOST and not self._spot_private.opened(socket, key, self.now()):
            socket.answer("Invalid listen key")
            socket.close(1000, "")

    def closed(self, socket: Socket) -> None:
        super().closed(socket)
        self._spot_private.closed(socket)
        self._futures_private.closed(socket)
        del self._messages[socket]

    def heard(self, socket: Socket, text: str) -> None:
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError:
            frame = None
        if socket.market_type == "spot":
            self._spot(socket, frame)
        elif isinstance(frame, dict) and not self._futures_private.asked(socket, frame):
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
            if socket.host == CLOSED_HOST or self._full(socket, topic) or not self._join(socket, topic):
                blocked.append(topic)
                continue
            taken.append(topic)
            socket.names.add(topic)
        if not blocked:
            return ",".join(taken)
        if not taken:
            return f"Not Subscribed successfully! [{','.join(blocked)}].  Reason： Blocked! "
        refused = f"Not Subscribed successfully! [{','.join(blocked)}]. Reason： Blocked! "
        return f"Subscribed successful! [{','.join(taken)}]. {refused}"

    def _full(self, socket: Socket, topic: str) -> bool:
        over = topic not in socket.names and len(socket.names) >= MAX_SUBSCRIPTIONS
        return over and self.world.breach(self.name, "subscriptions per connection")

    def _join(self, socket: Socket, topic: str) -> bool:
        """Let the socket hear a channel; False when it cannot be had."""
        if not topic.startswith("spot@public."):
            return self._spot_private.subscribe(socket, topic)
        stream = None if self.refuses("spot", spot_streams.symbol_of(topic)) else self.stream("spot", topic)
        if stream is not None:
            self.world.engine.join(socket, stream)
        return stream is not None

    def _unsubscribe(self, socket: Socket, topics: list[str]) -> str:
        for topic in topics:
            socket.names.discard(topic)
            self._spot_private.unsubscribe(socket, topic)
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
        elif self._spot_private.expired(socket, now):
            self.world.breaches.add(self.name, "listen key not renewed")
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
