"""KuCoin's market data by REST, of both generations; two of the calls only a signed request gets."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.exchange import json_answer, unix_s
from apps.feeds.simulator.kucoin.listings import contract_row, instrument_row, number, symbol_row
from apps.feeds.simulator.kucoin.private import Bullets
from apps.feeds.simulator.kucoin.refusals import RefusalError
from apps.feeds.simulator.kucoin.streams import TRADE_TYPES
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Row
from apps.feeds.simulator.ticker import ticker

if TYPE_CHECKING:
    from apps.feeds.simulator.kucoin.exchange import Kucoin

REST_HOSTS = {"api.kucoin.com": "spot", "api-futures.kucoin.com": "futures"}
POOLS = {"public": (2000, 30.0), "unified": (200, 3.0)}  # weight and seconds, per address
WEIGHTS = {  # by the last part of the path
    "bullet-public": 10,
    "level2_20": 2,
    "level2_100": 4,
    "level2": 3,
    "allTickers": 15,
}
USUAL_WEIGHT = 3  # of what is not stated
DEPTHS = {"20": 20, "50": 50, "100": 100}
EVERYTHING = 100_000  # levels
SIGNED = ("KC-API-KEY", "KC-API-SIGN", "KC-API-TIMESTAMP", "KC-API-PASSPHRASE")
CLOCK_WINDOW_S = 5.0
TOO_MUCH = {"code": "429000", "msg": "Too Many Requests"}


class Call:
    """One request, without what its answer does not depend on."""

    def __init__(self, request: web.Request, market_type: str, rest: str) -> None:
        self.market_type = market_type
        self.rest = rest  # of the path, behind what it was found by
        self.query = dict(request.query)
        self.headers: Mapping[str, str] = request.headers
        self.server = request.host


class Rest:
    def __init__(self, exchange: "Kucoin", bullets: Bullets) -> None:
        self._exchange = exchange
        self._world = exchange.world
        self._bullets = bullets
        self._pools = {pool: Sliding(*limit) for pool, limit in POOLS.items()}
        both = {("GET", "api/v1/timestamp"): self._time, ("POST", "api/v1/bullet-public"): self._bullet}
        unified = {
            ("GET", f"api/ua/{version}/{name}"): answer
            for version in ("v1", "v2")
            for name, answer in (
                ("market/instrument", self._instruments),
                ("market/orderbook", self._unified_book),
                ("asset/currencies", self._assets),
            )
        }
        self._answers: dict[str, dict[tuple[str, str], Callable[[Call], Any]]] = {
            "spot": {
                **both,
                **unified,
                ("GET", "api/v2/symbols"): self._symbols,
                ("GET", "api/v3/currencies"): self._currencies,
                ("GET", "api/v1/market/allTickers"): self._tickers,
                ("GET", "api/v1/market/orderbook/level2_20"): lambda call: self._spot_book(call, 20),
                ("GET", "api/v1/market/orderbook/level2_100"): lambda call: self._spot_book(call, 100),
                ("GET", "api/v3/market/orderbook/level2"): self._full_spot_book,
            },
            "futures": {
                **both,
                ("GET", "api/v1/contracts/active"): self._contracts,
                ("GET", "api/v1/contracts"): self._contract,
                ("GET", "api/v1/level2/snapshot"): lambda call: self._futures_book(call, EVERYTHING),
                ("GET", "api/v1/level2/depth20"): lambda call: self._futures_book(call, 20),
                ("GET", "api/v1/level2/depth100"): lambda call: self._futures_book(call, 100),
            },
        }

    def answer(self, request: web.Request, host: str, path: str) -> web.Response:
        """Errors are in `code`, whatever the status says."""
        market_type = REST_HOSTS.get(host, "")
        answer, rest = self._find(request.method, market_type, path)
        if answer is None:
            return json_answer({"code": "404", "msg": "Not Found"}, status=404)
        call = Call(request, market_type, rest)
        pool = self._pools["unified" if path.startswith("api/ua/") else "public"]
        allowed = pool.add(self._exchange.now(), WEIGHTS.get(path.rpartition("/")[2], USUAL_WEIGHT))
        headers = self._headers(pool)
        if not allowed and self._world.breach(self._exchange.name, "requests"):
            return json_answer(TOO_MUCH, status=429, headers=headers)
        if (refused := self.scripted(market_type, headers)) is not None:
            return refused
        try:
            return json_answer({"code": "200000", "data": answer(call)}, headers=headers)
        except RefusalError as refusal:
            return json_answer(refusal.body, status=refusal.status, headers=headers)

    def scripted(self, market_type: str, headers: dict[str, str]) -> web.Response | None:
        """The answer to all requests while a fault of the exchange lasts."""
        if (ban := self._world.faults.find("ban", self._exchange.name, market_type)) is not None:
            reset = {"gw-ratelimit-remaining": "0", "gw-ratelimit-reset": _ms(ban.left_s(self._exchange.now()))}
            return json_answer(TOO_MUCH, status=429, headers=headers | reset)
        if self._world.faults.find("rest_error", self._exchange.name, market_type) is not None:
            return json_answer({"code": "500000", "msg": "Internal Server Error"}, status=503)
        return None

    def _find(self, method: str, market_type: str, path: str) -> tuple[Callable[[Call], Any] | None, str]:
        """What answers, and the last part of the path where that is a symbol."""
        answers = self._answers.get(market_type, {})
        found = answers.get((method, path))
        if found is not None:
            return found, ""
        parent, _, symbol = path.rpartition("/")
        one_of_a_list = parent in ("api/v2/symbols", "api/v1/contracts")
        return (answers.get((method, parent)) if one_of_a_list else None), symbol

    def _headers(self, pool: Sliding) -> dict[str, str]:
        return {
            "gw-ratelimit-limit": str(pool.limit),
            "gw-ratelimit-remaining": str(pool.left),
            "gw-ratelimit-reset": _ms(pool.reset_s(self._exchange.now())),
        }

    def _time(self, call: Call) -> int:
        return self._exchange.desk.now_ms()

    def _bullet(self, call: Call) -> dict[str, Any]:
        return self._bullets.public(call.market_type, call.server)

    def _symbols(self, call: Call) -> Any:
        if call.rest:
            return symbol_row(self._listing("spot", call.rest))
        return [symbol_row(listing) for listing in self._listed("spot")]

    def _currencies(self, call: Call) -> list[dict[str, Any]]:
        """The coins of the spot list; nothing can be brought in or taken out, so that they have no chains."""
        rest: dict[str, Any] = {"precision": 8, "confirms": None, "contractAddress": None, "chains": []}
        return [{"currency": coin, "name": coin, "fullName": coin, **rest} for coin in self._coins()]

    def _assets(self, call: Call) -> list[dict[str, Any]]:
        """The same for unified accounts."""
        rest: dict[str, Any] = {"precision": 8, "isMarginEnabled": False, "isDebitEnabled": False, "items": []}
        return [{"currency": coin, "name": coin, "fullName": coin, **rest} for coin in self._coins()]

    def _coins(self) -> list[str]:
        return sorted({coin for listing in self._listed("spot") for coin in (listing.base, listing.quote)})

    def _tickers(self, call: Call) -> dict[str, Any]:
        days = [ticker(listing) for listing in self._listed("spot")]
        return {
            "time": int(unix_s() * 1000),
            "ticker": [
                {
                    "symbol": day.listing.symbol,
                    "symbolName": day.listing.symbol,
                    "last": day.price(day.last),
                    "high": day.price(day.high),
                    "low": day.price(day.low),
                    "vol": str(day.base_volume),
                    "volValue": str(day.quote_volume),
                }
                for day in days
            ],
        }

    def _contracts(self, call: Call) -> list[dict[str, Any]]:
        return [contract_row(listing) for listing in self._listed("futures")]

    def _contract(self, call: Call) -> dict[str, Any]:
        return contract_row(self._listing("futures", call.rest))

    def _instruments(self, call: Call) -> dict[str, Any]:
        market_type = _market_type(call)
        wanted = call.query.get("symbol")
        listed = [self._listing(market_type, wanted)] if wanted else self._listed(market_type)
        return {"tradeType": TRADE_TYPES[market_type], "list": [instrument_row(listing) for listing in listed]}

    def _unified_book(self, call: Call) -> dict[str, Any]:
        market_type, limit = _market_type(call), call.query.get("limit", "")
        if limit == "FULL":
            self._signed(call)
        elif limit not in DEPTHS:
            raise RefusalError("400100", "limit must be one of 20, 50, 100, FULL", 400)
        market = self._market(market_type, call.query.get("symbol", ""))
        bids, asks = self._book("/api/ua/market/orderbook", market, DEPTHS.get(limit, EVERYTHING))
        head = {"tradeType": TRADE_TYPES[market_type], "symbol": market.listing.symbol, "sequence": str(market.seq)}
        return {**head, "bids": bids, "asks": asks}

    def _full_spot_book(self, call: Call) -> dict[str, Any]:
        self._signed(call)
        return self._spot_book(call, EVERYTHING)

    def _spot_book(self, call: Call, depth: int) -> dict[str, Any]:
        market = self._market("spot", call.query.get("symbol", ""))
        bids, asks = self._book("/market/orderbook", market, depth)
        return {"time": self._time(call), "sequence": str(market.seq), "bids": bids, "asks": asks}

    def _futures_book(self, call: Call, depth: int) -> dict[str, Any]:
        market = self._market("futures", call.query.get("symbol", ""))
        bids, asks = ([_numbers(row) for row in rows] for rows in self._book("/level2/snapshot", market, depth))
        head = {"sequence": market.seq, "symbol": market.listing.symbol}
        return {**head, "bids": bids, "asks": asks, "ts": self._time(call) * 1_000_000}

    def _book(self, path: str, market: Market, depth: int) -> tuple[list[Row], list[Row]]:
        self._exchange.served_book(path, market, market.seq)
        return market.bids.top(depth), market.asks.top(depth)

    def _signed(self, call: Call) -> None:
        """The market is the same for everybody: any key passes whose clock is right."""
        if not all(call.headers.get(header) for header in SIGNED):
            raise RefusalError("400001", "Please check the header of your request for KC-API-KEY", 401)
        stamp = call.headers["KC-API-TIMESTAMP"]
        if not stamp.isdigit() or abs(unix_s() - int(stamp) / 1000) > CLOCK_WINDOW_S:
            raise RefusalError("400002", "Invalid KC-API-TIMESTAMP", 401)

    def _listed(self, market_type: str) -> list[Listing]:
        return [entry for (kind, _), entry in self._exchange.listings.items() if kind == market_type]

    def _listing(self, market_type: str, symbol: str) -> Listing:
        listing = self._exchange.listings.get((market_type, symbol))
        if listing is None:
            raise RefusalError("900001", "symbol not exists", 400)
        return listing

    def _market(self, market_type: str, symbol: str) -> Market:
        market = self._exchange.market(market_type, symbol)
        if market is None:
            raise RefusalError("900001", "symbol not exists", 400)
        return market


def _market_type(call: Call) -> str:
    for market_type, trade_type in TRADE_TYPES.items():
        if call.query.get("tradeType") == trade_type:
            return market_type
    raise RefusalError("400100", "tradeType must be SPOT or FUTURES", 400)


def _numbers(row: Row) -> list[msgspec.Raw]:
    """Small prices with an exponent, whole numbers without a point."""
    return [msgspec.Raw(repr(number(str(cell))).encode()) for cell in row]


def _ms(seconds: float) -> str:
    return str(max(0, int(seconds * 1000)))
