"""What we ask of KuCoin, of both kinds of account: requests with their signatures, and what is not even asked."""

import base64
import hashlib
import hmac
import json

import pytest
from msgspec.structs import replace

from apps.feeds import errors
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.kucoin import signing
from apps.feeds.drivers.trading import (
    Answer,
    ExpiryCheck,
    IdForm,
    Page,
)
from apps.feeds.errors import InvalidOrder, MalformedFrame
from apps.feeds.market import Side
from apps.feeds.orders import (
    Credentials,
    MarginMode,
    NewOrder,
    OrderRef,
    PositionSide,
    TimeInForce,
)
from apps.feeds.tests import good_account_frames_kucoin as good
from apps.feeds.tests.kucoin_orders import (
    BTC,
    CLASSIC,
    FUTURES,
    KUCOIN,
    NOW,
    REF,
    SPOT,
    UNIFIED,
    XBT,
    XBT_REF,
    D,
    market,
    order,
)
from apps.feeds.tests.trader_requests import answer, body, path, query, target


def hashed(text: str) -> str:
    return base64.b64encode(hmac.new(b"kucoinSecret01", text.encode(), hashlib.sha256).digest()).decode()


def every_request(keys: Credentials) -> list[Request]:
    requests = [
        *KUCOIN.account_requests(keys, NOW),
        KUCOIN.positions(keys, NOW),
        KUCOIN.funding(keys, XBT, NOW - 1000, NOW),
        *KUCOIN.set_leverage(keys, XBT, 3, MarginMode.CROSS, NOW),
        KUCOIN.permissions(keys, NOW),
    ]
    for instrument, ref in ((BTC, REF), (XBT, XBT_REF)):
        requests += [
            KUCOIN.place(keys, order(instrument), NOW),
            KUCOIN.cancel(keys, ref, NOW),
            KUCOIN.query(keys, ref, NOW),
            KUCOIN.open_orders(keys, instrument.market_type, instrument, NOW),
            KUCOIN.own_trades(keys, instrument, NOW - 1000, NOW),
            KUCOIN.order_trades(keys, ref, NOW),
            KUCOIN.balances(keys, instrument.market_type, NOW),
            KUCOIN.fees(keys, instrument, NOW),
        ]
        sometimes = (
            KUCOIN.cancel_all(keys, instrument, NOW),
            KUCOIN.token_request(keys, instrument.market_type, NOW),
            KUCOIN.dead_man(keys, instrument.market_type, 60_000, NOW),
        )
        requests += [request for request in sometimes if request is not None]
    return requests


EVERY_REQUEST = every_request(CLASSIC) + every_request(UNIFIED)


@pytest.mark.parametrize(
    ("secret", "text", "signature"),
    [
        ("test_api_secret", "test_plain", "jie/gxS38wLFFaBwl/cAzFbAzlI8MIny96jSXrB+iP4="),
        ("kucoinSecret01", "passphrase01", "dKvcOrnOLDsDby4+BY5+k2YsKlsuAQhOvk2A7SjtbTg="),
        (
            "kucoinSecret01",
            (
                '1767323045678POST/api/v1/hf/orders{"clientOid":"ct-0001","side":"buy","symbol":"BTC-USDT",'
                '"type":"limit","price":"30000","size":"0.001"}'
            ),
            "wnSlkMl5nwjz29m3O5QrQRSF8NLPjbgby/+qO0zxCD4=",
        ),
        (
            "kucoinSecret01",
            "1767323045678GET/api/v1/hf/orders/client-order/ct-0001?symbol=BTC-USDT",
            "trJh5S1GNbMHPX4j88HHvtgY2AUSuJDdakzb1zRREMg=",
        ),
        (
            "kucoinSecret01",
            "1767323045678POST/api/websocket/users/verify",
            "uq6xUBz2Zr8jTdrGxF0CBRzRwqICjKdaXeT42pBSMKc=",
        ),
    ],
)
def test_the_published_signatures_are_reproduced(secret: str, text: str, signature: str) -> None:
    assert signing.signature(secret, text) == signature


