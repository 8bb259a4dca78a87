"""CoinEx's public REST: HTTP 200 with a code, even for what is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.coinex import streams
from apps.feeds.simulator.coinex.listings import row
from apps.feeds.simulator.coinex.refusals import (
    BAD_PARAMETER,
    NO_METHOD,
    TOO_MUCH,
    UNKNOWN_MARKET,
    RefusalError,
    envelope,
)
from apps.feeds.simulator.coinex.states import ticker_row
from apps.feeds.simulator.exchange import json_answer, unix_s
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market

if TYPE_CHECKING:
    from apps.feeds.simulator.coinex.exchange import Coinex

REST_HOSTS = {"api.coinex.com"}
REQUESTS = (400, 1.0)  # per address and second
MARKET_TYPES = ("spot", "futures")
MARKETS_AT_ONCE = 10  # names in one query
DEALS, MOST_DEALS = 100, 1000


class Rest:
    def __init__(self, exchange: "Coinex") -> None:
        self._exchange = exchange
        self._world = exchange.world
        self._requests = Sliding(*REQUESTS)
        self._common: dict[str, Callable[[], Any]] = {
            "ping": lambda: {"result": "pong"},
            "time": lambda: {"timestamp": exchange.desk.now_ms()},
        }
        self._answers: dict[str, Callable[[str, dict[str, str]], Any]] = {
            "market": self._markets,
            "depth": self._depth,
            "ticker": self._tickers,
            "deals": self._deals,
        }

    def answer(self, request: web.Request, path: str) -> web.Response:
        first, _, name = path.removeprefix("v2/").partition("/")
        turned_away = self.turned_away(first)
        if turned_away is not None:
            return turned_away
        if not path.startswith("v2/"):
            return json_answer(envelope(4018, {}, "api version is offline"))
        try:
            return json_answer(envelope(0, self._data(first, name, dict(request.query)), "OK"))
        except RefusalError as refusal:
            return json_answer(envelope(refusal.code, {}, str(refusal)))

    def turned_away(self, market_type: str) -> web.Response | None:
        """What any request is answered with when there are too many, or a fault is scripted for all of them."""
        kind = market_type if market_type in MARKET_TYPES else None
        faults, exchange = self._world.faults, self._exchange.name
        over = not self._requests.add(self._exchange.now()) and self._world.breach(exchange, "requests")
        if over or faults.find("ban", exchange, kind) is not None:
            return json_answer(envelope(TOO_MUCH[0], {}, TOO_MUCH[1]))
        return unavailable() if faults.find("rest_error", exchange, kind) is not None else None

    def _data(self, first: str, name: str, query: dict[str, str]) -> Any:
        """What is empty is null."""
        if first in self._common and not name:
            return self._common[first]()
        if first not in MARKET_TYPES or name not in self._answers:
            raise RefusalError(*NO_METHOD)
        return self._answers[name](first, query) or None

    def _markets(self, market_type: str, query: dict[str, str]) -> list[dict[str, Any]]:
        return [row(listing) for listing in self._listed(market_type, query)]

    def _tickers(self, market_type: str, query: dict[str, str]) -> list[dict[str, Any]]:
        return [ticker_row(listing) for listing in self._listed(market_type, query) if listing.live]

    def _depth(self, market_type: str, query: dict[str, str]) -> dict[str, Any]:
        market = self._market(market_type, query)
        limit, interval = query.get("limit", ""), query.get("interval", "")
        if limit not in map(str, streams.LIMITS) or interval not in streams.INTERVALS:
            raise RefusalError(*BAD_PARAMETER)
        bids, asks = (streams.view(side, int(limit), Decimal(interval)) for side in (market.bids, market.asks))
        self._exchange.served_book(f"/v2/{market_type}/depth", market, 0)
        depth = streams.book(market, bids, asks, _ms())
        return {"market": market.listing.symbol, "is_full": True, "depth": depth}

    def _deals(self, market_type: str, query: dict[str, str]) -> list[dict[str, Any]]:
        market = self._market(market_type, query)
        limit, last = query.get("limit", str(DEALS)), query.get("last_id", "0")
        if not limit.isdigit() or not last.isdigit() or not 0 < int(limit) <= MOST_DEALS:
            raise RefusalError(*BAD_PARAMETER)
        trades = [trade for trade in market.trades if trade.number > int(last)][-int(limit) :]
        return [streams.deal(market, trade) for trade in reversed(trades)]

    def _listed(self, market_type: str, query: dict[str, str]) -> list[Listing]:
        names = [name for name in query.get("market", "").split(",") if name]
        if len(names) > MARKETS_AT_ONCE:
            raise RefusalError(*BAD_PARAMETER)
        listed = {symbol: entry for (kind, symbol), entry in self._exchange.listings.items() if kind == market_type}
        if not set(names) <= listed.keys():
            raise RefusalError(*UNKNOWN_MARKET)
        return [listed[name] for name in names] if names else list(listed.values())

    def _market(self, market_type: str, query: dict[str, str]) -> Market:
        market = self._exchange.market(market_type, query.get("market", ""))
        if market is None:
            raise RefusalError(*UNKNOWN_MARKET)
        return market


def unavailable() -> web.Response:
    """The gateway's, and no JSON."""
    return web.Response(status=503, text="<html><body>503 Service Temporarily Unavailable</body></html>")


def _ms() -> int:
    return int(unix_s() * 1000)
