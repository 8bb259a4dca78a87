"""CoinEx's trading half: requests with their signatures, answers and refusals, private frames."""

import gzip
import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from apps.feeds import errors
from apps.feeds.drivers.base import Ignored, Pong, Request
from apps.feeds.drivers.coinex import signing, trading_facts
from apps.feeds.drivers.coinex.trader import CoinExTrader
from apps.feeds.drivers.trading import Answer, ExpiryCheck, IdForm, LoggedIn, LoginRefused, Placed, Subscribed
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import (
    Balance,
    Balances,
    Credentials,
    Fees,
    Fill,
    FundingPayment,
    LookUp,
    MarginMode,
    NewOrder,
    OrderRef,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Permissions,
    Position,
    Positions,
    PositionSide,
    TimeInForce,
)
from apps.feeds.tests import good_account_frames_coinex as good
from apps.feeds.tests.captures import lines

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
COINEX = CoinExTrader()
KEYS = Credentials(key="the-key", secret="testSecret")
NOW = 1700490703564
BTC, SWAP = good.BTC, good.SWAP
D = Decimal


def order(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    whole: dict[str, Any] = {
        "instrument": instrument,
        "client_order_id": "ct0001",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "expires_ms": NOW + 2000,
        "amount": D("0.003"),
        "price": D("30000.0"),
    }
    return NewOrder(**(whole | changes))


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


def answer(content: object, status: int = 200, url: str = "") -> Answer:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status=status, body=text, url=url)


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
            "futures-account",
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


# answers


def test_a_placed_order_has_the_status_that_its_amounts_tell() -> None:
    answers = [
        good.order(unfilled_amount="0.003", filled_amount="0"),
        good.order(),
        good.order(unfilled_amount="0", filled_amount="0.003", order_id="4611"),
        good.order(type="market", client_id="", amount="90", unfilled_amount="0.01", filled_amount="0.003"),
    ]
    told = [COINEX.parse_placed(order(), answer(good.ok(content))) for content in answers]
    assert [placed.status for placed in told] == [
        OrderStatus.OPEN,
        OrderStatus.PARTIAL,
        OrderStatus.FILLED,
        OrderStatus.PARTIAL,
    ]
    assert told[0] == Placed(
        exchange_order_id="4611", client_order_id=good.CLIENT_ORDER_ID, status=OrderStatus.OPEN, fills=()
    )
    assert told[3].client_order_id is None


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (good.ok(None), 200),
        (good.ok({"order_id": 1}), 200),
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


def test_a_cancel_is_accepted_or_finds_nothing() -> None:
    ours, theirs = good.BY_CLIENT, good.BY_THEIRS
    COINEX.parse_cancelled(ours, answer(good.ok([{"code": 0, "data": good.order(), "message": ""}])))
    COINEX.parse_cancelled(theirs, answer(good.ok(good.order())))
    COINEX.parse_cancelled_all(BTC, answer(good.ok({})))
    nothing = [
        (ours, good.ok([])),
        (ours, good.ok(None)),
        (ours, good.ok([{"code": 3600, "data": None, "message": "Order not found"}])),
        (theirs, good.refused(3600, "Order not found")),
    ]
    for ref, content in nothing:
        with pytest.raises(errors.UnknownOrder):
            COINEX.parse_cancelled(ref, answer(content))


def test_an_order_is_found_by_its_client_id_among_the_open_and_the_finished() -> None:
    ours = good.BY_CLIENT
    open_url, finished_url = COINEX.query(KEYS, ours, NOW).url, "https://api.coinex.com/v2/spot/finished-order?page=1"
    rows = [good.order(client_id="another", order_id=1), good.order()]
    found = COINEX.parse_order(ours, answer(good.pages(rows), url=open_url))
    assert (found.exchange_order_id, found.status, found.filled) == ("4611", OrderStatus.PARTIAL, D("0.001"))
    cut = COINEX.parse_order(ours, answer(good.pages([good.order()]), url=finished_url))
    assert cut.status is OrderStatus.CANCELLED
    for content in (good.ok(None), good.pages([]), good.pages(rows[:1]), good.refused(3600, "Order not found")):
        with pytest.raises(errors.UnknownOrder):
            COINEX.parse_order(ours, answer(content, url=open_url))


STATUSES = [
    ("open", OrderStatus.OPEN),
    ("not_deal", OrderStatus.OPEN),
    ("part_filled", OrderStatus.PARTIAL),
    ("part_deal", OrderStatus.PARTIAL),
    ("filled", OrderStatus.FILLED),
    ("done", OrderStatus.FILLED),
    ("canceled", OrderStatus.CANCELLED),
    ("part_canceled", OrderStatus.CANCELLED),
    ("cancel", OrderStatus.CANCELLED),
]


