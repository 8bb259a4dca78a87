"""KuCoin's trading half, of classic and unified accounts: requests, answers and refusals, private frames."""

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
from apps.feeds.drivers.base import Closing, Ignored, Pong, Request, Welcome
from apps.feeds.drivers.kucoin import signing
from apps.feeds.drivers.trading import (
    Answer,
    ExpiryCheck,
    IdForm,
    LoggedIn,
    LoginRefused,
    Page,
    Placed,
    Subscribed,
    Token,
    TokenExpired,
)
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
from apps.feeds.tests import good_account_frames_kucoin as good
from apps.feeds.tests.captures import lines
from apps.feeds.tests.trader_requests import answer, body, path, query, target

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
KUCOIN = registry.trader("kucoin")
CLASSIC = Credentials(key="the-key", secret="kucoinSecret01", passphrase="passphrase01")
UNIFIED = replace(CLASSIC, account="unified")
NOW = 1767323045678
BTC, XBT = good.BTC, good.XBT
D = Decimal
MS = good.MS


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


def private(frame: Any, market_type: MarketType = SPOT) -> list[Any]:
    wire = frame if isinstance(frame, str | bytes) else json.dumps(frame)
    return KUCOIN.parse_private(CLASSIC, market_type, wire, 7)


def hashed(text: str) -> str:
    return base64.b64encode(hmac.new(b"kucoinSecret01", text.encode(), hashlib.sha256).digest()).decode()


REF = OrderRef(instrument=BTC, client_order_id="ct0001", exchange_order_id="4611")
XBT_REF = OrderRef(instrument=XBT, client_order_id="ct0001", exchange_order_id="4611")


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
            KUCOIN.cancel_all(keys, instrument, NOW),
            KUCOIN.query(keys, ref, NOW),
            KUCOIN.open_orders(keys, instrument.market_type, instrument, NOW),
            KUCOIN.own_trades(keys, instrument, NOW - 1000, NOW),
            KUCOIN.order_trades(keys, ref, NOW),
            KUCOIN.balances(keys, instrument.market_type, NOW),
            KUCOIN.fees(keys, instrument, NOW),
        ]
        if token := KUCOIN.token_request(keys, instrument.market_type, NOW):
            requests.append(token)
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
    hedged = body(KUCOIN.place(CLASSIC, order(XBT, position_side=PositionSide.SHORT), NOW))
    assert hedged["positionSide"] == "SHORT"


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


def test_a_unified_account_has_no_hedge_mode() -> None:
    with pytest.raises(InvalidOrder):
        KUCOIN.place(UNIFIED, order(XBT, position_side=PositionSide.LONG), NOW)


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
        ("POST /api/ua/v2/unified/order/cancel-all", {}, '{"tradeType":"SPOT","symbol":"BTC-USDT"}'),
    ]
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


def test_an_accepted_order_is_open() -> None:
    placed = Placed(exchange_order_id="4611", client_order_id="ct0001", status=OrderStatus.OPEN)
    told = good.told({"orderId": "4611", "clientOid": "ct0001"})
    assert KUCOIN.parse_placed(order(), answer(told)) == placed
    nameless = good.told({"orderId": "4611", "tradeType": "SPOT", "ts": good.NS, "clientOid": None})
    assert KUCOIN.parse_placed(order(), answer(nameless)) == replace(placed, client_order_id=None)
    with pytest.raises(OutcomeUnknown):
        KUCOIN.parse_placed(order(), answer(good.told({"orderId": "4611", "clientOid": "ct0002"})))


