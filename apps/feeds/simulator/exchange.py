"""What the exchanges have in common: sockets, markets, channels, and answers to faults."""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import WSMsgType, web

from apps.feeds.simulator.engine import Engine
from apps.feeds.simulator.faults import Fault, Faults
from apps.feeds.simulator.journal import Journal
from apps.feeds.simulator.limits import Breaches, Patience
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Row, Write
from apps.feeds.simulator.random_market import PriceWalk, RandomMarket
from apps.feeds.simulator.recorded import RecordedMarket
from apps.feeds.simulator.sockets import Socket, encode
from apps.feeds.simulator.streams import BookStream, Stream
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.faults import AccountFaults
from apps.feeds.simulator.trading.gateway import Gateway
from apps.feeds.simulator.trading.rules import Rules

FAULT_STATUS = {"error_placed": 503, "error_not_placed": 503, "reject": 400, "rate_limit": 429, "ban": 418}


@dataclass
class World:
    """What all exchanges of one simulator share."""

    seed: int
    engine: Engine
    faults: Faults
    journal: Journal
    breaches: Breaches
    patience: Patience
    strict: bool  # limits are enforced, not only counted
    walks: dict[str, PriceWalk] = field(default_factory=dict)

    def rng(self, *names: str) -> random.Random:
        return random.Random(":".join((str(self.seed), *names)))

    def walk(self, coin: str) -> PriceWalk:
        if coin not in self.walks:
            self.walks[coin] = PriceWalk(self.rng("walk", coin))
        return self.walks[coin]

    def breach(self, exchange: str, limit: str) -> bool:
        """Record a breach; True when it is to be punished."""
        self.breaches.add(exchange, limit)
        return self.strict


