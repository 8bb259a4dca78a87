"""What KuCoin answers, of both kinds of account: values, and refusals by their codes and texts."""

from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds import errors
from apps.feeds.drivers.trading import (
    Answer,
    Page,
    Placed,
)
from apps.feeds.errors import MalformedFrame, OutcomeUnknown, RateLimited, Refused, Retryable
from apps.feeds.market import Side
from apps.feeds.orders import (
    Balance,
    Fees,
    FundingPayment,
    MarginMode,
    OrderStatus,
    Permissions,
    PositionSide,
)
from apps.feeds.tests import good_account_frames_kucoin as good
from apps.feeds.tests.kucoin_orders import (
    BTC,
    FILL,
    FUTURES,
    KUCOIN,
    MS,
    POSITION,
    REF,
    SPOT,
    UPDATE,
    XBT,
    XBT_REF,
    D,
    order,
    private,
)
from apps.feeds.tests.trader_requests import answer


def test_an_accepted_order_is_open() -> None:
    placed = Placed(exchange_order_id="4611", client_order_id="ct0001", status=OrderStatus.OPEN)
    told = good.told({"orderId": "4611", "clientOid": "ct0001"})
    assert KUCOIN.parse_placed(order(), answer(told)) == placed
    nameless = good.told({"orderId": "4611", "tradeType": "SPOT", "ts": good.NS, "clientOid": None})
    assert KUCOIN.parse_placed(order(), answer(nameless)) == replace(placed, client_order_id=None)
    with pytest.raises(OutcomeUnknown):
        KUCOIN.parse_placed(order(), answer(good.told({"orderId": "4611", "clientOid": "ct0002"})))


SHEET = [
    ("429000", "", errors.RateLimited),
    ("200002", "", errors.RateLimited),
    ("400001", "", errors.BadCredentials),
    ("400002", "", errors.ClockSkew),
    ("400003", "", errors.BadCredentials),
    ("400004", "", errors.BadCredentials),
    ("400005", "", errors.BadCredentials),
    ("400006", "", errors.BadCredentials),
    ("400007", "", errors.NotPermitted),
    ("411100", "", errors.NotPermitted),
    ("400100", "balance insufficient", errors.InsufficientFunds),
    ("400100", "order_not_exist_or_not_allow_to_cancel", errors.UnknownOrder),
    ("400100", "Order size increment invalid.", errors.InvalidOrder),
    ("400100", "The quantity is below the minimum requirement.", errors.InvalidOrder),
    ("400100", "Unsupported trading pair.", errors.UnknownSymbol),
    ("400100", "clientOid parameter is duplicated", errors.DuplicateOrder),
    ("400100", "no idea", errors.Refused),
    ("300000", "Size must be a multiple of lotSize", errors.InvalidOrder),
    ("300000", "for reasons", errors.Refused),
    ("200004", "", errors.InsufficientFunds),
    ("230003", "", errors.InsufficientFunds),
    ("300003", "", errors.InsufficientFunds),
    ("400600", "", errors.UnknownSymbol),
    ("900001", "", errors.UnknownSymbol),
    ("600100", "", errors.InvalidOrder),
    ("600101", "", errors.InvalidOrder),
    ("100001", "", errors.UnknownOrder),
    ("100004", "", errors.OrderIsFinal),
    ("126033", "", errors.DuplicateOrder),
    ("126044", "", errors.DuplicateOrder),
    ("330005", "", errors.NotPermitted),
    ("330008", "", errors.InsufficientFunds),
    ("330012", "", errors.NotPermitted),
    ("415000", "", errors.Refused),
    ("101030", "", errors.NotPermitted),
    ("112010", "", errors.NotPermitted),
    ("500000", "", errors.OutcomeUnknown),
    ("999999", "", errors.OutcomeUnknown),  # of an order's fate an unknown code proves nothing
]


@pytest.mark.parametrize(("code", "text", "kind"), SHEET)
def test_each_code_of_an_order_is_an_error_of_its_own_class(code: str, text: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=code) as caught:
        KUCOIN.parse_placed(order(), answer(good.refused(code, text), status=400))
    assert caught.type is kind
    with pytest.raises(kind):
        KUCOIN.parse_cancelled(REF, answer(good.refused(code, text)))