SHEET = [
    ("429000", "", errors.RateLimited),
    ("200002", "", errors.RateLimited),
    ("400001", "", errors.BadCredentials),
    ("400002", "", errors.ClockSkew),
    ("400003", "", errors.BadCredentials),
    ("400004", "", errors.BadCredentials),
    ("400005", "", errors.BadCredentials),
    ("400006", "", errors.BadCredentials),
    ("400007", "", errors.NotPermitted),
    ("411100", "", errors.NotPermitted),
    ("400100", "balance insufficient", errors.InsufficientFunds),
    ("400100", "order_not_exist_or_not_allow_to_cancel", errors.UnknownOrder),
    ("400100", "Order size increment invalid.", errors.InvalidOrder),
    ("400100", "The quantity is below the minimum requirement.", errors.InvalidOrder),
    ("400100", "Unsupported trading pair.", errors.UnknownSymbol),
    ("400100", "clientOid parameter is duplicated", errors.DuplicateOrder),
    ("400100", "no idea", errors.Refused),
    ("300000", "Size must be a multiple of lotSize", errors.InvalidOrder),
    ("300000", "for reasons", errors.Refused),
    ("200004", "", errors.InsufficientFunds),
    ("230003", "", errors.InsufficientFunds),
    ("300003", "", errors.InsufficientFunds),
    ("400600", "", errors.UnknownSymbol),
    ("900001", "", errors.UnknownSymbol),
    ("600100", "", errors.InvalidOrder),
    ("600101", "", errors.InvalidOrder),
    ("100001", "", errors.UnknownOrder),
    ("100004", "", errors.OrderIsFinal),
    ("126033", "", errors.DuplicateOrder),
    ("126044", "", errors.DuplicateOrder),
    ("330005", "", errors.NotPermitted),
    ("330008", "", errors.InsufficientFunds),
    ("330012", "", errors.NotPermitted),
    ("415000", "", errors.Refused),
    ("101030", "", errors.NotPermitted),
    ("112010", "", errors.NotPermitted),
    ("500000", "", errors.OutcomeUnknown),
    ("999999", "", errors.OutcomeUnknown),  # of an order's fate an unknown code proves nothing
]


@pytest.mark.parametrize(("code", "text", "kind"), SHEET)
def test_each_code_of_an_order_is_an_error_of_its_own_class(code: str, text: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=code) as caught:
        KUCOIN.parse_placed(order(), answer(good.refused(code, text), status=400))
    assert caught.type is kind
    with pytest.raises(kind):
        KUCOIN.parse_cancelled(REF, answer(good.refused(code, text)))


@pytest.mark.parametrize(
    ("code", "kind"), [("999999", Refused), ("500000", Retryable), ("100001", errors.UnknownOrder)]
)
def test_a_read_is_refused_or_may_be_sent_again(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        KUCOIN.parse_order(REF, answer(good.refused(code)))
    assert caught.type is kind


def test_too_many_requests_wait_for_the_told_reset() -> None:
    busy = good.refused("429000", "Too Many Requests")
    with pytest.raises(RateLimited) as told:
        KUCOIN.parse_placed(order(), answer(busy, status=429, gw_ratelimit_reset="14000"))
    with pytest.raises(RateLimited) as untold:
        KUCOIN.parse_placed(order(), answer(busy))
    assert (told.value.after_s, untold.value.after_s) == (14.0, 3.0)
    with pytest.raises(errors.Banned) as banned:
        KUCOIN.parse_placed(order(), Answer(status=403, body=b"error code: 1015"))
    assert banned.value.after_s == 30.0


def test_a_gateways_error_leaves_the_outcome_open() -> None:
    page = Answer(status=502, body=b"<html>bad gateway</html>")
    with pytest.raises(OutcomeUnknown):
        KUCOIN.parse_placed(order(), page)
    with pytest.raises(Retryable):
        KUCOIN.parse_balances(SPOT, page)
    with pytest.raises(OutcomeUnknown):
        KUCOIN.parse_placed(order(), Answer(status=200, body=b'{"code":"200000","data":null}'))


def test_a_cancel_that_cancelled_nothing_found_no_order() -> None:
    assert KUCOIN.parse_cancelled(XBT_REF, answer(good.told({"cancelledOrderIds": ["4611"]}))) is None
    with pytest.raises(errors.UnknownOrder):
        KUCOIN.parse_cancelled(XBT_REF, answer(good.told({"cancelledOrderIds": []})))


def test_an_order_that_is_not_there_is_unknown() -> None:
    with pytest.raises(errors.UnknownOrder):
        KUCOIN.parse_order(REF, answer(good.told(None)))


UPDATE = OrderUpdate(
    symbol="BTC-USDT",
    exchange_order_id="4611",
    client_order_id=good.CLIENT_ORDER_ID,
    status=OrderStatus.PARTIAL,
    side=Side.BUY,
    filled=D("0.001"),
    amount=D("0.003"),
    price=D("30000.5"),
    average_price=D(30000),
    exchange_ms=MS,
    text="active",
)


def test_an_order_of_each_generation() -> None:
    futures = replace(UPDATE, symbol="XBTUSDTM", side=Side.SELL, filled=D(1), amount=D(3))
    assert KUCOIN.parse_order(REF, answer(good.told(good.SPOT_ORDER))) == UPDATE
    assert KUCOIN.parse_order(XBT_REF, answer(good.told(good.FUTURES_ORDER))) == futures
    assert KUCOIN.parse_order(REF, answer(good.told(good.UNIFIED_ORDER))) == replace(UPDATE, text="4")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"dealSize": "0", "dealFunds": "0"}, OrderStatus.OPEN),
        ({}, OrderStatus.PARTIAL),
        ({"active": False}, OrderStatus.FILLED),
        ({"active": False, "cancelExist": True}, OrderStatus.CANCELLED),
    ],
)
def test_the_state_of_a_classic_order_is_made_of_several_fields(changes: dict[str, Any], status: OrderStatus) -> None:
    assert KUCOIN.parse_order(REF, answer(good.told(good.SPOT_ORDER | changes))).status is status


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (0, OrderStatus.PENDING),
        (1, OrderStatus.PENDING),
        (2, OrderStatus.OPEN),
        (3, OrderStatus.FILLED),
        (4, OrderStatus.PARTIAL),
        (5, OrderStatus.CANCELLED),
        (6, OrderStatus.CANCELLED),
    ],
)
def test_the_states_of_a_unified_order(number: int, status: OrderStatus) -> None:
    assert KUCOIN.parse_order(REF, answer(good.told(good.UNIFIED_ORDER | {"status": number}))).status is status
    [pushed] = private(good.unified("orderAll.UNIFIED", good.UNIFIED_EVENT | {"os": number}))
    assert pushed.status is status


