"""MEXC's trading half: what is signed and sent to its two APIs, and which error each refusal is."""

import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from apps.feeds.drivers.mexc import signing
from apps.feeds.drivers.mexc.trader import MexcTrader
from apps.feeds.drivers.mexc.trading_facts import FUTURES_ERRORS, SPOT_ERRORS
from apps.feeds.drivers.trading import Answer, ExpiryCheck, IdForm
from apps.feeds.errors import (
    BadCredentials,
    Banned,
    ClockSkew,
    DuplicateOrder,
    FeedError,
    InsufficientFunds,
    InvalidOrder,
    MalformedFrame,
    NotPermitted,
    OrderIsFinal,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    UnknownOrder,
    UnknownSymbol,
)
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import (
    Credentials,
    MarginMode,
    NewOrder,
    OrderRef,
    OrderType,
    PositionSide,
    TimeInForce,
)
from apps.feeds.tests import good_account_frames
from apps.feeds.tests.trader_requests import answer, limit_order

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
MEXC = MexcTrader()
KEY, SECRET = "mx0aBYs33eIilxBWC5", "45d0b3c26f2644f19bfb98b07741b2f5"
KEYS = Credentials(key=KEY, secret=SECRET)
NOW = 1_761_888_808_000
OURS = "ctt00000000a1abcde"
SPOT_URL = "https://api.mexc.com/api/v3"
FUTURES_URL = "https://api.mexc.com/api/v1/private"
JSON = "application/json"


def listed(market_type: MarketType, symbol: str, lot: str, contract_size: str = "1") -> Instrument:
    return Instrument(
        exchange="mexc",
        market_type=market_type,
        pair="BTC/USDT",
        symbol=symbol,
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick=Decimal("0.5"),
        lot=Decimal(lot),
        contract_size=Decimal(contract_size),
    )


BTC = listed(SPOT, "BTCUSDT", "0.0001")
SWAP = listed(FUTURES, "BTC_USDT", "1", "0.0001")


