"""Hyperliquid's WebSocket server: spot, perpetuals and users on one socket.

Served are the types l2Book, bbo and trades, those of users, and questions to `/info`; any other is refused as unknown.
"""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.exchange import Exchange, World, json_answer
from apps.feeds.simulator.hyperliquid import streams
from apps.feeds.simulator.hyperliquid.account import Accounts
from apps.feeds.simulator.hyperliquid.listings import NAME, least, listings, market_type_of
from apps.feeds.simulator.hyperliquid.private import Private, is_of_user
from apps.feeds.simulator.hyperliquid.recorded import HyperliquidLibrary
from apps.feeds.simulator.hyperliquid.rest import QuestionError, Rest
from apps.feeds.simulator.hyperliquid.rows import MOST_LEVERAGE
from apps.feeds.simulator.hyperliquid.trading import Trading
from apps.feeds.simulator.hyperliquid.wallets import Wallets
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Write
from apps.feeds.simulator.sockets import Socket, encode
from apps.feeds.simulator.streams import BookStream, Stream
from apps.feeds.simulator.trading import issuing
from apps.feeds.simulator.trading.rules import Rates, Rules

HOST = "api.hyperliquid.xyz"
GREETING = "Websocket connection established."
# All of one address.
MAX_SOCKETS = 10
MAX_SUBSCRIPTIONS = 1000
CONNECTS = (30, 60.0)
MESSAGES = (2000, 60.0)
BAD_COIN_S = 0.1  # from a subscription that cannot be had to the end of its socket
TYPES = ("l2Book", "bbo", "trades")
RATES = {
    "spot": Rates(Decimal("0.0004"), Decimal("0.0007")),
    "futures": Rates(Decimal("0.00015"), Decimal("0.00045")),
}
FAULT_TEXTS = {"rate_limit": (429, "Too Many Requests"), "ban": (403, "Forbidden")}
DIGITS, MANTISSAS = (None, 2, 3, 4, 5), (None, 2, 5)