@pytest.mark.parametrize("request_", EVERY_REQUEST, ids=path)
def test_every_request_is_signed_as_it_is_sent(request_: Request) -> None:
    assert request_.headers["KC-API-SIGN"] == hashed(f"{NOW}{request_.method}{target(request_)}{request_.body}")
    assert request_.headers["KC-API-PASSPHRASE"] == "dKvcOrnOLDsDby4+BY5+k2YsKlsuAQhOvk2A7SjtbTg="
    assert request_.headers["KC-API-TIMESTAMP"] == str(NOW)
    assert (request_.headers["KC-API-KEY"], request_.headers["KC-API-KEY-VERSION"]) == ("the-key", "2")
    assert request_.budget in KUCOIN.trade_limits(SPOT).budgets
    assert request_.weight > 0


@pytest.mark.parametrize("request_", EVERY_REQUEST, ids=path)
def test_no_secret_is_in_what_is_printed_of_a_request(request_: Request) -> None:
    for secret in (CLASSIC.secret, CLASSIC.passphrase, CLASSIC.key, request_.headers["KC-API-SIGN"]):
        assert secret not in repr(request_) + str(request_) + repr(CLASSIC) + request_.url + request_.body


def test_contracts_are_a_number_and_a_part_of_one_is_for_the_exchange_to_refuse() -> None:
    assert body(KUCOIN.place(CLASSIC, order(XBT, amount=D("0.003")), NOW))["size"] == 3
    outdated = replace(XBT, lot=D("0.1"))
    assert body(KUCOIN.place(CLASSIC, order(outdated, amount=D("0.0031")), NOW))["size"] == "3.1"


def test_the_account_is_asked_for_its_generation() -> None:
    [request] = KUCOIN.account_requests(CLASSIC, NOW)
    assert (path(request), request.budget) == ("GET /api/ua/v2/account/mode", "unified")
    for told, account in (("UNIFIED", "unified"), ("CLASSIC", "classic")):
        assert KUCOIN.parse_account([answer(good.told({"selfAccountMode": told, "classicSubAccount": []}))]) == account
    with pytest.raises(MalformedFrame):
        KUCOIN.parse_account([answer(good.told({"selfAccountMode": "NEW"}))])


def test_a_classic_spot_order_carries_its_expiry() -> None:
    request = KUCOIN.place(CLASSIC, order(tif=TimeInForce.POST_ONLY), NOW)
    assert (path(request), request.url[:22]) == ("POST /api/v1/hf/orders", "https://api.kucoin.com")
    assert body(request) == {
        "clientOid": "ct0001",
        "symbol": "BTC-USDT",
        "side": "buy",
        "type": "limit",
        "size": "0.003",
        "price": "30000",
        "timeInForce": "GTC",
        "postOnly": True,
        "stp": "CN",
        "clientTimestamp": NOW,
        "allowMaxTimeWindow": 2000,
    }
    assert (request.expires_ms, request.weight, request.budget) == (NOW + 2000, 1, "spot")
    late = KUCOIN.place(CLASSIC, order(expires_ms=NOW + 60_000), NOW)
    assert (late.expires_ms, body(late)["allowMaxTimeWindow"]) == (NOW + 5000, 5000)


def test_a_classic_market_buy_takes_coins_or_money() -> None:
    coins = body(KUCOIN.place(CLASSIC, market(), NOW))
    money = body(KUCOIN.place(CLASSIC, market(amount=None, quote_amount=D("10.50")), NOW))
    assert (coins["type"], coins["size"], "funds" in coins, "timeInForce" in coins) == ("market", "0.003", False, False)
    assert (money["funds"], "size" in money) == ("10.5", False)


