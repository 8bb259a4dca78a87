"""What counts against what: the exchanges' general budgets by host, and those of each account. Names and rates."""

from urllib.parse import urlsplit

from apps.feeds.drivers.base import Driver, Rate, Request
from apps.feeds.drivers.trader import Trader
from apps.feeds.market import MarketType


def rates(driver: Driver) -> dict[str, Rate]:
    """Weight budget of each host of an exchange; where one host serves both markets the stricter one holds."""
    found: dict[str, Rate] = {}
    for market_type in MarketType:
        rate = driver.limits(market_type).rest_weight
        for request in (
            driver.instruments_request(market_type),
            driver.volumes_request(market_type),
            driver.snapshot_request(market_type, "", driver.depths(market_type)[0]),
        ):
            found[host(request)] = stricter(found.get(host(request), rate), rate)
    return found


def account_rates(trader: Trader) -> dict[str, Rate]:
    """Budgets of each account by their names; one that both markets name is one budget, and the stricter rate holds."""
    found: dict[str, Rate] = {}
    for market_type in MarketType:
        for name, rate in trader.trade_limits(market_type).budgets.items():
            found[name] = stricter(found.get(name, rate), rate)
    return found


def host(request: Request) -> str:
    return urlsplit(request.url).netloc


def general(of_host: str) -> str:
    """The name of a host's budget, whoever asks there."""
    return f"rest:{of_host}"


def of_exchange(exchange: str) -> str:
    """The name of the door that a ban shuts."""
    return f"rest:{exchange}"


def of_account(exchange: str, account: str, budget: str) -> str:
    return f"trade:{exchange}:{account}:{budget}"


def stricter(*of: Rate) -> Rate:
    return min(of, key=lambda each: each.count / each.per_s)
