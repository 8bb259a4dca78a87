"""Bybit's trading half: what its answers mean."""

import json
from decimal import Decimal

import pytest

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
from apps.feeds.orders import (
    Balance,
    Fees,
    FundingPayment,
    OrderStatus,
    Permissions,
    PositionSide,
)
from apps.feeds.tests import good_account_frames as loaded
from apps.feeds.tests import good_account_frames_bybit as good
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_bybit import (
    BYBIT,
    FUTURES,
    KEYS,
    NOW,
    OURS,
    PARTIAL,
    SHORT,
    SPOT,
    WEEK,
    fill,
    instrument,
    order,
    private,
    ref,
    sent,
)


def test_an_order_that_was_taken_in_is_open_until_the_stream_says_more():
    taken = Placed(exchange_order_id="4611", client_order_id=OURS, status=OrderStatus.OPEN)
    assert BYBIT.parse_placed(order(), answer(good.told(good.PLACED))) == taken


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{}", good.told({}), good.told(good.PLACED | {"orderLinkId": "another"}), {"retCode": "x"}],
)
def test_an_answer_that_proves_nothing_leaves_the_order_unknown(body):
    with pytest.raises(OutcomeUnknown):
        BYBIT.parse_placed(order(), answer(body))


def asked_for(**changes):
    return BYBIT.parse_order(ref(), answer(good.rows(good.order(**changes), category="spot")))


def test_an_order_that_was_asked_for():
    assert asked_for() == PARTIAL
    assert asked_for(avgPrice="") == PARTIAL
    assert asked_for(avgPrice="", cumExecQty="0", cumExecValue="").average_price is None
    by_theirs = BYBIT.parse_order(ref(ours=None, theirs="4611"), answer(good.rows(good.order(orderLinkId=""))))
    assert by_theirs.client_order_id is None


def test_an_order_that_nobody_knows():
    with pytest.raises(UnknownOrder):
        BYBIT.parse_order(ref(), answer(good.rows(category="spot")))


def test_the_last_state_of_an_order_told_twice_counts():
    told = good.rows(good.order(updatedTime="5"), good.order(updatedTime="9", orderStatus="Filled"))
    assert BYBIT.parse_order(ref(), answer(told)).status is OrderStatus.FILLED


@pytest.mark.parametrize(
    "body",
    [
        good.rows(good.order(orderLinkId="another")),
        good.rows(good.order(symbol="ETHUSDT")),
        good.rows(good.order(), category="linear"),
        good.rows(good.order(orderStatus="Half")),
        good.rows(good.order(cumExecQty="-1")),
        good.rows(good.order(qty="NaN")),
    ],
)
def test_an_answer_that_tells_of_something_else_is_malformed(body):
    with pytest.raises(MalformedFrame):
        BYBIT.parse_order(ref(), answer(body))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"orderStatus": "Created"}, OrderStatus.PENDING),
        ({"orderStatus": "New"}, OrderStatus.OPEN),
        ({"orderStatus": "Untriggered"}, OrderStatus.PENDING),
        ({"orderStatus": "Triggered"}, OrderStatus.PENDING),
        ({"orderStatus": "PartiallyFilled"}, OrderStatus.PARTIAL),
        ({"orderStatus": "Filled"}, OrderStatus.FILLED),
        ({"orderStatus": "PartiallyFilledCanceled"}, OrderStatus.CANCELLED),
        ({"orderStatus": "PartiallyFilledCanceled", "orderType": "Market"}, OrderStatus.FILLED),
        (
            {"orderStatus": "PartiallyFilledCanceled", "orderType": "Market", "marketUnit": "baseCoin"},
            OrderStatus.EXPIRED,
        ),
        ({"orderStatus": "Cancelled"}, OrderStatus.CANCELLED),
        ({"orderStatus": "Cancelled", "rejectReason": "EC_PostOnlyWillTakeLiquidity"}, OrderStatus.REJECTED),
        ({"orderStatus": "Cancelled", "timeInForce": "IOC"}, OrderStatus.EXPIRED),
        ({"orderStatus": "Cancelled", "timeInForce": "FOK"}, OrderStatus.EXPIRED),
        ({"orderStatus": "Rejected"}, OrderStatus.REJECTED),
        ({"orderStatus": "Deactivated"}, OrderStatus.CANCELLED),
    ],
)
def test_every_status_has_its_word(changes, status):
    assert asked_for(**changes).status is status


def test_a_reason_is_told_with_the_status():
    told = asked_for(orderStatus="Cancelled", rejectReason="EC_PostOnlyWillTakeLiquidity")
    assert told.text == "Cancelled EC_PostOnlyWillTakeLiquidity"


def test_market_orders_have_no_price_and_those_that_spend_no_amount():
    spends = asked_for(orderType="Market", marketUnit="", qty="200")
    buys = asked_for(orderType="Market", marketUnit="baseCoin")
    sells = asked_for(orderType="Market", side="Sell")
    assert [(one.price, one.amount) for one in (spends, buys, sells)] == [
        (None, None),
        (None, Decimal("0.003")),
        (None, Decimal("0.003")),
    ]


