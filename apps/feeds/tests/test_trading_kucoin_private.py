"""KuCoin's private frames, of both kinds of account: hand-written ones, each with one thing to say."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.drivers.base import Closing, Ignored, Pong, Welcome
from apps.feeds.drivers.trading import (
    LoggedIn,
    LoginRefused,
    Subscribed,
    TokenExpired,
)
from apps.feeds.errors import MalformedFrame
from apps.feeds.orders import (
    Balance,
    Balances,
    LookUp,
    OrderStatus,
    Positions,
)
from apps.feeds.tests import good_account_frames_kucoin as good
from apps.feeds.tests.kucoin_orders import FILL, FUTURES, MS, POSITION, UPDATE, D, private

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