def test_an_order_of_another_symbol_or_state_is_malformed() -> None:
    for row in (good.SPOT_ORDER | {"symbol": "ETH-USDT"}, good.UNIFIED_ORDER | {"status": 9}):
        with pytest.raises(MalformedFrame):
            KUCOIN.parse_order(REF, answer(good.told(row)))


FILL = Fill(
    symbol="BTC-USDT",
    exchange_order_id="4611",
    client_order_id=None,
    trade_id="77",
    side=Side.BUY,
    price=D(30000),
    amount=D("0.001"),
    fee=D("0.03"),
    fee_asset="USDT",
    is_maker=True,
    exchange_ms=MS,
)


def test_executions_of_each_generation() -> None:
    spot = answer(good.told({"items": [good.SPOT_FILL], "lastId": 5}))
    assert KUCOIN.parse_own_trades(BTC, spot) == Page(rows=[FILL], cursor=None)
    full = answer(good.told({"items": [good.SPOT_FILL] * 100, "lastId": 5}))
    assert KUCOIN.parse_own_trades(BTC, full).cursor == "5"
    unified = answer(good.told({"items": [good.UNIFIED_FILL], "lastId": 5}))
    assert KUCOIN.parse_own_trades(BTC, unified).rows == [FILL]
    rebate = replace(FILL, symbol="XBTUSDTM", amount=D(1), fee=D("-0.03"), is_maker=False)
    assert KUCOIN.parse_own_trades(XBT, answer(good.told([good.FUTURES_FILL]))).rows == [rebate]
    with pytest.raises(MalformedFrame):
        KUCOIN.parse_own_trades(XBT, spot)


def test_balances_of_each_generation() -> None:
    whole = Balance(asset="USDT", free=D(90), total=D("100.5"))
    assert KUCOIN.parse_balances(FUTURES, answer(good.told(good.OVERVIEW))) == [whole]
    assert KUCOIN.parse_balances(SPOT, answer(good.told(good.UNIFIED_WALLET))) == [whole]
    rows = [{"currency": "USDT", "type": kind, "balance": "100.5", "available": "90"} for kind in ("main", "trade")]
    assert KUCOIN.parse_balances(SPOT, answer(good.told(rows))) == [whole]


POSITION = Position(
    symbol="XBTUSDTM",
    side=PositionSide.NET,
    amount=D(-2),
    entry_price=D("30000.5"),
    unrealised=D("-0.5"),
    leverage=D(5),
    margin_mode=MarginMode.ISOLATED,
    liquidation_price=D(40000),
)


def test_positions_of_each_generation() -> None:
    unified = replace(POSITION, margin_mode=MarginMode.CROSS, liquidation_price=None)
    page = KUCOIN.parse_positions(answer(good.told([good.HELD, good.UNIFIED_POSITION])))
    assert page == Page(rows=[POSITION, unified], cursor=None)
    short = KUCOIN.parse_positions(answer(good.told([good.HELD | {"positionSide": "SHORT", "currentQty": 2}]))).rows[0]
    assert (short.side, short.amount) == (PositionSide.SHORT, D(-2))