def order(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    usual = {"client_order_id": OURS, "amount": Decimal("0.0010"), "price": Decimal("45000.50")}
    return limit_order(instrument, NOW, **(usual | changes))


def market(instrument: Instrument, **changes: Any) -> NewOrder:
    return order(instrument, type=OrderType.MARKET, price=None, **changes)


def ref(instrument: Instrument = BTC, **ids: str) -> OrderRef:
    return OrderRef(instrument=instrument, **ids)


def signed(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def spot(request: Any) -> tuple[str, str, dict[str, str]]:
    """Method, path and parameters; the signature is the last, and of all the others as they were sent."""
    address, _, query = request.url.partition("?")
    params, _, signature = query.rpartition("&signature=")
    assert signature == signed(SECRET, params)
    assert request.headers == {"X-MEXC-APIKEY": KEY, "Content-Type": JSON}
    assert request.body == ""
    told = dict(parse_qsl(params, strict_parsing=True))
    assert told.pop("timestamp") == str(NOW)
    assert request.expires_ms == NOW + int(told["recvWindow"])
    return request.method, address.removeprefix(SPOT_URL), told


def futures(request: Any) -> tuple[str, str, Any]:
    """Method, path and parameters or body."""
    parts = urlsplit(request.url)
    signature = signed(SECRET, f"{KEY}{NOW}{parts.query}{request.body}")
    stamps = {"ApiKey": KEY, "Request-Time": str(NOW), "Signature": signature, "Content-Type": JSON}
    assert request.headers == stamps
    assert request.expires_ms is None
    told = json.loads(request.body) if request.body else dict(parse_qsl(parts.query))
    return request.method, request.url.partition("?")[0].removeprefix(FUTURES_URL), told


# signing


def test_signatures_are_those_of_the_sheet():
    spot_text = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=11&recvWindow=5000&timestamp=1644489390087"
    futures_body = (
        '{"symbol":"BTC_USDT","price":45000.5,"vol":10,"side":1,"type":1,"openType":2,"externalOid":"abc123"}'
    )
    stamp = f"{KEY}{NOW}"
    assert [
        signing.signature(SECRET, text)
        for text in (spot_text, stamp, f"{stamp}page_num=1&page_size=20", stamp + futures_body)
    ] == [
        "fd3e4e8543c5188531eb7279d68ae7d26a573d0fc5ab0d18eb692451654d837a",
        "909481c183f038089a476d41281c10c663c2e45acc1aec248e42abe483e9e8ed",
        "c46e4306d31cfd081cb6b268e333ac92889d8d288167f36b5700f098c899deaa",
        "87de1a1c37d8d9801027a9b0df8a7af2bf922984a350461a48b6aaf925dccee4",
    ]


def test_requests_and_logins_carry_the_signatures_of_the_sheet():
    page = signing.futures_get(KEYS, "order/list", {"page_size": 20, "page_num": 1}, NOW)
    assert page.headers["Signature"] == "c46e4306d31cfd081cb6b268e333ac92889d8d288167f36b5700f098c899deaa"
    content = {"symbol": "BTC_USDT", "price": Decimal("45000.5"), "vol": 10, "side": 1, "type": 1}
    content |= {"openType": 2, "externalOid": "abc123"}
    made = signing.futures_post(KEYS, "order/create", content, NOW, budget="")
    assert made.headers["Signature"] == "87de1a1c37d8d9801027a9b0df8a7af2bf922984a350461a48b6aaf925dccee4"
    login = json.loads(str(MEXC.login(KEYS, FUTURES, NOW)[0]))
    signature = "909481c183f038089a476d41281c10c663c2e45acc1aec248e42abe483e9e8ed"
    assert login == {
        "method": "login",
        "subscribe": False,
        "param": {"apiKey": KEY, "reqTime": str(NOW), "signature": signature},
    }


def test_no_secret_is_shown():
    shown = f"{KEYS!r} {MEXC.place(KEYS, order(), NOW)!r} {MEXC.place(KEYS, order(SWAP), NOW)} {MEXC!r}"
    assert KEY not in shown
    assert SECRET not in shown
    assert "signature" not in shown


# spot


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (order(), {"side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "45000.5"}),
        (
            order(side=Side.SELL, tif=TimeInForce.IOC),
            {"side": "SELL", "type": "IMMEDIATE_OR_CANCEL", "quantity": "0.001", "price": "45000.5"},
        ),
        (
            order(tif=TimeInForce.POST_ONLY),
            {"side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.001", "price": "45000.5"},
        ),
        (
            market(BTC, amount=None, quote_amount=Decimal("50.0")),
            {"side": "BUY", "type": "MARKET", "quoteOrderQty": "50"},
        ),
        (market(BTC, side=Side.SELL), {"side": "SELL", "type": "MARKET", "quantity": "0.001"}),
    ],
)
def test_spot_orders_of_all_kinds(asked: NewOrder, expected: dict[str, str]):
    common = {"symbol": "BTCUSDT", "newClientOrderId": OURS, "recvWindow": "2000"}
    assert spot(MEXC.place(KEYS, asked, NOW)) == ("POST", "/order", common | expected)


def test_a_spot_order_is_valid_no_longer_than_a_minute():
    request = MEXC.place(KEYS, order(expires_ms=NOW + 600_000), NOW)
    assert spot(request)[2]["recvWindow"] == "60000"
    assert request.expires_ms == NOW + 60_000


@pytest.mark.parametrize(
    "asked",
    [
        order(price=Decimal("45000.3")),
        order(price=None),
        order(amount=Decimal("0.00015")),
        order(amount=None),
        order(amount=None, quote_amount=Decimal(50)),
        order(expires_ms=NOW),
        order(reduce_only=True),
        order(position_side=PositionSide.LONG),
        order(side=Side.UNKNOWN),
        market(BTC),  # a market buy says what to spend
        market(BTC, side=Side.SELL, amount=None, quote_amount=Decimal(50)),
        order(SWAP, expires_ms=NOW - 1),
        order(SWAP, amount=Decimal("0.00005")),
        market(SWAP, amount=None, quote_amount=Decimal(50)),
        order(SWAP, position_side=PositionSide.LONG, reduce_only=True),
        order(SWAP, position_side=PositionSide.SHORT, side=Side.SELL, reduce_only=True),
    ],
)
def test_what_cannot_be_expressed_is_not_sent(asked: NewOrder):
    with pytest.raises(InvalidOrder):
        MEXC.place(KEYS, asked, NOW)


WINDOW = {"recvWindow": "5000"}
BY_OURS = {"symbol": "BTCUSDT", "origClientOrderId": OURS} | WINDOW
BY_THEIRS = {"symbol": "BTCUSDT", "orderId": "C02__505"} | WINDOW
TRADES = {"symbol": "BTCUSDT", "startTime": "5", "limit": "100"} | WINDOW


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (MEXC.cancel(KEYS, ref(client_order_id=OURS, exchange_order_id="9"), NOW), ("DELETE", "/order", BY_OURS)),
        (MEXC.cancel(KEYS, ref(exchange_order_id="C02__505"), NOW), ("DELETE", "/order", BY_THEIRS)),
        (MEXC.cancel_all(KEYS, BTC, NOW), ("DELETE", "/openOrders", {"symbol": "BTCUSDT"} | WINDOW)),
        (MEXC.query(KEYS, ref(client_order_id=OURS), NOW), ("GET", "/order", BY_OURS)),
        (MEXC.query(KEYS, ref(exchange_order_id="C02__505"), NOW), ("GET", "/order", BY_THEIRS)),
        (MEXC.open_orders(KEYS, SPOT, BTC, NOW), ("GET", "/openOrders", {"symbol": "BTCUSDT"} | WINDOW)),
        (MEXC.own_trades(KEYS, BTC, 5, NOW), ("GET", "/myTrades", TRADES)),
        (MEXC.own_trades(KEYS, BTC, 5, NOW, "endTime=9"), ("GET", "/myTrades", TRADES | {"endTime": "9"})),
        (MEXC.own_trades(KEYS, BTC, 5, NOW, "startTime=7"), ("GET", "/myTrades", TRADES | {"startTime": "7"})),
        (
            MEXC.order_trades(KEYS, ref(exchange_order_id="C02__505"), NOW),
            ("GET", "/myTrades", BY_THEIRS | {"limit": "100"}),
        ),
        (
            MEXC.order_trades(KEYS, ref(exchange_order_id="C02__505"), NOW, "endTime=9"),
            ("GET", "/myTrades", BY_THEIRS | {"limit": "100", "endTime": "9"}),
        ),
        (
            MEXC.order_trades(KEYS, ref(client_order_id=OURS), NOW),
            ("GET", "/myTrades", TRADES | {"startTime": str(NOW - 600_000)}),
        ),
        (MEXC.balances(KEYS, SPOT, NOW), ("GET", "/account", WINDOW)),
        (MEXC.permissions(KEYS, NOW), ("GET", "/account", WINDOW)),
        (MEXC.token_request(KEYS, SPOT, NOW), ("POST", "/userDataStream", WINDOW)),
    ],
)
def test_spot_requests(request_: Any, expected: Any):
    assert spot(request_) == expected
    assert request_.weight == (4 if expected[1] == "/account" else 1)


