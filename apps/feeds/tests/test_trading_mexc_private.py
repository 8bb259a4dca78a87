"""MEXC's streams of one account: protobuf behind a listen key, and JSON behind a login."""

import json
from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.drivers.base import Closing, Ignored, Ping, Pong
from apps.feeds.drivers.trading import LoggedIn, LoginRefused, PrivateEvent, Subscribed, Token, TokenExpired
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Side
from apps.feeds.orders import (
    Balance,
    Balances,
    Fill,
    MarginMode,
    OrderStatus,
    OrderUpdate,
    Position,
    Positions,
    PositionSide,
)
from apps.feeds.tests import good_account_frames as good
from apps.feeds.tests import good_account_frames_mexc as sample
from apps.feeds.tests.proto_frames import Message
from apps.feeds.tests.test_trading_mexc import FUTURES, KEYS, MEXC, NOW, SPOT, answer, spot

ORDERS, DEALS, ACCOUNT = sample.ORDERS, sample.DEALS, sample.ACCOUNT


def parsed(market_type: Any, frame: Any) -> list[PrivateEvent]:
    content = frame if isinstance(frame, str | bytes) else json.dumps(frame, ensure_ascii=False)
    return MEXC.parse_private(KEYS, market_type, content, 7)


def without(message: Message, *numbers: int) -> Message:
    return [field for field in message if field[0] not in numbers]


# spot


def test_a_listen_key_opens_the_socket_and_is_kept_alive():
    token = MEXC.parse_token(SPOT, answer({"listenKey": "pqia91ma19a5"}))
    assert token == Token(value="pqia91ma19a5", renew_every_s=1800.0)
    assert MEXC.private_endpoint(KEYS, SPOT, token) == "wss://wbs-api.mexc.com/ws?listenKey=pqia91ma19a5"
    renewal = MEXC.renew_request(KEYS, SPOT, token, NOW)
    assert spot(renewal) == ("PUT", "/userDataStream", {"listenKey": "pqia91ma19a5", "recvWindow": "5000"})
    assert MEXC.login(KEYS, SPOT, NOW) == []
    with pytest.raises(MalformedFrame):
        MEXC.private_endpoint(KEYS, SPOT, None)


def test_spot_subscribes_to_three_channels():
    [frame] = MEXC.subscribe_private(KEYS, SPOT, NOW)
    assert json.loads(str(frame)) == {"method": "SUBSCRIPTION", "params": [ORDERS, DEALS, ACCOUNT], "id": 1}
    assert MEXC.private_channels(SPOT) == (ORDERS, DEALS, ACCOUNT)
    assert MEXC.private_heartbeat(SPOT).send == '{"method":"PING"}'


def test_what_is_not_subscribed_says_code_zero_too():
    echo = {"id": 0, "code": 0, "msg": f"{ORDERS},{DEALS}"}
    assert parsed(SPOT, echo) == [Subscribed(channel=ORDERS), Subscribed(channel=DEALS)]
    msg = f"Subscribed successful! [{ORDERS}]. Not Subscribed successfully! [{DEALS}]. Reason： Blocked! "
    refused = Subscribed(channel=DEALS, ok=False, code="Blocked!", text=msg)
    assert parsed(SPOT, {"id": 0, "code": 0, "msg": msg}) == [Subscribed(channel=ORDERS), refused]
    invalid = parsed(SPOT, {"id": 0, "code": 0, "msg": "msg format invalid"})
    assert invalid == [
        Subscribed(channel=channel, ok=False, code="0", text="msg format invalid")
        for channel in (ORDERS, DEALS, ACCOUNT)
    ]


def test_pings_pongs_and_the_end_of_a_listen_key():
    assert parsed(SPOT, {"id": 0, "code": 0, "msg": "PONG"}) == [Pong()]
    assert parsed(SPOT, {"method": "PING"}) == [Ping('{"method":"PONG"}')]
    assert parsed(SPOT, "Invalid listen key") == [TokenExpired()]
    assert parsed(SPOT, b"Invalid listen key") == [TokenExpired()]


ORDER = OrderUpdate(
    symbol="BTCUSDT",
    exchange_order_id=sample.THEIRS,
    client_order_id=sample.CLIENT_ORDER_ID,
    status=OrderStatus.PARTIAL,
    side=Side.BUY,
    filled=Decimal("0.001"),
    amount=Decimal("0.003"),
    price=Decimal("30000.5"),
    average_price=Decimal(30000),
    exchange_ms=sample.NOW,
    text="PARTIALLY_FILLED",
)


