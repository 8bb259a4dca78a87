"""What HTX lists, and how its market lists say it."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.listings import (
    COINS,
    Listing,
    Scale,
    activity_of,
    lot_for,
    magnitude,
    price_in,
    tick_for,
)
from apps.feeds.simulator.trading.rules import Least

NAME = "htx"
ONE = Decimal(1)
SPOT_EXTRA = [("BTC", "USDC"), ("ETH", "USDC"), ("SOL", "USDC"), ("ETH", "BTC")]
SPOT_STATES = {"WAVES": "offline", "EOS": "suspend"}
NO_API = "MKR"  # online, but `api-trading` is disabled
CONTRACT_CLOSED = {"WAVES": "0", "HOOK": "3"}  # contract_status; 1 is trading
INVERSE = ("BTC", "ETH", "SOL", "XRP", "DOT", "LTC")
DATED = {"BTC-USDT-261225": "BTC", "ETH-USDT-261225": "ETH"}
DATED_INVERSE = {"BTC261225": "BTC", "ETH261225": "ETH"}  # in a list of their own, on a socket that is not served here
DELIVERY_MS = 1798185600000
# The books of 5 and 20 levels that move tick by tick are kept for these alone.
MAJORS = frozenset(f"{coin.lower()}usdt" for coin in list(COINS)[:9])


def listings() -> list[Listing]:
    rows = [_spot(coin, "USDT", SPOT_STATES.get(coin, "online")) for coin in COINS]
    rows += [_spot(coin, quote, "online") for coin, quote in SPOT_EXTRA]
    rows += [_contract(f"{coin}-USDT", coin, "linear", CONTRACT_CLOSED.get(coin, "1")) for coin in COINS]
    rows += [_contract(symbol, coin, "linear", "1") for symbol, coin in DATED.items()]
    rows += [_contract(f"{coin}-USD", coin, "inverse", "1") for coin in INVERSE]
    rows += [_contract(symbol, coin, "dated inverse", "1") for symbol, coin in DATED_INVERSE.items()]
    return rows


def _spot(coin: str, quote: str, state: str) -> Listing:
    price = price_in(coin, quote)
    return Listing(
        exchange=NAME,
        market_type="spot",
        category="spot",
        symbol=(coin + quote).lower(),
        base=coin,
        quote=quote,
        settle="",
        coin=coin,
        start_price=price,
        price=Scale(tick_for(price)),
        size=Scale(lot_for(price) / 10),
        contract=ONE,
        inverse=False,
        status=state,
        live=state == "online",
        activity=activity_of(coin),
    )


def _contract(symbol: str, coin: str, category: str, status: str) -> Listing:
    """Sizes are whole contracts: of so many coins, or of so many dollars where the contract is inverse."""
    price = price_in(coin, "USDT")
    inverse = category != "linear"
    coins = ONE.scaleb((1 if price >= 10 else 0) - magnitude(price))
    dollars = Decimal(100 if coin == "BTC" else 10)
    return Listing(
        exchange=NAME,
        market_type="futures",
        category=category,
        symbol=symbol,
        base=coin,
        quote="USD" if inverse else "USDT",
        settle=coin if inverse else "USDT",
        coin=coin,
        start_price=price * (1.004 if symbol in DATED else 1.0),
        price=Scale(tick_for(price)),
        size=Scale(ONE),
        contract=dollars if inverse else coins,
        inverse=inverse,
        status=status,
        live=status == "1" and symbol not in DATED_INVERSE,
        activity=activity_of(coin) * (1.0 if symbol.endswith("-USDT") else 0.4),
    )


def least(listing: Listing) -> Least:
    """The smallest order: of spot in coins and in money, of contracts one."""
    if listing.market_type == "futures":
        return Least(listing.size.step)
    return Least(listing.size.step * 10, Decimal(5))


def spot_row(listing: Listing) -> dict[str, Any]:
    smallest = float(least(listing).size)
    return {
        "base-currency": listing.base.lower(),
        "quote-currency": listing.quote.lower(),
        "price-precision": _places(listing.price.step),
        "amount-precision": _places(listing.size.step),
        "symbol-partition": "main",
        "symbol": listing.symbol,
        "state": listing.status,
        "value-precision": 8,
        "min-order-amt": smallest,
        "max-order-amt": 1000000,
        "min-order-value": 5,
        "limit-order-min-order-amt": smallest,
        "limit-order-max-order-amt": 1000000,
        "limit-order-max-buy-amt": 1000000,
        "limit-order-max-sell-amt": 1000000,
        "sell-market-min-order-amt": smallest,
        "sell-market-max-order-amt": 100000,
        "buy-market-max-order-value": 1000000,
        "api-trading": "disabled" if listing.base == NO_API else "enabled",
        "tags": "",
    }


def contract_row(listing: Listing) -> dict[str, Any]:
    dated = listing.symbol in (*DATED, *DATED_INVERSE)
    row = {
        "symbol": listing.base,
        "contract_code": listing.symbol,
        "contract_size": float(listing.contract),
        "price_tick": float(listing.price.step),
        "delivery_time": str(DELIVERY_MS) if dated else "",
        "create_date": "20201021",
        "contract_status": int(listing.status),
        "settlement_date": "1790150400000",
    }
    if dated or not listing.inverse:
        row |= {"delivery_date": f"20{listing.symbol[-6:]}" if dated else ""}
        row |= {"contract_type": "quarter" if dated else "swap"}
    if listing.inverse:
        return row
    return row | {
        "support_margin_mode": "cross" if dated else "all",
        "business_type": business_type(listing),
        "pair": f"{listing.base}-{listing.quote}",
        "trade_partition": "USDT",
    }


def business_type(listing: Listing) -> str:
    return "futures" if listing.symbol in DATED else "swap"


def _places(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))