def test_symbols_that_are_not_ascii_are_encoded_once():
    request = MEXC.cancel_all(KEYS, listed(SPOT, "龙虾USDT", "1"), NOW)
    assert request is not None
    assert "symbol=%E9%BE%99%E8%99%BEUSDT&" in request.url
    assert spot(request)[2]["symbol"] == "龙虾USDT"


def test_open_orders_of_all_of_spot_cannot_be_asked_for():
    with pytest.raises(InvalidOrder):
        MEXC.open_orders(KEYS, SPOT, None, NOW)


# futures


COMMON = {"symbol": "BTC_USDT", "vol": 10, "externalOid": OURS}
LIMIT = COMMON | {"price": 45000.5, "type": 1, "openType": 1}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (order(SWAP), LIMIT | {"side": 1, "leverage": 1, "positionMode": 2}),
        (order(SWAP, leverage=3), LIMIT | {"side": 1, "leverage": 3, "positionMode": 2}),
        (order(SWAP, side=Side.SELL, leverage=3), LIMIT | {"side": 3, "leverage": 3, "positionMode": 2}),
        (order(SWAP, reduce_only=True), LIMIT | {"side": 2, "positionMode": 2, "reduceOnly": True}),
        (order(SWAP, side=Side.SELL, reduce_only=True), LIMIT | {"side": 4, "positionMode": 2, "reduceOnly": True}),
        (
            order(SWAP, margin_mode=MarginMode.CROSS, tif=TimeInForce.POST_ONLY),
            LIMIT | {"side": 1, "openType": 2, "type": 2, "positionMode": 2},
        ),
        (
            order(SWAP, margin_mode=MarginMode.CROSS, tif=TimeInForce.IOC),
            LIMIT | {"side": 1, "openType": 2, "type": 3, "positionMode": 2},
        ),
        (
            market(SWAP, margin_mode=MarginMode.CROSS),
            COMMON | {"side": 1, "openType": 2, "type": 5, "positionMode": 2},
        ),
        (order(SWAP, position_side=PositionSide.LONG), LIMIT | {"side": 1, "leverage": 1, "positionMode": 1}),
        (
            order(SWAP, position_side=PositionSide.SHORT, side=Side.SELL),
            LIMIT | {"side": 3, "leverage": 1, "positionMode": 1},
        ),
        (order(SWAP, position_side=PositionSide.SHORT), LIMIT | {"side": 2, "positionMode": 1}),
        (order(SWAP, position_side=PositionSide.LONG, side=Side.SELL), LIMIT | {"side": 4, "positionMode": 1}),
        (
            order(SWAP, position_side=PositionSide.LONG, side=Side.SELL, reduce_only=True),
            LIMIT | {"side": 4, "positionMode": 1},
        ),
    ],
)
def test_futures_orders_of_all_kinds(asked: NewOrder, expected: dict[str, Any]):
    request = MEXC.place(KEYS, asked, NOW)
    assert futures(request) == ("POST", "/order/create", expected)
    assert request.budget == "orders"


