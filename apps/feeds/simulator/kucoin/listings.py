"""What KuCoin lists, and how each of its market lists says it."""

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
from apps.feeds.simulator.ticker import ticker

NAME = "kucoin"
ONE = Decimal(1)
SPOT_EXTRA = [("BTC", "USDC"), ("ETH", "USDC"), ("SOL", "USDC"), ("BTC", "EUR"), ("ETH", "BTC")]
SPOT_CLOSED = ("WAVES", "EOS")
# Renamed coins: the symbol stays, name and currency change. (symbol, coin shown, walks with, price)
RENAMED = [("BCHSV-USDT", "BSV", "BCH", 52.0)]
CODES = {"BTC": "XBT"}  # the futures' own names of coins
PAUSED = ("WAVES", "DYM")
USDC_MARGINED = ("BTC", "ETH", "SOL")
INVERSE = ("BTC", "ETH", "SOL", "XRP")
PERPETUAL, DATED = "FFWCSX", "FFICSX"
EXPIRY_MS = {"XBTMZ26": 1798185600000, "XBTMH27": 1806048000000}
OPEN = "Open"
UNTIL_FUNDING_MS = 17752926


def listings() -> list[Listing]:
    rows = [_spot(f"{coin}-USDT", coin, "USDT", coin, price_in(coin, "USDT")) for coin in COINS]
    rows += [_spot(f"{coin}-{quote}", coin, quote, coin, price_in(coin, quote)) for coin, quote in SPOT_EXTRA]
    rows += [_spot(symbol, base, "USDT", coin, price) for symbol, base, coin, price in RENAMED]
    rows += [_contract(f"{code(coin)}USDTM", coin, "USDT", PERPETUAL) for coin in COINS]
    rows += [_contract(f"{code(coin)}USDCM", coin, "USDC", PERPETUAL) for coin in USDC_MARGINED]
    rows += [_contract(f"{code(coin)}USDM", coin, "USD", PERPETUAL) for coin in INVERSE]
    rows += [_contract(symbol, "BTC", "USD", DATED) for symbol in EXPIRY_MS]
    return rows


def code(coin: str) -> str:
    return CODES.get(coin, coin)


def _spot(symbol: str, base: str, quote: str, coin: str, price: float) -> Listing:
    live = coin not in SPOT_CLOSED
    return Listing(
        exchange=NAME,
        market_type="spot",
        category="SPOT",
        symbol=symbol,
        base=base,
        quote=quote,
        settle="",
        coin=coin,
        start_price=price,
        price=Scale(tick_for(price)),
        size=Scale(lot_for(price) / 1000),
        contract=ONE,
        inverse=False,
        status="1" if live else "0",
        live=live,
        activity=activity_of(coin),
    )


def _contract(symbol: str, coin: str, quote: str, category: str) -> Listing:
    """Sizes count contracts: of so many coins, or of one dollar where the contract is inverse."""
    price = price_in(coin, quote)
    inverse = quote == "USD"
    live = coin not in PAUSED
    return Listing(
        exchange=NAME,
        market_type="futures",
        category=category,
        symbol=symbol,
        base=code(coin),
        quote=quote,
        settle=code(coin) if inverse else quote,
        coin=coin,
        start_price=price * (1.004 if category == DATED else 1.0),
        price=Scale(tick_for(price)),
        size=Scale(ONE),
        contract=ONE if inverse else ONE.scaleb(1 - magnitude(price)),
        inverse=inverse,
        status=OPEN if live else "Paused",
        live=live,
        activity=activity_of(coin) * (1.0 if quote == "USDT" else 0.4),
    )


def symbol_row(listing: Listing) -> dict[str, Any]:
    """`/api/v2/symbols`."""
    lot = listing.size.step
    return {
        "symbol": listing.symbol,
        "name": f"{listing.base}-{listing.quote}",
        "baseCurrency": listing.base,
        "quoteCurrency": listing.quote,
        "feeCurrency": listing.quote,
        "market": "USDS",
        "baseMinSize": f"{(lot * 1000).normalize():f}",
        "quoteMinSize": "0.1",
        "baseMaxSize": "10000000000",
        "quoteMaxSize": "99999999",
        "baseIncrement": f"{lot:f}",
        "quoteIncrement": "0.000001",
        "priceIncrement": f"{listing.price.step:f}",
        "priceLimitRate": "0.1",
        "minFunds": "0.1",
        "isMarginEnabled": True,
        "enableTrading": listing.live,
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
        "callauctionIsEnabled": False,
        "tradingStartTime": None,
    }


