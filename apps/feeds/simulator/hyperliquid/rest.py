"""Hyperliquid's questions: every one is a POST to /info, and nearly every answer has status 200."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.exchange import json_answer, unix_s
from apps.feeds.simulator.hyperliquid import streams
from apps.feeds.simulator.hyperliquid.account import Accounts
from apps.feeds.simulator.hyperliquid.listings import BUILDER, MAIN, market_type_of, meta, spot_meta
from apps.feeds.simulator.hyperliquid.wallets import ADDRESS, Wallets
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market
from apps.feeds.simulator.ticker import ticker
from apps.feeds.simulator.trading.accounts import Account

if TYPE_CHECKING:
    from apps.feeds.simulator.hyperliquid.exchange import Hyperliquid

REQUESTS = (1200, 60.0)  # weight per address and seconds
LIGHT = ("l2Book", "allMids", "exchangeStatus", "clearinghouseState", "spotClearinghouseState", "orderStatus")
WEIGHTS = {**dict.fromkeys(LIGHT, 2), "userRole": 60}
HEAVY = 20
ROWS_PER_WEIGHT = 20
COUNTED_ROWS = ("historicalOrders", "userFills", "userFillsByTime", "userFunding")
SINCE = ("userFillsByTime", "userFunding")  # need a time to begin at
MARKET_TYPES = {"meta": "futures", "metaAndAssetCtxs": "futures", "perpDexs": "futures"}
MARKET_TYPES |= {"spotMeta": "spot", "spotMetaAndAssetCtxs": "spot"}
MARKET_TYPES |= {"clearinghouseState": "futures", "spotClearinghouseState": "spot", "userFunding": "futures"}
UNKNOWN = "Failed to deserialize the JSON body into the target type"
Question = dict[str, Any]


class QuestionError(Exception):
    """A question that is answered with a status of its own."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Rest:
    def __init__(self, exchange: "Hyperliquid", accounts: Accounts, wallets: Wallets) -> None:
        self._exchange = exchange
        self._accounts = accounts
        self._wallets = wallets
        self._world = exchange.world
        self._requests = Sliding(*REQUESTS)
        self._answers: dict[str, Callable[[Question], Any]] = {
            "meta": lambda question: meta(self._dex(question)),
            "metaAndAssetCtxs": self._perpetuals,
            "spotMeta": lambda question: spot_meta(self._listed("spot")),
            "spotMetaAndAssetCtxs": self._spot,
            "perpDexs": self._dexes,
            "allMids": self._mids,
            "l2Book": self._book,
            "recentTrades": self._trades,
            "exchangeStatus": lambda question: {"specialStatuses": None, "time": self._exchange.desk.now_ms()},
        }

    def turned_away(self, request: web.Request) -> web.Response | None:
        """Whatever is not a POST of JSON."""
        if request.method != "POST":
            return web.Response(status=405)
        if request.content_type != "application/json":
            return web.Response(status=415, text="Expected request with `Content-Type: application/json`")
        return None

    def asked_of(self, body: bytes) -> Account | None:
        """The account that a question is about."""
        try:
            user = question_of(body).get("user")
        except QuestionError:
            return None
        return self._wallets.account(user) if isinstance(user, str) else None

    def answer(self, body: bytes) -> web.Response:
        try:
            return json_answer(self.told(question_of(body)))
        except QuestionError as error:
            return _failed(error)

    def told(self, question: Question) -> Any:
        """The answer to a question, by REST or on a socket. Raises QuestionError."""
        kind = question.get("type")
        if not isinstance(kind, str):
            raise QuestionError(422, UNKNOWN)
        answer = self._of_user if kind in self._accounts.answers else self._answers.get(kind)
        if answer is None:
            raise QuestionError(422, UNKNOWN)
        self._admit(_market_type(question), WEIGHTS.get(question["type"], HEAVY))
        return answer(question)

    def shut(self, market_type: str, weight: int) -> web.Response | None:
        """Count an action; the refusal, if there is one."""
        try:
            self._admit(market_type, weight)
        except QuestionError as error:
            return _failed(error)
        return None

    def _admit(self, market_type: str | None, weight: int) -> None:
        faults, name = self._world.faults, self._exchange.name
        banned = faults.find("ban", name, market_type) is not None
        over = not self._requests.add(self._exchange.now(), weight)
        if banned or (over and self._world.breach(name, "weight")):
            raise QuestionError(429, "Too Many Requests")
        if faults.find("rest_error", name, market_type) is not None:
            raise QuestionError(503, "Service Unavailable")

    def _of_user(self, question: Question) -> Any:
        """The more rows there are, the more it costs."""
        kind, user = question["type"], question.get("user")
        if not isinstance(user, str) or ADDRESS.fullmatch(user) is None:
            raise QuestionError(422, UNKNOWN)
        times = (question.get("startTime"), question.get("endTime") or 0)
        if kind in SINCE and not all(isinstance(time, int) for time in times):
            raise QuestionError(422, UNKNOWN)
        if kind == "orderStatus" and not isinstance(question.get("oid"), int | str):
            raise QuestionError(422, UNKNOWN)
        self._dex(question)
        account = self._wallets.account(user)
        found = (
            self._accounts.nobody(kind, user) if account is None else self._accounts.answers[kind](account, question)
        )
        if kind in COUNTED_ROWS:
            self._requests.add(self._exchange.now(), len(found) // ROWS_PER_WEIGHT)
        return found

    def _listed(self, market_type: str) -> list[Listing]:
        return [listing for (kind, _), listing in self._exchange.listings.items() if kind == market_type]

    def _dex(self, question: Question) -> list[Listing]:
        dex = question.get("dex") or MAIN
        if dex not in (MAIN, BUILDER):
            raise QuestionError(500, "unknown dex")
        return [listing for listing in self._listed("futures") if listing.category == dex]

    def _dexes(self, question: Question) -> list[Any]:
        address = "0x88806a71d74ad0a510b350545c9ae490912f0888"
        return [None, {"name": BUILDER, "fullName": "XYZ", "deployer": address, "oracleUpdater": None}]

    def _perpetuals(self, question: Question) -> list[Any]:
        listings = self._dex(question)
        return [meta(listings), [_perpetual(listing) for listing in listings]]

    def _spot(self, question: Question) -> list[Any]:
        listings = self._listed("spot")
        return [spot_meta(listings), [_pair(listing) for listing in listings]]

    def _mids(self, question: Question) -> dict[str, str]:
        listings = [*self._dex(question), *([] if question.get("dex") else self._listed("spot"))]
        return {listing.symbol: _price(listing) for listing in listings if listing.live}

    def _book(self, question: Question) -> dict[str, Any] | None:
        """Null for a coin that is not listed."""
        market = self._market(question)
        if market is None:
            return None
        ms = _block_ms()
        self._exchange.served_book("/info l2Book", market, ms)
        return streams.book(market, streams.BOOK_DEPTH, ms)

    def _trades(self, question: Question) -> list[dict[str, Any]]:
        """The latest fills, newest first; they cost more the more they are."""
        market = self._market(question)
        if market is None:
            raise QuestionError(500, "unknown coin")
        latest = list(market.trades)[-streams.REPLAYED :]
        self._requests.add(self._exchange.now(), len(latest) // ROWS_PER_WEIGHT)
        return [streams.fill(market, trade) for trade in reversed(latest)]

    def _market(self, question: Question) -> Market | None:
        coin = question.get("coin")
        if not isinstance(coin, str):
            raise QuestionError(422, UNKNOWN)
        return self._exchange.market(market_type_of(coin), coin)


def _failed(error: QuestionError) -> web.Response:
    if error.status == 500:
        return json_answer(None, status=500)
    return web.Response(status=error.status, text=str(error))


def question_of(body: bytes) -> Question:
    try:
        question = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise QuestionError(400, "Failed to parse the request body as JSON") from error
    if not isinstance(question, dict):
        raise QuestionError(422, UNKNOWN)
    return question


def _market_type(question: Question) -> str | None:
    coin = question.get("coin")
    return market_type_of(coin) if isinstance(coin, str) else MARKET_TYPES.get(question["type"])


def _block_ms() -> int:
    return int(unix_s() * 1000) - streams.AGE_MS


def _price(listing: Listing) -> str:
    day = ticker(listing)
    return streams.written(day.price(day.last))


def _perpetual(listing: Listing) -> dict[str, Any]:
    """Nobody bids for what is delisted: no middle, no premium."""
    day = ticker(listing)
    price = _price(listing)
    return {
        "funding": "0.0000125",
        "openInterest": f"{day.base_volume / 3:.1f}",
        "prevDayPx": streams.written(day.price(day.open)),
        "dayNtlVlm": f"{day.quote_volume:.4f}",
        "premium": "-0.0002" if listing.live else None,
        "oraclePx": price,
        "markPx": price,
        "midPx": price if listing.live else None,
        "impactPxs": [price, price] if listing.live else None,
        "dayBaseVlm": f"{day.base_volume:.5f}",
    }


def _pair(listing: Listing) -> dict[str, Any]:
    day = ticker(listing)
    price = _price(listing)
    return {
        "prevDayPx": streams.written(day.price(day.open)),
        "dayNtlVlm": f"{day.quote_volume:.4f}",
        "markPx": price,
        "midPx": price,
        "circulatingSupply": "1000000.0",
        "coin": listing.symbol,
        "totalSupply": "1000000.0",
        "dayBaseVlm": f"{day.base_volume:.5f}",
    }