def test_numbers_are_sent_exact():
    body = MEXC.place(KEYS, order(SWAP, amount=Decimal("100000.0000"), price=Decimal("1234567890123456.5")), NOW).body
    assert body.startswith('{"symbol":"BTC_USDT","price":1234567890123456.5,"vol":1000000000,"side":1,')


PAGE = {"page_num": "1", "page_size": "100"}
DEALS = PAGE | {"symbol": "BTC_USDT", "start_time": "5"}


@pytest.mark.parametrize(
    ("request_", "expected", "budget"),
    [
        (
            MEXC.cancel(KEYS, ref(SWAP, client_order_id=OURS, exchange_order_id="7"), NOW),
            ("POST", "/order/cancel_with_external", {"symbol": "BTC_USDT", "externalOid": OURS}),
            "cancels",
        ),
        (
            MEXC.cancel(KEYS, ref(SWAP, exchange_order_id="739113577038255616"), NOW),
            ("POST", "/order/cancel", ["739113577038255616"]),
            "cancels",
        ),
        (MEXC.cancel_all(KEYS, SWAP, NOW), ("POST", "/order/cancel_all", {"symbol": "BTC_USDT"}), "cancels"),
        (
            MEXC.query(KEYS, ref(SWAP, client_order_id=OURS), NOW),
            ("GET", f"/order/external/BTC_USDT/{OURS}", {}),
            "",
        ),
        (MEXC.query(KEYS, ref(SWAP, exchange_order_id="7"), NOW), ("GET", "/order/get/7", {}), ""),
        (MEXC.open_orders(KEYS, FUTURES, None, NOW), ("GET", "/order/list/open_orders", PAGE), ""),
        (
            MEXC.open_orders(KEYS, FUTURES, SWAP, NOW, "3"),
            ("GET", "/order/list/open_orders/BTC_USDT", PAGE | {"page_num": "3"}),
            "",
        ),
        (MEXC.own_trades(KEYS, SWAP, 5, NOW), ("GET", "/order/list/order_deals/v3", DEALS), ""),
        (
            MEXC.own_trades(KEYS, SWAP, 5, NOW, "2"),
            ("GET", "/order/list/order_deals/v3", DEALS | {"page_num": "2"}),
            "",
        ),
        (MEXC.order_trades(KEYS, ref(SWAP, exchange_order_id="7"), NOW), ("GET", "/order/deal_details/7", {}), ""),
        (
            MEXC.order_trades(KEYS, ref(SWAP, client_order_id=OURS), NOW),
            ("GET", "/order/list/order_deals/v3", DEALS | {"start_time": str(NOW - 600_000)}),
            "",
        ),
        (MEXC.balances(KEYS, FUTURES, NOW), ("GET", "/account/assets", {}), ""),
        (MEXC.positions(KEYS, NOW), ("GET", "/position/open_positions", {}), ""),
        (
            MEXC.funding(KEYS, SWAP, 5, NOW, "2"),
            ("GET", "/position/funding_records", {"symbol": "BTC_USDT", "page_num": "2", "page_size": "100"}),
            "",
        ),
    ],
)
def test_futures_requests(request_: Any, expected: Any, budget: str):
    assert futures(request_) == expected
    assert (request_.weight, request_.budget) == (1, budget)


