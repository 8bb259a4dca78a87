"""HTX's trading half: answers to values, private frames to events, by hand and as they were recorded."""

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds import errors
from apps.feeds.drivers.base import Closing, Ignored, Ping
from apps.feeds.drivers.htx.trader import HtxTrader
from apps.feeds.drivers.trading import Answer, LoggedIn, LoginRefused, Placed, Subscribed
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import (
    Balance,
    Balances,
    Credentials,
    Fees,
    Fill,
    FundingPayment,
    LookUp,
    MarginMode,
    OrderRef,
    OrderStatus,
    OrderUpdate,
    Permissions,
    Position,
    Positions,
    PositionSide,
)
from apps.feeds.tests import good_account_frames_htx as good
from apps.feeds.tests.captures import lines
from apps.feeds.tests.good_account_frames import CLIENT_ORDER_ID, limit_order
from apps.feeds.tests.trader_requests import answer

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
HTX = HtxTrader()
KEYS = good.KEYS
NOW = 1780966573200
BTC, SWAP = good.BTC, good.SWAP
D = Decimal
DAY_MS = 86_400_000


def parsed(market_type: MarketType, frame: object, keys: Credentials = KEYS) -> list[Any]:
    return HTX.parse_private(keys, market_type, json.dumps(frame), 0)


# orders


def test_a_placed_order_is_open() -> None:
    assert HTX.parse_placed(limit_order(BTC), answer(good.ok("438398393065481"))) == Placed(
        exchange_order_id="438398393065481", client_order_id=CLIENT_ORDER_ID, status=OrderStatus.OPEN
    )
    swap = limit_order(SWAP, client_order_id=good.NUMBER)
    assert HTX.parse_placed(swap, answer(good.v5({"order_id": "15", "client_order_id": good.NUMBER}))) == Placed(
        exchange_order_id="15", client_order_id=good.NUMBER, status=OrderStatus.OPEN
    )


@pytest.mark.parametrize("state", [0, -1, 5, 6, 7])
def test_a_cancel_by_client_id_tells_that_there_is_nothing_to_cancel(state: int) -> None:
    kind = errors.UnknownOrder if state == 0 else errors.OrderIsFinal
    with pytest.raises(kind) as raised:
        HTX.parse_cancelled(good.BY_CLIENT, answer(good.ok(state)))
    assert raised.value.code == str(state)


def test_a_cancel_is_accepted_before_it_is_done() -> None:
    HTX.parse_cancelled(good.BY_CLIENT, answer(good.ok(10)))
    HTX.parse_cancelled(good.BY_CLIENT, answer(good.ok("438398393065481")))
    HTX.parse_cancelled(good.BY_THEIRS, answer(good.ok("10138899000")))
    HTX.parse_cancelled(good.SWAP_REF, answer(good.v5({"order_id": "15", "client_order_id": "15"})))
    with pytest.raises(errors.OutcomeUnknown):
        HTX.parse_cancelled(good.BY_CLIENT, answer(good.ok(12)))


def test_cancelling_everything_is_asked_for_again_while_orders_are_left() -> None:
    told = {"code": 200, "data": {"success-count": 100, "failed-count": 0, "next-id": 5454600}}
    with pytest.raises(errors.Retryable):
        HTX.parse_cancelled_all(BTC, answer(told))
    told["data"] = {"success-count": 0, "failed-count": 1, "next-id": -1}
    HTX.parse_cancelled_all(BTC, answer(told))


def test_cancelling_all_of_a_swap_ends_well_where_orders_were_over_already() -> None:
    over = [{"code": 200, "message": "Success", "order_id": "1"}, {"code": 1071, "message": "over", "order_id": "2"}]
    HTX.parse_cancelled_all(SWAP, answer(good.v5(over)))
    HTX.parse_cancelled_all(SWAP, answer(good.swap_refused(1051)))
    with pytest.raises(errors.OutcomeUnknown):
        HTX.parse_cancelled_all(SWAP, answer(good.v5([*over, {"code": 1004, "message": "busy", "order_id": "3"}])))


SPOT_STATES = [
    ("created", OrderStatus.PENDING),
    ("submitted", OrderStatus.OPEN),
    ("partial-filled", OrderStatus.PARTIAL),
    ("filled", OrderStatus.FILLED),
    ("canceled", OrderStatus.CANCELLED),
    ("partial-canceled", OrderStatus.CANCELLED),
    ("rejected", OrderStatus.REJECTED),
    ("canceling", OrderStatus.PARTIAL),  # as it was before
]


