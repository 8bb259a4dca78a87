"""KuCoin's servers of both generations, spot and futures; its accounts are classic ones or unified ones."""

from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path

import msgspec
from aiohttp import web

from apps.feeds.simulator.exchange import Exchange, World
from apps.feeds.simulator.kucoin import classic_streams, streams
from apps.feeds.simulator.kucoin.auth import UNIFIED
from apps.feeds.simulator.kucoin.classic import Classic
from apps.feeds.simulator.kucoin.listings import NAME, listings
from apps.feeds.simulator.kucoin.private import HOST as PRIVATE_HOST
from apps.feeds.simulator.kucoin.private import Bullets, UnifiedPrivate
from apps.feeds.simulator.kucoin.recorded import KucoinLibrary
from apps.feeds.simulator.kucoin.rest import REST_HOSTS, Rest
from apps.feeds.simulator.kucoin.tokens import Tokens
from apps.feeds.simulator.kucoin.trading import Trading, fault_answer
from apps.feeds.simulator.kucoin.unified import Unified
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.streams import BookStream, Stream
from apps.feeds.simulator.trading.rules import Least, Rates, Rules

CLASSIC_HOSTS = {"ws-api-spot.kucoin.com": "spot", "ws-api-futures.kucoin.com": "futures"}
UNIFIED_HOSTS = {"x-push-spot.kucoin.com": "spot", "x-push-futures.kucoin.com": "futures"}
MARKET_TYPES = {**CLASSIC_HOSTS, **UNIFIED_HOSTS, PRIVATE_HOST: ""}
LEAST_LOTS = 1000  # `baseMinSize` of the market list, in lots
LEAST_MONEY = Decimal("0.1")
RATES = {
    "spot": Rates(Decimal("0.001"), Decimal("0.001")),
    "futures": Rates(Decimal("0.0002"), Decimal("0.0006")),
}


def least(listing: Listing) -> Least:
    if listing.market_type == "futures":
        return Least(size=listing.size.step)
    return Least(size=listing.size.step * LEAST_LOTS, value=LEAST_MONEY)


def spot_id(number: int) -> str:
    return f"6720da3f{number:016x}"


def long_id(number: int) -> str:
    return f"2479{number:014d}"


UNIFIED_RULES = Rules(
    unique="forever",
    post_only="cancel",
    reduce_only="trim",
    fee_in="quote",
    rates=RATES,
    wallets={"spot": UNIFIED, "futures": UNIFIED},
    least=least,
    order_id=long_id,
)
RULES = Rules(
    unique="forever",
    post_only="cancel",
    reduce_only="trim",
    fee_in="quote",
    rates=RATES,
    mode="isolated",
    least=least,
    order_id=spot_id,
    futures_order_id=long_id,
    kinds={UNIFIED: UNIFIED_RULES},
)


class Kucoin(Exchange):
    name = NAME
    hosts = frozenset(MARKET_TYPES.keys() | REST_HOSTS.keys())
    rules = RULES

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else KucoinLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        tokens = Tokens(world.rng(NAME, "tokens"), world.patience.kucoin_token_s)
        sockets = {market_type: host for host, market_type in CLASSIC_HOSTS.items()}
        bullets = Bullets(self, tokens, sockets)
        self._rest = Rest(self, bullets)
        self._trading = Trading(self, bullets, self._rest)
        self._generations: dict[str, Classic | Unified | UnifiedPrivate] = {PRIVATE_HOST: UnifiedPrivate(self, tokens)}
        self._generations |= dict.fromkeys(CLASSIC_HOSTS, Classic(self, tokens))
        self._generations |= dict.fromkeys(UNIFIED_HOSTS, Unified(self))

    def rest(self, request: web.Request, host: str, path: str) -> web.Response | Awaitable[web.StreamResponse]:
        market_type = REST_HOSTS.get(host, "")
        if self._trading.serves(request.method, market_type, path):
            return self._trading.answer(request, market_type, path)
        return self._rest.answer(request, host, path)

    def fault_answer(self, request: web.Request, op: str, seconds: float) -> web.Response:
        return fault_answer(request, op, seconds)

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
