"""What Bybit lists, and how instruments-info says it."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.listings import COINS, Listing, Scale, activity_of, lot_for, price_in, tick_for

NAME = "bybit"
ONE = Decimal(1)
SPOT_EXTRA = [("BTC", "USDC"), ("ETH", "USDC"), ("SOL", "USDC"), ("BTC", "EUR"), ("ETH", "BTC")]
# The multiplier stands before the coin, or behind it.
MULTIPLIED = {"PEPE": ("1000PEPE", 1000), "SHIB": ("SHIB1000", 1000), "BONK": ("1000BONK", 1000)}
SPOT_CLOSED = ("WAVES", "EOS")
PRE_LAUNCH = ("DYM", "HOOK")
PERPETUAL_USDC = {"BTC": "BTCPERP", "ETH": "ETHPERP", "SOL": "SOLPERP"}
DATED = {"BTCUSDT-25DEC26": ("BTC", "USDT"), "ETHUSDT-25DEC26": ("ETH", "USDT"), "BTC-26MAR27": ("BTC", "USDC")}
DELIVERY_MS = {"BTCUSDT-25DEC26": 1798185600000, "ETHUSDT-25DEC26": 1798185600000, "BTC-26MAR27": 1806048000000}
INVERSE = ("BTC", "ETH", "SOL", "XRP", "DOT", "LTC")


def listings() -> list[Listing]:
    rows = [_spot(coin, "USDT") for coin in COINS]
    rows += [_spot(coin, quote) for coin, quote in SPOT_EXTRA]
    rows += [_perpetual(coin) for coin in COINS]
    rows += [_contract(symbol, coin, "USDC", "linear", "Trading") for coin, symbol in PERPETUAL_USDC.items()]
    rows += [_contract(symbol, coin, quote, "linear", "Trading") for symbol, (coin, quote) in DATED.items()]
    rows += [_contract(f"{coin}USD", coin, "USD", "inverse", "Trading") for coin in INVERSE]
    rows.append(_contract("BTCUSDZ26", "BTC", "USD", "inverse", "Trading"))
    return rows


def _spot(coin: str, quote: str) -> Listing:
    price = price_in(coin, quote)
    status = "Closed" if coin in SPOT_CLOSED else "Trading"
    return Listing(
        exchange=NAME,
        market_type="spot",
        category="spot",
        symbol=coin + quote,
        base=coin,
        quote=quote,
        settle="",
        coin=coin,
        start_price=price,
        price=Scale(tick_for(price)),
        size=Scale(lot_for(price) / 10),
        contract=ONE,
        inverse=False,
        status=status,
        live=status == "Trading",
        activity=activity_of(coin),
    )


def _perpetual(coin: str) -> Listing:
    base, times = MULTIPLIED.get(coin, (coin, 1))
    status = "PreLaunch" if coin in PRE_LAUNCH else "Trading"
    return _contract(f"{base}USDT", coin, "USDT", "linear", status, base=base, times=times)


def _contract(
    symbol: str, coin: str, quote: str, category: str, status: str, *, base: str | None = None, times: int = 1
) -> Listing:
    price = times * price_in(coin, quote)
    tick = tick_for(price)
    inverse = category == "inverse"
    return Listing(
        exchange=NAME,
        market_type="futures",
        category=category,
        symbol=symbol,
        base=base or coin,
        quote=quote,
        settle=coin if inverse else quote,
        coin=coin,
        start_price=price,
        price=Scale(tick, max(0, -int(tick.normalize().as_tuple().exponent))),
        size=Scale(ONE if inverse else lot_for(price)),
        contract=ONE,
        inverse=inverse,
        status=status,
        live=status == "Trading",
        activity=activity_of(coin) * (1.0 if quote == "USDT" and "-" not in symbol else 0.4),
    )


def row(listing: Listing) -> dict[str, Any]:
    return _spot_row(listing) if listing.market_type == "spot" else _contract_row(listing)


def _spot_row(listing: Listing) -> dict[str, Any]:
    return {
        "symbol": listing.symbol,
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "innovation": "0",
        "status": listing.status,
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": f"{listing.size.step:f}",
            "quotePrecision": "0.0000001",
            "minOrderQty": f"{listing.size.step * 11:f}",
            "maxOrderQty": "8000000",
            "minOrderAmt": "5",
            "maxOrderAmt": "8000000",
            "maxLimitOrderQty": "8000000",
            "maxMarketOrderQty": "4000000",
        },
        "priceFilter": {"tickSize": f"{listing.price.step:f}"},
        "riskParameters": {"priceLimitRatioX": "0.005", "priceLimitRatioY": "0.01"},
        "symbolType": "",
    }


def _contract_row(listing: Listing) -> dict[str, Any]:
    dated = listing.symbol in DELIVERY_MS or listing.symbol[-1].isdigit()
    side = "Inverse" if listing.inverse else "Linear"
    tick, lot = f"{listing.price.step:f}", f"{listing.size.step:f}"
    before = listing.status == "PreLaunch"
    return {
        "symbol": listing.symbol,
        "contractType": f"{side}{'Futures' if dated else 'Perpetual'}",
        "status": listing.status,
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "launchTime": "1585526400000",
        "deliveryTime": str(DELIVERY_MS.get(listing.symbol, 1798185600000 if dated else 0)),
        "deliveryFeeRate": "0.0005" if dated else "",
        "priceScale": str(max(0, -int(listing.price.step.normalize().as_tuple().exponent))),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": "1000000",
            "minOrderQty": lot,
            "qtyStep": lot,
            "postOnlyMaxOrderQty": "1000000",
            "maxMktOrderQty": "500000",
            "minNotionalValue": "5",
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": listing.settle,
        "copyTrading": "none",
        "isPreListing": before,
        "preListingInfo": {"curAuctionPhase": "CallAuction", "phases": []} if before else None,
        "symbolType": "",
    }
