"""OKX's public REST."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.exchange import json_answer, unix_s
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market
from apps.feeds.simulator.okx import streams
from apps.feeds.simulator.okx.listings import row
from apps.feeds.simulator.okx.refusals import RefusalError
from apps.feeds.simulator.ticker import ticker

if TYPE_CHECKING:
    from apps.feeds.simulator.okx.exchange import Okx

REST_HOSTS = {"www.okx.com"}
WINDOW_S = 2.0
# Requests in two seconds and address; of instruments also per instType.
LIMITS = {"public/instruments": 20, "market/books": 40, "market/books-full": 10, "market/tickers": 20}
LIMITS |= {"market/trades": 100, "public/time": 10}


class Rest:
    def __init__(self, exchange: "Okx") -> None:
        self._exchange = exchange
        self._world = exchange.world
        self._windows: dict[tuple[str, str], Sliding] = {}
        self._answers: dict[str, Callable[[dict[str, str]], list[dict[str, Any]]]] = {
            "public/time": lambda query: [{"ts": str(exchange.desk.now_ms())}],
            "public/instruments": self._instruments,
            "market/books": lambda query: self._books(query, 400),
            "market/books-full": lambda query: self._books(query, 5000),
            "market/tickers": self._tickers,
            "market/trades": self._trades,
        }

    def answer(self, request: web.Request, path: str) -> web.Response:
        name, query = path.removeprefix("api/v5/"), dict(request.query)
        if not path.startswith("api/v5/") or name not in self._answers:
            return json_answer(_envelope("404", "Not Found"), status=404)
        faults, market_type = self._world.faults, _market_type(query)
        if self._over(name, query) or faults.find("ban", self._exchange.name, market_type) is not None:
            return json_answer(_envelope("50011", "Too Many Requests"), status=429)
        if faults.find("rest_error", self._exchange.name, market_type) is not None:
            return json_answer(_envelope("50001", "Service temporarily unavailable. Try again later"), status=503)
        try:
            return json_answer({**_envelope("0", ""), "data": self._answers[name](query)})
        except RefusalError as refusal:
            return json_answer(_envelope(refusal.code, str(refusal)))

    def _over(self, name: str, query: dict[str, str]) -> bool:
        key = (name, query.get("instType", "") if name == "public/instruments" else "")
        window = self._windows.setdefault(key, Sliding(LIMITS[name], WINDOW_S))
        return not window.add(self._exchange.now()) and self._world.breach(self._exchange.name, f"requests {name}")

    def _instruments(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = query.get("instId")
        positions = {listing: n for n, listing in enumerate(self._exchange.listings.values())}
        return [row(entry, positions[entry]) for entry in self._listed(query) if wanted in (None, entry.symbol)]

    def _books(self, query: dict[str, str], most: int) -> list[dict[str, Any]]:
        market = self._market(query)
        size = min(_number(query, "sz", 1), most)
        self._exchange.served_book("/api/v5/market/books", market, market.seq)
        book = {"asks": market.asks.top(size), "bids": market.bids.top(size), "ts": _ms(), "seqId": market.seq}
        return [book]

    def _tickers(self, query: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {
                "instType": day.listing.category,
                "instId": day.listing.symbol,
                "last": day.price(day.last),
                "open24h": day.price(day.open),
                "high24h": day.price(day.high),
                "low24h": day.price(day.low),
                # Derivatives: contracts, and coins; spot: coins, and quote money.
                "vol24h": f"{day.contracts:.8f}",
                "volCcy24h": f"{day.quote_volume if day.listing.market_type == 'spot' else day.base_volume:.8f}",
                "ts": str(day.ms),
            }
            for day in (ticker(listing) for listing in self._listed(query) if listing.live)
        ]

    def _trades(self, query: dict[str, str]) -> list[dict[str, Any]]:
        market = self._market(query)
        return [streams.row(market, trade) for trade in reversed(list(market.trades)[-_number(query, "limit", 100) :])]

    def _listed(self, query: dict[str, str]) -> list[Listing]:
        kind = query.get("instType", "")
        if kind not in ("SPOT", "SWAP", "FUTURES"):
            raise RefusalError("51000", "Parameter instType error")
        return [listing for listing in self._exchange.listings.values() if listing.category == kind]

    def _market(self, query: dict[str, str]) -> Market:
        market = self._exchange.market(_market_type(query) or "spot", query.get("instId", ""))
        if market is None:
            raise RefusalError("51001", "Instrument ID doesn't exist")
        return market


def _market_type(query: dict[str, str]) -> str | None:
    if "instType" in query:
        return "spot" if query["instType"] == "SPOT" else "futures"
    if "instId" in query:
        return "futures" if query["instId"].count("-") > 1 else "spot"
    return None


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit():
        raise RefusalError("51000", f"Parameter {name} error")
    return int(text)


def _envelope(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "msg": message, "data": []}


def _ms() -> str:
    return str(int(unix_s() * 1000))
