"""What a foreign client saw, held against the simulator's own markets."""

from collections.abc import Sequence
from typing import Any

from apps.feeds.simulator.exchange import Exchange
from apps.feeds.simulator.market import Market

WHOLE = 100_000  # levels: all there are


def found(exchange: Exchange, market_type: str, symbol: str) -> Market:
    market = exchange.market(market_type, symbol)
    assert market is not None
    return market


def assert_is_top(book: Any, exchange: Exchange, market: Market, depth: int) -> None:
    """Both sides are the best `depth` levels of the true book, or all of it."""
    truth = exchange.view(market, 0)
    for side, whole in zip(book, (truth["bids"], truth["asks"]), strict=True):
        assert side[:depth] == whole[:depth]


def assert_follow_each_other(trades: Sequence[Any], market: Market) -> None:
    """The trades are a part of the market's own, none left out between the first and the last of them."""
    price, size = market.listing.price, market.listing.size
    whole = [[trade.side, float(price.text(trade.price)), float(size.text(trade.size))] for trade in market.trades]
    seen = [list(trade) for trade in trades]
    assert seen
    assert any(whole[start : start + len(seen)] == seen for start in range(len(whole)))
