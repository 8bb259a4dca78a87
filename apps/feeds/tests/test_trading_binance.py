"""Binance's trading half: what is sent, what answers and private frames mean."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Closing, Ignored
from apps.feeds.drivers.binance import signing
from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.trading import (
    Answer,
    ExpiryCheck,
    IdForm,
    LoginRefused,
    Page,
    Placed,
    Subscribed,
    Token,
    TokenExpired,
)
from apps.feeds.errors import (
    BadCredentials,
    Banned,
    ClockSkew,
    DuplicateOrder,
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
    WouldTake,
)
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
from apps.feeds.tests import good_account_frames as loaded
from apps.feeds.tests import good_account_frames_binance as good
from apps.feeds.tests.captures import lines

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
BINANCE = registry.trader("binance")
KEYS = Credentials(key="a-key", secret="a-secret")
NOW = 1_790_000_000_000
OURS = "ctt00000000a1abcde"


def instrument(market=SPOT, symbol="BTCUSDT"):
    return Instrument(
        exchange="binance",
        market_type=market,
        pair="BTC/USDT",
        symbol=symbol,
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick=Decimal("0.10"),
        lot=Decimal("0.001"),
    )


def order(market=SPOT, **changes):
    fields = {
        "instrument": instrument(market),
        "client_order_id": OURS,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "expires_ms": NOW + 2_000,
        "amount": Decimal("0.010"),
        "price": Decimal("30000.50"),
    }
    return NewOrder(**(fields | changes))


def ref(market=SPOT, ours=OURS, theirs=None, symbol="BTCUSDT"):
    return OrderRef(instrument=instrument(market, symbol), client_order_id=ours, exchange_order_id=theirs)


def answer(body, status=200, url="", **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status=status, body=content, headers=headers, url=url)


def sent(request):
    """Path and parameters of a request, whose signature is proven to be that of what stands before it."""
    parts = urlsplit(request.url)
    assert not (parts.query and request.body)
    text, _, signature = (request.body or parts.query).rpartition("&signature=")
    assert signature == signing.signature("a-secret", text)
    assert request.headers["X-MBX-APIKEY"] == "a-key"
    assert ("Content-Type" in request.headers) == bool(request.body)
    params = dict(parse_qsl(text, strict_parsing=True))
    assert (params.pop("timestamp"), int(params.pop("recvWindow"))) == (str(NOW), request.expires_ms - NOW)
    return f"{request.method} {parts.scheme}://{parts.netloc}{parts.path}", params


def placed(market, **changes):
    return sent(BINANCE.place(KEYS, order(market, **changes), NOW))


def private(market, frame):
    return BINANCE.parse_private(KEYS, market, frame if isinstance(frame, str) else json.dumps(frame), 7)


# signatures


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


# orders, as they are sent


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


# answers


FULL = {
    "symbol": "BTCUSDT",
    "orderId": 28,
    "orderListId": -1,
    "clientOrderId": OURS,
    "transactTime": 1507725176595,
    "price": "0.00000000",
    "origQty": "10.00000000",
    "executedQty": "10.00000000",
    "cummulativeQuoteQty": "39999.00000000",
    "status": "FILLED",
    "side": "BUY",
    "fills": [
        {"price": "4000", "qty": "9", "commission": "4.0", "commissionAsset": "BNB", "tradeId": 56},
        {"price": "3999", "qty": "1", "commission": "-0.5", "commissionAsset": "USDT", "tradeId": 57},
    ],
}


def fill(**changes):
    fields = {
        "symbol": "BTCUSDT",
        "exchange_order_id": "28",
        "client_order_id": OURS,
        "trade_id": "56",
        "side": Side.BUY,
        "price": Decimal(4000),
        "amount": Decimal(9),
        "fee": Decimal(4),
        "fee_asset": "BNB",
        "is_maker": False,
        "exchange_ms": 1507725176595,
    }
    return Fill(**(fields | changes))


def test_an_accepted_order_tells_its_state_and_the_fills_that_it_took():
    rebate = fill(trade_id="57", price=Decimal(3999), amount=Decimal(1), fee=Decimal("-0.5"), fee_asset="USDT")
    assert BINANCE.parse_placed(order(), answer(FULL)) == Placed(
        exchange_order_id="28", client_order_id=OURS, status=OrderStatus.FILLED, fills=(fill(), rebate)
    )


def test_the_short_answers_of_a_new_order_are_enough():
    ack = {"symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": OURS, "transactTime": 1}
    taken = Placed(exchange_order_id="28", client_order_id=OURS, status=OrderStatus.OPEN)
    assert BINANCE.parse_placed(order(), answer(ack)) == taken
    short = {"orderId": 28, "symbol": "BTCUSDT", "status": "NEW", "clientOrderId": OURS, "origQty": "0.01"}
    assert BINANCE.parse_placed(order(FUTURES), answer(short)) == taken
    expired = short | {"status": "EXPIRED", "executedQty": "0"}
    assert BINANCE.parse_placed(order(FUTURES), answer(expired)).status is OrderStatus.EXPIRED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        {**FULL, "clientOrderId": "another"},
        {**FULL, "symbol": "ETHUSDT"},
        {**FULL, "status": "WHAT"},
        {**FULL, "executedQty": "NaN"},
        {**FULL, "fills": [{**FULL["fills"][0], "qty": "-1"}]},
    ],
)
def test_an_answer_that_proves_nothing_leaves_the_order_unknown(body):
    with pytest.raises(OutcomeUnknown):
        BINANCE.parse_placed(order(), answer(body))


QUERIED = {
    "symbol": "BTCUSDT",
    "orderId": 1,
    "clientOrderId": OURS,
    "price": "30000.5",
    "origQty": "2.0",
    "executedQty": "0.5",
    "cummulativeQuoteQty": "15000.0",
    "status": "PARTIALLY_FILLED",
    "side": "SELL",
    "time": 10,
    "updateTime": 20,
}
PARTIAL = OrderUpdate(
    symbol="BTCUSDT",
    exchange_order_id="1",
    client_order_id=OURS,
    status=OrderStatus.PARTIAL,
    side=Side.SELL,
    filled=Decimal("0.5"),
    amount=Decimal(2),
    price=Decimal("30000.5"),
    average_price=Decimal(30000),
    exchange_ms=20,
    text="PARTIALLY_FILLED",
)


def test_an_order_that_was_asked_for():
    assert BINANCE.parse_order(ref(), answer(QUERIED)) == PARTIAL
    told = {key: value for key, value in QUERIED.items() if key != "cummulativeQuoteQty"} | {"avgPrice": "30000.00"}
    assert BINANCE.parse_order(ref(FUTURES, None, "1"), answer(told)) == PARTIAL
    for other in (ref(ours="another"), ref(ours=None, theirs="2"), ref(symbol="ETHUSDT")):
        with pytest.raises(MalformedFrame):
            BINANCE.parse_order(other, answer(QUERIED))


def test_old_orders_do_not_know_their_value():
    told = BINANCE.parse_order(ref(), answer(QUERIED | {"cummulativeQuoteQty": "-1.0", "executedQty": "0.5"}))
    assert told.average_price is None


def test_open_orders_come_in_one_answer():
    assert BINANCE.parse_open_orders(SPOT, answer([QUERIED])) == Page(rows=[PARTIAL])
    assert BINANCE.parse_open_orders(FUTURES, answer([])) == Page(rows=[])


@pytest.mark.parametrize(
    ("told", "filled", "status"),
    [
        ("NEW", "0", OrderStatus.OPEN),
        ("PENDING_NEW", "0", OrderStatus.PENDING),
        ("PARTIALLY_FILLED", "1", OrderStatus.PARTIAL),
        ("FILLED", "2", OrderStatus.FILLED),
        ("CANCELED", "1", OrderStatus.CANCELLED),
        ("PENDING_CANCEL", "0", OrderStatus.OPEN),
        ("REJECTED", "0", OrderStatus.REJECTED),
        ("EXPIRED", "1", OrderStatus.EXPIRED),
        ("EXPIRED_IN_MATCH", "0", OrderStatus.EXPIRED),
        ("NEW_ADL", "0", OrderStatus.OPEN),
        ("NEW_ADL", "1", OrderStatus.PARTIAL),
        ("NEW_INSURANCE", "2", OrderStatus.FILLED),
    ],
)
def test_every_status_has_its_word(told, filled, status):
    update = BINANCE.parse_order(ref(), answer(QUERIED | {"status": told, "executedQty": filled}))
    assert (update.status, update.filled, update.text) == (status, Decimal(filled), told)


def test_an_unknown_status_is_malformed():
    with pytest.raises(MalformedFrame):
        BINANCE.parse_order(ref(), answer(QUERIED | {"status": "new"}))


def trade(**changes):
    row = {
        "symbol": "BTCUSDT",
        "id": 56,
        "orderId": 28,
        "price": "4000",
        "qty": "9",
        "commission": "4.0",
        "commissionAsset": "BNB",
        "time": 1507725176595,
    }
    return row | changes


def test_own_trades_of_spot_and_futures():
    spot = answer([trade(isBuyer=True, isMaker=False)])
    assert BINANCE.parse_own_trades(instrument(), spot) == Page(rows=[fill(client_order_id=None)])
    futures = answer([trade(buyer=False, maker=True, side="SELL")])
    assert BINANCE.parse_own_trades(instrument(FUTURES), futures) == Page(
        rows=[fill(client_order_id=None, side=Side.SELL, is_maker=True)]
    )
    for wrong in (trade(), trade(isBuyer=True, symbol="ETHUSDT"), trade(isBuyer=True, qty="0")):
        with pytest.raises(MalformedFrame):
            BINANCE.parse_own_trades(instrument(), answer([wrong]))


def test_a_full_page_of_trades_goes_on_after_its_last_id():
    rows = [trade(id=number, isBuyer=True) for number in range(1000)]
    assert BINANCE.parse_own_trades(instrument(), answer(rows)).cursor == "1000"
    assert BINANCE.parse_own_trades(instrument(), answer(rows[1:])).cursor is None


def test_futures_trades_of_long_ago_are_asked_for_week_by_week():
    week = 7 * 86_400_000
    first = BINANCE.own_trades(KEYS, instrument(FUTURES), NOW - week - 5, NOW)
    cursor = BINANCE.parse_own_trades(instrument(FUTURES), answer([], url=first.url)).cursor
    assert cursor == f"@{NOW - 5}"
    second = BINANCE.own_trades(KEYS, instrument(FUTURES), NOW - week - 5, NOW, cursor)
    assert sent(second)[1]["startTime"] == str(NOW - 5)
    assert BINANCE.parse_own_trades(instrument(FUTURES), answer([], url=second.url)).cursor is None
    spot = BINANCE.own_trades(KEYS, instrument(), NOW - week - 5, NOW)
    assert BINANCE.parse_own_trades(instrument(), answer([], url=spot.url)).cursor is None


def test_balances_of_both_wallets():
    spot = {
        "commissionRates": {"maker": "0.0015", "taker": "0.0020", "buyer": "0", "seller": "0"},
        "balances": [{"asset": "BTC", "free": "1.5", "locked": "0.25"}],
    }
    assert BINANCE.parse_balances(SPOT, answer(spot)) == [
        Balance(asset="BTC", free=Decimal("1.5"), total=Decimal("1.75"))
    ]
    assert BINANCE.parse_fees(instrument(), answer(spot)) == Fees(maker=Decimal("0.0015"), taker=Decimal("0.0020"))
    futures = [{"asset": "USDT", "balance": "122.5", "availableBalance": "100.25", "crossUnPnl": "0"}]
    assert BINANCE.parse_balances(FUTURES, answer(futures)) == [
        Balance(asset="USDT", free=Decimal("100.25"), total=Decimal("122.5"))
    ]


def test_positions_without_those_that_are_closed():
    row = {
        "symbol": "BTCUSDT",
        "positionAmt": "-0.001",
        "positionSide": "BOTH",
        "entryPrice": "50000.0",
        "unRealizedProfit": "-1.5",
        "liquidationPrice": "0",
    }
    told = [row, row | {"positionAmt": "0.000", "symbol": "ETHUSDT"}]
    short = Position(
        symbol="BTCUSDT",
        side=PositionSide.NET,
        amount=Decimal("-0.001"),
        entry_price=Decimal(50000),
        unrealised=Decimal("-1.5"),
    )
    assert BINANCE.parse_positions(answer(told)) == Page(rows=[short])
    with pytest.raises(MalformedFrame):
        BINANCE.parse_positions(answer([row | {"positionSide": "SIDEWAYS"}]))
    with pytest.raises(MalformedFrame):
        BINANCE.parse_positions(answer([row | {"marginType": "loose"}]))


def test_fees_funding_time_and_permissions():
    rates = {"symbol": "BTCUSDT", "makerCommissionRate": "-0.0001", "takerCommissionRate": "0.0004"}
    assert BINANCE.parse_fees(instrument(FUTURES), answer(rates)) == Fees(
        maker=Decimal("-0.0001"), taker=Decimal("0.0004")
    )
    income = {"symbol": "BTCUSDT", "incomeType": "FUNDING_FEE", "income": "-0.375", "asset": "USDT", "time": 5}
    income |= {"tranId": 9689322392, "tradeId": "", "info": "FUNDING_FEE"}
    assert BINANCE.parse_funding(instrument(FUTURES), answer([income])) == Page(
        rows=[
            FundingPayment(
                payment_id="9689322392", symbol="BTCUSDT", asset="USDT", amount=Decimal("-0.375"), exchange_ms=5
            )
        ]
    )
    full = answer([income | {"time": number} for number in range(1000)])
    cursor = BINANCE.parse_funding(instrument(FUTURES), full).cursor
    assert cursor == "999"
    assert sent(BINANCE.funding(KEYS, instrument(FUTURES), 1, NOW, cursor))[1]["startTime"] == "999"
    assert BINANCE.parse_server_time(SPOT, answer({"serverTime": NOW})) == NOW
    restrictions = {
        "ipRestrict": True,
        "createTime": 1,
        "enableReading": True,
        "enableWithdrawals": True,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableSpotAndMarginTrading": True,
    }
    assert BINANCE.parse_permissions(answer(restrictions)) == Permissions(
        read=True, trade_spot=True, trade_futures=False, withdraw=True, ip_bound=True
    )
    for parse, body in (
        (BINANCE.parse_fees, rates | {"symbol": "ETHUSDT"}),
        (BINANCE.parse_funding, [income | {"symbol": "ETHUSDT"}]),
    ):
        with pytest.raises(MalformedFrame):
            parse(instrument(FUTURES), answer(body))


def test_cancelled_orders():
    told = {**QUERIED, "origClientOrderId": OURS, "clientOrderId": "of-the-cancel", "status": "CANCELED"}
    BINANCE.parse_cancelled(ref(), answer(told))
    BINANCE.parse_cancelled_all(instrument(), answer([told]))
    BINANCE.parse_cancelled_all(instrument(FUTURES), answer({"code": 200, "msg": "done"}))
    with pytest.raises(UnknownOrder):
        BINANCE.parse_cancelled(ref(), answer({"code": -2011, "msg": "Unknown order sent."}, 400))
    with pytest.raises(OutcomeUnknown):
        BINANCE.parse_cancelled(ref(), answer(b"<html>", 502))


# errors


CODES = [
    (-1000, "An unknown error occurred", OutcomeUnknown),
    (-1001, "Internal error", OutcomeUnknown),
    (-1003, "Too much request weight used", RateLimited),
    (-1006, "An unexpected response was received", OutcomeUnknown),
    (-1007, "Timeout waiting for response from backend server", OutcomeUnknown),
    (-1008, "Server is currently overloaded", Retryable),
    (-1013, "Filter failure: NOTIONAL", InvalidOrder),
    (-1013, "Filter failure: LOT_SIZE", InvalidOrder),
    (-1015, "Too many new orders", RateLimited),
    (-1021, "Timestamp for this request is outside of the recvWindow.", ClockSkew),
    (-1022, "Signature for this request is not valid.", BadCredentials),
    (-1111, "Parameter 'quantity' has too much precision.", InvalidOrder),
    (-1121, "Invalid symbol.", UnknownSymbol),
    (-2010, "Account has insufficient balance for requested action.", InsufficientFunds),
    (-2010, "Duplicate order sent.", DuplicateOrder),
    (-2010, "Order would immediately match and take.", WouldTake),
    (-2010, "Market is closed.", UnknownSymbol),
    (-2010, "This symbol is not permitted for this account.", NotPermitted),
    (-2010, "The relationship of the prices for the orders is not correct.", Refused),
    (-2011, "Unknown order sent.", UnknownOrder),
    (-2011, "Order was already canceled.", OrderIsFinal),
    (-2013, "Order does not exist.", UnknownOrder),
    (-2014, "API-key format invalid.", BadCredentials),
    (-2015, "Invalid API-key, IP, or permissions for action.", BadCredentials),
]
FUTURES_CODES = [
    (-2018, "Balance is insufficient.", InsufficientFunds),
    (-2019, "Margin is insufficient.", InsufficientFunds),
    (-2022, "ReduceOnly Order is rejected.", InvalidOrder),
    (-4003, "Quantity less than or equal to zero.", InvalidOrder),
    (-4004, "Quantity less than minimum.", InvalidOrder),
    (-4005, "Quantity greater than maximum.", InvalidOrder),
    (-4014, "Price not increased by tick size.", InvalidOrder),
    (-4015, "Client order id is not valid.", InvalidOrder),
    (-4023, "Quantity not increased by step size.", InvalidOrder),
    (-4061, "Order's position side does not match user's setting.", InvalidOrder),
    (-4116, "ClientOrderId is duplicated.", DuplicateOrder),
    (-4118, "ReduceOnly Order Failed.", InvalidOrder),
    (-4120, "Order type not supported for this endpoint.", InvalidOrder),
    (-4164, "Order's notional must be no smaller than 5.0", InvalidOrder),
    (-5022, "Due to the order could not be executed as maker", WouldTake),
    (-5028, "Timestamp for this request is outside of the ME recvWindow.", ClockSkew),
]


@pytest.mark.parametrize(
    ("market", "code", "text", "kind"),
    [(SPOT, *row) for row in CODES] + [(FUTURES, *row) for row in CODES + FUTURES_CODES],
)
def test_every_documented_code_has_its_class(market, code, text, kind):
    with pytest.raises(kind) as caught:
        BINANCE.parse_placed(order(market), answer({"code": code, "msg": text}, 400))
    assert type(caught.value) is kind
    assert str(caught.value) == f"{code}: {text}"
    assert getattr(caught.value, "code", str(code)) == str(code)


@pytest.mark.parametrize("market", [SPOT, FUTURES])
def test_unknown_codes_leave_orders_unknown_and_refuse_reads(market):
    never_heard_of = answer({"code": -9999, "msg": "?"}, 400)
    for parse in (
        lambda: BINANCE.parse_placed(order(market), never_heard_of),
        lambda: BINANCE.parse_cancelled(ref(market), never_heard_of),
        lambda: BINANCE.parse_cancelled_all(instrument(market), never_heard_of),
    ):
        with pytest.raises(OutcomeUnknown) as caught:
            parse()
        assert caught.value.code == "-9999"
    with pytest.raises(Refused) as refused:
        BINANCE.parse_balances(market, never_heard_of)
    assert (type(refused.value), refused.value.code) == (Refused, "-9999")


def test_there_are_codes_enough_to_call_the_table_whole():
    assert all(len(table) >= 40 for table in trading.ERRORS.values())


def test_futures_503_is_definite_only_in_its_own_words():
    for text in ("Service Unavailable.", "Internal error; unable to process your request. Please try again."):
        with pytest.raises(Retryable):
            BINANCE.parse_placed(order(FUTURES), answer({"code": -1001, "msg": text}, 503))
    with pytest.raises(Retryable):
        BINANCE.parse_placed(order(FUTURES), answer(b"Service Unavailable", 503))
    for market, body in (
        (FUTURES, {"code": -1000, "msg": "Unknown error, please check your request or try again later."}),
        (FUTURES, b"<html>"),
        (SPOT, {"code": -1001, "msg": "Internal error; unable to process your request. Please try again."}),
    ):
        with pytest.raises(OutcomeUnknown):
            BINANCE.parse_placed(order(market), answer(body, 503))


@pytest.mark.parametrize(
    ("status", "headers", "kind", "after_s"),
    [
        (429, {"retry-after": "12"}, RateLimited, 12.0),
        (429, {}, RateLimited, 60.0),
        (418, {"retry-after": "180"}, Banned, 180.0),
        (403, {}, Banned, 60.0),
    ],
)
def test_limits_and_bans_tell_how_long_to_stay_away(status, headers, kind, after_s):
    for body in ({"code": -1003, "msg": "Way too much"}, b"<html>"):
        with pytest.raises(kind) as caught:
            BINANCE.parse_placed(order(), answer(body, status, **headers))
        assert (type(caught.value), caught.value.after_s) == (kind, after_s)


# private frames


def report(**changes):
    event = {
        "e": "executionReport",
        "E": 21,
        "s": "BTCUSDT",
        "c": OURS,
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "1.0",
        "p": "2500.0",
        "C": "",
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "r": "NONE",
        "i": 12,
        "l": "0.5",
        "z": "0.5",
        "L": "2499.5",
        "n": "0.0005",
        "N": "BNB",
        "T": 20,
        "t": 98,
        "m": True,
        "Z": "1249.75",
        "Q": "0",
    }
    return {"subscriptionId": 0, "event": event | changes}


UPDATE = OrderUpdate(
    symbol="BTCUSDT",
    exchange_order_id="12",
    client_order_id=OURS,
    status=OrderStatus.PARTIAL,
    side=Side.BUY,
    filled=Decimal("0.5"),
    amount=Decimal(1),
    price=Decimal(2500),
    average_price=Decimal("2499.5"),
    exchange_ms=20,
    text="PARTIALLY_FILLED",
)
EXECUTED = Fill(
    symbol="BTCUSDT",
    exchange_order_id="12",
    client_order_id=OURS,
    trade_id="98",
    side=Side.BUY,
    price=Decimal("2499.5"),
    amount=Decimal("0.5"),
    fee=Decimal("0.0005"),
    fee_asset="BNB",
    is_maker=True,
    exchange_ms=20,
)


def futures_report(**changes):
    row = {key: value for key, value in report()["event"].items() if key not in ("e", "E", "C", "r", "Z", "Q")}
    return {"e": "ORDER_TRADE_UPDATE", "E": 21, "T": 20, "o": row | {"ap": "2499.5", "ps": "BOTH"} | changes}


def test_a_trade_is_a_fill_and_the_orders_new_state():
    assert private(SPOT, report()) == [EXECUTED, UPDATE]
    assert private(FUTURES, futures_report()) == [EXECUTED, UPDATE]


def test_futures_events_may_be_wrapped_with_their_streams_name():
    assert private(FUTURES, {"stream": "x", "data": futures_report()}) == [EXECUTED, UPDATE]


def test_a_cancels_report_names_the_order_apart():
    told = report(x="CANCELED", X="CANCELED", c="of-the-cancel", C=OURS, l="0", z="0", Z="0", t=-1, n="0", N=None)
    [update] = private(SPOT, told)
    assert (update.client_order_id, update.status, update.average_price) == (OURS, OrderStatus.CANCELLED, None)


def test_a_refusals_reason_is_told():
    [update] = private(SPOT, report(x="REJECTED", X="REJECTED", r="GTX_ORDER_REJECT", l="0", z="0", Z="0"))
    assert (update.status, update.text) == (OrderStatus.REJECTED, "REJECTED GTX_ORDER_REJECT")


def test_self_trade_prevention_is_no_fill():
    [update] = private(SPOT, report(x="TRADE_PREVENTION", X="EXPIRED_IN_MATCH", z="0", Z="0"))
    assert (update.status, update.filled) == (OrderStatus.EXPIRED, 0)


def test_a_trade_of_nothing_changes_the_status_alone():
    [update] = private(FUTURES, futures_report(l="0", z="1.0", X="FILLED"))
    assert (update.status, update.filled) == (OrderStatus.FILLED, 1)


def test_a_liquidation_is_a_fill():
    events = private(FUTURES, futures_report(x="CALCULATED", X="NEW_INSURANCE", l="1.0", z="1.0", c="autoclose-1"))
    assert isinstance(events[0], Fill)
    assert (events[0].client_order_id, events[1].status) == ("autoclose-1", OrderStatus.FILLED)


@pytest.mark.parametrize("missing", [{"n": None}, {"t": -1}, {"N": None}])
def test_a_fill_without_its_fee_or_id_is_looked_up(missing):
    assert private(FUTURES, futures_report(**missing)) == [
        LookUp(symbol="BTCUSDT", exchange_order_id="12", client_order_id=OURS),
        UPDATE,
    ]


def test_a_fill_that_costs_nothing_names_no_asset():
    [executed, _] = private(SPOT, report(n="0", N=None))
    assert (executed.fee, executed.fee_asset) == (0, "")


def test_coin_margined_reports_are_not_ours():
    assert private(FUTURES, futures_report(st=2)) == [Ignored()]
    assert private(FUTURES, {"e": "ACCOUNT_UPDATE", "T": 1, "st": 2, "a": {}}) == [Ignored()]


def test_balances_of_spot_are_those_touched():
    frame = {"e": "outboundAccountPosition", "E": 21, "u": 20, "B": [{"a": "ETH", "f": "1.5", "l": "0.5"}]}
    row = Balance(asset="ETH", free=Decimal("1.5"), total=Decimal(2))
    assert private(SPOT, {"subscriptionId": 0, "event": frame}) == [Balances(rows=[row], whole=False, exchange_ms=21)]


def test_futures_tell_wallets_without_what_is_free_and_positions_by_side():
    position = {"s": "BTCUSDT", "pa": "-10", "ep": "6563.8", "up": "-1423.1", "mt": "isolated", "ps": "SHORT"}
    frame = {"e": "ACCOUNT_UPDATE", "T": 20, "a": {"m": "ORDER", "B": [{"a": "USDT", "wb": "9.5", "cw": "1"}]}}
    frame["a"]["P"] = [position]
    assert private(FUTURES, frame) == [
        Balances(rows=[Balance(asset="USDT", free=None, total=Decimal("9.5"))], whole=False, exchange_ms=20),
        Positions(
            rows=[
                Position(
                    symbol="BTCUSDT",
                    side=PositionSide.SHORT,
                    amount=Decimal(-10),
                    entry_price=Decimal("6563.8"),
                    unrealised=Decimal("-1423.1"),
                    margin_mode=MarginMode.ISOLATED,
                )
            ],
            whole=False,
            exchange_ms=20,
        ),
    ]
    assert private(FUTURES, {"e": "ACCOUNT_UPDATE", "T": 20, "a": {"m": "FUNDING_FEE"}}) == [Ignored()]


def test_the_streams_own_events():
    assert private(SPOT, {"id": "user-data", "status": 200, "result": {"subscriptionId": 0}}) == [
        Subscribed(channel="userDataStream")
    ]
    assert private(SPOT, {"id": "user-data", "status": 400, "error": {"code": -2035, "msg": "already"}}) == [
        Subscribed(channel="userDataStream")
    ]
    assert private(SPOT, {"id": "user-data", "status": 401, "error": {"code": -2015, "msg": "Invalid API-key"}}) == [
        LoginRefused(code="-2015", text="Invalid API-key")
    ]
    assert private(SPOT, {"id": "user-data", "status": 400, "error": {"code": -1021, "msg": "Timestamp"}}) == [
        Subscribed(channel="userDataStream", ok=False, code="-1021", text="Timestamp")
    ]
    assert private(SPOT, {"event": {"e": "eventStreamTerminated", "E": 1}}) == [TokenExpired()]
    assert private(SPOT, {"event": {"e": "serverShutdown", "E": 1}}) == [Closing("serverShutdown")]
    assert private(SPOT, {"event": {"e": "balanceUpdate", "E": 1, "a": "BTC", "d": "1"}}) == [Ignored()]
    assert private(FUTURES, {"e": "listenKeyExpired", "E": 1, "listenKey": "x"}) == [TokenExpired()]
    assert private(FUTURES, {"e": "serverShutdown", "E": 1}) == [Closing("serverShutdown")]
    assert private(FUTURES, {"e": "TRADE_LITE", "E": 1}) == [Ignored()]


@pytest.mark.parametrize(
    ("market", "frame"),
    [
        (SPOT, {}),
        (SPOT, {"event": {"e": "somethingNew"}}),
        (SPOT, {"event": {}}),
        (SPOT, {"id": "user-data"}),
        (SPOT, {"id": "user-data", "status": 200}),
        (SPOT, report(X="HALF")),
        (SPOT, report(S="LEFT")),
        (SPOT, report(z="-1")),
        (SPOT, report(z="NaN")),
        (SPOT, report(L="0")),
        (SPOT, report(q="1e99")),
        (FUTURES, {}),
        (FUTURES, {"e": "SOMETHING_NEW"}),
        (FUTURES, {"e": "ORDER_TRADE_UPDATE"}),
        (FUTURES, {"e": "ACCOUNT_UPDATE", "T": 1, "a": {"P": [{"s": "X"}]}}),
        (FUTURES, "not json"),
    ],
)
def test_what_is_not_documented_is_malformed(market, frame):
    with pytest.raises(MalformedFrame):
        private(market, frame)


def test_a_listen_key_opens_the_futures_stream_and_spot_needs_none():
    assert BINANCE.token_request(KEYS, SPOT, NOW) is None
    assert BINANCE.private_endpoint(KEYS, SPOT, None) == "wss://ws-api.binance.com:443/ws-api/v3"
    request = BINANCE.token_request(KEYS, FUTURES, NOW)
    assert (request.method, request.url) == ("POST", "https://fapi.binance.com/fapi/v1/listenKey")
    assert (request.headers, request.body) == ({"X-MBX-APIKEY": "a-key"}, "")
    token = BINANCE.parse_token(FUTURES, answer({"listenKey": "abc"}))
    assert token == Token(value="abc", renew_every_s=1200.0)
    assert BINANCE.private_endpoint(KEYS, FUTURES, token) == (
        "wss://fstream.binance.com/private/ws?listenKey=abc&events="
        "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/ACCOUNT_CONFIG_UPDATE/MARGIN_CALL/listenKeyExpired"
    )
    renewal = BINANCE.renew_request(KEYS, FUTURES, token, NOW)
    assert (renewal.method, renewal.url) == ("PUT", request.url)
    assert BINANCE.renew_request(KEYS, SPOT, token, NOW) is None
    assert BINANCE.parse_token(FUTURES, answer({})).value == ""
    with pytest.raises(Refused):
        BINANCE.parse_token(FUTURES, answer({"code": -1125, "msg": "This listenKey does not exist."}, 400))


def test_who_logs_in_and_what_has_to_run():
    assert BINANCE.login(KEYS, SPOT, NOW) == BINANCE.login(KEYS, FUTURES, NOW) == []
    assert BINANCE.private_channels(SPOT) == ("userDataStream",)
    assert (BINANCE.private_channels(FUTURES), BINANCE.subscribe_private(KEYS, FUTURES, NOW)) == ((), [])
    assert BINANCE.private_heartbeat(SPOT).send is None
    assert BINANCE.id_form(FUTURES) is IdForm.TEXT
    assert BINANCE.trade_limits(SPOT).budgets["orders"].count == 50


# the exchange's own samples


def sampled(captures, file):
    return [json.loads(line) for line in lines(captures, "binance", file)]


def response(captures, file, name):
    [body] = [row["response"] for row in sampled(captures, file) if row["name"] == name]
    return answer(body)


@pytest.mark.captures
def test_every_answer_of_spots_documents_is_read_whole(captures):
    def told(name):
        return response(captures, "rest_spot_private.jsonl", name)

    market = order(instrument=instrument(SPOT), client_order_id="6gCrw2kRUAF9CvJDGP16IP", side=Side.SELL)
    resting = Placed(exchange_order_id="28", client_order_id=market.client_order_id, status=OrderStatus.OPEN)
    filled = Placed(exchange_order_id="28", client_order_id=market.client_order_id, status=OrderStatus.FILLED)
    assert BINANCE.parse_placed(market, told("place ACK")) == resting
    assert BINANCE.parse_placed(market, told("place RESULT")) == filled
    full = BINANCE.parse_placed(market, told("place FULL"))
    assert [(str(one.price), str(one.amount), str(one.fee), one.trade_id) for one in full.fills] == [
        ("4000.00000000", "1.00000000", "4.00000000", "56"),
        ("3999.00000000", "5.00000000", "19.99500000", "57"),
        ("3998.00000000", "2.00000000", "7.99600000", "58"),
        ("3997.00000000", "1.00000000", "3.99700000", "59"),
        ("3995.00000000", "1.00000000", "3.99500000", "60"),
    ]
    assert {(one.side, one.fee_asset, one.is_maker, one.exchange_ms) for one in full.fills} == {
        (Side.SELL, "USDT", False, 1507725176595)
    }
    BINANCE.parse_cancelled(ref(ours="myOrder1", symbol="LTCBTC"), told("cancel"))
    resting_order = OrderUpdate(
        symbol="LTCBTC",
        exchange_order_id="1",
        client_order_id="myOrder1",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=Decimal(0),
        amount=Decimal(1),
        price=Decimal("0.1"),
        exchange_ms=1499827319559,
        text="NEW",
    )
    assert BINANCE.parse_order(ref(ours="myOrder1", symbol="LTCBTC"), told("query")) == resting_order
    assert BINANCE.parse_open_orders(SPOT, told("open orders")) == Page(rows=[resting_order])
    assert BINANCE.parse_balances(SPOT, told("account")) == [
        Balance(asset="BTC", free=Decimal("4723846.89208129"), total=Decimal("4723846.89208129")),
        Balance(asset="LTC", free=Decimal("4763368.68006011"), total=Decimal("4763368.68006011")),
    ]
    assert BINANCE.parse_fees(instrument(), told("account")) == Fees(maker=Decimal("0.0015"), taker=Decimal("0.0015"))
    assert BINANCE.parse_own_trades(instrument(symbol="BNBBTC"), told("my trades")) == Page(
        rows=[
            Fill(
                symbol="BNBBTC",
                exchange_order_id="100234",
                client_order_id=None,
                trade_id="28457",
                side=Side.BUY,
                price=Decimal("4.000001"),
                amount=Decimal(12),
                fee=Decimal("10.1"),
                fee_asset="BNB",
                is_maker=False,
                exchange_ms=1499865549590,
            )
        ]
    )


@pytest.mark.captures
def test_every_answer_of_futures_documents_is_read_whole(captures):
    def told(name):
        return response(captures, "rest_usdm_private.jsonl", name)

    asked = order(FUTURES, client_order_id="testOrder123")
    assert BINANCE.parse_placed(asked, told("place")) == Placed(
        exchange_order_id="12345678", client_order_id="testOrder123", status=OrderStatus.OPEN
    )
    assert BINANCE.parse_order(ref(FUTURES, "testOrder123"), told("place")) == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="12345678",
        client_order_id="testOrder123",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=Decimal(0),
        amount=Decimal("0.001"),
        price=Decimal(50000),
        exchange_ms=1625474304765,
        text="NEW",
    )
    assert BINANCE.parse_balances(FUTURES, told("balance")) == [
        Balance(asset="USDT", free=Decimal("122.12345678"), total=Decimal("122.12345678"))
    ]
    assert BINANCE.parse_positions(told("positions")) == Page(
        rows=[
            Position(
                symbol="BTCUSDT",
                side=PositionSide.NET,
                amount=Decimal("0.001"),
                entry_price=Decimal(50000),
                unrealised=Decimal(1),
                leverage=Decimal(20),
                margin_mode=MarginMode.CROSS,
                liquidation_price=Decimal(45000),
            )
        ]
    )
    trades = BINANCE.parse_own_trades(instrument(FUTURES, "ETHUSDT"), told("trades")).rows
    assert [(one.trade_id, one.exchange_order_id, one.side, str(one.price), str(one.fee)) for one in trades] == [
        ("82357626", "831238666", Side.SELL, "2778.35", "0.00555670"),
        ("82357629", "831238690", Side.BUY, "2779", "0.00555800"),
    ]


@pytest.mark.captures
def test_every_documented_error_is_the_class_that_its_code_names(captures):
    kinds = {code: kind for code, _, kind in CODES + FUTURES_CODES if code not in (-1003, -2010)}
    kinds |= {-2011: UnknownOrder, -4021: Refused, -4059: Refused}
    for row in sampled(captures, "rest_errors.jsonl"):
        market = FUTURES if row.get("market") == "usdm" else SPOT
        code, text = row["body"]["code"], row["body"]["msg"]
        headers = {name.lower(): value for name, value in row.get("headers", {}).items()}
        kind = {429: RateLimited, 418: Banned}.get(row["http"]) or kinds.get(code)
        if kind is None:
            [kind] = [named for known, words, named in CODES if (known, words) == (code, text)]
        with pytest.raises(kind) as caught:
            BINANCE.parse_placed(order(market), answer(row["body"], row["http"], **headers))
        assert type(caught.value) is kind
        if headers:
            assert caught.value.after_s == float(headers["retry-after"])


@pytest.mark.captures
def test_every_private_event_of_spots_documents_is_read_whole(captures):
    account, balance, new, ended, opened, traded, cancelled, refused, prevented, shutdown = (
        private(SPOT, row) for row in sampled(captures, "private_spot_events.jsonl")
    )
    assert account == [
        Balances(
            rows=[Balance(asset="ETH", free=Decimal(10000), total=Decimal(10000))],
            whole=False,
            exchange_ms=1564034571105,
        )
    ]
    assert (balance, ended, shutdown) == ([Ignored()], [TokenExpired()], [Closing("serverShutdown")])
    assert new == [
        OrderUpdate(
            symbol="ETHBTC",
            exchange_order_id="4293153",
            client_order_id="mUvoqJxFIILMdfAW5iGSOW",
            status=OrderStatus.OPEN,
            side=Side.BUY,
            filled=Decimal(0),
            amount=Decimal(1),
            price=Decimal("0.1026441"),
            exchange_ms=1499405658657,
            text="NEW",
        )
    ]
    assert [(event.client_order_id, event.status) for event in opened] == [("O-12345-test-new", OrderStatus.OPEN)]
    assert traded == [
        Fill(
            symbol="ETHUSDT",
            exchange_order_id="1234567890",
            client_order_id="O-12345-test-trade",
            trade_id="98765432",
            side=Side.BUY,
            price=Decimal("2499.5"),
            amount=Decimal("0.5"),
            fee=Decimal("0.0005"),
            fee_asset="ETH",
            is_maker=True,
            exchange_ms=1759347763167,
        ),
        OrderUpdate(
            symbol="ETHUSDT",
            exchange_order_id="1234567890",
            client_order_id="O-12345-test-trade",
            status=OrderStatus.PARTIAL,
            side=Side.BUY,
            filled=Decimal("0.5"),
            amount=Decimal(1),
            price=Decimal(2500),
            average_price=Decimal("2499.5"),
            exchange_ms=1759347763167,
            text="PARTIALLY_FILLED",
        ),
    ]
    [cancel], [refusal], [prevention] = cancelled, refused, prevented
    assert (cancel.status, cancel.filled, cancel.average_price) == (OrderStatus.CANCELLED, Decimal("0.1"), 2500)
    assert (refusal.status, refusal.text) == (OrderStatus.REJECTED, "REJECTED GTX_ORDER_REJECT")
    assert (prevention.status, prevention.text) == (
        OrderStatus.EXPIRED,
        "EXPIRED_IN_MATCH SELF_TRADE_PREVENTION",
    )


@pytest.mark.captures
def test_every_private_event_of_futures_documents_is_read_whole(captures):
    new, partial, odd, account, lite, armed, triggered, expired = (
        private(FUTURES, row) for row in sampled(captures, "private_usdm_events.jsonl")
    )
    opened = OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="8886774",
        client_order_id="TEST",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=Decimal(0),
        amount=Decimal("0.001"),
        exchange_ms=1568879465651,
        text="NEW",
    )
    assert new == [opened]
    taken = Fill(
        symbol="BTCUSDT",
        exchange_order_id="8886774",
        client_order_id="TEST",
        trade_id="12345678",
        side=Side.BUY,
        price=Decimal("7100.5"),
        amount=Decimal("0.001"),
        fee=Decimal("0.01"),
        fee_asset="USDT",
        is_maker=True,
        exchange_ms=1568879465651,
    )
    assert partial[0] == odd[0] == taken
    assert [(event.status, event.filled, event.amount, event.average_price) for event in (partial[1], odd[1])] == [
        (OrderStatus.PARTIAL, Decimal("0.001"), Decimal("0.002"), Decimal("7100.5")),
        (OrderStatus.PARTIAL, Decimal("0.001"), Decimal("0.001"), Decimal("7100.5")),
    ]
    wallets, held = account
    assert wallets == Balances(
        rows=[Balance(asset="USDT", free=None, total=Decimal("122624.12345678"))],
        whole=False,
        exchange_ms=1564745798939,
    )
    assert [(row.symbol, row.side, str(row.amount), row.entry_price, str(row.unrealised)) for row in held.rows] == [
        ("BTCUSDT", PositionSide.NET, "0", None, "0"),
        ("BTCUSDT", PositionSide.LONG, "20", Decimal("6563.6"), "2850.21200"),
        ("BTCUSDT", PositionSide.SHORT, "-10", Decimal("6563.8"), "-1423.15600"),
    ]
    assert (lite, armed, triggered, expired) == ([Ignored()], [Ignored()], [Ignored()], [TokenExpired()])


@pytest.mark.captures
def test_every_answer_of_the_websocket_api_is_understood(captures):
    told = [row["frame"] for row in sampled(captures, "ws_api_frames.jsonl") if row["dir"] == "in"]
    assert [private(SPOT, frame) for frame in told] == [
        [Subscribed(channel="userDataStream")],
        [Ignored()],
        [
            Subscribed(
                channel="userDataStream",
                ok=False,
                code="-1003",
                text=told[2]["error"]["msg"],
            )
        ],
    ]


@pytest.mark.parametrize("told", good.ANSWERS, ids=lambda one: one.parse)
def test_answers_that_are_to_be_spoilt_are_good_at_first(told):
    whole = loaded.answer(told, json.dumps(told.body))
    if told.status == 200 or told.body["code"] in trading.UNCHANGED:
        getattr(BINANCE, told.parse)(*told.args, whole)
    else:
        with pytest.raises((Refused, Retryable, OutcomeUnknown)):
            getattr(BINANCE, told.parse)(*told.args, whole)


@pytest.mark.parametrize("market", [SPOT, FUTURES])
def test_private_frames_that_are_to_be_spoilt_are_good_at_first(market):
    assert all(private(market, frame) for frame in good.PRIVATE[market])
