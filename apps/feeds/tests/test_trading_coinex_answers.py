"""CoinEx's trading half: answers to values, private frames to events, by hand and as they were recorded."""

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds import errors
from apps.feeds.drivers.base import Ignored, Pong
from apps.feeds.drivers.coinex.trader import CoinExTrader
from apps.feeds.drivers.trading import Answer, LoggedIn, LoginRefused, Placed, Subscribed
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
    OrderUpdate,
    Permissions,
    Position,
    Positions,
    PositionSide,
)
from apps.feeds.tests import good_account_frames_coinex as good
from apps.feeds.tests.captures import lines
from apps.feeds.tests.trader_requests import answer, limit_order

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
COINEX = CoinExTrader()
KEYS = Credentials(key="the-key", secret="testSecret")
NOW = 1700490703564
BTC, SWAP = good.BTC, good.SWAP
D = Decimal


def order(instrument: Instrument = BTC, **changes: Any) -> NewOrder:
    return limit_order(instrument, NOW, **changes)


def parsed(market_type: MarketType, frame: object) -> list[Any]:
    return COINEX.parse_private(KEYS, market_type, json.dumps(frame), 0)


# answers


def test_a_placed_order_has_the_status_that_its_amounts_tell() -> None:
    answers = [
        good.order(unfilled_amount="0.003", filled_amount="0"),
        good.order(),
        good.order(unfilled_amount="0", filled_amount="0.003", order_id="4611"),
        good.order(type="market", client_id="", amount="90", unfilled_amount="0.01", filled_amount="0.003"),
    ]
    told = [COINEX.parse_placed(order(), answer(good.ok(content))) for content in answers]
    assert [placed.status for placed in told] == [
        OrderStatus.OPEN,
        OrderStatus.PARTIAL,
        OrderStatus.FILLED,
        OrderStatus.PARTIAL,
    ]
    assert told[0] == Placed(
        exchange_order_id="4611", client_order_id=good.CLIENT_ORDER_ID, status=OrderStatus.OPEN, filled=Decimal(0)
    )
    assert [placed.filled for placed in told[1:]] == [Decimal("0.001"), Decimal("0.003"), Decimal("0.003")]
    assert told[3].client_order_id is None
    with pytest.raises(errors.OutcomeUnknown):
        COINEX.parse_placed(order(), answer(good.ok(good.order(client_id="9" * 129))))


def test_a_cancel_is_accepted_or_finds_nothing() -> None:
    ours, theirs = good.BY_CLIENT, good.BY_THEIRS
    COINEX.parse_cancelled(ours, answer(good.ok([{"code": 0, "data": good.order(), "message": ""}])))
    COINEX.parse_cancelled(theirs, answer(good.ok(good.order())))
    COINEX.parse_cancelled_all(BTC, answer(good.ok({})))
    nothing = [
        (ours, good.ok([])),
        (ours, good.ok(None)),
        (ours, good.ok([{"code": 3600, "data": None, "message": "Order not found"}])),
        (theirs, good.refused(3600, "Order not found")),
    ]
    for ref, content in nothing:
        with pytest.raises(errors.UnknownOrder):
            COINEX.parse_cancelled(ref, answer(content))


def test_an_order_is_found_by_its_client_id_among_the_open_and_the_finished() -> None:
    ours = good.BY_CLIENT
    open_url, finished_url = COINEX.query(KEYS, ours, NOW).url, "https://api.coinex.com/v2/spot/finished-order?page=1"
    rows = [good.order(client_id="another", order_id=1), good.order()]
    found = COINEX.parse_order(ours, answer(good.pages(rows), url=open_url))
    assert (found.exchange_order_id, found.status, found.filled) == ("4611", OrderStatus.PARTIAL, D("0.001"))
    cut = COINEX.parse_order(ours, answer(good.pages([good.order()]), url=finished_url))
    assert cut.status is OrderStatus.CANCELLED
    for content in (good.ok(None), good.pages([]), good.pages(rows[:1]), good.refused(3600, "Order not found")):
        with pytest.raises(errors.UnknownOrder):
            COINEX.parse_order(ours, answer(content, url=open_url))


