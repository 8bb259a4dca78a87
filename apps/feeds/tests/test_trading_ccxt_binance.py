"""Our requests to Binance are those that ccxt would send, but for what is noted with its reason."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.binance import signing
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import MarginMode, OrderType, TimeInForce
from apps.feeds.tests.foreign_requests import (
    KEYS,
    NOW_MS,
    OURS,
    SPOT,
    SWAP,
    Pair,
    Sent,
    bitcoin,
    differences,
    order,
    our,
    ref,
    theirs,
)
from tests.foreign.running import NEEDS_CLIENTS

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]
BINANCE = registry.trader("binance")
ID = {"clientOrderId": OURS}
PREVENTION = {"selfTradePreventionMode": ("EXPIRE_TAKER", None, "we say how orders of our own shall meet")}
RULES = {"orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"]}


COINS, SWAPS = bitcoin("binance", MarketType.SPOT), bitcoin("binance", MarketType.FUTURES)


def place(of: Instrument, **changes: Any) -> Request:
    return BINANCE.place(KEYS, order(of, **changes), NOW_MS)


def both(of: Instrument, symbol: str) -> list[Pair]:
    """What both markets have."""
    market = {"type": OrderType.MARKET, "price": None}
    limit = (symbol, "limit", "buy", 0.01, 30000.5)
    return [
        Pair(place(of), "create_order", (*limit, ID), PREVENTION),
        Pair(place(of, tif=TimeInForce.IOC), "create_order", (*limit, ID | {"timeInForce": "IOC"}), PREVENTION),
        Pair(place(of, tif=TimeInForce.POST_ONLY), "create_order", (*limit, ID | {"postOnly": True}), PREVENTION),
        Pair(
            place(of, **market, side=Side.SELL), "create_order", (symbol, "market", "sell", 0.01, None, ID), PREVENTION
        ),
        Pair(BINANCE.cancel(KEYS, ref(of), NOW_MS), "cancel_order", ("", symbol, ID)),
        Pair(BINANCE.cancel(KEYS, ref(of, None, "7"), NOW_MS), "cancel_order", ("7", symbol)),
        Pair(BINANCE.cancel_all(KEYS, of, NOW_MS), "cancel_all_orders", (symbol,)),
        Pair(BINANCE.query(KEYS, ref(of), NOW_MS), "fetch_order", ("", symbol, ID)),
        Pair(BINANCE.query(KEYS, ref(of, None, "7"), NOW_MS), "fetch_order", ("7", symbol)),
        Pair(BINANCE.open_orders(KEYS, of.market_type, of, NOW_MS), "fetch_open_orders", (symbol,)),
        Pair(BINANCE.own_trades(KEYS, of, NOW_MS - 9, NOW_MS), "fetch_my_trades", (symbol, NOW_MS - 9, 1000)),
        Pair(
            BINANCE.order_trades(KEYS, ref(of, None, "7"), NOW_MS),
            "fetch_my_trades",
            (symbol, None, 1000, {"orderId": "7"}),
        ),
    ]


def only_spot() -> list[Pair]:
    spend = {"type": OrderType.MARKET, "price": None, "amount": None, "quote_amount": Decimal("25.5")}
    zeros = {"omitZeroBalances": ("true", None, "what we do not hold need not be told")}
    return [
        Pair(place(COINS, **spend), "create_market_buy_order_with_cost", (SPOT, 25.5, ID), PREVENTION),
        Pair(BINANCE.balances(KEYS, MarketType.SPOT, NOW_MS), "fetch_balance", ({"type": "spot"},), zeros),
        Pair(BINANCE.open_orders(KEYS, MarketType.SPOT, None, NOW_MS), "fetch_open_orders", (None, None, None)),
    ]


def only_futures() -> list[Pair]:
    closing = {"side": Side.SELL, "reduce_only": True}
    margin, leverage = BINANCE.set_leverage(KEYS, SWAPS, 5, MarginMode.ISOLATED, NOW_MS)
    return [
        Pair(
            place(SWAPS, **closing),
            "create_order",
            (SWAP, "limit", "sell", 0.01, 30000.5, ID | {"reduceOnly": True}),
            PREVENTION,
        ),
        Pair(
            BINANCE.balances(KEYS, MarketType.FUTURES, NOW_MS),
            "fetch_balance",
            ({"type": "swap", "subType": "linear"},),
            elsewhere="ccxt reads them from the whole account, positions and all",
        ),
        Pair(BINANCE.positions(KEYS, NOW_MS), "fetch_positions", (), options={"defaultType": "swap"}),
        Pair(BINANCE.fees(KEYS, SWAPS, NOW_MS), "fetch_trading_fee", (SWAP,)),
        Pair(BINANCE.funding(KEYS, SWAPS, NOW_MS - 9, NOW_MS), "fetch_funding_history", (SWAP, NOW_MS - 9, 1000)),
        Pair(margin, "set_margin_mode", ("isolated", SWAP)),
        Pair(leverage, "set_leverage", (5, SWAP)),
        Pair(
            BINANCE.open_orders(KEYS, MarketType.FUTURES, None, NOW_MS),
            "fetch_open_orders",
            (None, None, None, {"type": "swap", "subType": "linear"}),
        ),
    ]


def assert_signed(request: Sent) -> None:
    text, _, signature = request.signed.rpartition("&signature=")
    assert signature == signing.signature(KEYS.secret, text)
    assert request.headers["X-MBX-APIKEY"] == KEYS.key
    assert request.params["timestamp"] == str(NOW_MS)


@pytest.mark.parametrize("market", list(MarketType))
async def test_ccxt_would_send_the_same(market: MarketType) -> None:
    pairs = both(COINS, SPOT) + only_spot() if market is MarketType.SPOT else both(SWAPS, SWAP) + only_futures()
    options = {"recvWindow": 5000, "leverageBrackets": {}, "warnOnFetchOpenOrdersWithoutSymbol": False}
    told = await theirs("binance", pairs, options=options, spot={"info": RULES}, swap={"info": RULES})
    for pair, other in zip(pairs, told, strict=True):
        ours = our(pair.ours)
        assert_signed(ours)
        assert_signed(other)
        for request in (ours, other):
            del request.params["signature"]
        assert differences(pair, ours, other) == {}, f"{pair.method}{pair.args}"
