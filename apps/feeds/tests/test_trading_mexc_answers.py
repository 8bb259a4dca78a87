"""What MEXC's answers tell of orders, trades and the account."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.drivers.trading import Page, Placed
from apps.feeds.errors import InsufficientFunds, MalformedFrame, OrderIsFinal, UnknownOrder, UnknownSymbol
from apps.feeds.market import Side
from apps.feeds.orders import (
    Balance,
    Fees,
    Fill,
    FundingPayment,
    MarginMode,
    OrderStatus,
    OrderUpdate,
    Permissions,
    Position,
    PositionSide,
)
from apps.feeds.tests.test_trading_mexc import BTC, FUTURES, MEXC, NOW, OURS, SPOT, SWAP, answer, order, ref


def envelope(data: Any) -> Any:
    return answer({"success": True, "code": 0, "data": data})


def test_an_order_that_was_taken_says_its_id_and_nothing_else():
    taken = Placed(exchange_order_id="C02__505", client_order_id=None, status=OrderStatus.OPEN)
    assert MEXC.parse_placed(order(), answer({"symbol": "BTCUSDT", "orderId": "C02__505"})) == taken
    number = Placed(exchange_order_id="739113577038255616", client_order_id=None, status=OrderStatus.OPEN)
    assert MEXC.parse_placed(order(SWAP), envelope({"orderId": "739113577038255616", "ts": NOW})) == number
    assert MEXC.parse_placed(order(SWAP), envelope({"orderId": 739113577038255616})) == number
    assert MEXC.parse_placed(order(SWAP), envelope("739113577038255616")) == number
    assert MEXC.parse_placed(order(SWAP), envelope(739113577038255616)) == number


def test_cancels_of_spot():
    MEXC.parse_cancelled(ref(), answer({"symbol": "BTCUSDT", "orderId": 4, "status": "CANCELED"}))
    with pytest.raises(UnknownOrder):
        MEXC.parse_cancelled(ref(), answer({"code": -2011, "msg": "Unknown order sent."}, 400))
    MEXC.parse_cancelled_all(BTC, answer([{"symbol": "BTCUSDT", "orderId": "4"}]))
    MEXC.parse_cancelled_all(BTC, answer([]))
    MEXC.parse_cancelled_all(BTC, answer({"code": -2011, "msg": "Unknown order sent."}, 400))
    with pytest.raises(UnknownSymbol):
        MEXC.parse_cancelled_all(BTC, answer({"code": -1121, "msg": "Invalid symbol."}, 400))


def test_cancels_of_futures_are_refused_one_by_one():
    MEXC.parse_cancelled(ref(SWAP), answer({"success": True, "code": 0}))
    MEXC.parse_cancelled(ref(SWAP), envelope({"symbol": "BTC_USDT", "externalOid": OURS}))
    MEXC.parse_cancelled(ref(SWAP), envelope([{"orderId": 7, "errorCode": 0, "errorMsg": "success"}]))
    with pytest.raises(UnknownOrder):
        MEXC.parse_cancelled(ref(SWAP), envelope([{"orderId": 7, "errorCode": 2040, "errorMsg": "order not exist"}]))
    with pytest.raises(OrderIsFinal):
        MEXC.parse_cancelled(ref(SWAP), envelope({"orderId": 7, "errorCode": 2041, "errorMsg": "state"}))
    with pytest.raises(InsufficientFunds):
        MEXC.parse_cancelled_all(SWAP, answer({"success": False, "code": 2005, "message": "?"}))
    MEXC.parse_cancelled_all(SWAP, answer({"success": True, "code": 0}))


def spot_order(**changes: Any) -> dict[str, Any]:
    row = {"symbol": "BTCUSDT", "orderId": "C02__505", "orderListId": -1, "clientOrderId": OURS, "price": "45000.5"}
    row |= {"origQty": "0.0010", "executedQty": "0.0004", "cummulativeQuoteQty": "18.0", "status": "NEW"}
    return row | {"type": "LIMIT", "side": "BUY", "time": NOW, "updateTime": NOW + 5} | changes


def update(**changes: Any) -> OrderUpdate:
    values: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "exchange_order_id": "C02__505",
        "client_order_id": OURS,
        "status": OrderStatus.OPEN,
        "side": Side.BUY,
        "filled": Decimal("0.0004"),
        "amount": Decimal("0.001"),
        "price": Decimal("45000.5"),
        "average_price": Decimal(45000),
        "exchange_ms": NOW + 5,
        "text": "NEW",
    }
    return OrderUpdate(**{**values, **changes})


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("NEW", OrderStatus.OPEN),
        ("PARTIALLY_FILLED", OrderStatus.PARTIAL),
        ("FILLED", OrderStatus.FILLED),
        ("CANCELED", OrderStatus.CANCELLED),
        ("PARTIALLY_CANCELED", OrderStatus.CANCELLED),
        ("REJECTED", OrderStatus.REJECTED),
        ("EXPIRED", OrderStatus.EXPIRED),
    ],
)
def test_spot_orders_in_every_state(status: str, meant: OrderStatus):
    told = answer(spot_order(status=status))
    assert MEXC.parse_order(ref(), told) == update(status=meant, text=status)


def test_spot_orders_with_what_may_be_missing():
    bare = spot_order(clientOrderId=None, executedQty="0", updateTime=None, price="0", origQty="0", side="SELL")
    missing = {"client_order_id": None, "filled": Decimal(0), "average_price": None, "price": None, "amount": None}
    assert MEXC.parse_order(ref(), answer(bare)) == update(side=Side.SELL, exchange_ms=NOW, **missing)
    assert MEXC.parse_open_orders(SPOT, answer([spot_order()])) == Page(rows=[update()])


@pytest.mark.parametrize("changes", [{"status": "FLOATING"}, {"side": "HOLD"}, {"executedQty": "-1"}, {"price": "NaN"}])
def test_orders_that_make_no_sense_are_refused(changes: dict[str, Any]):
    with pytest.raises(MalformedFrame):
        MEXC.parse_order(ref(), answer(spot_order(**changes)))


def swap_order(**changes: Any) -> dict[str, Any]:
    row = {"orderId": "102015012431820288", "symbol": "BTC_USDT", "positionId": 1394917, "price": 45000.5, "vol": 10}
    row |= {"leverage": 3, "side": 1, "category": 1, "orderType": 1, "dealAvgPrice": 45000, "dealVol": 4, "state": 2}
    return row | {"externalOid": OURS, "errorCode": 0, "createTime": NOW, "updateTime": NOW + 5} | changes


def swap_update(**changes: Any) -> OrderUpdate:
    values: dict[str, Any] = {
        "symbol": "BTC_USDT",
        "exchange_order_id": "102015012431820288",
        "status": OrderStatus.PARTIAL,
        "filled": Decimal(4),
        "amount": Decimal(10),
        "text": "2:0",
    }
    return update(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        (
            {"dealVol": 0, "dealAvgPrice": 0},
            {"status": OrderStatus.OPEN, "filled": Decimal(0), "average_price": None},
        ),
        ({"state": 1}, {"status": OrderStatus.PENDING, "text": "1:0"}),
        ({"state": 3, "side": 2}, {"status": OrderStatus.FILLED, "text": "3:0"}),
        (
            {"state": 4, "errorCode": 20, "side": 3},
            {"status": OrderStatus.CANCELLED, "text": "4:20", "side": Side.SELL},
        ),
        ({"state": 5, "errorCode": 22, "side": 4}, {"status": OrderStatus.REJECTED, "text": "5:22", "side": Side.SELL}),
        ({"orderId": 102015012431820288, "externalOid": ""}, {"client_order_id": None}),
    ],
)
def test_futures_orders_in_every_state(changes: dict[str, Any], expected: dict[str, Any]):
    assert MEXC.parse_order(ref(SWAP), envelope(swap_order(**changes))) == swap_update(**expected)


def test_a_success_without_data_is_an_order_that_is_not_known():
    for told in (answer({"success": True, "code": 0}), envelope(None)):
        with pytest.raises(UnknownOrder):
            MEXC.parse_order(ref(SWAP), told)


def test_pages_of_futures_are_counted_by_their_address_and_a_list_without_a_number_has_none():
    url = "https://api.mexc.com/api/v1/private/order/list/open_orders?page_num=3&page_size=100"
    body = {"success": True, "code": 0, "data": [swap_order()]}
    assert MEXC.parse_open_orders(FUTURES, answer(body, url=url)) == Page(rows=[swap_update()])
    full = {"success": True, "code": 0, "data": [swap_order()] * 100}
    assert MEXC.parse_open_orders(FUTURES, answer(full, url=url)).cursor == "4"
    assert MEXC.parse_open_orders(FUTURES, answer(full, url=url.partition("?")[0])).cursor is None


def spot_trade(**changes: Any) -> dict[str, Any]:
    row = {"symbol": "BTCUSDT", "id": "505X1", "orderId": "C02__505", "orderListId": -1, "price": "45000", "qty": "0.5"}
    row |= {"quoteQty": "22500", "commission": "0.02", "commissionAsset": "MX", "time": NOW, "isBuyer": True}
    return row | {"isMaker": False, "isBestMatch": True, "isSelfTrade": False, "clientOrderId": OURS} | changes


def fill(**changes: Any) -> Fill:
    values: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "exchange_order_id": "C02__505",
        "client_order_id": OURS,
        "trade_id": "505X1",
        "side": Side.BUY,
        "price": Decimal(45000),
        "amount": Decimal("0.5"),
        "fee": Decimal("0.02"),
        "fee_asset": "MX",
        "is_maker": False,
        "exchange_ms": NOW,
    }
    return Fill(**{**values, **changes})


def test_own_trades_of_spot():
    rows = [spot_trade(), spot_trade(id="505X2", isBuyer=False, isMaker=True, clientOrderId=None, commission="-0.01")]
    other = {"trade_id": "505X2", "side": Side.SELL, "is_maker": True, "client_order_id": None, "fee": Decimal("-0.01")}
    assert MEXC.parse_own_trades(BTC, answer(rows)) == Page(rows=[fill(), fill(**other)])


@pytest.mark.parametrize(
    ("times", "cursor"),
    [
        (range(NOW, NOW + 100), f"startTime={NOW + 99}"),
        (range(NOW, NOW - 100, -1), f"endTime={NOW - 99}"),
        ([NOW] * 100, f"endTime={NOW - 1}"),
        ([NOW] * 99, None),
    ],
)
def test_a_full_page_of_trades_says_where_the_rest_is(times: Any, cursor: str | None):
    rows = [spot_trade(id=str(number), time=time) for number, time in enumerate(times)]
    assert MEXC.parse_own_trades(BTC, answer(rows)).cursor == cursor


def deal(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "311655369",
        "orderId": "276461245253669888",
        "symbol": "BTC_USDT",
        "side": 4,
        "price": 45000,
        "vol": 5,
    }
    return row | {"fee": 0.00060288, "feeCurrency": "USDT", "timestamp": NOW, "category": 1, "profit": 0} | changes


@pytest.mark.parametrize(
    ("changes", "is_maker"),
    [({"taker": True}, False), ({"isTaker": False}, True), ({"isTaker": True, "taker": False}, False), ({}, None)],
)
def test_own_trades_of_futures(changes: dict[str, Any], is_maker: bool | None):
    expected = fill(
        symbol="BTC_USDT",
        exchange_order_id="276461245253669888",
        client_order_id=None,
        trade_id="311655369",
        side=Side.SELL,
        amount=Decimal(5),
        fee=Decimal("0.00060288"),
        fee_asset="USDT",
        is_maker=is_maker,
    )
    assert MEXC.parse_own_trades(SWAP, envelope([deal(**changes)])) == Page(rows=[expected])


# the account


ACCOUNT = {
    "canTrade": True,
    "canWithdraw": False,
    "balances": [{"asset": "USDT", "free": "10.5", "locked": "1"}, {"asset": "BTC", "free": "0", "locked": "0"}],
}


def test_balances_of_both_wallets():
    assert MEXC.parse_balances(SPOT, answer(ACCOUNT)) == [
        Balance(asset="USDT", free=Decimal("10.5"), total=Decimal("11.5")),
        Balance(asset="BTC", free=Decimal(0), total=Decimal(0)),
    ]
    asset = {"currency": "USDT", "positionMargin": 2, "availableBalance": 0.5, "frozenBalance": 1, "equity": 3}
    assert MEXC.parse_balances(FUTURES, envelope([asset])) == [
        Balance(asset="USDT", free=Decimal("0.5"), total=Decimal("3.5"))
    ]


def test_what_a_key_may_do_is_what_the_account_may():
    told = Permissions(read=True, trade_spot=True, trade_futures=None, withdraw=False)
    assert MEXC.parse_permissions(answer(ACCOUNT)) == told
    assert MEXC.parse_permissions(answer(ACCOUNT | {"canWithdraw": True})).withdraw is True


def held(**changes: Any) -> dict[str, Any]:
    row = {"positionId": 1394650, "symbol": "BTC_USDT", "positionType": 1, "openType": 1, "state": 1, "holdVol": 7}
    row |= {"holdAvgPrice": 45000, "openAvgPrice": 45000, "liquidatePrice": 30000.5, "leverage": 3}
    return row | changes


def test_positions_are_long_or_short():
    long = Position(
        symbol="BTC_USDT",
        side=PositionSide.LONG,
        amount=Decimal(7),
        entry_price=Decimal(45000),
        leverage=Decimal(3),
        margin_mode=MarginMode.ISOLATED,
        liquidation_price=Decimal("30000.5"),
    )
    short = Position(
        symbol="BTC_USDT",
        side=PositionSide.SHORT,
        amount=Decimal(-7),
        entry_price=Decimal(45000),
        leverage=Decimal(3),
        margin_mode=MarginMode.CROSS,
    )
    rows = [held(), held(positionType=2, openType=2, liquidatePrice=0)]
    assert MEXC.parse_positions(envelope(rows)) == Page(rows=[long, short])


def test_fees_are_those_that_are_listed():
    listings = [{"symbol": "X", "makerCommission": "1", "takerCommission": "1"}]
    listings.append({"symbol": "BTCUSDT", "makerCommission": "0", "takerCommission": "0.0005"})
    assert MEXC.parse_fees(BTC, answer({"symbols": listings})) == Fees(maker=Decimal(0), taker=Decimal("0.0005"))
    contract = {"symbol": "BTC_USDT", "makerFeeRate": 0, "takerFeeRate": 0.0002}
    expected = Fees(maker=Decimal(0), taker=Decimal("0.0002"))
    assert MEXC.parse_fees(SWAP, envelope([contract])) == expected
    assert MEXC.parse_fees(SWAP, envelope(contract)) == expected
    for instrument, told in ((BTC, answer({"symbols": []})), (SWAP, envelope([]))):
        with pytest.raises(UnknownSymbol):
            MEXC.parse_fees(instrument, told)


def test_funding_comes_in_pages_from_the_newest_on():
    row = {"id": 7423910, "symbol": "BTC_USDT", "positionType": 1, "positionValue": 29.3, "funding": 0.00076180624}
    row |= {"rate": -0.000026, "settleTime": NOW}
    page = {"pageSize": 20, "totalCount": 2, "totalPage": 2, "currentPage": 1, "resultList": [row]}
    paid = FundingPayment(
        payment_id="7423910",
        symbol="BTC_USDT",
        asset="USDT",
        amount=Decimal("0.00076180624"),
        exchange_ms=NOW,
        rate=Decimal("-0.000026"),
    )
    assert MEXC.parse_funding(SWAP, envelope(page)) == Page(rows=[paid], cursor="2")
    assert MEXC.parse_funding(SWAP, envelope(page | {"currentPage": 2})).cursor is None


def test_the_time_of_both_markets():
    assert MEXC.parse_server_time(SPOT, answer({"serverTime": NOW})) == NOW
    assert MEXC.parse_server_time(FUTURES, envelope(NOW)) == NOW


def test_leverage_is_set_or_not():
    MEXC.parse_leverage_set(answer({"success": True, "code": 0}))
    with pytest.raises(InsufficientFunds):
        MEXC.parse_leverage_set(answer({"success": False, "code": 2005, "message": "Insufficient balance!"}))
