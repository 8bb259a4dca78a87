"""Binance's trading half: what is signed and sent."""

import json
from decimal import Decimal

import pytest

from apps.feeds.drivers.binance import signing
from apps.feeds.drivers.trading import (
    ExpiryCheck,
    Token,
)
from apps.feeds.errors import (
    InvalidOrder,
    MalformedFrame,
    Refused,
)
from apps.feeds.market import Side
from apps.feeds.orders import (
    Credentials,
    MarginMode,
    OrderType,
    PositionSide,
    TimeInForce,
)
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_binance import (
    BINANCE,
    FUTURES,
    KEYS,
    NOW,
    OURS,
    SPOT,
    instrument,
    order,
    placed,
    ref,
    sent,
)

SPOT_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
SPOT_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
VECTORS = [
    (
        SPOT_SECRET,
        {"symbol": "LTCBTC", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 1, "price": "0.1"}
        | {"recvWindow": 5000, "timestamp": 1499827319559},
        "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
    ),
    (
        SPOT_SECRET,
        {"symbol": "123456".translate({ord(c): ord(c) + 0xFEE0 for c in "123456"}), "side": "BUY", "type": "LIMIT"}
        | {"timeInForce": "GTC", "quantity": 1, "price": "0.1", "recvWindow": 5000, "timestamp": 1499827319559},
        "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
    ),
    (
        "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9",
        {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": 1, "price": 9000, "timeInForce": "GTC"}
        | {"recvWindow": 5000, "timestamp": 1591702613943},
        "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9",
    ),
]


@pytest.mark.parametrize(("secret", "params", "expected"), VECTORS)
def test_the_exchanges_own_signatures_are_reproduced(secret, params, expected):
    assert signing.signature(secret, signing.query(params)) == expected


def test_commands_of_the_websocket_api_are_signed_by_name_and_unencoded():
    keys = Credentials(key=SPOT_KEY, secret=SPOT_SECRET)
    place = {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01000000"}
    place |= {"price": "52000.00", "recvWindow": 100, "timestamp": 1645423376532, "apiKey": SPOT_KEY}
    assert signing.ws_signature(keys, place) == "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
    [frame] = BINANCE.subscribe_private(keys, SPOT, 1747385641636)
    assert json.loads(frame) == {
        "id": "user-data",
        "method": "userDataStream.subscribe.signature",
        "params": {
            "apiKey": SPOT_KEY,
            "timestamp": 1747385641636,
            "signature": "681110a6057ad58657af22f5640fab9dd17418834cdfccdc81be8b0f7b2cde3e",
        },
    }


def test_a_limit_order_on_spot():
    request = BINANCE.place(KEYS, order(), NOW)
    assert sent(request) == (
        "POST https://api.binance.com/api/v3/order",
        {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.01",
            "price": "30000.5",
            "newClientOrderId": OURS,
            "newOrderRespType": "FULL",
            "selfTradePreventionMode": "EXPIRE_TAKER",
        },
    )
    assert (request.expires_ms, request.budget, request.weight) == (NOW + 2_000, "orders", 1)


def test_a_limit_order_on_futures():
    assert placed(FUTURES, side=Side.SELL, tif=TimeInForce.IOC, reduce_only=True) == (
        "POST https://fapi.binance.com/fapi/v1/order",
        {
            "symbol": "BTCUSDT",
            "side": "SELL",
            "type": "LIMIT",
            "timeInForce": "IOC",
            "quantity": "0.01",
            "price": "30000.5",
            "reduceOnly": "true",
            "newClientOrderId": OURS,
            "newOrderRespType": "RESULT",
            "selfTradePreventionMode": "EXPIRE_TAKER",
        },
    )


def test_post_only_is_a_type_on_spot_and_a_time_in_force_on_futures():
    _, spot = placed(SPOT, tif=TimeInForce.POST_ONLY)
    _, futures = placed(FUTURES, tif=TimeInForce.POST_ONLY)
    assert (spot["type"], "timeInForce" in spot) == ("LIMIT_MAKER", False)
    assert (futures["type"], futures["timeInForce"]) == ("LIMIT", "GTX")


def test_market_orders_take_base_or_on_spot_what_to_spend():
    market = {"type": OrderType.MARKET, "price": None}
    for where in (SPOT, FUTURES):
        _, params = placed(where, **market)
        assert params["type"] == "MARKET"
        assert params["quantity"] == "0.01"
        assert not params.keys() & {"price", "timeInForce", "quoteOrderQty"}
    spend = {"amount": None, "quote_amount": Decimal("25.50")}
    _, params = placed(SPOT, **market, **spend)
    assert (params["quoteOrderQty"], "quantity" in params) == ("25.5", False)
    with pytest.raises(InvalidOrder):
        placed(FUTURES, **market, **spend)


def test_hedge_mode_names_the_position_instead_of_reduce_only():
    _, opens = placed(FUTURES, position_side=PositionSide.SHORT, side=Side.SELL)
    _, closes = placed(FUTURES, position_side=PositionSide.LONG, side=Side.SELL, reduce_only=True)
    assert (opens["positionSide"], closes["positionSide"]) == ("SHORT", "LONG")
    assert "reduceOnly" not in closes
    with pytest.raises(InvalidOrder):
        placed(FUTURES, position_side=PositionSide.LONG, side=Side.BUY, reduce_only=True)
    with pytest.raises(InvalidOrder):
        placed(SPOT, position_side=PositionSide.LONG)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Decimal("0.0105")},
        {"price": Decimal("30000.55")},
        {"price": None},
        {"amount": None},
        {"expires_ms": NOW},
        {"reduce_only": True},
        {"side": Side.UNKNOWN},
    ],
)
def test_what_the_exchange_would_refuse_is_not_sent(changes):
    with pytest.raises(InvalidOrder):
        BINANCE.place(KEYS, order(**changes), NOW)


