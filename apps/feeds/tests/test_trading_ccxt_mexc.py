"""What we send to MEXC, beside what ccxt would send. Its own header `source`, which names a broker, we never send."""

import asyncio
import hashlib
import hmac
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from apps.feeds.drivers import registry
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Credentials, MarginMode, NewOrder, OrderRef, OrderType, PositionSide, TimeInForce
from apps.feeds.tests.test_trading_mexc import BTC, KEY, OURS, SECRET, SWAP
from tests.foreign.running import NEEDS_CLIENTS
from tests.foreign.sends import PATH, Pair, Sent, differences, sent, theirs

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
MEXC = registry.trader("mexc")
KEYS = Credentials(key=KEY, secret=SECRET)
NOW = 1767323045678
D = Decimal
PAIR, PERPETUAL = "BTC/USDT", "BTC/USDT:USDT"
MARKETS = [
    {"id": "BTCUSDT", "symbol": PAIR, "precision": {"amount": 0.0001, "price": 0.5}},
    {"id": "BTC_USDT", "symbol": PERPETUAL, "contractSize": 0.0001, "precision": {"amount": 1, "price": 0.5}},
]
ID, SWAP_ID = {"clientOrderId": OURS}, {"clientOrderId": OURS, "marginMode": "cross"}
CROSS: dict[str, Any] = {"margin_mode": MarginMode.CROSS}
MARKET: dict[str, Any] = {"type": OrderType.MARKET, "price": None}
EXPIRY = {"recvWindow": "ours ends when the order's request does", "signature": "of the window"}
MODE = {"positionMode": "we name the mode, so that an account in the other refuses; ccxt leaves it to the account"}
REDUCES = MODE | {"reduceOnly": "documented for one-way mode beside the side; ccxt sends the side alone"}
KIND = MODE | {"type": "5 is a market order; ccxt's 6 is a limit order at the last price"}
SIZE = {"page_num": "we page", "page_size": "we page"}
LISTED = {PATH: "we name the contract; ccxt lists all of them and filters", "page_num": "we page"}
DEALS = SIZE | {PATH: "the third version of the list", "end_time": "ccxt ends the list 90 days on"}


def place(instrument: Instrument, **changes: Any) -> Any:
    whole: dict[str, Any] = {
        "instrument": instrument,
        "client_order_id": OURS,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "expires_ms": NOW + 2000,
        "amount": D("0.001"),
        "price": D("45000.5"),
    }
    return MEXC.place(KEYS, NewOrder(**(whole | changes)), NOW)


def limit(symbol: str, side: str = "buy") -> tuple[Any, ...]:
    return (symbol, "limit", side, 0.001 if symbol == PAIR else 10, 45000.5)


def market(symbol: str, side: str) -> tuple[Any, ...]:
    return (symbol, "market", side, 0.001 if symbol == PAIR else 10)