def test_fees_funding_time_and_permissions() -> None:
    for told in (good.RATE, [good.RATE], {"tradeType": "FUTURES", "list": [good.RATE]}):
        assert KUCOIN.parse_fees(XBT, answer(good.told(told))) == Fees(maker=D("0.0002"), taker=D("0.0006"))
    paid = FundingPayment(
        payment_id="5", symbol="XBTUSDTM", asset="USDT", amount=D("-0.036"), exchange_ms=MS, rate=D("0.0001")
    )
    more = answer(good.told({"dataList": [good.PAYMENT], "hasMore": True}))
    assert KUCOIN.parse_funding(XBT, more) == Page(rows=[paid], cursor="5")
    unified = answer(good.told({"items": [good.UNIFIED_PAYMENT], "lastId": 9}))
    received = replace(paid, payment_id=f"XBTUSDTM-{MS}", amount=D("0.036"))
    assert KUCOIN.parse_funding(XBT, unified) == Page(rows=[received], cursor=None)
    assert KUCOIN.parse_server_time(SPOT, answer(good.told(MS))) == MS
    withdrawing = good.KEY | {"permission": "General, Unified, Withdrawal", "ipWhitelist": ""}
    assert KUCOIN.parse_permissions(answer(good.told(withdrawing))) == Permissions(
        read=True, trade_spot=True, trade_futures=True, withdraw=True, ip_bound=False
    )
    assert KUCOIN.parse_permissions(answer(good.told(good.KEY | {"permission": "General,Spot"}))) == Permissions(
        read=True, trade_spot=True, trade_futures=False, withdraw=False, ip_bound=True
    )


PUSHED = replace(UPDATE, status=OrderStatus.OPEN, filled=D(0), average_price=None, text="open open")


def spot_push(**changes: Any) -> list[Any]:
    return private(good.push("/spotMarket/tradeOrdersV2", "orderChange", good.SPOT_EVENT | changes))


def test_a_classic_execution_is_looked_up_for_its_fee() -> None:
    look_up = LookUp(symbol="BTC-USDT", exchange_order_id="4611", client_order_id=good.CLIENT_ORDER_ID)
    partly = replace(PUSHED, status=OrderStatus.PARTIAL, filled=D("0.001"), text="match match")
    assert spot_push(**good.MATCH) == [look_up, partly]
    assert spot_push(**good.MATCH | {"matchSize": ""}) == [partly]


@pytest.mark.parametrize(
    ("event", "state", "changes", "status"),
    [
        ("received", "new", {}, OrderStatus.PENDING),
        ("open", "open", {}, OrderStatus.OPEN),
        ("match", "open", {"filledSize": "0.001"}, OrderStatus.PARTIAL),
        ("match", "match", {"filledSize": "0.003", "remainSize": "0"}, OrderStatus.FILLED),
        (
            "match",
            "match",
            {"originSize": "", "size": "", "remainSize": "0", "filledSize": "0.001"},
            OrderStatus.PARTIAL,
        ),
        ("update", "open", {}, OrderStatus.OPEN),
        ("update", "open", {"filledSize": "0.001"}, OrderStatus.PARTIAL),
        ("filled", "done", {"filledSize": "0.003"}, OrderStatus.FILLED),
        ("canceled", "done", {"filledSize": "0.001"}, OrderStatus.CANCELLED),
    ],
)
def test_a_classic_status_is_made_of_event_and_state(
    event: str, state: str, changes: dict[str, Any], status: OrderStatus
) -> None:
    [told] = spot_push(type=event, status=state, **changes)
    assert (told.status, told.text) == (status, f"{event} {state}")


def test_only_the_wallet_that_trades_is_told() -> None:
    told = Balances(rows=[Balance(asset="USDT", free=D(90), total=D("100.5"))], whole=False, exchange_ms=MS)
    assert private(good.push("/account/balance", "account.balance", good.SPOT_BALANCE)) == [told]
    main = good.SPOT_BALANCE | {"relationEvent": "main.deposit"}
    assert private(good.push("/account/balance", "account.balance", main)) == [Ignored()]
    wallet = good.push("/contractAccount/wallet", "walletBalance.change", good.WALLET)
    assert private(wallet, FUTURES) == [told]


def test_a_position_without_its_size_is_a_move_of_the_mark_price() -> None:
    topic = "/contract/position:XBTUSDTM"
    assert private(good.push("/contract/positionAll", "position.change", good.HELD), FUTURES) == [
        Positions(rows=[POSITION], whole=False)
    ]
    assert private(good.push(topic, "position.change", {"markPrice": 1}), FUTURES) == [Ignored()]
    [named] = private(good.push(topic, "position.change", {"currentQty": 1}), FUTURES)
    assert named.rows[0].symbol == "XBTUSDTM"


