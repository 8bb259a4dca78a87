"""Bybit's trading half: what its private frames mean."""

import json
from decimal import Decimal

import pytest

from apps.feeds.drivers.base import Ignored, Pong
from apps.feeds.drivers.bybit import signing
from apps.feeds.drivers.trading import (
    IdForm,
    LoggedIn,
    LoginRefused,
    Subscribed,
)
from apps.feeds.errors import (
    MalformedFrame,
)
from apps.feeds.orders import (
    Balance,
    Balances,
    LookUp,
    Positions,
)
from apps.feeds.tests import good_account_frames_bybit as good
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_bybit import BYBIT, FUTURES, KEYS, NOW, OURS, PARTIAL, SHORT, SPOT, fill, private


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
