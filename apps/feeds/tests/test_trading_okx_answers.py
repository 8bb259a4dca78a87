"""What OKX answers: values, and refusals by their codes."""

import pytest
from msgspec.structs import replace

from apps.feeds import errors
from apps.feeds.drivers.trading import Answer, Placed
from apps.feeds.errors import MalformedFrame, OutcomeUnknown, RateLimited, Refused, Retryable
from apps.feeds.orders import (
    Balance,
    Fees,
    FundingPayment,
    OrderStatus,
    Permissions,
)
from apps.feeds.tests import good_account_frames_okx as good
from apps.feeds.tests.okx_orders import BTC, FUTURES, OKX, REF, SPOT, SWAP, D, order
from apps.feeds.tests.trader_requests import answer


def test_an_accepted_order_is_open() -> None:
    told = good.told({"clOrdId": "ct0001", "ordId": "4611", "tag": "", "sCode": "0", "sMsg": ""})
    assert OKX.parse_placed(order(), answer(told)) == Placed(
        exchange_order_id="4611", client_order_id="ct0001", status=OrderStatus.OPEN
    )


def test_an_answer_to_another_order_proves_nothing() -> None:
    told = good.told({"clOrdId": "ct0002", "ordId": "4611", "sCode": "0", "sMsg": ""})
    with pytest.raises(OutcomeUnknown):
        OKX.parse_placed(order(), answer(told))


SHEET = {
    "50011": errors.RateLimited,
    "50061": errors.RateLimited,
    "50111": errors.BadCredentials,
    "50105": errors.BadCredentials,
    "50113": errors.BadCredentials,
    "50101": errors.BadCredentials,
    "50110": errors.BadCredentials,
    "50119": errors.BadCredentials,
    "50100": errors.BadCredentials,
    "50102": errors.ClockSkew,
    "50112": errors.ClockSkew,
    "50001": errors.OutcomeUnknown,
    "50013": errors.OutcomeUnknown,
    "50026": errors.OutcomeUnknown,
    "50005": errors.OutcomeUnknown,
    "50004": errors.OutcomeUnknown,
    "51149": errors.OutcomeUnknown,
    "51000": errors.InvalidOrder,
    "51001": errors.UnknownSymbol,
    "51155": errors.UnknownSymbol,
    "51008": errors.InsufficientFunds,
    "51119": errors.InsufficientFunds,
    "51127": errors.InsufficientFunds,
    "51131": errors.InsufficientFunds,
    "51020": errors.InvalidOrder,
    "51120": errors.InvalidOrder,
    "51121": errors.InvalidOrder,
    "51006": errors.InvalidOrder,
    "51137": errors.InvalidOrder,
    "51138": errors.InvalidOrder,
    "51010": errors.NotPermitted,
    "51016": errors.DuplicateOrder,
    "51011": errors.DuplicateOrder,
    "51400": errors.UnknownOrder,
    "51401": errors.OrderIsFinal,
    "51402": errors.OrderIsFinal,
    "51603": errors.UnknownOrder,
    "50036": errors.RequestExpired,
    "99999": errors.OutcomeUnknown,  # of an order's fate an unknown code proves nothing
}


@pytest.mark.parametrize(("code", "kind"), SHEET.items())
def test_each_code_of_an_order_is_an_error_of_its_own_class(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=f"{code}: the words") as caught:
        OKX.parse_placed(order(), answer(good.refused(code, "the words")))
    assert caught.type is kind
    with pytest.raises(kind):
        OKX.parse_cancelled(REF, answer(good.told(code=code, msg="the words"), status=400))


def test_a_sub_code_is_of_its_codes_class() -> None:
    with pytest.raises(errors.InsufficientFunds):
        OKX.parse_placed(order(), answer(good.refused("51008_1000")))