def test_unified_pushes_are_split_by_market() -> None:
    event = good.unified("orderAll.UNIFIED", good.UNIFIED_EVENT)
    assert private(event) == [replace(UPDATE, text="MATCH")]
    assert private(event, FUTURES) == [Ignored()]
    assert private(good.unified("execution.UNIFIED", good.EXECUTION)) == [FILL_TAKER]
    lite = {name: value for name, value in good.EXECUTION.items() if name not in ("f", "fC")}
    assert private(good.unified("execution.lite.UNIFIED", lite)) == [
        LookUp(symbol="BTC-USDT", exchange_order_id="4611", client_order_id=None)
    ]
    held = private(json.dumps(good.unified("positionAll.UNIFIED", good.UNIFIED_HELD)).encode(), FUTURES)
    assert held == [Positions(rows=[replace(POSITION, leverage=None, margin_mode=None)], whole=False)]


FILL_TAKER = replace(FILL, is_maker=False)


def test_the_sockets_answer_their_commands() -> None:
    assert [private(frame) for frame in good.EVENTS] == [
        [Welcome()],
        [Welcome()],
        [Subscribed(channel="orders")],
        [Subscribed(channel="orders", ok=False, code="404", text="topic does not exist")],
        [TokenExpired()],
        [Closing("509: exceed max permits per 10 seconds")],
        [Pong()],
        [Subscribed(channel="orders")],
        [Subscribed(channel="orders", ok=False, code="refused", text="invalid request data")],
        [LoggedIn()],
        [LoginRefused(code="refused", text="invalid sign")],
    ]


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[]",
        {},
        {"id": "1", "type": "farewell"},
        good.push("/nonsense", "x", {}),
        good.unified("nonsense.UNIFIED", {}),
        good.push("/spotMarket/tradeOrders", "orderChange", good.SPOT_EVENT | {"type": "eaten"}),
        good.push("/spotMarket/tradeOrders", "orderChange", good.SPOT_EVENT | {"filledSize": "NaN"}),
        good.push("/spotMarket/tradeOrders", "orderChange", good.SPOT_EVENT | {"filledSize": "-1"}),
        good.push("/account/balance", "account.balance", good.SPOT_BALANCE | {"total": [1]}),
        good.unified("execution.UNIFIED", good.EXECUTION | {"lR": "BOTH"}),
        good.unified("execution.UNIFIED", good.EXECUTION | {"q": "0"}),
        good.unified("execution.UNIFIED", good.EXECUTION | {"f": "9" * 1000}),
    ],
)
def test_what_kucoin_does_not_document_is_malformed(frame: Any) -> None:
    with pytest.raises(MalformedFrame):
        private(frame)


# Samples of the real exchange and of the libraries that speak to it.


def recorded(captures: Path, file: str) -> list[Any]:
    return [json.loads(line) for line in lines(captures, "kucoin", file)]


def event(
    symbol: str, theirs: str, ours: str | None, side: str, status: str, text: str, ms: int, **more: Any
) -> OrderUpdate:
    numbers = {name: D(value) if isinstance(value, str) else value for name, value in more.items()}
    return OrderUpdate(
        symbol=symbol,
        exchange_order_id=theirs,
        client_order_id=ours,
        status=OrderStatus(status),
        side=Side(side),
        exchange_ms=ms,
        text=text,
        **({"filled": D(0)} | numbers),
    )


def balances(asset: str, free: str, total: str, ms: int) -> list[Balances]:
    return [Balances(rows=[Balance(asset=asset, free=D(free), total=D(total))], whole=False, exchange_ms=ms)]


