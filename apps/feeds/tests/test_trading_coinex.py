"""CoinEx's trading half: requests with their signatures, and what every refusal means."""

import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from apps.feeds import errors
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.coinex import signing, trading_facts
from apps.feeds.drivers.coinex.trader import CoinExTrader
from apps.feeds.drivers.trading import ExpiryCheck, IdForm, Token
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
from apps.feeds.tests import good_account_frames_coinex as good
from apps.feeds.tests.captures import lines
from apps.feeds.tests.trader_requests import answer, limit_order

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
COINEX = CoinExTrader()
KEYS = Credentials(key="the-key", secret="testSecret")
NOW = 1700490703564
BTC, SWAP = good.BTC, good.SWAP
D = Decimal


def order(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    return limit_order(instrument, NOW, **changes)


def market(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    return order(instrument, **({"type": OrderType.MARKET, "price": None} | changes))


def path(request: Request) -> str:
    parts = urlsplit(request.url)
    assert f"{parts.scheme}://{parts.netloc}" == "https://api.coinex.com"
    return f"{request.method} {parts.path}"


def body(request: Request) -> Any:
    return json.loads(request.body)


def query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.url).query, strict_parsing=True))


def assert_signed(request: Request) -> None:
    parts = urlsplit(request.url)
    whole = parts.path + (f"?{parts.query}" if parts.query else "")
    text = f"{request.method}{whole}{request.body}{NOW}"
    want = hmac.new(b"testSecret", text.encode(), hashlib.sha256).hexdigest()
    named = {name: value for name, value in request.headers.items() if name.startswith("X-")}
    window = named.pop("X-COINEX-WINDOWTIME", None)
    assert named == {"X-COINEX-KEY": "the-key", "X-COINEX-SIGN": want, "X-COINEX-TIMESTAMP": str(NOW)}
    assert request.expires_ms == (None if window is None else NOW + int(window))
    assert (request.headers.get("Content-Type") == "application/json") == (request.method == "POST")


def parsed(market_type: MarketType, frame: object) -> list[Any]:
    return COINEX.parse_private(KEYS, market_type, json.dumps(frame), 0)


# signatures


def test_the_documented_requests_have_the_documented_signatures() -> None:
    pending = "/v2/spot/pending-order?market=BTCUSDT&market_type=SPOT&side=buy&page=1&limit=10"
    assert (
        signing.rest("testSecret", "GET", pending, "", NOW)
        == "cc09daee7d36defc08cbf519e73cffaae51dc6d9b02ee3b9663a86879ad4a00a"
    )
    placed = (
        '{"market":"BTCUSDT","market_type":"SPOT","side":"buy","type":"limit","amount":"0.001","price":"10000",'
        '"client_id":"ct-000001"}'
    )
    assert (
        signing.rest("testSecret", "POST", "/v2/spot/order", placed, NOW)
        == "7766e470a15dd327b21f4fdb55a7c81d8cf68f8e016a20bb2521c3147c34ca41"
    )


def test_a_socket_is_signed_with_its_time_alone() -> None:
    [frame] = COINEX.login(KEYS, SPOT, NOW)
    assert json.loads(frame) == {
        "method": "server.sign",
        "params": {
            "access_id": "the-key",
            "signed_str": "f5d9524ab7aff5ecc3cf8f4d317612295c11be1f08ee25fd47ccb55cf2e20695",
            "timestamp": NOW,
        },
        "id": 1,
    }


# placing

ORDERS: list[tuple[NewOrder, dict[str, object]]] = [
    (order(), {"type": "limit", "amount": "0.003", "price": "30000"}),
    (order(tif=TimeInForce.IOC, side=Side.SELL), {"type": "ioc", "side": "sell", "amount": "0.003", "price": "30000"}),
    (order(tif=TimeInForce.POST_ONLY), {"type": "maker_only", "amount": "0.003", "price": "30000"}),
    (market(), {"type": "market", "amount": "0.003", "ccy": "BTC"}),
    (market(side=Side.SELL), {"type": "market", "side": "sell", "amount": "0.003", "ccy": "BTC"}),
    (market(amount=None, quote_amount=D("150.50")), {"type": "market", "amount": "150.5", "ccy": "USDT"}),
]


