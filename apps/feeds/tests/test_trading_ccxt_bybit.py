"""Our requests to Bybit are those that ccxt would send, but for what is noted with its reason."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.bybit import signing
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
BYBIT = registry.trader("bybit")
ID = {"clientOrderId": OURS}
BY_OURS = {"orderLinkId": OURS}
ORDER = {"smpType": ("CancelTaker", None, "we say how orders of our own shall meet")}
GTC = ORDER | {"timeInForce": ("GTC", None, "ccxt leaves the default out")}
PAGED = "we ask for whole pages, ccxt for the default of 20"


COINS, SWAPS = bitcoin("bybit", MarketType.SPOT), bitcoin("bybit", MarketType.FUTURES)


def place(of: Instrument, **changes: Any) -> Request:
    return BYBIT.place(KEYS, order(of, **changes), NOW_MS)


def both(of: Instrument, symbol: str) -> list[Pair]:
    """What both markets have."""
    market = {"type": OrderType.MARKET, "price": None}
    limit = (symbol, "limit", "buy", 0.01, 30000.5)
    spot = of.market_type is MarketType.SPOT
    plain = {"orderFilter": (None, "Order", "the exchange's default on spot")} if spot else {}
    span = {
        "endTime": (str(NOW_MS), None, "the span is told: without it the exchange chooses one"),
        "execType": (None, "Trade", "we also want liquidations and settlements"),
    }
    seen = {"acknowledged": True}
    ended = {"orderStatus": (None, "Filled", "we also want those that were cancelled")}
    return [
        Pair(place(of), "create_order", (*limit, ID), GTC),
        Pair(place(of, tif=TimeInForce.IOC), "create_order", (*limit, ID | {"timeInForce": "IOC"}), ORDER),
        Pair(place(of, tif=TimeInForce.POST_ONLY), "create_order", (*limit, ID | {"postOnly": True}), ORDER),
        Pair(place(of, **market, side=Side.SELL), "create_order", (symbol, "market", "sell", 0.01, None, ID), ORDER),
        Pair(place(of, **market), "create_order", (symbol, "market", "buy", 0.01, None, ID), ORDER),
        Pair(BYBIT.cancel(KEYS, ref(of), NOW_MS), "cancel_order", (None, symbol, BY_OURS), plain),
        Pair(BYBIT.cancel(KEYS, ref(of, None, "7"), NOW_MS), "cancel_order", ("7", symbol), plain),
        Pair(BYBIT.cancel_all(KEYS, of, NOW_MS), "cancel_all_orders", (symbol,)),
        Pair(BYBIT.query(KEYS, ref(of, None, "7"), NOW_MS), "fetch_order", ("7", symbol, seen)),
        Pair(BYBIT.query_finished(KEYS, ref(of, None, "7"), NOW_MS), "fetch_closed_order", ("7", symbol), ended),
        Pair(
            BYBIT.open_orders(KEYS, of.market_type, of, NOW_MS),
            "fetch_open_orders",
            (symbol,),
            {"limit": ("50", None, PAGED)},
        ),
        Pair(BYBIT.own_trades(KEYS, of, NOW_MS - 9, NOW_MS), "fetch_my_trades", (symbol, NOW_MS - 9, 100), span),
        Pair(
            BYBIT.order_trades(KEYS, ref(of, None, "7"), NOW_MS),
            "fetch_order_trades",
            ("7", symbol, None, 100),
            {"execType": span["execType"]},
        ),
        Pair(BYBIT.balances(KEYS, of.market_type, NOW_MS), "fetch_balance", ({"type": of.market_type.value},)),
        Pair(BYBIT.fees(KEYS, of, NOW_MS), "fetch_trading_fee", (symbol,)),
    ]


def only_spot() -> list[Pair]:
    unit = ORDER | {"marketUnit": ("quoteCoin", None, "the exchange's default for buys, which we do not rely on")}
    spend = {"type": OrderType.MARKET, "price": None, "amount": None, "quote_amount": Decimal("25.5")}
    return [
        Pair(place(COINS, **spend), "create_market_buy_order_with_cost", (SPOT, 25.5, ID), unit),
        Pair(
            BYBIT.open_orders(KEYS, MarketType.SPOT, None, NOW_MS),
            "fetch_open_orders",
            (None, None, None, {"type": "spot"}),
            {"limit": ("50", None, PAGED)},
        ),
    ]


def only_futures() -> list[Pair]:
    closing = {"side": Side.SELL, "reduce_only": True}
    margin, leverage = BYBIT.set_leverage(KEYS, SWAPS, 5, MarginMode.ISOLATED, NOW_MS)
    return [
        Pair(
            place(SWAPS, **closing),
            "create_order",
            (SWAP, "limit", "sell", 0.01, 30000.5, ID | {"reduceOnly": True}),
            GTC,
        ),
        Pair(
            BYBIT.open_orders(KEYS, MarketType.FUTURES, None, NOW_MS),
            "fetch_open_orders",
            (None, None, None, {"type": "swap", "subType": "linear"}),
            {"limit": ("50", None, PAGED)},
        ),
        Pair(BYBIT.positions(KEYS, NOW_MS), "fetch_positions", (None, {"type": "swap", "subType": "linear"})),
        Pair(
            BYBIT.funding(KEYS, SWAPS, NOW_MS - 9, NOW_MS),
            "fetch_funding_history",
            (SWAP, NOW_MS - 9, 100),
            elsewhere="the log tells the sign of a payment, ccxt takes it from executions",
        ),
        Pair(margin, "set_margin_mode", ("isolated", SWAP)),
        Pair(leverage, "set_leverage", (5, SWAP)),
    ]


def assert_signed(request: Sent) -> None:
    headers = request.headers
    assert (headers["X-BAPI-API-KEY"], headers["X-BAPI-TIMESTAMP"]) == (KEYS.key, str(NOW_MS))
    text = f"{NOW_MS}{KEYS.key}{headers['X-BAPI-RECV-WINDOW']}{request.signed}"
    assert headers["X-BAPI-SIGN"] == signing.signature(KEYS.secret, text)


@pytest.mark.parametrize("market", list(MarketType))
async def test_ccxt_would_send_the_same(market: MarketType) -> None:
    pairs = both(COINS, SPOT) + only_spot() if market is MarketType.SPOT else both(SWAPS, SWAP) + only_futures()
    told = await theirs("bybit", pairs, options={"enableUnifiedAccount": True, "enableUnifiedMargin": False})
    wrong = {}
    for pair, other in zip(pairs, told, strict=True):
        ours = our(pair.ours)
        assert_signed(ours)
        assert_signed(other)
        assert ours.headers["X-BAPI-RECV-WINDOW"] == other.headers["X-BAPI-RECV-WINDOW"] == "5000"
        assert "Referer" not in ours.headers  # ccxt names itself to the exchange there
        if found := differences(pair, ours, other):
            wrong[f"{pair.method}{pair.args}"] = found
    assert wrong == {}
