"""OKX's trading half: requests with their signatures, answers and refusals, private frames."""

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds import errors
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Closing, Ignored, Pong, Request
from apps.feeds.drivers.okx import signing, trading_facts
from apps.feeds.drivers.trading import Answer, ExpiryCheck, IdForm, LoggedIn, LoginRefused, Placed, Subscribed
from apps.feeds.errors import InvalidOrder, MalformedFrame, OutcomeUnknown, RateLimited, Refused, Retryable
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
from apps.feeds.tests import good_account_frames_okx as good
from apps.feeds.tests.captures import lines
from apps.feeds.tests.trader_requests import answer, body, path, query, target

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
OKX = registry.trader("okx")
KEYS = Credentials(key="the-key", secret="okxSecret01", passphrase="the-passphrase")
NOW = 1767323045678
BTC, SWAP = good.BTC, good.SWAP
D = Decimal


def order(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    amount = D("0.003") if instrument is BTC else D("0.03")
    whole: dict[str, Any] = {
        "instrument": instrument,
        "client_order_id": "ct0001",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "expires_ms": NOW + 2000,
        "amount": amount,
        "price": D("30000.0"),
    }
    return NewOrder(**(whole | changes))


def market(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    return order(instrument, **({"type": OrderType.MARKET, "price": None} | changes))


def verified(request: Request) -> bool:
    """By the exchange's rule, from what leaves."""
    text = request.headers["OK-ACCESS-TIMESTAMP"] + request.method + target(request) + request.body
    sign = base64.b64encode(hmac.new(KEYS.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return sign == request.headers["OK-ACCESS-SIGN"]


def private(frame: Any, market_type: MarketType = SPOT) -> list[Any]:
    wire = frame if isinstance(frame, str | bytes) else json.dumps(frame)
    return OKX.parse_private(KEYS, market_type, wire, 7)


REF = OrderRef(instrument=BTC, client_order_id="ct0001", exchange_order_id="4611")
EVERY_REQUEST = [
    OKX.place(KEYS, order(), NOW),
    OKX.cancel(KEYS, REF, NOW),
    OKX.query(KEYS, REF, NOW),
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


def test_an_accepted_order_is_open() -> None:
    told = good.told({"clOrdId": "ct0001", "ordId": "4611", "tag": "", "sCode": "0", "sMsg": ""})
    assert OKX.parse_placed(order(), answer(told)) == Placed(
        exchange_order_id="4611", client_order_id="ct0001", status=OrderStatus.OPEN
    )


def test_an_answer_to_another_order_proves_nothing() -> None:
    told = good.told({"clOrdId": "ct0002", "ordId": "4611", "sCode": "0", "sMsg": ""})
    with pytest.raises(OutcomeUnknown):
        OKX.parse_placed(order(), answer(told))


SHEET = {
    "50011": errors.RateLimited,
    "50061": errors.RateLimited,
    "50111": errors.BadCredentials,
    "50105": errors.BadCredentials,
    "50113": errors.BadCredentials,
    "50101": errors.BadCredentials,
    "50110": errors.BadCredentials,
    "50119": errors.BadCredentials,
    "50100": errors.BadCredentials,
    "50102": errors.ClockSkew,
    "50112": errors.ClockSkew,
    "50001": errors.OutcomeUnknown,
    "50013": errors.OutcomeUnknown,
    "50026": errors.OutcomeUnknown,
    "50005": errors.OutcomeUnknown,
    "50004": errors.OutcomeUnknown,
    "51149": errors.OutcomeUnknown,
    "51000": errors.Refused,
    "51001": errors.UnknownSymbol,
    "51155": errors.UnknownSymbol,
    "51008": errors.InsufficientFunds,
    "51119": errors.InsufficientFunds,
    "51127": errors.InsufficientFunds,
    "51131": errors.InsufficientFunds,
    "51020": errors.InvalidOrder,
    "51120": errors.InvalidOrder,
    "51121": errors.InvalidOrder,
    "51006": errors.InvalidOrder,
    "51137": errors.InvalidOrder,
    "51138": errors.InvalidOrder,
    "51010": errors.NotPermitted,
    "51016": errors.DuplicateOrder,
    "51011": errors.DuplicateOrder,
    "51400": errors.UnknownOrder,
    "51401": errors.OrderIsFinal,
    "51402": errors.OrderIsFinal,
    "51603": errors.UnknownOrder,
    "50036": errors.RequestExpired,
    "99999": errors.OutcomeUnknown,  # of an order's fate an unknown code proves nothing
}


@pytest.mark.parametrize(("code", "kind"), SHEET.items())
def test_each_code_of_an_order_is_an_error_of_its_own_class(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=f"{code}: the words") as caught:
        OKX.parse_placed(order(), answer(good.refused(code, "the words")))
    assert caught.type is kind
    with pytest.raises(kind):
        OKX.parse_cancelled(REF, answer(good.told(code=code, msg="the words"), status=400))


def test_a_sub_code_is_of_its_codes_class() -> None:
    with pytest.raises(errors.InsufficientFunds):
        OKX.parse_placed(order(), answer(good.refused("51008_1000")))


@pytest.mark.parametrize(
    ("code", "kind"), [("99999", Refused), ("50026", Retryable), ("50004", Retryable), ("51603", errors.UnknownOrder)]
)
def test_a_read_is_refused_or_may_be_sent_again(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        OKX.parse_order(REF, answer(good.told(code=code, msg="no")))
    assert caught.type is kind


def test_too_many_requests_wait_for_the_next_window() -> None:
    for told in (
        answer(good.told(code="50011", msg="Too Many Requests"), status=429),
        answer(good.told(code="50011", msg="Rate limit reached")),
    ):
        with pytest.raises(RateLimited) as caught:
            OKX.parse_placed(order(), told)
        assert caught.value.after_s == 2.0


def test_a_gateways_error_leaves_the_outcome_open() -> None:
    page = Answer(status=502, body=b"<html>bad gateway</html>")
    with pytest.raises(OutcomeUnknown):
        OKX.parse_placed(order(), page)
    with pytest.raises(Retryable):
        OKX.parse_balances(SPOT, page)
    with pytest.raises(OutcomeUnknown):
        OKX.parse_placed(order(), Answer(status=200, body=b"{}"))


def test_a_cancel_that_is_under_way_is_accepted() -> None:
    assert OKX.parse_cancelled(REF, answer(good.refused("51410"))) is None
    assert OKX.parse_cancelled(REF, answer(good.PLACED)) is None


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("live", OrderStatus.OPEN),
        ("partially_filled", OrderStatus.PARTIAL),
        ("filled", OrderStatus.FILLED),
        ("canceled", OrderStatus.CANCELLED),
        ("mmp_canceled", OrderStatus.CANCELLED),
        ("order_failed", OrderStatus.REJECTED),
    ],
)
def test_the_states_of_an_order(state: str, status: OrderStatus) -> None:
    update = OKX.parse_order(REF, answer(good.told(good.order_row(state=state))))
    assert (update.status, update.text) == (status, state)


def test_a_state_or_an_order_that_nobody_asked_for_is_malformed() -> None:
    for row in (good.order_row(state="new"), good.order_row(instId="ETH-USDT")):
        with pytest.raises(MalformedFrame):
            OKX.parse_order(REF, answer(good.told(row)))


def test_answers_about_the_account() -> None:
    assert OKX.parse_balances(SPOT, answer(good.told(good.WALLET))) == [
        Balance(asset="USDT", free=D(90), total=D("100.5"))
    ]
    assert OKX.parse_balances(FUTURES, answer(good.told(good.WALLET))) == [
        Balance(asset="USDT", free=D(91), total=D(101))
    ]
    assert OKX.parse_fees(SWAP, answer(good.told(good.FEES))) == Fees(maker=D("0.0002"), taker=D("0.0005"))
    spot = {"maker": "0.0001", "taker": "-0.001", "makerU": "", "takerU": ""}
    assert OKX.parse_fees(BTC, answer(good.told(spot))) == Fees(maker=D("-0.0001"), taker=D("0.001"))
    assert OKX.parse_server_time(SPOT, answer(good.told({"ts": "1790000000000"}))) == 1790000000000


def test_funding_of_isolated_positions_is_told_in_another_field() -> None:
    isolated = good.BILL | {"billId": "6", "balChg": "0", "posBalChg": "0.02"}
    other = good.BILL | {"instId": "ETH-USDT-SWAP"}
    payment = FundingPayment(
        payment_id="5", symbol=SWAP.symbol, asset="USDT", amount=D("-0.01"), exchange_ms=1790000000000
    )
    page = OKX.parse_funding(SWAP, answer(good.told(good.BILL, isolated, other)))
    assert page.rows == [payment, replace(payment, payment_id="6", amount=D("0.02"))]
    assert page.cursor is None


def test_a_key_that_may_withdraw_is_told() -> None:
    config = {"acctLv": "1", "perm": "read_only,withdraw,trade", "ip": ""}
    assert OKX.parse_permissions(answer(good.told(config))) == Permissions(
        read=True, trade_spot=True, trade_futures=False, withdraw=True, ip_bound=False
    )
    assert OKX.parse_permissions(answer(good.told(good.CONFIG))) == Permissions(
        read=True, trade_spot=True, trade_futures=True, withdraw=False, ip_bound=True
    )


def test_a_subscription_names_the_markets_own_kind() -> None:
    [frame] = OKX.subscribe_private(KEYS, FUTURES, NOW)
    on_change = '{"updateInterval":"0"}'
    assert json.loads(frame) == {
        "op": "subscribe",
        "args": [
            {"channel": "orders", "instType": "SWAP"},
            {"channel": "account", "extraParams": on_change},
            {"channel": "positions", "instType": "SWAP", "extraParams": on_change},
        ],
    }
    assert OKX.private_channels(FUTURES) == ("orders", "account", "positions")
    assert OKX.private_channels(SPOT) == ("orders", "account")


UPDATE = OrderUpdate(
    symbol="BTC-USDT",
    exchange_order_id="4611",
    client_order_id=good.CLIENT_ORDER_ID,
    status=OrderStatus.OPEN,
    side=Side.BUY,
    filled=D(0),
    amount=D("0.003"),
    price=D("30000.5"),
    exchange_ms=1790000000000,
    text="live",
)
FILL = Fill(
    symbol="BTC-USDT",
    exchange_order_id="4611",
    client_order_id=good.CLIENT_ORDER_ID,
    trade_id="77",
    side=Side.BUY,
    price=D(30000),
    amount=D("0.001"),
    fee=D("0.000001"),
    fee_asset="BTC",
    is_maker=False,
    exchange_ms=1790000000001,
)
PARTLY = replace(UPDATE, status=OrderStatus.PARTIAL, filled=D("0.001"), average_price=D(30000), text="partially_filled")


def test_an_execution_is_pushed_with_its_order() -> None:
    assert private(good.push("orders", good.order_row(), good.order_row(**good.FILLED))) == [UPDATE, FILL, PARTLY]


def test_an_execution_without_its_fee_is_looked_up() -> None:
    row = {name: value for name, value in good.order_row(**good.FILLED).items() if not name.startswith("fillFee")}
    look_up = LookUp(symbol="BTC-USDT", exchange_order_id="4611", client_order_id=good.CLIENT_ORDER_ID)
    assert private(good.push("orders", row)) == [look_up, PARTLY]


def test_a_rebate_is_a_negative_fee() -> None:
    [fill, _] = private(good.push("orders", good.order_row(**good.FILLED | {"fillFee": "0.5", "execType": "M"})))
    assert (fill.fee, fill.is_maker) == (D("-0.5"), True)


def test_orders_of_the_other_market_are_left_to_its_own_socket() -> None:
    assert private(good.push("orders", good.swap_row())) == [Ignored()]


def test_balances_and_positions_are_whole_in_a_snapshot_of_one_page() -> None:
    ms = 1790000000000
    row = Balance(asset="USDT", free=D(90), total=D("100.5"))
    paged = good.push("account", good.WALLET, eventType="snapshot", curPage=1, lastPage=False)
    whole = good.push("account", good.WALLET, eventType="snapshot", curPage=1, lastPage=True)
    assert private(paged) == [Balances(rows=[row], whole=False, exchange_ms=ms)]
    assert private(whole) == [Balances(rows=[row], whole=True, exchange_ms=ms)]
    position = Position(
        symbol="BTC-USDT-SWAP",
        side=PositionSide.NET,
        amount=D(-2),
        entry_price=D(30000),
        unrealised=D("-0.5"),
        leverage=D(3),
        margin_mode=MarginMode.CROSS,
        liquidation_price=D(40000),
    )
    short = good.HELD | {"posSide": "short", "pos": "1"}
    assert private(good.push("positions", good.HELD, short, eventType="snapshot"), FUTURES) == [
        Positions(rows=[position, replace(position, side=PositionSide.SHORT, amount=D(-1))], whole=True)
    ]
    assert private(good.push("positions", eventType="snapshot"), FUTURES) == [Positions(rows=[], whole=True)]


def test_the_socket_answers_its_commands() -> None:
    text = "channel:orders,instType:SPOT doesn't exist"
    assert [private(frame) for frame in good.EVENTS] == [
        [LoggedIn()],
        [LoginRefused(code="60009", text="Login failed.")],
        [Subscribed(channel="orders", ok=False, code="60018", text=text)],
        [Subscribed(channel="orders")],
        [Closing("The connection will soon be closed.")],
        [Ignored()],
        [
            Subscribed(
                channel="orders",
                ok=False,
                code="channel-conn-count-error",
                text="too many sockets with this channel",
            )
        ],
        [Pong()],
    ]


@pytest.mark.parametrize("code", sorted(trading_facts.LOGIN_CODES))
def test_a_refused_login_is_told_apart(code: str) -> None:
    assert private({"event": "error", "code": code, "msg": "no"}) == [LoginRefused(code=code, text="no")]


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[]",
        {},
        {"event": "farewell"},
        good.push("nonsense", {}),
        good.push("orders", good.order_row(state="new")),
        good.push("orders", good.order_row(side="long")),
        good.push("orders", good.order_row(sz="NaN")),
        good.push("orders", good.order_row(accFillSz="-1")),
        good.push("orders", good.order_row(**good.FILLED | {"execType": "X"})),
        good.push("orders", good.order_row(**good.FILLED | {"fillFee": "1e400"})),
    ],
)
def test_what_okx_does_not_document_is_malformed(frame: Any) -> None:
    with pytest.raises(MalformedFrame):
        private(frame)


# Samples of the real exchange and of the libraries that speak to it.


def recorded(captures: Path, file: str) -> list[Any]:
    return [json.loads(line) for line in lines(captures, "okx", file)]


@pytest.mark.captures
def test_every_recorded_order_push(captures: Path) -> None:
    frames = recorded(captures, "private_orders.jsonl")
    told = [private(frame, FUTURES if frame["arg"]["instType"] == "SWAP" else SPOT) for frame in frames]
    market_sell = OrderUpdate(
        symbol="BTC-USDT",
        exchange_order_id="620258920632008725",
        client_order_id=None,
        status=OrderStatus.OPEN,
        side=Side.SELL,
        filled=D(0),
        exchange_ms=1694153250532,
        text="live",
    )
    partly = replace(
        market_sell,
        status=OrderStatus.PARTIAL,
        filled=D("0.00038128"),
        average_price=D("26228.1"),
        exchange_ms=1694153250535,
        text="partially_filled",
    )
    assert told == [
        [
            OrderUpdate(
                symbol="ETH-USDT",
                exchange_order_id="370257534141235201",
                client_order_id="e847386590ce4dBC330547db94a08ba0",
                status=OrderStatus.OPEN,
                side=Side.SELL,
                filled=D(0),
                amount=D("0.007526"),
                price=D(60000),
                exchange_ms=1634548275191,
                text="live",
            )
        ],
        executed(
            "BTC-USDT", "452197707845865472", "HamsterParty14", "242589207", Side.SELL, "31527.1", "0.001",
            fee="0.02522168", maker=True, ms=(1654084353263, 1654084353264),
        ),
        [market_sell],
        [
            Fill(
                symbol="BTC-USDT",
                exchange_order_id="620258920632008725",
                client_order_id=None,
                trade_id="435550732",
                side=Side.SELL,
                price=D("26228.1"),
                amount=D("0.00038128"),
                fee=D("0.010000249968"),
                fee_asset="USDT",
                is_maker=False,
                exchange_ms=1694153250535,
            ),
            partly,
        ],
        [replace(partly, status=OrderStatus.FILLED, text="filled")],
        executed(
            "BTC-USDT-SWAP", "2497956918703120384", "001BTCUSDT20250106001", "1518905529", Side.BUY, "103698.9", "0.03",
            fee=None, maker=True, ms=(1746947317402, 1746947317402), limit=False,
        ),
        executed(
            "BTC-USDT", "2497956918703120385", "FOK-TEST-001", "1518905530", Side.BUY, "50000.0", "0.05",
            fee=None, maker=False, ms=(1746947317402, 1746947317402),
        ),
        executed(
            "BTC-USDT", "3967288020668928000", "fm000500000025", "1413632420", Side.SELL, "84019.4", "0.00002",
            fee="0.001680388", maker=True, ms=(1790736801442, 1790736801442),
        ),
    ]  # fmt: skip


def executed(
    symbol: str, theirs: str, ours: str, trade_id: str, side: Side, price: str, amount: str, *,
    fee: str | None, maker: bool, ms: tuple[int, int], limit: bool = True,
) -> list[Any]:  # fmt: skip
    """An order that one execution filled."""
    names = {"symbol": symbol, "exchange_order_id": theirs, "client_order_id": ours}
    first: Any = LookUp(**names)
    if fee is not None:
        first = Fill(
            **names,
            trade_id=trade_id,
            side=side,
            price=D(price),
            amount=D(amount),
            fee=D(fee),
            fee_asset="USDT",
            is_maker=maker,
            exchange_ms=ms[0],
        )
    update = OrderUpdate(
        **names,
        status=OrderStatus.FILLED,
        side=side,
        filled=D(amount),
        amount=D(amount),
        price=D(price) if limit else None,
        average_price=D(price),
        exchange_ms=ms[1],
        text="filled",
    )
    return [first, update]


@pytest.mark.captures
def test_every_recorded_account_push(captures: Path) -> None:
    account, positions, *others = recorded(captures, "private_account_positions.jsonl")
    rows = [
        Balance(asset=asset, free=D(amount), total=D(amount))
        for asset, amount in (("USDT", "100.52768569797846"), ("BTC", "0.0000000051"), ("ETH", "0.000000185"))
    ]
    assert private(account) == [Balances(rows=rows, whole=False, exchange_ms=1751531646836)]
    assert private(positions, FUTURES) == [
        Positions(
            rows=[
                Position(
                    symbol="XRP-USDT-SWAP",
                    side=PositionSide.NET,
                    amount=D(1),
                    entry_price=D("0.52668"),
                    unrealised=D("0.0240000000000018"),
                    leverage=D(3),
                    margin_mode=MarginMode.CROSS,
                    liquidation_price=D("0.3287514731020614"),
                )
            ],
            whole=False,
        )
    ]
    assert [private(frame) for frame in others] == [[Ignored()], [Ignored()]]  # channels that are not subscribed


@pytest.mark.captures
def test_every_recorded_answer(captures: Path) -> None:
    told = [Answer(status=200, body=line) for line in lines(captures, "okx", "rest_trading_account.jsonl")]
    assert OKX.parse_placed(order(client_order_id="oktswap6"), told[0]) == Placed(
        exchange_order_id="312269865356374016", client_order_id="oktswap6", status=OrderStatus.OPEN
    )
    refusals = [(errors.InsufficientFunds, "51119"), (errors.UnknownSymbol, "51155"), (OutcomeUnknown, "58001")]
    for (kind, code), refused in zip(refusals, told[1:4], strict=True):
        with pytest.raises(kind) as caught:
            OKX.parse_placed(order(), refused)
        assert (caught.type, caught.value.code) == (kind, code)
    asked = OrderRef(instrument=SWAP, client_order_id="client-order-1")
    resting = OrderUpdate(
        symbol="BTC-USDT-SWAP",
        exchange_order_id="1234567890123456789",
        client_order_id="client-order-1",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=D(0),
        amount=D("0.10"),
        price=D(103500),
        exchange_ms=1746947317000,
        text="live",
    )
    assert OKX.parse_order(asked, told[4]) == resting
    assert OKX.parse_balances(SPOT, told[5]) == [
        Balance(asset="USDT", free=D("94.42612990333333"), total=D("94.42612990333333"))
    ]
    assert OKX.parse_balances(FUTURES, told[5]) == [
        Balance(asset="USDT", free=D("94.42612990333333"), total=D("99.89469657000001"))
    ]
    assert OKX.parse_positions(told[6]).rows == [
        Position(
            symbol="BTC-USDT-SWAP",
            side=PositionSide.LONG,
            amount=D("0.5"),
            entry_price=D(10000),
            unrealised=D(0),
            leverage=D("10.0"),
            margin_mode=MarginMode.ISOLATED,
            liquidation_price=D(9000),
        )
    ]
    assert OKX.parse_order(asked, told[8]) == replace(
        resting,
        exchange_order_id="2497956918703120384",
        client_order_id=None,
        status=OrderStatus.FILLED,
        filled=D("0.03"),
        amount=D("0.03"),
        price=None,
        average_price=D("103698.9"),
        exchange_ms=1746947317402,
        text="filled",
    )
    assert OKX.parse_own_trades(BTC, told[9]).rows == [
        Fill(
            symbol="BTC-USDT",
            exchange_order_id="987654321",
            client_order_id="client_123",
            trade_id="123456789",
            side=Side.BUY,
            price=D("42000.5"),
            amount=D("0.001"),
            fee=D("-0.042"),  # the sample's sign is wrong: as it stands it is a rebate
            fee_asset="USDT",
            is_maker=False,
            exchange_ms=1625097600000,
        )
    ]


@pytest.mark.captures
def test_every_recorded_event(captures: Path) -> None:
    """But the first five: they are of the public socket."""
    kinds = [type(private(line)[0]) for line in lines(captures, "okx", "frames_events.jsonl")]
    assert kinds[5:] == [
        LoggedIn, LoginRefused, LoginRefused, Subscribed, Subscribed, Subscribed, Subscribed, Closing, Ignored,
        Subscribed, Ignored, Ignored, Pong,
    ]  # fmt: skip