STATUSES = [
    ("open", OrderStatus.OPEN),
    ("not_deal", OrderStatus.OPEN),
    ("part_filled", OrderStatus.PARTIAL),
    ("part_deal", OrderStatus.PARTIAL),
    ("filled", OrderStatus.FILLED),
    ("done", OrderStatus.FILLED),
    ("canceled", OrderStatus.CANCELLED),
    ("part_canceled", OrderStatus.CANCELLED),
    ("cancel", OrderStatus.CANCELLED),
]


@pytest.mark.parametrize(("theirs", "ours"), STATUSES)
def test_every_status_is_translated(theirs: str, ours: OrderStatus) -> None:
    told = COINEX.parse_order(good.BY_THEIRS, answer(good.ok(good.order(status=theirs))))
    assert told == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="4611",
        client_order_id=good.CLIENT_ORDER_ID,
        status=ours,
        side=Side.BUY,
        filled=D("0.001"),
        amount=D("0.003"),
        price=D("30000.5"),
        average_price=D("30000"),
        exchange_ms=1714114386251,
        text=theirs,
        position_side=PositionSide.NET,
    )


@pytest.mark.parametrize("changes", [{"status": "new"}, {"side": "long"}, {"type": "stop"}, {"amount": "-1"}])
def test_an_unknown_word_is_malformed(changes: dict[str, str]) -> None:
    with pytest.raises(errors.MalformedFrame):
        COINEX.parse_order(good.BY_THEIRS, answer(good.ok(good.order(**changes))))


def test_the_next_page_is_counted_from_the_one_that_was_asked_for() -> None:
    more = good.pages([good.order()], has_next=True)
    url = COINEX.open_orders(KEYS, SPOT, None, NOW, "2").url
    assert COINEX.parse_open_orders(SPOT, answer(more, url=url)).cursor == "3"
    assert COINEX.parse_open_orders(SPOT, answer(good.pages([good.order()]), url=url)).cursor is None
    with pytest.raises(errors.MalformedFrame):
        COINEX.parse_open_orders(SPOT, answer(more))


def test_the_account_is_told() -> None:
    futures = answer(good.ok([good.FUTURES_HOLDING]))
    assert COINEX.parse_balances(FUTURES, futures) == [Balance(asset="USDT", free=D("97.9"), total=D("98.61"))]
    assert COINEX.parse_balances(SPOT, answer(good.ok(None))) == []
    fees = good.ok({"maker_rate": "-0.001", "market": "BTCUSDT", "taker_rate": "0.002"})
    assert COINEX.parse_fees(BTC, answer(fees)) == Fees(maker=D("-0.001"), taker=D("0.002"))
    assert COINEX.parse_server_time(SPOT, answer(good.ok({"timestamp": NOW}))) == NOW
    COINEX.parse_leverage_set(answer(good.ok({"leverage": 5})))
    held = good.ok([{"available": "1", "ccy": "USDT", "frozen": "0"}])
    assert COINEX.parse_permissions(answer(held)) == Permissions(
        read=True, trade_spot=None, trade_futures=None, withdraw=None
    )


@pytest.mark.parametrize(
    ("side", "rate", "paid"),
    [("long", "0.0003", "-2.5"), ("short", "0.0003", "2.5"), ("long", "-0.0003", "2.5"), ("short", "-0.0003", "-2.5")],
)
def test_longs_pay_a_positive_rate_and_shorts_a_negative_one(side: str, rate: str, paid: str) -> None:
    row = {"market": "BTCUSDT", "market_type": "FUTURES", "ccy": "USDT", "position_id": 9, "side": side}
    row |= {"funding_rate": rate, "funding_value": "2.5", "created_at": 1691482451000}
    assert COINEX.parse_funding(SWAP, answer(good.pages([row]))).rows == [
        FundingPayment(
            payment_id="9-1691482451000",
            symbol="BTCUSDT",
            asset="USDT",
            amount=D(paid),
            exchange_ms=1691482451000,
            rate=D(rate),
        )
    ]


