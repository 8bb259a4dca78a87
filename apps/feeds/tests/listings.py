"""A small catalogue for tests."""

from decimal import Decimal
from typing import Any

from apps.feeds.market import Instrument, MarketType
from apps.feeds.services import sync_instruments

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "BTC/USDC")


def instrument(
    pair: str = "BTC/USDT", exchange: str = "binance", market_type: str = "spot", **changes: Any
) -> Instrument:
    base, quote = pair.split("/")
    values: dict[str, Any] = {
        "exchange": exchange,
        "market_type": MarketType(market_type),
        "pair": pair,
        "symbol": f"{base}{quote}",
        "base": base,
        "quote": quote,
        "settle": quote,
        "tick": Decimal("0.01"),
        "lot": Decimal("0.00001"),
    }
    return Instrument(**{**values, **changes})


def list_pairs(
    *pairs: str, exchange: str = "binance", market_type: str = "spot", extra: tuple[Instrument, ...] = ()
) -> None:
    """Make the catalogue of one market what is named."""
    listed = [instrument(pair, exchange, market_type) for pair in pairs or PAIRS]
    sync_instruments(exchange=exchange, market_type=MarketType(market_type), instruments=[*listed, *extra])
