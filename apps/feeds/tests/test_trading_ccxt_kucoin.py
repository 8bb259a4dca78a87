"""What we send to KuCoin, for classic and for unified accounts, beside what ccxt would send."""

import asyncio
import base64
import hashlib
import hmac
from typing import Any

import pytest

from apps.feeds.drivers.base import Request
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import Credentials, MarginMode, OrderRef, OrderType, TimeInForce
from apps.feeds.tests.kucoin_orders import (
    BTC,
    CLASSIC,
    FUTURES,
    KUCOIN,
    NOW,
    REF,
    SPOT,
    UNIFIED,
    XBT,
    XBT_REF,
    D,
    order,
)
from tests.foreign.running import NEEDS_CLIENTS
from tests.foreign.sends import PATH, Pair, Sent, differences, sent, theirs

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]

SINCE = NOW - 1000
ID = {"clientOrderId": "ct0001"}
MARKETS: list[dict[str, Any]] = [
    {
        "id": "BTC-USDT",
        "symbol": "BTC/USDT",
        "precision": {"amount": 0.001, "price": 0.1},
        "info": {"quoteIncrement": "0.000001"},
    },
    {
        "id": "XBTUSDTM",
        "symbol": "BTC/USDT:USDT",
        "contractSize": 0.001,
        "precision": {"amount": 1, "price": 0.1},
    },
]
STP = {"stp": "no trades with ourselves; ccxt leaves KuCoin's default"}
GTC = {"timeInForce": "we name the default"}
EXPIRY = {
    "clientTimestamp": "an expiry of its own for each order; ccxt has none",
    "allowMaxTimeWindow": "with its length",
}
SIZED = {"pageSize": "we name the page's size"}
LEVERAGE = {"leverage": "left out where it opens nothing, or margin is shared: there the account's own counts"}
V2 = {PATH: "version 1 is said to end with 2026; the official SDK calls version 2 alone"}
MODE = {"marginMode": "told for each order, so that none falls into the other mode"}


def place(keys: Credentials, instrument: Instrument, **changes: Any) -> Request:
    return KUCOIN.place(keys, order(instrument, **changes), NOW)