def test_a_classic_futures_order_counts_contracts_and_carries_its_leverage() -> None:
    request = KUCOIN.place(CLASSIC, order(XBT, tif=TimeInForce.IOC), NOW)
    assert request.url == "https://api-futures.kucoin.com/api/v1/orders"
    assert body(request) == {
        "clientOid": "ct0001",
        "symbol": "XBTUSDTM",
        "side": "buy",
        "type": "limit",
        "size": 3,
        "price": "30000",
        "timeInForce": "IOC",
        "marginMode": "ISOLATED",
        "leverage": 1,
        "stp": "CN",
    }
    assert (request.expires_ms, request.weight, request.budget) == (None, 2, "futures")
    assert body(KUCOIN.place(CLASSIC, order(XBT, leverage=5), NOW))["leverage"] == 5
    cross = body(KUCOIN.place(CLASSIC, market(XBT, margin_mode=MarginMode.CROSS, reduce_only=True), NOW))
    assert (cross["marginMode"], cross["reduceOnly"], "leverage" in cross) == ("CROSS", True, False)


def test_a_unified_order_names_its_product_and_unit() -> None:
    request = KUCOIN.place(UNIFIED, order(), NOW)
    assert request.url == "https://api.kucoin.com/api/ua/v2/unified/order/place"
    assert body(request) == {
        "clientOid": "ct0001",
        "tradeType": "SPOT",
        "symbol": "BTC-USDT",
        "side": "BUY",
        "orderType": "LIMIT",
        "size": "0.003",
        "sizeUnit": "BASECCY",
        "price": "30000",
        "timeInForce": "GTC",
        "stp": "CN",
    }
    assert (request.expires_ms, request.weight, request.budget) == (None, 1, "unified")
    money = body(KUCOIN.place(UNIFIED, market(amount=None, quote_amount=D(10)), NOW))
    assert (money["size"], money["sizeUnit"]) == ("10", "QUOTECCY")
    futures = body(KUCOIN.place(UNIFIED, market(XBT, side=Side.SELL, reduce_only=True), NOW))
    assert futures == {
        "clientOid": "ct0001",
        "tradeType": "FUTURES",
        "symbol": "XBTUSDTM",
        "side": "SELL",
        "orderType": "MARKET",
        "size": "3",
        "sizeUnit": "UNIT",
        "marginMode": "ISOLATED",
        "reduceOnly": True,
        "stp": "CN",
    }


WRONG = [
    order(expires_ms=NOW),
    order(amount=D("0.0005")),
    order(amount=None),
    order(price=D("30000.05")),
    order(price=None),
    order(amount=None, quote_amount=D(10)),
    order(reduce_only=True),
    order(position_side=PositionSide.LONG),
    market(price=D(30000)),
    market(side=Side.SELL, amount=None, quote_amount=D(10)),
    market(XBT, amount=None, quote_amount=D(10)),
    order(XBT, amount=D("0.0015")),
]


@pytest.mark.parametrize("keys", [CLASSIC, UNIFIED], ids=["classic", "unified"])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_kucoin_would_refuse_is_not_sent(wrong: NewOrder, keys: Credentials) -> None:
    with pytest.raises(InvalidOrder):
        KUCOIN.place(keys, wrong, NOW)


@pytest.mark.parametrize("keys", [CLASSIC, UNIFIED], ids=["classic", "unified"])
def test_hedge_mode_names_the_position(keys: Credentials) -> None:
    hedged = body(KUCOIN.place(keys, order(XBT, position_side=PositionSide.SHORT), NOW))
    assert hedged["positionSide"] == "SHORT"


NAMED: list[tuple[Credentials, OrderRef, str, str, dict[str, str]]] = [
    (CLASSIC, REF, "DELETE /api/v1/hf/orders/client-order/ct0001", "GET /api/v1/hf/orders/client-order/ct0001",
     {"symbol": "BTC-USDT"}),
    (CLASSIC, replace(REF, client_order_id=None), "DELETE /api/v1/hf/orders/4611", "GET /api/v1/hf/orders/4611",
     {"symbol": "BTC-USDT"}),
    (CLASSIC, replace(XBT_REF, client_order_id=None), "DELETE /api/v1/orders/4611", "GET /api/v1/orders/4611", {}),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "ref", "cancelled", "asked", "params"), NAMED)
