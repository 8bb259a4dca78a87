"""OKX's WebSocket servers: spot and derivatives on one socket, public and private ones."""

import uuid
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.exchange import Exchange, World
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Write
from apps.feeds.simulator.okx import streams
from apps.feeds.simulator.okx.account import WALLET
from apps.feeds.simulator.okx.listings import NAME, least, listings
from apps.feeds.simulator.okx.private import Private
from apps.feeds.simulator.okx.recorded import OkxLibrary
from apps.feeds.simulator.okx.refusals import RefusalError
from apps.feeds.simulator.okx.rest import REST_HOSTS, Rest
from apps.feeds.simulator.okx.trading import Trading, fault_answer
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.streams import Stream
from apps.feeds.simulator.trading.rules import Rates, Rules

SOCKET_HOST = "ws.okx.com"
PATHS = ("ws/v5/public", "ws/v5/business", "ws/v5/private")
CONNECTS = (3, 1.0)  # per address and second
COMMANDS = (480, 3600.0)  # subscribe, unsubscribe and login of one connection in an hour
NEED_LOGIN = ("books50-l2-tbt", "books-l2-tbt", "orders", "account", "positions", "balance_and_position")
NEED_LEVEL = ("books50-l2-tbt", "books-l2-tbt")
FIRST_ORDER_ID = 3_967_288_000_000_000_000
RATES = {
    "spot": Rates(Decimal("0.0008"), Decimal("0.001")),
    "futures": Rates(Decimal("0.0002"), Decimal("0.0005")),
}


