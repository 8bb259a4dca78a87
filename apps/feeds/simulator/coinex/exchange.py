"""CoinEx's WebSocket servers: spot and futures, public and private channels on the same sockets."""

from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.coinex import streams
from apps.feeds.simulator.coinex.listings import NAME, least, listings
from apps.feeds.simulator.coinex.private import BadListError, NotSignedError, Private
from apps.feeds.simulator.coinex.recorded import CoinexLibrary
from apps.feeds.simulator.coinex.refusals import DESK, TOO_MUCH, RefusalError
from apps.feeds.simulator.coinex.rest import REST_HOSTS, Rest, unavailable
from apps.feeds.simulator.coinex.states import state_row
from apps.feeds.simulator.coinex.trading import Trading, refused
from apps.feeds.simulator.exchange import Exchange, World
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market
from apps.feeds.simulator.sockets import Socket, gzip_frame
from apps.feeds.simulator.streams import BookStream, Stream
from apps.feeds.simulator.trading.rules import Rates, Rules
from apps.feeds.simulator.trading.tickets import Reason

SOCKET_HOST = "socket.coinex.com"
PATHS = {"v2/spot": "spot", "v2/futures": "futures"}
CODES = {"spot": 20000, "futures": 30000}  # what a socket's own error codes start from
INVALID, NO_METHOD, NO_SIGN, BAD_SIGN = 1, 2, 1001, 1002
VERBS = ("subscribe", "unsubscribe")
FOR_ALL = ("deals", "state")  # channels whose empty list means every market


