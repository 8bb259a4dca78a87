"""OKX's private frames: hand-written ones, each with one thing to say."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.drivers.base import Closing, Ignored, Pong
from apps.feeds.drivers.okx import trading_facts
from apps.feeds.drivers.trading import LoggedIn, LoginRefused, Subscribed
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Side
from apps.feeds.orders import (
    Balance,
    Balances,
    Fill,
    LookUp,
    MarginMode,
    OrderStatus,
    OrderUpdate,
    Position,
    Positions,
    PositionSide,
)
from apps.feeds.tests import good_account_frames_okx as good
from apps.feeds.tests.okx_orders import FUTURES, KEYS, NOW, OKX, SPOT, D, private


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
    crowd = good.WALLET | {"details": good.WALLET["details"] * 1_000}
    with pytest.raises(MalformedFrame):
        private(good.push("account", crowd, crowd, crowd))
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
