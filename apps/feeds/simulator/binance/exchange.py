"""Binance's WebSocket servers: spot and USD-M futures."""

from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.binance import streams
from apps.feeds.simulator.binance.listings import NAME, least, listings
from apps.feeds.simulator.binance.private import Private
from apps.feeds.simulator.binance.recorded import BinanceLibrary
from apps.feeds.simulator.binance.refusals import DESK, DID_NOT_RUN, OUTCOME_UNKNOWN, RefusalError
from apps.feeds.simulator.binance.rest import FUTURES_REST, SPOT_REST, Rest
from apps.feeds.simulator.binance.trading import Trading
from apps.feeds.simulator.exchange import Exchange, World, unix_s
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.streams import Stream
from apps.feeds.simulator.trading.rules import Rules
from apps.feeds.simulator.trading.tickets import Reason

SPOT_SOCKETS = {"stream.binance.com", "data-stream.binance.vision"}
FUTURES_SOCKETS = {"fstream.binance.com"}
WS_API = "ws-api.binance.com"
WS_API_WEIGHT = 2  # of a handshake
MAX_STREAMS = 1024
CONNECTS = (300, 300.0)  # per address and 5 minutes; on futures nothing is stated, the same is assumed
MESSAGES_PER_S = {"spot": 5, "futures": 10}
# Futures let 15 messages pass back to back and cut at the 16th; spot cuts above its documented limit.
MESSAGES_CUT = {"spot": 5, "futures": 15}
PUBLIC_KINDS = ("depth", "bookTicker", "trade", "rpiDepth")