def test_open_orders_of_futures_go_on_with_the_next_page_and_the_next_coin():
    def page(cursor, token):
        url = BYBIT.open_orders(KEYS, FUTURES, None, NOW, cursor).url
        told = good.rows(good.order(), category="linear", nextPageCursor=token)
        return BYBIT.parse_open_orders(FUTURES, answer(told, url=url))

    assert page(None, "abc%3D") == Page(rows=[PARTIAL], cursor="USDT:abc%3D")
    assert page("USDT:abc%3D", "").cursor == "USDC"
    assert page("USDC", "").cursor is None


def test_open_orders_of_one_symbol_go_on_by_their_own_cursor():
    url = BYBIT.open_orders(KEYS, FUTURES, instrument(FUTURES), NOW).url
    told = good.rows(good.order(), category="linear", nextPageCursor="abc%3D")
    assert BYBIT.parse_open_orders(FUTURES, answer(told, url=url)).cursor == "abc%3D"


def own(market, *rows):
    category = "spot" if market is SPOT else "linear"
    return BYBIT.parse_own_trades(instrument(market), answer(good.rows(*rows, category=category))).rows


def test_own_trades_with_taxes_in_the_same_asset_and_without_funding():
    assert own(FUTURES, good.execution(), good.execution(execType="Funding")) == [fill()]
    other = good.execution(extraFees=[{"feeCoin": "INR", "fee": "9"}])
    assert own(FUTURES, other) == [fill(fee=Decimal("0.0165"))]


@pytest.mark.parametrize(
    ("market", "changes", "asset"),
    [
        (FUTURES, {}, "USDT"),
        (SPOT, {"side": "Buy"}, "BTC"),
        (SPOT, {"side": "Sell"}, "USDT"),
        (SPOT, {"side": "Buy", "isMaker": True, "feeRate": "-0.0001", "execFee": "-0.003"}, "USDT"),
        (SPOT, {"side": "Sell", "isMaker": True, "feeRate": "-0.0001", "execFee": "-0.003"}, "BTC"),
        (SPOT, {"side": "Buy", "isMaker": False, "feeRate": "-0.0001"}, "BTC"),
    ],
)
def test_a_fee_without_its_asset_is_in_what_the_rules_say(market, changes, asset):
    [one] = own(market, good.execution(feeCurrency="", **changes))
    assert one.fee_asset == asset


@pytest.mark.parametrize(
    "row",
    [
        good.execution(execType="Gift"),
        good.execution(symbol="ETHUSDT"),
        good.execution(execQty="-1"),
        good.execution(execQty=""),
        good.execution(execPrice=""),
        good.execution(execFee=""),
        good.execution(execPrice="-1"),
    ],
)
def test_executions_that_cannot_be_are_malformed(row):
    with pytest.raises(MalformedFrame):
        own(SPOT, row)


def test_executions_of_long_ago_are_asked_for_week_by_week():
    def page(cursor, token):
        request = BYBIT.own_trades(KEYS, instrument(), NOW - WEEK - 5, NOW, cursor)
        told = BYBIT.parse_own_trades(instrument(), answer(good.rows(nextPageCursor=token), url=request.url))
        return sent(request)[1], told.cursor

    params, cursor = page(None, "1%3A2")
    assert (params["startTime"], params["endTime"]) == (str(NOW - WEEK - 5), str(NOW - 5))
    params, cursor = page(cursor, "")
    assert (params["cursor"], params["endTime"]) == ("1:2", str(NOW - 5))
    params, cursor = page(cursor, "")
    assert (params["startTime"], params["endTime"]) == (str(NOW - 5), str(NOW))
    assert cursor is None


def test_one_wallet_serves_both_markets():
    usdt = Balance(asset="USDT", free=Decimal("9184.12"), total=Decimal("9997.1"))
    btc = Balance(asset="BTC", free=Decimal(0), total=Decimal("9997.1"))
    for market in (SPOT, FUTURES):
        assert BYBIT.parse_balances(market, answer(good.rows(good.WALLET))) == [usdt, btc]
    never_held = dict.fromkeys(good.coin(), "") | {"coin": "ETH"}
    wallet = {"accountType": "UNIFIED", "coin": [never_held]}
    assert BYBIT.parse_balances(SPOT, answer(good.rows(wallet))) == [
        Balance(asset="ETH", free=Decimal(0), total=Decimal(0))
    ]
    with pytest.raises(MalformedFrame):
        BYBIT.parse_balances(SPOT, answer(good.rows(good.WALLET | {"accountType": "CONTRACT"})))
    crowd = {"accountType": "UNIFIED", "coin": [good.coin()] * 1_000}
    with pytest.raises(MalformedFrame):
        BYBIT.parse_balances(SPOT, answer(good.rows(crowd, crowd, crowd)))


