"""The last 24 hours of a listing: the part of a market list that says how much is traded."""

import time
import zlib
from dataclasses import dataclass

from apps.feeds.simulator.listings import Listing

BUSIEST_TURNOVER = 2e9  # money in quote and day at activity 1.0
TYPICAL_TRADE = 900.0


@dataclass(frozen=True, slots=True)
class Ticker:
    """Prices in quote, volumes of 24 hours in base coins and in quote money; the same at every call but for `ms`."""

    listing: Listing
    open: float
    high: float
    low: float
    last: float
    base_volume: float
    quote_volume: float
    count: int
    ms: int

    def price(self, value: float) -> str:
        return self.listing.price.text(round(value / float(self.listing.price.step)))

    @property
    def contracts(self) -> float:
        """Volume in the unit of sizes."""
        volume = self.quote_volume if self.listing.inverse else self.base_volume
        return volume / float(self.listing.contract)


def ticker(listing: Listing) -> Ticker:
    spread = zlib.crc32(f"{listing.exchange}{listing.market_type}{listing.symbol}".encode()) % 1000 / 1000
    last, first = listing.start_price, listing.start_price * (0.96 + 0.08 * spread)
    turnover = BUSIEST_TURNOVER * listing.activity**3 * (0.5 + spread) if listing.live else 0.0
    return Ticker(
        listing=listing,
        open=first,
        high=max(last, first) * 1.012,
        low=min(last, first) * 0.988,
        last=last,
        base_volume=turnover / last,
        quote_volume=turnover,
        count=int(turnover / TYPICAL_TRADE),
        ms=time.time_ns() // 1_000_000,
    )