class Binance(Exchange):
    name = NAME
    ack_lag_s = 0.02  # data of a channel may come before the ack
    hosts = frozenset(SPOT_SOCKETS | FUTURES_SOCKETS | SPOT_REST | FUTURES_REST | {WS_API})
    rules = Rules(least=least)

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else BinanceLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        self.public = Rest(self)
        self._private = Private(self)
        self._trading = Trading(self, self._private)
        self._connects = {"spot": Sliding(*CONNECTS), "futures": Sliding(*CONNECTS)}

    def rest(self, request: web.Request, host: str, path: str) -> web.Response | Awaitable[web.StreamResponse]:
        market_type = "spot" if host in SPOT_REST else "futures"
        if self._trading.serves(request, market_type, path):
            return self._trading.answer(request, market_type, path)
        return self.public.answer(request, market_type, path)

    def fault_answer(self, request: web.Request, op: str, seconds: float) -> web.Response:
        market_type = "futures" if "/fapi/" in request.path else "spot"
        errors = {
            "error_placed": RefusalError(*OUTCOME_UNKNOWN, status=503),
            "error_not_placed": RefusalError(*DID_NOT_RUN, status=503),
            "reject": RefusalError(*DESK[market_type][Reason.INSUFFICIENT_FUNDS]),
            "rate_limit": self.public.too_much(market_type, round(seconds)),
            "ban": self.public.banned(round(seconds)),
        }
        return self.public.refused(market_type, errors[op])

    def id_jump(self, listing: Listing) -> int:
        return 1 if listing.market_type == "spot" else 400

    def enter(self, host: str, path: str) -> str | web.Response:
        market_type = "futures" if host in FUTURES_SOCKETS else "spot"
        now = self.now()
        if not self._connects[market_type].add(now) and self.world.breach(self.name, f"connects {market_type}"):
            return web.Response(status=429, headers={"Retry-After": "60"})
        if host == WS_API:
            return self._enter_api(path)
        _, parts = _route(path)
        if parts[0] not in ("ws", "stream"):
            return web.Response(status=404)
        return market_type

    def _enter_api(self, path: str) -> str | web.Response:
        if path.strip("/") != "ws-api/v3":
            return web.Response(status=404)
        try:
            self.public.charge("spot", WS_API_WEIGHT)
        except RefusalError as error:
            return self.public.refused("spot", error)
        return "spot"

    def opened(self, socket: Socket, request: web.Request) -> None:
        category, parts = _route(socket.path)
        socket.combined = parts[0] == "stream"
        if category == "private":
            self._private.opened(socket, request)
            return
        names = parts[1:]
        if socket.combined:
            names = [name for name in request.query.get("streams", "").split("/") if name]
        self._subscribe(socket, names)

    def heard(self, socket: Socket, text: str) -> None:
        self._count(socket)
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            socket.answer({"code": 3, "msg": f"Invalid JSON: {error}"})
            return
        if socket.host == WS_API:
            self._private.asked(socket, frame)
            return
        if not isinstance(frame, dict) or not isinstance(frame.get("method"), str):
            socket.answer({"code": 2, "msg": "Invalid request: missing field `method`"})
            return
        self._command(socket, frame["method"], frame.get("params"), frame.get("id"))

    def _command(self, socket: Socket, method: str, params: Any, number: Any) -> None:
        if method == "LIST_SUBSCRIPTIONS":
            self.acknowledge(socket, {"result": sorted(socket.names), "id": number}, socket.market_type)
        elif method == "SET_PROPERTY" and isinstance(params, list) and params[:1] == ["combined"]:
            socket.combined = params[1:] == [True]
            self.acknowledge(socket, {"result": None, "id": number}, socket.market_type)
        elif method in ("SUBSCRIBE", "UNSUBSCRIBE") and _is_names(params):
            if method == "UNSUBSCRIBE":
                self._unsubscribe(socket, params)
            elif not self._subscribe(socket, params):
                socket.answer({"error": {"code": 4, "msg": "Too many subscriptions"}, "id": number})
                socket.close(1008, "Too many subscriptions")
                return
            symbols = {name.partition("@")[0].upper() for name in params}
            self.acknowledge(socket, {"result": None, "id": number}, socket.market_type, symbols)
        else:
            socket.answer({"code": 2, "msg": f"Invalid request: unknown variant {method}"})

    def _subscribe(self, socket: Socket, names: list[str]) -> bool:
        """Take the names on, known or not: the ack proves nothing. False when they are too many."""
        socket.names.update(names)
        if len(socket.names) > MAX_STREAMS and self.world.breach(self.name, "streams per connection"):
            return False
        for name in names:
            stream = self._routed(socket, name)
            if stream is not None and not self.refuses(stream.market.listing.market_type, stream.market.listing.symbol):
                self.world.engine.join(socket, stream)
        return True

    def _unsubscribe(self, socket: Socket, names: list[str]) -> None:
        for name in names:
            socket.names.discard(name)
            self.world.engine.leave(socket, name)

    def _routed(self, socket: Socket, name: str) -> Stream | None:
        """The channel, if this path serves its category.

        Futures have one path for each category. The unrouted one of old still carries what `/public` has.
        """
        if socket.market_type == "futures":
            kind = name.partition("@")[2].partition("@")[0].rstrip("0123456789")
            category = "public" if kind in PUBLIC_KINDS else "market"
            if (_route(socket.path)[0] or "public") != category:
                return None
        return self.stream(socket.market_type, name)

    def closed(self, socket: Socket) -> None:
        self._private.closed(socket)
        super().closed(socket)

    def farewell(self, socket: Socket) -> dict[str, Any]:
        notice = {"e": "serverShutdown", "E": int(unix_s() * 1000)}
        if socket.host == WS_API:
            return {"event": notice}
        return {"stream": "!serverShutdown", "data": notice} if socket.combined else notice

    def make_stream(self, market_type: str, name: str) -> Stream | None:
        symbol, _, rest = name.partition("@")
        kind, _, suffix = rest.partition("@")
        if symbol != symbol.lower():
            return None  # taken on, and silent for ever
        market = self.market(market_type, symbol.upper())
        return None if market is None else streams.make(market, name, kind, suffix)

    def pinged(self, socket: Socket, body: bytes) -> None:
        self._count(socket)
        super().pinged(socket, body)

    def ponged(self, socket: Socket) -> None:
        self._count(socket)
        super().ponged(socket)

    def _count(self, socket: Socket) -> None:
        """Every frame of the client counts: JSON, ping and pong."""
        now = self.now()
        socket.commands.append(now)
        while socket.commands[0] <= now - 1.0:
            socket.commands.popleft()
        if len(socket.commands) > MESSAGES_PER_S[socket.market_type]:
            punish = self.world.breach(self.name, f"messages per second {socket.market_type}")
            if punish and len(socket.commands) > MESSAGES_CUT[socket.market_type]:
                socket.close(1008, "Too many requests")

    def watch(self, socket: Socket, now: float) -> None:
        self._private.watch(socket, now)
        patience = self.world.patience
        spot = socket.market_type == "spot"
        ping_s = patience.binance_spot_ping_s if spot else patience.binance_futures_ping_s
        pong_s = patience.binance_spot_pong_s if spot else patience.binance_futures_pong_s
        if now - socket.opened > patience.connection_life_s:
            socket.close(1008, "Connection lifetime reached")
        elif socket.pinged is not None and now - socket.pinged > pong_s:
            self.world.breaches.add(self.name, "ping unanswered")
            socket.close(1008, "Pong timeout")
        elif now - socket.last_ping > ping_s:
            socket.last_ping = now
            if socket.ping(str(int(now * 1000)).encode()) and socket.pinged is None:
                socket.pinged = now


def _is_names(params: Any) -> bool:
    return isinstance(params, list) and all(isinstance(name, str) for name in params)


def _route(path: str) -> tuple[str, list[str]]:
    """Category (empty when unrouted) and the rest of a socket's path."""
    parts = [part for part in path.split("/") if part] or [""]
    if parts[0] in ("public", "market", "private"):
        return parts[0], parts[1:] or [""]
    return "", parts
