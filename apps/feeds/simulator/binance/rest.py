"""Binance's public REST: weights, their limit, and the bans."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.binance.listings import futures_row, spot_row
from apps.feeds.simulator.binance.refusals import DID_NOT_RUN, RefusalError
from apps.feeds.simulator.exchange import json_answer, unix_s
from apps.feeds.simulator.limits import Minute
from apps.feeds.simulator.market import Market
from apps.feeds.simulator.ticker import Ticker, ticker

if TYPE_CHECKING:
    from apps.feeds.simulator.binance.exchange import Binance

SPOT_REST = {"api.binance.com", "api-gcp.binance.com", "data-api.binance.vision"}
SPOT_REST |= {f"api{n}.binance.com" for n in (1, 2, 3, 4)}
FUTURES_REST = {"fapi.binance.com"}
PREFIX = {"spot": "api/v3/", "futures": "fapi/v1/"}
WEIGHT_LIMIT = {"spot": 6000, "futures": 2400}
WEIGHT = {
    "spot": {"ping": 1, "time": 1, "exchangeInfo": 20, "ticker/24hr": 80, "trades": 25},
    "futures": {"ping": 1, "time": 1, "exchangeInfo": 1, "ticker/24hr": 40, "trades": 5},
}
# (greatest limit, weight)
DEPTH_WEIGHT = {
    "spot": ((100, 5), (500, 25), (1000, 50), (5000, 250)),
    "futures": ((50, 2), (100, 5), (500, 10), (1000, 20)),
}
FUTURES_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
PATIENCE_AFTER_429 = 10  # refused requests of one minute before the address is banned
TOO_MUCH = "Too much request weight used; current limit is {} request weight per 1 MINUTE."
WAY_TOO_MUCH = "Way too much request weight used; IP banned until {}."


class Rest:
    def __init__(self, exchange: "Binance") -> None:
        self._exchange = exchange
        self._world = exchange.world
        self._weight = {market_type: Minute(limit) for market_type, limit in WEIGHT_LIMIT.items()}
        self._banned_until = {"spot": 0.0, "futures": 0.0}
        self._answers: dict[str, Callable[[str, dict[str, str]], Any]] = {
            "ping": lambda market_type, query: {},
            "time": lambda market_type, query: {"serverTime": self._exchange.desk.now_ms()},
            "exchangeInfo": self._exchange_info,
            "depth": self._depth,
            "trades": self._trades,
            "ticker/24hr": self._tickers,
        }

    def answer(self, request: web.Request, market_type: str, path: str) -> web.Response:
        name = path.removeprefix(PREFIX[market_type])
        if not path.startswith(PREFIX[market_type]) or name not in self._answers:
            return web.Response(status=410 if name == "userDataStream" else 404)
        try:
            self.check_faults(market_type)
            self.charge(market_type, _weight(market_type, name, dict(request.query)))
            return self.reply(market_type, self._answers[name](market_type, dict(request.query)))
        except RefusalError as refusal:
            return self.refused(market_type, refusal)

    def reply(
        self, market_type: str, body: Any, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> web.Response:
        """An answer with the weight that is used."""
        weight = {"X-MBX-USED-WEIGHT-1M": str(self._weight[market_type].used)}
        return json_answer(body, status=status, headers={**weight, **(headers or {})})

    def refused(self, market_type: str, refusal: RefusalError) -> web.Response:
        headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
        return self.reply(market_type, refusal.body, status=refusal.status, headers=headers)

    def check_faults(self, market_type: str) -> None:
        """Raises what is scripted for all requests."""
        ban = self._world.faults.find("ban", self._exchange.name, market_type)
        if ban is not None:
            ban.used += 1
            left = max(1, round(ban.left_s(self._exchange.now())))
            if ban.used <= ban.count:
                raise self.too_much(market_type, left)
            raise self.banned(left)
        if self._world.faults.find("rest_error", self._exchange.name, market_type) is not None:
            raise RefusalError(*DID_NOT_RUN, status=503)

    def charge(self, market_type: str, weight: int) -> None:
        """Count a request; raises when it is one too many."""
        now, window = unix_s(), self._weight[market_type]
        if now < self._banned_until[market_type]:
            self._world.breaches.add(self._exchange.name, f"request while banned {market_type}")
            raise self.banned(max(1, round(self._banned_until[market_type] - now)))
        if window.add(weight, now):
            return
        if not self._world.breach(self._exchange.name, f"weight {market_type}"):
            return
        if window.refused > PATIENCE_AFTER_429:
            self._banned_until[market_type] = now + self._world.patience.binance_ban_s
            raise self.banned(max(1, round(self._world.patience.binance_ban_s)))
        raise self.too_much(market_type, window.left_s(now))

    def too_much(self, market_type: str, retry_after: int) -> RefusalError:
        message = TOO_MUCH.format(WEIGHT_LIMIT[market_type])
        return RefusalError(-1003, message, status=429, retry_after=retry_after)

    def banned(self, retry_after: int) -> RefusalError:
        until = int((unix_s() + retry_after) * 1000)
        return RefusalError(-1003, WAY_TOO_MUCH.format(until), status=418, retry_after=retry_after)

    def _exchange_info(self, market_type: str, query: dict[str, str]) -> dict[str, Any]:
        row = spot_row if market_type == "spot" else futures_row
        rows = [listing for (kind, _), listing in self._exchange.listings.items() if kind == market_type]
        if "symbol" in query:
            rows = [listing for listing in rows if listing.symbol == query["symbol"]]
            if not rows:
                raise RefusalError(-1121, "Invalid symbol.")
        return {
            "timezone": "UTC",
            "serverTime": int(unix_s() * 1000),
            **({"futuresType": "U_MARGINED"} if market_type == "futures" else {}),
            "rateLimits": [
                {
                    "rateLimitType": "REQUEST_WEIGHT",
                    "interval": "MINUTE",
                    "intervalNum": 1,
                    "limit": WEIGHT_LIMIT[market_type],
                }
            ],
            "exchangeFilters": [],
            "symbols": [row(listing) for listing in rows],
        }

    def _depth(self, market_type: str, query: dict[str, str]) -> dict[str, Any]:
        market = self._market(market_type, query)
        limit = _limit(market_type, query)
        body: dict[str, Any] = {"lastUpdateId": market.seq}
        if market_type == "futures":
            ms = int(unix_s() * 1000)
            body |= {"E": ms, "T": ms - 3}
        self._exchange.served_book(f"/{PREFIX[market_type]}depth", market, market.seq)
        return body | {"bids": market.bids.top(limit), "asks": market.asks.top(limit)}

    def _trades(self, market_type: str, query: dict[str, str]) -> list[dict[str, Any]]:
        market = self._market(market_type, query)
        price, size = market.listing.price, market.listing.size
        return [
            {
                "id": trade.number,
                "price": price.text(trade.price),
                "qty": size.text(trade.size),
                "quoteQty": f"{float(price.text(trade.price)) * float(size.text(trade.size)):.8f}",
                "time": trade.ms,
                "isBuyerMaker": trade.side == "sell",
                "isBestMatch": True,
            }
            for trade in list(market.trades)[-_number(query, 500) :]
        ]

    def _tickers(self, market_type: str, query: dict[str, str]) -> list[dict[str, Any]] | dict[str, Any]:
        if "symbol" in query:
            return _ticker_row(ticker(self._market(market_type, query).listing))
        rows = [listing for (kind, _), listing in self._exchange.listings.items() if kind == market_type]
        return [_ticker_row(ticker(listing)) for listing in rows]

    def _market(self, market_type: str, query: dict[str, str]) -> Market:
        market = self._exchange.market(market_type, query.get("symbol", ""))
        if market is None:
            raise RefusalError(-1121, "Invalid symbol.")
        return market


def _weight(market_type: str, name: str, query: dict[str, str]) -> int:
    if name == "depth":
        limit = query.get("limit", "")
        if market_type == "futures" and not limit:
            return 1  # measured, not documented: 500 levels for 1
        wanted = int(limit) if limit.isdigit() else 100
        steps = DEPTH_WEIGHT[market_type]
        return next((weight for most, weight in steps if wanted <= most), steps[-1][1])
    if name == "ticker/24hr" and "symbol" in query:
        return 2 if market_type == "spot" else 1
    return WEIGHT[market_type][name]


def _limit(market_type: str, query: dict[str, str]) -> int:
    limit = _number(query, 100 if market_type == "spot" else 500)
    if market_type == "futures" and limit not in FUTURES_LIMITS:
        raise RefusalError(-4021, f"{limit} is not valid depth limit")
    return min(limit, 5000)


def _number(query: dict[str, str], default: int) -> int:
    text = query.get("limit", str(default))
    if not text.isdigit():
        raise RefusalError(-1100, "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.")
    return int(text)


def _ticker_row(day: Ticker) -> dict[str, Any]:
    tick, lot = float(day.listing.price.step), day.listing.size.text(1)
    # Clients tell a spot row from a futures row by these.
    spot = {
        "prevClosePrice": day.price(day.open),
        "bidPrice": day.price(day.last - tick),
        "bidQty": lot,
        "askPrice": day.price(day.last + tick),
        "askQty": lot,
    }
    return {
        "symbol": day.listing.symbol,
        "priceChange": day.price(day.last - day.open),
        "priceChangePercent": f"{100 * (day.last / day.open - 1):.3f}",
        "weightedAvgPrice": day.price((day.last + day.open) / 2),
        "lastPrice": day.price(day.last),
        "lastQty": lot,
        "openPrice": day.price(day.open),
        "highPrice": day.price(day.high),
        "lowPrice": day.price(day.low),
        "volume": f"{day.base_volume:.8f}",
        "quoteVolume": f"{day.quote_volume:.8f}",
        "openTime": day.ms - 86_400_000,
        "closeTime": day.ms,
        "firstId": 1,
        "lastId": 1 + day.count,
        "count": day.count,
        **(spot if day.listing.market_type == "spot" else {}),
    }