@pytest.mark.parametrize(
    ("code", "kind"), [("99999", Refused), ("50026", Retryable), ("50004", Retryable), ("51603", errors.UnknownOrder)]
)
def test_a_read_is_refused_or_may_be_sent_again(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        OKX.parse_order(REF, answer(good.told(code=code, msg="no")))
    assert caught.type is kind


def test_too_many_requests_wait_for_the_next_window() -> None:
    for told in (
        answer(good.told(code="50011", msg="Too Many Requests"), status=429),
        answer(good.told(code="50011", msg="Rate limit reached")),
    ):
        with pytest.raises(RateLimited) as caught:
            OKX.parse_placed(order(), told)
        assert caught.value.after_s == 2.0


def test_a_gateways_error_leaves_the_outcome_open() -> None:
    page = Answer(status=502, body=b"<html>bad gateway</html>")
    with pytest.raises(OutcomeUnknown):
        OKX.parse_placed(order(), page)
    with pytest.raises(Retryable):
        OKX.parse_balances(SPOT, page)
    with pytest.raises(OutcomeUnknown):
        OKX.parse_placed(order(), Answer(status=200, body=b"{}"))


def test_a_cancel_that_is_under_way_is_accepted() -> None:
    assert OKX.parse_cancelled(REF, answer(good.refused("51410"))) is None
    assert OKX.parse_cancelled(REF, answer(good.PLACED)) is None


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("live", OrderStatus.OPEN),
        ("partially_filled", OrderStatus.PARTIAL),
        ("filled", OrderStatus.FILLED),
        ("canceled", OrderStatus.CANCELLED),
        ("mmp_canceled", OrderStatus.CANCELLED),
        ("order_failed", OrderStatus.REJECTED),
    ],
)
def test_the_states_of_an_order(state: str, status: OrderStatus) -> None:
    update = OKX.parse_order(REF, answer(good.told(good.order_row(state=state))))
    assert (update.status, update.text) == (status, state)


def test_a_state_or_an_order_that_nobody_asked_for_is_malformed() -> None:
    for row in (good.order_row(state="new"), good.order_row(instId="ETH-USDT")):
        with pytest.raises(MalformedFrame):
            OKX.parse_order(REF, answer(good.told(row)))


def test_answers_about_the_account() -> None:
    assert OKX.parse_balances(SPOT, answer(good.told(good.WALLET))) == [
        Balance(asset="USDT", free=D(90), total=D("100.5"))
    ]
    assert OKX.parse_balances(FUTURES, answer(good.told(good.WALLET))) == [
        Balance(asset="USDT", free=D(91), total=D(101))
    ]
    assert OKX.parse_fees(SWAP, answer(good.told(good.FEES))) == Fees(maker=D("0.0002"), taker=D("0.0005"))
    spot = {"maker": "0.0001", "taker": "-0.001", "makerU": "", "takerU": ""}
    assert OKX.parse_fees(BTC, answer(good.told(spot))) == Fees(maker=D("-0.0001"), taker=D("0.001"))
    assert OKX.parse_server_time(SPOT, answer(good.told({"ts": "1790000000000"}))) == 1790000000000


def test_funding_of_isolated_positions_is_told_in_another_field() -> None:
    isolated = good.BILL | {"billId": "6", "balChg": "0", "posBalChg": "0.02"}
    other = good.BILL | {"instId": "ETH-USDT-SWAP"}
    payment = FundingPayment(
        payment_id="5", symbol=SWAP.symbol, asset="USDT", amount=D("-0.01"), exchange_ms=1790000000000
    )
    page = OKX.parse_funding(SWAP, answer(good.told(good.BILL, isolated, other)))
    assert page.rows == [payment, replace(payment, payment_id="6", amount=D("0.02"))]
    assert page.cursor is None


def test_a_key_that_may_withdraw_is_told() -> None:
    config = {"acctLv": "1", "perm": "read_only,withdraw,trade", "ip": ""}
    assert OKX.parse_permissions(answer(good.told(config))) == Permissions(
        read=True, trade_spot=True, trade_futures=False, withdraw=True, ip_bound=False
    )
    assert OKX.parse_permissions(answer(good.told(good.CONFIG))) == Permissions(
        read=True, trade_spot=True, trade_futures=True, withdraw=False, ip_bound=True
    )
