"""Binance's trading half: what its answers mean."""

import json
from decimal import Decimal

import pytest

from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.trading import (
    Page,
    Placed,
)
from apps.feeds.errors import (
    MalformedFrame,
    OutcomeUnknown,
    Refused,
    Retryable,
    UnknownOrder,
)
from apps.feeds.market import Side
from apps.feeds.orders import (
    Balance,
    Fees,
    Fill,
    FundingPayment,
    OrderStatus,
    OrderUpdate,
    Permissions,
    Position,
    PositionSide,
)
from apps.feeds.tests import good_account_frames as loaded
from apps.feeds.tests import good_account_frames_binance as good
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_binance import (
    BINANCE,
    FUTURES,
    KEYS,
    NOW,
    OURS,
    SPOT,
    instrument,
    order,
    private,
    ref,
    sent,
)

FULL = {
    "symbol": "BTCUSDT",
    "orderId": 28,
    "orderListId": -1,
    "clientOrderId": OURS,
    "transactTime": 1507725176595,
    "price": "0.00000000",
    "origQty": "10.00000000",
    "executedQty": "10.00000000",
    "cummulativeQuoteQty": "39999.00000000",
    "status": "FILLED",
    "side": "BUY",
    "fills": [
        {"price": "4000", "qty": "9", "commission": "4.0", "commissionAsset": "BNB", "tradeId": 56},
        {"price": "3999", "qty": "1", "commission": "-0.5", "commissionAsset": "USDT", "tradeId": 57},
    ],
}


def fill(**changes):
    fields = {
        "symbol": "BTCUSDT",
        "exchange_order_id": "28",
        "client_order_id": OURS,
        "trade_id": "56",
        "side": Side.BUY,
        "price": Decimal(4000),
        "amount": Decimal(9),
        "fee": Decimal(4),
        "fee_asset": "BNB",
        "is_maker": False,
        "exchange_ms": 1507725176595,
    }
    return Fill(**(fields | changes))


def test_an_accepted_order_tells_its_state_and_the_fills_that_it_took():
    rebate = fill(trade_id="57", price=Decimal(3999), amount=Decimal(1), fee=Decimal("-0.5"), fee_asset="USDT")
    assert BINANCE.parse_placed(order(), answer(FULL)) == Placed(
        exchange_order_id="28",
        client_order_id=OURS,
        status=OrderStatus.FILLED,
        filled=Decimal(FULL["executedQty"]),
        fills=(fill(), rebate),
    )


def test_the_short_answers_of_a_new_order_are_enough():
    ack = {"symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": OURS, "transactTime": 1}
    taken = Placed(exchange_order_id="28", client_order_id=OURS, status=OrderStatus.OPEN)
    assert BINANCE.parse_placed(order(), answer(ack)) == taken
    short = {"orderId": 28, "symbol": "BTCUSDT", "status": "NEW", "clientOrderId": OURS, "origQty": "0.01"}
    assert BINANCE.parse_placed(order(FUTURES), answer(short)) == taken
    expired = short | {"status": "EXPIRED", "executedQty": "0"}
    assert BINANCE.parse_placed(order(FUTURES), answer(expired)).status is OrderStatus.EXPIRED
    partly = BINANCE.parse_placed(order(FUTURES), answer(expired | {"executedQty": "0.004"}))
    assert (partly.status, partly.filled, partly.fills) == (OrderStatus.EXPIRED, Decimal("0.004"), ())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        {**FULL, "clientOrderId": "another"},
        {**FULL, "symbol": "ETHUSDT"},
        {**FULL, "status": "WHAT"},
        {**FULL, "executedQty": "NaN"},
        {**FULL, "executedQty": "-1"},
        {**FULL, "fills": [{**FULL["fills"][0], "qty": "-1"}]},
    ],
)
def test_an_answer_that_proves_nothing_leaves_the_order_unknown(body):
    with pytest.raises(OutcomeUnknown):
        BINANCE.parse_placed(order(), answer(body))


QUERIED = {
    "symbol": "BTCUSDT",
    "orderId": 1,
    "clientOrderId": OURS,
    "price": "30000.5",
    "origQty": "2.0",
    "executedQty": "0.5",
    "cummulativeQuoteQty": "15000.0",
    "status": "PARTIALLY_FILLED",
    "side": "SELL",
    "time": 10,
    "updateTime": 20,
}
PARTIAL = OrderUpdate(
    symbol="BTCUSDT",
    exchange_order_id="1",
    client_order_id=OURS,
    status=OrderStatus.PARTIAL,
    side=Side.SELL,
    filled=Decimal("0.5"),
    amount=Decimal(2),
    price=Decimal("30000.5"),
    average_price=Decimal(30000),
    exchange_ms=20,
    text="PARTIALLY_FILLED",
)


