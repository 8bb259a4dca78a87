"""MEXC's public REST: spot like Binance's, contracts in an envelope, and a firewall before both."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.engine import now_ms
from apps.feeds.simulator.exchange import json_answer
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market
from apps.feeds.simulator.mexc.listings import contract_row, spot_row
from apps.feeds.simulator.mexc.refusals import DESK, TOO_OFTEN, RefusalError, refusal
from apps.feeds.simulator.mexc.spot_streams import padded
from apps.feeds.simulator.ticker import Ticker, ticker
from apps.feeds.simulator.trading.tickets import Reason

if TYPE_CHECKING:
    from apps.feeds.simulator.mexc.exchange import Mexc

SPOT_REST = "api.mexc.com"
REST_HOSTS = {SPOT_REST, "contract.mexc.com"}
BURST = (120, 5.0)  # requests that the firewall lets pass, over both markets
SPOT_WEIGHT, SPOT_WINDOW_S = 500, 10.0  # of each endpoint
FUTURES_WINDOW_S = 2.0
# By the path below its prefix: weight of one request on spot, requests of one window on futures.
SPOT_WEIGHTS = {"ping": 1, "time": 1, "exchangeInfo": 10, "depth": 1, "ticker/24hr": 40}
FUTURES_LIMITS = {"ping": 20, "detail": 10, "depth": 10, "ticker": 10}
PREFIXES = {"api/v3/": "spot", "api/v1/contract/": "futures"}
ALIASES = {"detail/country": "detail"}
FIREWALL = "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1></BODY></HTML>"
Query = dict[str, str]


class Rest:
    def __init__(self, exchange: "Mexc") -> None:
        self._exchange = exchange
        self._world = exchange.world
        self._burst = Sliding(*BURST)
        self._shut_until = 0.0
        self._windows: dict[tuple[str, str], Sliding] = {}
        self._books: dict[tuple[str, int], tuple[float, dict[str, Any]]] = {}  # when made, by symbol and limit
        self._answers: dict[str, dict[str, Callable[[str, Query], Any]]] = {
            "spot": {
                "ping": lambda symbol, query: {},
                "time": lambda symbol, query: {"serverTime": self._exchange.desk.now_ms()},
                "exchangeInfo": self._exchange_info,
                "depth": self._spot_depth,
                "ticker/24hr": self._spot_tickers,
            },
            "futures": {
                "ping": lambda symbol, query: self._exchange.desk.now_ms(),
                "detail": self._details,
                "depth": self._futures_depth,
                "ticker": self._futures_tickers,
            },
        }

    def answer(self, request: web.Request, host: str, path: str) -> web.Response:
        prefix = next((prefix for prefix in PREFIXES if path.startswith(prefix)), "")
        market_type = PREFIXES.get(prefix, "")
        name, symbol = path.removeprefix(prefix), ""
        name = ALIASES.get(name, name)
        if market_type == "futures" and "/" in name:
            name, _, symbol = name.partition("/")
        answer = self._answers.get(market_type, {}).get(name)
        if answer is None or (market_type == "spot" and host != SPOT_REST):
            return web.Response(status=404)
        if self.stopped():
            return firewall()
        try:
            self.check_faults(market_type)
            self._charge(market_type, name)
            body = answer(symbol, dict(request.query))
            return json_answer(body if market_type == "spot" else {"success": True, "code": 0, "data": body})
        except RefusalError as error:
            return refused(error)
        except PermissionError:
            return firewall()

    def stopped(self) -> bool:
        """Count the request against the address; after a burst it is shut out of both markets."""
        now = self._exchange.now()
        if now < self._shut_until:
            self._world.breaches.add(self._exchange.name, "request while shut out")
            return True
        if self._burst.add(now) or not self._world.breach(self._exchange.name, "burst of requests"):
            return False
        self._shut_until = now + self._world.patience.mexc_shut_out_s
        return True

    def check_faults(self, market_type: str) -> None:
        """Raises what is scripted for all requests."""
        faults, name = self._world.faults, self._exchange.name
        ban = faults.find("ban", name, market_type)
        if ban is not None:
            ban.used += 1
            left = max(1, round(ban.left_s(self._exchange.now())))
            raise (too_often if ban.used <= ban.count else banned)(market_type, left)
        if faults.find("rest_error", name, market_type) is None:
            return
        if market_type == "spot":
            raise RefusalError({"code": 503, "msg": "Service unavailable"}, status=503)
        raise RefusalError({"code": 500, "message": "Under maintenance, please try again later"}, status=200)

    def _charge(self, market_type: str, name: str) -> None:
        if market_type == "spot":
            self.charge(market_type, name, SPOT_WEIGHT, SPOT_WINDOW_S, SPOT_WEIGHTS[name])
        else:
            self.charge(market_type, name, FUTURES_LIMITS[name], FUTURES_WINDOW_S)

    def charge(self, market_type: str, name: str, limit: int, window_s: float, weight: int = 1) -> None:
        """Count a request of an endpoint; raises when it is one too many."""
        window = self._windows.setdefault((market_type, name), Sliding(limit, window_s))
        if not window.add(self._exchange.now(), weight) and self._world.breach(
            self._exchange.name, f"requests {market_type}"
        ):
            raise too_often(market_type, int(SPOT_WINDOW_S))

    def _listed(self, market_type: str, symbol: str) -> list[Listing]:
        rows = [entry for (kind, _), entry in self._exchange.listings.items() if kind == market_type]
        rows = [entry for entry in rows if symbol in ("", entry.symbol)]
        if not rows:
            raise _unknown(market_type)
        return rows

    def _market(self, market_type: str, symbol: str) -> Market:
        market = self._exchange.market(market_type, symbol)
        if market is None:
            raise _unknown(market_type)
        return market

    def _exchange_info(self, symbol: str, query: Query) -> dict[str, Any]:
        rows = [spot_row(entry) for entry in self._listed("spot", query.get("symbol", ""))]
        head = {"timezone": "CST", "serverTime": now_ms()}
        return {**head, "rateLimits": [], "exchangeFilters": [], "symbols": rows}

    def _spot_depth(self, symbol: str, query: Query) -> dict[str, Any]:
        market = self._market("spot", query.get("symbol", ""))
        limit = min(_number(query.get("limit", "100")), 5000)
        self._exchange.served_book("/api/v3/depth", market, market.seq)
        return {
            "lastUpdateId": market.seq,
            "bids": padded(market.bids.top(limit), market),
            "asks": padded(market.asks.top(limit), market),
            "timestamp": now_ms(),
        }

    def _details(self, symbol: str, query: Query) -> Any:
        """One contract that is asked for comes without a list."""
        rows = [contract_row(entry) for entry in self._listed("futures", query.get("symbol", ""))]
        return rows[0] if "symbol" in query else rows

    def _futures_depth(self, symbol: str, query: Query) -> dict[str, Any]:
        """Made anew a few times a second only: the socket is often ahead. What is listed but shut is empty."""
        listing = self._exchange.listings.get(("futures", symbol))
        if listing is not None and not listing.live:
            return {"cts": None, "asks": [], "bids": [], "version": 222542631, "timestamp": 1789455601090}
        market = self._market("futures", symbol)
        limit = min(max(_number(query.get("limit", "1500")), 5), 1500)
        made, book = self._books.get((symbol, limit), (0.0, None))
        if book is None or self._exchange.now() - made > self._world.patience.mexc_depth_age_s:
            sides = {"asks": market.asks.top(limit), "bids": market.bids.top(limit)}
            book = {"cts": None, **sides, "version": market.seq, "timestamp": now_ms()}
            self._books[symbol, limit] = (self._exchange.now(), book)
        self._exchange.served_book("/api/v1/contract/depth", market, book["version"])
        return book

    def _spot_tickers(self, symbol: str, query: Query) -> Any:
        rows = [_spot_ticker(ticker(entry)) for entry in self._listed("spot", query.get("symbol", ""))]
        return rows[0] if "symbol" in query else rows

    def _futures_tickers(self, symbol: str, query: Query) -> Any:
        rows = [_futures_ticker(ticker(entry)) for entry in self._listed("futures", query.get("symbol", ""))]
        return rows[0] if "symbol" in query else rows


def too_often(market_type: str, retry_after: int) -> RefusalError:
    return refusal(market_type, TOO_OFTEN[market_type], status=429, retry_after=retry_after)


def banned(market_type: str, retry_after: int) -> Exception:
    """Spot bans the address; the contracts' firewall shuts it out: PermissionError."""
    if market_type == "spot":
        return refusal("spot", (418, "IP banned"), status=418, retry_after=retry_after)
    return PermissionError()