def test_an_order_is_named_by_our_id_else_by_theirs(
    keys: Credentials, ref: OrderRef, cancelled: str, asked: str, params: dict[str, str]
) -> None:
    for request, expected in ((KUCOIN.cancel(keys, ref, NOW), cancelled), (KUCOIN.query(keys, ref, NOW), asked)):
        assert (path(request), query(request), request.body) == (expected, params, "")


def test_classic_futures_are_asked_for_by_our_id_in_another_way() -> None:
    cancel, asked = KUCOIN.cancel(CLASSIC, XBT_REF, NOW), KUCOIN.query(CLASSIC, XBT_REF, NOW)
    assert (path(cancel), query(cancel)) == (
        "DELETE /api/v1/orders/client-order/ct0001",
        {"symbol": "XBTUSDTM"},
    )
    assert (path(asked), query(asked)) == ("GET /api/v1/orders/byClientOid", {"clientOid": "ct0001"})


def test_a_unified_cancel_names_everything_in_its_body() -> None:
    cancel, asked = KUCOIN.cancel(UNIFIED, XBT_REF, NOW), KUCOIN.query(UNIFIED, XBT_REF, NOW)
    named = {"tradeType": "FUTURES", "symbol": "XBTUSDTM", "clientOid": "ct0001"}
    assert (path(cancel), body(cancel)) == ("POST /api/ua/v2/unified/order/cancel", named)
    assert (path(asked), query(asked)) == ("GET /api/ua/v2/unified/order/detail", named)
    theirs = body(KUCOIN.cancel(UNIFIED, replace(REF, client_order_id=None), NOW))
    assert theirs == {"tradeType": "SPOT", "symbol": "BTC-USDT", "orderId": "4611"}


def test_all_orders_of_an_instrument_are_cancelled_at_once() -> None:
    told = [
        (path(request), query(request), request.body)
        for request in (
            KUCOIN.cancel_all(keys, one, NOW) for keys, one in ((CLASSIC, BTC), (CLASSIC, XBT), (UNIFIED, BTC))
        )
        if request is not None
    ]
    assert told == [
        ("DELETE /api/v1/hf/orders", {"symbol": "BTC-USDT"}, ""),
        ("DELETE /api/v3/orders", {"symbol": "XBTUSDTM"}, ""),
        (
            "POST /api/ua/v2/unified/order/cancel-all",
            {},
            '{"tradeType":"SPOT","symbol":"BTC-USDT","orderFilter":"NORMAL"}',
        ),
    ]
    assert KUCOIN.cancel_all(UNIFIED, XBT, NOW) is None
    assert KUCOIN.parse_cancelled_all(BTC, answer(good.told("success"))) is None


def test_open_orders_of_all_spot_symbols_are_asked_for_one_by_one() -> None:
    first = KUCOIN.open_orders(CLASSIC, SPOT, None, NOW)
    assert (path(first), query(first)) == ("GET /api/v1/hf/orders/active/symbols", {})
    page = KUCOIN.parse_open_orders(SPOT, answer(good.told({"symbols": ["BTC-USDT", "ETH-USDT"]}), url=first.url))
    assert page == Page(rows=[], cursor="BTC-USDT,ETH-USDT")
    second = KUCOIN.open_orders(CLASSIC, SPOT, None, NOW, page.cursor)
    assert target(second) == "/api/v1/hf/orders/active?symbol=BTC-USDT"
    assert KUCOIN.parse_open_orders(SPOT, answer(good.told([]), url=second.url)).cursor == "ETH-USDT"
    last = KUCOIN.open_orders(CLASSIC, SPOT, None, NOW, "ETH-USDT")
    assert (target(last), last.url[-8:]) == ("/api/v1/hf/orders/active?symbol=ETH-USDT", "ETH-USDT")
    assert KUCOIN.parse_open_orders(SPOT, answer(good.told([]), url=last.url)).cursor is None
    nothing = KUCOIN.parse_open_orders(SPOT, answer(good.told({"symbols": []}), url=first.url))
    assert nothing == Page(rows=[], cursor=None)