@pytest.mark.parametrize(("theirs", "ours"), SPOT_STATES)
def test_every_state_of_a_spot_order_is_translated(theirs: str, ours: OrderStatus) -> None:
    told = HTX.parse_order(good.BY_THEIRS, answer(good.ok(good.spot_order(state=theirs))))
    assert told == OrderUpdate(
        symbol="btcusdt",
        exchange_order_id="4611",
        client_order_id=CLIENT_ORDER_ID,
        status=ours,
        side=Side.BUY,
        filled=D("0.001"),
        amount=D("0.003"),
        price=D("30000.5"),
        average_price=D(30000),
        exchange_ms=1640549994642,
        text=theirs,
    )


def test_a_market_buy_of_spot_has_no_amount_in_base_currency() -> None:
    row = good.spot_order(type="buy-market", amount="100", price="0.0", state="filled")
    told = HTX.parse_order(good.BY_THEIRS, answer(good.ok(row)))
    assert (told.amount, told.price, told.filled) == (None, None, D("0.001"))


SWAP_STATES = [
    ("new", OrderStatus.OPEN),
    ("partially_filled", OrderStatus.PARTIAL),
    ("filled", OrderStatus.FILLED),
    ("canceled", OrderStatus.CANCELLED),
    ("partially_canceled", OrderStatus.CANCELLED),
    ("rejected", OrderStatus.REJECTED),
]


@pytest.mark.parametrize(("theirs", "ours"), SWAP_STATES)
def test_every_state_of_a_swap_order_is_translated(theirs: str, ours: OrderStatus) -> None:
    told = HTX.parse_order(good.SWAP_REF, answer(good.v5(good.swap_order(state=theirs, cancel_reason="ioc"))))
    assert told == OrderUpdate(
        symbol="BTC-USDT",
        exchange_order_id="1513828877079584768",
        client_order_id=good.NUMBER,
        status=ours,
        side=Side.BUY,
        filled=D(1),
        amount=D(3),
        price=D(50000),
        average_price=D("49999.5"),
        exchange_ms=1780966572409,
        text=f"{theirs} (ioc)",
        position_side=PositionSide.NET,
    )


@pytest.mark.parametrize("content", [good.ok(None), good.spot_refused("base-record-invalid")])
def test_an_order_that_is_not_there_is_unknown(content: object) -> None:
    with pytest.raises(errors.UnknownOrder):
        HTX.parse_order(good.BY_THEIRS, answer(content))
    with pytest.raises(errors.UnknownOrder):
        HTX.parse_order(good.SWAP_REF, answer(good.v5(None)))


@pytest.mark.parametrize(
    ("ref", "content"),
    [
        (good.BY_THEIRS, good.ok(good.spot_order(state="new"))),
        (good.BY_THEIRS, good.ok(good.spot_order(type="limit"))),
        (good.BY_THEIRS, good.ok(good.spot_order(amount="NaN"))),
        (good.SWAP_REF, good.v5(good.swap_order(state="open"))),
        (good.SWAP_REF, good.v5(good.swap_order(side="both"))),
        (good.SWAP_REF, good.v5(good.swap_order(trade_volume="-1"))),
    ],
)
def test_an_unknown_word_is_malformed(ref: OrderRef, content: object) -> None:
    with pytest.raises(errors.MalformedFrame):
        HTX.parse_order(ref, answer(content))


def test_full_pages_of_open_orders_tell_where_the_next_begins() -> None:
    spot = [good.spot_order(id=number) for number in range(1000, 500, -1)]
    assert HTX.parse_open_orders(SPOT, answer(good.ok(spot))).cursor == "501"
    assert HTX.parse_open_orders(SPOT, answer(good.ok(spot[1:]))).cursor is None
    swap = [good.swap_order(id=str(number)) for number in range(100)]
    assert HTX.parse_open_orders(FUTURES, answer(good.v5(swap))).cursor == "99"
    assert HTX.parse_open_orders(FUTURES, answer(good.v5(None))).rows == []


