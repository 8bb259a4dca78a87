"""One order book: both sides as compact arrays of doubles, prices rising.

Wide books are bound by cache misses, so a level costs 16 bytes and nothing else. Everything here runs once per
message: `bench` holds its figures.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from apps.feeds.market import Level, Levels


class OrderBook:
    """Levels of both sides, unique and positive; the best bid is the last of its side, the best ask the first."""

    __slots__ = ("ask_amounts", "ask_prices", "bid_amounts", "bid_prices")

    def __init__(self, bids: Levels, asks: Levels) -> None:
        self.bid_prices, self.bid_amounts = _side(bids)
        self.ask_prices, self.ask_amounts = _side(asks)

    def update(self, bids: Levels, asks: Levels) -> None:
        """Set absolute amounts; zero removes a price, and removing one that is not there is normal."""
        if bids:
            _update(self.bid_prices, self.bid_amounts, bids)
        if asks:
            _update(self.ask_prices, self.ask_amounts, asks)

    def keep(self, levels: int) -> None:
        """Cut both sides to their best `levels`."""
        excess = len(self.bid_prices) - levels
        if excess > 0:
            del self.bid_prices[:excess], self.bid_amounts[:excess]
        del self.ask_prices[levels:], self.ask_amounts[levels:]

    def top(self, levels: int) -> tuple[Levels, Levels]:
        """The best bids and asks, best first; 0 gives all of them."""
        if levels == 0:
            levels = max(len(self.bid_prices), len(self.ask_prices))
        bids = list(zip(self.bid_prices[-levels:], self.bid_amounts[-levels:], strict=True))
        bids.reverse()
        return bids, list(zip(self.ask_prices[:levels], self.ask_amounts[:levels], strict=True))

    def tops(self) -> tuple[float, float, float, float]:
        """Best bid and ask with their amounts, to be compared with another moment's; zeros stand for an empty side."""
        bids, asks = self.bid_prices, self.ask_prices
        return (
            bids[-1] if bids else 0.0,
            self.bid_amounts[-1] if bids else 0.0,
            asks[0] if asks else 0.0,
            self.ask_amounts[0] if asks else 0.0,
        )

    @property
    def bids_count(self) -> int:
        return len(self.bid_prices)

    @property
    def asks_count(self) -> int:
        return len(self.ask_prices)

    @property
    def crossed(self) -> bool:
        """Best bid at or above best ask: an update was lost."""
        return bool(self.bid_prices) and bool(self.ask_prices) and self.bid_prices[-1] >= self.ask_prices[0]


def _side(levels: Levels) -> tuple["array[float]", "array[float]"]:
    rows: Iterable[Level] = sorted({price: amount for price, amount in levels if amount}.items())
    prices, amounts = array("d"), array("d")
    for price, amount in rows:
        prices.append(price)
        amounts.append(amount)
    return prices, amounts


def _update(prices: "array[float]", amounts: "array[float]", levels: Levels) -> None:
    for price, amount in levels:
        at = bisect_left(prices, price)
        if at < len(prices) and prices[at] == price:
            if amount:
                amounts[at] = amount
            else:
                del prices[at], amounts[at]
        elif amount:
            prices.insert(at, price)
            amounts.insert(at, amount)
