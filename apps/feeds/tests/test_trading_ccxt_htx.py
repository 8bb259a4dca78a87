"""What we send to HTX, beside what ccxt would send. It asks for contracts at another host, as its signature says."""

import asyncio
import base64
import hashlib
import hmac
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest

from apps.feeds.drivers.htx.trader import HtxTrader
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Credentials, MarginMode, NewOrder, OrderRef, OrderType, PositionSide, TimeInForce
from apps.feeds.tests.good_account_frames_htx import BTC, NUMBER, SWAP
from tests.foreign.running import NEEDS_CLIENTS
from tests.foreign.sends import Pair, Sent, differences, sent, theirs

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
HTX = HtxTrader()
KEYS = Credentials(key="testApiKey", secret="testSecret", account="1528640:63628520")
NOW = 1767323045000
SINCE = NOW - 1000
PAIR, CONTRACT = "BTC/USDT", "BTC/USDT:USDT"
OURS, OUR_NUMBER = {"clientOrderId": "ct0001"}, {"clientOrderId": NUMBER}
ISOLATED = {"marginMode": "isolated"}
D = Decimal
MARKETS = [
    {"id": "btcusdt", "symbol": PAIR, "precision": {"amount": 0.001, "price": 0.1}},
    {"id": "BTC-USDT", "symbol": CONTRACT, "contractSize": 0.001, "precision": {"amount": 1, "price": 0.1}},
]
ANSWERS = {
    "/v1/account/accounts?": {"status": "ok", "data": [{"id": 1528640, "type": "spot", "state": "working"}]},
}
SPOT_OURS = {
    "source": "documented for spot; ccxt names it for margin only",
    "self-match-prevent": "no trades with ourselves; ccxt leaves HTX's default",
}
SWAP_OURS = {
    "self_match_prevent": "no trades with ourselves; ccxt leaves HTX's default",
    "position_side": "documented: both in one-way mode; ccxt leaves it out",
    "channel_code": "the field of its broker's id, which it sends even empty",
}
HEDGED = {name: why for name, why in SWAP_OURS.items() if name != "position_side"}
NUMBERS = {"client_order_id": "documented as a whole number; ccxt sends text where it cancels"}
MODE = {"margin_mode": "not needed where an order is named; ccxt says cross for every one"}
SIZE, LIMIT = {"size": "we name the page's size"}, {"limit": "we name the page's size"}


def place(instrument: Instrument, **changes: Any) -> Any:
    whole: dict[str, Any] = {
        "instrument": instrument,
        "client_order_id": "ct0001" if instrument is BTC else NUMBER,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "expires_ms": NOW + 2000,
        "amount": D("0.003"),
        "price": D(30000),
    }
    return HTX.place(KEYS, NewOrder(**(whole | changes)), NOW)


def limit(symbol: str, side: str = "buy") -> tuple[Any, ...]:
    return (symbol, "limit", side, 0.003 if symbol == PAIR else 3, 30000)