def test_executions_of_a_long_time_are_asked_for_in_windows_of_two_days() -> None:
    since = NOW - 3 * DAY_MS
    request = HTX.own_trades(KEYS, BTC, since, NOW)
    assert f"start-time={since}" in request.url
    assert f"end-time={since + 2 * DAY_MS}" in request.url
    full = answer(good.ok([good.spot_match(id=number) for number in range(1000, 500, -1)]), url=request.url)
    assert HTX.parse_own_trades(BTC, full).cursor == f"{since}:501"
    more = HTX.own_trades(KEYS, BTC, since, NOW, f"{since}:501")
    assert "direct=next&end-time=" in more.url
    assert "from=501" in more.url
    last_of_window = HTX.parse_own_trades(BTC, answer(good.ok([good.spot_match()]), url=more.url))
    assert last_of_window.cursor == str(since + 2 * DAY_MS)
    newest = HTX.own_trades(KEYS, BTC, since, NOW, last_of_window.cursor)
    assert "end-time" not in newest.url
    assert HTX.parse_own_trades(BTC, answer(good.ok([]), url=newest.url)).cursor is None


def test_executions_of_swaps_and_bills_are_asked_for_in_windows_as_well() -> None:
    since = NOW - 3 * DAY_MS
    for request, parse, row in (
        (HTX.own_trades(KEYS, SWAP, since, NOW), HTX.parse_own_trades, good.swap_match(id="7")),
        (HTX.funding(KEYS, SWAP, since, NOW), HTX.parse_funding, good.bill(id="7")),
    ):
        assert f"end_time={since + 2 * DAY_MS}" in request.url
        assert parse(SWAP, answer(good.v5([row] * 100), url=request.url)).cursor == f"{since}:7"
        assert parse(SWAP, answer(good.v5([row]), url=request.url)).cursor == str(since + 2 * DAY_MS)
        with pytest.raises(errors.MalformedFrame):
            parse(SWAP, answer(good.v5([row] * 100)))


def test_a_fee_that_was_deducted_from_something_else_is_that_fee() -> None:
    points = good.spot_match(**{"filled-fees": "0", "filled-points": "0.1", "fee-deduct-currency": "hbpoint"})
    plain = good.spot_match(**{"filled-fees": "-0.5", "fee-currency": "usdt", "role": "Maker"})
    rows = HTX.parse_own_trades(BTC, answer(good.ok([points, plain]))).rows
    assert [(row.fee, row.fee_asset, row.is_maker) for row in rows] == [
        (D("0.1"), "HBPOINT", False),
        (D("-0.5"), "USDT", True),
    ]


# the account


def test_the_account_of_a_key_is_its_wallet_and_its_user() -> None:
    wallets = [
        {"id": 1, "type": "point", "subtype": "", "state": "working"},
        {"id": 2, "type": "spot", "subtype": "", "state": "lock"},
        {"id": 3, "type": "spot", "subtype": "", "state": "working"},
    ]
    uid = answer({"code": 200, "data": 63628520})
    assert HTX.parse_account([answer(good.ok(wallets)), uid]) == "3:63628520"
    with pytest.raises(errors.NotPermitted):
        HTX.parse_account([answer(good.ok(wallets[:2])), uid])


def test_balances_of_spot_are_what_is_free_and_frozen() -> None:
    rows = [
        {"currency": "usdt", "type": "trade", "balance": "10.5"},
        {"currency": "usdt", "type": "frozen", "balance": "0.5"},
        {"currency": "usdt", "type": "loan", "balance": "-100"},
        {"currency": "btc", "type": "frozen", "balance": "2"},
    ]
    told = HTX.parse_balances(SPOT, answer(good.ok({"id": 1, "type": "spot", "state": "working", "list": rows})))
    assert told == [
        Balance(asset="USDT", free=D("10.5"), total=D(11)),
        Balance(asset="BTC", free=D(0), total=D(2)),
    ]
    rows.append({"currency": "btc", "type": "new", "balance": "2"})
    with pytest.raises(errors.MalformedFrame):
        HTX.parse_balances(SPOT, answer(good.ok({"list": rows})))


