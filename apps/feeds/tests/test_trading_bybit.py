"""Bybit's trading half: what is sent, what answers and private frames mean."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Ignored, Pong
from apps.feeds.drivers.bybit import signing
from apps.feeds.drivers.bybit import trading_facts as trading
from apps.feeds.drivers.trading import (
    Answer,
    ExpiryCheck,
    IdForm,
    LoggedIn,
    LoginRefused,
    Page,
    Placed,
    Subscribed,
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
from apps.feeds.tests import good_account_frames_bybit as good
from apps.feeds.tests.captures import lines

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
BYBIT = registry.trader("bybit")
KEYS = Credentials(key="a-key", secret="a-secret")
NOW = 1_790_000_000_000
OURS = good.CLIENT_ORDER_ID
WEEK = 7 * 86_400_000


def instrument(market=SPOT, symbol="BTCUSDT", settle="USDT"):
    return Instrument(
        exchange="bybit",
        market_type=market,
        pair="BTC/USDT",
        symbol=symbol,
        base="BTC",
        quote="USDT",
        settle=settle,
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
    """Method, path and parameters of a request, whose signature is proven to be that of what is sent."""
    parts = urlsplit(request.url)
    assert f"{parts.scheme}://{parts.netloc}" == "https://api.bybit.com"
    assert not (parts.query and request.body)
    headers = dict(request.headers)
    window = headers.pop("X-BAPI-RECV-WINDOW")
    assert request.expires_ms == NOW + int(window)
    assert headers.pop("X-BAPI-SIGN") == signing.signature(
        "a-secret", f"{NOW}a-key{window}{request.body or parts.query}"
    )
    assert headers.pop("X-BAPI-API-KEY") == "a-key"
    assert headers.pop("X-BAPI-TIMESTAMP") == str(NOW)
    assert headers == ({"Content-Type": "application/json"} if request.body else {})
    params = (
        json.loads(request.body) if request.body else dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    )
    return f"{request.method} {parts.path.removeprefix('/v5/')}", params


def placed(market, **changes):
    return sent(BYBIT.place(KEYS, order(market, **changes), NOW))


def private(market, frame):
    return BYBIT.parse_private(KEYS, market, frame if isinstance(frame, str) else json.dumps(frame), 7)


# signatures


def test_the_worked_signatures_are_reproduced():
    keys = Credentials(key="test-key", secret="test-secret")
    read = signing.get(keys, "position/list", {"category": "linear", "symbol": "BTCUSDT"}, 1658384314791)
    assert read.headers["X-BAPI-SIGN"] == "acbce6f124ccb7a0f1a447455f5ade0ab2b18de10682b04f40e02d260e338d26"
    body = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001"}
    body |= {"price": "30000", "timeInForce": "GTC", "orderLinkId": "ct-0001"}
    write = signing.post(keys, "order/create", body, 1658385579423)
    assert write.headers["X-BAPI-SIGN"] == "f66b421fc80c6ec93b8d4dcbe8079177cb5e8ff69b22108ce3694cce804103a7"
    assert write.body == (
        '{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001",'
        '"price":"30000","timeInForce":"GTC","orderLinkId":"ct-0001"}'
    )
    proof = signing.login(Credentials(key="test-key", secret="test-secret"), 1662350400000)
    assert proof == ["test-key", 1662350400000, "f072aab6fa18cd774da998325df6cfc87c3ccf10d5722e6b43b570c5feaf6172"]


# orders, as they are sent


def test_a_limit_order_on_spot():
    request = BYBIT.place(KEYS, order(), NOW)
    assert sent(request) == (
        "POST order/create",
        {
            "category": "spot",
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.01",
            "price": "30000.5",
            "timeInForce": "GTC",
            "orderLinkId": OURS,
            "smpType": "CancelTaker",
        },
    )
    assert (request.expires_ms, request.budget, request.weight) == (NOW + 2_000, "create-spot", 1)


def test_a_limit_order_on_futures():
    assert placed(FUTURES, side=Side.SELL, tif=TimeInForce.POST_ONLY, reduce_only=True) == (
        "POST order/create",
        {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": "Sell",
            "orderType": "Limit",
            "qty": "0.01",
            "price": "30000.5",
            "timeInForce": "PostOnly",
            "reduceOnly": True,
            "orderLinkId": OURS,
            "smpType": "CancelTaker",
        },
    )


def test_market_orders_on_spot_say_what_their_amount_counts():
    market = {"type": OrderType.MARKET, "price": None}
    _, base = placed(SPOT, **market)
    _, quote = placed(SPOT, **market, amount=None, quote_amount=Decimal("25.50"))
    _, sell = placed(SPOT, **market, side=Side.SELL)
    _, futures = placed(FUTURES, **market)
    assert [(one["qty"], one.get("marketUnit")) for one in (base, quote, sell, futures)] == [
        ("0.01", "baseCoin"),
        ("25.5", "quoteCoin"),
        ("0.01", "baseCoin"),
        ("0.01", None),
    ]
    assert not base.keys() & {"price", "timeInForce"}


def test_hedge_mode_names_the_position_by_its_index():
    _, opens = placed(FUTURES, position_side=PositionSide.SHORT, side=Side.SELL)
    _, closes = placed(FUTURES, position_side=PositionSide.LONG, side=Side.SELL, reduce_only=True)
    assert (opens["positionIdx"], closes["positionIdx"], closes["reduceOnly"]) == (2, 1, True)
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
        {"type": OrderType.MARKET, "price": None, "side": Side.SELL, "amount": None, "quote_amount": Decimal(5)},
    ],
)
def test_what_the_exchange_would_refuse_is_not_sent(changes):
    with pytest.raises(InvalidOrder):
        BYBIT.place(KEYS, order(**changes), NOW)


def test_an_order_never_lives_longer_than_the_exchange_allows():
    assert BYBIT.place(KEYS, order(expires_ms=NOW + 600_000), NOW).expires_ms == NOW + 5_000
    assert (BYBIT.expiry(SPOT).check, BYBIT.expiry(FUTURES).longest_ms) == (ExpiryCheck.GATEWAY, 5_000)


ABOUT = {"category": "spot", "symbol": "BTCUSDT"}
SWAP = {"category": "linear", "symbol": "BTCUSDT"}


@pytest.mark.parametrize(
    ("request_", "path", "params", "budget"),
    [
        (BYBIT.cancel(KEYS, ref(), NOW), "POST order/cancel", ABOUT | {"orderLinkId": OURS}, "cancel-spot"),
        (
            BYBIT.cancel(KEYS, ref(FUTURES, theirs="7"), NOW),
            "POST order/cancel",
            SWAP | {"orderLinkId": OURS},
            "cancel-linear",
        ),
        (
            BYBIT.cancel(KEYS, ref(ours=None, theirs="7"), NOW),
            "POST order/cancel",
            ABOUT | {"orderId": "7"},
            "cancel-spot",
        ),
        (BYBIT.cancel_all(KEYS, instrument(), NOW), "POST order/cancel-all", ABOUT, "cancel-all-spot"),
        (BYBIT.cancel_all(KEYS, instrument(FUTURES), NOW), "POST order/cancel-all", SWAP, "cancel-all-linear"),
        (BYBIT.query(KEYS, ref(), NOW), "GET order/realtime", ABOUT | {"orderLinkId": OURS}, ""),
        (BYBIT.query(KEYS, ref(FUTURES, None, "7"), NOW), "GET order/realtime", SWAP | {"orderId": "7"}, ""),
        (BYBIT.query_finished(KEYS, ref(), NOW), "GET order/history", ABOUT | {"orderLinkId": OURS}, ""),
        (BYBIT.open_orders(KEYS, SPOT, instrument(), NOW), "GET order/realtime", ABOUT | {"limit": "50"}, ""),
        (
            BYBIT.open_orders(KEYS, SPOT, None, NOW, "abc%3D1"),
            "GET order/realtime",
            {"category": "spot", "limit": "50", "cursor": "abc=1"},
            "",
        ),
        (
            BYBIT.open_orders(KEYS, FUTURES, None, NOW),
            "GET order/realtime",
            {"category": "linear", "settleCoin": "USDT", "limit": "50"},
            "",
        ),
        (
            BYBIT.open_orders(KEYS, FUTURES, None, NOW, "USDC:abc"),
            "GET order/realtime",
            {"category": "linear", "settleCoin": "USDC", "limit": "50", "cursor": "abc"},
            "",
        ),
        (
            BYBIT.own_trades(KEYS, instrument(), NOW - 9, NOW),
            "GET execution/list",
            ABOUT | {"startTime": str(NOW - 9), "endTime": str(NOW), "limit": "100"},
            "",
        ),
        (
            BYBIT.order_trades(KEYS, ref(), NOW),
            "GET execution/list",
            ABOUT | {"orderLinkId": OURS, "limit": "100"},
            "",
        ),
        (
            BYBIT.order_trades(KEYS, ref(FUTURES, theirs="7"), NOW),
            "GET execution/list",
            SWAP | {"orderId": "7", "limit": "100"},
            "",
        ),
        (BYBIT.balances(KEYS, SPOT, NOW), "GET account/wallet-balance", {"accountType": "UNIFIED"}, ""),
        (
            BYBIT.positions(KEYS, NOW),
            "GET position/list",
            {"category": "linear", "settleCoin": "USDT", "limit": "200"},
            "",
        ),
        (
            BYBIT.positions(KEYS, NOW, "USDC"),
            "GET position/list",
            {"category": "linear", "settleCoin": "USDC", "limit": "200"},
            "",
        ),
        (BYBIT.fees(KEYS, instrument(FUTURES), NOW), "GET account/fee-rate", SWAP, ""),
        (
            BYBIT.funding(KEYS, instrument(FUTURES), NOW - 9, NOW),
            "GET account/transaction-log",
            {"accountType": "UNIFIED", "category": "linear", "currency": "USDT", "type": "SETTLEMENT"}
            | {"startTime": str(NOW - 9), "endTime": str(NOW), "limit": "50"},
            "",
        ),
        (BYBIT.permissions(KEYS, NOW), "GET user/query-api", {}, ""),
    ],
)
def test_requests_are_what_the_documents_want(request_, path, params, budget):
    assert sent(request_) == (path, params)
    assert (request_.budget, request_.weight) == (budget, 1)


def test_an_order_without_any_id_cannot_be_asked_for():
    with pytest.raises(InvalidOrder):
        BYBIT.query(KEYS, ref(ours=None), NOW)


def test_cursors_go_back_as_they_came():
    request = BYBIT.open_orders(KEYS, FUTURES, instrument(FUTURES), NOW, "page_args%3Dfd%26symbol%3D6%26")
    assert request.url.endswith("&cursor=page_args%3Dfd%26symbol%3D6%26")
    sent(request)


def test_leverage_is_set_after_the_kind_of_margin():
    margin, leverage = BYBIT.set_leverage(KEYS, instrument(FUTURES), 5, MarginMode.ISOLATED, NOW)
    assert sent(margin) == ("POST account/set-margin-mode", {"setMarginMode": "ISOLATED_MARGIN"})
    assert sent(leverage) == ("POST position/set-leverage", SWAP | {"buyLeverage": "5", "sellLeverage": "5"})
    for body in (good.told({}), good.refused(110043, "Set leverage not modified"), good.refused(110026, "same")):
        BYBIT.parse_leverage_set(answer(body))
    with pytest.raises(Refused):
        BYBIT.parse_leverage_set(answer(good.refused(110013, "Cannot set leverage due to risk limit level")))
    with pytest.raises(InvalidOrder):
        BYBIT.set_leverage(KEYS, instrument(), 5, MarginMode.CROSS, NOW)


def test_neither_key_nor_secret_nor_signature_is_shown():
    requests = [BYBIT.cancel(KEYS, ref(), NOW), BYBIT.balances(KEYS, SPOT, NOW)]
    shown = f"{KEYS!r} {requests!r} {answer({'key': 'a-key'})!r}"
    for secret in ("a-key", "a-secret", requests[1].headers["X-BAPI-SIGN"]):
        assert secret not in shown


# answers


def test_an_order_that_was_taken_in_is_open_until_the_stream_says_more():
    taken = Placed(exchange_order_id="4611", client_order_id=OURS, status=OrderStatus.OPEN)
    assert BYBIT.parse_placed(order(), answer(good.told(good.PLACED))) == taken


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{}", good.told({}), good.told(good.PLACED | {"orderLinkId": "another"}), {"retCode": "x"}],
)
def test_an_answer_that_proves_nothing_leaves_the_order_unknown(body):
    with pytest.raises(OutcomeUnknown):
        BYBIT.parse_placed(order(), answer(body))


PARTIAL = OrderUpdate(
    symbol="BTCUSDT",
    exchange_order_id="4611",
    client_order_id=OURS,
    status=OrderStatus.PARTIAL,
    side=Side.BUY,
    filled=Decimal("0.001"),
    amount=Decimal("0.003"),
    price=Decimal("30000.5"),
    average_price=Decimal("30000.1"),
    exchange_ms=good.T,
    text="PartiallyFilled",
)


def asked_for(**changes):
    return BYBIT.parse_order(ref(), answer(good.rows(good.order(**changes), category="spot")))


def test_an_order_that_was_asked_for():
    assert asked_for() == PARTIAL
    assert asked_for(avgPrice="") == PARTIAL
    assert asked_for(avgPrice="", cumExecQty="0", cumExecValue="").average_price is None
    by_theirs = BYBIT.parse_order(ref(ours=None, theirs="4611"), answer(good.rows(good.order(orderLinkId=""))))
    assert by_theirs.client_order_id is None


def test_an_order_that_nobody_knows():
    with pytest.raises(UnknownOrder):
        BYBIT.parse_order(ref(), answer(good.rows(category="spot")))


def test_the_last_state_of_an_order_told_twice_counts():
    told = good.rows(good.order(updatedTime="5"), good.order(updatedTime="9", orderStatus="Filled"))
    assert BYBIT.parse_order(ref(), answer(told)).status is OrderStatus.FILLED


@pytest.mark.parametrize(
    "body",
    [
        good.rows(good.order(orderLinkId="another")),
        good.rows(good.order(symbol="ETHUSDT")),
        good.rows(good.order(), category="linear"),
        good.rows(good.order(orderStatus="Half")),
        good.rows(good.order(cumExecQty="-1")),
        good.rows(good.order(qty="NaN")),
    ],
)
def test_an_answer_that_tells_of_something_else_is_malformed(body):
    with pytest.raises(MalformedFrame):
        BYBIT.parse_order(ref(), answer(body))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"orderStatus": "Created"}, OrderStatus.PENDING),
        ({"orderStatus": "New"}, OrderStatus.OPEN),
        ({"orderStatus": "Untriggered"}, OrderStatus.PENDING),
        ({"orderStatus": "Triggered"}, OrderStatus.PENDING),
        ({"orderStatus": "PartiallyFilled"}, OrderStatus.PARTIAL),
        ({"orderStatus": "Filled"}, OrderStatus.FILLED),
        ({"orderStatus": "PartiallyFilledCanceled"}, OrderStatus.CANCELLED),
        ({"orderStatus": "PartiallyFilledCanceled", "orderType": "Market"}, OrderStatus.FILLED),
        (
            {"orderStatus": "PartiallyFilledCanceled", "orderType": "Market", "marketUnit": "baseCoin"},
            OrderStatus.EXPIRED,
        ),
        ({"orderStatus": "Cancelled"}, OrderStatus.CANCELLED),
        ({"orderStatus": "Cancelled", "rejectReason": "EC_PostOnlyWillTakeLiquidity"}, OrderStatus.REJECTED),
        ({"orderStatus": "Cancelled", "timeInForce": "IOC"}, OrderStatus.EXPIRED),
        ({"orderStatus": "Cancelled", "timeInForce": "FOK"}, OrderStatus.EXPIRED),
        ({"orderStatus": "Rejected"}, OrderStatus.REJECTED),
        ({"orderStatus": "Deactivated"}, OrderStatus.CANCELLED),
    ],
)
def test_every_status_has_its_word(changes, status):
    assert asked_for(**changes).status is status


def test_a_reason_is_told_with_the_status():
    told = asked_for(orderStatus="Cancelled", rejectReason="EC_PostOnlyWillTakeLiquidity")
    assert told.text == "Cancelled EC_PostOnlyWillTakeLiquidity"


def test_market_orders_have_no_price_and_those_that_spend_no_amount():
    spends = asked_for(orderType="Market", marketUnit="", qty="200")
    buys = asked_for(orderType="Market", marketUnit="baseCoin")
    sells = asked_for(orderType="Market", side="Sell")
    assert [(one.price, one.amount) for one in (spends, buys, sells)] == [
        (None, None),
        (None, Decimal("0.003")),
        (None, Decimal("0.003")),
    ]


def test_open_orders_of_futures_go_on_with_the_next_page_and_the_next_coin():
    def page(cursor, token):
        url = BYBIT.open_orders(KEYS, FUTURES, None, NOW, cursor).url
        told = good.rows(good.order(), category="linear", nextPageCursor=token)
        return BYBIT.parse_open_orders(FUTURES, answer(told, url=url))

    assert page(None, "abc%3D") == Page(rows=[PARTIAL], cursor="USDT:abc%3D")
    assert page("USDT:abc%3D", "").cursor == "USDC"
    assert page("USDC", "").cursor is None


def test_open_orders_of_one_symbol_go_on_by_their_own_cursor():
    url = BYBIT.open_orders(KEYS, FUTURES, instrument(FUTURES), NOW).url
    told = good.rows(good.order(), category="linear", nextPageCursor="abc%3D")
    assert BYBIT.parse_open_orders(FUTURES, answer(told, url=url)).cursor == "abc%3D"


def fill(**changes):
    fields = {
        "symbol": "BTCUSDT",
        "exchange_order_id": "4611",
        "client_order_id": OURS,
        "trade_id": "2800474f-1e3d",
        "side": Side.BUY,
        "price": Decimal("30000.1"),
        "amount": Decimal("0.001"),
        "fee": Decimal("0.0185"),
        "fee_asset": "USDT",
        "is_maker": False,
        "exchange_ms": good.T,
    }
    return Fill(**(fields | changes))


def own(market, *rows):
    category = "spot" if market is SPOT else "linear"
    return BYBIT.parse_own_trades(instrument(market), answer(good.rows(*rows, category=category))).rows


def test_own_trades_with_taxes_in_the_same_asset_and_without_funding():
    assert own(FUTURES, good.execution(), good.execution(execType="Funding")) == [fill()]
    other = good.execution(extraFees=[{"feeCoin": "INR", "fee": "9"}])
    assert own(FUTURES, other) == [fill(fee=Decimal("0.0165"))]


@pytest.mark.parametrize(
    ("market", "changes", "asset"),
    [
        (FUTURES, {}, "USDT"),
        (SPOT, {"side": "Buy"}, "BTC"),
        (SPOT, {"side": "Sell"}, "USDT"),
        (SPOT, {"side": "Buy", "isMaker": True, "feeRate": "-0.0001", "execFee": "-0.003"}, "USDT"),
        (SPOT, {"side": "Sell", "isMaker": True, "feeRate": "-0.0001", "execFee": "-0.003"}, "BTC"),
        (SPOT, {"side": "Buy", "isMaker": False, "feeRate": "-0.0001"}, "BTC"),
    ],
)
def test_a_fee_without_its_asset_is_in_what_the_rules_say(market, changes, asset):
    [one] = own(market, good.execution(feeCurrency="", **changes))
    assert one.fee_asset == asset


@pytest.mark.parametrize(
    "row",
    [
        good.execution(execType="Gift"),
        good.execution(symbol="ETHUSDT"),
        good.execution(execQty="0"),
        good.execution(execFee=""),
        good.execution(execPrice="-1"),
    ],
)
def test_executions_that_cannot_be_are_malformed(row):
    with pytest.raises(MalformedFrame):
        own(SPOT, row)


def test_executions_of_long_ago_are_asked_for_week_by_week():
    def page(cursor, token):
        request = BYBIT.own_trades(KEYS, instrument(), NOW - WEEK - 5, NOW, cursor)
        told = BYBIT.parse_own_trades(instrument(), answer(good.rows(nextPageCursor=token), url=request.url))
        return sent(request)[1], told.cursor

    params, cursor = page(None, "1%3A2")
    assert (params["startTime"], params["endTime"]) == (str(NOW - WEEK - 5), str(NOW - 5))
    params, cursor = page(cursor, "")
    assert (params["cursor"], params["endTime"]) == ("1:2", str(NOW - 5))
    params, cursor = page(cursor, "")
    assert (params["startTime"], params["endTime"]) == (str(NOW - 5), str(NOW))
    assert cursor is None


def test_one_wallet_serves_both_markets():
    usdt = Balance(asset="USDT", free=Decimal("9184.12"), total=Decimal("9997.1"))
    btc = Balance(asset="BTC", free=Decimal(0), total=Decimal("9997.1"))
    for market in (SPOT, FUTURES):
        assert BYBIT.parse_balances(market, answer(good.rows(good.WALLET))) == [usdt, btc]
    never_held = dict.fromkeys(good.coin(), "") | {"coin": "ETH"}
    wallet = {"accountType": "UNIFIED", "coin": [never_held]}
    assert BYBIT.parse_balances(SPOT, answer(good.rows(wallet))) == [
        Balance(asset="ETH", free=Decimal(0), total=Decimal(0))
    ]
    with pytest.raises(MalformedFrame):
        BYBIT.parse_balances(SPOT, answer(good.rows(good.WALLET | {"accountType": "CONTRACT"})))


SHORT = Position(
    symbol="BTCUSDT",
    side=PositionSide.NET,
    amount=Decimal("-0.01"),
    entry_price=Decimal("36410.75"),
    unrealised=Decimal("-0.00255"),
    leverage=Decimal(30),
    liquidation_price=Decimal("51764.8"),
)


def test_positions_are_signed_and_the_next_coin_follows():
    told = good.rows(good.position(), good.position(side="", size="0", symbol="ETHUSDT"), category="linear")
    url = BYBIT.positions(KEYS, NOW).url
    assert BYBIT.parse_positions(answer(told, url=url)) == Page(rows=[SHORT], cursor="USDC")
    hedged = good.rows(good.position(positionIdx=1, side="Buy", liqPrice="", entryPrice=None, avgPrice="5"))
    [long] = BYBIT.parse_positions(answer(hedged)).rows
    assert (long.side, long.amount, long.entry_price, long.liquidation_price) == (
        PositionSide.LONG,
        Decimal("0.01"),
        Decimal(5),
        None,
    )
    for wrong in ({"positionIdx": 3}, {"side": ""}, {"size": "-1"}, {"side": "Up"}):
        with pytest.raises(MalformedFrame):
            BYBIT.parse_positions(answer(good.rows(good.position(**wrong))))


def test_fees_funding_and_time():
    rates = good.rows({"symbol": "BTCUSDT", "makerFeeRate": "-0.0001", "takerFeeRate": "0.0006"})
    assert BYBIT.parse_fees(instrument(), answer(rates)) == Fees(maker=Decimal("-0.0001"), taker=Decimal("0.0006"))
    with pytest.raises(MalformedFrame):
        BYBIT.parse_fees(instrument(symbol="ETHUSDT"), answer(rates))
    empty = good.rows({"symbol": "BTCUSDT", "makerFeeRate": "", "takerFeeRate": "0.0006"})
    with pytest.raises(MalformedFrame):
        BYBIT.parse_fees(instrument(), answer(empty))
    log = good.rows(good.LOG_ROW, good.LOG_ROW | {"type": "TRADE"}, good.LOG_ROW | {"symbol": "ETHUSDT"})
    paid = FundingPayment(
        payment_id="592324",
        symbol="BTCUSDT",
        asset="USDT",
        amount=Decimal("-0.003676"),
        exchange_ms=good.T,
        rate=Decimal("0.0001"),
    )
    assert BYBIT.parse_funding(instrument(FUTURES), answer(log)) == Page(rows=[paid])
    nameless = good.rows({key: value for key, value in good.LOG_ROW.items() if key != "id"})
    [made] = BYBIT.parse_funding(instrument(FUTURES), answer(nameless)).rows
    assert made.payment_id == f"BTCUSDT-{good.T}"
    clock = good.told({"timeSecond": "1688639403", "timeNano": "1688639403423213947"})
    assert BYBIT.parse_server_time(SPOT, answer(clock)) == 1688639403423
    assert BYBIT.server_time(FUTURES).url == "https://api.bybit.com/v5/market/time"


def permitted(**changes):
    return BYBIT.parse_permissions(answer(good.told(good.KEY | changes)))


def test_what_a_key_may_do():
    whole = Permissions(
        read=True, trade_spot=True, trade_futures=True, withdraw=False, ip_bound=True, expires_ms=1810350804000
    )
    assert permitted() == whole
    read_only = permitted(readOnly=1, ips=["*"], expiredAt="0001-01-01T00:00:00Z")
    assert (read_only.trade_spot, read_only.trade_futures, read_only.ip_bound, read_only.expires_ms) == (
        False,
        False,
        False,
        None,
    )
    unified = permitted(permissions={"Derivatives": ["DerivativesTrade"], "Wallet": ["Withdraw"]})
    assert (unified.trade_spot, unified.trade_futures, unified.withdraw) == (False, True, True)
    for wrong in ("soon", "2027-05-15T03:13:24"):
        with pytest.raises(MalformedFrame):
            permitted(expiredAt=wrong)


def test_cancelled_orders():
    BYBIT.parse_cancelled(ref(), answer(good.told(good.PLACED)))
    BYBIT.parse_cancelled_all(instrument(), answer(good.told({"list": [], "success": "1"})))
    with pytest.raises(OutcomeUnknown):
        BYBIT.parse_cancelled(ref(), answer(b"<html>", 502))
    with pytest.raises(OutcomeUnknown):
        BYBIT.parse_cancelled_all(instrument(), answer(b"<html>", 502))


# errors


CODES = [
    (10000, "Server Timeout", OutcomeUnknown),
    (10016, "Internal System Error.", OutcomeUnknown),
    (170007, "Timeout waiting for response from backend server.", OutcomeUnknown),
    (170146, "Order creation timeout", OutcomeUnknown),
    (10006, "Too many visits!", RateLimited),
    (429, "System level frequency protection", RateLimited),
    (10018, "Exceeded the IP Rate Limit.", Banned),
    (10009, "IP has been banned.", Banned),
    (10002, "The request time exceeds the time window range.", ClockSkew),
    (-1, "request timestamp expired", ClockSkew),
    (10003, "API key is invalid.", BadCredentials),
    (10004, "Error sign, please check your signature generation algorithm.", BadCredentials),
    (10010, "Unmatched IP, please check your API key's bound IP addresses.", BadCredentials),
    (33004, "Your api key has expired.", BadCredentials),
    (-2015, "Invalid API-key", BadCredentials),
    (10005, "Permission denied, please check your API key permissions.", NotPermitted),
    (10001, "Request parameter error", InvalidOrder),
    (10001, "Not supported symbols", UnknownSymbol),
    (110004, "Insufficient wallet balance", InsufficientFunds),
    (110007, "Available balance is insufficient", InsufficientFunds),
    (110012, "Insufficient available balance.", InsufficientFunds),
    (110044, "Insufficient available margin", InsufficientFunds),
    (110045, "Insufficient wallet balance", InsufficientFunds),
    (170131, "Balance insufficient", InsufficientFunds),
    (170033, "margin Insufficient account balance.", InsufficientFunds),
    (110094, "Order notional value below the lower limit", InvalidOrder),
    (170140, "Order value exceeded lower limit", InvalidOrder),
    (110017, "ReduceOnly rule not satisfied", InvalidOrder),
    (110003, "Order price is out of permissible range", InvalidOrder),
    (110020, "Cannot have more than 500 active orders", InvalidOrder),
    (170132, "Order price too high", InvalidOrder),
    (170133, "Order price lower than the minimum.", InvalidOrder),
    (170134, "Order price decimal too long.", InvalidOrder),
    (170136, "Order quantity lower than the minimum.", InvalidOrder),
    (170137, "Order volume decimal too long", InvalidOrder),
    (170148, "Market order amount decimal too long", InvalidOrder),
    (110001, "Order does not exist", UnknownOrder),
    (170213, "Order does not exist.", UnknownOrder),
    (110008, "Order has been finished or canceled", OrderIsFinal),
    (110010, "Order already cancelled", OrderIsFinal),
    (170142, "Order has been canceled", OrderIsFinal),
    (170190, "Order has been finished", OrderIsFinal),
    (110072, "OrderLinkedID is duplicate", DuplicateOrder),
    (170141, "Duplicate clientOrderId", DuplicateOrder),
    (10014, "Invalid duplicate request.", DuplicateOrder),
    (110079, "The order is processing", Retryable),
    (170191, "Order is pending", Retryable),
    (170212, "Order is busy", Retryable),
    (170218, "The LIMIT-MAKER order is rejected due to invalid price.", WouldTake),
    (170121, "Invalid symbol.", UnknownSymbol),
]


@pytest.mark.parametrize(("code", "text", "kind"), CODES)
def test_every_documented_code_has_its_class(code, text, kind):
    with pytest.raises(kind) as caught:
        BYBIT.parse_placed(order(), answer(good.refused(code, text)))
    assert type(caught.value) is kind
    assert str(caught.value) == f"{code}: {text}"
    assert getattr(caught.value, "code", str(code)) == str(code)


def test_unknown_codes_leave_orders_unknown_and_refuse_reads():
    never_heard_of = answer(good.refused(999999, "?"))
    for parse in (
        lambda: BYBIT.parse_placed(order(), never_heard_of),
        lambda: BYBIT.parse_cancelled(ref(), never_heard_of),
        lambda: BYBIT.parse_cancelled_all(instrument(), never_heard_of),
    ):
        with pytest.raises(OutcomeUnknown) as caught:
            parse()
        assert caught.value.code == "999999"
    with pytest.raises(Refused) as refused:
        BYBIT.parse_balances(SPOT, never_heard_of)
    assert (type(refused.value), refused.value.code) == (Refused, "999999")
    assert len(trading.ERRORS) >= 40


def test_a_read_that_timed_out_may_be_sent_again():
    with pytest.raises(Retryable):
        BYBIT.parse_balances(SPOT, answer(good.refused(10016, "Internal System Error.")))


def test_a_limit_is_over_when_the_exchange_says():
    told = good.refused(10006, "Too many visits!")
    with pytest.raises(RateLimited) as caught:
        BYBIT.parse_placed(order(), answer(told, **{"x-bapi-limit-reset-timestamp": str(good.T + 700)}))
    assert caught.value.after_s == 0.7
    for headers in ({}, {"x-bapi-limit-reset-timestamp": "soon"}, {"x-bapi-limit-reset-timestamp": "1"}):
        with pytest.raises(RateLimited) as caught:
            BYBIT.parse_placed(order(), answer(told, **headers))
        assert caught.value.after_s == 1.0


@pytest.mark.parametrize(
    ("status", "headers", "kind", "after_s"),
    [(403, {}, Banned, 600.0), (429, {"retry-after": "7"}, RateLimited, 7.0), (429, {}, RateLimited, 5.0)],
)
def test_bans_of_the_address_come_without_a_code(status, headers, kind, after_s):
    with pytest.raises(kind) as caught:
        BYBIT.parse_placed(order(), answer(b"access too frequent", status, **headers))
    assert (type(caught.value), caught.value.after_s) == (kind, after_s)


def test_a_ban_by_code_is_as_long_as_one_by_status():
    with pytest.raises(Banned) as caught:
        BYBIT.parse_balances(SPOT, answer(good.refused(10018, "Exceeded the IP Rate Limit.")))
    assert caught.value.after_s == 600.0


def test_a_refusal_does_not_repeat_the_key_that_it_quotes():
    text = "error sign! origin_string[17900000000009rFT6uR4uz9Imkw4Wx5000category=linear]"
    with pytest.raises(BadCredentials) as caught:
        BYBIT.parse_balances(SPOT, answer(good.refused(10004, text)))
    assert "9rFT6uR4uz9Imkw4Wx" not in str(caught.value)


# private frames


def test_orders_of_the_other_product_are_not_ours():
    frame = good.push("order", good.order(category="spot"), good.order(category="linear", orderId="2"))
    assert private(SPOT, frame) == [PARTIAL]
    [other] = private(FUTURES, frame)
    assert other.exchange_order_id == "2"
    assert private(SPOT, good.push("order", good.order(category="option"))) == [Ignored()]


def test_executions_are_fills_and_funding_is_none():
    frame = good.push(
        "execution", good.execution(category="linear"), good.execution(category="linear", execType="Funding")
    )
    assert private(FUTURES, frame) == [fill()]
    assert private(SPOT, frame) == [Ignored()]


@pytest.mark.parametrize(
    ("symbol", "asset"), [("BTCUSDT", "USDT"), ("BTCPERP", "USDC"), ("BTCUSDT-21FEB25", None), ("BTC-24MAR23", None)]
)
def test_a_futures_fee_is_in_what_the_contract_settles_in(symbol, asset):
    [event] = private(FUTURES, good.push("execution", good.execution(category="linear", symbol=symbol, feeCurrency="")))
    assert getattr(event, "fee_asset", None) == asset


@pytest.mark.parametrize("missing", [{"execFee": ""}, {"feeCurrency": ""}])
def test_an_execution_without_its_fee_is_looked_up(missing):
    frame = good.push("execution", good.execution(category="spot", **missing))
    assert private(SPOT, frame) == [LookUp(symbol="BTCUSDT", exchange_order_id="4611", client_order_id=OURS)]


def test_wallets_and_positions():
    usdt = Balance(asset="USDT", free=Decimal("9184.12"), total=Decimal("9997.1"))
    btc = Balance(asset="BTC", free=Decimal(0), total=Decimal("9997.1"))
    assert private(SPOT, good.push("wallet", good.WALLET)) == [
        Balances(rows=[usdt, btc], whole=False, exchange_ms=good.T)
    ]
    frame = good.push("position", good.position(category="linear"), good.position(category="inverse"))
    assert private(FUTURES, frame) == [Positions(rows=[SHORT], whole=False, exchange_ms=good.T)]


def test_a_closed_position_is_told_as_zero():
    frame = good.push("position", good.position(category="linear", side="", size="0", entryPrice="0"))
    [event] = private(FUTURES, frame)
    assert (event.rows[0].amount, event.rows[0].entry_price) == (0, None)


def test_logins_in_both_spellings():
    assert private(SPOT, {"success": True, "ret_msg": "", "op": "auth", "conn_id": "c"}) == [LoggedIn()]
    assert private(SPOT, {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": "c"}) == [LoggedIn()]
    assert private(SPOT, {"retCode": 20001, "retMsg": "Repeat auth", "op": "auth"}) == [LoggedIn()]
    assert private(SPOT, {"retCode": 10004, "retMsg": "Error sign", "op": "auth"}) == [
        LoginRefused(code="10004", text="Error sign")
    ]
    echoed = {"success": False, "ret_msg": "error:USVC1111", "request": {"op": "auth", "args": ["the-key", "1", "sig"]}}
    assert private(SPOT, echoed) == [LoginRefused(code="USVC1111", text="error:USVC1111")]


def test_a_subscription_runs_whole_or_not_at_all():
    ack = {"success": True, "ret_msg": "", "op": "subscribe", "conn_id": "c"}
    assert private(FUTURES, ack) == [Subscribed(channel=one) for one in ("order", "execution", "wallet", "position")]
    refusal = ack | {"success": False, "ret_msg": "error:handler not found,topic:order"}
    assert private(SPOT, refusal) == [
        Subscribed(channel=one, ok=False, code="handler not found", text="error:handler not found,topic:order")
        for one in ("order", "execution", "wallet")
    ]


def test_what_goes_out_on_a_private_socket():
    [login] = BYBIT.login(KEYS, SPOT, NOW)
    proof = signing.signature("a-secret", f"GET/realtime{NOW + 10_000}")
    assert json.loads(login) == {"req_id": "1", "op": "auth", "args": ["a-key", NOW + 10_000, proof]}
    [subscribe] = BYBIT.subscribe_private(KEYS, FUTURES, NOW)
    assert json.loads(subscribe) == {
        "req_id": "private",
        "op": "subscribe",
        "args": ["order", "execution", "wallet", "position"],
    }
    assert BYBIT.private_channels(SPOT) == ("order", "execution", "wallet")
    assert BYBIT.private_endpoint(KEYS, SPOT, None) == "wss://stream.bybit.com/v5/private"
    assert BYBIT.private_heartbeat(SPOT).every_s == 20.0
    assert private(SPOT, {"req_id": "test", "op": "pong", "args": ["1"], "conn_id": "c"}) == [Pong()]
    assert BYBIT.token_request(KEYS, SPOT, NOW) is None
    with pytest.raises(MalformedFrame):
        BYBIT.parse_token(SPOT, answer(good.told({})))


def test_ids_and_limits():
    assert BYBIT.id_form(SPOT) is IdForm.TEXT
    assert {name: rate.count for name, rate in BYBIT.trade_limits(FUTURES).budgets.items()} == {
        "create-linear": 10,
        "cancel-linear": 10,
        "cancel-all-linear": 10,
    }


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"op": "auth"},
        {"success": True, "op": "trade"},
        {"topic": "orders", "data": []},
        {"topic": "order"},
        good.push("order", good.order()),
        good.push("order", good.order(category="margin")),
        good.push("order", good.order(category="spot", side="Up")),
        good.push("execution", good.execution(category="spot", execType="Gift")),
        good.push("execution", good.execution(category="spot", execQty="1e999")),
        good.push("wallet", {"accountType": "SPOT", "coin": []}),
        good.push("wallet", {"accountType": "UNIFIED", "coin": [good.coin(walletBalance="NaN")]}),
        "not json",
    ],
)
def test_what_is_not_documented_is_malformed(frame):
    with pytest.raises(MalformedFrame):
        private(SPOT, frame)


# the frames that are to be spoilt


@pytest.mark.parametrize("told", good.ANSWERS, ids=lambda one: one.parse)
def test_answers_that_are_to_be_spoilt_are_good_at_first(told):
    code = told.body["retCode"]
    whole = loaded.answer(told, json.dumps(told.body))
    if code in (0, 110043) and told.body["result"] != {"list": [], "nextPageCursor": "", "category": "linear"}:
        getattr(BYBIT, told.parse)(*told.args, whole)
    else:
        with pytest.raises((Refused, Retryable, OutcomeUnknown)):
            getattr(BYBIT, told.parse)(*told.args, whole)


@pytest.mark.parametrize("market", [SPOT, FUTURES])
def test_private_frames_that_are_to_be_spoilt_are_good_at_first(market):
    assert all(private(market, frame) for frame in good.PRIVATE[market])


# the exchange's own samples


def sampled(captures, file):
    return [json.loads(line) for line in lines(captures, "bybit", file)]


@pytest.mark.captures
def test_every_answer_of_the_documents_is_read_whole(captures):
    bodies = {row["name"]: answer(row["response"]) for row in sampled(captures, "rest_private_docs.jsonl")}
    assert BYBIT.parse_placed(order(client_order_id="spot-test-postonly"), bodies["place"]) == Placed(
        exchange_order_id="1321003749386327552", client_order_id="spot-test-postonly", status=OrderStatus.OPEN
    )
    BYBIT.parse_cancelled(ref(FUTURES, "linear-004"), bodies["cancel"])
    BYBIT.parse_cancelled_all(instrument(), bodies["cancel all"])
    opened = OrderUpdate(
        symbol="ETHUSDT",
        exchange_order_id="fd4300ae-7847-404e-b947-b46980a4d140",
        client_order_id="test-000005",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=Decimal(0),
        amount=Decimal("0.1"),
        price=Decimal(1600),
        exchange_ms=1684738540561,
        text="New",
    )
    assert BYBIT.parse_open_orders(FUTURES, bodies["open orders"]) == Page(
        rows=[opened], cursor="page_args%3Dfd4300ae-7847-404e-b947-b46980a4d140%26symbol%3D6%26"
    )
    assert BYBIT.parse_order(ref(FUTURES, "test-000005", symbol="ETHUSDT"), bodies["open orders"]) == opened
    assert BYBIT.parse_order(ref(FUTURES, "YLxaWKMiHU"), bodies["history"]) == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="14bad3a1-6454-43d8-bcf2-5345896cf74d",
        client_order_id="YLxaWKMiHU",
        status=OrderStatus.REJECTED,
        side=Side.BUY,
        filled=Decimal(0),
        amount=Decimal("0.003"),
        price=Decimal("26864.4"),
        exchange_ms=1684476068372,
        text="Cancelled EC_PostOnlyWillTakeLiquidity",
    )
    assert BYBIT.parse_balances(SPOT, bodies["wallet"]) == [Balance(asset="BTC", free=Decimal(0), total=Decimal(0))]
    assert BYBIT.parse_positions(bodies["positions"]) == Page(
        rows=[
            Position(
                symbol="BTCUSD",
                side=PositionSide.NET,
                amount=Decimal(-300),
                entry_price=Decimal("27464.50441675"),
                unrealised=Decimal("-0.00029413"),
                leverage=Decimal(10),
            )
        ]
    )
    assert BYBIT.parse_own_trades(instrument(FUTURES, "ETHPERP", "USDC"), bodies["executions"]) == Page(
        rows=[
            Fill(
                symbol="ETHPERP",
                exchange_order_id="8c065341-7b52-4ca9-ac2c-37e31ac55c94",
                client_order_id=None,
                trade_id="e0cbe81d-0f18-5866-9415-cf319b5dab3b",
                side=Side.BUY,
                price=Decimal("1190.15"),
                amount=Decimal("0.1"),
                fee=Decimal("0.071409"),
                fee_asset="USDC",
                is_maker=False,
                exchange_ms=1672282722429,
            )
        ]
    )
    assert BYBIT.parse_server_time(SPOT, bodies["time"]) == 1688639403423


@pytest.mark.captures
def test_the_captured_open_orders_are_read_whole(captures):
    told = answer(sampled(captures, "rest_captured_2024-01.jsonl")[2])
    page = BYBIT.parse_open_orders(FUTURES, told)
    assert [(row.exchange_order_id, row.status, row.price, row.amount, row.filled) for row in page.rows] == [
        ("36a2f9ec-700c-481e-bf05-5df9802bad86", OrderStatus.OPEN, Decimal(40000), Decimal("0.001"), 0),
        ("550a465a-5a0d-4cac-b66e-733fa029166c", OrderStatus.OPEN, Decimal(40000), Decimal("0.001"), 0),
    ]
    assert {(row.client_order_id, row.average_price, row.side, row.text) for row in page.rows} == {
        (None, None, Side.BUY, "New")
    }
    assert [row.exchange_ms for row in page.rows] == [1704539225094, 1704539202058]
    assert page.cursor is not None
    assert page.cursor.startswith("36a2f9ec-700c-481e-bf05-5df9802bad86%3A1704539225091%2C")


@pytest.mark.captures
def test_every_documented_error_is_the_class_that_its_code_names(captures):
    kinds = {(code, text): kind for code, text, kind in CODES}
    for row in sampled(captures, "rest_errors.jsonl"):
        body = row["body"]
        kind = Banned if row["http"] == 403 else kinds[(body["retCode"], body["retMsg"])]
        with pytest.raises(kind) as caught:
            BYBIT.parse_placed(order(), answer(body.encode() if isinstance(body, str) else body, row["http"]))
        assert type(caught.value) is kind


@pytest.mark.captures
def test_the_captured_private_frames_are_read_whole(captures):
    first, sold, second, bought = (
        private(FUTURES, row) for row in sampled(captures, "private_events_testnet_2024-01.jsonl")
    )
    nothing = Balance(asset="USDC", free=Decimal(0), total=Decimal(0))
    assert first == [
        Balances(
            rows=[nothing, Balance(asset="USDT", free=Decimal("9189.15314918"), total=Decimal("9997.12798188"))],
            whole=False,
            exchange_ms=1704721219498,
        )
    ]
    assert second == [
        Balances(
            rows=[nothing, Balance(asset="USDT", free=Decimal("8925.16320589"), total=Decimal("10248.61646149"))],
            whole=False,
            exchange_ms=1705740966800,
        )
    ]
    assert sold == [
        OrderUpdate(
            symbol="BTCUSDT",
            exchange_order_id="6e77763c-5589-41de-b52b-36358a577c6d",
            client_order_id=None,
            status=OrderStatus.FILLED,
            side=Side.SELL,
            filled=Decimal("0.001"),
            amount=Decimal("0.001"),
            average_price=Decimal(41562),
            exchange_ms=1705740966797,
            text="Filled",
        )
    ]
    assert bought == [
        Fill(
            symbol="BTCUSDT",
            exchange_order_id="e4385ca4-59cf-4ef8-aa34-61b7ad99ae84",
            client_order_id="SkeltonAgentlp9qlB-0001",
            trade_id="2800474f-1e3d-571e-9cc8-46e3bcb82699",
            side=Side.BUY,
            price=Decimal("41553.9"),
            amount=Decimal("0.001"),
            fee=Decimal("0.02285465"),
            fee_asset="USDT",
            is_maker=False,
            exchange_ms=1705761437503,
        )
    ]


@pytest.mark.captures
def test_every_private_frame_of_the_documents_is_read_whole(captures):
    rows = sampled(captures, "private_events_docs.jsonl")
    option, sold, wallet, closed, fast, cancelled, filled, _, held = (private(FUTURES, row) for row in rows)
    assert (option, fast) == ([Ignored()], [Ignored()])
    assert sold == [
        Fill(
            symbol="BTCUSDT",
            exchange_order_id="9aac161b-8ed6-450d-9cab-c5cc67c21784",
            client_order_id=None,
            trade_id="0ab1bdf7-4219-438b-b30a-32ec863018f7",
            side=Side.SELL,
            price=Decimal("95900.1"),
            amount=Decimal("0.5"),
            fee=Decimal("26.378931279"),
            fee_asset="USDT",
            is_maker=False,
            exchange_ms=1746270400353,
        )
    ]
    assert wallet == [
        Balances(
            rows=[Balance(asset="BTC", free=Decimal("0.00102964"), total=Decimal("0.00102964"))],
            whole=False,
            exchange_ms=1700034722104,
        )
    ]
    assert closed == [
        Positions(
            rows=[
                Position(
                    symbol="BTCUSDT",
                    side=PositionSide.SHORT,
                    amount=Decimal(0),
                    entry_price=None,
                    unrealised=Decimal(0),
                    leverage=Decimal(10),
                )
            ],
            whole=False,
            exchange_ms=1697682317044,
        )
    ]
    assert [(one.status, one.filled, one.client_order_id) for one in cancelled + filled] == [
        (OrderStatus.CANCELLED, 0, "client-1"),
        (OrderStatus.FILLED, Decimal("0.1"), "test-client-order-001"),
    ]
    [rejected] = private(SPOT, rows[7])
    assert (rejected.status, rejected.filled, rejected.average_price) == (
        OrderStatus.REJECTED,
        Decimal(50),
        Decimal("1.5"),
    )
    [positions] = held
    assert positions.rows == [
        Position(
            symbol="ETHUSDT",
            side=PositionSide.NET,
            amount=Decimal("-0.01"),
            entry_price=Decimal("3641.075"),
            unrealised=Decimal("-0.00255"),
            leverage=Decimal(30),
            liquidation_price=Decimal("51764.83003276"),
        )
    ]


@pytest.mark.captures
def test_every_control_frame_of_the_private_socket_is_understood(captures):
    told = [
        row["frame"]
        for row in sampled(captures, "ws_control_frames.jsonl")
        if row["dir"] == "in" and row["where"] == "private"
    ]
    subscribed, pong, logged_in, refused = (private(SPOT, frame) for frame in told)
    assert subscribed == [Subscribed(channel=one) for one in ("order", "execution", "wallet")]
    assert (pong, logged_in) == ([Pong()], [LoggedIn()])
    assert refused == [LoginRefused(code="USVC1111", text="error:USVC1111")]