@pytest.mark.parametrize(("theirs", "ours"), STATUSES)
def test_every_status_is_translated(theirs: str, ours: OrderStatus) -> None:
    told = COINEX.parse_order(good.BY_THEIRS, answer(good.ok(good.order(status=theirs))))
    assert told == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="4611",
        client_order_id=good.CLIENT_ORDER_ID,
        status=ours,
        side=Side.BUY,
        filled=D("0.001"),
        amount=D("0.003"),
        price=D("30000.5"),
        average_price=D("30000"),
        exchange_ms=1714114386251,
        text=theirs,
    )


@pytest.mark.parametrize("changes", [{"status": "new"}, {"side": "long"}, {"type": "stop"}, {"amount": "-1"}])
def test_an_unknown_word_is_malformed(changes: dict[str, str]) -> None:
    with pytest.raises(errors.MalformedFrame):
        COINEX.parse_order(good.BY_THEIRS, answer(good.ok(good.order(**changes))))


def test_the_next_page_is_counted_from_the_one_that_was_asked_for() -> None:
    more = good.pages([good.order()], has_next=True)
    url = COINEX.open_orders(KEYS, SPOT, None, NOW, "2").url
    assert COINEX.parse_open_orders(SPOT, answer(more, url=url)).cursor == "3"
    assert COINEX.parse_open_orders(SPOT, answer(good.pages([good.order()]), url=url)).cursor is None
    with pytest.raises(errors.MalformedFrame):
        COINEX.parse_open_orders(SPOT, answer(more))


def test_the_account_is_told() -> None:
    futures = answer(good.ok([good.FUTURES_HOLDING]))
    assert COINEX.parse_balances(FUTURES, futures) == [Balance(asset="USDT", free=D("97.9"), total=D("98.61"))]
    assert COINEX.parse_balances(SPOT, answer(good.ok(None))) == []
    fees = good.ok({"maker_rate": "-0.001", "market": "BTCUSDT", "taker_rate": "0.002"})
    assert COINEX.parse_fees(BTC, answer(fees)) == Fees(maker=D("-0.001"), taker=D("0.002"))
    assert COINEX.parse_server_time(SPOT, answer(good.ok({"timestamp": NOW}))) == NOW
    COINEX.parse_leverage_set(answer(good.ok({"leverage": 5})))
    held = good.ok([{"available": "1", "ccy": "USDT", "frozen": "0"}])
    assert COINEX.parse_permissions(answer(held)) == Permissions(
        read=True, trade_spot=None, trade_futures=None, withdraw=None
    )


@pytest.mark.parametrize(
    ("side", "rate", "paid"),
    [("long", "0.0003", "-2.5"), ("short", "0.0003", "2.5"), ("long", "-0.0003", "2.5"), ("short", "-0.0003", "-2.5")],
)
def test_longs_pay_a_positive_rate_and_shorts_a_negative_one(side: str, rate: str, paid: str) -> None:
    row = {"market": "BTCUSDT", "market_type": "FUTURES", "ccy": "USDT", "position_id": 9, "side": side}
    row |= {"funding_rate": rate, "funding_value": "2.5", "created_at": 1691482451000}
    assert COINEX.parse_funding(SWAP, answer(good.pages([row]))).rows == [
        FundingPayment(
            payment_id="9-1691482451000",
            symbol="BTCUSDT",
            asset="USDT",
            amount=D(paid),
            exchange_ms=1691482451000,
            rate=D(rate),
        )
    ]


# private sockets


def test_private_channels_are_subscribed_to_whole() -> None:
    frames = [json.loads(frame) for frame in COINEX.subscribe_private(KEYS, FUTURES, NOW)]
    assert frames == [
        {"method": "order.subscribe", "params": {"market_list": []}, "id": 2},
        {"method": "user_deals.subscribe", "params": {"market_list": []}, "id": 3},
        {"method": "balance.subscribe", "params": {"ccy_list": []}, "id": 4},
        {"method": "position.subscribe", "params": {"market_list": []}, "id": 5},
    ]
    assert COINEX.private_channels(SPOT) == ("order", "user_deals", "balance")
    assert len(COINEX.subscribe_private(KEYS, SPOT, NOW)) == 3
    assert COINEX.private_endpoint(KEYS, SPOT, None) == "wss://socket.coinex.com/v2/spot"
    assert COINEX.private_endpoint(KEYS, FUTURES, None) == "wss://socket.coinex.com/v2/futures"
    assert COINEX.token_request(KEYS, SPOT, NOW) is None


