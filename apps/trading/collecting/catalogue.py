"""What of one market an account may hear of, by the exchange's own symbols: the config tier of the collector."""

from collections.abc import Collection

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument, MarketType
from apps.feeds.models import TradePair
from apps.trading.caches import CONFIG, Cache, Stats


class Catalogue:
    """Safe to use from threads. Symbols that are not listed are asked for each time: they are rare."""

    def __init__(self, exchange: str, market_type: MarketType) -> None:
        self._exchange, self._market_type = exchange, market_type
        self._cache: Cache[str, TradePair] = Cache("catalogue", CONFIG)

    def knows(self, symbol: str) -> bool:
        return symbol in self.pairs({symbol})

    def instrument(self, symbol: str) -> Instrument:
        """Raise KeyError for one that is not listed."""
        return feeds.instrument(self.pairs({symbol})[symbol])

    def pairs(self, symbols: Collection[str]) -> dict[str, TradePair]:
        """Those that are listed, with their exchange."""
        found = {symbol: pair for symbol in symbols if (pair := self._cache.get(symbol)) is not None}
        missing = set(symbols) - found.keys()
        if missing:
            rows = TradePair.objects.select_related("exchange").filter(
                exchange__code=self._exchange, market_type=self._market_type, symbol__in=missing
            )
            for row in rows:
                self._cache.put(row.symbol, row)
                found[row.symbol] = row
        return found

    def stats(self) -> Stats:
        return self._cache.stats()