THEIRS = OrderRef(instrument=BTC, exchange_order_id="4611")
XBT_THEIRS = OrderRef(instrument=XBT, exchange_order_id="4611")
MARKET: dict[str, Any] = {"type": OrderType.MARKET, "price": None}
IOC, POST_ONLY = TimeInForce.IOC, TimeInForce.POST_ONLY
BUY = ("BTC/USDT", "limit", "buy", 0.003, 30000)
XBT_BUY = ("BTC/USDT:USDT", "limit", "buy", 3, 30000)
XBT_SELL = ("BTC/USDT:USDT", "market", "sell", 3)
ISOLATED, CROSS = {"marginMode": "isolated"}, {"marginMode": "cross"}
CLASSIC_PAIRS = [
    Pair("limit", place(CLASSIC, BTC), "create_order", BUY, ID, STP | GTC | EXPIRY),
    Pair("IOC", place(CLASSIC, BTC, tif=IOC), "create_order", BUY, ID | {"timeInForce": "IOC"}, STP | EXPIRY),
    Pair("post-only", place(CLASSIC, BTC, tif=POST_ONLY), "create_order", BUY, ID | {"postOnly": True},
         STP | GTC | EXPIRY),
    Pair("market sell", place(CLASSIC, BTC, side=Side.SELL, **MARKET), "create_order",
         ("BTC/USDT", "market", "sell", 0.003), ID, STP | EXPIRY),
    Pair("market buy by cost", place(CLASSIC, BTC, amount=None, quote_amount=D(10), **MARKET), "create_order",
         ("BTC/USDT", "market", "buy", 0), ID | {"cost": 10}, STP | EXPIRY),
    Pair("futures limit", place(CLASSIC, XBT), "create_order", XBT_BUY, ID | ISOLATED, STP | GTC),
    Pair("futures IOC", place(CLASSIC, XBT, tif=IOC, leverage=5), "create_order", XBT_BUY,
         ID | ISOLATED | {"timeInForce": "IOC", "leverage": 5}, STP),
    Pair("futures cross", place(CLASSIC, XBT, margin_mode=MarginMode.CROSS), "create_order", XBT_BUY, ID | CROSS,
         STP | GTC | LEVERAGE),
    Pair("futures reduce-only", place(CLASSIC, XBT, side=Side.SELL, reduce_only=True, **MARKET), "create_order",
         XBT_SELL, ID | ISOLATED | {"reduceOnly": True}, STP | LEVERAGE),
    Pair("cancel", KUCOIN.cancel(CLASSIC, REF, NOW), "cancel_order", (None, "BTC/USDT"), ID),
    Pair("cancel by their id", KUCOIN.cancel(CLASSIC, THEIRS, NOW), "cancel_order", ("4611", "BTC/USDT")),
    Pair("cancel futures", KUCOIN.cancel(CLASSIC, XBT_REF, NOW), "cancel_order", (None, "BTC/USDT:USDT"), ID),
    Pair("cancel futures by their id", KUCOIN.cancel(CLASSIC, XBT_THEIRS, NOW), "cancel_order",
         ("4611", "BTC/USDT:USDT")),
    Pair("cancel all", KUCOIN.cancel_all(CLASSIC, BTC, NOW), "cancel_all_orders", ("BTC/USDT",)),
    Pair("cancel all futures", KUCOIN.cancel_all(CLASSIC, XBT, NOW), "cancel_all_orders", ("BTC/USDT:USDT",),
         differs={PATH: "version 3 is the newer one"}),
    Pair("query", KUCOIN.query(CLASSIC, REF, NOW), "fetch_order", (None, "BTC/USDT"), ID),
    Pair("query by their id", KUCOIN.query(CLASSIC, THEIRS, NOW), "fetch_order", ("4611", "BTC/USDT")),
    Pair("query futures", KUCOIN.query(CLASSIC, XBT_REF, NOW), "fetch_order", (None, "BTC/USDT:USDT"), ID),
    Pair("query futures by their id", KUCOIN.query(CLASSIC, XBT_THEIRS, NOW), "fetch_order",
         ("4611", "BTC/USDT:USDT")),
    Pair("open orders", KUCOIN.open_orders(CLASSIC, SPOT, BTC, NOW), "fetch_open_orders", ("BTC/USDT",),
         differs={"status": "of the older list: this one has open orders alone", "tradeType": "as well"}),
    Pair("open futures orders", KUCOIN.open_orders(CLASSIC, FUTURES, XBT, NOW), "fetch_open_orders",
         ("BTC/USDT:USDT",), differs=SIZED),
    Pair("executions", KUCOIN.own_trades(CLASSIC, BTC, SINCE, NOW), "fetch_my_trades", ("BTC/USDT", SINCE),
         differs={"limit": "we name the page's size"}),
    Pair("futures executions", KUCOIN.own_trades(CLASSIC, XBT, SINCE, NOW), "fetch_my_trades",
         ("BTC/USDT:USDT", SINCE), differs=SIZED),
    Pair("balances", KUCOIN.balances(CLASSIC, SPOT, NOW), "fetch_balance", params={"type": "trade"},
         differs={"type": "the wallet `trade_hf` has been merged into `trade`"}),
    Pair("futures balances", KUCOIN.balances(CLASSIC, FUTURES, NOW), "fetch_balance", params={"type": "swap"}),
    Pair("positions", KUCOIN.positions(CLASSIC, NOW), "fetch_positions"),
    Pair("fees", KUCOIN.fees(CLASSIC, BTC, NOW), "fetch_trading_fee", ("BTC/USDT",)),
    Pair("futures fees", KUCOIN.fees(CLASSIC, XBT, NOW), "fetch_trading_fee", ("BTC/USDT:USDT",)),
    Pair("funding", KUCOIN.funding(CLASSIC, XBT, SINCE, NOW), "fetch_funding_history", ("BTC/USDT:USDT", SINCE),
         differs={"maxCount": "we name the page's size"}),
    Pair("leverage", KUCOIN.set_leverage(CLASSIC, XBT, 3, MarginMode.CROSS, NOW)[1], "set_leverage",
         (3, "BTC/USDT:USDT")),
    Pair("server time", KUCOIN.server_time(SPOT), "fetch_time"),
]  # fmt: skip
UNIFIED_PAIRS = [
    Pair("limit", place(UNIFIED, BTC), "create_order", BUY, ID, V2 | STP | GTC),
    Pair("post-only", place(UNIFIED, BTC, tif=POST_ONLY), "create_order", BUY, ID | {"postOnly": True},
         V2 | STP | GTC),
    Pair("market buy by cost", place(UNIFIED, BTC, amount=None, quote_amount=D(10), **MARKET), "create_order",
         ("BTC/USDT", "market", "buy", 0), ID | {"cost": 10}, V2 | STP),
    Pair("futures IOC", place(UNIFIED, XBT, tif=IOC), "create_order", XBT_BUY, ID | {"timeInForce": "IOC"},
         V2 | STP | MODE),
    Pair("futures reduce-only", place(UNIFIED, XBT, side=Side.SELL, reduce_only=True, **MARKET), "create_order",
         XBT_SELL, ID | {"reduceOnly": True}, V2 | STP | MODE),
    Pair("cancel", KUCOIN.cancel(UNIFIED, REF, NOW), "cancel_order", (None, "BTC/USDT"), ID, V2),
    Pair("cancel futures by their id", KUCOIN.cancel(UNIFIED, XBT_THEIRS, NOW), "cancel_order",
         ("4611", "BTC/USDT:USDT"), differs=V2),
    Pair("cancel all", KUCOIN.cancel_all(UNIFIED, BTC, NOW), "cancel_all_orders", ("BTC/USDT",),
         differs=V2),
    Pair("query", KUCOIN.query(UNIFIED, REF, NOW), "fetch_order", (None, "BTC/USDT"), ID, V2),
    Pair("query futures by their id", KUCOIN.query(UNIFIED, XBT_THEIRS, NOW), "fetch_order",
         ("4611", "BTC/USDT:USDT"), differs=V2),
    Pair("open orders", KUCOIN.open_orders(UNIFIED, SPOT, BTC, NOW), "fetch_open_orders", ("BTC/USDT",),
         differs=V2 | SIZED),
    Pair("open futures orders", KUCOIN.open_orders(UNIFIED, FUTURES, XBT, NOW), "fetch_open_orders",
         ("BTC/USDT:USDT",), differs=V2 | SIZED),
    Pair("executions", KUCOIN.own_trades(UNIFIED, XBT, SINCE, NOW), "fetch_my_trades", ("BTC/USDT:USDT", SINCE),
         differs=V2 | SIZED),
    Pair("balances", KUCOIN.balances(UNIFIED, SPOT, NOW), "fetch_balance", params={"type": "unified"}, differs=V2),
    Pair("positions", KUCOIN.positions(UNIFIED, NOW), "fetch_positions",
         differs=V2 | {"limit": "documented as pageSize, and a page holds more than we may trade"}),
    Pair("fees", KUCOIN.fees(UNIFIED, XBT, NOW), "fetch_trading_fee", ("BTC/USDT:USDT",), differs=V2),
    Pair("funding", KUCOIN.funding(UNIFIED, XBT, SINCE, NOW), "fetch_funding_history", ("BTC/USDT:USDT", SINCE),
         differs=V2 | SIZED),
    Pair("leverage", KUCOIN.set_leverage(UNIFIED, XBT, 3, MarginMode.CROSS, NOW)[0], "set_leverage",
         (3, "BTC/USDT:USDT"), differs=V2),
]  # fmt: skip


