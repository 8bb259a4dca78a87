"""Bybit's WebSocket servers: spot, linear, inverse, and the private one of all."""

import uuid
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.bybit import streams
from apps.feeds.simulator.bybit.account import WALLET
from apps.feeds.simulator.bybit.listings import NAME, listings
from apps.feeds.simulator.bybit.private import PATH, Private
from apps.feeds.simulator.bybit.recorded import BybitLibrary
from apps.feeds.simulator.bybit.rest import REST_HOSTS, Rest
from apps.feeds.simulator.bybit.trading import Trading, fault_answer
from apps.feeds.simulator.exchange import Exchange, World
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.streams import BookStream, Stream
from apps.feeds.simulator.trading.rules import Least, Rates, Rules

SOCKET_HOST = "stream.bybit.com"
MARKET_TYPES = {"v5/public/spot": "spot", "v5/public/linear": "futures", "v5/public/inverse": "futures"}
CONNECTS = (500, 300.0)  # per address and 5 minutes
SPOT_ARGS = 10  # per subscribe frame
OPERATIONS = {"ping", "auth", "subscribe", "unsubscribe"}
TOPIC_CHARACTERS = 21_000  # of all topics of one connection


FIRST_SPOT_ID = 1_321_003_749_000_000_000
RATES = {
    "spot": Rates(Decimal("0.001"), Decimal("0.001")),
    "futures": Rates(Decimal("0.0002"), Decimal("0.00055")),
}


def least(listing: Listing) -> Least:
    return Least(value=Decimal(5))


class RefusalError(Exception):
    """A subscribe frame that is refused as a whole."""