@pytest.mark.parametrize(
    ("position_side", "direction", "side", "amount"),
    [
        ("both", "buy", PositionSide.NET, "2"),
        ("both", "sell", PositionSide.NET, "-2"),
        ("long", "buy", PositionSide.LONG, "2"),
        ("short", "sell", PositionSide.SHORT, "-2"),
    ],
)
def test_positions_have_signs_in_both_modes(
    position_side: str, direction: str, side: PositionSide, amount: str
) -> None:
    row = good.position(position_side=position_side, direction=direction)
    assert HTX.parse_positions(answer(good.v5([row]))).rows == [
        Position(
            symbol="BTC-USDT",
            side=side,
            amount=D(amount),
            entry_price=D("63204.5"),
            unrealised=D("-0.039"),
            leverage=D(20),
            margin_mode=MarginMode.CROSS,
            liquidation_price=D("50163.8"),
        )
    ]


def test_fees_are_those_that_apply_and_the_dearer_of_opening_and_closing() -> None:
    spot = {"symbol": "btcusdt", "actualMakerRate": "0.001", "actualTakerRate": "0.002", "makerFeeRate": "0.003"}
    told = answer({"code": 200, "data": [spot], "success": True})
    assert HTX.parse_fees(BTC, told) == Fees(maker=D("0.001"), taker=D("0.002"))
    swap = {"contract_code": "BTC-USDT", "open_maker_fee": "0.0002", "open_taker_fee": "0.0006"}
    swap |= {"close_maker_fee": "0.0003", "close_taker_fee": "0.0005", "fee_asset": "USDT"}
    assert HTX.parse_fees(SWAP, answer(good.ok([swap]))) == Fees(maker=D("0.0003"), taker=D("0.0006"))
    with pytest.raises(errors.MalformedFrame):
        HTX.parse_fees(SWAP, answer(good.ok([])))


def test_funding_is_received_or_paid_by_its_kind() -> None:
    rows = [good.bill(), good.bill(type="31", amount="0.0004"), good.bill(type="31", amount="-0.0004")]
    told = HTX.parse_funding(SWAP, answer(good.v5(rows))).rows
    assert [row.amount for row in told] == [D("0.0004"), D("-0.0004"), D("-0.0004")]
    assert told[0] == FundingPayment(
        payment_id="2194774775", symbol="BTC-USDT", asset="USDT", amount=D("0.0004"), exchange_ms=1780963213165
    )
    for bad in ({"type": "5"}, {"id": "9" * 129}):
        with pytest.raises(errors.MalformedFrame):
            HTX.parse_funding(SWAP, answer(good.v5([good.bill(**bad)])))


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ("readOnly", (True, False, False)),
        ("readOnly,trade", (True, True, False)),
        ("readOnly,trade,withdraw", (True, True, True)),
    ],
)
def test_a_key_that_may_withdraw_is_told_as_such(told: str, want: tuple[bool, bool, bool]) -> None:
    row = {"accessKey": "k", "status": "normal", "permission": told, "ipAddresses": "", "validDays": -1}
    read, trade, withdraw = want
    assert HTX.parse_permissions(answer({"code": 200, "data": [row]})) == Permissions(
        read=read, trade_spot=trade, trade_futures=trade, withdraw=withdraw, ip_bound=False
    )


@pytest.mark.parametrize(
    ("parse", "content"),
    [
        (lambda told: HTX.parse_fees(BTC, told), {"code": 200, "data": []}),
        (lambda told: HTX.parse_server_time(SPOT, told), {"status": "ok", "ts": 1}),
        (HTX.parse_positions, good.v5([good.position(position_side="net")])),
        (HTX.parse_positions, good.v5([good.position(margin_mode="new")])),
        (HTX.parse_permissions, {"code": 200, "data": []}),
        (lambda told: HTX.parse_own_trades(SWAP, told), good.v5([good.swap_match(role="both")])),
        (lambda told: HTX.parse_balances(SPOT, told), good.ok({"list": [{"currency": "usdt"}]})),
    ],
)
def test_an_account_that_cannot_be_read_is_malformed(parse: Callable[[Answer], object], content: object) -> None:
    with pytest.raises(errors.MalformedFrame):
        parse(answer(content))


# private sockets