def test_open_orders_come_in_pages() -> None:
    classic = KUCOIN.open_orders(CLASSIC, FUTURES, None, NOW, "2")
    assert (path(classic), query(classic)) == (
        "GET /api/v1/orders",
        {"status": "active", "currentPage": "2", "pageSize": "100"},
    )
    unified = KUCOIN.open_orders(UNIFIED, SPOT, BTC, NOW, "3")
    assert (path(unified), query(unified)) == (
        "GET /api/ua/v2/unified/order/open-list",
        {"tradeType": "SPOT", "symbol": "BTC-USDT", "pageNumber": "3", "pageSize": "100"},
    )
    spot = KUCOIN.open_orders(CLASSIC, SPOT, BTC, NOW)
    assert target(spot) == "/api/v1/hf/orders/active?symbol=BTC-USDT"
    for pages, cursor in (({"currentPage": 1, "totalPage": 2}, "2"), ({"pageNumber": 2, "totalPage": 2}, None)):
        assert KUCOIN.parse_open_orders(FUTURES, answer(good.told(pages | {"items": []}))).cursor == cursor
    untold = {"pageNumber": 1, "items": [good.UNIFIED_ORDER] * 100}
    assert KUCOIN.parse_open_orders(SPOT, answer(good.told(untold))).cursor == "2"


def test_executions_are_asked_for_since_a_time_or_by_their_order() -> None:
    spot = KUCOIN.own_trades(CLASSIC, BTC, NOW - 1000, NOW, "5")
    assert target(spot) == f"/api/v1/hf/fills?symbol=BTC-USDT&startAt={NOW - 1000}&lastId=5&limit=100"
    futures = KUCOIN.own_trades(CLASSIC, XBT, NOW - 1000, NOW)
    assert target(futures) == f"/api/v1/fills?symbol=XBTUSDTM&startAt={NOW - 1000}&pageSize=100"
    unified = KUCOIN.own_trades(UNIFIED, BTC, 0, NOW)
    assert query(unified)["startAt"] == str(NOW - 7 * 86_400_000 + 60_000)
    asked = [target(KUCOIN.order_trades(*args, NOW)) for args in ((CLASSIC, REF), (CLASSIC, XBT_REF), (UNIFIED, REF))]
    assert asked == [
        "/api/v1/hf/fills?symbol=BTC-USDT&orderId=4611&limit=100",
        "/api/v1/fills?orderId=4611&pageSize=100",
        "/api/ua/v2/unified/order/execution?tradeType=SPOT&symbol=BTC-USDT&orderId=4611&pageSize=100",
    ]
    ours = KUCOIN.order_trades(CLASSIC, replace(REF, exchange_order_id=None), NOW)
    assert query(ours)["startAt"] == str(NOW - 600_000)