class Okx(Exchange):
    name = NAME
    hosts = frozenset({SOCKET_HOST} | REST_HOSTS)
    largest_message = 64 * 1024
    rules = Rules(
        least=least,
        post_only="cancel",
        reduce_only="trim",
        rates=RATES,
        wallets={"spot": WALLET, "futures": WALLET},
        leverage=10,
        most_leverage=100,
        order_id=lambda number: str(FIRST_ORDER_ID + number),
    )

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else OkxLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        self._rest = Rest(self)
        self._private = Private(self)
        self._trading = Trading(self)
        self._connects = Sliding(*CONNECTS)
        self._commands: dict[Socket, Sliding] = {}

    def rest(self, request: web.Request, host: str, path: str) -> web.Response | Awaitable[web.StreamResponse]:
        if self._trading.serves(request, path):
            return self._trading.answer(request, path)
        return self._rest.answer(request, path)

    def fault_answer(self, request: web.Request, op: str, seconds: float) -> web.Response:
        return fault_answer(op)

    def id_jump(self, listing: Listing) -> int:
        return 120

    def writer(self, listing: Listing) -> Write:
        """Price, size, a dead zero, and the number of orders at the price."""
        price, size = listing.price.text, listing.size.text
        return lambda ticks, lots: (price(ticks), size(lots), "0", str(1 + lots % 5) if lots else "0")

    def enter(self, host: str, path: str) -> str | web.Response:
        if not self._connects.add(self.now()) and self.world.breach(self.name, "connects"):
            return web.Response(status=429)
        return "" if host == SOCKET_HOST and path.strip("/") in PATHS else web.Response(status=404)

    def opened(self, socket: Socket, request: web.Request) -> None:
        """OKX says nothing first."""

    def closed(self, socket: Socket) -> None:
        super().closed(socket)
        self._private.closed(socket)
        self._commands.pop(socket, None)

    def heard(self, socket: Socket, text: str) -> None:
        if text == "ping":
            socket.answer("pong")
            return
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError:
            frame = None
        if not isinstance(frame, dict) or not _is_args(frame.get("args")):
            self._error(socket, "60012", f"Illegal request: {text}", None)
        elif frame.get("op") == "login":
            self._login(socket, frame["args"], frame.get("id"))
        elif frame.get("op") in ("subscribe", "unsubscribe"):
            self._command(socket, frame["op"], frame["args"], frame.get("id"))
        else:
            self._error(socket, "60012", f"Illegal request: {text}", frame.get("id"))

    def _login(self, socket: Socket, args: list[dict[str, str]], number: Any) -> None:
        """One that fails ends the socket."""
        if not self._may_command(socket, number):
            return
        try:
            self._private.login(socket, args)
        except RefusalError as error:
            self._error(socket, error.code, str(error), number)
            socket.close(4001, "Login failed")
            return
        told = {"event": "login", "code": "0", "msg": "", "connId": _conn_id(socket)}
        socket.answer(told if number is None else {"id": number, **told})

    def _may_command(self, socket: Socket, number: Any) -> bool:
        allowed = self._commands.setdefault(socket, Sliding(*COMMANDS)).add(self.now())
        if not allowed and self.world.breach(self.name, "commands per hour"):
            self._error(socket, "60014", "Requests too frequent", number)
            return False
        return True

    def _command(self, socket: Socket, operation: str, args: list[dict[str, str]], number: Any) -> None:
        if not self._may_command(socket, number):
            return
        for arg in args:
            if operation == "subscribe":
                self._subscribe(socket, arg, number)
            else:
                name = _name(arg)
                socket.names.discard(name)
                self.world.engine.leave(socket, name)
                self._private.unsubscribe(socket, arg)
                self._acknowledge(socket, operation, arg, number)

    def _subscribe(self, socket: Socket, arg: dict[str, str], number: Any) -> None:
        """Each argument is judged and answered for itself; its data may come before the next one's answer."""
        channel, symbol = arg.get("channel", ""), arg.get("instId", "")
        if self._private.serves(socket, channel):
            self._subscribe_private(socket, arg, number)
            return
        stream = self._here(socket, arg)
        if channel in NEED_LOGIN and not self._private.is_logged_in(socket):
            self._error(socket, "60011", "Please log in", number)
        elif channel in NEED_LEVEL:
            self._error(socket, "60029", "Only users who are VIP4 and above are allowed to subscribe", number)
        elif stream is None:
            self._error(socket, "60018", f"channel:{channel},instId:{symbol} doesn't exist", number)
        else:
            socket.names.add(stream.name)
            self._acknowledge(socket, "subscribe", arg, number)
            self.world.engine.join(socket, stream)

    def _subscribe_private(self, socket: Socket, arg: dict[str, str], number: Any) -> None:
        try:
            messages = self._private.subscribe(socket, arg)
        except RefusalError as error:
            self._error(socket, error.code, str(error), number)
            return
        socket.names.add(_name(arg))
        self._acknowledge(socket, "subscribe", arg, number)
        for message in messages:
            socket.answer({**message, "connId": _conn_id(socket)} if "event" in message else message)

    def _here(self, socket: Socket, arg: dict[str, str]) -> Stream | None:
        """The channel, if it is one of the public path and its instrument is listed."""
        market_type = _market_type(arg.get("instId", ""))
        if not socket.path.strip("/").endswith("public") or self.refuses(market_type, arg.get("instId", "")):
            return None
        return self.stream(market_type, _name(arg))

    def farewell(self, socket: Socket) -> dict[str, Any]:
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        return {"event": "notice", "code": "64008", "msg": text, "connId": _conn_id(socket)}

    def make_stream(self, market_type: str, name: str) -> Stream | None:
        channel, _, symbol = name.partition(":")
        market = self.market(market_type, symbol)
        if market is None:
            return None
        return streams.make(market, name, channel, self.world.patience.okx_keep_alive_s)

    def _acknowledge(self, socket: Socket, event: str, arg: dict[str, str], number: Any) -> None:
        ack: dict[str, Any] = {"event": event, "arg": arg, "connId": _conn_id(socket)}
        symbol = arg.get("instId", "")
        self.acknowledge(socket, ack if number is None else {"id": number, **ack}, _market_type(symbol), [symbol])

    def _error(self, socket: Socket, code: str, message: str, number: Any) -> None:
        error = {"event": "error", "msg": message, "code": code, "connId": _conn_id(socket)}
        socket.answer(error if number is None else {"id": number, **error})

    def watch(self, socket: Socket, now: float) -> None:
        limit = self.world.patience.okx_silence_s
        self._private.watch(socket, now)
        idle = not socket.names and not self._commands.get(socket) and now - socket.opened > limit
        if idle or now - socket.sent > limit:
            self.world.breaches.add(self.name, "no subscription" if idle else "silence")
            socket.close(4004, "No data received in 30s.")


def _is_args(args: Any) -> bool:
    return isinstance(args, list) and all(
        isinstance(arg, dict) and all(isinstance(value, str) for value in arg.values()) for arg in args
    )


def _name(arg: dict[str, str]) -> str:
    return f"{arg.get('channel', '')}:{arg.get('instId', '')}"


def _market_type(symbol: str) -> str:
    return "futures" if symbol.count("-") > 1 else "spot"


def _conn_id(socket: Socket) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, socket.id).hex[:8]