def test_private_channels_are_subscribed_to_whole() -> None:
    assert [json.loads(frame) for frame in HTX.subscribe_private(KEYS, SPOT, NOW)] == [
        {"action": "sub", "ch": "orders#*"},
        {"action": "sub", "ch": "trade.clearing#*#0"},
        {"action": "sub", "ch": "accounts.update#2"},
    ]
    assert [json.loads(frame) for frame in HTX.subscribe_private(KEYS, FUTURES, NOW)] == [
        {"op": "sub", "cid": "1", "topic": "orders", "contract_code": "*"},
        {"op": "sub", "cid": "2", "topic": "trade", "contract_code": "*"},
        {"op": "sub", "cid": "3", "topic": "account"},
        {"op": "sub", "cid": "4", "topic": "positions", "contract_code": "*"},
    ]
    assert HTX.private_endpoint(KEYS, SPOT, None) == "wss://api.huobi.pro/ws/v2"
    assert HTX.private_endpoint(KEYS, FUTURES, None) == "wss://api.hbdm.com/ws/v5/notification"
    assert HTX.private_heartbeat(SPOT).listens
    assert HTX.private_channels(FUTURES) == ("orders", "trade", "account", "positions")


CONTROL = [
    (SPOT, {"action": "req", "code": 200, "ch": "auth", "data": {}}, LoggedIn()),
    (
        SPOT,
        {"action": "req", "code": 2002, "ch": "auth", "message": "auth.fail"},
        LoginRefused(code="2002", text="auth.fail"),
    ),
    (SPOT, {"action": "req", "code": 500, "ch": "auth", "message": "internal"}, Ignored()),
    (SPOT, {"action": "sub", "code": 200, "ch": "orders#*", "data": {}}, Subscribed(channel="orders#*")),
    (
        SPOT,
        {"action": "sub", "code": 2001, "ch": "orders#*", "message": "no"},
        Subscribed(channel="orders#*", ok=False, code="2001", text="no"),
    ),
    (SPOT, {"action": "ping", "data": {"ts": 15}}, Ping('{"action":"pong","data":{"ts":15}}')),
    (FUTURES, {"op": "auth", "type": "api", "err-code": 0, "ts": 1, "data": {"user-id": "3"}}, LoggedIn()),
    (FUTURES, {"op": "auth", "err-code": 2002, "err-msg": "no", "ts": 1}, LoginRefused(code="2002", text="no")),
    (FUTURES, {"op": "sub", "cid": "1", "topic": "trade", "err-code": 0}, Subscribed(channel="trade")),
    (FUTURES, {"op": "ping", "ts": "1492420473058"}, Ping('{"op":"pong","ts":"1492420473058"}')),
    (FUTURES, {"op": "ping", "ts": 1492420473058}, Ping('{"op":"pong","ts":1492420473058}')),
    (FUTURES, {"op": "close", "ts": 1}, Closing("close")),
    (FUTURES, {"op": "error", "ts": 1}, Ignored()),
]


@pytest.mark.parametrize(("market_type", "frame", "want"), CONTROL)
def test_control_frames_are_understood(market_type: MarketType, frame: object, want: object) -> None:
    assert parsed(market_type, frame) == [want]


def test_a_market_buy_of_spot_counts_the_execution_for_what_was_filled_at_least() -> None:
    [update] = parsed(SPOT, good.spot_event(type="buy-market", execAmt="30", orderPrice="0"))
    assert (update.filled, update.amount, update.status) == (D("0.001"), None, OrderStatus.PARTIAL)


def test_a_stop_order_that_never_became_one_has_no_id_of_theirs() -> None:
    [update] = parsed(SPOT, good.PRIVATE[SPOT][9])
    assert update == OrderUpdate(
        symbol="btcusdt",
        exchange_order_id="",
        client_order_id="test1",
        status=OrderStatus.REJECTED,
        side=Side.BUY,
        filled=D(0),
        exchange_ms=1583853365586,
        text="rejected (invalid.client.order.id (NT))",
    )


def test_only_the_whole_balances_of_our_wallet_are_told() -> None:
    row = Balance(asset="USDT", free=D("20.1"), total=D("20.3"))
    assert parsed(SPOT, good.holding()) == [Balances(rows=[row], whole=False, exchange_ms=1568601800000)]
    [total_only] = parsed(SPOT, good.holding(available=None))
    assert total_only.rows == [replace(row, free=None)]
    for changes in ({"accountId": 1}, {"accountType": "loan"}, {"balance": None}):
        assert parsed(SPOT, good.holding(**changes)) == [Ignored()]


def test_the_fee_of_a_push_may_be_deducted_from_something_else() -> None:
    [fill] = parsed(SPOT, good.clearing(feeDeduct="0.3", feeDeductType="ht", transactFee="0", aggressor=False))
    assert (fill.fee, fill.fee_asset, fill.is_maker) == (D("0.3"), "HT", True)
    assert parsed(SPOT, good.clearing(eventType="cancellation")) == [Ignored()]