def test_logins_and_subscriptions_are_answered() -> None:
    cases = [
        ({"id": 1, "code": 0, "message": "OK"}, LoggedIn()),
        (
            {"id": 1, "code": 21002, "message": "Signature Incorrect"},
            LoginRefused(code="21002", text="Signature Incorrect"),
        ),
        ({"id": 1, "code": 31002, "message": ""}, LoginRefused(code="31002", text="")),
        ({"id": 1, "code": 23001, "message": "timeout"}, Ignored()),
        ({"id": 2, "code": 0, "message": "OK"}, Subscribed(channel="order")),
        (
            {"id": 5, "code": 31001, "message": "require auth"},
            Subscribed(channel="position", ok=False, code="31001", text="require auth"),
        ),
        ({"id": 0, "code": 0, "data": {"result": "pong"}, "message": "OK"}, Pong()),
    ]
    for frame, want in cases:
        assert parsed(FUTURES, frame) == [want]
    with pytest.raises(errors.MalformedFrame):
        parsed(SPOT, {"id": 5, "code": 0, "message": "OK"})


EVENTS = [
    ("put", {}, OrderStatus.OPEN),
    ("put", {"filled_amount": "0.001", "unfilled_amount": "0.002"}, OrderStatus.PARTIAL),
    ("update", {"filled_amount": "0.001", "unfilled_amount": "0.002"}, OrderStatus.PARTIAL),
    ("modify", {}, OrderStatus.OPEN),
    ("modify", {"filled_amount": "0.001", "unfilled_amount": "0.002"}, OrderStatus.PARTIAL),
    ("finish", {"filled_amount": "0.003", "unfilled_amount": "0"}, OrderStatus.FILLED),
    ("finish", {"filled_amount": "0.001", "unfilled_amount": "0.002"}, OrderStatus.CANCELLED),
    ("finish", {}, OrderStatus.CANCELLED),
    ("finish", {"type": "market", "filled_amount": "0.001", "unfilled_amount": "0.02"}, OrderStatus.FILLED),
]


@pytest.mark.parametrize(("event", "changes", "status"), EVENTS)
def test_every_event_of_an_order_is_translated(event: str, changes: dict[str, str], status: OrderStatus) -> None:
    [update] = parsed(SPOT, good.pushed(event, **changes))
    assert (update.status, update.filled) == (status, D(changes.get("filled_amount", "0")))


def test_amounts_in_quote_currency_are_no_amounts() -> None:
    changes = {"type": "market", "amount": "100", "unfilled_amount": "10", "filled_amount": "0.003", "price": "0"}
    [spot] = parsed(SPOT, good.pushed("update", **changes))
    assert (spot.filled, spot.amount, spot.price) == (D("0.003"), None, None)
    [futures] = parsed(FUTURES, good.pushed("update", **changes, fee="0", fee_ccy="USDT"))
    assert futures.amount == D("100")


def test_a_market_buy_in_the_old_spelling_is_looked_up() -> None:
    frame = good.pushed("update", type="market", unfill_amount="10")
    for name in ("filled_amount", "unfilled_amount"):
        del frame["data"]["order"][name]
    want = LookUp(symbol="BTCUSDT", exchange_order_id="4611", client_order_id=good.CLIENT_ORDER_ID)
    assert parsed(SPOT, frame) == [want]


def test_balances_are_of_the_wallet_and_positions_have_signs() -> None:
    margin = good.SPOT_HOLDING | {"margin_market": "BTCUSDT"}
    pushed = good.push("balance.update", {"balance_list": [good.SPOT_HOLDING, margin]})
    row = Balance(asset="USDT", free=D("44.6"), total=D("45.0"))
    assert parsed(SPOT, pushed) == [Balances(rows=[row], whole=False, exchange_ms=1689152421692)]
    short = good.push("position.update", {"event": "update", "position": good.position(side="short", liq_price="0")})
    [told] = parsed(FUTURES, short)
    assert told.rows[0].amount == D("-0.0010")
    assert told.rows[0].liquidation_price is None


def test_frames_come_packed_or_as_text() -> None:
    frame = json.dumps(good.pushed())
    packed = COINEX.parse_private(KEYS, SPOT, gzip.compress(frame.encode()), 0)
    assert packed == COINEX.parse_private(KEYS, SPOT, frame, 0)