def test_leverage_is_set_for_the_long_side_and_for_the_short_side():
    sent = [futures(request) for request in MEXC.set_leverage(KEYS, SWAP, 3, MarginMode.ISOLATED, NOW)]
    content = {"symbol": "BTC_USDT", "leverage": 3, "openType": 1}
    assert sent == [
        ("POST", "/position/change_leverage", content | {"positionType": 1}),
        ("POST", "/position/change_leverage", content | {"positionType": 2}),
    ]
    with pytest.raises(InvalidOrder):
        MEXC.set_leverage(KEYS, BTC, 3, MarginMode.CROSS, NOW)
    with pytest.raises(InvalidOrder):
        MEXC.funding(KEYS, BTC, 0, NOW)


def test_what_needs_no_key():
    requests = [
        MEXC.server_time(SPOT),
        MEXC.server_time(FUTURES),
        MEXC.fees(KEYS, BTC, NOW),
        MEXC.fees(KEYS, SWAP, NOW),
    ]
    assert [(request.method, request.url, request.headers) for request in requests] == [
        ("GET", "https://api.mexc.com/api/v3/time", {}),
        ("GET", "https://api.mexc.com/api/v1/contract/ping", {}),
        ("GET", "https://api.mexc.com/api/v3/exchangeInfo?symbol=BTCUSDT", {}),
        ("GET", "https://api.mexc.com/api/v1/contract/detail?symbol=BTC_USDT", {}),
    ]


def test_how_ids_and_expiries_are():
    assert MEXC.id_form(SPOT) is IdForm.TEXT
    assert [(MEXC.expiry(market).check, MEXC.expiry(market).longest_ms) for market in (SPOT, FUTURES)] == [
        (ExpiryCheck.GATEWAY, 60_000),
        (ExpiryCheck.NONE, 10_000),
    ]
    assert set(MEXC.trade_limits(FUTURES).budgets) == {"orders", "cancels", "leverage"}


# refusals


SPOT_CODES: dict[type[FeedError], tuple[int, ...]] = {
    RateLimited: (429,),
    BadCredentials: (700002, 602, 10072, 700001, 400, 700006),
    ClockSkew: (700003, 10073, 700005),
    NotPermitted: (700007, 403, 70011),
    InsufficientFunds: (10101, 30004, 30005),
    InvalidOrder: (30002, 30003, 10096, 30087, 30010),
    UnknownSymbol: (10007, 30014, 30021, -1121, 30016, 30000, 30018, 30019),
    UnknownOrder: (-2011, -2013, 30026, 22222),
    OutcomeUnknown: (500, 503, 504, 123456),
}
FUTURES_CODES: dict[type[FeedError], tuple[int, ...]] = {
    RateLimited: (510, 2037),
    BadCredentials: (602, 401, 402, 406),
    ClockSkew: (513,),
    NotPermitted: (701, 702, 703, 704, 511, 6001, 604, 801),
    InsufficientFunds: (2005, 2018, 2008),
    InvalidOrder: (600, 2011, 2015, 1004, 2003, 2004, 2028, 2030, 2009),
    UnknownSymbol: (1001, 1002, 6002),
    UnknownOrder: (2040,),
    OrderIsFinal: (2041,),
    DuplicateOrder: (2042,),
    OutcomeUnknown: (500, 501, 9999, 123456),
}


def cases(codes: dict[type[FeedError], tuple[int, ...]]) -> list[tuple[int, type[FeedError]]]:
    return [(code, kind) for kind, listed in codes.items() for code in listed]