def refused(error: RefusalError) -> web.Response:
    return json_answer(error.body, status=error.status, headers=error.headers)


def firewall() -> web.Response:
    return web.Response(status=403, text=FIREWALL, content_type="text/html")


def _unknown(market_type: str) -> RefusalError:
    return refusal(market_type, DESK[market_type][Reason.UNKNOWN_SYMBOL])


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 100


def _spot_ticker(day: Ticker) -> dict[str, Any]:
    tick, lot = float(day.listing.price.step), day.listing.size.text(1)
    return {
        "symbol": day.listing.symbol,
        "priceChange": day.price(day.last - day.open),
        "priceChangePercent": f"{day.last / day.open - 1:.4f}",
        "prevClosePrice": day.price(day.open),
        "lastPrice": day.price(day.last),
        "bidPrice": day.price(day.last - tick),
        "bidQty": lot,
        "askPrice": day.price(day.last + tick),
        "askQty": lot,
        "openPrice": day.price(day.open),
        "highPrice": day.price(day.high),
        "lowPrice": day.price(day.low),
        "volume": f"{day.base_volume:.8f}",
        "quoteVolume": f"{day.quote_volume:.8f}",
        "openTime": day.ms - 86_400_000,
        "closeTime": day.ms,
        "count": None,
    }


def _futures_ticker(day: Ticker) -> dict[str, Any]:
    """`volume24` in contracts, `amount24` in the coin that the contract settles in."""
    tick = float(day.listing.price.step)
    return {
        "symbol": day.listing.symbol,
        "lastPrice": float(day.price(day.last)),
        "bid1": float(day.price(day.last - tick)),
        "ask1": float(day.price(day.last + tick)),
        "volume24": round(day.contracts),
        "amount24": round(day.base_volume if day.listing.inverse else day.quote_volume, 8),
        "lower24Price": float(day.price(day.low)),
        "high24Price": float(day.price(day.high)),
        "riseFallRate": round(day.last / day.open - 1, 4),
        "riseFallValue": float(day.price(day.last - day.open)),
        "timestamp": day.ms,
    }