@pytest.mark.parametrize(
    "frame",
    [
        {"method": "unheard.update", "data": {}, "id": None},
        {"message": "OK"},
        good.pushed("gone"),
        good.push("user_deals.update", good.deal(role="both")),
        good.push("user_deals.update", good.deal(amount="0")),
        good.push("user_deals.update", good.deal(fee="NaN")),
    ],
)
def test_what_is_not_documented_is_malformed(frame: dict[str, Any]) -> None:
    with pytest.raises(errors.MalformedFrame):
        parsed(SPOT, frame)


# the samples that are at hand


def samples(captures: Path, file: str) -> dict[str, bytes]:
    rows = [json.loads(line) for line in lines(captures, "coinex", file)]
    return {row["_case"]: json.dumps(row["_body"]).encode() for row in rows}


@pytest.mark.captures
def test_every_answer_at_hand_parses_to_its_values(captures: Path) -> None:
    told = samples(captures, "rest_v2.jsonl")
    by_client = {
        case: OrderRef(instrument=BTC, client_order_id=json.loads(told[case])["data"][0]["data"]["client_id"])
        for case in ("spot_cancel_by_client_id", "futures_cancel_by_client_id")
    }
    for case, ref in by_client.items():
        COINEX.parse_cancelled(ref, answer(told[case]))
    for case in ("spot_cancel", "futures_cancel"):
        COINEX.parse_cancelled(OrderRef(instrument=BTC, exchange_order_id="1"), answer(told[case]))
    for case in ("spot_cancel_all", "futures_cancel_all"):
        COINEX.parse_cancelled_all(BTC, answer(told[case]))
    assert COINEX.parse_server_time(SPOT, answer(told["time"])) == 1711699867777
    assert COINEX.parse_placed(order(), answer(told["spot_order_place"])) == Placed(
        exchange_order_id="117178743547", client_order_id="x-167673045-a0a3c6461459a801", status=OrderStatus.OPEN
    )
    assert COINEX.parse_placed(order(SWAP), answer(told["futures_order_place"])) == Placed(
        exchange_order_id="136913377780", client_order_id="x-167673045-1471b81d747080a0", status=OrderStatus.OPEN
    )
    found = COINEX.parse_order(
        OrderRef(instrument=BTC, exchange_order_id="117492012985"), answer(told["spot_order_status"])
    )
    assert found == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="117492012985",
        client_order_id="x-167673045-da918d6724e3af81",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=D(0),
        amount=D("0.0001"),
        price=D(61000),
        exchange_ms=1714461638958,
        text="open",
    )
    pending = COINEX.parse_open_orders(SPOT, answer(told["spot_pending"]))
    assert pending.cursor is None
    assert pending.rows == [
        OrderUpdate(
            symbol="BTCUSDT",
            exchange_order_id="117585921297",
            client_order_id=None,
            status=OrderStatus.OPEN,
            side=Side.BUY,
            filled=D(0),
            amount=D("0.00011793"),
            price=D(52000),
            exchange_ms=1714550707486,
        )
    ]
    finished = COINEX.parse_order(
        OrderRef(instrument=BTC, exchange_order_id="117180532345"),
        answer(told["spot_finished"], url="https://api.coinex.com/v2/spot/finished-order?page=1"),
    )
    assert finished == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="117180532345",
        client_order_id=None,
        status=OrderStatus.FILLED,
        side=Side.SELL,
        filled=D("0.00015484"),
        amount=D("0.00015484"),
        average_price=D("9.9965849816") / D("0.00015484"),
        exchange_ms=1714116494219,
    )
    row = Balance(asset="USDT", free=D("0.00000046"), total=D("0.00000046"))
    assert COINEX.parse_balances(SPOT, answer(told["spot_balance"])) == [row]
    assert COINEX.parse_balances(FUTURES, answer(told["futures_balance"])) == [row]
    assert COINEX.parse_positions(answer(told["futures_positions"])).rows == [
        Position(
            symbol="BTCUSDT",
            side=PositionSide.NET,
            amount=D("0.0001"),
            entry_price=D("62336.8"),
            unrealised=D(0),
            leverage=D(3),
            margin_mode=MarginMode.CROSS,
        )
    ]
    url = COINEX.own_trades(KEYS, SWAP, NOW, NOW).url
    deals = COINEX.parse_own_trades(SWAP, answer(told["futures_user_deals"], url=url))
    assert deals.cursor == "2"
    assert deals.rows == [
        Fill(
            symbol="BTCUSDT",
            exchange_order_id="136915589622",
            client_order_id=None,
            trade_id="1180222387",
            side=Side.BUY,
            price=D(64376),
            amount=D("0.0001"),
            fee=D(0),
            fee_asset="",
            is_maker=None,
            exchange_ms=1714119054558,
        )
    ]