def test_requests_for_the_account() -> None:
    told = [
        (path(request), query(request), request.weight, request.budget)
        for request in (
            KUCOIN.balances(CLASSIC, SPOT, NOW),
            KUCOIN.balances(CLASSIC, FUTURES, NOW),
            KUCOIN.balances(UNIFIED, FUTURES, NOW),
            KUCOIN.positions(CLASSIC, NOW),
            KUCOIN.positions(UNIFIED, NOW),
            KUCOIN.fees(CLASSIC, BTC, NOW),
            KUCOIN.fees(CLASSIC, XBT, NOW),
            KUCOIN.fees(UNIFIED, XBT, NOW),
            KUCOIN.funding(CLASSIC, XBT, 9, NOW, "5"),
            KUCOIN.funding(UNIFIED, XBT, 9, NOW, "5"),
            KUCOIN.permissions(UNIFIED, NOW),
            KUCOIN.server_time(FUTURES),
        )
    ]
    product = {"tradeType": "FUTURES", "symbol": "XBTUSDTM"}
    since = {"symbol": "XBTUSDTM", "startAt": "9"}
    assert told == [
        ("GET /api/v1/accounts", {"type": "trade"}, 5, "management"),
        ("GET /api/v1/account-overview", {"currency": "USDT"}, 5, "futures"),
        ("GET /api/ua/v2/unified/account/balance", {}, 5, "unified"),
        ("GET /api/v1/positions", {}, 2, "futures"),
        ("GET /api/ua/v2/unified/position/open-list", {}, 3, "unified"),
        ("GET /api/v1/trade-fees", {"symbols": "BTC-USDT"}, 3, "spot"),
        ("GET /api/v1/trade-fees", {"symbol": "XBTUSDTM"}, 3, "futures"),
        ("GET /api/ua/v2/user/fee-rate", product, 3, "unified"),
        ("GET /api/v1/funding-history", since | {"offset": "5", "maxCount": "100"}, 5, "futures"),
        ("GET /api/ua/v2/position/funding-history", since | {"lastId": "5", "pageSize": "100"}, 15, "unified"),
        ("GET /api/v1/user/api-key", {}, 20, "management"),
        ("GET /api/v1/timestamp", {}, 2, ""),
    ]


def test_leverage_goes_with_the_margin_mode() -> None:
    moded, leveraged = KUCOIN.set_leverage(CLASSIC, XBT, 3, MarginMode.CROSS, NOW)
    assert (path(moded), body(moded)) == (
        "POST /api/v2/position/changeMarginMode",
        {"symbol": "XBTUSDTM", "marginMode": "CROSS"},
    )
    assert (path(leveraged), body(leveraged)) == (
        "POST /api/v2/changeCrossUserLeverage",
        {"symbol": "XBTUSDTM", "leverage": "3"},
    )
    [isolated] = KUCOIN.set_leverage(CLASSIC, XBT, 3, MarginMode.ISOLATED, NOW)
    assert body(isolated)["marginMode"] == "ISOLATED"
    [unified] = KUCOIN.set_leverage(UNIFIED, XBT, 3, MarginMode.CROSS, NOW)
    assert path(unified) == "POST /api/ua/v2/unified/account/modify-leverage"
    assert KUCOIN.parse_leverage_set(answer(good.told(True))) is None


def test_what_the_exchange_is_like() -> None:
    assert (KUCOIN.exchange_id, KUCOIN.id_form(SPOT)) == ("kucoin", IdForm.TEXT)
    assert [KUCOIN.expiry(one).check for one in (SPOT, FUTURES)] == [ExpiryCheck.GATEWAY, ExpiryCheck.NONE]
    assert KUCOIN.trade_limits(SPOT).greeted
    assert KUCOIN.private_heartbeat(SPOT).every_s == 18.0


def test_a_token_opens_one_classic_socket() -> None:
    request = KUCOIN.token_request(CLASSIC, FUTURES, NOW)
    assert request is not None
    assert (request.method, request.url, request.body) == (
        "POST",
        "https://api-futures.kucoin.com/api/v1/bullet-private",
        "",
    )
    token = KUCOIN.parse_token(SPOT, answer(good.told(good.BULLET)))
    assert "the-token" not in repr(token)
    assert token.value == "the-token=="
    address = "wss://ws-api-spot.kucoin.com/?token=the-token%3D%3D&connectId=ct"
    assert KUCOIN.private_endpoint(CLASSIC, SPOT, token) == address
    assert KUCOIN.login(CLASSIC, SPOT, NOW) == []
    assert KUCOIN.renew_request(CLASSIC, SPOT, token, NOW) is None
    with pytest.raises(MalformedFrame):
        KUCOIN.private_endpoint(CLASSIC, SPOT, None)
    with pytest.raises(errors.BadCredentials):
        KUCOIN.parse_token(SPOT, answer(good.refused("400003", "KC-API-KEY not exists"), status=401))