@pytest.mark.parametrize(("asked", "want"), ORDERS)
def test_a_spot_order_is_asked_for(asked: NewOrder, want: dict[str, object]) -> None:
    request = COINEX.place(KEYS, asked, NOW)
    fixed = {"market": "BTCUSDT", "market_type": "SPOT", "side": "buy", "client_id": "ct0001", "stp_mode": "ct"}
    assert (path(request), body(request)) == ("POST /v2/spot/order", fixed | want)
    assert (request.weight, request.budget, request.expires_ms) == (1, "spot-place", NOW + 2000)
    assert request.headers["X-COINEX-WINDOWTIME"] == "2000"
    assert_signed(request)


def test_a_futures_order_has_its_amount_in_coins_and_names_no_currency() -> None:
    request = COINEX.place(KEYS, market(SWAP, side=Side.SELL), NOW)
    assert (path(request), request.budget) == ("POST /v2/futures/order", "futures-place")
    assert body(request) == {
        "market": "BTCUSDT",
        "market_type": "FUTURES",
        "side": "sell",
        "type": "market",
        "amount": "0.003",
        "client_id": "ct0001",
        "stp_mode": "ct",
    }
    assert_signed(request)


def test_reduce_only_closes_the_position_there_is() -> None:
    request = COINEX.place(KEYS, order(SWAP, reduce_only=True, side=Side.SELL), NOW)
    assert path(request) == "POST /v2/futures/close-position"
    assert body(request) == {
        "market": "BTCUSDT",
        "market_type": "FUTURES",
        "type": "limit",
        "amount": "0.003",
        "price": "30000",
        "client_id": "ct0001",
        "stp_mode": "ct",
    }


def test_numbers_are_never_written_with_an_exponent() -> None:
    tiny = good.listed("coinex", SPOT, "PEPEUSDT")
    tiny = Instrument(**{field: getattr(tiny, field) for field in tiny.__struct_fields__} | {"tick": D("1E-10")})
    told = body(COINEX.place(KEYS, order(tiny, price=D("1E-8"), amount=D("1E+3")), NOW))
    assert (told["price"], told["amount"]) == ("0.00000001", "1000")


@pytest.mark.parametrize(
    "asked",
    [
        order(amount=D("0.0035")),
        order(price=D("30000.05")),
        order(expires_ms=NOW),
        order(position_side=PositionSide.LONG),
        order(SWAP, position_side=PositionSide.SHORT),
        order(reduce_only=True),
        order(price=None),
        market(SWAP, amount=None, quote_amount=D(100)),
        market(side=Side.SELL, amount=None, quote_amount=D(100)),
    ],
)
def test_what_the_exchange_cannot_express_is_refused_before_it_is_sent(asked: NewOrder) -> None:
    with pytest.raises(errors.InvalidOrder):
        COINEX.place(KEYS, asked, NOW)


def test_no_order_is_valid_for_longer_than_the_exchange_takes() -> None:
    request = COINEX.place(KEYS, order(expires_ms=NOW + 60_000), NOW)
    assert (request.headers["X-COINEX-WINDOWTIME"], request.expires_ms) == ("5000", NOW + 5000)


# the other requests


def test_orders_are_cancelled_and_asked_for() -> None:
    ours = OrderRef(instrument=BTC, client_order_id="ct0001", exchange_order_id="77")
    theirs = OrderRef(instrument=SWAP, exchange_order_id="77")
    only_ours = OrderRef(instrument=SWAP, client_order_id="ct0001")
    requests = [
        COINEX.cancel(KEYS, ours, NOW),
        COINEX.cancel(KEYS, theirs, NOW),
        COINEX.cancel_all(KEYS, BTC, NOW),
    ]
    told = [(path(request), body(request), request.budget) for request in requests if request is not None]
    spot, futures = {"market": "BTCUSDT", "market_type": "SPOT"}, {"market": "BTCUSDT", "market_type": "FUTURES"}
    assert told == [
        ("POST /v2/spot/cancel-order-by-client-id", spot | {"client_id": "ct0001"}, "spot-cancel-more"),
        ("POST /v2/futures/cancel-order", futures | {"order_id": 77}, "futures-cancel"),
        ("POST /v2/spot/cancel-all-order", spot, "spot-cancel-more"),
    ]
    page = {"market_type": "FUTURES", "page": "1", "limit": "100", "market": "BTCUSDT"}
    asked = [COINEX.query(KEYS, ours, NOW), COINEX.query(KEYS, only_ours, NOW)]
    finished = COINEX.query_finished(KEYS, only_ours, NOW)
    assert finished is not None
    asked.append(finished)
    assert [(path(request), query(request), request.budget) for request in asked] == [
        ("GET /v2/spot/order-status", {"market": "BTCUSDT", "order_id": "77"}, "spot-query"),
        ("GET /v2/futures/pending-order", page | {"client_id": "ct0001"}, "futures-query"),
        ("GET /v2/futures/finished-order", page | {"client_id": "ct0001"}, "futures-history"),
    ]
    assert COINEX.query_finished(KEYS, ours, NOW) is None
    for request in requests + asked:
        assert request is not None
        assert_signed(request)