@pytest.mark.captures
def test_every_recorded_spot_push(captures: Path) -> None:
    told = [private(frame) for frame in recorded(captures, "spot_private_events.jsonl")]
    ours, theirs = "1593487481000313", "5efab07953bdea00089965fa"
    bought, buyer = "5efab07953bdea00089965d2", "1593487481000906"
    sold = {"price": "0.938", "amount": "0.1", "filled": "0.1"}
    resting = {"price": "0.937", "amount": "0.1"}
    assert told == [
        [event("BTC-USDT", "6720da3fa30a360007f5f832", "5c52e11203aa677f33e493fc", "buy", "PENDING", "received new",
               1730206271616, amount="0.00001")],
        [event("BTC-USDT", "6720ecd9ec71f4000747731a", "5c52e11203aa677f33e493fb", "buy", "OPEN", "open open",
               1730211033335, amount="0.00001", price="50000")],
        balances("USDT", "20.132773386762", "21.133773386762", 1730269283892),
        [event("KCS-USDT", bought, buyer, "buy", "OPEN", "open open", 1593487481683, **resting)],
        [
            LookUp(symbol="KCS-USDT", exchange_order_id=theirs, client_order_id=ours),
            event("KCS-USDT", theirs, ours, "sell", "FILLED", "match match", 1593487482038, **sold),
        ],
        [event("KCS-USDT", theirs, ours, "sell", "FILLED", "filled done", 1593487482038, **sold)],
        [event("KCS-USDT", bought, buyer, "buy", "CANCELLED", "canceled done", 1593487481893, **resting)],
        [event("KCS-USDT", "5efab13f53bdea00089971df", "1593487679000249", "buy", "OPEN", "update open", 1593487682916,
               price="0.937", amount="0.06")],
        balances("KCS", "88", "88", 1545743136994),
        balances("KCS", "88", "88", 1545743136994),
        [event("XCAD-USDT", "6249167327218b000135e749", "buy-XCAD-USDT-1648957043010159", "buy", "CANCELLED",
               "canceled done", 1648957054031, price="2.9635", amount="100.452")],
    ]  # fmt: skip


@pytest.mark.captures
def test_every_recorded_futures_push(captures: Path) -> None:
    told = [private(frame, FUTURES) for frame in recorded(captures, "futures_private_events.jsonl")]
    isolated = Position(
        symbol="XBTUSDTM",
        side=PositionSide.NET,
        amount=D(1),
        entry_price=D("91694.5"),
        unrealised=D("0.14529"),
        leverage=D("4.9685590767"),
        margin_mode=MarginMode.ISOLATED,
        liquidation_price=D("73853.0426625"),
    )
    older = Position(
        symbol="ETHUSDCM",
        side=PositionSide.NET,
        amount=D(-20),
        entry_price=D("7508.22"),
        unrealised=D("-0.00014735"),
        leverage=D("1.06"),
        liquidation_price=D(1000000),
    )
    theirs, ours = "416204113500479490", "9f7a2be0-effe-45bd-bdc8-1614715a583a"
    assert told == [
        [event("XBTUSDTM", "247899236673269761", None, "buy", "OPEN", "open open", 1731916985789, amount="1",
               price="91670")],
        [Positions(rows=[isolated], whole=False)],
        balances("USDT", "26.144281178", "81.072921258", 1731916996764),
        [Ignored()],  # the margin mode
        [Ignored()],  # a settlement: funding is asked for
        [Ignored()],  # a mark price
        [Positions(rows=[older], whole=False)],
        [Ignored()],  # parts of a wallet, of which no balance can be made
        [Ignored()],
        [
            LookUp(symbol="ETHUSDTM", exchange_order_id=theirs, client_order_id=ours),
            event("ETHUSDTM", theirs, ours, "buy", "FILLED", "match match", 1772043995362, amount="1", filled="1"),
        ],
        balances("USDT", "28.67180236", "49.40260236", 1772050541214),
    ]  # fmt: skip


@pytest.mark.captures
def test_every_recorded_unified_push(captures: Path) -> None:
    frames = recorded(captures, "uta_private_frames.jsonl")
    theirs = "6981b2a91c6fcb0007422784"
    assert [private(frame) for frame in frames] == [
        [event("BTC-USDT", theirs, "9a1840ed0b5746459ede8e6f222daf2d", "buy", "FILLED", "FILL", 1770107561263,
               amount="0.00001", filled="0.00001", average_price="78823.6")],
        [
            Fill(
                symbol="BTC-USDT",
                exchange_order_id=theirs,
                client_order_id=None,
                trade_id="21002796345212928",
                side=Side.BUY,
                price=D("78823.6"),
                amount=D("0.00001"),
                fee=D("0.000788236"),
                fee_asset="USDT",
                is_maker=False,
                exchange_ms=1770107561258,
            )
        ],
        [Ignored()],  # the futures wallet of an account that was not unified
        [Ignored()],  # an order of futures
        [LookUp(symbol="DOGE-USDT", exchange_order_id="428507829452754944", client_order_id=None)],
        balances("USDT", "89.9930439507", "100.0030439507", 1774982552505),
    ]  # fmt: skip
    assert private(frames[2], FUTURES) == balances("USDT", "12.94776376", "13.96916376", 1770113416495)
    cancelled = event(
        "DOGEUSDTM", "427737326394129559", None, "sell", "CANCELLED", "CANCEL USER", 1774794309608, amount="1"
    )
    assert private(frames[3], FUTURES) == [cancelled]


