"""MEXC's recorded private frames and answers mean what they say."""

import json
from base64 import b64decode
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.drivers.base import Closing
from apps.feeds.drivers.mexc.trader import MexcTrader
from apps.feeds.drivers.trading import Answer, LoggedIn, PrivateEvent, Subscribed, Token, TokenExpired
from apps.feeds.errors import (
    BadCredentials,
    ClockSkew,
    FeedError,
    InsufficientFunds,
    InvalidOrder,
    NotPermitted,
    OrderIsFinal,
    RateLimited,
    UnknownOrder,
    UnknownSymbol,
)
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import (
    Balance,
    Balances,
    Credentials,
    Fees,
    Fill,
    MarginMode,
    OrderStatus,
    OrderUpdate,
    Position,
    Positions,
    PositionSide,
)
from apps.feeds.tests.captures import lines
from apps.feeds.tests.test_trading_mexc import listed, order, ref

pytestmark = pytest.mark.captures

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
MEXC = MexcTrader()
KEYS = Credentials(key="mx0aBYs33eIilxBW5C", secret="45d0b3c26f2644f19bfb98b07741b2f5")
BTC, SWAP = listed(SPOT, "BTCUSDT", "0.0001"), listed(FUTURES, "BTC_USDT", "1", "0.0001")


def rows(captures: Path, file: str) -> list[Any]:
    return [json.loads(line) for line in lines(captures, "mexc", file)]


def test_pushes_of_spot(captures: Path) -> None:
    pushed = [b64decode(line) for line in lines(captures, "mexc", "spot_ws_reencoded.b64.jsonl")][4:]
    told = [event for frame in pushed for event in MEXC.parse_private(KEYS, SPOT, frame, 7)]
    assert told == [
        OrderUpdate(
            symbol="MXUSDT",
            exchange_order_id="C02__505979017439002624115",
            client_order_id=None,
            status=OrderStatus.FILLED,
            side=Side.SELL,
            filled=Decimal(1),
            amount=Decimal(1),
            price=Decimal("3.5121"),
            average_price=Decimal("3.6962"),
            exchange_ms=1736417034281,
            text="FILLED",
        ),
        Fill(
            symbol="MXUSDT",
            exchange_order_id="C02__505979017439002624115",
            client_order_id=None,
            trade_id="505979017439002624X1",
            side=Side.SELL,
            price=Decimal("3.6962"),
            amount=Decimal(1),
            fee=Decimal("0.0003998377369698171"),
            fee_asset="MX",
            is_maker=False,
            exchange_ms=1736417034280,
        ),
        Balances(
            rows=[
                Balance(asset="USDT", free=Decimal("21.94210356004384"), total=Decimal("21.94210356004384")),
            ],
            whole=False,
            exchange_ms=1736416910000,
        ),
    ]


def test_a_listen_key_that_is_refused(captures: Path) -> None:
    [text] = [row["frame"] for row in rows(captures, "spot_ws_control.jsonl") if row["dir"] == "in-text"]
    assert MEXC.parse_private(KEYS, SPOT, text, 7) == [TokenExpired()]


def test_frames_of_futures(captures: Path) -> None:
    recorded = [row["frame"] for row in rows(captures, "futures_ws_private.jsonl") if row["dir"] == "in"]
    told: list[PrivateEvent] = []
    for frame in recorded:
        told += MEXC.parse_private(KEYS, FUTURES, json.dumps(frame), 7)
    assert told == [
        LoggedIn(),
        Subscribed(channel="personal.filter"),
        OrderUpdate(
            symbol="CRV_USDT",
            exchange_order_id="102067003631907840",
            client_order_id="_m_95bc2b72d3784bce8f9efecbdef9fe35",
            status=OrderStatus.FILLED,
            side=Side.SELL,
            filled=Decimal(1),
            amount=Decimal(1),
            price=Decimal("0.707"),
            average_price=Decimal("0.731"),
            exchange_ms=1610005069983,
            text="3:0",
        ),
        Fill(
            symbol="LTC_USDT",
            exchange_order_id="276461245253669888",
            client_order_id=None,
            trade_id="311655369",
            side=Side.SELL,
            price=Decimal("100.48"),
            amount=Decimal(1),
            fee=Decimal("0.00060288"),
            fee_asset="USDT",
            is_maker=False,
            exchange_ms=1651583897276,
            position_side=PositionSide.LONG,
        ),
        Positions(
            rows=[
                Position(
                    symbol="CRV_USDT",
                    side=PositionSide.LONG,
                    amount=Decimal(0),
                    entry_price=Decimal("0.736"),
                    leverage=Decimal(15),
                    margin_mode=MarginMode.ISOLATED,
                )
            ],
            whole=False,
            exchange_ms=1610005070157,
        ),
        Balances(
            rows=[Balance(asset="USDT", free=Decimal("0.7514236"), total=Decimal("0.7514236"))],
            whole=False,
            exchange_ms=1610005070083,
        ),
        Closing("more than 60 seconds no response, close the channel"),
    ]


