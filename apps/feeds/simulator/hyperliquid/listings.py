"""What Hyperliquid lists, and how meta and spotMeta say it.

A perpetual is named by its coin, a spot pair by `@` and its index, but for the canonical PURR/USDC.
"""

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
)
from apps.feeds.simulator.trading.rules import Least

NAME = "hyperliquid"
ONE = Decimal(1)
LISTED, DELISTED = "listed", "delisted"
MAIN = ""  # the exchange's own perpetuals; others belong to a builder's dex
BUILDER = "xyz"
GONE = ("WAVES", "EOS", "MKR", "MANA")  # delisted perpetuals keep their place in the universe
BY_THE_THOUSAND = ("SHIB", "PEPE", "BONK", "FLOKI")
BUILT = {"TSLA": ("AVAX", 402.0), "NVDA": ("LINK", 188.0), "XYZ100": ("YFI", 24_600.0)}  # walk and price
UNIT = ("BTC", "ETH", "SOL")  # bridged coins, whose tokens are called UBTC and so on
CANONICAL = "PURR/USDC"
# Base, walk, quote, price and index of spot pairs that are not made from the list of coins.
SPOT_ODD = [
    ("PURR", "GRT", "USDC", 0.1762, 0),
    ("HYPE", "AVAX", "USDC", 42.31, 107),
    ("UBTC", "BTC", "USDC", COINS["BTC"], 142),
    ("UETH", "ETH", "USDC", COINS["ETH"], 151),
    ("USOL", "SOL", "USDC", COINS["SOL"], 156),
    ("UBTC", "BTC", "USDT0", COINS["BTC"], 161),
    ("HYPE", "AVAX", "USDT0", 42.3, 163),
    ("FLOKI", "ZIL", "USDC", 0.00812, 191),  # another token of the same name
]
FIRST_INDEX, INDEX_STEP = 200, 3  # of the other spot pairs: their indexes have holes
PERP_DECIMALS, SPOT_DECIMALS = 6, 8  # digits of price and size together
DIGITS = 5  # significant ones of a price
USDC = "USDC"
USDC_ID = "0x6d1e7cde53ba9467b783cb7c530ce054"


def listings() -> list[Listing]:
    """In the order of their numbers, each kind for itself."""
    rows = [_perpetual(coin) for coin in COINS]
    rows += [_future(f"{BUILDER}:{name}", coin, price, BUILDER, LISTED) for name, (coin, price) in BUILT.items()]
    rows += [_spot(base, coin, quote, price, index) for base, coin, quote, price, index in SPOT_ODD]
    coins = [coin for coin in COINS if coin not in UNIT]
    rows += [
        _spot(coin, coin, USDC, price_in(coin, USDC), FIRST_INDEX + INDEX_STEP * n) for n, coin in enumerate(coins)
    ]
    return rows


def least(listing: Listing) -> Least:
    """The smallest order is worth ten units of quote."""
    return Least(value=Decimal(10))


def market_type_of(coin: str) -> str:
    return "spot" if coin.startswith("@") or "/" in coin else "futures"


def index_of(listing: Listing) -> int:
    """Of a spot pair."""
    return 0 if listing.symbol == CANONICAL else int(listing.symbol.removeprefix("@"))


def decimals(listing: Listing) -> int:
    """szDecimals: digits of a size after the point."""
    return -int(listing.size.step.normalize().as_tuple().exponent)


def _perpetual(coin: str) -> Listing:
    status = DELISTED if coin in GONE else LISTED
    if coin in BY_THE_THOUSAND:
        return _future(f"k{coin}", coin, 1000 * COINS[coin], MAIN, status)
    return _future(coin, coin, COINS[coin], MAIN, status)


def _future(symbol: str, coin: str, price: float, dex: str, status: str) -> Listing:
    lot = lot_for(price)
    return Listing(
        exchange=NAME,
        market_type="futures",
        category=dex,
        symbol=symbol,
        base=symbol.rpartition(":")[2],
        quote=USDC,
        settle=USDC,
        coin=coin,
        start_price=price,
        price=Scale(_tick(price, lot, PERP_DECIMALS)),
        size=Scale(lot),
        contract=ONE,
        inverse=False,
        status=status,
        live=status == LISTED,
        activity=activity_of(coin),
    )


def _spot(base: str, coin: str, quote: str, price: float, index: int) -> Listing:
    lot = lot_for(price)
    return Listing(
        exchange=NAME,
        market_type="spot",
        category="spot",
        symbol=CANONICAL if index == 0 else f"@{index}",
        base=base,
        quote=quote,
        settle="",
        coin=coin,
        start_price=price,
        price=Scale(_tick(price, lot, SPOT_DECIMALS)),
        size=Scale(lot),
        contract=ONE,
        inverse=False,
        status=LISTED,
        live=True,
        activity=activity_of(coin) * 0.5,
    )


def _tick(price: float, lot: Decimal, most: int) -> Decimal:
    """Five significant digits, no more digits after the point than the size leaves; whole numbers are always good."""
    places = min(DIGITS - 1 - magnitude(price), most + int(lot.normalize().as_tuple().exponent))
    return ONE.scaleb(-max(places, 0))


def meta(listings: list[Listing]) -> dict[str, Any]:
    """The universe of one dex; the place in it is the number of the asset."""
    return {
        "universe": [
            {
                "szDecimals": decimals(listing),
                "name": listing.symbol,
                "maxLeverage": 20,
                "marginTableId": 54,
                **({} if listing.live else {"isDelisted": True}),
            }
            for listing in listings
        ],
        "marginTables": [
            [
                54,
                {
                    "description": "tiered 20x (2)",
                    "marginTiers": [
                        {"lowerBound": "0.0", "maxLeverage": 20},
                        {"lowerBound": "70000000.0", "maxLeverage": 10},
                    ],
                },
            ]
        ],
        "collateralToken": 0,
    }


def spot_meta(listings: list[Listing]) -> dict[str, Any]:
    """Tokens, and the pairs that name them by their indexes."""
    tokens = [_token(USDC, 8, 0)]
    places = {USDC: 0}
    for quote in sorted({listing.quote for listing in listings} - {USDC}):
        places[quote] = len(tokens)
        tokens.append(_token(quote, 2, len(tokens)))
    universe = []
    bases: dict[tuple[str, str], int] = {}  # by name and walk: two tokens may have one name
    for listing in listings:
        key = (listing.base, listing.coin)
        if key not in bases:
            bases[key] = len(tokens)
            tokens.append(_token(listing.base, decimals(listing), len(tokens)))
        universe.append(
            {
                "tokens": [bases[key], places[listing.quote]],
                "name": listing.symbol,
                "index": index_of(listing),
                "isCanonical": listing.symbol == CANONICAL,
            }
        )
    return {"universe": universe, "tokens": tokens}


def _token(name: str, size_decimals: int, index: int) -> dict[str, Any]:
    bridged = name.removeprefix("U") in UNIT
    return {
        "name": name,
        "szDecimals": size_decimals,
        "weiDecimals": size_decimals + 5 if index else 8,
        "index": index,
        "tokenId": f"0x{index * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}" if index else USDC_ID,
        "isCanonical": index == 0 or name == "PURR",
        "evmContract": None,
        "fullName": f"Unit {name.removeprefix('U')}" if bridged else None,
        "deployerTradingFeeShare": "0.0",
    }