def responses(captures: Path, file: str) -> dict[str, list[Answer]]:
    """By the words after the method; `/api/ua/v1/x` is asked for twice for two products."""
    told: dict[str, list[Answer]] = {}
    for row in recorded(captures, file):
        told.setdefault(row["request"], []).append(answer(row["response"]))
    return told


def instrument(like: Instrument, symbol: str) -> Instrument:
    return replace(like, symbol=symbol)


@pytest.mark.captures
def test_every_recorded_answer_of_classic_spot(captures: Path) -> None:
    told = {request: answers[0] for request, answers in responses(captures, "rest_spot.jsonl").items()}
    ours = "5c52e11203aa677f33e493fb"
    assert KUCOIN.parse_server_time(SPOT, told["GET /api/v1/timestamp"]) == 1729100692873
    token = KUCOIN.parse_token(SPOT, told["POST /api/v1/bullet-private"])
    assert token == Token(
        value="TOKEN_PLACEHOLDER", url="wss://ws-api-spot.kucoin.com/?token=TOKEN_PLACEHOLDER&connectId=ct"
    )
    assert KUCOIN.parse_placed(order(client_order_id=ours), told["POST /api/v1/hf/orders"]) == Placed(
        exchange_order_id="670fd33bf9406e0007ab3945", client_order_id=ours, status=OrderStatus.OPEN
    )
    for request in ("DELETE /api/v1/hf/orders/{orderId}", "DELETE /api/v1/hf/orders/client-order/{clientOid}"):
        assert KUCOIN.parse_cancelled(REF, told[request]) is None
    assert KUCOIN.parse_cancelled_all(BTC, told["DELETE /api/v1/hf/orders"]) is None
    assert KUCOIN.parse_order(REF, told["GET /api/v1/hf/orders/client-order/{clientOid}"]) == event(
        "BTC-USDT", "6717422bd51c29000775ea03", ours, "buy", "FILLED", "done", 1729577515481,
        filled="0.00001", amount="0.00001", price="70000", average_price="67717.6",
    )  # fmt: skip
    assert KUCOIN.parse_open_orders(SPOT, told["GET /api/v1/hf/orders/active"]).rows == [
        event("BTC-USDT", "67120bbef094e200070976f6", ours, "buy", "OPEN", "active", 1729235909862,
              amount="0.00001", price="50000")
    ]  # fmt: skip
    assert KUCOIN.parse_own_trades(BTC, told["GET /api/v1/hf/fills"]).rows == [
        Fill(
            symbol="BTC-USDT",
            exchange_order_id="6717422bd51c29000775ea03",
            client_order_id=None,
            trade_id="11029373945659392",
            side=Side.BUY,
            price=D("67717.6"),
            amount=D("0.00001"),
            fee=D("0.000677176"),
            fee_asset="USDT",
            is_maker=False,
            exchange_ms=1729577515473,
        )
    ]
    assert KUCOIN.parse_balances(SPOT, told["GET /api/v1/accounts"]) == [
        Balance(asset="USDT", free=D("26.66759503"), total=D("26.66759503"))
    ]