@pytest.mark.captures
def test_every_refusal_at_hand_says_what_to_do(captures: Path) -> None:
    kinds = [errors.OutcomeUnknown, errors.InsufficientFunds, errors.UnknownSymbol, errors.UnknownOrder, None]
    for kind, line in zip(kinds, lines(captures, "coinex", "rest_errors.jsonl"), strict=True):
        if kind is None:
            assert COINEX.parse_balances(SPOT, answer(line)) == []
        else:
            with pytest.raises(kind):
                COINEX.parse_placed(order(), answer(line))


@pytest.mark.captures
def test_every_private_frame_at_hand_parses_to_its_values(captures: Path) -> None:
    frames = [line.decode() for line in lines(captures, "coinex", "ws_private.jsonl")]
    markets = [SPOT, FUTURES, FUTURES, SPOT, FUTURES, FUTURES]
    told = [
        COINEX.parse_private(KEYS, market_type, frame, 0) for market_type, frame in zip(markets, frames, strict=True)
    ]
    rich = D("97.92470982756335000001") + D("0.61442700000000000000")
    rows = [Balance(asset=asset, free=D("97.92470982756335000001"), total=rich) for asset in ("USDT", "BTC")]
    assert told == [
        [
            OrderUpdate(
                symbol="ERGUSDT",
                exchange_order_id="142934016817",
                client_order_id="123",
                status=OrderStatus.OPEN,
                side=Side.SELL,
                filled=D(0),
                amount=D(10),
                price=D("1.5"),
                exchange_ms=1739954537191,
            )
        ],
        [
            OrderUpdate(
                symbol="BTCUSDT",
                exchange_order_id="98388656341",
                client_order_id=None,
                status=OrderStatus.OPEN,
                side=Side.BUY,
                filled=D(0),
                amount=D("0.0010"),
                price=D(50000),
                exchange_ms=1689145715129,
            )
        ],
        [
            Fill(
                symbol="BTCUSDT",
                exchange_order_id="8678890",
                client_order_id="client_id_1",
                trade_id="3514376759",
                side=Side.BUY,
                price=D("30718.42"),
                amount=D("0.00000325"),
                fee=D("0.0299"),
                fee_asset="USDT",
                is_maker=False,
                exchange_ms=1689152421692,
            )
        ],
        [Ignored()],  # of an isolated margin account
        [Balances(rows=rows, whole=False)],
        [
            Positions(
                rows=[
                    Position(
                        symbol="BTCUSDT",
                        side=PositionSide.NET,
                        amount=D("0.0010"),
                        entry_price=D("30721.35"),
                        unrealised=D(0),
                        leverage=D(50),
                        margin_mode=MarginMode.CROSS,
                        liquidation_price=D("31179.87761194029850746268"),
                    )
                ],
                whole=False,
                exchange_ms=1642145331234,
            )
        ],
    ]


@pytest.mark.captures
def test_the_old_spelling_of_an_order_is_read_as_well(captures: Path) -> None:
    [line] = lines(captures, "coinex", "ws_private_old_field_names.jsonl")
    [update] = COINEX.parse_private(KEYS, SPOT, line.decode(), 0)
    assert update == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="12750",
        client_order_id="buy1_1234",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=D(0),
        amount=D("1.5"),
        price=D(5999),
        exchange_ms=1689152421692,
    )


@pytest.mark.captures
def test_control_frames_at_hand_are_understood(captures: Path) -> None:
    frames = [line.decode() for line in lines(captures, "coinex", "acks_errors_pings.jsonl")]
    subscribed = Subscribed(channel="balance")
    assert [COINEX.parse_private(KEYS, SPOT, frame, 0) for frame in frames] == [
        [subscribed],
        # Their pong has the number of another frame than our heartbeat's: it was the login's.
        [LoggedIn()],
        [Subscribed(channel="balance", ok=False, code="20001", text="invalid parameters")],
        [LoginRefused(code="20001", text="invalid argument")],
        [Subscribed(channel="order", ok=False, code="21001", text="require auth")],
        [LoginRefused(code="21002", text="Signature Incorrect")],
        [LoginRefused(code="21002", text="")],
        [Ignored()],
    ]


# secrets


def test_nothing_shows_a_secret() -> None:
    request = COINEX.place(KEYS, order(), NOW)
    shown = repr(request) + str(request) + repr(KEYS) + repr(answer(good.refused(4006, "the-key"), url=request.url))
    for secret in ("testSecret", "the-key", request.headers["X-COINEX-SIGN"]):
        assert secret not in shown
