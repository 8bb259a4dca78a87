"""HTX's public REST: HTTP 200 even for errors, in two shapes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.engine import now_ms
from apps.feeds.simulator.exchange import json_answer
from apps.feeds.simulator.htx import streams
from apps.feeds.simulator.htx.listings import business_type, contract_row, spot_row
from apps.feeds.simulator.htx.refusals import CONTRACTS, NO_SYMBOL, SPOT, RefusalError
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Trade
from apps.feeds.simulator.ticker import Ticker, ticker

if TYPE_CHECKING:
    from apps.feeds.simulator.htx.exchange import Htx

SPOT_HOSTS = {"api.huobi.pro", "api-aws.huobi.pro"}
CONTRACT_HOSTS = {"api.hbdm.com", "api.hbdm.vn"}
SPOT_REQUESTS = (10, 1.0)  # per address
# Contracts: market data, and everything else; per address, over linear and inverse.
MARKET_REQUESTS = (800, 1.0)
REFERENCE_REQUESTS = (120, 3.0)
DEPTH = 150
WORDS = {"spot": SPOT, "futures": CONTRACTS}
SPOT_DEPTHS = {"5": 5, "10": 10, "20": 20}
Query = dict[str, str]
Answers = dict[str, Callable[[Query], dict[str, Any]]]


class Rest:
    def __init__(self, exchange: "Htx") -> None:
        self._exchange = exchange
        self._world = exchange.world
        self._spot = Sliding(*SPOT_REQUESTS)
        self._market = Sliding(*MARKET_REQUESTS)
        self._reference = Sliding(*REFERENCE_REQUESTS)
        spot: Answers = {
            "v1/common/timestamp": lambda query: {"data": exchange.desk.now_ms()},
            "v1/common/symbols": lambda query: {"data": [spot_row(entry) for entry in self._listed("spot")]},
            "v2/reference/currencies": lambda query: {"code": 200, "data": self._currencies()},
            "market/depth": lambda query: self._depth("spot", query.get("symbol", ""), query),
            "market/history/trade": lambda query: self._trades("spot", query.get("symbol", ""), query),
            "market/tickers": lambda query: {"ts": now_ms(), "data": self._tickers("spot")},
        }
        contracts: Answers = {
            "api/v1/timestamp": lambda query: {"ts": exchange.desk.now_ms()},
            "api/v1/contract_contract_info": lambda query: self._list("dated inverse", query),
        }
        for category, short in (("linear", "linear-swap"), ("inverse", "swap")):
            contracts |= self._contracts(category, short)
        self._answers = {"spot": spot, "futures": contracts}

    def _contracts(self, category: str, short: str) -> Answers:
        return {
            f"{short}-api/v1/swap_contract_info": lambda query: self._list(category, query),
            f"{short}-ex/market/depth": lambda query: self._depth(category, query.get("contract_code", ""), query),
            f"{short}-ex/market/history/trade": (
                lambda query: self._trades(category, query.get("contract_code", ""), query)
            ),
            f"{short}-ex/market/detail/batch_merged": (
                lambda query: {"ts": now_ms(), "ticks": self._tickers(category)}
            ),
        }

    def answer(self, request: web.Request, market_type: str, path: str) -> web.Response:
        answer = self._answers[market_type].get(path)
        if answer is None:
            return web.Response(status=404)
        try:
            turned_away = self.turned_away(market_type)
            if turned_away is not None:
                return turned_away
            self._charge(market_type, path)
            return json_answer({"status": "ok", **answer(dict(request.query))})
        except RefusalError as refusal:
            return json_answer(refusal.body, status=refusal.status)

    def _charge(self, market_type: str, path: str) -> None:
        """Count the request against the address."""
        window = self._spot if market_type == "spot" else self._market if "/market/" in path else self._reference
        if not window.add(self._exchange.now()) and self._world.breach(self._exchange.name, f"requests {market_type}"):
            raise WORDS[market_type].too_much()

    def turned_away(self, market_type: str) -> web.Response | None:
        """What is scripted for all requests; raises what is told in the form of an error."""
        if self._world.faults.find("rest_error", self._exchange.name, market_type) is not None:
            return unavailable()
        if self._world.faults.find("ban", self._exchange.name, market_type) is not None:
            raise WORDS[market_type].too_much()
        return None

    def _listed(self, category: str) -> list[Listing]:
        return [listing for listing in self._exchange.listings.values() if listing.category == category]

    def _list(self, category: str, query: Query) -> dict[str, Any]:
        """Dated contracts are left out unless they are asked for."""
        kind, code = query.get("business_type", "swap"), query.get("contract_code", "").upper()
        rows = [
            contract_row(entry)
            for entry in self._listed(category)
            if kind in ("all", business_type(entry)) and code in ("", entry.symbol)
        ]
        if not rows:
            raise RefusalError(*NO_SYMBOL)
        return {"data": rows, "ts": now_ms()}

    def _currencies(self) -> list[dict[str, Any]]:
        """The coins of the spot list; nothing can be brought in or taken out, so that they have no chains."""
        coins = sorted({coin.lower() for entry in self._listed("spot") for coin in (entry.base, entry.quote)})
        return [{"currency": coin, "assetType": 1, "chains": [], "instStatus": "normal"} for coin in coins]

    def _depth(self, category: str, symbol: str, query: Query) -> dict[str, Any]:
        market = self._found(category, symbol)
        listing, ms = market.listing, now_ms()
        if query.get("type", "step0") != "step0":
            raise self._invalid(category, "invalid type")
        depth = SPOT_DEPTHS.get(query.get("depth", ""), DEPTH) if category == "spot" else DEPTH
        sides = {"bids": market.bids.top(depth), "asks": market.asks.top(depth)}
        topic = f"market.{listing.symbol}.depth.step0"
        if category == "spot":
            tick = {**sides, "version": market.seq, "ts": ms - 2}
        else:
            tick = {"mrid": market.seq, "id": ms // 1000, **sides, "ts": ms - 2, "version": ms // 1000, "ch": topic}
        self._exchange.served_book("depth", market, market.seq)
        return {"ch": topic, "ts": ms, "tick": tick}

    def _trades(self, category: str, symbol: str, query: Query) -> dict[str, Any]:
        """Newest first, one inner list for each."""
        market = self._found(category, symbol)
        size = query.get("size", "1")
        if not size.isdigit():
            raise self._invalid(category, "invalid size")
        trades = list(market.trades)[-min(max(int(size), 1), 2000) :]
        data = [{"id": trade.seq, "ts": trade.ms, "data": [_trade_row(market, trade)]} for trade in reversed(trades)]
        return {"ch": f"market.{market.listing.symbol}.trade.detail", "ts": now_ms(), "data": data}

    def _tickers(self, category: str) -> list[dict[str, Any]]:
        return [_ticker_row(ticker(listing)) for listing in self._listed(category) if listing.live]

    def _found(self, category: str, symbol: str) -> Market:
        market_type = "spot" if category == "spot" else "futures"
        market = self._exchange.market(market_type, symbol if category == "spot" else symbol.upper())
        if market is None or market.listing.category != category:
            raise self._invalid(category, "invalid symbol")
        return market

    @staticmethod
    def _invalid(category: str, text: str) -> RefusalError:
        if category == "spot":
            return RefusalError("invalid-parameter", text)
        return RefusalError(*NO_SYMBOL) if "symbol" in text else RefusalError(1030, text)


def unavailable() -> web.Response:
    """The gateway's, and no JSON."""
    return web.Response(status=503, text="Service Unavailable")