def test_an_order_id_that_is_no_number_is_unknown() -> None:
    with pytest.raises(errors.UnknownOrder):
        COINEX.query(KEYS, OrderRef(instrument=BTC, exchange_order_id="x"), NOW)


def test_lists_are_asked_for_page_by_page() -> None:
    page = {"market_type": "SPOT", "page": "1", "limit": "100"}
    since = {"market": "BTCUSDT", "start_time": str(NOW - 9)}
    by_client = OrderRef(instrument=BTC, client_order_id="ct0001")
    by_theirs = OrderRef(instrument=BTC, exchange_order_id="77")
    requests = [
        COINEX.open_orders(KEYS, SPOT, None, NOW),
        COINEX.open_orders(KEYS, FUTURES, SWAP, NOW, "3"),
        COINEX.own_trades(KEYS, BTC, NOW - 9, NOW, "2"),
        COINEX.order_trades(KEYS, by_theirs, NOW),
        COINEX.order_trades(KEYS, by_client, NOW),
    ]
    assert [(path(request), query(request), request.budget) for request in requests] == [
        ("GET /v2/spot/pending-order", page, "spot-query"),
        (
            "GET /v2/futures/pending-order",
            {"market_type": "FUTURES", "page": "3", "limit": "100", "market": "BTCUSDT"},
            "futures-query",
        ),
        ("GET /v2/spot/user-deals", page | since | {"page": "2"}, "spot-history"),
        ("GET /v2/spot/order-deals", page | {"market": "BTCUSDT", "order_id": "77"}, "spot-history"),
        (
            "GET /v2/spot/user-deals",
            page | {"market": "BTCUSDT", "start_time": str(NOW - 600_000)},
            "spot-history",
        ),
    ]
    for request in requests:
        assert_signed(request)


def test_the_account_is_asked_for() -> None:
    futures = {"market_type": "FUTURES", "page": "1", "limit": "100"}
    requests = [
        COINEX.balances(KEYS, SPOT, NOW),
        COINEX.balances(KEYS, FUTURES, NOW),
        COINEX.positions(KEYS, NOW),
        COINEX.fees(KEYS, SWAP, NOW),
        COINEX.funding(KEYS, SWAP, NOW - 9, NOW),
        COINEX.permissions(KEYS, NOW),
    ]
    assert [(path(request), query(request), request.budget) for request in requests] == [
        ("GET /v2/assets/spot/balance", {}, "spot-account"),
        ("GET /v2/assets/futures/balance", {}, "futures-account"),
        ("GET /v2/futures/pending-position", futures, "futures-account"),
        ("GET /v2/account/trade-fee-rate", {"market_type": "FUTURES", "market": "BTCUSDT"}, "spot-account"),
        (
            "GET /v2/futures/position-funding-history",
            futures | {"market": "BTCUSDT", "start_time": str(NOW - 9)},
            "futures-history",
        ),
        ("GET /v2/assets/spot/balance", {}, "spot-account"),
    ]
    [leverage] = COINEX.set_leverage(KEYS, SWAP, 5, MarginMode.ISOLATED, NOW)
    assert (path(leverage), body(leverage)) == (
        "POST /v2/futures/adjust-position-leverage",
        {"market": "BTCUSDT", "market_type": "FUTURES", "margin_mode": "isolated", "leverage": 5},
    )
    for request in [*requests, leverage]:
        assert_signed(request)
    assert COINEX.server_time(SPOT) == Request(method="GET", url="https://api.coinex.com/v2/time")


def test_every_request_counts_against_a_budget_that_is_known() -> None:
    assert COINEX.id_form(SPOT) is COINEX.id_form(FUTURES) is IdForm.TEXT
    assert COINEX.expiry(SPOT).check is ExpiryCheck.GATEWAY
    assert COINEX.expiry(SPOT).longest_ms == 5000
    places = {market: COINEX.trade_limits(market).budgets[f"{market}-place"].count for market in MarketType}
    assert places == {SPOT: 30, FUTURES: 20}
    assert COINEX.account_requests(KEYS, NOW) == ()