@pytest.mark.parametrize(
    ("parse", "content"),
    [
        (lambda told: COINEX.parse_fees(BTC, told), good.ok(None)),
        (lambda told: COINEX.parse_fees(SWAP, told), good.ok({"maker_rate": "0", "market": "X", "taker_rate": "0"})),
        (lambda told: COINEX.parse_server_time(SPOT, told), good.ok(None)),
        (COINEX.parse_positions, good.pages([good.position(side="both")])),
        (COINEX.parse_positions, good.pages([good.position(margin_mode="new")])),
        (lambda told: COINEX.parse_balances(SPOT, told), good.ok({})),
        (COINEX.parse_positions, b"<html>"),
    ],
)
def test_an_account_that_cannot_be_read_is_malformed(parse: Callable[[Answer], object], content: object) -> None:
    with pytest.raises(errors.MalformedFrame):
        parse(answer(content))


# private sockets


def test_private_channels_are_subscribed_to_whole() -> None:
    frames = [json.loads(frame) for frame in COINEX.subscribe_private(KEYS, FUTURES, NOW)]
    assert frames == [
        {"method": "order.subscribe", "params": {"market_list": []}, "id": 2},
        {"method": "user_deals.subscribe", "params": {"market_list": []}, "id": 3},
        {"method": "balance.subscribe", "params": {"ccy_list": []}, "id": 4},
        {"method": "position.subscribe", "params": {"market_list": []}, "id": 5},
    ]
    assert COINEX.private_channels(SPOT) == ("order", "user_deals", "balance")
    assert len(COINEX.subscribe_private(KEYS, SPOT, NOW)) == 3
    assert COINEX.private_endpoint(KEYS, SPOT, None) == "wss://socket.coinex.com/v2/spot"
    assert COINEX.private_endpoint(KEYS, FUTURES, None) == "wss://socket.coinex.com/v2/futures"
    assert COINEX.token_request(KEYS, SPOT, NOW) is None


def test_logins_and_subscriptions_are_answered() -> None:
    cases = [
        ({"id": 1, "code": 0, "message": "OK"}, LoggedIn()),
        (
            {"id": 1, "code": 21002, "message": "Signature Incorrect"},
            LoginRefused(code="21002", text="Signature Incorrect"),
        ),
        ({"id": 1, "code": 31002, "message": ""}, LoginRefused(code="31002", text="")),
        ({"id": 1, "code": 23001, "message": "timeout"}, Ignored()),
        ({"id": 2, "code": 0, "message": "OK"}, Subscribed(channel="order")),
        (
            {"id": 5, "code": 31001, "message": "require auth"},
            Subscribed(channel="position", ok=False, code="31001", text="require auth"),
        ),
        ({"id": 0, "code": 0, "data": {"result": "pong"}, "message": "OK"}, Pong()),
    ]
    for frame, want in cases:
        assert parsed(FUTURES, frame) == [want]
    with pytest.raises(errors.MalformedFrame):
        parsed(SPOT, {"id": 5, "code": 0, "message": "OK"})


EVENTS = [
    ("put", {}, OrderStatus.OPEN),
    ("put", {"filled_amount": "0.001", "unfilled_amount": "0.002"}, OrderStatus.PARTIAL),
    ("update", {"filled_amount": "0.001", "unfilled_amount": "0.002"}, OrderStatus.PARTIAL),
    ("modify", {}, OrderStatus.OPEN),
    ("modify", {"filled_amount": "0.001", "unfilled_amount": "0.002"}, OrderStatus.PARTIAL),
    ("finish", {"filled_amount": "0.003", "unfilled_amount": "0"}, OrderStatus.FILLED),
    ("finish", {"filled_amount": "0.001", "unfilled_amount": "0.002"}, OrderStatus.CANCELLED),
    ("finish", {}, OrderStatus.CANCELLED),
    ("finish", {"type": "market", "filled_amount": "0.001", "unfilled_amount": "0.02"}, OrderStatus.FILLED),
]