def hashed(text: str) -> str:
    return base64.b64encode(hmac.new(CLASSIC.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


@pytest.fixture(scope="module")
def classic() -> list[Sent]:
    options = {"uta": False, "hf": True, "partner": {}}
    return asyncio.run(theirs("kucoin", CLASSIC, NOW, MARKETS, CLASSIC_PAIRS, options=options))


@pytest.fixture(scope="module")
def unified() -> list[Sent]:
    options = {"uta": True, "partner": {}}
    return asyncio.run(theirs("kucoin", CLASSIC, NOW, MARKETS, UNIFIED_PAIRS, options=options))


def compare(pair: Pair, other: Sent) -> None:
    """Their key's version is ours, so all headers can be compared."""
    assert differences(pair, other) == set(pair.differs)
    ours = sent(pair.ours)
    if "kc-api-sign" not in other.headers:
        return
    for request in (ours, other):
        text = request.headers["kc-api-timestamp"] + request.method + request.target + request.body
        assert request.headers["kc-api-sign"] == hashed(text)
    told = {name for name in other.headers if name.startswith("kc-api-")} - {"kc-api-sign"}
    assert {name: ours.headers[name] for name in told} == {name: other.headers[name] for name in told}


@pytest.mark.parametrize("number", range(len(CLASSIC_PAIRS)), ids=[pair.name for pair in CLASSIC_PAIRS])
def test_we_ask_a_classic_account_for_what_ccxt_asks_for(classic: list[Sent], number: int) -> None:
    compare(CLASSIC_PAIRS[number], classic[number])


@pytest.mark.parametrize("number", range(len(UNIFIED_PAIRS)), ids=[pair.name for pair in UNIFIED_PAIRS])
def test_we_ask_a_unified_account_for_what_ccxt_asks_for(unified: list[Sent], number: int) -> None:
    compare(UNIFIED_PAIRS[number], unified[number])
