"""Binance's trading half: what its refusals mean."""

import pytest

from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.errors import (
    Banned,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
)
from apps.feeds.tests.trader_requests import answer
from apps.feeds.tests.trading_binance import BINANCE, CODES, FUTURES, FUTURES_CODES, SPOT, instrument, order, ref


@pytest.mark.parametrize(
    ("market", "code", "text", "kind"),
    [(SPOT, *row) for row in CODES] + [(FUTURES, *row) for row in CODES + FUTURES_CODES],
)
def test_every_documented_code_has_its_class(market, code, text, kind):
    with pytest.raises(kind) as caught:
        BINANCE.parse_placed(order(market), answer({"code": code, "msg": text}, 400))
    assert type(caught.value) is kind
    assert str(caught.value) == f"{code}: {text}"
    assert getattr(caught.value, "code", str(code)) == str(code)


@pytest.mark.parametrize("market", [SPOT, FUTURES])
def test_unknown_codes_leave_orders_unknown_and_refuse_reads(market):
    never_heard_of = answer({"code": -9999, "msg": "?"}, 400)
    for parse in (
        lambda: BINANCE.parse_placed(order(market), never_heard_of),
        lambda: BINANCE.parse_cancelled(ref(market), never_heard_of),
        lambda: BINANCE.parse_cancelled_all(instrument(market), never_heard_of),
    ):
        with pytest.raises(OutcomeUnknown) as caught:
            parse()
        assert caught.value.code == "-9999"
    with pytest.raises(Refused) as refused:
        BINANCE.parse_balances(market, never_heard_of)
    assert (type(refused.value), refused.value.code) == (Refused, "-9999")


def test_there_are_codes_enough_to_call_the_table_whole():
    assert all(len(table) >= 40 for table in trading.ERRORS.values())


def test_futures_503_is_definite_only_in_its_own_words():
    for text in ("Service Unavailable.", "Internal error; unable to process your request. Please try again."):
        with pytest.raises(Retryable):
            BINANCE.parse_placed(order(FUTURES), answer({"code": -1001, "msg": text}, 503))
    with pytest.raises(Retryable):
        BINANCE.parse_placed(order(FUTURES), answer(b"Service Unavailable", 503))
    for market, body in (
        (FUTURES, {"code": -1000, "msg": "Unknown error, please check your request or try again later."}),
        (FUTURES, b"<html>"),
        (SPOT, {"code": -1001, "msg": "Internal error; unable to process your request. Please try again."}),
    ):
        with pytest.raises(OutcomeUnknown):
            BINANCE.parse_placed(order(market), answer(body, 503))


@pytest.mark.parametrize(
    ("status", "headers", "kind", "after_s"),
    [
        (429, {"retry-after": "12"}, RateLimited, 12.0),
        (429, {}, RateLimited, 60.0),
        (418, {"retry-after": "180"}, Banned, 180.0),
        (403, {}, Banned, 60.0),
    ],
)
def test_limits_and_bans_tell_how_long_to_stay_away(status, headers, kind, after_s):
    for body in ({"code": -1003, "msg": "Way too much"}, b"<html>"):
        with pytest.raises(kind) as caught:
            BINANCE.parse_placed(order(), answer(body, status, **headers))
        assert (type(caught.value), caught.value.after_s) == (kind, after_s)
