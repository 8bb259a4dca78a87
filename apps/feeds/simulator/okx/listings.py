"""What OKX lists, and how public/instruments says it."""

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

NAME = "okx"
ONE = Decimal(1)
SPOT_EXTRA = [("BTC", "USDC"), ("ETH", "USDC"), ("SOL", "USDC"), ("BTC", "EUR"), ("ETH", "BTC")]
SPOT_STATES = {"WAVES": "suspend", "EOS": "suspend", "DYM": "preopen"}
SWAP_STATES = {"WAVES": "suspend", "HOOK": "preopen", "ID": "test"}
SWAP_USDC = ("BTC", "ETH", "SOL")
INVERSE = ("BTC", "ETH", "SOL", "XRP", "UNI", "LTC")
DATED = {"261225": ("this_week", "1798185600000"), "270326": ("quarter", "1806048000000")}
SPOT_LOTS = 1000  # in the smallest order; of contracts one
FIRST_CODE = 10458  # instIdCode of the first derivative


def listings() -> list[Listing]:
    rows = [_spot(coin, "USDT", SPOT_STATES.get(coin, "live")) for coin in COINS]
    rows += [_spot(coin, quote, "live") for coin, quote in SPOT_EXTRA]
    rows += [_contract(f"{coin}-USDT-SWAP", coin, "USDT", SWAP_STATES.get(coin, "live")) for coin in COINS]
    rows += [_contract(f"{coin}-USDC-SWAP", coin, "USDC", "live") for coin in SWAP_USDC]
    rows += [_contract(f"{coin}-USD-SWAP", coin, "USD", "live") for coin in INVERSE]
    rows += [_contract(f"{coin}-USD-{date}", coin, "USD", "live") for coin in ("BTC", "ETH") for date in DATED]
    rows += [_contract(f"BTC-USDT-{date}", "BTC", "USDT", "live") for date in DATED]
    return rows


def _spot(coin: str, quote: str, state: str) -> Listing:
    price = price_in(coin, quote)
    return Listing(
        exchange=NAME,
        market_type="spot",
        category="SPOT",
        symbol=f"{coin}-{quote}",
        base=coin,
        quote=quote,
        settle="",
        coin=coin,
        start_price=price,
        price=Scale(tick_for(price)),
        size=Scale(lot_for(price) / 1000),
        contract=ONE,
        inverse=False,
        status=state,
        live=state == "live",
        activity=activity_of(coin),
    )


def _contract(symbol: str, coin: str, quote: str, state: str) -> Listing:
    """Sizes are contracts: of so many coins, or of so many dollars where the contract is inverse."""
    price = price_in(coin, quote)
    inverse = quote == "USD"
    dollars = Decimal(100 if coin == "BTC" else 10)
    swap = symbol.endswith("-SWAP")
    return Listing(
        exchange=NAME,
        market_type="futures",
        category="SWAP" if swap else "FUTURES",
        symbol=symbol,
        base=coin,
        quote=quote,
        settle=coin if inverse else quote,
        coin=coin,
        start_price=price * (1.0 if swap else 1.004),
        price=Scale(tick_for(price)),
        size=Scale(ONE if inverse or not swap else ONE.scaleb(-2 if price > 50 else -1)),
        contract=dollars if inverse else ONE.scaleb(2 - magnitude(price)),
        inverse=inverse,
        status=state,
        live=state == "live",
        activity=activity_of(coin) * (1.0 if symbol.endswith("USDT-SWAP") else 0.4),
    )


def least(listing: Listing) -> Least:
    """There is no smallest value of an order, only a smallest size."""
    return Least(size=listing.size.step * (SPOT_LOTS if listing.market_type == "spot" else 1))


def row(listing: Listing, position: int) -> dict[str, Any]:
    """`position` in the list makes the instIdCode."""
    derivative = listing.market_type == "futures"
    date = listing.symbol.rpartition("-")[2]
    alias, expiry = DATED.get(date, ("", ""))
    lot = f"{listing.size.step:f}"
    return {
        "alias": alias,
        "auctionEndTime": "",
        "baseCcy": "" if derivative else listing.base,
        "category": "1",
        "ctMult": "1" if derivative else "",
        "ctType": ("inverse" if listing.inverse else "linear") if derivative else "",
        "ctVal": f"{listing.contract:f}" if derivative else "",
        "ctValCcy": ("USD" if listing.inverse else listing.base) if derivative else "",
        "expTime": expiry,
        "instFamily": f"{listing.base}-{listing.quote}" if derivative else "",
        "instId": listing.symbol,
        "instIdCode": FIRST_CODE + position,
        "instType": listing.category,
        "lever": "100" if derivative else "10",
        "listTime": "1548133413000",
        "lotSz": lot,
        "maxIcebergSz": "100000000.0000000000000000",
        "maxLmtAmt": "20000000",
        "maxLmtSz": "100000000",
        "maxMktAmt": "" if derivative else "1000000",
        "maxMktSz": "35000",
        "maxStopSz": "35000",
        "maxTriggerSz": "100000000.0000000000000000",
        "maxTwapSz": "100000000.0000000000000000",
        "minSz": f"{least(listing).size:f}",
        "optType": "",
        "quoteCcy": "" if derivative else listing.quote,
        "ruleType": "normal",
        "settleCcy": listing.settle,
        "state": listing.status,
        "stk": "",
        "tickSz": f"{listing.price.step:f}",
        "uly": f"{listing.base}-{listing.quote}" if derivative else "",
    }