def test_a_unified_socket_logs_in_with_a_frame() -> None:
    assert KUCOIN.token_request(UNIFIED, SPOT, NOW) is None
    assert KUCOIN.private_endpoint(UNIFIED, SPOT, None) == "wss://wsapi-push.kucoin.com"
    [frame] = KUCOIN.login(UNIFIED, SPOT, NOW)
    assert json.loads(frame) == {
        "id": "login",
        "op": "auth",
        "kc-api-key": "the-key",
        "kc-api-sign": "uq6xUBz2Zr8jTdrGxF0CBRzRwqICjKdaXeT42pBSMKc=",
        "kc-api-timestamp": str(NOW),
        "kc-api-passphrase": "dKvcOrnOLDsDby4+BY5+k2YsKlsuAQhOvk2A7SjtbTg=",
    }


def test_subscriptions_are_named_after_their_channels() -> None:
    classic = {"type": "subscribe", "privateChannel": True, "response": True}
    assert [json.loads(frame) for frame in KUCOIN.subscribe_private(CLASSIC, FUTURES, NOW)] == [
        {"id": "orders", "topic": "/contractMarket/tradeOrders"} | classic,
        {"id": "balances", "topic": "/contractAccount/wallet"} | classic,
        {"id": "positions", "topic": "/contract/positionAll"} | classic,
    ]
    assert KUCOIN.private_channels(FUTURES) == ("orders", "balances", "positions")
    assert KUCOIN.private_channels(SPOT) == ("orders", "balances")
    assert [json.loads(frame) for frame in KUCOIN.subscribe_private(UNIFIED, SPOT, NOW)] == [
        {"id": "orders", "action": "SUBSCRIBE", "channel": "orderAll", "tradeType": "UNIFIED"},
        {"id": "fills", "action": "SUBSCRIBE", "channel": "execution", "tradeType": "UNIFIED"},
        {"id": "balances", "action": "SUBSCRIBE", "channel": "balance", "accountType": "UNIFIED"},
    ]


@pytest.mark.parametrize(("timer_ms", "timeout"), [(60_000, 60), (1_000, 5), (10**9, 86_400), (59_999, 59), (None, -1)])
def test_the_exchanges_own_timer_is_asked_for_in_seconds_within_its_bounds(timer_ms: int | None, timeout: int) -> None:
    request = KUCOIN.dead_man(CLASSIC, SPOT, timer_ms, NOW)
    assert request is not None
    assert (request.method, json.loads(request.body)) == ("POST", {"timeout": timeout})
    assert request.url.endswith("/api/v1/hf/orders/dead-cancel-all")


def test_only_classic_spot_accounts_have_a_timer() -> None:
    others = [(CLASSIC, FUTURES), (UNIFIED, SPOT), (UNIFIED, FUTURES)]
    assert [KUCOIN.dead_man(keys, market, 60_000, NOW) for keys, market in others] == [None] * 3
    assert [KUCOIN.dead_man_terms(keys, market) for keys, market in others] == [None] * 3


def test_the_timer_tells_when_it_is_due_or_that_it_is_off() -> None:
    def told(trigger_s: int) -> Answer:
        body = {"code": "200000", "data": {"currentTime": 1_729_656_588, "triggerTime": trigger_s}}
        return Answer(status=200, body=json.dumps(body).encode())

    assert KUCOIN.parse_dead_man(SPOT, 5_000, NOW, told(1_729_656_593)) == 1_729_656_593_000
    assert KUCOIN.parse_dead_man(SPOT, None, NOW, told(0)) is None
