"""What we ask of OKX: requests with their signatures, and what is not even asked."""

import base64
import hashlib
import hmac
import json

import pytest

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.okx import signing
from apps.feeds.drivers.trading import ExpiryCheck, IdForm
from apps.feeds.errors import InvalidOrder, MalformedFrame, Refused
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import (
    MarginMode,
    NewOrder,
    OrderRef,
    PositionSide,
    TimeInForce,
)
from apps.feeds.tests import good_account_frames_okx as good
from apps.feeds.tests.okx_orders import BTC, FUTURES, KEYS, NOW, OKX, REF, SPOT, SWAP, D, market, order
from apps.feeds.tests.trader_requests import answer, body, path, query, target


def verified(request: Request) -> bool:
    """By the exchange's rule, from what leaves."""
    text = request.headers["OK-ACCESS-TIMESTAMP"] + request.method + target(request) + request.body
    sign = base64.b64encode(hmac.new(KEYS.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return sign == request.headers["OK-ACCESS-SIGN"]


EVERY_REQUEST = [
    OKX.place(KEYS, order(), NOW),
    OKX.cancel(KEYS, REF, NOW),
    OKX.query(KEYS, REF, NOW),
    OKX.dead_man(KEYS, SPOT, 30_000, NOW),
    OKX.dead_man(KEYS, FUTURES, None, NOW),
    OKX.open_orders(KEYS, SPOT, BTC, NOW, "4611"),
    OKX.own_trades(KEYS, SWAP, NOW - 1000, NOW),
    OKX.order_trades(KEYS, REF, NOW),
    OKX.balances(KEYS, SPOT, NOW),
    OKX.positions(KEYS, NOW),
    OKX.fees(KEYS, BTC, NOW),
    OKX.funding(KEYS, SWAP, NOW - 1000, NOW),
    *OKX.set_leverage(KEYS, SWAP, 3, MarginMode.CROSS, NOW),
    OKX.permissions(KEYS, NOW),
]


@pytest.mark.parametrize(
    ("secret", "text", "signature"),
    [
        (
            "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO",
            "2020-12-08T09:08:57.715ZGET/api/v5/account/balance",
            "PJ61e1nb2F2Qd7D8SPiaIcx2gjdELc+o0ygzre9z33k=",
        ),
        (
            "okxSecret01",
            (
                '2026-01-02T03:04:05.678ZPOST/api/v5/trade/order{"instId":"BTC-USDT","tdMode":"cash","side":"buy",'
                '"ordType":"limit","px":"30000","sz":"0.001","clOrdId":"ct0001"}'
            ),
            "UPg4hbUAWRMe9IotiFN6Pmb4VMQkMsxtXBjtTD1p2WQ=",
        ),
        ("okxSecret01", "1767323045GET/users/self/verify", "i/WExINoOIgQVa5wkCj0vfD5pJw7V24wPhU2KruGYl4="),
    ],
)
def test_the_published_signatures_are_reproduced(secret: str, text: str, signature: str) -> None:
    assert signing.signature(secret, text) == signature


def test_a_login_signs_seconds() -> None:
    [frame] = OKX.login(KEYS, SPOT, NOW)
    assert json.loads(frame) == {
        "op": "login",
        "args": [
            {
                "apiKey": "the-key",
                "passphrase": "the-passphrase",
                "timestamp": "1767323045",
                "sign": "i/WExINoOIgQVa5wkCj0vfD5pJw7V24wPhU2KruGYl4=",
            }
        ],
    }


@pytest.mark.parametrize("request_", EVERY_REQUEST, ids=path)
def test_every_request_is_signed_as_it_is_sent(request_: Request) -> None:
    assert verified(request_)
    assert request_.url.startswith("https://www.okx.com/api/v5/")
    assert request_.headers["OK-ACCESS-KEY"] == "the-key"
    assert request_.headers["OK-ACCESS-PASSPHRASE"] == "the-passphrase"
    assert request_.headers["OK-ACCESS-TIMESTAMP"] == "2026-01-02T03:04:05.678Z"
    assert request_.budget in OKX.trade_limits(SPOT).budgets


@pytest.mark.parametrize("request_", EVERY_REQUEST, ids=path)
def test_no_secret_is_in_what_is_printed_of_a_request(request_: Request) -> None:
    for secret in (KEYS.secret, KEYS.passphrase, KEYS.key, request_.headers["OK-ACCESS-SIGN"]):
        assert secret not in repr(request_) + str(request_) + repr(KEYS)


def test_a_limit_order() -> None:
    request = OKX.place(KEYS, order(), NOW)
    assert path(request) == "POST /api/v5/trade/order"
    assert body(request) == {
        "instId": "BTC-USDT",
        "tdMode": "cash",
        "side": "buy",
        "ordType": "limit",
        "px": "30000",
        "sz": "0.003",
        "clOrdId": "ct0001",
        "stpMode": "cancel_taker",
        "tag": "ctspot",
    }
    assert (request.expires_ms, request.headers["expTime"]) == (NOW + 2000, str(NOW + 2000))
    assert (request.weight, request.budget, request.headers["Content-Type"]) == (1, "orders", "application/json")


@pytest.mark.parametrize(("tif", "kind"), [(TimeInForce.IOC, "ioc"), (TimeInForce.POST_ONLY, "post_only")])
def test_the_time_in_force_is_the_order_type(tif: TimeInForce, kind: str) -> None:
    assert body(OKX.place(KEYS, order(tif=tif), NOW))["ordType"] == kind


def test_market_orders_on_spot_always_name_their_unit() -> None:
    sell = body(OKX.place(KEYS, market(side=Side.SELL), NOW))
    assert (sell["ordType"], sell["sz"], sell["tgtCcy"], "px" in sell) == ("market", "0.003", "base_ccy", False)
    buy = body(OKX.place(KEYS, market(amount=None, quote_amount=D("10.50")), NOW))
    assert (buy["sz"], buy["tgtCcy"]) == ("10.5", "quote_ccy")


def test_a_swap_is_ordered_in_contracts_with_its_margin_mode() -> None:
    request = OKX.place(KEYS, market(SWAP, side=Side.SELL, reduce_only=True), NOW)
    assert body(request) == {
        "instId": "BTC-USDT-SWAP",
        "tdMode": "isolated",
        "side": "sell",
        "ordType": "market",
        "sz": "3",
        "reduceOnly": True,
        "clOrdId": "ct0001",
        "stpMode": "cancel_taker",
        "tag": "ctfutures",
    }
    assert body(OKX.place(KEYS, order(SWAP, margin_mode=MarginMode.CROSS), NOW))["tdMode"] == "cross"


def test_hedge_mode_names_the_position_and_needs_no_reduce_only() -> None:
    closing = order(SWAP, side=Side.SELL, position_side=PositionSide.LONG, reduce_only=True)
    sent = body(OKX.place(KEYS, closing, NOW))
    assert (sent["posSide"], "reduceOnly" in sent) == ("long", False)


@pytest.mark.parametrize(
    "wrong",
    [
        order(expires_ms=NOW),
        order(amount=D("0.0005")),
        order(amount=D(0)),
        order(amount=None),
        order(price=D("30000.05")),
        order(price=None),
        order(quote_amount=D(10)),
        order(amount=None, quote_amount=D(10)),
        order(reduce_only=True),
        order(position_side=PositionSide.LONG),
        market(price=D(30000)),
        market(side=Side.SELL, amount=None, quote_amount=D(10)),
        market(SWAP, amount=None, quote_amount=D(10)),
        market(tif=TimeInForce.IOC),
        order(SWAP, amount=D("0.005")),
        order(SWAP, side=Side.BUY, position_side=PositionSide.LONG, reduce_only=True),
        order(side=Side.UNKNOWN),
    ],
)
def test_what_okx_would_refuse_is_not_sent(wrong: NewOrder) -> None:
    with pytest.raises(InvalidOrder):
        OKX.place(KEYS, wrong, NOW)


def test_a_late_expiry_is_cut_to_the_life_of_a_signature() -> None:
    assert OKX.place(KEYS, order(expires_ms=NOW + 3_600_000), NOW).expires_ms == NOW + 30_000


def test_an_order_is_named_by_our_id_else_by_theirs() -> None:
    theirs = OrderRef(instrument=BTC, exchange_order_id="4611")
    cancel = OKX.cancel(KEYS, REF, NOW)
    assert (path(cancel), body(cancel)) == (
        "POST /api/v5/trade/cancel-order",
        {"instId": "BTC-USDT", "clOrdId": "ct0001"},
    )
    assert (cancel.budget, cancel.expires_ms, "expTime" in cancel.headers) == ("cancels", None, False)
    assert body(OKX.cancel(KEYS, theirs, NOW)) == {"instId": "BTC-USDT", "ordId": "4611"}
    asked = OKX.query(KEYS, REF, NOW)
    assert (path(asked), query(asked)) == ("GET /api/v5/trade/order", {"instId": "BTC-USDT", "clOrdId": "ct0001"})
    assert query(OKX.query(KEYS, theirs, NOW)) == {"instId": "BTC-USDT", "ordId": "4611"}


def test_there_is_no_cancel_of_all_orders() -> None:
    assert OKX.cancel_all(KEYS, BTC, NOW) is None


def test_open_orders_come_in_pages() -> None:
    request = OKX.open_orders(KEYS, FUTURES, None, NOW)
    assert (path(request), query(request)) == (
        "GET /api/v5/trade/orders-pending",
        {"instType": "SWAP", "limit": "100"},
    )
    assert query(OKX.open_orders(KEYS, SPOT, BTC, NOW, "4611")) == {
        "instType": "SPOT",
        "instId": "BTC-USDT",
        "after": "4611",
        "limit": "100",
    }
    full = answer(good.told(*(good.order_row(ordId=str(number)) for number in range(100))))
    assert OKX.parse_open_orders(SPOT, full).cursor == "99"
    assert OKX.parse_open_orders(SPOT, answer(good.told())).cursor is None


def test_old_executions_are_in_another_list() -> None:
    recent, old = (OKX.own_trades(KEYS, BTC, NOW - days * 86_400_000, NOW, "9") for days in (1, 4))
    assert (path(recent), recent.weight) == ("GET /api/v5/trade/fills", 1)
    assert (path(old), old.weight) == ("GET /api/v5/trade/fills-history", 6)
    assert query(recent) == {
        "instType": "SPOT",
        "instId": "BTC-USDT",
        "begin": str(NOW - 86_400_000),
        "after": "9",
        "limit": "100",
    }


def test_the_executions_of_one_order_are_asked_for_by_their_id() -> None:
    assert query(OKX.order_trades(KEYS, REF, NOW))["ordId"] == "4611"
    ours = OKX.order_trades(KEYS, OrderRef(instrument=BTC, client_order_id="ct0001"), NOW)
    assert query(ours)["begin"] == str(NOW - 600_000)


def test_requests_for_the_account() -> None:
    asked = {
        path(request): (query(request), request.weight)
        for request in (
            OKX.balances(KEYS, FUTURES, NOW),
            OKX.positions(KEYS, NOW),
            OKX.fees(KEYS, SWAP, NOW),
            OKX.funding(KEYS, SWAP, NOW - 1000, NOW, "5"),
            OKX.funding(KEYS, SWAP, NOW - 30 * 86_400_000, NOW),
            OKX.permissions(KEYS, NOW),
            OKX.server_time(SPOT),
        )
    }
    bills = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "type": "8", "limit": "100"}
    assert asked == {
        "GET /api/v5/account/balance": ({}, 1),
        "GET /api/v5/account/positions": ({"instType": "SWAP"}, 1),
        "GET /api/v5/account/trade-fee": ({"instType": "SWAP", "instFamily": "BTC-USDT"}, 2),
        "GET /api/v5/account/bills": (bills | {"begin": str(NOW - 1000), "after": "5"}, 1),
        "GET /api/v5/account/bills-archive": (bills | {"begin": str(NOW - 30 * 86_400_000)}, 2),
        "GET /api/v5/account/config": ({}, 2),
        "GET /api/v5/public/time": ({}, 4),
    }
    assert query(OKX.fees(KEYS, BTC, NOW)) == {"instType": "SPOT", "instId": "BTC-USDT"}


def test_leverage_is_set_for_one_margin_mode() -> None:
    [request] = OKX.set_leverage(KEYS, SWAP, 3, MarginMode.ISOLATED, NOW)
    assert path(request) == "POST /api/v5/account/set-leverage"
    assert body(request) == {"instId": "BTC-USDT-SWAP", "lever": "3", "mgnMode": "isolated"}
    assert OKX.parse_leverage_set(answer(good.told({"instId": SWAP.symbol, "lever": "3"}))) is None
    with pytest.raises(InvalidOrder):
        OKX.set_leverage(KEYS, BTC, 3, MarginMode.CROSS, NOW)


def test_what_the_exchange_is_like() -> None:
    assert (OKX.exchange_id, OKX.id_form(SPOT), OKX.expiry(FUTURES).check) == ("okx", IdForm.TEXT, ExpiryCheck.GATEWAY)
    assert OKX.trade_limits(SPOT).private_sockets == 30
    assert OKX.private_endpoint(KEYS, SPOT, None) == "wss://ws.okx.com:8443/ws/v5/private"
    assert OKX.token_request(KEYS, SPOT, NOW) is None
    assert (OKX.private_heartbeat(SPOT).send, OKX.private_heartbeat(SPOT).every_s) == ("ping", 20.0)


@pytest.mark.parametrize(
    ("timer_ms", "seconds"), [(30_000, "30"), (1_000, "10"), (10**9, "120"), (59_999, "59"), (None, "0")]
)
@pytest.mark.parametrize(("market_type", "tag"), [(SPOT, "ctspot"), (FUTURES, "ctfutures")])
def test_the_exchanges_own_timer_is_asked_for_in_seconds_within_its_bounds(
    market_type: MarketType, tag: str, timer_ms: int | None, seconds: str
) -> None:
    request = OKX.dead_man(KEYS, market_type, timer_ms, NOW)
    assert request is not None
    assert path(request) == "POST /api/v5/trade/cancel-all-after"
    assert (body(request), request.budget) == ({"timeOut": seconds, "tag": tag}, "timers")


def test_a_timer_is_begun_anew_long_before_it_is_due() -> None:
    terms = OKX.dead_man_terms(KEYS, SPOT)
    assert terms is not None
    assert (terms.timer_ms, terms.refresh_ms, terms.by_instrument) == (30_000, 5_000, False)


@pytest.mark.parametrize(
    ("told", "due_ms"), [("1767323075678", 1767323075678), ("1767323075", 1767323075000), ("0", None)]
)
def test_the_timer_tells_when_it_is_due_or_that_it_is_off(told: str, due_ms: int | None) -> None:
    row = {"triggerTime": told, "tag": "ctspot", "ts": "1767323045678"}
    assert OKX.parse_dead_man(SPOT, 30_000, NOW, answer(good.told(row))) == due_ms


@pytest.mark.parametrize("row", [{"triggerTime": "soon"}, {"triggerTime": "0", "tag": "ctfutures"}, {}])
def test_a_timer_that_is_not_understood_is_malformed(row: dict[str, str]) -> None:
    with pytest.raises(MalformedFrame):
        OKX.parse_dead_man(SPOT, 30_000, NOW, answer(good.told(row)))


def test_a_timer_that_is_refused_is_told_as_such() -> None:
    with pytest.raises(Refused):
        OKX.parse_dead_man(SPOT, 30_000, NOW, answer(good.told(code="51000", msg="Parameter timeOut error")))