def test_an_order_that_was_asked_for():
    assert BINANCE.parse_order(ref(), answer(QUERIED)) == PARTIAL
    told = {key: value for key, value in QUERIED.items() if key != "cummulativeQuoteQty"} | {"avgPrice": "30000.00"}
    assert BINANCE.parse_order(ref(FUTURES, None, "1"), answer(told)) == PARTIAL
    for other in (ref(ours="another"), ref(ours=None, theirs="2"), ref(symbol="ETHUSDT")):
        with pytest.raises(MalformedFrame):
            BINANCE.parse_order(other, answer(QUERIED))


def test_old_orders_do_not_know_their_value():
    told = BINANCE.parse_order(ref(), answer(QUERIED | {"cummulativeQuoteQty": "-1.0", "executedQty": "0.5"}))
    assert told.average_price is None


def test_open_orders_come_in_one_answer():
    assert BINANCE.parse_open_orders(SPOT, answer([QUERIED])) == Page(rows=[PARTIAL])
    assert BINANCE.parse_open_orders(FUTURES, answer([])) == Page(rows=[])


@pytest.mark.parametrize(
    ("told", "filled", "status"),
    [
        ("NEW", "0", OrderStatus.OPEN),
        ("PENDING_NEW", "0", OrderStatus.PENDING),
        ("PARTIALLY_FILLED", "1", OrderStatus.PARTIAL),
        ("FILLED", "2", OrderStatus.FILLED),
        ("CANCELED", "1", OrderStatus.CANCELLED),
        ("PENDING_CANCEL", "0", OrderStatus.OPEN),
        ("REJECTED", "0", OrderStatus.REJECTED),
        ("EXPIRED", "1", OrderStatus.EXPIRED),
        ("EXPIRED_IN_MATCH", "0", OrderStatus.EXPIRED),
        ("NEW_ADL", "0", OrderStatus.OPEN),
        ("NEW_ADL", "1", OrderStatus.PARTIAL),
        ("NEW_INSURANCE", "2", OrderStatus.FILLED),
    ],
)
def test_every_status_has_its_word(told, filled, status):
    update = BINANCE.parse_order(ref(), answer(QUERIED | {"status": told, "executedQty": filled}))
    assert (update.status, update.filled, update.text) == (status, Decimal(filled), told)


def test_an_unknown_status_is_malformed():
    with pytest.raises(MalformedFrame):
        BINANCE.parse_order(ref(), answer(QUERIED | {"status": "new"}))


def trade(**changes):
    row = {
        "symbol": "BTCUSDT",
        "id": 56,
        "orderId": 28,
        "price": "4000",
        "qty": "9",
        "commission": "4.0",
        "commissionAsset": "BNB",
        "time": 1507725176595,
    }
    return row | changes


def test_own_trades_of_spot_and_futures():
    spot = answer([trade(isBuyer=True, isMaker=False)])
    assert BINANCE.parse_own_trades(instrument(), spot) == Page(rows=[fill(client_order_id=None)])
    futures = answer([trade(buyer=False, maker=True, side="SELL")])
    assert BINANCE.parse_own_trades(instrument(FUTURES), futures) == Page(
        rows=[fill(client_order_id=None, side=Side.SELL, is_maker=True)]
    )
    for wrong in (trade(), trade(isBuyer=True, symbol="ETHUSDT"), trade(isBuyer=True, qty="-1")):
        with pytest.raises(MalformedFrame):
            BINANCE.parse_own_trades(instrument(), answer([wrong]))
    nothing = [trade(isBuyer=True, qty="0"), trade(isBuyer=True, price="0")]
    assert BINANCE.parse_own_trades(instrument(), answer(nothing)) == Page(rows=[], passed_over=2)


def test_a_full_page_of_trades_goes_on_after_its_last_id():
    rows = [trade(id=number, isBuyer=True) for number in range(1000)]
    assert BINANCE.parse_own_trades(instrument(), answer(rows)).cursor == "1000"
    assert BINANCE.parse_own_trades(instrument(), answer(rows[1:])).cursor is None


def test_futures_trades_of_long_ago_are_asked_for_week_by_week():
    week = 7 * 86_400_000
    first = BINANCE.own_trades(KEYS, instrument(FUTURES), NOW - week - 5, NOW)
    cursor = BINANCE.parse_own_trades(instrument(FUTURES), answer([], url=first.url)).cursor
    assert cursor == f"@{NOW - 5}"
    second = BINANCE.own_trades(KEYS, instrument(FUTURES), NOW - week - 5, NOW, cursor)
    assert sent(second)[1]["startTime"] == str(NOW - 5)
    assert BINANCE.parse_own_trades(instrument(FUTURES), answer([], url=second.url)).cursor is None
    spot = BINANCE.own_trades(KEYS, instrument(), NOW - week - 5, NOW)
    assert BINANCE.parse_own_trades(instrument(), answer([], url=spot.url)).cursor is None