class Coinex(Exchange):
    name = NAME
    hosts = frozenset({SOCKET_HOST} | REST_HOSTS)
    rules = Rules(
        unique="never",
        rates={
            "spot": Rates(Decimal("0.002"), Decimal("0.002")),
            "futures": Rates(Decimal("0.0003"), Decimal("0.0005")),
        },
        most_leverage=100,
        least=least,
    )

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else CoinexLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        self.public = Rest(self)
        self._private = Private(self)
        self._trading = Trading(self)
        self._heard: dict[Socket, float] = {}
        self._told: dict[Socket, float] = {}  # when the states of the markets were last sent

    def rest(self, request: web.Request, host: str, path: str) -> web.Response | Awaitable[web.StreamResponse]:
        if self._trading.serves(request, path):
            return self._trading.answer(request, path)
        return self.public.answer(request, path)

    def fault_answer(self, request: web.Request, op: str, seconds: float) -> web.Response:
        """The gateway says the same of an order that was placed and of one that was not."""
        if op in ("error_placed", "error_not_placed"):
            return unavailable()
        return refused(RefusalError(*(DESK[Reason.INSUFFICIENT_FUNDS] if op == "reject" else TOO_MUCH)))

    def id_jump(self, listing: Listing) -> int:
        return 1

    def enter(self, host: str, path: str) -> str | web.Response:
        market_type = PATHS.get(path.strip("/"))
        return market_type if host == SOCKET_HOST and market_type else web.Response(status=404)

    def opened(self, socket: Socket, request: web.Request) -> None:
        socket.frame = gzip_frame
        self._heard[socket] = self.now()

    def closed(self, socket: Socket) -> None:
        self._private.closed(socket)
        super().closed(socket)
        self._heard.pop(socket, None)
        self._told.pop(socket, None)

    def pinged(self, socket: Socket, body: bytes) -> None:
        """Pings of the protocol are not answered: `server.ping` is."""

    def heard(self, socket: Socket, text: str) -> None:
        self._heard[socket] = self.now()
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError:
            frame = None
        number = frame.get("id") if isinstance(frame, dict) else None
        if not isinstance(frame, dict) or type(number) is not int:
            self._error(socket, None, INVALID, "invalid argument")
            return
        parameters = frame.get("params")
        self._command(socket, str(frame.get("method")), parameters if isinstance(parameters, dict) else {}, number)

    def _command(self, socket: Socket, method: str, parameters: dict[str, Any], number: int) -> None:
        channel, _, verb = method.partition(".")
        if method == "server.ping":
            socket.answer({"id": number, "code": 0, "data": {"result": "pong"}, "message": "OK"})
        elif method == "server.sign":
            if self._private.sign(socket, parameters):
                self.acknowledge(socket, _ack(number), socket.market_type)
            else:
                self._error(socket, number, BAD_SIGN, "Signature Incorrect")
        elif self._private.has(socket.market_type, channel) and verb in VERBS:
            self._private_command(socket, channel, verb, parameters, number)
        elif channel not in ("depth", "deals", "bbo", "state") or verb not in VERBS:
            self._error(socket, number, NO_METHOD, "method not found")
        else:
            self._answer(socket, channel, verb, parameters.get("market_list"), number)

    def _private_command(
        self, socket: Socket, channel: str, verb: str, parameters: dict[str, Any], number: int
    ) -> None:
        try:
            self._private.command(socket, channel, verb, parameters)
        except NotSignedError:
            self._error(socket, number, NO_SIGN, "require auth")
        except BadListError:
            self._error(socket, number, INVALID, "invalid argument")
        else:
            self.acknowledge(socket, _ack(number), socket.market_type)

    def _answer(self, socket: Socket, channel: str, verb: str, rows: Any, number: int) -> None:
        """One entry that cannot be had refuses the whole list."""
        try:
            if not isinstance(rows, list):
                raise BadListError
            names = self._held(socket, channel, rows) if verb == "unsubscribe" else self._wanted(socket, channel, rows)
        except BadListError:
            self._error(socket, number, INVALID, "invalid argument")
            return
        symbols = {_symbol(name) for name in names}
        self.acknowledge(socket, _ack(number), socket.market_type, symbols)
        if verb == "subscribe":
            # A second subscription to the depth of a market takes the place of the first.
            again = [name for name in socket.names.difference(names) if _is(name, channel) and _symbol(name) in symbols]
            self._leave(socket, again)
            self._join(socket, names)
        else:
            self._leave(socket, names)

    def _wanted(self, socket: Socket, channel: str, rows: list[Any]) -> list[str]:
        """Names of the channels that are asked for, all of them listed."""
        if not rows and channel in FOR_ALL:
            rows = [symbol for kind, symbol in self.listings if kind == socket.market_type and self._live(kind, symbol)]
        if not rows:
            raise BadListError
        names = [_depth_name(row) if channel == "depth" else f"{channel}:{row}" for row in rows]
        for symbol in map(_symbol, names):
            if not self._live(socket.market_type, symbol) or self.refuses(socket.market_type, symbol):
                raise BadListError
        return names

    def _held(self, socket: Socket, channel: str, rows: list[Any]) -> list[str]:
        """Names of the channels to leave: of these markets, or of all for an empty list."""
        return [name for name in socket.names if _is(name, channel) and (not rows or _symbol(name) in rows)]

    def _live(self, market_type: str, symbol: str) -> bool:
        listing = self.listings.get((market_type, symbol))
        return listing is not None and listing.live

    def _join(self, socket: Socket, names: list[str]) -> None:
        for name in names:
            socket.names.add(name)
            stream = None if _is(name, "state") else self.stream(socket.market_type, name)
            if stream is not None:
                self.world.engine.join(socket, stream)

    def _leave(self, socket: Socket, names: list[str]) -> None:
        for name in names:
            socket.names.discard(name)
            self.world.engine.leave(socket, name)

    def make_stream(self, market_type: str, name: str) -> Stream | None:
        market = self.market(market_type, _symbol(name))
        return None if market is None else streams.make(market, name, self.world.patience.coinex_whole_s)

    def book_seq(self, market: Market, books: list[BookStream]) -> int | None:
        """Nothing numbers a book here."""
        return None

    def _error(self, socket: Socket, number: int | None, code: int, message: str) -> None:
        socket.answer({"id": number, "code": CODES[socket.market_type] + code, "message": message})

    def watch(self, socket: Socket, now: float) -> None:
        patience = self.world.patience
        if now - self._heard[socket] > patience.coinex_idle_s:
            self.world.breaches.add(self.name, "no ping")
            socket.hang_up()
        elif now - self._told.get(socket, 0.0) >= patience.coinex_state_s:
            self._tell_states(socket, now)

    def _tell_states(self, socket: Socket, now: float) -> None:
        """The last 24 hours of each market that was asked for."""
        symbols = sorted(_symbol(name) for name in socket.names if _is(name, "state"))
        if symbols:
            self._told[socket] = now
            rows = [state_row(self.listings[socket.market_type, symbol]) for symbol in symbols]
            socket.answer(streams.push("state.update", {"state_list": rows}))


def _ack(number: int) -> dict[str, Any]:
    return {"id": number, "message": "OK", "code": 0}


def _is(name: str, channel: str) -> bool:
    return name.partition(":")[0] == channel


def _symbol(name: str) -> str:
    return name.rpartition(":")[2]


def _depth_name(row: Any) -> str:
    """Raises BadListError for anything but `[market, limit, interval, full]`."""
    if not isinstance(row, list) or len(row) != 4:
        raise BadListError
    market, limit, interval, full = row
    if limit not in streams.LIMITS or not isinstance(interval, str) or not isinstance(full, bool):
        raise BadListError
    if interval not in streams.INTERVALS:
        raise BadListError
    return f"depth:{limit}:{interval}:{'true' if full else 'false'}:{market}"
