"""The factory of drivers: the one place outside their folders that names exchanges."""

from collections.abc import Collection

from apps.feeds.drivers.base import Driver
from apps.feeds.drivers.binance.driver import Binance
from apps.feeds.drivers.binance.trader import BinanceTrader
from apps.feeds.drivers.bybit.driver import Bybit
from apps.feeds.drivers.bybit.trader import BybitTrader
from apps.feeds.drivers.coinex.driver import CoinEx
from apps.feeds.drivers.coinex.trader import CoinExTrader
from apps.feeds.drivers.htx.driver import Htx
from apps.feeds.drivers.htx.trader import HtxTrader
from apps.feeds.drivers.hyperliquid import trading_facts as hyperliquid_facts
from apps.feeds.drivers.hyperliquid.driver import Hyperliquid
from apps.feeds.drivers.hyperliquid.trader import HyperliquidTrader
from apps.feeds.drivers.kucoin.driver import Kucoin
from apps.feeds.drivers.kucoin.trader import KucoinTrader
from apps.feeds.drivers.mexc.driver import Mexc
from apps.feeds.drivers.mexc.trader import MexcTrader
from apps.feeds.drivers.okx.driver import Okx
from apps.feeds.drivers.okx.trader import OkxTrader
from apps.feeds.drivers.trader import Trader
from apps.feeds.errors import UnknownExchange
from apps.feeds.market import MarketType

_DRIVERS: dict[str, type[Driver]] = {
    "binance": Binance,
    "bybit": Bybit,
    "okx": Okx,
    "kucoin": Kucoin,
    "coinex": CoinEx,
    "htx": Htx,
    "mexc": Mexc,
    "hyperliquid": Hyperliquid,
}
_TRADERS: dict[str, type[Trader]] = {
    "binance": BinanceTrader,
    "bybit": BybitTrader,
    "okx": OkxTrader,
    "kucoin": KucoinTrader,
    "coinex": CoinExTrader,
    "htx": HtxTrader,
    "mexc": MexcTrader,
    "hyperliquid": HyperliquidTrader,
}
PRICE_DIGITS = {"hyperliquid": hyperliquid_facts.SIGNIFICANT}  # of exchanges that bound those of a price
ALIASES = {"dex": "hyperliquid"}


def exchange_ids() -> tuple[str, ...]:
    return tuple(_DRIVERS)


def trader_ids() -> tuple[str, ...]:
    """Exchanges that can be traded on."""
    return tuple(_TRADERS)


def canonical(exchange: str) -> str:
    """The exchange's id, whatever its spelling; another name of one is replaced, an unknown name stays."""
    name = exchange.strip().lower()
    return ALIASES.get(name, name)


def offered_depths() -> dict[tuple[str, MarketType], Collection[int]]:
    """Depths that can be asked for, of each exchange and market."""
    return {(name, market): made().depths(market) for name, made in _DRIVERS.items() for market in MarketType}


def driver(exchange_id: str) -> Driver:
    """Raise UnknownExchange for a name that is not one of `exchange_ids`."""
    made = _DRIVERS.get(canonical(exchange_id))
    if made is None:
        raise UnknownExchange(f"unknown exchange {exchange_id[:40]!r}: one of {', '.join(_DRIVERS)}")
    return made()


def trader(exchange_id: str) -> Trader:
    """Raise UnknownExchange for a name that is not one of `trader_ids`."""
    made = _TRADERS.get(canonical(exchange_id))
    if made is None:
        raise UnknownExchange(f"not traded on: {exchange_id[:40]!r}, one of {', '.join(_TRADERS)}")
    return made()
