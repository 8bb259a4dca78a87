"""HTX's WebSocket servers: spot, its feed of book changes, linear and inverse swaps, and the accounts' own."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.engine import now_ms
from apps.feeds.simulator.exchange import Exchange, World
from apps.feeds.simulator.htx import streams
from apps.feeds.simulator.htx.doors import DOORS, HOSTS
from apps.feeds.simulator.htx.listings import MAJORS, NAME, least, listings
from apps.feeds.simulator.htx.private import Private
from apps.feeds.simulator.htx.recorded import HtxLibrary
from apps.feeds.simulator.htx.refusals import NO_MARGIN, NO_MONEY, RefusalError
from apps.feeds.simulator.htx.rest import CONTRACT_HOSTS, SPOT_HOSTS, WORDS, Rest, unavailable
from apps.feeds.simulator.htx.trading import Trading, refused
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Write
from apps.feeds.simulator.sockets import Socket, gzip_frame
from apps.feeds.simulator.streams import BookStream, Stream
from apps.feeds.simulator.trading.rules import Rates, Rules

SUBSCRIBES = (40, 1.0)  # `sub` frames of one contract socket and second
REQUEST_GAP_S = 0.1  # between two `req` frames of one spot socket
FIRST_ORDER = 1_199_329_000_000_000


class CommandError(Exception):
    """A command that is answered with `status` error."""


class Htx(Exchange):
    name = NAME
    ack_lag_s = 0.02  # data of a channel may come before the ack
    hosts = frozenset(SPOT_HOSTS | CONTRACT_HOSTS)
    rules = Rules(
        unique="day",
        post_only="cancel",
        rates={
            "spot": Rates(Decimal("0.002"), Decimal("0.002")),
            "futures": Rates(Decimal("0.0002"), Decimal("0.0006")),
        },
        most_leverage=200,
        least=least,
        order_id=lambda number: str(FIRST_ORDER + number),
    )

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else HtxLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        self.public = Rest(self)
        self._trading = Trading(self)
        self._private = Private(self)
        self._pings: dict[Socket, deque[int]] = {}  # unanswered ones
        self._subscribes: dict[Socket, Sliding] = {}
        self._requests: dict[Socket, Sliding] = {}
        self._snapshots: dict[str, tuple[float, dict[str, Any]]] = {}  # when made, by topic

    def rest(self, request: web.Request, host: str, path: str) -> web.Response | Awaitable[web.StreamResponse]:
        market_type = "spot" if host in SPOT_HOSTS else "futures"
        if self._trading.serves(request, market_type, path):
            return self._trading.answer(request, market_type, host, path)
        return self.public.answer(request, market_type, path)

    def fault_answer(self, request: web.Request, op: str, seconds: float) -> web.Response:
        """The gateway says the same of an order that was placed and of one that was not."""
        if op in ("error_placed", "error_not_placed"):
            return unavailable()
        spot = any(f"/{host}/" in request.path for host in SPOT_HOSTS)
        if op == "reject":
            error = RefusalError(*(NO_MONEY if spot else NO_MARGIN))
        else:
            error = WORDS["spot" if spot else "futures"].too_much()
        return refused(error, coded="/v5/" in request.path)

    def id_jump(self, listing: Listing) -> int:
        return 80

    def writer(self, listing: Listing) -> Write:
        """Numbers, in exponent form where they are small; amounts of contracts are whole."""
        price, size = listing.price.text, listing.size.text
        amount = float if listing.market_type == "spot" else int
        return lambda ticks, lots: (float(price(ticks)), amount(size(lots)))

    def enter(self, host: str, path: str) -> str | web.Response:
        door = DOORS.get(path.strip("/"))
        if door is None or host not in HOSTS[door.market_type]:
            return web.Response(status=404)
        return door.market_type

    def opened(self, socket: Socket, request: web.Request) -> None:
        socket.frame = gzip_frame
        self._pings[socket] = deque()
        if DOORS[socket.path.strip("/")].private:
            self._private.opened(socket, request)
        self._subscribes[socket] = Sliding(*SUBSCRIBES)
        self._requests[socket] = Sliding(1, REQUEST_GAP_S)

    def closed(self, socket: Socket) -> None:
        self._private.closed(socket)
        super().closed(socket)
        for kept in (self._pings, self._subscribes, self._requests):
            kept.pop(socket, None)

    def heard(self, socket: Socket, text: str) -> None:
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError:
            frame = None
        door = DOORS[socket.path.strip("/")]
        if not isinstance(frame, dict):
            socket.answer(_error("not json string", {}))
        elif door.private:
            self._private.heard(socket, frame, self._pings[socket])
        elif "pong" in frame:
            if frame["pong"] in self._pings[socket]:
                self._pings[socket].clear()
        else:
            try:
                self._command(socket, frame)
            except CommandError as refusal:
                socket.answer(_error(str(refusal), frame))

    def later(self, tell: Callable[..., None], *arguments: Any) -> None:
        """Let something be told behind an ack that is under way."""
        asyncio.get_running_loop().call_later(2 * self.ack_lag_s, tell, *arguments)

    def _command(self, socket: Socket, frame: dict[str, Any]) -> None:
        if isinstance(frame.get("sub"), str):
            self._subscribe(socket, frame["sub"], frame)
        elif isinstance(frame.get("unsub"), str):
            self._unsubscribe(socket, frame["unsub"], frame)
        elif isinstance(frame.get("req"), str):
            self._request(socket, frame["req"], frame)
        else:
            raise CommandError("invalid topic")

    def _subscribe(self, socket: Socket, topic: str, frame: dict[str, Any]) -> None:
        crowded = socket.market_type == "futures" and not self._subscribes[socket].add(self.now())
        if crowded and self.world.breach(self.name, "subscribes per second"):
            raise CommandError("429 too many request")
        stream = self._here(socket, topic, frame)
        socket.names.add(stream.name)
        ack = {"status": "ok", "subbed": topic, "ts": now_ms()}
        self.acknowledge(socket, _numbered(ack, frame), socket.market_type, [stream.market.listing.symbol])
        self.world.engine.join(socket, stream)

    def _unsubscribe(self, socket: Socket, topic: str, frame: dict[str, Any]) -> None:
        """An incremental book is only found by who repeats its `data_type`."""
        stream = self._here(socket, topic, frame)
        if stream.name not in socket.names:
            raise CommandError("unsub with not subbed topic")
        socket.names.discard(stream.name)
        self.world.engine.leave(socket, stream.name)
        ack = {"status": "ok", "unsubbed": topic, "ts": now_ms()}
        self.acknowledge(socket, _numbered(ack, frame), socket.market_type, [stream.market.listing.symbol])

    def _request(self, socket: Socket, topic: str, frame: dict[str, Any]) -> None:
        """The snapshot of a feed's channel. It arrives late: pushes that it holds already come before it."""
        if not self._requests[socket].add(self.now()) and self.world.breach(self.name, "requests per 100 ms"):
            raise CommandError("429 too many request")
        stream = self._here(socket, topic, frame)
        if topic.partition(".mbp.")[2] not in ("5", "20", "150", "400"):
            raise CommandError("invalid topic")
        broken = self.world.faults.find("rest_error", self.name, "spot", stream.market.listing.symbol) is not None
        snapshot = None if broken else self._snapshot(stream)
        reply = _numbered({"status": "ok", "ts": now_ms(), "rep": topic, "data": snapshot}, frame)
        asyncio.get_running_loop().call_later(
            self.world.patience.htx_snapshot_lag_s, self._reply, socket, stream, reply
        )

    def _reply(self, socket: Socket, stream: Stream, reply: dict[str, Any]) -> None:
        listing = stream.market.listing
        if not socket.answer(reply) or reply["data"] is None:
            return
        place = {"exchange": self.name, "market_type": listing.market_type, "symbol": listing.symbol}
        entry = self.world.journal.entry(socket.id, f"req {stream.name}", **place, kind="book")
        entry.count(reply["data"]["seqNum"])

    def _snapshot(self, stream: Stream) -> dict[str, Any]:
        """The book at the last push of the channel; made once a second at most, so that it may be too old to use."""
        made, snapshot = self._snapshots.get(stream.name, (0.0, None))
        if snapshot is None or self.now() - made > self.world.patience.htx_snapshot_age_s:
            market, depth = stream.market, int(stream.name.rpartition(".")[2])
            self.world.engine.settle(market)
            seq = stream.seq if isinstance(stream, BookStream) and stream.sockets else market.seq
            snapshot = {"seqNum": seq, "bids": market.bids.top(depth), "asks": market.asks.top(depth)}
            self._snapshots[stream.name] = (self.now(), snapshot)
        return snapshot

    def _here(self, socket: Socket, topic: str, frame: dict[str, Any]) -> Stream:
        """The channel, if this kind of socket has it and its symbol trades."""
        door = DOORS[socket.path.strip("/")]
        head, _, rest = topic.partition(".")
        symbol, _, channel = rest.partition(".")
        if head != "market" or channel not in door.channels or " " in channel:
            raise CommandError("invalid topic")
        if door.market_type == "futures":
            symbol = symbol.upper()  # any case will do
        listing = self.listings.get((door.market_type, symbol))
        if listing is None or listing.category != door.category or self.refuses(door.market_type, symbol):
            raise CommandError(
                f"invalid {channel}.symbol {symbol}" if door.channels is streams.FEED else "invalid symbol"
            )
        if channel in ("mbp.5", "mbp.20") and symbol not in MAJORS:
            raise CommandError(f"invalid {channel}.symbol {symbol}")
        name = f"market.{symbol}.{channel}"
        if frame.get("data_type") == "incremental" and channel.endswith("high_freq"):
            name += streams.INCREMENTAL
        stream = self.stream(door.market_type, name)
        if stream is None:
            raise CommandError("symbol trade not open now")
        return stream

    def make_stream(self, market_type: str, name: str) -> Stream | None:
        _, symbol, channel = name.split(".", 2)
        market = self.market(market_type, symbol)
        return None if market is None else streams.CHANNELS[market_type][channel](name, market)

    def book_seq(self, market: Market, books: list[BookStream]) -> int:
        """The version of the deepest high frequency channel in use, else the number that all others share."""
        versioned = [book for book in books if isinstance(book, streams.HighFrequency)]
        return max(versioned, key=lambda book: book.depth).version if versioned else market.seq

    def farewell(self, socket: Socket) -> dict[str, Any]:
        return {"op": "close", "ts": now_ms()}

    def watch(self, socket: Socket, now: float) -> None:
        door = DOORS[socket.path.strip("/")]
        if now - socket.last_ping < self.world.patience.htx_ping_s * door.patience:
            return
        unanswered = self._pings[socket]
        if len(unanswered) >= door.most_unanswered:
            self.world.breaches.add(self.name, "ping unanswered")
            socket.hang_up()
            return
        socket.last_ping = now
        unanswered.append(now_ms())
        if door.private:
            self._private.ping(socket, unanswered[-1])
        else:
            socket.answer({"ping": unanswered[-1]})


def _numbered(message: dict[str, Any], frame: dict[str, Any]) -> dict[str, Any]:
    """The answer with the `id` of the command, whatever its type."""
    return {"id": frame["id"], **message} if "id" in frame else message


def _error(text: str, frame: dict[str, Any]) -> dict[str, Any]:
    return _numbered({"ts": now_ms(), "status": "error", "err-code": "bad-request", "err-msg": text}, frame)