class Hyperliquid(Exchange):
    name = NAME
    hosts = frozenset({HOST})
    rules = Rules(
        expiry="matcher",
        post_only="cancel",
        reduce_only="trim",
        rates=RATES,
        most_leverage=MOST_LEVERAGE,
        least=least,
        order_id=lambda number: str(57_118_000_000 + number),
        new_key=issuing.wallet,
    )

    def __init__(self, world: World, recordings: Path | None = None) -> None:
        """`recordings`: a folder with frames of this exchange to play instead of random markets."""
        listed = listings()
        recorded = None if recordings is None else HyperliquidLibrary(recordings).markets(listed, self.writer)
        super().__init__(world, listed, recorded)
        wallets = Wallets(self.desk)
        accounts = Accounts(self.desk, wallets)
        self._rest = Rest(self, accounts, wallets)
        self._trading = Trading(self, self._rest, accounts, wallets)
        self._private = Private(self.desk, accounts, wallets)
        self._connects = Sliding(*CONNECTS)
        self._messages = Sliding(*MESSAGES)

    async def rest(self, request: web.Request, host: str, path: str) -> web.StreamResponse:
        """Of a user's own questions the account's faults hold, as of its actions."""
        place, body = path.strip("/"), await request.read()
        if place not in ("info", "exchange"):
            return web.Response(status=404)
        away = self._rest.turned_away(request)
        if away is not None:
            return away
        if place == "exchange":
            return await self._trading.answer(request, body)
        account = self._rest.asked_of(body)
        if account is None:
            return self._rest.answer(body)
        return await self.gateway.act(account, request, lambda: self._rest.answer(body), kind="read")

    def fault_answer(self, request: web.Request, op: str, seconds: float) -> web.Response:
        if op == "reject":
            statuses = [{"error": "Insufficient margin to place order."}]
            return json_answer({"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}})
        status, text = FAULT_TEXTS.get(op, (503, "Service Unavailable"))
        return web.Response(status=status, text=text)

    def id_jump(self, listing: Listing) -> int:
        return 1  # ids are never told

    def market(self, market_type: str, symbol: str) -> Market | None:
        listing = self.listings.get((market_type, symbol))
        key = (market_type, symbol)
        if listing is not None and not listing.live and key not in self._markets:
            self._markets[key] = streams.DelistedMarket(listing)
        return super().market(market_type, symbol)

    def writer(self, listing: Listing) -> Write:
        """Price, size, and the number of orders at the price."""
        price, size, written = listing.price.text, listing.size.text, streams.written
        return lambda ticks, lots: (written(price(ticks)), written(size(lots)), 1 + lots % 5)

    def book_seq(self, market: Market, books: list[BookStream]) -> int | None:
        """The time of the last whole book; None once the market has moved on from it."""
        plain = next((book for book in books if book.name == f"l2Book:{market.listing.symbol}"), None)
        if isinstance(plain, streams.Book):
            return plain.seq if plain.told == market.seq else None
        return None if plain is None else plain.seq

    def enter(self, host: str, path: str) -> str | web.Response:
        if path.strip("/") != "ws":
            return web.Response(status=404)
        if not self._connects.add(self.now()) and self.world.breach(self.name, "connects"):
            return web.Response(status=429)
        if len(self.sockets) >= MAX_SOCKETS and self.world.breach(self.name, "connections"):
            return web.Response(status=429)
        return ""

    def opened(self, socket: Socket, request: web.Request) -> None:
        socket.answer(GREETING)

    def heard(self, socket: Socket, text: str) -> None:
        if not self._messages.add(self.now()) and self.world.breach(self.name, "messages per minute"):
            socket.hang_up()
            return
        try:
            frame = msgspec.json.decode(text)
            method = frame.get("method")
        except (msgspec.DecodeError, AttributeError):
            method = None
        if method == "ping":
            socket.answer({"channel": "pong"})
        elif method == "post" and _is_question(frame):
            self._post(socket, frame["id"], frame["request"]["payload"])
        elif method in ("subscribe", "unsubscribe") and is_of_user(frame.get("subscription")):
            self._user_command(socket, method, frame["subscription"])
        elif method in ("subscribe", "unsubscribe") and _is_subscription(frame.get("subscription")):
            self._command(socket, method, frame["subscription"])
        else:
            self._error(socket, f"Error parsing JSON into valid websocket request: {text}")

    def _post(self, socket: Socket, number: int, question: Any) -> None:
        """The same questions as by REST, of the same weight; a wrong one is answered with what REST says."""
        try:
            payload = {"type": question.get("type"), "data": self._rest.told(question)}
            response = {"type": "info", "payload": payload}
        except QuestionError as error:
            response = {"type": "error", "payload": f"{error.status} {error}"}
        socket.answer({"channel": "post", "data": {"id": number, "response": response}})

    def _command(self, socket: Socket, method: str, subscription: dict[str, Any]) -> None:
        kind, coin = subscription["type"], subscription["coin"]
        echo: dict[str, Any] = {"type": kind, "coin": coin}
        if kind == "l2Book":
            digits, mantissa = subscription.get("nSigFigs"), subscription.get("mantissa")
            echo |= {"nSigFigs": digits, "mantissa": mantissa, "fast": bool(subscription.get("fast"))}
        name = _name(echo)
        if (name in socket.names) == (method == "subscribe"):
            self._error(socket, f"Already {method}d: {encode(echo).decode()}")
            return
        if method == "subscribe":
            self._subscribe(socket, name, echo)
        else:
            socket.names.discard(name)
            self._acknowledge(socket, method, echo)
            self.world.engine.leave(socket, name)

    def _user_command(self, socket: Socket, method: str, subscription: dict[str, Any]) -> None:
        full = method == "subscribe" and self._private.full(subscription["user"].lower())
        if full and self.world.breach(self.name, "users"):
            self._error(socket, "Cannot track more than 10 total users.")
        elif (wrong := self._private.asked(socket, method, subscription)) is not None:
            self._error(socket, wrong)

    def closed(self, socket: Socket) -> None:
        self._private.closed(socket)
        super().closed(socket)

    def _subscribe(self, socket: Socket, name: str, echo: dict[str, Any]) -> None:
        coin = echo["coin"]
        market_type = market_type_of(coin)
        stream = self.stream(market_type, name) if _is_possible(echo) else None
        if stream is None or self.refuses(market_type, coin):
            asyncio.get_running_loop().call_later(BAD_COIN_S, socket.hang_up)
            return
        held = sum(len(other.names) for other in self.sockets.values())
        if held >= MAX_SUBSCRIPTIONS and self.world.breach(self.name, "subscriptions"):
            self._error(socket, "Too many subscriptions")
            return
        socket.names.add(name)
        self._acknowledge(socket, "subscribe", echo)
        self.world.engine.join(socket, stream)

    def _acknowledge(self, socket: Socket, method: str, echo: dict[str, Any]) -> None:
        ack = {"channel": "subscriptionResponse", "data": {"method": method, "subscription": echo}}
        self.acknowledge(socket, ack, market_type_of(echo["coin"]), [echo["coin"]])

    def _error(self, socket: Socket, text: str) -> None:
        socket.answer({"channel": "error", "data": text})

    def make_stream(self, market_type: str, name: str) -> Stream | None:
        kind, _, coin = name.partition(":")
        market = self.market(market_type, coin)
        return None if market is None else streams.make(market, name, kind)

    def watch(self, socket: Socket, now: float) -> None:
        if now - socket.sent > self.world.patience.hyperliquid_idle_s:
            self.world.breaches.add(self.name, "silence")
            socket.close(1000, "Inactive")


def _is_question(frame: dict[str, Any]) -> bool:
    request = frame.get("request")
    return (
        isinstance(frame.get("id"), int)
        and isinstance(request, dict)
        and request.get("type") == "info"
        and isinstance(request.get("payload"), dict)
    )


def _is_subscription(wanted: Any) -> bool:
    return isinstance(wanted, dict) and wanted.get("type") in TYPES and isinstance(wanted.get("coin"), str)


def _is_possible(echo: dict[str, Any]) -> bool:
    """Whether the variant of a book exists; a mantissa goes with five digits only."""
    digits, mantissa = echo.get("nSigFigs"), echo.get("mantissa")
    return digits in DIGITS and mantissa in MANTISSAS and (mantissa is None or digits == 5)


def _name(echo: dict[str, Any]) -> str:
    variant = ""
    if echo.get("fast"):
        variant = ".fast"
    elif echo.get("nSigFigs") is not None:
        variant = f".{echo['nSigFigs']}" + (f"-{echo['mantissa']}" if echo["mantissa"] is not None else "")
    return f"{echo['type']}{variant}:{echo['coin']}"