@pytest.mark.parametrize(("code", "kind"), cases(SPOT_CODES))
def test_each_code_of_spot_is_an_error_of_its_own(code: int, kind: type[FeedError]):
    for status in (400, 200):
        with pytest.raises(FeedError) as refused:
            MEXC.parse_placed(order(), answer({"code": code, "msg": "资金不足"}, status))
        assert type(refused.value) is kind
        assert f"{code}: 资金不足" in str(refused.value)


@pytest.mark.parametrize(("code", "kind"), cases(FUTURES_CODES))
def test_each_code_of_futures_is_an_error_of_its_own(code: int, kind: type[FeedError]):
    with pytest.raises(FeedError) as refused:
        MEXC.parse_placed(order(SWAP), answer({"success": False, "code": code, "message": "no"}))
    assert type(refused.value) is kind
    assert f"{code}: no" in str(refused.value)


def test_the_tables_of_errors_are_tested_whole():
    assert set(SPOT_ERRORS) <= {code for code, _ in cases(SPOT_CODES)}
    assert set(FUTURES_ERRORS) <= {code for code, _ in cases(FUTURES_CODES)}


def test_maintenance_is_what_keys_without_the_permission_are_told():
    with pytest.raises(NotPermitted):
        MEXC.parse_placed(order(SWAP), answer({"code": 500, "message": "Under maintenance, please try again later"}))


PLACED: list[tuple[NewOrder, Any]] = [(order(), {"symbol": "BTCUSDT"}), (order(SWAP), {"success": True, "code": 0})]


@pytest.mark.parametrize(("asked", "incomplete"), PLACED)
def test_an_answer_that_proves_nothing_leaves_the_order_open(asked: NewOrder, incomplete: Any):
    unclear = [answer(incomplete), answer(b"<html>"), answer(b"[]"), answer(b"bad gateway", 502), answer({}, 400)]
    for told in unclear:
        with pytest.raises(OutcomeUnknown):
            MEXC.parse_placed(asked, told)


def test_an_envelope_that_claims_failure_without_a_code_leaves_the_order_open():
    for told in ({"success": False, "code": 0}, {"code": 0}, {"success": False}):
        with pytest.raises(OutcomeUnknown):
            MEXC.parse_placed(order(SWAP), answer(told))


def test_the_firewall_and_the_limits_say_how_long_to_stay_away():
    waits: list[tuple[Answer, type[Retryable], float]] = [
        (answer(b"<html>Access Denied</html>", 403), Banned, 90.0),
        (answer(b"", 418), Banned, 120.0),
        (answer(b"", 429), RateLimited, 10.0),
        (answer(b"", 429, **{"retry-after": "33"}), RateLimited, 33.0),
        (answer({"code": 429, "msg": "Too many requests"}, 429, **{"retry-after": "4"}), RateLimited, 4.0),
    ]
    for told, kind, after_s in waits:
        for asked in (order(), order(SWAP)):
            with pytest.raises(kind) as away:
                MEXC.parse_placed(asked, told)
            assert away.value.after_s == after_s
    with pytest.raises(RateLimited) as often:
        MEXC.parse_placed(order(SWAP), answer({"success": False, "code": 510, "message": "too frequent"}))
    assert often.value.after_s == 2.0


@pytest.mark.parametrize(
    "read",
    [
        lambda told: MEXC.parse_order(ref(), told),
        lambda told: MEXC.parse_order(ref(SWAP), told),
        lambda told: MEXC.parse_balances(FUTURES, told),
    ],
)
def test_reads_that_fail(read: Callable[[Answer], Any]):
    for told, kind in (
        (answer(b"", 502), Retryable),
        (answer({"success": False, "code": 123456, "message": "new"}, 400), Refused),
        (answer({"success": False, "code": 500, "message": "broken"}), Retryable),
        (answer(b"?"), MalformedFrame),
    ):
        with pytest.raises(FeedError) as failed:
            read(told)
        assert type(failed.value) is kind


def test_answers_that_the_fuzz_tests_spoil_are_understood_or_refused():
    for good in good_account_frames.answers("mexc"):
        with suppress(Refused, OutcomeUnknown):
            getattr(MEXC, good.parse)(*good.args, good_account_frames.answer(good, good.body))