@pytest.mark.parametrize(
    ("code", "kind"), [("999999", Refused), ("500000", Retryable), ("100001", errors.UnknownOrder)]
)
def test_a_read_is_refused_or_may_be_sent_again(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        KUCOIN.parse_order(REF, answer(good.refused(code)))
    assert caught.type is kind


def test_too_many_requests_wait_for_the_told_reset() -> None:
    busy = good.refused("429000", "Too Many Requests")
    with pytest.raises(RateLimited) as told:
        KUCOIN.parse_placed(order(), answer(busy, status=429, gw_ratelimit_reset="14000"))
    with pytest.raises(RateLimited) as untold:
        KUCOIN.parse_placed(order(), answer(busy))
    assert (told.value.after_s, untold.value.after_s) == (14.0, 3.0)
    with pytest.raises(errors.Banned) as banned:
        KUCOIN.parse_placed(order(), Answer(status=403, body=b"error code: 1015"))
    assert banned.value.after_s == 30.0


def test_a_gateways_error_leaves_the_outcome_open() -> None:
    page = Answer(status=502, body=b"<html>bad gateway</html>")
    with pytest.raises(OutcomeUnknown):
        KUCOIN.parse_placed(order(), page)
    with pytest.raises(Retryable):
        KUCOIN.parse_balances(SPOT, page)
    with pytest.raises(OutcomeUnknown):
        KUCOIN.parse_placed(order(), Answer(status=200, body=b'{"code":"200000","data":null}'))


def test_a_cancel_that_cancelled_nothing_found_no_order() -> None:
    assert KUCOIN.parse_cancelled(XBT_REF, answer(good.told({"cancelledOrderIds": ["4611"]}))) is None
    with pytest.raises(errors.UnknownOrder):
        KUCOIN.parse_cancelled(XBT_REF, answer(good.told({"cancelledOrderIds": []})))


def test_an_order_that_is_not_there_is_unknown() -> None:
    with pytest.raises(errors.UnknownOrder):
        KUCOIN.parse_order(REF, answer(good.told(None)))


def test_an_order_of_each_generation() -> None:
    futures = replace(UPDATE, symbol="XBTUSDTM", side=Side.SELL, filled=D(1), amount=D(3))
    assert KUCOIN.parse_order(REF, answer(good.told(good.SPOT_ORDER))) == UPDATE
    assert KUCOIN.parse_order(XBT_REF, answer(good.told(good.FUTURES_ORDER))) == futures
    assert KUCOIN.parse_order(REF, answer(good.told(good.UNIFIED_ORDER))) == replace(UPDATE, text="4")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"dealSize": "0", "dealFunds": "0"}, OrderStatus.OPEN),
        ({}, OrderStatus.PARTIAL),
        ({"active": False}, OrderStatus.FILLED),
        ({"active": False, "cancelExist": True}, OrderStatus.CANCELLED),
    ],
)
def test_the_state_of_a_classic_order_is_made_of_several_fields(changes: dict[str, Any], status: OrderStatus) -> None:
    assert KUCOIN.parse_order(REF, answer(good.told(good.SPOT_ORDER | changes))).status is status


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (0, OrderStatus.PENDING),
        (1, OrderStatus.PENDING),
        (2, OrderStatus.OPEN),
        (3, OrderStatus.FILLED),
        (4, OrderStatus.PARTIAL),
        (5, OrderStatus.CANCELLED),
        (6, OrderStatus.CANCELLED),
    ],
)
def test_the_states_of_a_unified_order(number: int, status: OrderStatus) -> None:
    assert KUCOIN.parse_order(REF, answer(good.told(good.UNIFIED_ORDER | {"status": number}))).status is status
    [pushed] = private(good.unified("orderAll.UNIFIED", good.UNIFIED_EVENT | {"os": number}))
    assert pushed.status is status


def test_an_order_of_another_symbol_or_state_is_malformed() -> None:
    for row in (good.SPOT_ORDER | {"symbol": "ETH-USDT"}, good.UNIFIED_ORDER | {"status": 9}):
        with pytest.raises(MalformedFrame):
            KUCOIN.parse_order(REF, answer(good.told(row)))