REF, SWAP_REF = OrderRef(instrument=BTC, client_order_id=OURS), OrderRef(instrument=SWAP, client_order_id=OURS)
SPOT_THEIRS = OrderRef(instrument=BTC, exchange_order_id="C02__505979017439002624115")
SWAP_THEIRS = OrderRef(instrument=SWAP, exchange_order_id="739113577038255616")
PAIRS = [
    Pair("limit", place(BTC), "create_order", limit(PAIR), ID, EXPIRY),
    Pair("sell", place(BTC, side=Side.SELL), "create_order", limit(PAIR, "sell"), ID, EXPIRY),
    Pair("IOC", place(BTC, tif=TimeInForce.IOC), "create_order", limit(PAIR), ID | {"timeInForce": "IOC"}, EXPIRY),
    Pair("post-only", place(BTC, tif=TimeInForce.POST_ONLY), "create_order", limit(PAIR), ID | {"postOnly": True},
         EXPIRY),
    Pair("market sell", place(BTC, side=Side.SELL, **MARKET), "create_order", market(PAIR, "sell"), ID, EXPIRY),
    Pair("market buy by cost", place(BTC, amount=None, quote_amount=D(50), **MARKET), "create_order",
         (PAIR, "market", "buy", 0), ID | {"cost": 50}, EXPIRY),
    Pair("swap limit", place(SWAP, **CROSS), "create_order", limit(PERPETUAL), SWAP_ID, MODE),
    Pair("swap sell", place(SWAP, side=Side.SELL, **CROSS), "create_order", limit(PERPETUAL, "sell"), SWAP_ID, MODE),
    Pair("swap isolated", place(SWAP, leverage=3), "create_order", limit(PERPETUAL),
         {"clientOrderId": OURS, "marginMode": "isolated", "leverage": 3}, MODE),
    Pair("swap post-only", place(SWAP, tif=TimeInForce.POST_ONLY, **CROSS), "create_order", limit(PERPETUAL),
         SWAP_ID | {"postOnly": True}, MODE),
    Pair("swap market", place(SWAP, **MARKET, **CROSS), "create_order", market(PERPETUAL, "buy"), SWAP_ID, KIND),
    Pair("swap reduce-only", place(SWAP, side=Side.SELL, reduce_only=True, **CROSS), "create_order",
         limit(PERPETUAL, "sell"), SWAP_ID | {"reduceOnly": True}, REDUCES),
    Pair("swap hedged", place(SWAP, position_side=PositionSide.LONG, **CROSS), "create_order", limit(PERPETUAL),
         SWAP_ID | {"hedged": True}),
    Pair("cancel", MEXC.cancel(KEYS, REF, NOW), "cancel_order", ("", PAIR), ID,
         {"clientOrderId": "ccxt sends it under its own name too", "signature": "of that"}),
    Pair("cancel by their id", MEXC.cancel(KEYS, SPOT_THEIRS, NOW), "cancel_order",
         (SPOT_THEIRS.exchange_order_id, PAIR)),
    Pair("cancel swap by their id", MEXC.cancel(KEYS, SWAP_THEIRS, NOW), "cancel_order",
         (SWAP_THEIRS.exchange_order_id, PERPETUAL)),
    Pair("cancel all", MEXC.cancel_all(KEYS, BTC, NOW), "cancel_all_orders", (PAIR,)),
    Pair("cancel all of a swap", MEXC.cancel_all(KEYS, SWAP, NOW), "cancel_all_orders", (PERPETUAL,)),
    Pair("query", MEXC.query(KEYS, REF, NOW), "fetch_order", ("", PAIR), ID),
    Pair("query by their id", MEXC.query(KEYS, SPOT_THEIRS, NOW), "fetch_order",
         (SPOT_THEIRS.exchange_order_id, PAIR)),
    Pair("query swap by their id", MEXC.query(KEYS, SWAP_THEIRS, NOW), "fetch_order",
         (SWAP_THEIRS.exchange_order_id, PERPETUAL), {}, {"symbol": "the id is enough"}),
    Pair("open orders", MEXC.open_orders(KEYS, SPOT, BTC, NOW), "fetch_open_orders", (PAIR,)),
    Pair("open orders of a swap", MEXC.open_orders(KEYS, FUTURES, SWAP, NOW), "fetch_open_orders", (PERPETUAL,), {},
         LISTED),
    Pair("executions", MEXC.own_trades(KEYS, BTC, NOW - 5000, NOW), "fetch_my_trades", (PAIR, NOW - 5000, 100)),
    Pair("executions of a swap", MEXC.own_trades(KEYS, SWAP, NOW - 5000, NOW), "fetch_my_trades",
         (PERPETUAL, NOW - 5000), differs=DEALS),
    Pair("executions of an order", MEXC.order_trades(KEYS, SPOT_THEIRS, NOW), "fetch_order_trades",
         (SPOT_THEIRS.exchange_order_id, PAIR), differs={"limit": "we name the largest page"}),
    Pair("executions of an order of a swap", MEXC.order_trades(KEYS, SWAP_THEIRS, NOW), "fetch_order_trades",
         (SWAP_THEIRS.exchange_order_id, PERPETUAL)),
    Pair("balances", MEXC.balances(KEYS, SPOT, NOW), "fetch_balance", (), {"type": "spot"}),
    Pair("balances of futures", MEXC.balances(KEYS, FUTURES, NOW), "fetch_balance", (), {"type": "swap"}),
    Pair("positions", MEXC.positions(KEYS, NOW), "fetch_positions"),
    Pair("funding", MEXC.funding(KEYS, SWAP, 0, NOW), "fetch_funding_history", (PERPETUAL, None, 100), {},
         {"page_num": "we page"}),
    Pair("leverage", MEXC.set_leverage(KEYS, SWAP, 3, MarginMode.ISOLATED, NOW)[0], "set_leverage", (3, PERPETUAL),
         {"openType": 1, "positionType": 1}),
    Pair("server time", MEXC.server_time(SPOT), "fetch_time"),
]  # fmt: skip


def signature(request: Sent) -> tuple[str, str]:
    """What the request says, and what the exchange's rule makes of it."""
    query = urlsplit(request.target).query
    if "x-mexc-apikey" in request.headers:
        signed, _, told = query.rpartition("&signature=")
    else:
        told = request.headers["signature"]
        signed = request.headers["apikey"] + request.headers["request-time"] + (request.body or query)
    return told, hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def others() -> list[Sent]:
    return asyncio.run(theirs("mexc", KEYS, NOW, MARKETS, PAIRS))


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=[pair.name for pair in PAIRS])
def test_we_ask_for_what_ccxt_asks_for(others: list[Sent], number: int) -> None:
    pair, other = PAIRS[number], others[number]
    found = differences(pair, other)
    if "signature" not in pair.differs:  # the order of parameters is free: each must be signed as it is sent
        found -= {"signature"}
    assert found == set(pair.differs)
    if pair.name != "server time":
        for request in (sent(pair.ours), other):
            told, made = signature(request)
            assert told == made
        names = {"x-mexc-apikey", "apikey", "request-time"} & set(other.headers)
        ours = sent(pair.ours)
        assert {name: ours.headers[name] for name in names} == {name: other.headers[name] for name in names}
        assert "source" not in ours.headers
