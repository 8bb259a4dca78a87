"""Every private push and signed answer of KuCoin that was written down by those who speak to it."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds import errors
from apps.feeds.drivers.base import Ignored
from apps.feeds.drivers.trading import (
    Answer,
    Page,
    Placed,
    Token,
)
from apps.feeds.errors import RateLimited
from apps.feeds.market import Instrument, Side
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
from apps.feeds.tests.captures import lines
from apps.feeds.tests.kucoin_orders import BTC, FUTURES, KUCOIN, REF, SPOT, XBT, XBT_REF, D, order, private
from apps.feeds.tests.trader_requests import answer


def recorded(captures: Path, file: str) -> list[Any]:
    return [json.loads(line) for line in lines(captures, "kucoin", file)]


def event(
    symbol: str, theirs: str, ours: str | None, side: str, status: str, text: str, ms: int, **more: Any
) -> OrderUpdate:
    numbers = {name: D(value) if isinstance(value, str) else value for name, value in more.items()}
    return OrderUpdate(
        symbol=symbol,
        exchange_order_id=theirs,
        client_order_id=ours,
        status=OrderStatus(status),
        side=Side(side),
        exchange_ms=ms,
        text=text,
        **({"filled": D(0)} | numbers),
    )


def balances(asset: str, free: str, total: str, ms: int) -> list[Balances]:
    return [Balances(rows=[Balance(asset=asset, free=D(free), total=D(total))], whole=False, exchange_ms=ms)]


@pytest.mark.captures
def test_every_recorded_spot_push(captures: Path) -> None:
    told = [private(frame) for frame in recorded(captures, "spot_private_events.jsonl")]
    ours, theirs = "1593487481000313", "5efab07953bdea00089965fa"
    bought, buyer = "5efab07953bdea00089965d2", "1593487481000906"
    sold = {"price": "0.938", "amount": "0.1", "filled": "0.1"}
    resting = {"price": "0.937", "amount": "0.1"}
    assert told == [
        [event("BTC-USDT", "6720da3fa30a360007f5f832", "5c52e11203aa677f33e493fc", "buy", "PENDING", "received new",
               1730206271616, amount="0.00001")],
        [event("BTC-USDT", "6720ecd9ec71f4000747731a", "5c52e11203aa677f33e493fb", "buy", "OPEN", "open open",
               1730211033335, amount="0.00001", price="50000")],
        balances("USDT", "20.132773386762", "21.133773386762", 1730269283892),
        [event("KCS-USDT", bought, buyer, "buy", "OPEN", "open open", 1593487481683, **resting)],
        [
            LookUp(symbol="KCS-USDT", exchange_order_id=theirs, client_order_id=ours),
            event("KCS-USDT", theirs, ours, "sell", "FILLED", "match match", 1593487482038, **sold),
        ],
        [event("KCS-USDT", theirs, ours, "sell", "FILLED", "filled done", 1593487482038, **sold)],
        [event("KCS-USDT", bought, buyer, "buy", "CANCELLED", "canceled done", 1593487481893, **resting)],
        [event("KCS-USDT", "5efab13f53bdea00089971df", "1593487679000249", "buy", "OPEN", "update open", 1593487682916,
               price="0.937", amount="0.06")],
        balances("KCS", "88", "88", 1545743136994),
        balances("KCS", "88", "88", 1545743136994),
        [event("XCAD-USDT", "6249167327218b000135e749", "buy-XCAD-USDT-1648957043010159", "buy", "CANCELLED",
               "canceled done", 1648957054031, price="2.9635", amount="100.452")],
    ]  # fmt: skip


@pytest.mark.captures
def test_every_recorded_futures_push(captures: Path) -> None:
    told = [private(frame, FUTURES) for frame in recorded(captures, "futures_private_events.jsonl")]
    isolated = Position(
        symbol="XBTUSDTM",
        side=PositionSide.NET,
        amount=D(1),
        entry_price=D("91694.5"),
        unrealised=D("0.14529"),
        margin_mode=MarginMode.ISOLATED,
        liquidation_price=D("73853.0426625"),
    )
    older = Position(
        symbol="ETHUSDCM",
        side=PositionSide.NET,
        amount=D(-20),
        entry_price=D("7508.22"),
        unrealised=D("-0.00014735"),
        liquidation_price=D(1000000),
    )
    theirs, ours = "416204113500479490", "9f7a2be0-effe-45bd-bdc8-1614715a583a"
    assert told == [
        [event("XBTUSDTM", "247899236673269761", None, "buy", "OPEN", "open open", 1731916985789, amount="1",
               price="91670")],
        [Positions(rows=[isolated], whole=False)],
        balances("USDT", "26.144281178", "81.072921258", 1731916996764),
        [Ignored()],  # the margin mode
        [Ignored()],  # a settlement: funding is asked for
        [Ignored()],  # a mark price
        [Positions(rows=[older], whole=False)],
        [Ignored()],  # parts of a wallet, of which no balance can be made
        [Ignored()],
        [
            LookUp(symbol="ETHUSDTM", exchange_order_id=theirs, client_order_id=ours),
            replace(
                event("ETHUSDTM", theirs, ours, "buy", "FILLED", "match match", 1772043995362, amount="1", filled="1"),
                position_side=PositionSide.LONG,
            ),
        ],
        balances("USDT", "28.67180236", "49.40260236", 1772050541214),
    ]  # fmt: skip


@pytest.mark.captures
def test_every_recorded_unified_push(captures: Path) -> None:
    frames = recorded(captures, "uta_private_frames.jsonl")
    theirs = "6981b2a91c6fcb0007422784"
    assert [private(frame) for frame in frames] == [
        [event("BTC-USDT", theirs, "9a1840ed0b5746459ede8e6f222daf2d", "buy", "FILLED", "FILL", 1770107561263,
               amount="0.00001", filled="0.00001", average_price="78823.6")],
        [
            Fill(
                symbol="BTC-USDT",
                exchange_order_id=theirs,
                client_order_id=None,
                trade_id="21002796345212928",
                side=Side.BUY,
                price=D("78823.6"),
                amount=D("0.00001"),
                fee=D("0.000788236"),
                fee_asset="USDT",
                is_maker=False,
                exchange_ms=1770107561258,
            )
        ],
        [Ignored()],  # the futures wallet of an account that was not unified
        [Ignored()],  # an order of futures
        [LookUp(symbol="DOGE-USDT", exchange_order_id="428507829452754944", client_order_id=None)],
        balances("USDT", "89.9930439507", "100.0030439507", 1774982552505),
    ]  # fmt: skip
    assert private(frames[2], FUTURES) == balances("USDT", "12.94776376", "13.96916376", 1770113416495)
    cancelled = event(
        "DOGEUSDTM", "427737326394129559", None, "sell", "CANCELLED", "CANCEL USER", 1774794309608, amount="1"
    )
    assert private(frames[3], FUTURES) == [cancelled]


def responses(captures: Path, file: str) -> dict[str, list[Answer]]:
    """By the words after the method; `/api/ua/v1/x` is asked for twice for two products."""
    told: dict[str, list[Answer]] = {}
    for row in recorded(captures, file):
        told.setdefault(row["request"], []).append(answer(row["response"]))
    return told


def instrument(like: Instrument, symbol: str) -> Instrument:
    return replace(like, symbol=symbol)


@pytest.mark.captures
def test_every_recorded_answer_of_classic_spot(captures: Path) -> None:
    told = {request: answers[0] for request, answers in responses(captures, "rest_spot.jsonl").items()}
    ours = "5c52e11203aa677f33e493fb"
    assert KUCOIN.parse_server_time(SPOT, told["GET /api/v1/timestamp"]) == 1729100692873
    token = KUCOIN.parse_token(SPOT, told["POST /api/v1/bullet-private"])
    assert token == Token(
        value="TOKEN_PLACEHOLDER", url="wss://ws-api-spot.kucoin.com/?token=TOKEN_PLACEHOLDER&connectId=ct"
    )
    assert KUCOIN.parse_placed(order(client_order_id=ours), told["POST /api/v1/hf/orders"]) == Placed(
        exchange_order_id="670fd33bf9406e0007ab3945", client_order_id=ours, status=OrderStatus.OPEN
    )
    for request in ("DELETE /api/v1/hf/orders/{orderId}", "DELETE /api/v1/hf/orders/client-order/{clientOid}"):
        assert KUCOIN.parse_cancelled(REF, told[request]) is None
    assert KUCOIN.parse_cancelled_all(BTC, told["DELETE /api/v1/hf/orders"]) is None
    assert KUCOIN.parse_order(REF, told["GET /api/v1/hf/orders/client-order/{clientOid}"]) == event(
        "BTC-USDT", "6717422bd51c29000775ea03", ours, "buy", "FILLED", "done", 1729577515481,
        filled="0.00001", amount="0.00001", price="70000", average_price="67717.6",
    )  # fmt: skip
    assert KUCOIN.parse_open_orders(SPOT, told["GET /api/v1/hf/orders/active"]).rows == [
        event("BTC-USDT", "67120bbef094e200070976f6", ours, "buy", "OPEN", "active", 1729235909862,
              amount="0.00001", price="50000")
    ]  # fmt: skip
    assert KUCOIN.parse_own_trades(BTC, told["GET /api/v1/hf/fills"]).rows == [
        Fill(
            symbol="BTC-USDT",
            exchange_order_id="6717422bd51c29000775ea03",
            client_order_id=None,
            trade_id="11029373945659392",
            side=Side.BUY,
            price=D("67717.6"),
            amount=D("0.00001"),
            fee=D("0.000677176"),
            fee_asset="USDT",
            is_maker=False,
            exchange_ms=1729577515473,
        )
    ]
    assert KUCOIN.parse_balances(SPOT, told["GET /api/v1/accounts"]) == [
        Balance(asset="USDT", free=D("26.66759503"), total=D("26.66759503"))
    ]


@pytest.mark.captures
def test_every_recorded_answer_of_classic_futures(captures: Path) -> None:
    told = {request: answers[0] for request, answers in responses(captures, "rest_futures.jsonl").items()}
    ours = "5c52e11203aa677f33e493fb"
    assert KUCOIN.parse_placed(order(XBT, client_order_id=ours), told["POST /api/v1/orders"]) == Placed(
        exchange_order_id="234125150956625920", client_order_id=ours, status=OrderStatus.OPEN
    )
    for request in ("DELETE /api/v1/orders/{orderId}", "DELETE /api/v1/orders/client-order/{clientOid}"):
        assert KUCOIN.parse_cancelled(XBT_REF, told[request]) is None
    assert KUCOIN.parse_cancelled_all(XBT, told["DELETE /api/v3/orders"]) is None
    xrp = replace(XBT_REF, instrument=instrument(XBT, "XRPUSDTM"))
    assert KUCOIN.parse_order(xrp, told["GET /api/v1/orders/byClientOid"]) == event(
        "XRPUSDTM", "250444645610336256", ours, "buy", "OPEN", "active", 1732523858568, amount="1", price="0.1"
    )
    assert KUCOIN.parse_open_orders(FUTURES, told["GET /api/v1/orders"]) == Page(
        rows=[
            event("PEOPLEUSDTM", "230181737576050688", "5a80bd847f1811ef8a7faa665a37b3d7", "buy", "OPEN", "active",
                  1727692804813, amount="10", price="0.05")
        ],
        cursor=None,
    )  # fmt: skip
    first = Fill(
        symbol="XBTUSDTM",
        exchange_order_id="236317213710184449",
        client_order_id=None,
        trade_id="1784277229880",
        side=Side.BUY,
        price=D("67430.9"),
        amount=D(1),
        fee=D("0.04045854"),
        fee_asset="USDT",
        is_maker=False,
        exchange_ms=1729155616320,
    )
    second = replace(
        first,
        exchange_order_id="236317094436728832",
        trade_id="1784277132002",
        price=D(67445),
        fee=D("0.040467"),
        exchange_ms=1729155587944,
    )
    assert KUCOIN.parse_own_trades(XBT, told["GET /api/v1/recentFills"]).rows == [first, second]
    assert KUCOIN.parse_positions(told["GET /api/v1/positions"]).rows == [
        Position(
            symbol="ETHUSDM",
            side=PositionSide.NET,
            amount=D(1),
            entry_price=D("2457.12"),
            unrealised=D("-4.975e-07"),
            leverage=D(10),
            margin_mode=MarginMode.CROSS,
            liquidation_price=D("1429.96"),
        ),
        Position(
            symbol="XBTUSDTM",
            side=PositionSide.NET,
            amount=D(1),
            entry_price=D("67430.9"),
            unrealised=D("0.89216"),
            margin_mode=MarginMode.ISOLATED,
            liquidation_price=D("45704.44"),
        ),
    ]
    assert KUCOIN.parse_balances(FUTURES, told["GET /api/v1/account-overview"]) == [
        Balance(asset="USDT", free=D("290.326799096"), total=D("374.286500806"))
    ]


@pytest.mark.captures
def test_every_recorded_answer_of_unified_accounts(captures: Path) -> None:
    told = {
        request.rpartition("/unified/")[2]: answers[0]
        for request, answers in responses(captures, "rest_uta.jsonl").items()
        if "/unified/" in request
    }
    assert KUCOIN.parse_placed(order(), told["order/place"]) == Placed(
        exchange_order_id="385543068587233280", client_order_id=None, status=OrderStatus.OPEN
    )
    assert KUCOIN.parse_cancelled(REF, told["order/cancel"]) is None
    assert KUCOIN.parse_cancelled_all(BTC, told["order/cancel-all"]) is None
    assert KUCOIN.parse_order(XBT_REF, told["order/detail"]) == event(
        "XBTUSDTM", "402665260420558848", "test20938451234982234374024", "buy", "FILLED", "3", 1768816081248,
        filled="1", amount="1", average_price="93026.2",
    )  # fmt: skip
    assert KUCOIN.parse_open_orders(FUTURES, told["order/open-list"]) == Page(
        rows=[
            event("XBTUSDTM", "402650101375365121", None, "buy", "OPEN", "2", 1768812467046, amount="10", price="30")
        ],
        cursor=None,
    )
    assert KUCOIN.parse_balances(SPOT, told["account/balance"]) == [
        Balance(asset="USDT", free=D("97.9936711985"), total=D("97.9936711985")),
        Balance(asset="BTC", free=D("0.0000216000"), total=D("0.0000216000")),
    ]
    assert KUCOIN.parse_positions(told["position/open-list"]).rows == [
        Position(
            symbol="XBTUSDTM",
            side=PositionSide.NET,
            amount=D(1),
            entry_price=D("90476.2"),
            unrealised=D("-0.00154"),
            leverage=D(48),
            margin_mode=MarginMode.CROSS,
        )
    ]


@pytest.mark.captures
def test_every_recorded_error(captures: Path) -> None:
    kinds = []
    for line in lines(captures, "kucoin", "rest_errors.jsonl"):
        with pytest.raises(errors.FeedError) as caught:
            KUCOIN.parse_placed(order(), Answer(status=200, body=line))
        kinds.append(caught.type)
    assert kinds == [
        errors.ClockSkew, errors.BadCredentials, errors.BadCredentials, errors.BadCredentials, RateLimited,
        errors.InsufficientFunds, errors.UnknownOrder, errors.UnknownOrder,
    ]  # fmt: skip
