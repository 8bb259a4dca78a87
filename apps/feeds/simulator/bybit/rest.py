"""Bybit's public REST: HTTP 200 even for errors, but for the limit of the address."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.bybit import streams
from apps.feeds.simulator.bybit.listings import row
from apps.feeds.simulator.bybit.refusals import RefusalError, envelope
from apps.feeds.simulator.exchange import json_answer, unix_s
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Trade
from apps.feeds.simulator.ticker import Ticker, ticker

if TYPE_CHECKING:
    from apps.feeds.simulator.bybit.exchange import Bybit

REST_HOSTS = {"api.bybit.com", "api.bytick.com"}
REQUESTS = (600, 5.0)  # per address and seconds, over all hosts
# The real pages hold 500 rows and up to 1000 if asked: these are short, so that a list of this size has several.
PAGE = 60
MARKET_TYPES = {"spot": "spot", "linear": "futures", "inverse": "futures"}
DEFAULT_DEPTH = {"spot": 1, "linear": 25, "inverse": 25}
DEPTH_LIMIT = 1000
SPOT_TRADES = 60


class Rest:
    def __init__(self, exchange: "Bybit") -> None:
        self._exchange = exchange
        self._world = exchange.world
        self._requests = Sliding(*REQUESTS)
        self._banned_until = 0.0
        self._answers: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
            "v5/market/time": self._time,
            "v5/market/instruments-info": self._instruments,
            "v5/market/orderbook": self._orderbook,
            "v5/market/recent-trade": self._trades,
            "v5/market/tickers": self._tickers,
        }

    def answer(self, request: web.Request, path: str) -> web.Response:
        query = dict(request.query)
        market_type = MARKET_TYPES.get(query.get("category", ""))
        faults, name = self._world.faults, self._exchange.name
        if self.forbidden() or faults.find("ban", name, market_type) is not None:
            return web.Response(status=403, text="access too frequent")
        if faults.find("rest_error", name, market_type) is not None:
            return web.Response(status=503, text="Service Unavailable")
        answer = self._answers.get(path)
        if answer is None:
            return web.Response(status=404)
        try:
            return json_answer(envelope(0, "OK", answer(query)))
        except RefusalError as refusal:
            return json_answer(envelope(refusal.code, str(refusal), {}))

    def forbidden(self) -> bool:
        """Count the request against the address; once over the limit it is shut out for minutes."""
        now = self._exchange.now()
        if now < self._banned_until:
            self._world.breaches.add(self._exchange.name, "request while banned")
            return True
        if self._requests.add(now) or not self._world.breach(self._exchange.name, "requests"):
            return False
        self._banned_until = now + self._world.patience.bybit_ban_s
        return True

    def _time(self, query: dict[str, str]) -> dict[str, Any]:
        ms = self._exchange.desk.now_ms()
        return {"timeSecond": str(ms // 1000), "timeNano": str(ms * 1_000_000)}

    def _instruments(self, query: dict[str, str]) -> dict[str, Any]:
        category = _category(query)
        status = query.get("status", "Trading")
        rows = [entry for entry in self._listed(category, query) if entry.status == status]
        if category == "spot":
            return {"category": category, "list": [row(entry) for entry in rows]}
        start = _number(query, "cursor", 0)
        end = start + min(_number(query, "limit", PAGE), PAGE)
        cursor = str(end) if end < len(rows) else ""
        return {"category": category, "list": [row(entry) for entry in rows[start:end]], "nextPageCursor": cursor}

    def _orderbook(self, query: dict[str, str]) -> dict[str, Any]:
        category = _category(query)
        market = self._market(category, query)
        limit = min(_number(query, "limit", DEFAULT_DEPTH[category]), DEPTH_LIMIT)
        u, ms = self._exchange.rest_u(market), int(unix_s() * 1000)
        self._exchange.served_book("/v5/market/orderbook", market, u)
        return {
            "s": market.listing.symbol,
            "b": market.bids.top(limit),
            "a": market.asks.top(limit),
            "ts": ms,
            "u": u,
            "seq": market.seq,
            "cts": ms - 2,
        }

    def _trades(self, query: dict[str, str]) -> dict[str, Any]:
        category = _category(query)
        market = self._market(category, query)
        most = SPOT_TRADES if category == "spot" else 1000
        trades = list(market.trades)[-min(_number(query, "limit", 500), most) :]
        return {"category": category, "list": [_trade_row(market, trade) for trade in reversed(trades)]}

    def _tickers(self, query: dict[str, str]) -> dict[str, Any]:
        category = _category(query)
        rows = [_ticker_row(ticker(listing)) for listing in self._listed(category, query) if listing.live]
        return {"category": category, "list": rows}

    def _listed(self, category: str, query: dict[str, str]) -> list[Listing]:
        symbol = query.get("symbol")
        listings = self._exchange.listings.values()
        rows = [entry for entry in listings if entry.category == category and symbol in (None, entry.symbol)]
        if symbol is not None and not rows:
            raise RefusalError(10001, f"params error: symbol invalid {symbol}")
        return rows

    def _market(self, category: str, query: dict[str, str]) -> Market:
        market = self._exchange.market(MARKET_TYPES[category], query.get("symbol", ""))
        if market is None or market.listing.category != category:
            raise RefusalError(10001, "Not supported symbols")
        return market


def _trade_row(market: Market, trade: Trade) -> dict[str, Any]:
    seen = streams.row(market, trade)
    return {
        "execId": seen["i"],
        "symbol": seen["s"],
        "price": seen["p"],
        "size": seen["v"],
        "side": seen["S"],
        "time": str(trade.ms),
        "isBlockTrade": False,
    }


def _ticker_row(day: Ticker) -> dict[str, Any]:
    return {
        "symbol": day.listing.symbol,
        "lastPrice": day.price(day.last),
        "prevPrice24h": day.price(day.open),
        "price24hPcnt": f"{day.last / day.open - 1:.4f}",
        "highPrice24h": day.price(day.high),
        "lowPrice24h": day.price(day.low),
        # Inverse: volume in contracts (USD), turnover in coins.
        "volume24h": f"{day.contracts:.4f}",
        "turnover24h": f"{day.base_volume if day.listing.inverse else day.quote_volume:.4f}",
    }


def _category(query: dict[str, str]) -> str:
    category = query.get("category", "")
    if category not in MARKET_TYPES:
        raise RefusalError(10001, "Illegal category")
    return category


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdigit():
        raise RefusalError(10001, f"Request parameter error: {name}")
    return int(text)
