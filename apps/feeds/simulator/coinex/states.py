"""The last 24 hours of a market: a row of `state.update` and of the REST tickers."""

from typing import Any

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.ticker import ticker

FUNDING_MS = 1798185600000


def ticker_row(listing: Listing) -> dict[str, Any]:
    """`volume` in the unit of amounts, `value` in quote money; of an inverse contract dollars and coins."""
    day = ticker(listing)
    value = day.base_volume if listing.inverse else day.quote_volume
    return {
        "market": listing.symbol,
        "last": day.price(day.last),
        "open": day.price(day.open),
        "close": day.price(day.last),
        "high": day.price(day.high),
        "low": day.price(day.low),
        "volume": f"{day.contracts:.8f}",
        "volume_sell": f"{day.contracts * 0.03:.8f}",
        "volume_buy": f"{day.contracts * 0.02:.8f}",
        "value": f"{value:.8f}",
        "period": 86400,
    }


def state_row(listing: Listing) -> dict[str, Any]:
    row = ticker_row(listing)
    if listing.market_type == "spot":
        return row
    return row | {
        "open_interest_size": "92414.6",
        "insurance_fund_size": "24497980.15228462554747551920",
        "mark_price": row["last"],
        "index_price": row["last"],
        "latest_funding_rate": "-0.00012921",
        "next_funding_rate": "0.00009768",
        "latest_funding_time": FUNDING_MS - 28_800_000,
        "next_funding_time": FUNDING_MS,
    }