def test_an_order_never_lives_longer_than_the_exchange_allows():
    request = BINANCE.place(KEYS, order(expires_ms=NOW + 600_000), NOW)
    assert request.expires_ms == NOW + 60_000
    assert (BINANCE.expiry(SPOT).check, BINANCE.expiry(FUTURES).longest_ms) == (ExpiryCheck.GATEWAY, 60_000)


@pytest.mark.parametrize(
    ("request_", "path", "params", "weight"),
    [
        (BINANCE.cancel(KEYS, ref(), NOW), "DELETE /api/v3/order", {"origClientOrderId": OURS}, 1),
        (BINANCE.cancel(KEYS, ref(FUTURES, theirs="7"), NOW), "DELETE /fapi/v1/order", {"origClientOrderId": OURS}, 1),
        (BINANCE.cancel(KEYS, ref(ours=None, theirs="7"), NOW), "DELETE /api/v3/order", {"orderId": "7"}, 1),
        (BINANCE.cancel_all(KEYS, instrument(), NOW), "DELETE /api/v3/openOrders", {}, 1),
        (BINANCE.cancel_all(KEYS, instrument(FUTURES), NOW), "DELETE /fapi/v1/allOpenOrders", {}, 1),
        (BINANCE.query(KEYS, ref(), NOW), "GET /api/v3/order", {"origClientOrderId": OURS}, 4),
        (BINANCE.query(KEYS, ref(FUTURES, None, "7"), NOW), "GET /fapi/v1/order", {"orderId": "7"}, 1),
        (BINANCE.open_orders(KEYS, SPOT, instrument(), NOW), "GET /api/v3/openOrders", {}, 6),
        (BINANCE.open_orders(KEYS, FUTURES, instrument(FUTURES), NOW), "GET /fapi/v1/openOrders", {}, 1),
        (BINANCE.open_orders(KEYS, SPOT, None, NOW), "GET /api/v3/openOrders", None, 80),
        (BINANCE.open_orders(KEYS, FUTURES, None, NOW), "GET /fapi/v1/openOrders", None, 40),
        (
            BINANCE.own_trades(KEYS, instrument(), NOW - 9, NOW),
            "GET /api/v3/myTrades",
            {"startTime": str(NOW - 9), "limit": "1000"},
            20,
        ),
        (
            BINANCE.own_trades(KEYS, instrument(FUTURES), NOW - 9, NOW, "56"),
            "GET /fapi/v1/userTrades",
            {"fromId": "56", "limit": "1000"},
            5,
        ),
        (
            BINANCE.order_trades(KEYS, ref(theirs="7"), NOW),
            "GET /api/v3/myTrades",
            {"orderId": "7", "limit": "1000"},
            5,
        ),
        (
            BINANCE.order_trades(KEYS, ref(FUTURES), NOW),
            "GET /fapi/v1/userTrades",
            {"startTime": str(NOW - 600_000), "limit": "1000"},
            5,
        ),
        (
            BINANCE.funding(KEYS, instrument(FUTURES), NOW - 9, NOW),
            "GET /fapi/v1/income",
            {"incomeType": "FUNDING_FEE", "startTime": str(NOW - 9), "limit": "1000"},
            30,
        ),
        (BINANCE.fees(KEYS, instrument(FUTURES), NOW), "GET /fapi/v1/commissionRate", {}, 20),
    ],
)
def test_requests_of_one_symbol_or_of_all(request_, path, params, weight):
    method, _, tail = path.partition(" ")
    where, told = sent(request_)
    host = "api.binance.com" if tail.startswith("/api") else "fapi.binance.com"
    assert where == f"{method} https://{host}{tail}"
    assert told == ({} if params is None else {"symbol": "BTCUSDT"} | params)
    assert (request_.weight, request_.budget) == (weight, "")


