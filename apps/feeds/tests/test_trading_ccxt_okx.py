"""What we send to OKX, beside what ccxt would send."""

import asyncio
import base64
import hashlib
import hmac
from typing import Any

import pytest

from apps.feeds.drivers.base import Request
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import MarginMode, OrderRef, OrderType, PositionSide, TimeInForce
from apps.feeds.tests.okx_orders import BTC, FUTURES, KEYS, NOW, OKX, REF, SPOT, SWAP, D, order
from tests.foreign.running import NEEDS_CLIENTS
from tests.foreign.sends import PATH, Pair, Sent, differences, sent, theirs

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]

ID = {"clientOrderId": "ct0001"}
MARKETS = [
    {"id": "BTC-USDT", "symbol": "BTC/USDT", "precision": {"amount": 0.001, "price": 0.1}},
    {
        "id": "BTC-USDT-SWAP",
        "symbol": "BTC/USDT:USDT",
        "contractSize": 0.01,
        "precision": {"amount": 1, "price": 0.1},
    },
]
BATCH = {PATH: "ccxt places single orders in batches of one, which have a budget of their own"}
OURS_ONLY = {
    "stpMode": "no trades with ourselves; ccxt leaves OKX's default",
    "tag": "tells the exchange's timer whose orders they are; ccxt has none, or its own",
}
PLACED = BATCH | OURS_ONLY
UNIT = {"tgtCcy": "ccxt names the unit of limit orders too, where it means nothing"}
SIZED = {"limit": "we name the page's size"}
PAGED = SIZED | {"instType": "we name the market, so that all of it can be asked for"}


def place(instrument: Instrument, **changes: Any) -> Request:
    return OKX.place(KEYS, order(instrument, **changes), NOW)


def limit(symbol: str, side: str = "buy") -> tuple[Any, ...]:
    return (symbol, "limit", side, 0.003 if symbol == "BTC/USDT" else 3, 30000)


SWAP_REF = OrderRef(instrument=SWAP, client_order_id="ct0001")
THEIRS = OrderRef(instrument=SWAP, exchange_order_id="4611")
MARKET: dict[str, Any] = {"type": OrderType.MARKET, "price": None}
PAIRS = [
    Pair("limit", place(BTC), "create_order", limit("BTC/USDT"), ID, PLACED | UNIT),
    Pair("IOC", place(BTC, tif=TimeInForce.IOC), "create_order", limit("BTC/USDT"), ID | {"timeInForce": "IOC"},
         PLACED | UNIT),
    Pair("post-only", place(BTC, tif=TimeInForce.POST_ONLY), "create_order", limit("BTC/USDT"),
         ID | {"postOnly": True}, PLACED | UNIT),
    Pair("market sell", place(BTC, side=Side.SELL, **MARKET), "create_order", ("BTC/USDT", "market", "sell", 0.003), ID,
         PLACED),
    Pair("market buy by cost", place(BTC, amount=None, quote_amount=D(10), **MARKET), "create_order",
         ("BTC/USDT", "market", "buy", 10), ID | {"tgtCcy": "quote_ccy"}, PLACED),
    Pair("swap limit", place(SWAP), "create_order", limit("BTC/USDT:USDT"), ID | {"tdMode": "isolated"}, PLACED),
    Pair("swap cross", place(SWAP, margin_mode=MarginMode.CROSS), "create_order", limit("BTC/USDT:USDT"),
         ID | {"tdMode": "cross"}, PLACED),
    Pair("swap reduce-only", place(SWAP, side=Side.SELL, reduce_only=True, **MARKET), "create_order",
         ("BTC/USDT:USDT", "market", "sell", 3), ID | {"tdMode": "isolated", "reduceOnly": True}, PLACED),
    Pair("swap hedged", place(SWAP, position_side=PositionSide.LONG), "create_order", limit("BTC/USDT:USDT"),
         ID | {"tdMode": "isolated", "posSide": "long"}, PLACED),
    Pair("cancel", OKX.cancel(KEYS, REF, NOW), "cancel_order", (None, "BTC/USDT"), ID),
    Pair("cancel swap", OKX.cancel(KEYS, SWAP_REF, NOW), "cancel_order", (None, "BTC/USDT:USDT"), ID),
    Pair("cancel by their id", OKX.cancel(KEYS, THEIRS, NOW), "cancel_order", ("4611", "BTC/USDT:USDT")),
    Pair("query", OKX.query(KEYS, REF, NOW), "fetch_order", (None, "BTC/USDT"), ID),
    Pair("query swap", OKX.query(KEYS, SWAP_REF, NOW), "fetch_order", (None, "BTC/USDT:USDT"), ID),
    Pair("query by their id", OKX.query(KEYS, THEIRS, NOW), "fetch_order", ("4611", "BTC/USDT:USDT")),
    Pair("open orders", OKX.open_orders(KEYS, SPOT, BTC, NOW), "fetch_open_orders", ("BTC/USDT",), differs=PAGED),
    Pair("open swap orders", OKX.open_orders(KEYS, FUTURES, SWAP, NOW), "fetch_open_orders", ("BTC/USDT:USDT",),
         differs=PAGED),
    Pair("old executions", OKX.own_trades(KEYS, BTC, NOW - 4 * 86_400_000, NOW), "fetch_my_trades",
         ("BTC/USDT", NOW - 4 * 86_400_000), differs=SIZED),
    Pair("executions", OKX.own_trades(KEYS, SWAP, NOW - 1000, NOW), "fetch_my_trades",
         ("BTC/USDT:USDT", NOW - 1000), differs=SIZED | {PATH: "recent ones have a list with a larger budget"}),
    Pair("balances", OKX.balances(KEYS, SPOT, NOW), "fetch_balance"),
    Pair("positions", OKX.positions(KEYS, NOW), "fetch_positions",
         differs={"instType": "swaps alone: nothing else is traded"}),
    Pair("fees", OKX.fees(KEYS, BTC, NOW), "fetch_trading_fee", ("BTC/USDT",)),
    Pair("swap fees", OKX.fees(KEYS, SWAP, NOW), "fetch_trading_fee", ("BTC/USDT:USDT",),
         differs={"uly": "the older name", "instFamily": "of this"}),
    Pair("leverage", OKX.set_leverage(KEYS, SWAP, 3, MarginMode.CROSS, NOW)[0], "set_leverage", (3, "BTC/USDT:USDT"),
         {"mgnMode": "cross"}, {"lever": "documented as text"}),
    Pair("server time", OKX.server_time(SPOT), "fetch_time"),
]  # fmt: skip


def signature(request: Sent) -> str:
    text = request.headers["ok-access-timestamp"] + request.method + request.target + request.body
    return base64.b64encode(hmac.new(KEYS.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


@pytest.fixture(scope="module")
def others() -> list[Sent]:
    return asyncio.run(theirs("okx", KEYS, NOW, MARKETS, PAIRS, options={"brokerId": None}))


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=[pair.name for pair in PAIRS])
def test_we_ask_for_what_ccxt_asks_for(others: list[Sent], number: int) -> None:
    pair, other = PAIRS[number], others[number]
    assert differences(pair, other) == set(pair.differs)
    ours = sent(pair.ours)
    if "ok-access-sign" in other.headers:
        for request in (ours, other):
            assert request.headers["ok-access-sign"] == signature(request)
        signed = {name for name in other.headers if name.startswith("ok-access-")}
        assert {name: ours.headers[name] for name in signed - {"ok-access-sign"}} == {
            name: other.headers[name] for name in signed - {"ok-access-sign"}
        }