class Bybit(Exchange):
    name = NAME
    hosts = frozenset({SOCKET_HOST} | REST_HOSTS)
    rules = Rules(
        unique="forever",
        post_only="cancel",
        reduce_only="trim",
        rates=RATES,
        wallets={"spot": WALLET, "futures": WALLET},
        leverage=10,
        most_leverage=100,
        least=least,
        order_id=lambda number: str(FIRST_SPOT_ID + number),
        futures_order_id=lambda number: str(uuid.uuid5(uuid.NAMESPACE_OID, f"order {number}")),
    )

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else BybitLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        self.public = Rest(self)
        self._private = Private(self)
        self._trading = Trading(self)
        self._connects = Sliding(*CONNECTS)

    def rest(self, request: web.Request, host: str, path: str) -> web.Response | Awaitable[web.StreamResponse]:
        if self._trading.serves(request, path):
            return self._trading.answer(request, path)
        return self.public.answer(request, path)

    def fault_answer(self, request: web.Request, op: str, seconds: float) -> web.Response:
        return fault_answer(self.desk, request, op, seconds)

    def id_jump(self, listing: Listing) -> int:
        return 40

    def enter(self, host: str, path: str) -> str | web.Response:
        if not self._connects.add(self.now()) and self.world.breach(self.name, "connects"):
            return web.Response(status=403, text="access too frequent")
        if host != SOCKET_HOST or path.strip("/") not in (*MARKET_TYPES, PATH):
            return web.Response(status=404)
        return MARKET_TYPES.get(path.strip("/"), "")

    def opened(self, socket: Socket, request: web.Request) -> None:
        """Bybit says nothing first."""
        if socket.path.strip("/") == PATH:
            self._private.opened(socket, request)

    def closed(self, socket: Socket) -> None:
        super().closed(socket)
        self._private.closed(socket)

    def heard(self, socket: Socket, text: str) -> None:
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError:
            frame = None
        known = OPERATIONS if self._private.serves(socket) else OPERATIONS - {"auth"}
        if not isinstance(frame, dict) or frame.get("op") not in known:
            operation = frame if isinstance(frame, dict) else {"op": "", "args": None}
            socket.answer(
                {"success": False, "ret_msg": "error:invalid op", "conn_id": _conn_id(socket), "request": operation}
            )
            return
        operation, number = frame["op"], frame.get("req_id")
        if operation == "ping":
            socket.last_ping = self.now()
        if self._private.serves(socket):
            self._private.heard(socket, frame, _conn_id(socket))
        elif operation == "ping":
            number = number if socket.market_type == "spot" else ""
            socket.answer(self._verdict(socket, "ping", number, True, "pong"))
        else:
            self._command(socket, operation, frame.get("args"), number)

    def _command(self, socket: Socket, operation: str, args: Any, number: Any) -> None:
        topics = args if isinstance(args, list) and all(isinstance(topic, str) for topic in args) else []
        symbols = {topic.rpartition(".")[2] for topic in topics}
        word = operation if socket.market_type == "spot" else ""
        if operation == "unsubscribe":
            yes = self._verdict(socket, operation, number, True, word)
            self.acknowledge(socket, yes, socket.market_type, symbols)
            for topic in topics:
                socket.names.discard(topic)
                self.world.engine.leave(socket, topic)
            return
        try:
            wanted = self._judged(socket, topics)
        except RefusalError as refusal:
            socket.answer(self._verdict(socket, operation, number, False, str(refusal)))
            return
        socket.names.update(topics)
        yes = self._verdict(socket, operation, number, True, word)
        self.acknowledge(socket, yes, socket.market_type, symbols)
        for stream in wanted:
            self.world.engine.join(socket, stream)

    def _judged(self, socket: Socket, topics: list[str]) -> list[Stream]:
        """The channels of all the topics. One topic that cannot be had refuses them all."""
        spot = socket.path.strip("/").endswith("spot")
        if spot and len(topics) > SPOT_ARGS and self.world.breach(self.name, "args per frame"):
            raise RefusalError("args size >10")
        characters = sum(len(topic) for topic in socket.names.union(topics))
        if characters > TOPIC_CHARACTERS and self.world.breach(self.name, "topic characters"):
            raise RefusalError(f"error:args length exceeds {TOPIC_CHARACTERS}")
        wanted = []
        for topic in topics:
            if topic in socket.names:
                raise RefusalError(f"error:already subscribed,topic:{topic}")
            stream = self._here(socket, topic)
            if stream is None:
                raise RefusalError(f"error:handler not found,topic:{topic}")
            wanted.append(stream)
        return wanted

    def _here(self, socket: Socket, topic: str) -> Stream | None:
        """The channel, if this socket's category lists the symbol."""
        stream = self.stream(socket.market_type, topic)
        if stream is None or stream.market.listing.category != socket.path.rpartition("/")[2]:
            return None
        return None if self.refuses(socket.market_type, stream.market.listing.symbol) else stream

    def make_stream(self, market_type: str, name: str) -> Stream | None:
        market = self.market(market_type, name.rpartition(".")[2])
        return None if market is None else streams.make(market, name, self.world.patience.bybit_repeat_s)

    def book_seq(self, market: Market, books: list[BookStream]) -> int:
        """`u` of the deepest topic in use, else of the one that REST answers belong to."""
        deep = [book for book in books if isinstance(book, streams.Levels)]
        if deep:
            return max(deep, key=lambda book: book.changes.depth).seq
        return self.rest_u(market)

    def rest_u(self, market: Market) -> int:
        """REST books carry the `u` of the topic of 1000 levels."""
        stream = self.stream(market.listing.market_type, f"orderbook.1000.{market.listing.symbol}")
        return stream.seq if isinstance(stream, BookStream) else 0

    def _verdict(self, socket: Socket, operation: str, number: Any, success: bool, text: str) -> dict[str, Any]:
        verdict: dict[str, Any] = {"success": success, "ret_msg": text, "conn_id": _conn_id(socket)}
        if number is not None:
            verdict["req_id"] = number
        return {**verdict, "op": operation}

    def watch(self, socket: Socket, now: float) -> None:
        private = self._private.serves(socket)
        idle_s = self._private.idle_s(socket) if private else self.world.patience.bybit_idle_s
        if now - max(socket.last_ping, socket.sent) > idle_s:
            self.world.breaches.add(self.name, "no ping")
            socket.hang_up()


def _conn_id(socket: Socket) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, socket.id))
