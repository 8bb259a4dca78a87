"""Binance's own samples of answers and private frames, read to the values they hold."""

import json
from decimal import Decimal

import pytest

from apps.feeds.drivers.base import Closing, Ignored
from apps.feeds.drivers.trading import (
    Page,
    Placed,
    Subscribed,
    TokenExpired,
)
from apps.feeds.errors import (
    Banned,
    RateLimited,
    Refused,
    UnknownOrder,
)
from apps.feeds.market import Side
from apps.feeds.orders import (
    Balance,
    Balances,
    Fees,
    Fill,
    MarginMode,
    OrderStatus,
    OrderUpdate,
    Position,
    PositionSide,
)
from apps.feeds.tests.captures import lines
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_binance import (
    BINANCE,
    CODES,
    FUTURES,
    FUTURES_CODES,
    SPOT,
    instrument,
    order,
    private,
    ref,
)

pytestmark = pytest.mark.captures


def sampled(captures, file):
    return [json.loads(line) for line in lines(captures, "binance", file)]


def response(captures, file, name):
    [body] = [row["response"] for row in sampled(captures, file) if row["name"] == name]
    return answer(body)


def test_every_answer_of_spots_documents_is_read_whole(captures):
    def told(name):
        return response(captures, "rest_spot_private.jsonl", name)

    market = order(instrument=instrument(SPOT), client_order_id="6gCrw2kRUAF9CvJDGP16IP", side=Side.SELL)
    resting = Placed(exchange_order_id="28", client_order_id=market.client_order_id, status=OrderStatus.OPEN)
    filled = Placed(
        exchange_order_id="28",
        client_order_id=market.client_order_id,
        status=OrderStatus.FILLED,
        filled=Decimal(10),
    )
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


def test_every_answer_of_futures_documents_is_read_whole(captures):
    def told(name):
        return response(captures, "rest_usdm_private.jsonl", name)

    asked = order(FUTURES, client_order_id="testOrder123")
    assert BINANCE.parse_placed(asked, told("place")) == Placed(
        exchange_order_id="12345678", client_order_id="testOrder123", status=OrderStatus.OPEN, filled=Decimal(0)
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
        position_side=PositionSide.NET,
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
        position_side=PositionSide.LONG,
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
        position_side=PositionSide.LONG,
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