REF, SWAP_REF = OrderRef(instrument=BTC, client_order_id="ct0001"), OrderRef(instrument=SWAP, client_order_id=NUMBER)
THEIRS, SWAP_THEIRS = (OrderRef(instrument=one, exchange_order_id="4611") for one in (BTC, SWAP))
MARKET: dict[str, Any] = {"type": OrderType.MARKET, "price": None}
PAIRS = [
    Pair("limit", place(BTC), "create_order", limit(PAIR), OURS, SPOT_OURS),
    Pair("limit sell", place(BTC, side=Side.SELL), "create_order", limit(PAIR, "sell"), OURS, SPOT_OURS),
    Pair("IOC", place(BTC, tif=TimeInForce.IOC), "create_order", limit(PAIR), OURS | {"timeInForce": "IOC"}, SPOT_OURS),
    Pair("post-only", place(BTC, tif=TimeInForce.POST_ONLY), "create_order", limit(PAIR), OURS | {"postOnly": True},
         SPOT_OURS),
    Pair("market sell", place(BTC, side=Side.SELL, **MARKET), "create_order", (PAIR, "market", "sell", 0.003), OURS,
         SPOT_OURS),
    Pair("market buy by cost", place(BTC, amount=None, quote_amount=D("150.5"), **MARKET), "create_order",
         (PAIR, "market", "buy", 0), OURS | {"cost": 150.5}, SPOT_OURS),
    Pair("swap limit", place(SWAP), "create_order", limit(CONTRACT), OUR_NUMBER | ISOLATED, SWAP_OURS),
    Pair("swap cross", place(SWAP, margin_mode=MarginMode.CROSS), "create_order", limit(CONTRACT), OUR_NUMBER,
         SWAP_OURS),
    Pair("swap IOC", place(SWAP, tif=TimeInForce.IOC), "create_order", limit(CONTRACT),
         OUR_NUMBER | ISOLATED | {"timeInForce": "IOC"}, SWAP_OURS),
    Pair("swap post-only", place(SWAP, tif=TimeInForce.POST_ONLY), "create_order", limit(CONTRACT),
         OUR_NUMBER | ISOLATED | {"postOnly": True}, SWAP_OURS),
    Pair("swap reduce-only", place(SWAP, side=Side.SELL, reduce_only=True, **MARKET), "create_order",
         (CONTRACT, "market", "sell", 3), OUR_NUMBER | ISOLATED | {"reduceOnly": True}, SWAP_OURS),
    Pair("swap hedged", place(SWAP, position_side=PositionSide.LONG), "create_order", limit(CONTRACT),
         OUR_NUMBER | ISOLATED | {"position_side": "long"}, HEDGED),
    Pair("cancel", HTX.cancel(KEYS, REF, NOW), "cancel_order", (None, PAIR), OURS),
    Pair("cancel by their id", HTX.cancel(KEYS, THEIRS, NOW), "cancel_order", ("4611", PAIR)),
    Pair("cancel swap", HTX.cancel(KEYS, SWAP_REF, NOW), "cancel_order", (None, CONTRACT), OUR_NUMBER, NUMBERS),
    Pair("cancel swap by their id", HTX.cancel(KEYS, SWAP_THEIRS, NOW), "cancel_order", ("4611", CONTRACT)),
    Pair("cancel all", HTX.cancel_all(KEYS, BTC, NOW), "cancel_all_orders", (PAIR,),
         differs=SIZE | {"account-id": "margin accounts may have orders of the same pair"}),
    Pair("cancel all of a swap", HTX.cancel_all(KEYS, SWAP, NOW), "cancel_all_orders", (CONTRACT,)),
    Pair("query", HTX.query(KEYS, REF, NOW), "fetch_order", (None, PAIR), OURS),
    Pair("query by their id", HTX.query(KEYS, THEIRS, NOW), "fetch_order", ("4611", PAIR)),
    Pair("query swap", HTX.query(KEYS, SWAP_REF, NOW), "fetch_order", (None, CONTRACT), OUR_NUMBER, MODE),
    Pair("query swap by their id", HTX.query(KEYS, SWAP_THEIRS, NOW), "fetch_order", ("4611", CONTRACT), differs=MODE),
    Pair("open orders", HTX.open_orders(KEYS, SPOT, BTC, NOW), "fetch_open_orders", (PAIR,), differs=SIZE),
    Pair("open swap orders", HTX.open_orders(KEYS, FUTURES, SWAP, NOW), "fetch_open_orders", (CONTRACT,),
         differs=LIMIT),
    Pair("executions", HTX.own_trades(KEYS, BTC, SINCE, NOW), "fetch_my_trades", (PAIR, SINCE, 500)),
    Pair("swap executions", HTX.own_trades(KEYS, SWAP, SINCE, NOW), "fetch_my_trades", (CONTRACT, SINCE, 100)),
    Pair("an order's executions", HTX.order_trades(KEYS, THEIRS, NOW), "fetch_order_trades", ("4611", PAIR)),
    Pair("whose key", HTX.account_requests(KEYS, NOW)[0], "fetch_accounts"),
    Pair("balances", HTX.balances(KEYS, SPOT, NOW), "fetch_balance"),
    Pair("swap balances", HTX.balances(KEYS, FUTURES, NOW), "fetch_balance", (), {"type": "swap"}),
    Pair("positions", HTX.positions(KEYS, NOW), "fetch_positions"),
    Pair("fees", HTX.fees(KEYS, BTC, NOW), "fetch_trading_fee", (PAIR,)),
    Pair("funding", HTX.funding(KEYS, SWAP, SINCE, NOW), "fetch_funding_history", (CONTRACT, SINCE, 100),
         differs={"margin_mode": "of both modes; ccxt says cross"}),
    Pair("leverage", HTX.set_leverage(KEYS, SWAP, 3, MarginMode.ISOLATED, NOW)[0], "set_leverage", (3, CONTRACT),
         {"margin_mode": "isolated"}),
    Pair("server time", HTX.server_time(SPOT), "fetch_time"),
]  # fmt: skip


def signature(request: Sent, host: str) -> str:
    path, _, query = request.target.partition("?")
    text = f"{request.method}\n{host}\n{path}\n{query.rpartition('&Signature=')[0]}"
    return base64.b64encode(hmac.new(KEYS.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def assert_signed(request: Sent, host: str) -> None:
    assert unquote(request.target.rpartition("&Signature=")[2]) == signature(request, host)


@pytest.fixture(scope="module")
def others() -> list[Sent]:
    options = {"broker": {"id": ""}}
    return asyncio.run(theirs("htx", KEYS, NOW, MARKETS, PAIRS, options=options, answers=ANSWERS))


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=[pair.name for pair in PAIRS])
def test_we_ask_for_what_ccxt_asks_for(others: list[Sent], number: int) -> None:
    pair, other = PAIRS[number], others[number]
    assert differences(pair, other) - {"Signature"} == set(pair.differs)
    ours = sent(pair.ours)
    if "Signature" in other.params:
        of_contracts = "api.hbdm.com" in pair.ours.url
        assert_signed(ours, "api.hbdm.com" if of_contracts else "api.huobi.pro")
        assert_signed(other, "api.hbdm.vn" if of_contracts else "api.huobi.pro")