@pytest.mark.parametrize(("event", "changes", "status"), EVENTS)
def test_every_event_of_an_order_is_translated(event: str, changes: dict[str, str], status: OrderStatus) -> None:
    [update] = parsed(SPOT, good.pushed(event, **changes))
    assert (update.status, update.filled) == (status, D(changes.get("filled_amount", "0")))


def test_amounts_in_quote_currency_are_no_amounts() -> None:
    changes = {"type": "market", "amount": "100", "unfilled_amount": "10", "filled_amount": "0.003", "price": "0"}
    [spot] = parsed(SPOT, good.pushed("update", **changes))
    assert (spot.filled, spot.amount, spot.price) == (D("0.003"), None, None)
    [futures] = parsed(FUTURES, good.pushed("update", **changes, fee="0", fee_ccy="USDT"))
    assert futures.amount == D("100")


def test_a_market_buy_in_the_old_spelling_is_looked_up() -> None:
    frame = good.pushed("update", type="market", unfill_amount="10")
    for name in ("filled_amount", "unfilled_amount"):
        del frame["data"]["order"][name]
    want = LookUp(symbol="BTCUSDT", exchange_order_id="4611", client_order_id=good.CLIENT_ORDER_ID)
    assert parsed(SPOT, frame) == [want]
    frame["data"]["order"]["client_id"] = "9" * 129
    with pytest.raises(errors.MalformedFrame):
        parsed(SPOT, frame)


def test_balances_are_of_the_wallet_and_positions_have_signs() -> None:
    margin = good.SPOT_HOLDING | {"margin_market": "BTCUSDT"}
    pushed = good.push("balance.update", {"balance_list": [good.SPOT_HOLDING, margin]})
    row = Balance(asset="USDT", free=D("44.6"), total=D("45.0"))
    assert parsed(SPOT, pushed) == [Balances(rows=[row], whole=False, exchange_ms=1689152421692)]
    short = good.push("position.update", {"event": "update", "position": good.position(side="short", liq_price="0")})
    [told] = parsed(FUTURES, short)
    assert told.rows[0].amount == D("-0.0010")
    assert told.rows[0].liquidation_price is None


def test_frames_come_packed_or_as_text() -> None:
    frame = json.dumps(good.pushed())
    packed = COINEX.parse_private(KEYS, SPOT, gzip.compress(frame.encode()), 0)
    assert packed == COINEX.parse_private(KEYS, SPOT, frame, 0)


@pytest.mark.parametrize(
    "frame",
    [
        {"method": "unheard.update", "data": {}, "id": None},
        {"message": "OK"},
        good.pushed("gone"),
        good.push("user_deals.update", good.deal(role="both")),
        good.push("user_deals.update", good.deal(amount="0")),
        good.push("user_deals.update", good.deal(fee="NaN")),
    ],
)
def test_what_is_not_documented_is_malformed(frame: dict[str, Any]) -> None:
    with pytest.raises(errors.MalformedFrame):
        parsed(SPOT, frame)


# the samples that are at hand


def samples(captures: Path, file: str) -> dict[str, bytes]:
    rows = [json.loads(line) for line in lines(captures, "coinex", file)]
    return {row["_case"]: json.dumps(row["_body"]).encode() for row in rows}