@pytest.mark.captures
def test_every_recorded_answer_of_classic_futures(captures: Path) -> None:
    told = {request: answers[0] for request, answers in responses(captures, "rest_futures.jsonl").items()}
    ours = "5c52e11203aa677f33e493fb"
    assert KUCOIN.parse_placed(order(XBT, client_order_id=ours), told["POST /api/v1/orders"]) == Placed(
        exchange_order_id="234125150956625920", client_order_id=ours, status=OrderStatus.OPEN
    )
    for request in ("DELETE /api/v1/orders/{orderId}", "DELETE /api/v1/orders/client-order/{clientOid}"):
        assert KUCOIN.parse_cancelled(XBT_REF, told[request]) is None
    assert KUCOIN.parse_cancelled_all(XBT, told["DELETE /api/v3/orders"]) is None
    xrp = replace(XBT_REF, instrument=instrument(XBT, "XRPUSDTM"))
    assert KUCOIN.parse_order(xrp, told["GET /api/v1/orders/byClientOid"]) == event(
        "XRPUSDTM", "250444645610336256", ours, "buy", "OPEN", "active", 1732523858568, amount="1", price="0.1"
    )
    assert KUCOIN.parse_open_orders(FUTURES, told["GET /api/v1/orders"]) == Page(
        rows=[
            event("PEOPLEUSDTM", "230181737576050688", "5a80bd847f1811ef8a7faa665a37b3d7", "buy", "OPEN", "active",
                  1727692804813, amount="10", price="0.05")
        ],
        cursor=None,
    )  # fmt: skip
    first = Fill(
        symbol="XBTUSDTM",
        exchange_order_id="236317213710184449",
        client_order_id=None,
        trade_id="1784277229880",
        side=Side.BUY,
        price=D("67430.9"),
        amount=D(1),
        fee=D("0.04045854"),
        fee_asset="USDT",
        is_maker=False,
        exchange_ms=1729155616320,
    )
    second = replace(
        first,
        exchange_order_id="236317094436728832",
        trade_id="1784277132002",
        price=D(67445),
        fee=D("0.040467"),
        exchange_ms=1729155587944,
    )
    assert KUCOIN.parse_own_trades(XBT, told["GET /api/v1/recentFills"]).rows == [first, second]
    assert KUCOIN.parse_positions(told["GET /api/v1/positions"]).rows == [
        Position(
            symbol="ETHUSDM",
            side=PositionSide.NET,
            amount=D(1),
            entry_price=D("2457.12"),
            unrealised=D("-4.975e-07"),
            leverage=D(10),
            margin_mode=MarginMode.CROSS,
            liquidation_price=D("1429.96"),
        ),
        Position(
            symbol="XBTUSDTM",
            side=PositionSide.NET,
            amount=D(1),
            entry_price=D("67430.9"),
            unrealised=D("0.89216"),
            leverage=D("2.97"),
            margin_mode=MarginMode.ISOLATED,
            liquidation_price=D("45704.44"),
        ),
    ]
    assert KUCOIN.parse_balances(FUTURES, told["GET /api/v1/account-overview"]) == [
        Balance(asset="USDT", free=D("290.326799096"), total=D("374.286500806"))
    ]


@pytest.mark.captures
def test_every_recorded_answer_of_unified_accounts(captures: Path) -> None:
    told = {
        request.rpartition("/unified/")[2]: answers[0]
        for request, answers in responses(captures, "rest_uta.jsonl").items()
        if "/unified/" in request
    }
    assert KUCOIN.parse_placed(order(), told["order/place"]) == Placed(
        exchange_order_id="385543068587233280", client_order_id=None, status=OrderStatus.OPEN
    )
    assert KUCOIN.parse_cancelled(REF, told["order/cancel"]) is None
    assert KUCOIN.parse_cancelled_all(BTC, told["order/cancel-all"]) is None
    assert KUCOIN.parse_order(XBT_REF, told["order/detail"]) == event(
        "XBTUSDTM", "402665260420558848", "test20938451234982234374024", "buy", "FILLED", "3", 1768816081248,
        filled="1", amount="1", average_price="93026.2",
    )  # fmt: skip
    assert KUCOIN.parse_open_orders(FUTURES, told["order/open-list"]) == Page(
        rows=[
            event("XBTUSDTM", "402650101375365121", None, "buy", "OPEN", "2", 1768812467046, amount="10", price="30")
        ],
        cursor=None,
    )
    assert KUCOIN.parse_balances(SPOT, told["account/balance"]) == [
        Balance(asset="USDT", free=D("97.9936711985"), total=D("97.9936711985")),
        Balance(asset="BTC", free=D("0.0000216000"), total=D("0.0000216000")),
    ]
    assert KUCOIN.parse_positions(told["position/open-list"]).rows == [
        Position(
            symbol="XBTUSDTM",
            side=PositionSide.NET,
            amount=D(1),
            entry_price=D("90476.2"),
            unrealised=D("-0.00154"),
            leverage=D(48),
            margin_mode=MarginMode.CROSS,
        )
    ]


@pytest.mark.captures
def test_every_recorded_error(captures: Path) -> None:
    kinds = []
    for line in lines(captures, "kucoin", "rest_errors.jsonl"):
        with pytest.raises(errors.FeedError) as caught:
            KUCOIN.parse_placed(order(), Answer(status=200, body=line))
        kinds.append(caught.type)
    assert kinds == [
        errors.ClockSkew, errors.BadCredentials, errors.BadCredentials, errors.BadCredentials, RateLimited,
        errors.InsufficientFunds, errors.UnknownOrder, errors.UnknownOrder,
    ]  # fmt: skip