def test_an_order_is_pushed():
    assert parsed(SPOT, sample.push(ORDERS, 304, sample.PUSHED_ORDER)) == [ORDER]


@pytest.mark.parametrize(
    ("status", "text", "meant"),
    [
        (1, "NEW", OrderStatus.OPEN),
        (2, "FILLED", OrderStatus.FILLED),
        (4, "CANCELED", OrderStatus.CANCELLED),
        (5, "PARTIALLY_CANCELED", OrderStatus.CANCELLED),
    ],
)
def test_an_order_in_every_state(status: int, text: str, meant: OrderStatus):
    [told] = parsed(SPOT, sample.push(ORDERS, 304, [*without(sample.PUSHED_ORDER, 15), (15, status)]))
    assert isinstance(told, OrderUpdate)
    assert (told.status, told.text) == (meant, text)


def test_what_protobuf_leaves_out_is_zero():
    [told] = parsed(SPOT, sample.push(ORDERS, 304, without(sample.PUSHED_ORDER, 2, 3, 4, 6, 13)))
    assert isinstance(told, OrderUpdate)
    assert (told.client_order_id, told.price, told.amount, told.average_price, told.filled) == (
        None,
        None,
        None,
        None,
        0,
    )


def test_a_deal_is_pushed_with_its_id_and_its_fee():
    expected = Fill(
        symbol="BTCUSDT",
        exchange_order_id=sample.THEIRS,
        client_order_id=sample.CLIENT_ORDER_ID,
        trade_id="505979017439002624X1",
        side=Side.SELL,
        price=Decimal(30000),
        amount=Decimal("0.001"),
        fee=Decimal("0.0003998"),
        fee_asset="MX",
        is_maker=True,
        exchange_ms=sample.NOW,
    )
    assert parsed(SPOT, sample.push(DEALS, 306, sample.PUSHED_DEAL)) == [expected]
    [taken] = parsed(SPOT, sample.push(DEALS, 306, without(sample.PUSHED_DEAL, 5, 8)))
    assert isinstance(taken, Fill)
    assert (taken.is_maker, taken.client_order_id) == (False, None)


def test_a_balance_is_pushed_asset_by_asset():
    dollars = Balance(asset="USDT", free=Decimal("21.9"), total=Decimal("22.9"))
    told = Balances(rows=[dollars], whole=False, exchange_ms=sample.NOW)
    assert parsed(SPOT, sample.push(ACCOUNT, 307, sample.PUSHED_ACCOUNT)) == [told]


def test_a_push_without_a_body_says_nothing():
    assert parsed(SPOT, sample.encoded([(1, ORDERS), (3, "BTCUSDT"), (6, NOW)])) == [Ignored()]


@pytest.mark.parametrize(
    "frame",
    [
        sample.push(ORDERS, 306, sample.PUSHED_DEAL),  # the body of another channel
        sample.push("spot@private.stop.v3.api.pb", 304, sample.PUSHED_ORDER),
        sample.push(ORDERS, 304, [*without(sample.PUSHED_ORDER, 15), (15, 9)]),
        sample.push(ORDERS, 304, [*without(sample.PUSHED_ORDER, 3), (3, "1e99")]),
        sample.push(ORDERS, 304, without(sample.PUSHED_ORDER, 1)),
        sample.push(DEALS, 306, without(sample.PUSHED_DEAL, 2)),
        sample.push(DEALS, 306, without(sample.PUSHED_DEAL, 7)),
        sample.encoded([(1, ORDERS), (6, NOW), (304, sample.PUSHED_ORDER)]),  # of no symbol
        b"\x0a\xff",
        "{}",
        "[",
    ],
)
def test_what_spot_does_not_document_is_refused(frame: Any):
    with pytest.raises(MalformedFrame):
        parsed(SPOT, frame)


# futures


def test_futures_log_in_and_name_what_they_want():
    assert MEXC.private_endpoint(KEYS, FUTURES, None) == "wss://contract.mexc.com/edge"
    assert MEXC.token_request(KEYS, FUTURES, NOW) is None
    assert MEXC.renew_request(KEYS, FUTURES, Token(value=""), NOW) is None
    [frame] = MEXC.subscribe_private(KEYS, FUTURES, NOW)
    filters = [{"filter": name} for name in ("order", "order.deal", "position", "asset")]
    assert json.loads(str(frame)) == {"method": "personal.filter", "param": {"filters": filters}}
    assert MEXC.private_channels(FUTURES) == ("personal.filter",)
    with pytest.raises(MalformedFrame):
        MEXC.parse_token(FUTURES, answer({"listenKey": "x"}))


