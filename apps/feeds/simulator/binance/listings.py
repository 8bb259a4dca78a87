"""What Binance lists, and how exchangeInfo says it."""

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

NAME = "binance"
ONE = Decimal(1)
MOST_OPEN = 200  # orders of one account and symbol
BAND = (Decimal("0.9500"), Decimal("1.0500"))  # of the mark price: futures' lowest sell, highest buy
SPOT_EXTRA = [("BTC", "USDC"), ("ETH", "USDC"), ("SOL", "USDC"), ("BTC", "EUR"), ("ETH", "EUR"), ("ETH", "BTC")]
SPOT_CLOSED = {"WAVES": "BREAK", "EOS": "HALT", "MKR": "CANCEL_ONLY"}
FUTURES_CLOSED = {"WAVES": "SETTLING", "DYM": "PENDING_TRADING", "MKR": "TRADING_HALT"}
BY_THE_THOUSAND = ("SHIB", "PEPE", "BONK", "FLOKI")
FOREVER_MS = 4133404800000  # delivery date of a perpetual
DATED = (("BTC", "261225", 1798185600000), ("ETH", "261225", 1798185600000), ("BTC", "270326", 1806048000000))


def listings() -> list[Listing]:
    rows = [_spot(coin, "USDT", SPOT_CLOSED.get(coin, "TRADING")) for coin in COINS]
    rows += [_spot(coin, quote, "TRADING") for coin, quote in SPOT_EXTRA]
    rows += [_perpetual(coin, "USDT", FUTURES_CLOSED.get(coin, "TRADING")) for coin in COINS]
    rows += [_perpetual(coin, "USDC", "TRADING") for coin in ("BTC", "ETH", "SOL", "XRP")]
    rows += [_dated(coin, date) for coin, date, _ in DATED]
    rows.append(_future("币安人生USDT", "币安人生", "USDT", "ZIL", "PERPETUAL", 0.15, "TRADING"))
    rows.append(_future("XAUUSDT", "XAU", "USDT", "YFI", "TRADIFI_PERPETUAL", 4100.0, "TRADING"))
    return rows


def _spot(coin: str, quote: str, status: str) -> Listing:
    price = price_in(coin, quote)
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
        price=Scale(tick_for(price, finest=8), 8),
        size=Scale(lot_for(price), 8),
        contract=ONE,
        inverse=False,
        status=status,
        live=status == "TRADING",
        activity=activity_of(coin),
    )


def _perpetual(coin: str, quote: str, status: str) -> Listing:
    if coin in BY_THE_THOUSAND:
        return _future(
            f"1000{coin}{quote}", f"1000{coin}", quote, coin, "PERPETUAL", 1000 * price_in(coin, quote), status
        )
    return _future(coin + quote, coin, quote, coin, "PERPETUAL", price_in(coin, quote), status)


def _dated(coin: str, date: str) -> Listing:
    category = "CURRENT_QUARTER" if date == "261225" else "NEXT_QUARTER"
    return _future(f"{coin}USDT_{date}", coin, "USDT", coin, category, price_in(coin, "USDT") * 1.004, "TRADING")


def _future(symbol: str, base: str, quote: str, coin: str, category: str, price: float, status: str) -> Listing:
    tick = tick_for(price)
    return Listing(
        exchange=NAME,
        market_type="futures",
        category=category,
        symbol=symbol,
        base=base,
        quote=quote,
        settle=quote,
        coin=coin,
        start_price=price,
        price=Scale(tick, _places(tick, price)),
        size=Scale(lot_for(price), _places(lot_for(price))),
        contract=ONE,
        inverse=False,
        status=status,
        live=status == "TRADING",
        activity=activity_of(coin) * (0.5 if quote == "USDC" or "_" in symbol else 1.0),
    )


def _places(step: Decimal, price: float = 0.0) -> int:
    """Digits after the point; the dearest contracts are written with one more than their tick has."""
    exponent = int(step.normalize().as_tuple().exponent)
    return max(0, -exponent) + (1 if price and magnitude(price) >= 4 else 0)


def least(listing: Listing) -> Least:
    """The smallest order: what the filters of exchangeInfo say."""
    if listing.market_type == "spot":
        return Least(listing.size.step, Decimal(5))
    return Least(listing.size.step, Decimal(50 if listing.base == "BTC" else 5))


def spot_row(listing: Listing) -> dict[str, Any]:
    tick, lot = _written(listing.price.step, 8), _written(listing.size.step, 8)
    return {
        "symbol": listing.symbol,
        "status": listing.status,
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "90000000.00000000", "stepSize": lot},
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": "0.00000000",
                "maxQty": "100000.00000000",
                "stepSize": "0.00000000",
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": "5.00000000",
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MOST_OPEN},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN"]],
    }


def futures_row(listing: Listing) -> dict[str, Any]:
    dates = {f"{coin}USDT_{date}": ms for coin, date, ms in DATED}
    price_places = _places(listing.price.step, listing.start_price)
    size_places = _places(listing.size.step)
    tick, lot = _written(listing.price.step, price_places), _written(listing.size.step, size_places)
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol.partition("_")[0],
        "contractType": listing.category,
        "deliveryDate": dates.get(listing.symbol, FOREVER_MS),
        "onboardDate": 1567965300000,
        "status": listing.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.quote,
        "pricePrecision": price_places,
        "quantityPrecision": size_places,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COMMODITY" if listing.category == "TRADIFI_PERPETUAL" else "COIN",
        "underlyingSubType": ["Crypto"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {"maxPrice": "4529764", "tickSize": tick, "filterType": "PRICE_FILTER", "minPrice": tick},
            {"stepSize": lot, "minQty": lot, "maxQty": "10000000", "filterType": "LOT_SIZE"},
            {"minQty": lot, "maxQty": "600000", "filterType": "MARKET_LOT_SIZE", "stepSize": lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": MOST_OPEN},
            {"notional": "50" if listing.base == "BTC" else "5", "filterType": "MIN_NOTIONAL"},
            {
                "multiplierDown": str(BAND[0]),
                "multiplierUp": str(BAND[1]),
                "multiplierDecimal": "4",
                "filterType": "PERCENT_PRICE",
            },
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY", "DCA"],
    }


def _written(step: Decimal, places: int) -> str:
    return f"{step:.{places}f}"