def test_our_frames_are_those_that_were_recorded(captures: Path) -> None:
    login, wanted = [row["frame"] for row in rows(captures, "futures_ws_private.jsonl") if row["dir"] == "out"]
    ours = json.loads(str(MEXC.login(KEYS, FUTURES, 1657186536762)[0]))
    assert ours["param"].pop("signature")
    del login["param"]["signature"]
    assert ours == login
    assert json.loads(str(MEXC.subscribe_private(KEYS, FUTURES, 0)[0])) == wanted


def answers(captures: Path, file: str, method: str, path: str) -> list[Answer]:
    """Those to one call, in the order of the file."""
    return [
        Answer(status=row["status"], body=json.dumps(row["body"]).encode())
        for row in rows(captures, file)
        if (row["request"]["method"], row["request"]["path"]) == (method, path)
    ]


def test_orders_of_spot(captures: Path) -> None:
    taken, *refused = answers(captures, "spot_rest.jsonl", "POST", "/api/v3/order")
    assert MEXC.parse_placed(order(), taken).exchange_order_id == "06a480e69e604477bfb48dddd5f0b750"
    kinds = [BadCredentials, ClockSkew, InsufficientFunds, UnknownSymbol, InvalidOrder]
    for answer, kind in zip(refused, kinds, strict=True):
        with pytest.raises(FeedError) as error:
            MEXC.parse_placed(order(), answer)
        assert type(error.value) is kind
    cancelled, late = answers(captures, "spot_rest.jsonl", "DELETE", "/api/v3/order")
    MEXC.parse_cancelled(ref(), cancelled)
    with pytest.raises(UnknownOrder):
        MEXC.parse_cancelled(ref(), late)
    found, unknown = answers(captures, "spot_rest.jsonl", "GET", "/api/v3/order")
    assert MEXC.parse_order(ref(), found) == OrderUpdate(
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
    with pytest.raises(UnknownOrder):
        MEXC.parse_order(ref(), unknown)
    cancel = MEXC.parse_order(ref(), cancelled)  # the answer to a cancel is an order
    assert (cancel.status, cancel.client_order_id, cancel.price) == (
        OrderStatus.CANCELLED,
        "cancelMyOrder1",
        Decimal(2),
    )


def test_trades_balances_and_the_rest_of_spot(captures: Path) -> None:
    [trades] = answers(captures, "spot_rest.jsonl", "GET", "/api/v3/myTrades")
    assert MEXC.parse_own_trades(BTC, trades).rows == [
        Fill(
            symbol="BNBBTC",
            exchange_order_id="bb41e5663e124046bd9497a3f5692f39",
            client_order_id=None,
            trade_id="fad2af9e942049b6adbda1a271f990c6",
            side=Side.BUY,
            price=Decimal("4.000001"),
            amount=Decimal(12),
            fee=Decimal("10.1"),
            fee_asset="BNB",
            is_maker=False,
            exchange_ms=1499865549590,
        )
    ]
    [account] = answers(captures, "spot_rest.jsonl", "GET", "/api/v3/account")
    assert MEXC.parse_balances(SPOT, account) == [
        Balance(asset="NBNTEST", free=Decimal(1111078), total=Decimal(1111111)),
        Balance(asset="MAIN", free=Decimal(1020000), total=Decimal(1020000)),
    ]
    assert MEXC.parse_permissions(account).withdraw is True
    [listen_key] = answers(captures, "spot_rest.jsonl", "POST", "/api/v3/userDataStream")
    value = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
    assert MEXC.parse_token(SPOT, listen_key) == Token(value=value, renew_every_s=1800.0)
    [time] = answers(captures, "spot_rest.jsonl", "GET", "/api/v3/time")
    assert MEXC.parse_server_time(SPOT, time) == 1790145267773
    [listings] = answers(captures, "spot_rest.jsonl", "GET", "/api/v3/exchangeInfo")
    rates = Fees(maker=Decimal("0.0005"), taker=Decimal("0.0005"))
    assert MEXC.parse_fees(listed(SPOT, "BROCKUSDT", "1"), listings) == rates


def test_orders_of_futures(captures: Path) -> None:
    taken, *refused = answers(captures, "futures_rest.jsonl", "POST", "/api/v1/private/order/create")
    assert MEXC.parse_placed(order(SWAP), taken).exchange_order_id == "739113577038255616"
    kinds = [InsufficientFunds, BadCredentials, RateLimited, NotPermitted]
    for answer, kind in zip(refused, kinds, strict=True):
        with pytest.raises(FeedError) as error:
            MEXC.parse_placed(order(SWAP), answer)
        assert type(error.value) is kind
    [cancels] = answers(captures, "futures_rest.jsonl", "POST", "/api/v1/private/order/cancel")
    with pytest.raises(UnknownOrder):
        MEXC.parse_cancelled(ref(SWAP), cancels)
    items = json.loads(cancels.body)["data"]
    for item, refusal in zip(items[1:], (OrderIsFinal, None), strict=True):
        one = Answer(status=200, body=json.dumps({"success": True, "code": 0, "data": [item]}).encode())
        if refusal is None:
            MEXC.parse_cancelled(ref(SWAP), one)
        else:
            with pytest.raises(refusal):
                MEXC.parse_cancelled(ref(SWAP), one)
    [all_of_them] = answers(captures, "futures_rest.jsonl", "POST", "/api/v1/private/order/cancel_all")
    MEXC.parse_cancelled_all(SWAP, all_of_them)
    [found] = answers(captures, "futures_rest.jsonl", "GET", "/api/v1/private/order/external/ETH_USDT/123")
    assert MEXC.parse_order(ref(SWAP), found) == OrderUpdate(
        symbol="ETH_USDT",
        exchange_order_id="102015012431820288",
        client_order_id="_m_f95eb99b061d4eef8f64a04e9ac4dad3",
        status=OrderStatus.FILLED,
        side=Side.BUY,
        filled=Decimal(1),
        amount=Decimal(1),
        price=Decimal("1209.05"),
        average_price=Decimal("1208.35"),
        exchange_ms=1609992674000,
        text="3:0",
    )
    [unknown] = answers(captures, "futures_rest.jsonl", "GET", "/api/v1/private/order/external/ETH_USDT/unknown")
    with pytest.raises(UnknownOrder):
        MEXC.parse_order(ref(SWAP), unknown)


def test_the_account_of_futures(captures: Path) -> None:
    [assets] = answers(captures, "futures_rest.jsonl", "GET", "/api/v1/private/account/assets")
    assert MEXC.parse_balances(FUTURES, assets) == [
        Balance(asset="USDT", free=Decimal("0.03176562"), total=Decimal("0.03176562"))
    ]
    [held] = answers(captures, "futures_rest.jsonl", "GET", "/api/v1/private/position/open_positions")
    assert MEXC.parse_positions(held).rows == [
        Position(
            symbol="ETH_USDT",
            side=PositionSide.LONG,
            amount=Decimal(1),
            entry_price=Decimal("1217.3"),
            leverage=Decimal(100),
            margin_mode=MarginMode.ISOLATED,
            liquidation_price=Decimal("1211.2"),
        )
    ]
    [ping] = answers(captures, "futures_rest.jsonl", "GET", "/api/v1/contract/ping")
    assert MEXC.parse_server_time(FUTURES, ping) == 1790145267966
    [detail] = answers(captures, "futures_rest.jsonl", "GET", "/api/v1/contract/detail")
    rates = Fees(maker=Decimal(0), taker=Decimal("0.0002"))
    assert MEXC.parse_fees(listed(FUTURES, "CLO_USDT", "1", "10"), detail) == rates