@pytest.mark.parametrize(
    ("market_type", "frame"),
    [
        (SPOT, {"op": "ping", "ts": "1"}),
        (SPOT, {"action": "unheard"}),
        (SPOT, good.push("unheard#*")),
        (SPOT, good.spot_event(eventType="unheard")),
        (SPOT, good.spot_event(orderStatus="unheard")),
        (SPOT, good.clearing(tradeId=None)),
        (SPOT, good.clearing(tradeVolume="0")),
        (FUTURES, {"action": "ping", "data": {"ts": 1}}),
        (FUTURES, {"op": "unheard"}),
        (FUTURES, good.notify("unheard", {})),
        (FUTURES, good.notify("orders", good.swap_order(state="unheard"))),
        (FUTURES, good.notify("positions", [good.position(direction="unheard")])),
        (FUTURES, good.notify("account", {"details": None})),
        (FUTURES, good.notify("trade", [good.swap_match(client_order_id="9" * 129)])),
    ],
)
def test_what_is_not_documented_is_malformed(market_type: MarketType, frame: object) -> None:
    with pytest.raises(errors.MalformedFrame):
        parsed(market_type, frame)


def test_frames_of_swaps_come_packed() -> None:
    frame = json.dumps(good.notify("orders", good.swap_order()))
    packed = HTX.parse_private(KEYS, FUTURES, gzip.compress(frame.encode()), 0)
    assert packed == HTX.parse_private(KEYS, FUTURES, frame, 0)


# the samples that are at hand


def samples(captures: Path, file: str) -> dict[str, Answer]:
    rows = [json.loads(line) for line in lines(captures, "htx", file)]
    return {row["_case"]: answer(row["_body"]) for row in rows}


@pytest.mark.captures
def test_every_spot_answer_at_hand_parses_to_its_values(captures: Path) -> None:
    told = samples(captures, "rest_spot.jsonl")
    assert HTX.parse_server_time(SPOT, told["server_time"]) == 1637504261099
    placed = HTX.parse_placed(limit_order(BTC), told["order_place_ok"])
    assert placed.exchange_order_id == "438398393065481"
    HTX.parse_cancelled(good.BY_THEIRS, told["cancel_ok"])
    with pytest.raises(errors.Retryable):
        HTX.parse_cancelled_all(BTC, told["cancel_open_orders"])
    assert HTX.parse_order(good.BY_THEIRS, told["order_query"]) == OrderUpdate(
        symbol="ethusdt",
        exchange_order_id="438398393065481",
        client_order_id="AA03022abc2163433e-006b-480e-9ad1-d4781478c5e7",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=D(0),
        amount=D("0.1"),
        price=D(3000),
        exchange_ms=1640549994642,
        text="submitted",
    )
    assert HTX.parse_open_orders(SPOT, told["open_orders"]).rows == [
        OrderUpdate(
            symbol="ethusdt",
            exchange_order_id="38477101630",
            client_order_id=None,
            status=OrderStatus.OPEN,
            side=Side.SELL,
            filled=D(0),
            amount=D("0.01"),
            price=D(400),
            exchange_ms=1561597491963,
            text="submitted",
        )
    ]
    assert HTX.parse_account([told["accounts"], answer({"code": 200, "data": 5})]) == "1528640:5"
    assert HTX.parse_balances(SPOT, told["balance"]) == [
        Balance(asset="LUN", free=D(0), total=D(0)),
        Balance(asset="HT", free=D(0), total=D(0)),
    ]
    assert HTX.parse_own_trades(BTC, told["my_trades"]).rows == [
        Fill(
            symbol="polyusdt",
            exchange_order_id="345487249132375",
            client_order_id=None,
            trade_id="1085",
            side=Side.BUY,
            price=D("0.338"),
            amount=D("147.928994082840236"),
            fee=D("0.1"),
            fee_asset="HBPOINT",
            is_maker=False,
            exchange_ms=1629443051839,
        )
    ]


