"""ccxt, unchanged but for its addresses, sees the simulator's own markets, books and trades.

Where it sees less than the exchange offers, or otherwise than its documentation says, that is noted here and not bent
in the simulator.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from tests.foreign.running import NEEDS_CLIENTS, run
from tests.foreign.truth import WHOLE, assert_follow_each_other, assert_is_top, found

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]


@dataclass(frozen=True)
class Seen:
    """A market as ccxt names it. `watched`, `fetched`: levels of a side that it is sure to know, or all there are."""

    unified: str
    symbol: str
    watched: int
    fetched: int

    @property
    def market_type(self) -> str:
        return "futures" if ":" in self.unified else "spot"


@dataclass(frozen=True)
class Judge:
    exchange: str
    spot: Seen
    swap: Seen
    options: dict[str, Any] = field(default_factory=dict)
    begins: int = 1  # times that the client may begin anew until it has the true books


JUDGES = [
    # Also loads COIN-M unless told otherwise.
    Judge(
        "binance",
        Seen("BTC/USDT", "BTCUSDT", WHOLE, 100),
        Seen("BTC/USDT:USDT", "BTCUSDT", WHOLE, 500),
        {"fetchMarkets": {"types": ["spot", "linear"]}},
    ),
    # Also loads options unless told otherwise; knows the books of 50 levels by default.
    Judge(
        "bybit",
        Seen("BTC/USDT", "BTCUSDT", 50, 50),
        Seen("BTC/USDT:USDT", "BTCUSDT", 50, 25),
        {"fetchMarkets": {"types": ["spot", "linear", "inverse"]}},
    ),
    Judge(
        "okx",
        Seen("BTC/USDT", "BTC-USDT", 400, 100),
        Seen("BTC/USDT:USDT", "BTC-USDT-SWAP", 400, 100),
        {"fetchMarkets": {"types": ["spot", "swap", "future"]}},
    ),
    # Starts a spot book from the 100 levels that need no key: what lies below is known only where it changed, and comes
    # nearer as the price moves. Asks for the tickers of all symbols with the markets, for fees alone.
    Judge(
        "kucoin",
        Seen("BTC/USDT", "BTC-USDT", 20, 100),
        Seen("BTC/USDT:USDT", "XBTUSDTM", WHOLE, WHOLE),
        {"fetchMarkets": {"fetchTickersFees": False}},
    ),
    Judge("htx", Seen("BTC/USDT", "btcusdt", 150, 150), Seen("BTC/USDT:USDT", "BTC-USDT", 150, 150)),
    # Starts a spot book from 100 levels, as with KuCoin. Joins the pushes to it by the first number of each alone and
    # leaves out the one that was under way: what changed after the snapshot in it is missing until it changes again.
    Judge("mexc", Seen("BTC/USDT", "BTCUSDT", 20, 100), Seen("BTC/USDT:USDT", "BTC_USDT", WHOLE, WHOLE), begins=6),
    Judge("hyperliquid", Seen("BTC/USDC", "@142", 20, 20), Seen("BTC/USDC:USDC", "BTC", 20, 20)),
]


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.exchange)
async def test_ccxt_sees_the_true_books_and_trades(simulator: Simulator, judge: Judge) -> None:
    simulator.world.engine.set_rate(150.0)
    exchange = simulator.exchanges[judge.exchange]
    markets = (judge.spot, judge.swap)
    report = await run(
        "ccxt_watch.py",
        {
            "url": simulator.url,
            "exchange": judge.exchange,
            "options": judge.options,
            "begins": judge.begins,
            "markets": [
                {"unified": seen.unified, "market_type": seen.market_type, "symbol": seen.symbol, "depth": seen.watched}
                for seen in markets
            ],
        },
    )
    assert report["listed"] > 120
    for seen in markets:
        market = found(exchange, seen.market_type, seen.symbol)
        told = report["seen"][seen.unified]
        assert_is_top(told["watched"], exchange, market, seen.watched)
        assert_is_top(told["fetched"], exchange, market, seen.fetched)
        assert_follow_each_other(told["trades"], market)
        assert told["market"]["active"]
        contract = told["market"]["contractSize"]
        assert contract == (float(market.listing.contract) if seen.market_type == "futures" else None)
    assert simulator.world.breaches.report() == {}
