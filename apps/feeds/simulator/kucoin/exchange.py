"""KuCoin's public servers of both generations, spot and futures."""

from pathlib import Path

import msgspec
from aiohttp import web

from apps.feeds.simulator.exchange import Exchange, World
from apps.feeds.simulator.kucoin import classic_streams, streams
from apps.feeds.simulator.kucoin.classic import Classic
from apps.feeds.simulator.kucoin.listings import NAME, listings
from apps.feeds.simulator.kucoin.recorded import KucoinLibrary
from apps.feeds.simulator.kucoin.rest import REST_HOSTS, Rest
from apps.feeds.simulator.kucoin.tokens import Tokens
from apps.feeds.simulator.kucoin.unified import Unified
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.streams import BookStream, Stream

CLASSIC_HOSTS = {"ws-api-spot.kucoin.com": "spot", "ws-api-futures.kucoin.com": "futures"}
UNIFIED_HOSTS = {"x-push-spot.kucoin.com": "spot", "x-push-futures.kucoin.com": "futures"}
MARKET_TYPES = CLASSIC_HOSTS | UNIFIED_HOSTS


class Kucoin(Exchange):
    name = NAME
    hosts = frozenset(MARKET_TYPES.keys() | REST_HOSTS.keys())

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else KucoinLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        tokens = Tokens(world.rng(NAME, "tokens"), world.patience.kucoin_token_s)
        sockets = {market_type: host for host, market_type in CLASSIC_HOSTS.items()}
        self._rest = Rest(self, tokens, sockets)
        self._generations: dict[str, Classic | Unified] = dict.fromkeys(CLASSIC_HOSTS, Classic(self, tokens))
        self._generations |= dict.fromkeys(UNIFIED_HOSTS, Unified(self))

    def rest(self, request: web.Request, host: str, path: str) -> web.Response:
        return self._rest.answer(request, host, path)

    def id_jump(self, listing: Listing) -> int:
        return 1

    def enter(self, host: str, path: str) -> str | web.Response:
        generation = self._generations.get(host)
        if generation is None:
            return web.Response(status=404)
        if not generation.connects.add(self.now()) and self.world.breach(self.name, f"connects {generation.name}"):
            return web.Response(status=429)
        return MARKET_TYPES[host]

    def opened(self, socket: Socket, request: web.Request) -> None:
        self._generations[socket.host].opened(socket, dict(request.query))

    def closed(self, socket: Socket) -> None:
        super().closed(socket)
        self._generations[socket.host].closed(socket)

    def heard(self, socket: Socket, text: str) -> None:
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError:
            frame = None
        self._generations[socket.host].heard(socket, frame if isinstance(frame, dict) else {})

    def watch(self, socket: Socket, now: float) -> None:
        self._generations[socket.host].watch(socket, now)

    def make_stream(self, market_type: str, name: str) -> Stream | None:
        channel, _, rest = name.partition(":")
        symbol = rest.rpartition(":")[2]
        market = self.market(market_type, symbol)
        if market is None:
            return None
        if channel.startswith("/"):
            return classic_streams.make(market, name)
        return streams.make(market, channel, rest.partition(":")[0])

    def book_seq(self, market: Market, books: list[BookStream]) -> int:
        """That of the deepest channel in use: changes below its last level do not count in it."""
        return max(books, key=_depth).seq if books else market.seq


def _depth(stream: BookStream) -> float:
    if isinstance(stream, streams.Whole):
        return stream.depth
    return streams.INCREMENT_DEPTH if stream.name.startswith("obu:increment@10ms") else float("inf")