# refusals


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (good.ok(None), 200),
        (good.ok({"order_id": 1}), 200),
        (b" " * 2_000_000 + json.dumps(good.ok(good.order())).encode(), 200),
        (b"<html>bad gateway</html>", 502),
        (b"<html>what</html>", 200),
        (good.ok(good.order()), 504),
        ({"code": 99999, "data": {}, "message": "something new"}, 200),
    ],
)
def test_an_answer_that_proves_nothing_leaves_an_order_unknown(content: object, status: int) -> None:
    with pytest.raises(errors.OutcomeUnknown):
        COINEX.parse_placed(order(), answer(content, status))


CODES = {
    errors.OutcomeUnknown: (3008, 4001, 4002, 4003),
    errors.RateLimited: (4213, 4123),
    errors.ClockSkew: (4010, 4017, 227),
    errors.BadCredentials: (4005, 4006, 4008, 4007),
    errors.NotPermitted: (4011, 4512, 4115, 4158),
    errors.InvalidOrder: (*(4004, 3127, 3606, 3612, 3613, 3614, 3615, 3616, 3617, 3618, 3619, 3632, 3633, 3634, 3635),),
    errors.UnknownSymbol: (3639, 3638, 4117, 4130, 4159, 3157),
    errors.Refused: (4009, 4018, 3620, 3621, 3627, 3628, 3629),
    errors.InsufficientFunds: (3109,),
    errors.WouldTake: (3622,),
    errors.UnknownOrder: (3600,),
    errors.Retryable: (3610,),
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes])
def test_every_documented_code_says_what_to_do(kind: type[Exception], code: int) -> None:
    refusal = answer(good.refused(code, "in their words"))
    with pytest.raises(kind, match=f"{code}: in their words") as raised:
        COINEX.parse_placed(order(), refusal)
    assert raised.type is kind
    with pytest.raises(errors.Retryable if kind is errors.OutcomeUnknown else kind):
        COINEX.parse_balances(SPOT, refusal)


def test_the_codes_are_all_there_are() -> None:
    assert sorted(trading_facts.ERRORS) == sorted(code for codes in CODES.values() for code in codes)


def test_a_settlement_is_waited_for() -> None:
    words = "Service is not available during funding fee settlement"
    with pytest.raises(errors.Retryable) as raised:
        COINEX.parse_placed(order(SWAP), answer(good.refused(3999, words)))
    assert raised.value.after_s == 5.0


def test_an_unknown_code_of_a_read_is_a_refusal_and_a_gateway_may_be_asked_again() -> None:
    with pytest.raises(errors.Refused):
        COINEX.parse_balances(SPOT, answer(good.refused(99999, "new")))
    with pytest.raises(errors.Retryable):
        COINEX.parse_balances(SPOT, answer(b"<html>", 502))
    with pytest.raises(errors.RateLimited):
        COINEX.parse_placed(order(), answer(b"<html>", 429))
    with pytest.raises(errors.Banned):
        COINEX.parse_placed(order(), answer(b"<html>", 403))


@pytest.mark.captures
def test_every_refusal_at_hand_says_what_to_do(captures: Path) -> None:
    kinds = [errors.OutcomeUnknown, errors.InsufficientFunds, errors.UnknownSymbol, errors.UnknownOrder, None]
    for kind, line in zip(kinds, lines(captures, "coinex", "rest_errors.jsonl"), strict=True):
        if kind is None:
            assert COINEX.parse_balances(SPOT, answer(line)) == []
        else:
            with pytest.raises(kind):
                COINEX.parse_placed(order(), answer(line))


# secrets and tokens


def test_no_token_opens_a_socket() -> None:
    assert COINEX.token_request(KEYS, SPOT, NOW) is None
    assert COINEX.renew_request(KEYS, SPOT, Token(value=""), NOW) is None
    assert COINEX.private_heartbeat(SPOT).send == '{"method":"server.ping","params":{},"id":0}'
    with pytest.raises(errors.MalformedFrame):
        COINEX.parse_token(SPOT, answer({}))


def test_nothing_shows_a_secret() -> None:
    request = COINEX.place(KEYS, order(), NOW)
    shown = repr(request) + str(request) + repr(KEYS) + repr(answer(good.refused(4006, "the-key"), url=request.url))
    for secret in ("testSecret", "the-key", request.headers["X-COINEX-SIGN"]):
        assert secret not in shown