class Exchange(ABC):
    """One exchange. The dialects fill in what is said; here is who is connected and what is traded."""

    name: ClassVar[str]
    hosts: ClassVar[frozenset[str]]
    largest_message: ClassVar[int] = 1024 * 1024  # bytes a client may send in one
    ack_lag_s: ClassVar[float] = 0.0
    rules: ClassVar[Rules] = Rules()  # of its order desk

    def __init__(self, world: World, listings: list[Listing], recorded: list[RecordedMarket] | None) -> None:
        """`recorded` markets, if not None, are all that is listed."""
        self.world = world
        listings = listings if recorded is None else [market.listing for market in recorded]
        self.listings = {(listing.market_type, listing.symbol): listing for listing in listings}
        self.sockets: dict[str, Socket] = {}
        self.asked: Counter[str] = Counter()  # all that came, answered or refused: handshakes and REST requests
        self._markets: dict[tuple[str, str], Market] = {}
        for market in recorded or []:
            self._markets[market.listing.market_type, market.listing.symbol] = market
        self._streams: dict[tuple[str, str], Stream] = {}
        self.rng = world.rng(self.name)
        self.desk = Desk(
            self.name,
            rules=self.rules,
            listings=self.listings,
            market=self.market,
            stage=world.engine,
            faults=AccountFaults(self.now),
        )
        self.gateway = Gateway(self.desk, self.fault_answer)

    def market(self, market_type: str, symbol: str) -> Market | None:
        """The market of a listed symbol that has a book; it is made when it is first asked for."""
        market = self._markets.get((market_type, symbol))
        listing = self.listings.get((market_type, symbol))
        if market is None and listing is not None and listing.live:
            market = RandomMarket(
                listing,
                rng=self.world.rng(self.name, market_type, symbol),
                write=self.writer(listing),
                walk=self.world.walk(listing.coin),
                id_jump=self.id_jump(listing),
            )
            self._markets[market_type, symbol] = market
        return market

    def stream(self, market_type: str, name: str) -> Stream | None:
        """The channel of that name; None when the exchange has no such channel or symbol."""
        key = (market_type, name)
        stream = self._streams.get(key)
        if stream is None:
            stream = self.make_stream(market_type, name)
            if stream is not None:
                if isinstance(stream.market, RecordedMarket) and isinstance(stream, BookStream):
                    stream = stream.market.played(stream)
                self._streams[key] = stream
        return stream

    def writer(self, listing: Listing) -> Write:
        """How a level is written, from price in ticks and size in lots."""
        price, size = listing.price.text, listing.size.text
        return lambda ticks, lots: (price(ticks), size(lots))

    @abstractmethod
    def id_jump(self, listing: Listing) -> int:
        """Greatest step of the update ids of a market; 1 where they count every change."""

    @abstractmethod
    def make_stream(self, market_type: str, name: str) -> Stream | None: ...

    @abstractmethod
    def enter(self, host: str, path: str) -> str | web.Response:
        """Judge a new socket: the market type it is for (empty: both), or the refusal."""

    @abstractmethod
    def opened(self, socket: Socket, request: web.Request) -> None:
        """The handshake is done."""

    @abstractmethod
    def heard(self, socket: Socket, text: str) -> None:
        """The client said something."""

    @abstractmethod
    def watch(self, socket: Socket, now: float) -> None:
        """Called a few times a second: heartbeats and deadlines."""

    def farewell(self, socket: Socket) -> dict[str, Any] | None:
        """What the exchange says some time before it closes a socket, if it says anything."""
        return None

    @abstractmethod
    def rest(
        self, request: web.Request, host: str, path: str
    ) -> web.StreamResponse | Awaitable[web.StreamResponse]: ...

    def fault_answer(self, request: web.Request, op: str, seconds: float) -> web.Response:
        """What a request meets on purpose: "error_placed" (carried out all the same), "error_not_placed", "reject",
        "rate_limit" or "ban", the last two for `seconds`."""
        status = FAULT_STATUS[op]
        return json_answer({"error": op}, status=status, headers={"Retry-After": str(round(seconds))})

    def closed(self, socket: Socket) -> None:
        """The socket is gone."""
        for name in list(socket.streams):
            self.world.engine.leave(socket, name)

    @staticmethod
    def now() -> float:
        """Seconds of the steady clock that all deadlines here are measured with."""
        return asyncio.get_running_loop().time()

    def ponged(self, socket: Socket) -> None:
        socket.pinged = None

    def pinged(self, socket: Socket, body: bytes) -> None:
        socket.pong(body)

    async def connect(self, request: web.Request, host: str, path: str) -> web.StreamResponse:
        """Serve one WebSocket until either side ends it."""
        self.asked["handshakes"] += 1
        entrance = self.enter(host, path)
        if isinstance(entrance, web.Response):
            return entrance
        shut = self.world.faults.find("turn_away", self.name, entrance or None)
        if shut is not None:
            return web.Response(status=429, headers={"Retry-After": str(max(1, round(shut.left_s(self.now()))))})
        response = web.WebSocketResponse(autoping=False, compress=False, timeout=1.0, max_msg_size=self.largest_message)
        await response.prepare(request)
        if request.transport is None:
            return response
        socket = Socket(
            exchange=self.name,
            market_type=entrance,
            host=host,
            path=path,
            response=response,
            transport=request.transport,
            now=self.now(),
        )
        self.sockets[socket.id] = socket
        try:
            socket.silent = self.silenced(socket)
            self.opened(socket, request)
            async for message in response:
                if not socket.silent and not socket.closing:
                    self._dispatch(socket, message.type, message.data)
        finally:
            del self.sockets[socket.id]
            self.desk.leave(socket)
            self.closed(socket)
        return response

    def _dispatch(self, socket: Socket, kind: WSMsgType, data: Any) -> None:
        if kind == WSMsgType.TEXT:
            self.heard(socket, data)
        elif kind == WSMsgType.PING:
            self.pinged(socket, bytes(data))
        elif kind == WSMsgType.PONG:
            self.ponged(socket)

    def silenced(self, socket: Socket) -> bool:
        """Whether the fault `silence` holds for this socket: by its market, or by any symbol it listens to."""
        faults = self.world.faults
        return faults.active and any(faults.find("silence", self.name, *place) for place in socket.places)

    def acknowledge(self, socket: Socket, message: Any, market_type: str, symbols: Iterable[str] = ()) -> None:
        """Send an ack, unless it is held back or delayed on purpose: for everybody, or for one of its symbols."""
        if self._fault_of("no_ack", market_type, symbols) is not None:
            return
        late = self._fault_of("delay_ack", market_type, symbols)
        delay_s = self.ack_lag_s if late is None else late.seconds
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, socket.answer, message)
        else:
            socket.answer(message)

    def _fault_of(self, name: str, market_type: str, symbols: Iterable[str]) -> Fault | None:
        places = [None, *symbols]
        found = (self.world.faults.find(name, self.name, market_type, symbol) for symbol in places)
        return next((fault for fault in found if fault is not None), None)

    def refuses(self, market_type: str, symbol: str) -> bool:
        """Whether the fault `refuse` holds for a subscription."""
        return self.world.faults.find("refuse", self.name, market_type, symbol) is not None

    def view(self, market: Market, depth: int) -> dict[str, Any]:
        """The truth of a market with the number that a client's book would hold; amounts as the exchange counts."""
        self.world.engine.settle(market)
        books = self.world.engine.books(market)
        return {
            "seq": self.book_seq(market, books),
            "bids": _numbers(market.bids.top(depth or len(market.bids.keys))),
            "asks": _numbers(market.asks.top(depth or len(market.asks.keys))),
        }

    def book_seq(self, market: Market, books: list[BookStream]) -> int | None:
        """None where the exchange does not number its books."""
        return market.seq

    def served_book(self, path: str, market: Market, seq: int) -> None:
        """Note a book given out by REST."""
        listing = market.listing
        self.world.journal.entry(
            "rest",
            f"{path} {listing.symbol}",
            exchange=self.name,
            market_type=listing.market_type,
            symbol=listing.symbol,
            kind="rest",
        ).count(seq)


def _numbers(rows: list[Row]) -> list[list[float]]:
    return [[float(row[0]), float(row[1])] for row in rows]


def json_answer(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    response = web.Response(body=encode(body), status=status, headers=headers, content_type="application/json")
    response.enable_compression()
    return response


def unix_s() -> float:
    return time.time()