def test_balances_of_both_wallets():
    spot = {
        "commissionRates": {"maker": "0.0015", "taker": "0.0020", "buyer": "0", "seller": "0"},
        "balances": [{"asset": "BTC", "free": "1.5", "locked": "0.25"}],
    }
    assert BINANCE.parse_balances(SPOT, answer(spot)) == [
        Balance(asset="BTC", free=Decimal("1.5"), total=Decimal("1.75"))
    ]
    assert BINANCE.parse_fees(instrument(), answer(spot)) == Fees(maker=Decimal("0.0015"), taker=Decimal("0.0020"))
    futures = [{"asset": "USDT", "balance": "122.5", "availableBalance": "100.25", "crossUnPnl": "0"}]
    assert BINANCE.parse_balances(FUTURES, answer(futures)) == [
        Balance(asset="USDT", free=Decimal("100.25"), total=Decimal("122.5"))
    ]


def test_positions_without_those_that_are_closed():
    row = {
        "symbol": "BTCUSDT",
        "positionAmt": "-0.001",
        "positionSide": "BOTH",
        "entryPrice": "50000.0",
        "unRealizedProfit": "-1.5",
        "liquidationPrice": "0",
    }
    told = [row, row | {"positionAmt": "0.000", "symbol": "ETHUSDT"}]
    short = Position(
        symbol="BTCUSDT",
        side=PositionSide.NET,
        amount=Decimal("-0.001"),
        entry_price=Decimal(50000),
        unrealised=Decimal("-1.5"),
    )
    assert BINANCE.parse_positions(answer(told)) == Page(rows=[short])
    with pytest.raises(MalformedFrame):
        BINANCE.parse_positions(answer([row | {"positionSide": "SIDEWAYS"}]))
    with pytest.raises(MalformedFrame):
        BINANCE.parse_positions(answer([row | {"marginType": "loose"}]))


def test_fees_funding_time_and_permissions():
    rates = {"symbol": "BTCUSDT", "makerCommissionRate": "-0.0001", "takerCommissionRate": "0.0004"}
    assert BINANCE.parse_fees(instrument(FUTURES), answer(rates)) == Fees(
        maker=Decimal("-0.0001"), taker=Decimal("0.0004")
    )
    income = {"symbol": "BTCUSDT", "incomeType": "FUNDING_FEE", "income": "-0.375", "asset": "USDT", "time": 5}
    income |= {"tranId": 9689322392, "tradeId": "", "info": "FUNDING_FEE"}
    assert BINANCE.parse_funding(instrument(FUTURES), answer([income])) == Page(
        rows=[
            FundingPayment(
                payment_id="9689322392", symbol="BTCUSDT", asset="USDT", amount=Decimal("-0.375"), exchange_ms=5
            )
        ]
    )
    full = answer([income | {"time": number} for number in range(1000)])
    cursor = BINANCE.parse_funding(instrument(FUTURES), full).cursor
    assert cursor == "999"
    assert sent(BINANCE.funding(KEYS, instrument(FUTURES), 1, NOW, cursor))[1]["startTime"] == "999"
    assert BINANCE.parse_server_time(SPOT, answer({"serverTime": NOW})) == NOW
    restrictions = {
        "ipRestrict": True,
        "createTime": 1,
        "enableReading": True,
        "enableWithdrawals": True,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableSpotAndMarginTrading": True,
    }
    assert BINANCE.parse_permissions(answer(restrictions)) == Permissions(
        read=True, trade_spot=True, trade_futures=False, withdraw=True, ip_bound=True
    )
    for parse, body in (
        (BINANCE.parse_fees, rates | {"symbol": "ETHUSDT"}),
        (BINANCE.parse_funding, [income | {"symbol": "ETHUSDT"}]),
    ):
        with pytest.raises(MalformedFrame):
            parse(instrument(FUTURES), answer(body))


def test_cancelled_orders():
    told = {**QUERIED, "origClientOrderId": OURS, "clientOrderId": "of-the-cancel", "status": "CANCELED"}
    BINANCE.parse_cancelled(ref(), answer(told))
    BINANCE.parse_cancelled_all(instrument(), answer([told]))
    BINANCE.parse_cancelled_all(instrument(FUTURES), answer({"code": 200, "msg": "done"}))
    BINANCE.parse_cancelled_all(instrument(), answer({"code": -2011, "msg": "Unknown order sent."}, 400))
    with pytest.raises(UnknownOrder):
        BINANCE.parse_cancelled(ref(), answer({"code": -2011, "msg": "Unknown order sent."}, 400))
    with pytest.raises(OutcomeUnknown):
        BINANCE.parse_cancelled(ref(), answer(b"<html>", 502))


@pytest.mark.parametrize("told", good.ANSWERS, ids=lambda one: one.parse)
def test_answers_that_are_to_be_spoilt_are_good_at_first(told):
    whole = loaded.answer(told, json.dumps(told.body))
    if told.status == 200 or told.body["code"] in trading.UNCHANGED:
        getattr(BINANCE, told.parse)(*told.args, whole)
    else:
        with pytest.raises((Refused, Retryable, OutcomeUnknown)):
            getattr(BINANCE, told.parse)(*told.args, whole)


@pytest.mark.parametrize("market", [SPOT, FUTURES])
def test_private_frames_that_are_to_be_spoilt_are_good_at_first(market):
    assert all(private(market, frame) for frame in good.PRIVATE[market])