def test_positions_are_signed_and_the_next_coin_follows():
    told = good.rows(good.position(), good.position(side="", size="0", symbol="ETHUSDT"), category="linear")
    url = BYBIT.positions(KEYS, NOW).url
    assert BYBIT.parse_positions(answer(told, url=url)) == Page(rows=[SHORT], cursor="USDC")
    hedged = good.rows(good.position(positionIdx=1, side="Buy", liqPrice="", entryPrice=None, avgPrice="5"))
    [long] = BYBIT.parse_positions(answer(hedged)).rows
    assert (long.side, long.amount, long.entry_price, long.liquidation_price) == (
        PositionSide.LONG,
        Decimal("0.01"),
        Decimal(5),
        None,
    )
    for wrong in ({"positionIdx": 3}, {"side": ""}, {"size": "-1"}, {"side": "Up"}):
        with pytest.raises(MalformedFrame):
            BYBIT.parse_positions(answer(good.rows(good.position(**wrong))))


def test_fees_funding_and_time():
    rates = good.rows({"symbol": "BTCUSDT", "makerFeeRate": "-0.0001", "takerFeeRate": "0.0006"})
    assert BYBIT.parse_fees(instrument(), answer(rates)) == Fees(maker=Decimal("-0.0001"), taker=Decimal("0.0006"))
    with pytest.raises(MalformedFrame):
        BYBIT.parse_fees(instrument(symbol="ETHUSDT"), answer(rates))
    empty = good.rows({"symbol": "BTCUSDT", "makerFeeRate": "", "takerFeeRate": "0.0006"})
    with pytest.raises(MalformedFrame):
        BYBIT.parse_fees(instrument(), answer(empty))
    log = good.rows(good.LOG_ROW, good.LOG_ROW | {"type": "TRADE"}, good.LOG_ROW | {"symbol": "ETHUSDT"})
    paid = FundingPayment(
        payment_id="592324",
        symbol="BTCUSDT",
        asset="USDT",
        amount=Decimal("-0.003676"),
        exchange_ms=good.T,
        rate=Decimal("0.0001"),
    )
    assert BYBIT.parse_funding(instrument(FUTURES), answer(log)) == Page(rows=[paid])
    nameless = good.rows({key: value for key, value in good.LOG_ROW.items() if key != "id"})
    [made] = BYBIT.parse_funding(instrument(FUTURES), answer(nameless)).rows
    assert made.payment_id == f"BTCUSDT-{good.T}"
    clock = good.told({"timeSecond": "1688639403", "timeNano": "1688639403423213947"})
    assert BYBIT.parse_server_time(SPOT, answer(clock)) == 1688639403423
    assert BYBIT.server_time(FUTURES).url == "https://api.bybit.com/v5/market/time"


def permitted(**changes):
    return BYBIT.parse_permissions(answer(good.told(good.KEY | changes)))


def test_what_a_key_may_do():
    whole = Permissions(
        read=True, trade_spot=True, trade_futures=True, withdraw=False, ip_bound=True, expires_ms=1810350804000
    )
    assert permitted() == whole
    read_only = permitted(readOnly=1, ips=["*"], expiredAt="0001-01-01T00:00:00Z")
    assert (read_only.trade_spot, read_only.trade_futures, read_only.ip_bound, read_only.expires_ms) == (
        False,
        False,
        False,
        None,
    )
    unified = permitted(permissions={"Derivatives": ["DerivativesTrade"], "Wallet": ["Withdraw"]})
    assert (unified.trade_spot, unified.trade_futures, unified.withdraw) == (False, True, True)
    for wrong in ("soon", "2027-05-15T03:13:24"):
        with pytest.raises(MalformedFrame):
            permitted(expiredAt=wrong)


def test_cancelled_orders():
    BYBIT.parse_cancelled(ref(), answer(good.told(good.PLACED)))
    BYBIT.parse_cancelled_all(instrument(), answer(good.told({"list": [], "success": "1"})))
    with pytest.raises(OutcomeUnknown):
        BYBIT.parse_cancelled(ref(), answer(b"<html>", 502))
    with pytest.raises(OutcomeUnknown):
        BYBIT.parse_cancelled_all(instrument(), answer(b"<html>", 502))


@pytest.mark.parametrize("told", good.ANSWERS, ids=lambda one: one.parse)
def test_answers_that_are_to_be_spoilt_are_good_at_first(told):
    code = told.body["retCode"]
    whole = loaded.answer(told, json.dumps(told.body))
    if code in (0, 110043) and told.body["result"] != {"list": [], "nextPageCursor": "", "category": "linear"}:
        getattr(BYBIT, told.parse)(*told.args, whole)
    else:
        with pytest.raises((Refused, Retryable, OutcomeUnknown)):
            getattr(BYBIT, told.parse)(*told.args, whole)


@pytest.mark.parametrize("market", [SPOT, FUTURES])
def test_private_frames_that_are_to_be_spoilt_are_good_at_first(market):
    assert all(private(market, frame) for frame in good.PRIVATE[market])
