"""Bybit's own samples of answers and private frames, read to the values they hold."""

import json
from decimal import Decimal

import pytest

from apps.feeds.drivers.base import Ignored, Pong
from apps.feeds.drivers.trading import (
    LoggedIn,
    LoginRefused,
    Page,
    Placed,
    Subscribed,
)
from apps.feeds.errors import (
    Banned,
)
from apps.feeds.market import Side
from apps.feeds.orders import (
    Balance,
    Balances,
    Fill,
    OrderStatus,
    OrderUpdate,
    Position,
    Positions,
    PositionSide,
)
from apps.feeds.tests.captures import lines
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_bybit import BYBIT, CODES, FUTURES, SPOT, instrument, order, private, ref

pytestmark = pytest.mark.captures


def sampled(captures, file):
    return [json.loads(line) for line in lines(captures, "bybit", file)]


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
        position_side=PositionSide.LONG,
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
        position_side=PositionSide.LONG,
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
        ],
        cursor="132766%3A2%2C132766%3A2",
    )
    assert BYBIT.parse_server_time(SPOT, bodies["time"]) == 1688639403423


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


def test_every_documented_error_is_the_class_that_its_code_names(captures):
    kinds = {(code, text): kind for code, text, kind in CODES}
    for row in sampled(captures, "rest_errors.jsonl"):
        body = row["body"]
        kind = Banned if row["http"] == 403 else kinds[(body["retCode"], body["retMsg"])]
        with pytest.raises(kind) as caught:
            BYBIT.parse_placed(order(), answer(body.encode() if isinstance(body, str) else body, row["http"]))
        assert type(caught.value) is kind


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
            position_side=PositionSide.NET,
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
