"""Bybit's trading half: what its refusals mean."""

import pytest

from apps.feeds.drivers.bybit import trading_facts as trading
from apps.feeds.errors import (
    BadCredentials,
    Banned,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
)
from apps.feeds.tests import good_account_frames_bybit as good
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_bybit import BYBIT, CODES, SPOT, instrument, order, ref


@pytest.mark.parametrize(("code", "text", "kind"), CODES)
def test_every_documented_code_has_its_class(code, text, kind):
    with pytest.raises(kind) as caught:
        BYBIT.parse_placed(order(), answer(good.refused(code, text)))
    assert type(caught.value) is kind
    assert str(caught.value) == f"{code}: {text}"
    assert getattr(caught.value, "code", str(code)) == str(code)


def test_unknown_codes_leave_orders_unknown_and_refuse_reads():
    never_heard_of = answer(good.refused(999999, "?"))
    for parse in (
        lambda: BYBIT.parse_placed(order(), never_heard_of),
        lambda: BYBIT.parse_cancelled(ref(), never_heard_of),
        lambda: BYBIT.parse_cancelled_all(instrument(), never_heard_of),
    ):
        with pytest.raises(OutcomeUnknown) as caught:
            parse()
        assert caught.value.code == "999999"
    with pytest.raises(Refused) as refused:
        BYBIT.parse_balances(SPOT, never_heard_of)
    assert (type(refused.value), refused.value.code) == (Refused, "999999")
    assert len(trading.ERRORS) >= 40


def test_a_read_that_timed_out_may_be_sent_again():
    with pytest.raises(Retryable):
        BYBIT.parse_balances(SPOT, answer(good.refused(10016, "Internal System Error.")))


def test_a_limit_is_over_when_the_exchange_says():
    told = good.refused(10006, "Too many visits!")
    with pytest.raises(RateLimited) as caught:
        BYBIT.parse_placed(order(), answer(told, **{"x-bapi-limit-reset-timestamp": str(good.T + 700)}))
    assert caught.value.after_s == 0.7
    for headers in ({}, {"x-bapi-limit-reset-timestamp": "soon"}, {"x-bapi-limit-reset-timestamp": "1"}):
        with pytest.raises(RateLimited) as caught:
            BYBIT.parse_placed(order(), answer(told, **headers))
        assert caught.value.after_s == 1.0


@pytest.mark.parametrize(
    ("status", "headers", "kind", "after_s"),
    [(403, {}, Banned, 600.0), (429, {"retry-after": "7"}, RateLimited, 7.0), (429, {}, RateLimited, 5.0)],
)
def test_bans_of_the_address_come_without_a_code(status, headers, kind, after_s):
    with pytest.raises(kind) as caught:
        BYBIT.parse_placed(order(), answer(b"access too frequent", status, **headers))
    assert (type(caught.value), caught.value.after_s) == (kind, after_s)


def test_a_ban_by_code_is_as_long_as_one_by_status():
    with pytest.raises(Banned) as caught:
        BYBIT.parse_balances(SPOT, answer(good.refused(10018, "Exceeded the IP Rate Limit.")))
    assert caught.value.after_s == 600.0


def test_a_refusal_does_not_repeat_the_key_that_it_quotes():
    text = "error sign! origin_string[17900000000009rFT6uR4uz9Imkw4Wx5000category=linear]"
    with pytest.raises(BadCredentials) as caught:
        BYBIT.parse_balances(SPOT, answer(good.refused(10004, text)))
    assert "9rFT6uR4uz9Imkw4Wx" not in str(caught.value)