@pytest.mark.captures
def test_every_answer_at_hand_parses_to_its_values(captures: Path) -> None:
    told = samples(captures, "rest_v2.jsonl")
    by_client = {
        case: OrderRef(instrument=BTC, client_order_id=json.loads(told[case])["data"][0]["data"]["client_id"])
        for case in ("spot_cancel_by_client_id", "futures_cancel_by_client_id")
    }
    for case, ref in by_client.items():
        COINEX.parse_cancelled(ref, answer(told[case]))
    for case in ("spot_cancel", "futures_cancel"):
        COINEX.parse_cancelled(OrderRef(instrument=BTC, exchange_order_id="1"), answer(told[case]))
    for case in ("spot_cancel_all", "futures_cancel_all"):
        COINEX.parse_cancelled_all(BTC, answer(told[case]))
    assert COINEX.parse_server_time(SPOT, answer(told["time"])) == 1711699867777
    assert COINEX.parse_placed(order(), answer(told["spot_order_place"])) == Placed(
        exchange_order_id="117178743547",
        client_order_id="x-167673045-a0a3c6461459a801",
        status=OrderStatus.OPEN,
        filled=Decimal(0),
    )
    assert COINEX.parse_placed(order(SWAP), answer(told["futures_order_place"])) == Placed(
        exchange_order_id="136913377780",
        client_order_id="x-167673045-1471b81d747080a0",
        status=OrderStatus.OPEN,
        filled=Decimal(0),
    )
    found = COINEX.parse_order(
        OrderRef(instrument=BTC, exchange_order_id="117492012985"), answer(told["spot_order_status"])
    )
    assert found == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="117492012985",
        client_order_id="x-167673045-da918d6724e3af81",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=D(0),
        amount=D("0.0001"),
        price=D(61000),
        exchange_ms=1714461638958,
        text="open",
        position_side=PositionSide.NET,
    )
    pending = COINEX.parse_open_orders(SPOT, answer(told["spot_pending"]))
    assert pending.cursor is None
    assert pending.rows == [
        OrderUpdate(
            symbol="BTCUSDT",
            exchange_order_id="117585921297",
            client_order_id=None,
            status=OrderStatus.OPEN,
            side=Side.BUY,
            filled=D(0),
            amount=D("0.00011793"),
            price=D(52000),
            exchange_ms=1714550707486,
            position_side=PositionSide.NET,
        )
    ]
    finished = COINEX.parse_order(
        OrderRef(instrument=BTC, exchange_order_id="117180532345"),
        answer(told["spot_finished"], url="https://api.coinex.com/v2/spot/finished-order?page=1"),
    )
    assert finished == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="117180532345",
        client_order_id=None,
        status=OrderStatus.FILLED,
        side=Side.SELL,
        filled=D("0.00015484"),
        amount=D("0.00015484"),
        average_price=D("9.9965849816") / D("0.00015484"),
        exchange_ms=1714116494219,
        position_side=PositionSide.NET,
    )
    row = Balance(asset="USDT", free=D("0.00000046"), total=D("0.00000046"))
    assert COINEX.parse_balances(SPOT, answer(told["spot_balance"])) == [row]
    assert COINEX.parse_balances(FUTURES, answer(told["futures_balance"])) == [row]
    assert COINEX.parse_positions(answer(told["futures_positions"])).rows == [
        Position(
            symbol="BTCUSDT",
            side=PositionSide.NET,
            amount=D("0.0001"),
            entry_price=D("62336.8"),
            unrealised=D(0),
            leverage=D(3),
            margin_mode=MarginMode.CROSS,
        )
    ]
    url = COINEX.own_trades(KEYS, SWAP, NOW, NOW).url
    deals = COINEX.parse_own_trades(SWAP, answer(told["futures_user_deals"], url=url))
    assert deals.cursor == "2"
    assert deals.rows == [
        Fill(
            symbol="BTCUSDT",
            exchange_order_id="136915589622",
            client_order_id=None,
            trade_id="1180222387",
            side=Side.BUY,
            price=D(64376),
            amount=D("0.0001"),
            fee=D(0),
            fee_asset="",
            is_maker=None,
            exchange_ms=1714119054558,
            position_side=PositionSide.NET,
        )
    ]