def test_executions_of_each_generation() -> None:
    spot = answer(good.told({"items": [good.SPOT_FILL], "lastId": 5}))
    assert KUCOIN.parse_own_trades(BTC, spot) == Page(rows=[FILL], cursor=None)
    full = answer(good.told({"items": [good.SPOT_FILL] * 100, "lastId": 5}))
    assert KUCOIN.parse_own_trades(BTC, full).cursor == "5"
    unified = answer(good.told({"items": [good.UNIFIED_FILL], "lastId": 5}))
    assert KUCOIN.parse_own_trades(BTC, unified).rows == [FILL]
    rebate = replace(FILL, symbol="XBTUSDTM", amount=D(1), fee=D("-0.03"), is_maker=False)
    assert KUCOIN.parse_own_trades(XBT, answer(good.told([good.FUTURES_FILL]))).rows == [rebate]
    with pytest.raises(MalformedFrame):
        KUCOIN.parse_own_trades(XBT, spot)


def test_balances_of_each_generation() -> None:
    whole = Balance(asset="USDT", free=D(90), total=D("100.5"))
    assert KUCOIN.parse_balances(FUTURES, answer(good.told(good.OVERVIEW))) == [whole]
    assert KUCOIN.parse_balances(SPOT, answer(good.told(good.UNIFIED_WALLET))) == [whole]
    rows = [{"currency": "USDT", "type": kind, "balance": "100.5", "available": "90"} for kind in ("main", "trade")]
    assert KUCOIN.parse_balances(SPOT, answer(good.told(rows))) == [whole]


def test_the_parts_of_a_unified_account_hold_no_more_together_than_one_may() -> None:
    [part] = good.UNIFIED_WALLET["accounts"]
    crowd = {"currencies": part["currencies"] * 1_000}
    assert len(KUCOIN.parse_balances(SPOT, answer(good.told({"accounts": [crowd] * 2})))) == 2_000
    for accounts in ([crowd] * 3, [part] * 30_000):
        with pytest.raises(MalformedFrame):
            KUCOIN.parse_balances(SPOT, answer(good.told({"accounts": accounts})))


def test_positions_of_each_generation() -> None:
    unified = replace(POSITION, leverage=D(5), margin_mode=MarginMode.CROSS, liquidation_price=None)
    page = KUCOIN.parse_positions(answer(good.told([good.HELD, good.UNIFIED_POSITION])))
    assert page == Page(rows=[POSITION, unified], cursor=None)
    short = KUCOIN.parse_positions(answer(good.told([good.HELD | {"positionSide": "SHORT", "currentQty": 2}]))).rows[0]
    assert (short.side, short.amount) == (PositionSide.SHORT, D(-2))


def test_fees_funding_time_and_permissions() -> None:
    for told in (good.RATE, [good.RATE], {"tradeType": "FUTURES", "list": [good.RATE]}):
        assert KUCOIN.parse_fees(XBT, answer(good.told(told))) == Fees(maker=D("0.0002"), taker=D("0.0006"))
    paid = FundingPayment(
        payment_id="5", symbol="XBTUSDTM", asset="USDT", amount=D("-0.036"), exchange_ms=MS, rate=D("0.0001")
    )
    more = answer(good.told({"dataList": [good.PAYMENT], "hasMore": True}))
    assert KUCOIN.parse_funding(XBT, more) == Page(rows=[paid], cursor="5")
    unified = answer(good.told({"items": [good.UNIFIED_PAYMENT], "lastId": 9}))
    received = replace(paid, payment_id=f"XBTUSDTM-{MS}", amount=D("0.036"))
    assert KUCOIN.parse_funding(XBT, unified) == Page(rows=[received], cursor=None)
    assert KUCOIN.parse_server_time(SPOT, answer(good.told(MS))) == MS
    withdrawing = good.KEY | {"permission": "General, Unified, Transfer", "ipWhitelist": ""}
    assert KUCOIN.parse_permissions(answer(good.told(withdrawing))) == Permissions(
        read=True, trade_spot=True, trade_futures=True, withdraw=True, ip_bound=False
    )
    assert KUCOIN.parse_permissions(answer(good.told(good.KEY | {"permission": "General,Spot"}))) == Permissions(
        read=True, trade_spot=True, trade_futures=False, withdraw=False, ip_bound=True
    )
