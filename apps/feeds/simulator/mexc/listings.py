"""What MEXC lists, and how its two market lists say it."""

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

NAME = "mexc"
ONE = Decimal(1)
SPOT_EXTRA = [("BTC", "USDC"), ("ETH", "USDC"), ("SOL", "USDC"), ("BTC", "EUR"), ("ETH", "BTC")]
SPOT_STATES = {"WAVES": "2", "EOS": "3"}  # paused, offline; 1 is online
NO_API = "MKR"  # online, but not tradable by API
CONTRACT_STATES = {"WAVES": "4", "HOOK": "3"}  # paused, offline; 0 is enabled
NO_API_CONTRACT = "KAS"
# Contracts whose coin has another name inside, or that count coins by the thousand.
INTERNAL_NAMES = {"FIL": "FILECOIN"}
MULTIPLIED = {"BONK": ("1000BONK", 1000)}
CONTRACT_USDC = ("BTC", "ETH", "SOL")
INVERSE = ("BTC", "ETH", "SOL", "XRP")
DELIVERY = "XRP_USDC_261225"  # the one contract that is not perpetual
STOCK = "NVIDIASTOCK_USDT"


def listings() -> list[Listing]:
    rows = [_spot(coin, "USDT", SPOT_STATES.get(coin, "1")) for coin in COINS]
    rows += [_spot(coin, quote, "1") for coin, quote in SPOT_EXTRA]
    rows.append(_spot("ZIL", "USDT", "1", base="龙虾"))
    rows += [_contract(coin, "USDT", CONTRACT_STATES.get(coin, "0")) for coin in COINS]
    rows += [_contract(coin, "USDC", "0") for coin in CONTRACT_USDC]
    rows += [_contract(coin, "USD", "0") for coin in INVERSE]
    rows.append(_contract("XRP", "USDC", "0", symbol=DELIVERY))
    rows.append(_contract("LTC", "USDT", "0", symbol=STOCK))
    return rows


def _spot(coin: str, quote: str, status: str, *, base: str | None = None) -> Listing:
    price = price_in(coin, quote)
    base = base or coin
    return Listing(
        exchange=NAME,
        market_type="spot",
        category="spot",
        symbol=base + quote,
        base=base,
        quote=quote,
        settle="",
        coin=coin,
        start_price=price,
        price=Scale(tick_for(price)),
        size=Scale(lot_for(price) / 100),
        contract=ONE,
        inverse=False,
        status=status,
        live=status == "1",
        activity=activity_of(coin),
    )


def _contract(coin: str, quote: str, state: str, *, symbol: str | None = None) -> Listing:
    """Sizes are whole contracts: of so many coins, or of so many dollars where the contract is inverse."""
    base, times = MULTIPLIED.get(coin, (coin, 1)) if quote == "USDT" else (coin, 1)
    price = times * price_in(coin, quote)
    inverse = quote == "USD"
    dollars = Decimal(100 if coin == "BTC" else 10)
    return Listing(
        exchange=NAME,
        market_type="futures",
        category="inverse" if inverse else "linear",
        symbol=symbol or f"{base}_{quote}",
        base=base,
        quote=quote,
        settle=coin if inverse else quote,
        coin=coin,
        start_price=price,
        price=Scale(tick_for(price)),
        size=Scale(ONE),
        contract=dollars if inverse else ONE.scaleb(-magnitude(price)),
        inverse=inverse,
        status=state,
        live=state == "0",
        activity=activity_of(coin) * (1.0 if quote == "USDT" and symbol is None else 0.4),
    )


def least(listing: Listing) -> Least:
    """The smallest order: on spot one unit of quote, and what `spot_row` says; one contract."""
    if listing.market_type == "futures":
        return Least(ONE)
    return Least(_least_size(listing), ONE)


def _least_size(listing: Listing) -> Decimal:
    return Decimal(0) if listing.quote == "USDC" else listing.size.step * 10


def spot_row(listing: Listing) -> dict[str, Any]:
    """The fields named precision hold decimals of amount and price, then the least amount and the least value."""
    size_places, price_places = places(listing.size.step), places(listing.price.step)
    return {
        "symbol": listing.symbol,
        "status": listing.status,
        "baseAsset": listing.base,
        "baseAssetPrecision": size_places,
        "quoteAsset": listing.quote,
        "quotePrecision": price_places,
        "quoteAssetPrecision": price_places,
        "baseCommissionPrecision": size_places,
        "quoteCommissionPrecision": price_places,
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
        "isSpotTradingAllowed": listing.base != NO_API,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": "1",
        "baseSizePrecision": f"{_least_size(listing):f}",
        "permissions": ["SPOT"],
        "filters": [],
        "maxQuoteAmount": "2000000",
        "makerCommission": "0.0005",
        "takerCommission": "0.0005",
        "quoteAmountPrecisionMarket": "1",
        "maxQuoteAmountMarket": "100000",
        "fullName": listing.base,
        "tradeSideType": 1,
    }


def contract_row(listing: Listing) -> dict[str, Any]:
    stock = listing.symbol == STOCK
    return {
        "symbol": listing.symbol,
        "displayNameEn": f"{listing.symbol} PERPETUAL",
        "positionOpenType": 3,
        "baseCoin": INTERNAL_NAMES.get(listing.base, listing.base),
        "quoteCoin": listing.quote,
        "settleCoin": listing.settle,
        "baseCoinName": "NVIDIA" if stock else listing.base,
        "contractSize": listing.contract.normalize(),
        "minLeverage": 1,
        "maxLeverage": 200,
        "priceScale": places(listing.price.step),
        "volScale": 0,
        "amountScale": 4,
        "priceUnit": float(listing.price.step),
        "volUnit": 1,
        "minVol": 1,
        "maxVol": 900000,
        "limitMaxVol": 900000,
        "bidLimitPriceRate": 0.2,
        "askLimitPriceRate": 0.2,
        "takerFeeRate": 0.0002,
        "makerFeeRate": 0,
        "maintenanceMarginRate": 0.004,
        "initialMarginRate": 0.005,
        "state": int(listing.status),
        "apiAllowed": listing.base != NO_API_CONTRACT,
        "futureType": 2 if listing.symbol == DELIVERY else 1,
        "conceptPlate": ["mc-trade-zone-tradfi"] if stock else [],
        "isHidden": False,
        "maxNumOrders": [200, 50],
        "openingTime": 1760440200000,
    }


def places(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))