@pytest.mark.captures
def test_every_private_frame_at_hand_parses_to_its_values(captures: Path) -> None:
    frames = [line.decode() for line in lines(captures, "coinex", "ws_private.jsonl")]
    markets = [SPOT, FUTURES, FUTURES, SPOT, FUTURES, FUTURES]
    told = [
        COINEX.parse_private(KEYS, market_type, frame, 0) for market_type, frame in zip(markets, frames, strict=True)
    ]
    rich = D("97.92470982756335000001") + D("0.61442700000000000000")
    rows = [Balance(asset=asset, free=D("97.92470982756335000001"), total=rich) for asset in ("USDT", "BTC")]
    assert told == [
        [
            OrderUpdate(
                symbol="ERGUSDT",
                exchange_order_id="142934016817",
                client_order_id="123",
                status=OrderStatus.OPEN,
                side=Side.SELL,
                filled=D(0),
                amount=D(10),
                price=D("1.5"),
                exchange_ms=1739954537191,
                position_side=PositionSide.NET,
            )
        ],
        [
            OrderUpdate(
                symbol="BTCUSDT",
                exchange_order_id="98388656341",
                client_order_id=None,
                status=OrderStatus.OPEN,
                side=Side.BUY,
                filled=D(0),
                amount=D("0.0010"),
                price=D(50000),
                exchange_ms=1689145715129,
                position_side=PositionSide.NET,
            )
        ],
        [
            Fill(
                symbol="BTCUSDT",
                exchange_order_id="8678890",
                client_order_id="client_id_1",
                trade_id="3514376759",
                side=Side.BUY,
                price=D("30718.42"),
                amount=D("0.00000325"),
                fee=D("0.0299"),
                fee_asset="USDT",
                is_maker=False,
                exchange_ms=1689152421692,
                position_side=PositionSide.NET,
            )
        ],
        [Ignored()],  # of an isolated margin account
        [Balances(rows=rows, whole=False)],
        [
            Positions(
                rows=[
                    Position(
                        symbol="BTCUSDT",
                        side=PositionSide.NET,
                        amount=D("0.0010"),
                        entry_price=D("30721.35"),
                        unrealised=D(0),
                        leverage=D(50),
                        margin_mode=MarginMode.CROSS,
                        liquidation_price=D("31179.87761194029850746268"),
                    )
                ],
                whole=False,
                exchange_ms=1642145331234,
            )
        ],
    ]


@pytest.mark.captures
def test_the_old_spelling_of_an_order_is_read_as_well(captures: Path) -> None:
    [line] = lines(captures, "coinex", "ws_private_old_field_names.jsonl")
    [update] = COINEX.parse_private(KEYS, SPOT, line.decode(), 0)
    assert update == OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="12750",
        client_order_id="buy1_1234",
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=D(0),
        amount=D("1.5"),
        price=D(5999),
        exchange_ms=1689152421692,
        position_side=PositionSide.NET,
    )


@pytest.mark.captures
def test_control_frames_at_hand_are_understood(captures: Path) -> None:
    frames = [line.decode() for line in lines(captures, "coinex", "acks_errors_pings.jsonl")]
    subscribed = Subscribed(channel="balance")
    assert [COINEX.parse_private(KEYS, SPOT, frame, 0) for frame in frames] == [
        [subscribed],
        # Their pong has the number of another frame than our heartbeat's: it was the login's.
        [LoggedIn()],
        [Subscribed(channel="balance", ok=False, code="20001", text="invalid parameters")],
        [LoginRefused(code="20001", text="invalid argument")],
        [Subscribed(channel="order", ok=False, code="21001", text="require auth")],
        [LoginRefused(code="21002", text="Signature Incorrect")],
        [LoginRefused(code="21002", text="")],
        [Ignored()],
    ]