def test_requests_of_the_account():
    assert sent(BINANCE.balances(KEYS, SPOT, NOW)) == (
        "GET https://api.binance.com/api/v3/account",
        {"omitZeroBalances": "true"},
    )
    assert sent(BINANCE.fees(KEYS, instrument(), NOW))[0] == "GET https://api.binance.com/api/v3/account"
    assert sent(BINANCE.balances(KEYS, FUTURES, NOW)) == ("GET https://fapi.binance.com/fapi/v3/balance", {})
    assert sent(BINANCE.positions(KEYS, NOW)) == ("GET https://fapi.binance.com/fapi/v3/positionRisk", {})
    assert sent(BINANCE.permissions(KEYS, NOW)) == (
        "GET https://api.binance.com/sapi/v1/account/apiRestrictions",
        {},
    )
    assert BINANCE.server_time(SPOT).url == "https://api.binance.com/api/v3/time"
    assert BINANCE.server_time(FUTURES).url == "https://fapi.binance.com/fapi/v1/time"


def test_leverage_is_set_after_the_kind_of_margin():
    margin, leverage = BINANCE.set_leverage(KEYS, instrument(FUTURES), 5, MarginMode.CROSS, NOW)
    assert sent(margin) == (
        "POST https://fapi.binance.com/fapi/v1/marginType",
        {"symbol": "BTCUSDT", "marginType": "CROSSED"},
    )
    assert sent(leverage) == (
        "POST https://fapi.binance.com/fapi/v1/leverage",
        {"symbol": "BTCUSDT", "leverage": "5"},
    )
    for told in (
        answer({"code": 200, "msg": "success"}),
        answer({"leverage": 5, "maxNotionalValue": "1000000", "symbol": "BTCUSDT"}),
        answer({"code": -4046, "msg": "No need to change margin type."}, 400),
    ):
        BINANCE.parse_leverage_set(told)
    with pytest.raises(Refused):
        BINANCE.parse_leverage_set(answer({"code": -4028, "msg": "Leverage 200 is not valid"}, 400))
    with pytest.raises(InvalidOrder):
        BINANCE.set_leverage(KEYS, instrument(SPOT), 5, MarginMode.CROSS, NOW)


def test_symbols_that_are_not_ascii_are_encoded_before_they_are_signed():
    request = BINANCE.cancel_all(KEYS, instrument(symbol="币安人生USDT"), NOW)
    assert "symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&" in request.url
    assert sent(request)[1] == {"symbol": "币安人生USDT"}


def test_neither_key_nor_secret_nor_signature_is_shown():
    request = BINANCE.cancel(KEYS, ref(), NOW)
    token = Token(value="a-listen-key")
    shown = f"{KEYS!r} {request!r} {BINANCE.place(KEYS, order(), NOW)!r} {token!r} {answer({'listenKey': 'a-key'})!r}"
    for secret in ("a-key", "a-secret", "signature", "a-listen-key"):
        assert secret not in shown


@pytest.mark.parametrize(("timer_ms", "told"), [(60_000, "60000"), (None, "0")])
def test_each_futures_symbol_has_a_timer_of_its_own(timer_ms, told):
    request = BINANCE.dead_man(KEYS, FUTURES, timer_ms, NOW, instrument(FUTURES))
    assert sent(request) == (
        "POST https://fapi.binance.com/fapi/v1/countdownCancelAll",
        {"symbol": "BTCUSDT", "countdownTime": told},
    )
    assert (request.weight, request.budget, request.expires_ms) == (10, "", NOW + 5_000)
    text, _, sign = request.body.rpartition("&signature=")
    assert sign == signing.signature(KEYS.secret, text)
    with pytest.raises(InvalidOrder):
        BINANCE.dead_man(KEYS, FUTURES, timer_ms, NOW)


def test_spot_has_no_timer():
    assert BINANCE.dead_man(KEYS, SPOT, 60_000, NOW, instrument()) is None
    assert BINANCE.dead_man_terms(KEYS, SPOT) is None
    assert BINANCE.dead_man_terms(KEYS, FUTURES).by_instrument


@pytest.mark.parametrize("told", ["60000", 60_000])
def test_a_timer_is_due_when_its_countdown_is_over(told):
    counts = answer({"symbol": "BTCUSDT", "countdownTime": told})
    assert BINANCE.parse_dead_man(FUTURES, 60_000, NOW, counts) == NOW + 60_000
    assert BINANCE.parse_dead_man(FUTURES, None, NOW, answer({"symbol": "BTCUSDT", "countdownTime": "0"})) is None
    with pytest.raises(MalformedFrame):
        BINANCE.parse_dead_man(FUTURES, None, NOW, counts)


def test_a_timer_that_is_refused_is_told_as_such():
    with pytest.raises(Refused):
        BINANCE.parse_dead_man(FUTURES, 60_000, NOW, answer({"code": -4999, "msg": "Not for you."}, status=400))