@pytest.mark.captures
def test_every_answer_of_swaps_at_hand_parses_to_its_values(captures: Path) -> None:
    told = samples(captures, "rest_linear_v5.jsonl")
    order_id = "1512501029504577536"
    assert HTX.parse_placed(limit_order(SWAP, client_order_id=good.NUMBER), told["v5_order_place_ok"]) == Placed(
        exchange_order_id=order_id, client_order_id=None, status=OrderStatus.OPEN
    )
    HTX.parse_cancelled(good.SWAP_REF, told["v5_cancel_ok"])
    HTX.parse_cancelled_all(SWAP, told["v5_cancel_all"])
    HTX.parse_leverage_set(told["v5_set_leverage"])
    query = OrderUpdate(
        symbol="BTC-USDT",
        exchange_order_id="1513828877079584768",
        client_order_id=None,
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=D(0),
        amount=D(1),
        price=D(50000),
        exchange_ms=1780966572409,
        text="new",
        position_side=PositionSide.LONG,
    )
    assert HTX.parse_order(good.SWAP_REF, told["v5_order_query"]) == query
    changes = {"symbol": "LTC-USDT", "exchange_order_id": "1512509978516443136", "price": D(30)}
    opened = replace(query, **changes, exchange_ms=1780652079954)
    assert HTX.parse_open_orders(FUTURES, told["v5_open_orders"]).rows == [opened]
    assert HTX.parse_open_orders(FUTURES, told["v5_order_history"]).rows == [
        OrderUpdate(
            symbol="BTC-USDT",
            exchange_order_id="1513834754585190400",
            client_order_id=None,
            status=OrderStatus.FILLED,
            side=Side.SELL,
            filled=D(2),
            amount=D(2),
            average_price=D("62688.2"),
            exchange_ms=1780967931194,
            text="filled",
            position_side=PositionSide.LONG,
        )
    ]
    rich = D("174.216697577770536136")
    assert HTX.parse_balances(FUTURES, told["v5_balance"]) == [Balance(asset="USDT", free=rich, total=rich)]
    assert HTX.parse_positions(told["v5_positions"]).rows == [
        Position(
            symbol="BTC-USDT",
            side=PositionSide.LONG,
            amount=D(1),
            entry_price=D("63204.5"),
            unrealised=D("-0.039"),
            leverage=D(20),
            margin_mode=MarginMode.CROSS,
        )
    ]
    assert HTX.parse_own_trades(SWAP, told["v5_order_details_trades"]).rows == [
        Fill(
            symbol="BTC-USDT",
            exchange_order_id="1513834754585190400",
            client_order_id=None,
            trade_id="1513834754679549965",
            side=Side.SELL,
            price=D("62688.2"),
            amount=D(2),
            fee=D("0.07522584"),
            fee_asset="USDT",
            is_maker=False,
            exchange_ms=1780967931197,
            position_side=PositionSide.LONG,
        )
    ]


def frames(captures: Path, file: str) -> list[str]:
    return [line.decode() for line in lines(captures, "htx", file)]


@pytest.mark.captures
def test_every_order_event_of_spot_at_hand_parses_to_its_values(captures: Path) -> None:
    told = [HTX.parse_private(KEYS, SPOT, frame, 0) for frame in frames(captures, "spot_private_orders.jsonl")]
    stop = OrderUpdate(
        symbol="btcusdt",
        exchange_order_id="",
        client_order_id="test1",
        status=OrderStatus.REJECTED,
        side=Side.BUY,
        filled=D(0),
        exchange_ms=1583853365586,
        text="rejected (invalid.client.order.id (NT))",
    )
    limit = OrderUpdate(
        symbol="btcusdt",
        exchange_order_id="27163536",
        client_order_id="abc123",
        status=OrderStatus.FILLED,
        side=Side.SELL,
        filled=D(2),
        amount=D("0.01"),
        price=D(15000),
        exchange_ms=1583854188883,
        text="filled",
    )
    assert told == [
        [stop],
        [replace(stop, client_order_id="test2", status=OrderStatus.CANCELLED, text="canceled")],
        [
            OrderUpdate(
                symbol="btcusdt",
                exchange_order_id="1199329381585359",
                client_order_id=None,
                status=OrderStatus.OPEN,
                side=Side.BUY,
                filled=D(0),
                amount=D("0.000157"),
                price=D(70000),
                exchange_ms=1731039387696,
                text="submitted",
            )
        ],
        [
            OrderUpdate(
                symbol="ltcusdt",
                exchange_order_id="509835753860328",
                client_order_id=None,
                status=OrderStatus.FILLED,
                side=Side.SELL,
                filled=D("0.0385"),
                amount=D("0.0385"),
                exchange_ms=1648714741525,
                text="filled",
            )
        ],
        [limit],
        [
            replace(
                limit,
                exchange_order_id="27163533",
                status=OrderStatus.CANCELLED,
                exchange_ms=1583853475406,
                text="canceled",
            )
        ],
    ]


