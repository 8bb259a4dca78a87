"""HTX's trading half: requests with their signatures, and what every refusal means."""

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from apps.feeds import errors
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.htx import signing, trading_facts
from apps.feeds.drivers.htx.trader import HtxTrader
from apps.feeds.drivers.trading import Answer, DeadManTerms, ExpiryCheck, IdForm, Token
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Credentials, MarginMode, NewOrder, OrderRef, OrderType, PositionSide, TimeInForce
from apps.feeds.tests import good_account_frames_htx as good
from apps.feeds.tests.captures import lines
from apps.feeds.tests.trader_requests import answer, limit_order

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
HTX = HtxTrader()
KEYS = Credentials(key="testApiKey", secret="testSecret", account="1528640:63628520")
NOW = 1767323045678  # 2026-01-02T03:04:05
AUTH = {
    "AccessKeyId": "testApiKey",
    "SignatureMethod": "HmacSHA256",
    "SignatureVersion": "2",
    "Timestamp": "2026-01-02T03:04:05",
}
HOSTS = {"api.huobi.pro", "api.hbdm.com"}
BTC, SWAP = good.BTC, good.SWAP
D = Decimal


def order(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    usual = {"client_order_id": "ct0001" if instrument is BTC else good.NUMBER}
    return limit_order(instrument, NOW, **(usual | changes))


def market(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    return order(instrument, **({"type": OrderType.MARKET, "price": None} | changes))


def path(request: Request) -> str:
    parts = urlsplit(request.url)
    assert parts.scheme == "https"
    return f"{request.method} {parts.netloc}{parts.path}"


def query(request: Request) -> dict[str, str]:
    """What is asked beside the signature."""
    told = dict(parse_qsl(urlsplit(request.url).query, strict_parsing=True))
    return {name: value for name, value in told.items() if name not in AUTH and name != "Signature"}


def assert_signed(request: Request) -> None:
    """By the exchange's rule, over the address as it is sent."""
    parts = urlsplit(request.url)
    assert parts.netloc in HOSTS
    signed, _, signature = parts.query.rpartition("&Signature=")
    names = [pair.partition("=")[0] for pair in signed.split("&")]
    assert names == sorted(names)
    assert AUTH.items() <= dict(parse_qsl(signed)).items()
    text = f"{request.method}\n{parts.netloc}\n{parts.path}\n{signed}"
    want = base64.b64encode(hmac.new(b"testSecret", text.encode(), hashlib.sha256).digest()).decode()
    assert unquote(signature) == want
    assert (request.headers == {"Content-Type": "application/json"}) == (request.method == "POST")
    assert request.expires_ms is None


# signatures


def test_the_documented_requests_have_the_documented_signatures() -> None:
    params = {"account-id": 100009, "symbol": "btcusdt"}
    told = signing.query(KEYS, "GET", "api.huobi.pro", "/v1/order/openOrders", params, NOW)
    assert told == (
        "AccessKeyId=testApiKey&SignatureMethod=HmacSHA256&SignatureVersion=2&Timestamp=2026-01-02T03%3A04%3A05"
        "&account-id=100009&symbol=btcusdt&Signature=LhTxrDIzMGWe1zxBAsJjJfX%2BEKixBpfFjclP43ZX4AI%3D"
    )
    placed = signing.query(KEYS, "POST", "api.hbdm.com", "/v5/trade/order", {}, NOW)
    assert placed.endswith("&Signature=E1LD%2BNMmYziKGx4vgPxkpuymd09D4Rh3QFOBOvoyz%2F0%3D")


def test_sockets_are_logged_in_with_the_documented_signatures() -> None:
    [spot] = HTX.login(KEYS, SPOT, NOW)
    assert json.loads(spot) == {
        "action": "req",
        "ch": "auth",
        "params": {
            "authType": "api",
            "accessKey": "testApiKey",
            "signatureMethod": "HmacSHA256",
            "signatureVersion": "2.1",
            "timestamp": "2026-01-02T03:04:05",
            "signature": "p3rJZuaEFGfwJ9GprjtapUVN15tg9NkmH8uZAkRBEs8=",
        },
    }
    [futures] = HTX.login(KEYS, FUTURES, NOW)
    signature = "LiOh3z3Eie6+q+AKPY+E9+Hh6+POhXNpGzvfJZHlsv8="
    assert json.loads(futures) == {"op": "auth", "type": "api"} | AUTH | {"Signature": signature}


# placing

SPOT_ORDERS: list[tuple[NewOrder, dict[str, object]]] = [
    (order(), {"type": "buy-limit", "amount": "0.003", "price": "30000"}),
    (order(side=Side.SELL), {"type": "sell-limit", "amount": "0.003", "price": "30000"}),
    (order(tif=TimeInForce.IOC), {"type": "buy-ioc", "amount": "0.003", "price": "30000"}),
    (order(tif=TimeInForce.POST_ONLY), {"type": "buy-limit-maker", "amount": "0.003", "price": "30000"}),
    (market(side=Side.SELL), {"type": "sell-market", "amount": "0.003"}),
    (market(amount=None, quote_amount=D("150.50")), {"type": "buy-market", "amount": "150.5"}),
]


@pytest.mark.parametrize(("asked", "want"), SPOT_ORDERS)
def test_a_spot_order_is_asked_for(asked: NewOrder, want: dict[str, object]) -> None:
    request = HTX.place(KEYS, asked, NOW)
    fixed = {"account-id": "1528640", "symbol": "btcusdt", "source": "spot-api", "client-order-id": "ct0001"}
    assert path(request) == "POST api.huobi.pro/v1/order/orders/place"
    assert json.loads(request.body) == fixed | {"self-match-prevent": 1} | want
    assert (request.weight, request.budget, query(request)) == (1, "spot-trade", {})
    assert_signed(request)


SWAP_ORDERS: list[tuple[NewOrder, dict[str, object]]] = [
    (order(SWAP), {"type": "limit", "price": "30000"}),
    (order(SWAP, tif=TimeInForce.IOC), {"type": "limit", "price": "30000", "time_in_force": "ioc"}),
    (order(SWAP, tif=TimeInForce.POST_ONLY), {"type": "post_only", "price": "30000"}),
    (market(SWAP, side=Side.SELL, reduce_only=True), {"type": "market", "side": "sell", "reduce_only": 1}),
    (
        market(SWAP, position_side=PositionSide.SHORT, margin_mode=MarginMode.CROSS),
        {"type": "market", "position_side": "short", "margin_mode": "cross"},
    ),
]


@pytest.mark.parametrize(("asked", "want"), SWAP_ORDERS)
def test_an_order_of_a_swap_counts_contracts_and_has_a_number_for_a_client_id(
    asked: NewOrder, want: dict[str, object]
) -> None:
    request = HTX.place(KEYS, asked, NOW)
    fixed = {
        "contract_code": "BTC-USDT",
        "margin_mode": "isolated",
        "position_side": "both",
        "side": "buy",
        "volume": "3",
        "time_in_force": "gtc",
        "client_order_id": int(good.NUMBER),
        "self_match_prevent": "cancel_taker",
    }
    assert (path(request), request.budget) == ("POST api.hbdm.com/v5/trade/order", "futures-trade")
    assert json.loads(request.body) == fixed | want
    assert_signed(request)


@pytest.mark.parametrize(
    "asked",
    [
        order(amount=D("0.0035")),
        order(price=D("30000.05")),
        order(expires_ms=NOW),
        order(position_side=PositionSide.LONG),
        order(reduce_only=True),
        market(),  # a market buy takes quote currency alone
        market(amount=None, quote_amount=D("150.5005")),  # more decimals than amounts have
        market(side=Side.SELL, amount=None, quote_amount=D(100)),
        order(SWAP, amount=D("0.0035")),
        order(SWAP, expires_ms=NOW - 1),
        order(SWAP, client_order_id="ct0001"),
        order(SWAP, client_order_id="0"),
        order(SWAP, client_order_id=str(2**63)),
        market(SWAP, amount=None, quote_amount=D(100)),
    ],
)
def test_what_the_exchange_cannot_express_is_refused_before_it_is_sent(asked: NewOrder) -> None:
    with pytest.raises(errors.InvalidOrder):
        HTX.place(KEYS, asked, NOW)


def test_spot_needs_to_know_the_account_of_the_key() -> None:
    unnamed = Credentials(key="testApiKey", secret="testSecret")
    for ask in (
        lambda: HTX.place(unnamed, order(), NOW),
        lambda: HTX.balances(unnamed, SPOT, NOW),
        lambda: HTX.permissions(unnamed, NOW),
    ):
        with pytest.raises(errors.BadCredentials):
            ask()
    HTX.place(unnamed, order(SWAP), NOW)


# the other requests


def test_orders_are_cancelled() -> None:
    spot_ours = OrderRef(instrument=BTC, client_order_id="ct0001", exchange_order_id="77")
    spot_theirs = OrderRef(instrument=BTC, exchange_order_id="77")
    swap_ours = OrderRef(instrument=SWAP, client_order_id="5", exchange_order_id="77")
    swap_theirs = OrderRef(instrument=SWAP, exchange_order_id="77")
    requests = [HTX.cancel(KEYS, ref, NOW) for ref in (spot_ours, spot_theirs, swap_ours, swap_theirs)]
    requests += [request for one in (BTC, SWAP) if (request := HTX.cancel_all(KEYS, one, NOW)) is not None]
    swap = {"contract_code": "BTC-USDT"}
    every = {"account-id": "1528640", "symbol": "btcusdt", "size": 100}
    assert [(path(request), json.loads(request.body), request.budget) for request in requests] == [
        ("POST api.huobi.pro/v1/order/orders/submitCancelClientOrder", {"client-order-id": "ct0001"}, "spot-trade"),
        ("POST api.huobi.pro/v1/order/orders/77/submitcancel", {}, "spot-trade"),
        ("POST api.hbdm.com/v5/trade/cancel_order", swap | {"client_order_id": 5}, "futures-trade"),
        ("POST api.hbdm.com/v5/trade/cancel_order", swap | {"order_id": "77"}, "futures-trade"),
        ("POST api.huobi.pro/v1/order/orders/batchCancelOpenOrders", every, "spot-batch"),
        ("POST api.hbdm.com/v5/trade/cancel_all_orders", swap, "futures-trade"),
    ]
    for request in requests:
        assert_signed(request)


def test_orders_and_executions_are_asked_for() -> None:
    refs = [
        OrderRef(instrument=BTC, client_order_id="ct0001"),
        OrderRef(instrument=BTC, client_order_id="ct0001", exchange_order_id="77"),
        OrderRef(instrument=SWAP, client_order_id="5"),
        OrderRef(instrument=SWAP, client_order_id="5", exchange_order_id="77"),
    ]
    queries = [HTX.query(KEYS, ref, NOW) for ref in refs]
    swap, spot_list = {"contract_code": "BTC-USDT"}, "GET api.huobi.pro/v1/order/orders"
    assert [(path(request), query(request)) for request in queries] == [
        (f"{spot_list}/getClientOrder", {"clientOrderId": "ct0001"}),
        (f"{spot_list}/77", {}),
        ("GET api.hbdm.com/v5/trade/order", swap | {"client_order_id": "5"}),
        ("GET api.hbdm.com/v5/trade/order", swap | {"order_id": "77"}),
    ]
    recent = NOW - 600_000
    trades = [HTX.order_trades(KEYS, ref, NOW) for ref in refs]
    assert [(path(request), query(request)) for request in trades] == [
        (
            "GET api.huobi.pro/v1/order/matchresults",
            {"symbol": "btcusdt", "start-time": str(recent), "size": "500"},
        ),
        (f"{spot_list}/77/matchresults", {}),
        ("GET api.hbdm.com/v5/trade/order/details", swap | {"start_time": str(recent), "limit": "100"}),
        ("GET api.hbdm.com/v5/trade/order/details", swap | {"order_id": "77", "limit": "100"}),
    ]
    for request in queries + trades:
        assert_signed(request)
        assert request.budget == ("spot-query" if "huobi" in request.url else "futures-read")
    assert HTX.query_finished(KEYS, refs[0], NOW) is None


def test_an_order_id_that_is_no_number_never_becomes_part_of_an_address() -> None:
    for told in ("../../v1/x", "7/submitcancel", "", "٧"):
        with pytest.raises(errors.UnknownOrder):
            HTX.query(KEYS, OrderRef(instrument=BTC, exchange_order_id=told), NOW)


def test_open_orders_are_asked_for_page_by_page() -> None:
    requests = [
        HTX.open_orders(KEYS, SPOT, None, NOW),
        HTX.open_orders(KEYS, SPOT, BTC, NOW, "4611"),
        HTX.open_orders(KEYS, FUTURES, None, NOW),
        HTX.open_orders(KEYS, FUTURES, SWAP, NOW, "4611"),
    ]
    page = {"account-id": "1528640", "size": "500"}
    assert [(path(request), query(request)) for request in requests] == [
        ("GET api.huobi.pro/v1/order/openOrders", page),
        (
            "GET api.huobi.pro/v1/order/openOrders",
            page | {"symbol": "btcusdt", "from": "4611", "direct": "next"},
        ),
        ("GET api.hbdm.com/v5/trade/order/opens", {"limit": "100"}),
        (
            "GET api.hbdm.com/v5/trade/order/opens",
            {"contract_code": "BTC-USDT", "limit": "100", "from": "4611", "direct": "next"},
        ),
    ]
    for request in requests:
        assert_signed(request)


def test_the_account_is_asked_for() -> None:
    requests = [
        *HTX.account_requests(KEYS, NOW),
        HTX.permissions(KEYS, NOW),
        HTX.balances(KEYS, SPOT, NOW),
        HTX.balances(KEYS, FUTURES, NOW),
        HTX.positions(KEYS, NOW),
        HTX.fees(KEYS, BTC, NOW),
        HTX.funding(KEYS, SWAP, NOW - 9, NOW),
    ]
    funding = {"contract_code": "BTC-USDT", "type": "30,31", "start_time": str(NOW - 9), "limit": "100"}
    assert [(path(request), query(request), request.budget) for request in requests] == [
        ("GET api.huobi.pro/v1/account/accounts", {}, "spot-account"),
        ("GET api.huobi.pro/v2/user/uid", {}, "spot-account"),
        ("GET api.huobi.pro/v2/user/api-key", {"uid": "63628520", "accessKey": "testApiKey"}, "spot-account"),
        ("GET api.huobi.pro/v1/account/accounts/1528640/balance", {}, "spot-balance"),
        ("GET api.hbdm.com/v5/account/balance", {}, "futures-read"),
        ("GET api.hbdm.com/v5/trade/position/opens", {}, "futures-read"),
        ("GET api.huobi.pro/v2/reference/transact-fee-rate", {"symbols": "btcusdt"}, "spot-account"),
        ("GET api.hbdm.com/v5/account/bills", funding, "futures-read"),
    ]
    fee, [leverage] = HTX.fees(KEYS, SWAP, NOW), HTX.set_leverage(KEYS, SWAP, 5, MarginMode.CROSS, NOW)
    assert [(path(request), json.loads(request.body)) for request in (fee, leverage)] == [
        ("POST api.hbdm.com/linear-swap-api/v1/swap_fee", {"contract_code": "BTC-USDT"}),
        (
            "POST api.hbdm.com/v5/position/lever",
            {"contract_code": "BTC-USDT", "margin_mode": "cross", "lever_rate": 5},
        ),
    ]
    for request in [*requests, fee, leverage]:
        assert_signed(request)
    assert HTX.server_time(SPOT).url == "https://api.huobi.pro/v1/common/timestamp"
    assert HTX.server_time(FUTURES).url == "https://api.hbdm.com/api/v1/timestamp"


def test_what_an_account_may_send_is_told() -> None:
    assert (HTX.id_form(SPOT), HTX.id_form(FUTURES)) == (IdForm.TEXT, IdForm.INTEGER)
    assert (HTX.expiry(SPOT).check, HTX.expiry(SPOT).longest_ms) == (ExpiryCheck.NONE, 300_000)
    assert HTX.trade_limits(SPOT).budgets["spot-trade"].count == 100
    assert HTX.trade_limits(FUTURES).budgets["futures-trade"].count == 24
    assert [HTX.trade_limits(market).private_sockets for market in (SPOT, FUTURES)] == [10, 30]


# refusals

SPOT_CODES = {
    errors.BadCredentials: (
        *("api-signature-not-valid", "api-signature-check-failed", "login-required", "403", "1253", "1003"),
        *("12004", "12005", "12006", "12007", "12008"),
    ),
    errors.RateLimited: ("base-request-exceed-frequency-limit", "rate-too-many-requests", "1032"),
    errors.OutcomeUnknown: ("base-system-error", "gateway-internal-error", "timeout", "system-maintenance"),
    errors.InsufficientFunds: ("order-accountbalance-error", "account-frozen-balance-insufficient-error"),
    errors.InvalidOrder: (
        *("order-value-min-error", "order-limitorder-amount-min-error", "order-limitorder-amount-max-error"),
        *("order-marketorder-amount-min-error", "order-orderamount-precision-error", "invalid-amount"),
        *("order-orderprice-precision-error", "order-invalid-price", "order-holding-limit-failed"),
        *("order-limitorder-price-min-error", "order-limitorder-price-max-error"),
        *("order-limitorder-price-buy-min-error", "order-limitorder-price-buy-max-error"),
        *("order-limitorder-price-sell-min-error", "order-limitorder-price-sell-max-error"),
    ),
    errors.UnknownOrder: ("base-record-invalid", "not-found", "base-not-found", "order-queryorder-invalid"),
    errors.OrderIsFinal: ("order-orderstate-error",),
    errors.DuplicateOrder: ("invalid-client-order-id",),
    errors.UnknownSymbol: ("base-symbol-error", "base-symbol-trade-disabled", "require-symbol"),
}
SWAP_CODES = {
    errors.BadCredentials: (
        *("api-signature-not-valid", "api-signature-check-failed", "login-required", "403", "1253"),
        *("12004", "12005", "12006", "12007", "12008"),
    ),
    errors.RateLimited: ("base-request-exceed-frequency-limit", "rate-too-many-requests", "1032"),
    errors.OutcomeUnknown: ("1000", "1001", "1002", "1003", "1004", "1046", "1108"),
    errors.InsufficientFunds: ("1047", "1048"),
    errors.InvalidOrder: (*("1030", "1034", "1036", "1038", "1039", "1040", "1041", "1065", "1067", "1094", "1461"),),
    errors.UnknownSymbol: ("1013", "1066"),
    errors.UnknownOrder: ("1017", "1051", "1061"),
    errors.OrderIsFinal: ("1063", "1071"),
    errors.DuplicateOrder: ("1050", "1064"),
    errors.NotPermitted: ("4007", "1010", "1220", "1084"),
    errors.Retryable: ("1056", "1058", "1059", "1077", "1078", "1079", "1080"),
}
CASES = [
    (market_type, kind, code)
    for market_type, table in ((SPOT, SPOT_CODES), (FUTURES, SWAP_CODES))
    for kind, codes in table.items()
    for code in codes
]


def refused(market_type: MarketType, code: str, text: str = "in their words") -> Answer:
    if market_type is SPOT:
        return answer(good.spot_refused(code, text))
    return answer(good.swap_refused(int(code), text) if code.isdigit() else good.spot_refused(code, text))


@pytest.mark.parametrize(("market_type", "kind", "code"), CASES)
def test_every_documented_code_says_what_to_do(market_type: MarketType, kind: type[Exception], code: str) -> None:
    asked = order(BTC if market_type is SPOT else SWAP)
    with pytest.raises(kind, match=f"{code}: in their words") as raised:
        HTX.parse_placed(asked, refused(market_type, code))
    assert raised.type is kind
    with pytest.raises(errors.Retryable if kind is errors.OutcomeUnknown else kind):
        HTX.parse_balances(market_type, refused(market_type, code))


def test_the_codes_are_all_there_are() -> None:
    for table, codes in ((trading_facts.SPOT_ERRORS, SPOT_CODES), (trading_facts.FUTURES_ERRORS, SWAP_CODES)):
        assert sorted(table) == sorted(code for some in codes.values() for code in some)


def test_the_older_shape_of_a_refusal_is_read_as_well() -> None:
    old = {"status": "error", "err_code": 1047, "err_msg": "Insufficient margin available.", "ts": 1643802672652}
    with pytest.raises(errors.InsufficientFunds) as raised:
        HTX.parse_placed(order(SWAP), answer(old))
    assert (raised.value.code, str(raised.value)) == ("1047", "1047: Insufficient margin available.")


@pytest.mark.parametrize("market_type", [SPOT, FUTURES])
def test_a_signature_that_is_refused_for_its_time_is_a_matter_of_clocks(market_type: MarketType) -> None:
    code = "api-signature-not-valid" if market_type is SPOT else "403"
    words = "Signature not valid: Invalid Timestamp"
    with pytest.raises(errors.ClockSkew):
        HTX.parse_balances(market_type, refused(market_type, code, words))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("invalid symbol", errors.UnknownSymbol),
        ("symbol trade not open now", errors.UnknownSymbol),
        ("request limit", errors.RateLimited),
        ("something new", errors.OutcomeUnknown),
    ],
)
def test_what_is_said_in_words_only_is_understood(text: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        HTX.parse_placed(order(), refused(SPOT, "invalid-parameter", text))


@pytest.mark.parametrize(
    ("asked", "content", "status"),
    [
        (order(), good.ok(None), 200),
        (order(SWAP), good.v5(None), 200),
        (order(SWAP), good.v5({"id": 1}), 200),
        (order(), b" " * 2_000_000 + b'{"status":"ok","data":"438398393065481"}', 200),
        (order(), good.spot_refused("something-new"), 200),
        (order(SWAP), good.swap_refused(9999), 200),
        (order(), {"status": "maintain"}, 200),
        (order(), b"<html>bad gateway</html>", 502),
        (order(SWAP), b"<html>what</html>", 200),
        (order(SWAP), b"{}", 200),
        (order(), good.ok("438398393065481"), 504),
    ],
)
def test_an_answer_that_proves_nothing_leaves_an_order_unknown(asked: NewOrder, content: object, status: int) -> None:
    with pytest.raises(errors.OutcomeUnknown):
        HTX.parse_placed(asked, answer(content, status))


def test_a_read_may_be_sent_again_after_maintenance_and_gateways() -> None:
    with pytest.raises(errors.Retryable) as raised:
        HTX.parse_balances(SPOT, answer({"status": "maintain"}))
    assert raised.value.after_s == 60.0
    with pytest.raises(errors.Retryable):
        HTX.parse_balances(FUTURES, answer(b"<html>", 502))
    with pytest.raises(errors.Refused):
        HTX.parse_balances(FUTURES, answer(good.swap_refused(9999)))


def test_the_time_of_a_limit_is_taken_from_its_headers() -> None:
    body = json.dumps(good.swap_refused(1032)).encode()
    limited = Answer(status=429, body=body, headers={"ratelimit-reset": "2500"})
    with pytest.raises(errors.RateLimited) as raised:
        HTX.parse_placed(order(SWAP), limited)
    assert raised.value.after_s == 2.5


@pytest.mark.captures
def test_every_refusal_at_hand_says_what_to_do(captures: Path) -> None:
    kinds = [
        (SPOT, errors.InvalidOrder),
        (SPOT, errors.BadCredentials),
        (FUTURES, errors.BadCredentials),
        (FUTURES, errors.InsufficientFunds),
        (FUTURES, errors.UnknownOrder),
        (FUTURES, errors.UnknownOrder),
        (FUTURES, errors.UnknownSymbol),
        (SPOT, errors.OrderIsFinal),
        (SPOT, errors.OutcomeUnknown),
        (SPOT, errors.RateLimited),
        (SPOT, errors.RateLimited),
        (SPOT, errors.OutcomeUnknown),
    ]
    for (market_type, kind), line in zip(kinds, lines(captures, "htx", "rest_errors.jsonl"), strict=True):
        with pytest.raises(kind):
            HTX.parse_cancelled(good.BY_THEIRS if market_type is SPOT else good.SWAP_REF, answer(line))


# secrets and tokens


def test_no_token_opens_a_socket() -> None:
    assert HTX.token_request(KEYS, SPOT, NOW) is None
    assert HTX.renew_request(KEYS, SPOT, Token(value=""), NOW) is None
    with pytest.raises(errors.MalformedFrame):
        HTX.parse_token(SPOT, answer({}))


def test_nothing_shows_a_secret() -> None:
    request = HTX.place(KEYS, order(), NOW)
    told = Answer(status=200, body=b'{"key": "testApiKey"}', url=request.url)
    shown = repr(request) + str(request) + repr(KEYS) + repr(told)
    for secret in ("testSecret", "testApiKey", "Signature", "1528640"):
        assert secret not in shown


# the exchange's own timer


@pytest.mark.parametrize(
    ("timer_ms", "spot", "swap"),
    [
        (60_000, {"timeout": 60}, {"on_off": "1", "time_out": "60000"}),
        (1_000, {"timeout": 5}, {"on_off": "1", "time_out": "5000"}),
        (None, {"timeout": 0}, {"on_off": "0"}),
    ],
)
def test_each_market_has_a_timer(timer_ms: int | None, spot: dict[str, Any], swap: dict[str, Any]) -> None:
    requests = [HTX.dead_man(KEYS, market, timer_ms, NOW) for market in (SPOT, FUTURES)]
    assert [(path(each), json.loads(each.body), each.budget) for each in requests if each is not None] == [
        ("POST api.huobi.pro/v2/algo-orders/cancel-all-after", spot, "spot-batch"),
        ("POST api.hbdm.com/v5/trade/cancel-after", swap, "futures-trade"),
    ]
    for request in requests:
        assert request is not None
        assert_signed(request)
    assert [HTX.dead_man_terms(KEYS, market) for market in (SPOT, FUTURES)] == [
        DeadManTerms(timer_ms=60_000, refresh_ms=15_000)
    ] * 2


@pytest.mark.parametrize(
    ("market_type", "data", "timer_ms", "due_ms"),
    [
        (SPOT, [{"currentTime": "1587971400", "triggerTime": "1587971460"}], 60_000, 1_587_971_460_000),
        (SPOT, {"currentTime": 1587971400123, "triggerTime": 1587971460123}, 60_000, 1_587_971_460_123),
        (SPOT, [{"currentTime": "1587971400", "triggerTime": "0"}], None, None),
        (FUTURES, {"current_time": "1767145577000", "trigger_time": "1767145637000"}, 60_000, 1_767_145_637_000),
        (FUTURES, {"current_time": "1767145577000", "trigger_time": "0"}, None, None),
        (FUTURES, {"current_time": "1767145577000"}, None, None),
    ],
)
def test_a_timer_tells_when_it_is_due_or_that_it_is_off(
    market_type: MarketType, data: object, timer_ms: int | None, due_ms: int | None
) -> None:
    told = answer({"code": 200, "data": data})
    assert HTX.parse_dead_man(market_type, timer_ms, NOW, told) == due_ms
    with pytest.raises(errors.MalformedFrame):  # the contrary was asked for
        HTX.parse_dead_man(market_type, 60_000 if timer_ms is None else None, NOW, told)


@pytest.mark.parametrize("market_type", [SPOT, FUTURES])
def test_a_timer_that_is_refused_is_told_as_such(market_type: MarketType) -> None:
    with pytest.raises(errors.Refused):
        HTX.parse_dead_man(market_type, 60_000, NOW, answer({"code": 2003, "message": "missing mandatory field"}))
    for data in ([], None, [{"triggerTime": "soon"}]):
        with pytest.raises(errors.MalformedFrame):
            HTX.parse_dead_man(market_type, 60_000, NOW, answer({"code": 200, "data": data}))