def contract_row(listing: Listing) -> dict[str, Any]:
    """`/api/v1/contracts/active`: numbers, not strings."""
    day = ticker(listing)
    expiry = EXPIRY_MS.get(listing.symbol)
    return {
        "symbol": listing.symbol,
        "rootSymbol": listing.quote,
        "type": listing.category,
        "firstOpenDate": 1585555200000,
        "expireDate": expiry,
        "settleDate": expiry,
        "baseCurrency": listing.base,
        "quoteCurrency": listing.quote,
        "settleCurrency": listing.settle,
        "maxOrderQty": 1000000,
        "maxPrice": 1000000.0,
        "lotSize": 1,
        "tickSize": listing.price.step,
        "indexPriceTickSize": listing.price.step,
        "multiplier": multiplier(listing),
        "makerFeeRate": 0.0002,
        "takerFeeRate": 0.0006,
        "isDeleverage": True,
        "isQuanto": not listing.inverse,
        "isInverse": listing.inverse,
        "status": listing.status,
        "fundingFeeRate": None if expiry else 5.2e-05,
        "nextFundingRateTime": None if expiry else UNTIL_FUNDING_MS,
        "openInterest": "6748176",
        "turnoverOf24h": day.base_volume if listing.inverse else day.quote_volume,
        "volumeOf24h": day.quote_volume if listing.inverse else day.base_volume,
        "markPrice": number(day.price(day.last)),
        "indexPrice": number(day.price(day.last)),
        "lastTradePrice": number(day.price(day.last)),
        "lowPrice": number(day.price(day.low)),
        "highPrice": number(day.price(day.high)),
        "priceChgPct": round(day.last / day.open - 1, 4),
        "priceChg": number(day.price(day.last - day.open)),
        "maxLeverage": 125,
    }


def instrument_row(listing: Listing) -> dict[str, Any]:
    """`/api/ua/.../market/instrument`: text for spot, numbers for futures."""
    return _spot_instrument(listing) if listing.market_type == "spot" else _futures_instrument(listing)


def _spot_instrument(listing: Listing) -> dict[str, Any]:
    lot = listing.size.step
    return {
        "symbol": listing.symbol,
        "name": f"{listing.base}-{listing.quote}",
        "baseCurrency": listing.base,
        "quoteCurrency": listing.quote,
        "market": "USDS",
        "minBaseOrderSize": f"{(lot * 1000).normalize():f}",
        "minQuoteOrderSize": "0.1",
        "maxBaseOrderSize": "10000000000",
        "maxQuoteOrderSize": "99999999",
        "baseOrderStep": f"{lot:f}",
        "quoteOrderStep": "0.000001",
        "tickSize": f"{listing.price.step:f}",
        "feeCurrency": listing.quote,
        "tradingStatus": listing.status,
        "marginMode": "1",
        "priceLimitRatio": "0.1",
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
    }


def _futures_instrument(listing: Listing) -> dict[str, Any]:
    expiry = EXPIRY_MS.get(listing.symbol)
    return {
        "symbol": listing.symbol,
        "baseCurrency": listing.base,
        "quoteCurrency": listing.quote,
        "maxBaseOrderSize": 1000000,
        "tickSize": listing.price.step,
        "tradingStatus": "1" if listing.live else "0",
        "settlementCurrency": listing.settle,
        "contractType": "1" if expiry else "0",
        "isInverse": listing.inverse,
        "launchTime": 1585555200000,
        "expiryTime": expiry,
        "settlementTime": expiry,
        "maxPrice": 1000000.0,
        "lotSize": 1,
        "unitSize": multiplier(listing),
        "makerFeeRate": 0.0002,
        "takerFeeRate": 0.0006,
        "maxLeverage": 125,
    }


def multiplier(listing: Listing) -> Decimal:
    """Coins of one contract; -1 for an inverse one."""
    return -ONE if listing.inverse else listing.contract


def number(text: str) -> int | float:
    """Of text; whole where it can be."""
    value = float(text)
    return int(value) if value.is_integer() else value
