"""What CoinEx lists, and how its market lists say it. Both markets use the same names."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.listings import COINS, Listing, Scale, activity_of, lot_for, price_in, tick_for
from apps.feeds.simulator.trading.rules import Least

NAME = "coinex"
ONE = Decimal(1)
SPOT_EXTRA = [("BTC", "USDC"), ("ETH", "USDC"), ("SOL", "USDC"), ("ETH", "BTC")]
SPOT_STATES = {"DYM": "bidding", "HOOK": "counting_down"}
NO_API = ("WAVES",)  # listed and online, but not for programs
LEAVING_MS = {"EOS": 1798185600000}  # delisting is scheduled
FUTURES_STATES = {"WAVES": "counting_down"}
FUTURES_USDC = ("BTC", "ETH")
INVERSE = ("BTC", "ETH")
ONLINE = "online"


def listings() -> list[Listing]:
    rows = [_spot(coin, "USDT", SPOT_STATES.get(coin, ONLINE)) for coin in COINS]
    rows += [_spot(coin, quote, ONLINE) for coin, quote in SPOT_EXTRA]
    rows += [_contract(coin, "USDT", FUTURES_STATES.get(coin, ONLINE)) for coin in COINS]
    rows += [_contract(coin, "USDC", ONLINE) for coin in FUTURES_USDC]
    rows += [_contract(coin, "USD", ONLINE) for coin in INVERSE]
    return rows


def _spot(coin: str, quote: str, status: str) -> Listing:
    price = price_in(coin, quote)
    return Listing(
        exchange=NAME,
        market_type="spot",
        category="SPOT",
        symbol=coin + quote,
        base=coin,
        quote=quote,
        settle="",
        coin=coin,
        start_price=price,
        price=Scale(tick_for(price)),
        size=Scale(lot_for(price) / 1000),
        contract=ONE,
        inverse=False,
        status=status,
        live=status == ONLINE and coin not in NO_API,
        activity=activity_of(coin),
    )


def _contract(coin: str, quote: str, status: str) -> Listing:
    """Sizes count coins; dollars where the contract is inverse."""
    price = price_in(coin, quote)
    inverse = quote == "USD"
    return Listing(
        exchange=NAME,
        market_type="futures",
        category="inverse" if inverse else "linear",
        symbol=coin + quote,
        base=coin,
        quote=quote,
        settle=coin if inverse else quote,
        coin=coin,
        start_price=price,
        price=Scale(tick_for(price)),
        size=Scale(ONE if inverse else lot_for(price)),
        contract=ONE,
        inverse=inverse,
        status=status,
        live=status == ONLINE,
        activity=activity_of(coin) * (1.0 if quote == "USDT" else 0.4),
    )


def least(listing: Listing) -> Least:
    """The smallest order; no money is asked for."""
    return Least(listing.size.step * (100 if listing.market_type == "spot" else 10))


def row(listing: Listing) -> dict[str, Any]:
    return _spot_row(listing) if listing.market_type == "spot" else _contract_row(listing)


def _spot_row(listing: Listing) -> dict[str, Any]:
    return {
        "market": listing.symbol,
        "taker_fee_rate": "0.002",
        "maker_fee_rate": "0.002",
        "min_amount": f"{least(listing).size:f}",
        "base_ccy": listing.base,
        "quote_ccy": listing.quote,
        "base_ccy_precision": _digits(listing.size.step),
        "quote_ccy_precision": _digits(listing.price.step),
        "status": listing.status,
        "delisted_at": LEAVING_MS.get(listing.base, 0),
        "is_amm_available": True,
        "is_margin_available": True,
        "is_pre_trading_available": listing.status != ONLINE,
        "is_api_trading_available": listing.base not in NO_API,
    }


def _contract_row(listing: Listing) -> dict[str, Any]:
    """The tick is `tick_size`: the precision of the quote is finer."""
    return {
        "market": listing.symbol,
        "contract_type": listing.category,
        "taker_fee_rate": "0.0005",
        "maker_fee_rate": "0.0003",
        "min_amount": f"{least(listing).size:f}",
        "base_ccy": listing.base,
        "quote_ccy": listing.quote,
        "base_ccy_precision": 8 if listing.inverse else _digits(listing.size.step),
        "quote_ccy_precision": _digits(listing.price.step) + 1,
        "tick_size": f"{listing.price.step:f}",
        "status": listing.status,
        "delisted_at": 0,
        "leverage": ["1", "2", "3", "5", "8", "10", "15", "20", "30", "50", "100"],
        "open_interest_volume": "185.7498",
        "is_market_available": listing.live,
        "is_copy_trading_available": True,
    }


def _digits(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))