def test_answers_to_the_login_and_to_the_filter():
    assert parsed(FUTURES, {"channel": "rs.login", "data": "success", "ts": "1587442022003"}) == [LoggedIn()]
    refused = {"channel": "rs.error", "data": "Signature verification failed", "ts": NOW}
    assert parsed(FUTURES, refused) == [LoginRefused(code="rs.error", text="Signature verification failed")]
    assert parsed(FUTURES, {"channel": "rs.login", "data": "no"}) == [LoginRefused(code="rs.login", text="no")]
    assert parsed(FUTURES, {"channel": "rs.personal.filter", "data": "success"}) == [
        Subscribed(channel="personal.filter")
    ]
    assert parsed(FUTURES, {"channel": "rs.personal.filter", "data": "unknown filter"}) == [
        Subscribed(channel="personal.filter", ok=False, text="unknown filter")
    ]
    goodbye = "more than 60 seconds no response, close the channel"
    assert parsed(FUTURES, {"channel": "rs.error", "data": goodbye, "ts": NOW}) == [Closing(goodbye)]
    assert parsed(FUTURES, {"channel": "pong", "data": NOW, "ts": NOW}) == [Pong()]


def personal(kind: str, data: Any) -> dict[str, Any]:
    return {"channel": f"push.personal.{kind}", "data": data, "ts": NOW}


def test_futures_push_orders_and_deals():
    update = OrderUpdate(
        symbol="BTC_USDT",
        exchange_order_id="739113577038255616",
        client_order_id=sample.CLIENT_ORDER_ID,
        status=OrderStatus.PARTIAL,
        side=Side.BUY,
        filled=Decimal(4),
        amount=Decimal(10),
        price=Decimal("30000.5"),
        average_price=Decimal(30000),
        exchange_ms=sample.NOW,
        text="2:0",
    )
    assert parsed(FUTURES, personal("order", sample.SWAP_ORDER | {"remainVol": 6, "takerFee": 0.1})) == [update]
    fill = Fill(
        symbol="BTC_USDT",
        exchange_order_id="739113577038255616",
        client_order_id=sample.CLIENT_ORDER_ID,
        trade_id="311655369",
        side=Side.SELL,
        price=Decimal("30000.5"),
        amount=Decimal(1),
        fee=Decimal("0.00060288"),
        fee_asset="USDT",
        is_maker=False,
        exchange_ms=sample.NOW,
    )
    assert parsed(FUTURES, personal("order.deal", sample.DEAL)) == [fill]


def test_futures_push_positions_and_assets_one_by_one():
    held = Position(
        symbol="BTC_USDT",
        side=PositionSide.LONG,
        amount=Decimal(1),
        entry_price=Decimal("30000.5"),
        leverage=Decimal(3),
        margin_mode=MarginMode.ISOLATED,
        liquidation_price=Decimal(20000),
    )
    assert parsed(FUTURES, personal("position", sample.HELD)) == [Positions(rows=[held], whole=False, exchange_ms=NOW)]
    dollars = Balance(asset="USDT", free=Decimal("0.75"), total=Decimal("0.75"))
    assert parsed(FUTURES, personal("asset", sample.ASSET)) == [Balances(rows=[dollars], whole=False, exchange_ms=NOW)]
    assert parsed(FUTURES, personal("plan.order", {})) == [Ignored()]
    assert parsed(FUTURES, {"channel": "push.ticker", "data": {}, "ts": NOW}) == [Ignored()]


@pytest.mark.parametrize(
    "frame",
    [
        {"channel": "rs.telepathy", "data": "success"},
        {"data": "success"},
        personal("order", sample.SWAP_ORDER | {"state": 6}),
        personal("order", sample.SWAP_ORDER | {"side": 5}),
        personal("order", sample.SWAP_ORDER | {"dealVol": -1}),
        personal("order.deal", sample.DEAL | {"price": 0}),
        personal("asset", {"currency": "USDT"}),
        personal("position", sample.HELD | {"positionType": 3}),
    ],
)
def test_what_futures_do_not_document_is_refused(frame: Any):
    with pytest.raises(MalformedFrame):
        parsed(FUTURES, frame)


@pytest.mark.parametrize("market_type", [SPOT, FUTURES])
def test_what_the_fuzz_tests_spoil_is_understood(market_type: Any):
    for frame in good.private_frames("mexc", market_type):
        assert MEXC.parse_private(good.owner("mexc"), market_type, frame, 7)
