"""Hyperliquid's streams of one account, frame by frame."""

import json
from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.drivers.base import Ignored, Pong
from apps.feeds.drivers.trading import PrivateEvent, Subscribed
from apps.feeds.errors import MalformedFrame
from apps.feeds.orders import Balance, Balances, LookUp, OrderStatus, Positions
from apps.feeds.tests import good_account_frames as good
from apps.feeds.tests.test_trading_hyperliquid import (
    BTC_POSITION,
    COLLATERAL,
    DEX,
    FILL,
    FUTURES,
    KEYS,
    NOW,
    SPOT,
    STATE,
    USER,
    update,
    wire_fill,
    wire_order,
)


def parsed(frame: Any, market_type: Any = FUTURES) -> list[PrivateEvent]:
    return DEX.parse_private(KEYS, market_type, frame if isinstance(frame, str) else json.dumps(frame), 7)


def test_a_socket_needs_no_login_but_one_subscription_for_each_channel():
    assert DEX.private_endpoint(KEYS, SPOT, None) == "wss://api.hyperliquid.xyz/ws"
    assert DEX.token_request(KEYS, SPOT, NOW) is None
    assert DEX.login(KEYS, SPOT, NOW) == []
    assert DEX.private_heartbeat(SPOT).send == '{"method":"ping"}'
    wanted = [json.loads(frame)["subscription"] for frame in DEX.subscribe_private(KEYS, FUTURES, NOW)]
    assert wanted == [
        {"type": "orderUpdates", "user": USER},
        {"type": "userFills", "user": USER, "aggregateByTime": False},
        {"type": "clearinghouseState", "user": USER},
    ]
    assert DEX.private_channels(FUTURES) == ("orderUpdates", "userFills", "clearinghouseState")
    assert DEX.private_channels(SPOT) == ("orderUpdates", "userFills", "spotState")


def test_an_answer_repeats_the_subscription():
    wanted = {"type": "userFills", "user": USER, "aggregateByTime": False}
    answer = {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": wanted}}
    assert parsed(answer) == [Subscribed(channel="userFills")]
    answer["data"] = {"method": "unsubscribe", "subscription": wanted}
    assert parsed(answer) == [Ignored()]
    already = {"channel": "error", "data": f"Already subscribed: {json.dumps(wanted)}"}
    assert parsed(already) == [Subscribed(channel="userFills")]
    gone = {"channel": "error", "data": f"Already unsubscribed: {json.dumps(wanted)}"}
    assert parsed(gone) == [Ignored()]


def test_a_subscription_that_is_not_understood():
    asked = json.dumps({"method": "subscribe", "subscription": {"type": "userFills", "user": "me"}})
    text = f"Error parsing JSON into valid websocket request: {asked}"
    refused = Subscribed(channel="userFills", ok=False, code="not understood", text=text)
    assert parsed({"channel": "error", "data": text}) == [refused]


def test_orders_of_one_market_keep_their_order():
    rows = [
        {"order": wire_order(), "status": "open", "statusTimestamp": NOW + 1},
        {"order": wire_order(coin="@107"), "status": "open", "statusTimestamp": NOW + 1},
        {"order": wire_order(sz="0.0"), "status": "filled", "statusTimestamp": NOW + 2},
    ]
    filled = {"status": OrderStatus.FILLED, "filled": Decimal("0.00037"), "exchange_ms": NOW + 2, "text": "filled"}
    assert parsed({"channel": "orderUpdates", "data": rows}) == [update(), update(**filled)]
    assert parsed({"channel": "orderUpdates", "data": rows}, SPOT) == [update(symbol="@107")]
    assert parsed({"channel": "orderUpdates", "data": []}) == [Ignored()]


def fills(**changes: Any) -> dict[str, Any]:
    return {"channel": "userFills", "data": {"user": USER, "fills": [wire_fill()]} | changes}


def test_a_fill_carries_its_id_and_its_fee():
    assert parsed(fills()) == [FILL]
    assert parsed(fills(isSnapshot=False)) == [FILL]
    assert parsed(fills(), SPOT) == [Ignored()]


def test_the_history_that_comes_first_is_left_to_rest():
    assert parsed(fills(isSnapshot=True)) == [Ignored()]


def test_a_frame_about_another_account_is_refused():
    for frame in (
        fills(user="0x14791697260e4c9a71f18484c9f997b308e59325"),
        {"channel": "spotState", "data": {"user": "0x1", "spotState": {"balances": []}}},
        {"channel": "clearinghouseState", "data": {"user": "0x1", "clearinghouseState": STATE}},
    ):
        with pytest.raises(MalformedFrame):
            parsed(frame)


def test_a_cancel_that_is_not_ours_sends_us_to_look():
    frame = {"channel": "user", "data": {"nonUserCancel": [{"coin": "BTC", "oid": 123}, {"coin": "@1", "oid": 4}]}}
    assert parsed(frame) == [LookUp(symbol="BTC", exchange_order_id="123", client_order_id=None)]
    assert parsed({"channel": "user", "data": {"funding": {"coin": "BTC"}}}) == [Ignored()]


def test_balances_and_positions_come_whole():
    spot = {"balances": [{"coin": "USDC", "token": 0, "total": "14.5", "hold": "0.5", "entryNtl": "0.0"}]}
    dollars = Balance(asset="USDC", free=Decimal(14), total=Decimal("14.5"))
    frame = {"channel": "spotState", "data": {"user": USER, "spotState": spot}}
    assert parsed(frame, SPOT) == [Balances(rows=[dollars], whole=True)]
    state = {"channel": "clearinghouseState", "data": {"dex": "", "user": USER, "clearinghouseState": STATE}}
    assert parsed(state) == [
        Balances(rows=[COLLATERAL], whole=True, exchange_ms=NOW),
        Positions(rows=[BTC_POSITION], whole=True, exchange_ms=NOW),
    ]
    state["data"] = {"dex": "xyz", "user": USER, "clearinghouseState": STATE}
    assert parsed(state) == [Ignored()]


def test_frames_that_are_none_of_the_account():
    assert parsed("Websocket connection established.") == [Ignored()]
    assert parsed({"channel": "pong"}) == [Pong()]
    assert parsed({"channel": "l2Book", "data": {}}) == [Ignored()]


@pytest.mark.parametrize(
    "frame",
    [
        {"channel": "telepathy", "data": {}},
        {"channel": "error", "data": "out of order"},
        {"channel": "orderUpdates", "data": [{"order": wire_order(), "status": "levitating", "statusTimestamp": 1}]},
        {"channel": "orderUpdates", "data": [{"order": wire_order(sz="-1"), "status": "o", "statusTimestamp": 1}]},
        {"channel": "orderUpdates", "data": [{"order": wire_order(sz="1"), "status": "open", "statusTimestamp": 1}]},
        {"channel": "orderUpdates", "data": {}},
        fills(fills=[wire_fill(px="0")]),
        fills(fills=[wire_fill(sz="1e400")]),
    ],
)
def test_what_nobody_documents_is_refused(frame: Any):
    with pytest.raises(MalformedFrame):
        parsed(frame)


@pytest.mark.parametrize("market_type", [SPOT, FUTURES])
def test_what_the_fuzz_tests_spoil_is_understood(market_type: Any):
    for frame in good.private_frames("hyperliquid", market_type):
        assert DEX.parse_private(good.owner("hyperliquid"), market_type, frame, 7)