def _trade_row(market: Market, trade: Trade) -> dict[str, Any]:
    """As pushed, but spot spells the id with a dash."""
    seen = streams.row(market, trade)
    if market.listing.market_type == "futures":
        return seen
    kept = {name: seen[name] for name in ("id", "ts", "amount", "price", "direction")}
    return {**kept, "trade-id": seen["tradeId"]}


def _ticker_row(day: Ticker) -> dict[str, Any]:
    """`amount` is in coins everywhere, `vol` in money on spot and in contracts elsewhere."""
    tick = float(day.listing.price.step)
    prices = {"open": day.open, "high": day.high, "low": day.low, "close": day.last}
    row: dict[str, Any] = {name: float(day.price(price)) for name, price in prices.items()}
    row |= {"amount": round(day.base_volume, 8), "count": day.count}
    bid, ask, lot = float(day.price(day.last - tick)), float(day.price(day.last + tick)), float(day.listing.size.step)
    if day.listing.market_type == "spot":
        quotes = {"bid": bid, "bidSize": lot, "ask": ask, "askSize": lot}
        return {"symbol": day.listing.symbol, **row, "vol": round(day.quote_volume, 8), **quotes}
    turnover = {} if day.listing.inverse else {"trade_turnover": round(day.quote_volume, 8)}
    quotes_of_contract = {"bid": [bid, 1], "ask": [ask, 1], "ts": day.ms}
    return {"contract_code": day.listing.symbol, **row, "vol": round(day.contracts), **turnover, **quotes_of_contract}