@pytest.mark.captures
def test_executions_and_balances_of_spot_at_hand_parse_to_their_values(captures: Path) -> None:
    [clearing] = frames(captures, "spot_private_trade_clearing.jsonl")
    assert HTX.parse_private(KEYS, SPOT, clearing, 0) == [
        Fill(
            symbol="ltcusdt",
            exchange_order_id="478862728954426",
            client_order_id=None,
            trade_id="101539740584",
            side=Side.BUY,
            price=D("118.89"),
            amount=D("0.042200701236437042"),
            fee=D("0.000041778694224073"),
            fee_asset="LTC",
            is_maker=False,
            exchange_ms=1645124660368,
        )
    ]
    balances = frames(captures, "spot_private_accounts.jsonl")
    owners = ["123456", "33385", "14884859"]
    told = [
        HTX.parse_private(replace(KEYS, account=f"{owner}:1"), SPOT, frame, 0)
        for owner, frame in zip(owners, balances, strict=True)
    ]
    whole = D("20.29388158")
    assert told == [
        [Balances(rows=[Balance(asset="BTC", free=None, total=D("23.111"))], whole=False, exchange_ms=1568601800000)],
        [Ignored()],  # what is available, without the whole
        [Balances(rows=[Balance(asset="USDT", free=whole, total=whole)], whole=False)],
    ]
    assert all(HTX.parse_private(KEYS, SPOT, frame, 0) == [Ignored()] for frame in balances)


@pytest.mark.captures
def test_every_private_frame_of_swaps_at_hand_parses_to_its_values(captures: Path) -> None:
    told = [HTX.parse_private(KEYS, FUTURES, frame, 0) for frame in frames(captures, "linear_private_v5.jsonl")]
    rich = D("162.331953938562004875")
    assert told == [
        [
            OrderUpdate(
                symbol="BTC-USDT",
                exchange_order_id="1519705236917489664",
                client_order_id=None,
                status=OrderStatus.OPEN,
                side=Side.BUY,
                filled=D(0),
                amount=D(1),
                price=D(40000),
                exchange_ms=1782367563239,
                text="new",
                position_side=PositionSide.NET,
            )
        ],
        [LookUp(symbol="BTC-USDT", exchange_order_id="1519705786942156810", client_order_id=None)],
        [
            Positions(
                rows=[
                    Position(
                        symbol="BTC-USDT",
                        side=PositionSide.NET,
                        amount=D(1),
                        entry_price=D("60547.9"),
                        unrealised=D("0.0328"),
                        leverage=D(10),
                        margin_mode=MarginMode.CROSS,
                    )
                ],
                whole=False,
                exchange_ms=1782460576073,
            )
        ],
        [
            Balances(
                rows=[Balance(asset="USDT", free=rich, total=rich)],
                whole=False,
                exchange_ms=1782459963509,
            )
        ],
    ]


@pytest.mark.captures
def test_control_frames_at_hand_are_understood(captures: Path) -> None:
    told: list[Any] = []
    for frame in frames(captures, "acks_errors_pings.jsonl"):
        content = json.loads(frame)
        if "action" in content or "op" in content:
            told += HTX.parse_private(KEYS, SPOT if "action" in content else FUTURES, frame, 0)
    refused = "Non - single account user is not available, please check through the cross and isolated account asset"
    assert told == [
        Subscribed(channel="accounts.update#2", ok=False, code="2002", text="invalid.auth.state"),
        LoginRefused(code="2002", text="auth.fail"),
        Subscribed(channel="accounts_unify.USDT", ok=False, code="4007", text=f"{refused} interface"),
        LoggedIn(),
        LoggedIn(),
        Ping('{"action":"pong","data":{"ts":1575537778295}}'),
        Ping('{"op":"pong","ts":"1492420473058"}'),
        Closing("close"),
        Ignored(),
        Subscribed(channel="orders#btcusdt"),
        Subscribed(channel="public.BTC-USDT.funding_rate"),
    ]
