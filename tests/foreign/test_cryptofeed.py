"""cryptofeed, unchanged but for its addresses, keeps the simulator's own books where it still speaks the protocol.

It does not any more, or not in full:
- KuCoin: reads the symbols from `/api/v1/symbols`, not from the documented `/api/v2/symbols`.
- Binance's futures: hears no trades, because the address without a category carries books alone.
- MEXC, CoinEx, Hyperliquid: unknown to it.
"""

from dataclasses import dataclass

import pytest

from apps.feeds.simulator.server import Simulator
from tests.foreign.running import NEEDS_CLIENTS, run
from tests.foreign.truth import WHOLE, assert_follow_each_other, assert_is_top, found

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]


@dataclass(frozen=True)
class Judge:
    """`markets`: our symbol by cryptofeed's name; `depth`: levels of a side that the feed keeps."""

    feed: str
    exchange: str
    markets: dict[str, str]
    depth: int
    trades: bool = True


JUDGES = [
    Judge("BINANCE", "binance", {"BTC-USDT": "BTCUSDT"}, WHOLE),
    Judge("BINANCE_FUTURES", "binance", {"BTC-USDT-PERP": "BTCUSDT"}, WHOLE, trades=False),
    Judge("BYBIT", "bybit", {"BTC-USDT": "BTCUSDT", "BTC-USDT-PERP": "BTCUSDT"}, 200),
    Judge("OKX", "okx", {"BTC-USDT": "BTC-USDT", "BTC-USDT-PERP": "BTC-USDT-SWAP"}, 400),
    Judge("HUOBI", "htx", {"BTC-USDT": "btcusdt"}, 150),
    Judge("HUOBI_SWAP", "htx", {"BTC-USDT-PERP": "BTC-USDT", "BTC-USD-PERP": "BTC-USD"}, 150),
]


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.feed)
async def test_cryptofeed_keeps_the_true_books_and_hears_the_trades(simulator: Simulator, judge: Judge) -> None:
    simulator.world.engine.set_rate(150.0)
    exchange = simulator.exchanges[judge.exchange]
    report = await run(
        "cryptofeed_watch.py",
        {
            "url": simulator.url,
            "feed": judge.feed,
            "exchange": judge.exchange,
            "trades": judge.trades,
            "markets": [
                {"name": name, "market_type": _market_type(name), "symbol": symbol, "depth": judge.depth}
                for name, symbol in judge.markets.items()
            ],
        },
    )
    assert report["listed"] > 60
    for name, symbol in judge.markets.items():
        market = found(exchange, _market_type(name), symbol)
        assert_is_top(report["books"][name], exchange, market, judge.depth)
        if judge.trades:
            assert_follow_each_other(report["trades"][name], market)
    assert simulator.world.breaches.report() == {}


def _market_type(name: str) -> str:
    return "futures" if name.endswith("-PERP") else "spot"
