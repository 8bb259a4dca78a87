"""What people read in the place of programs' words, and money on the grid of its instrument."""

from decimal import Decimal

import pytest

from apps.feeds.models import TradePair
from apps.trading.risk import limits
from apps.trading.risk.view import DenyReason
from ctweb.pages.trading import words
from ctweb.templatetags import format as formats
from ctweb.templatetags import trading
from workers.trader.accounts import Step

BTC = TradePair(tick=Decimal("0.1"), lot=Decimal("0.00001"), contract_size=Decimal(1))


def test_every_limit_refusal_and_step_has_words():
    assert set(words.LIMITS) == set(limits.CEILINGS)
    assert set(words.DENIALS) == set(DenyReason)
    assert set(words.STEPS) == set(Step)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("82764", "82,764.0"),
        ("83996.6", "83,996.6"),
        ("83994.81538461", "83,994.815"),
        ("0.1", "0.1"),
        (None, "–"),
    ],
)
def test_prices_have_the_decimals_of_their_tick_and_means_two_more(value, text):
    assert trading.priced(None if value is None else Decimal(value), BTC) == text


@pytest.mark.parametrize(("value", "text"), [("0.5", "0.50000"), ("0", "0.00000"), ("0.0000001", "0.0000001")])
def test_amounts_have_the_decimals_of_their_lot_and_are_never_rounded(value, text):
    assert trading.sized(Decimal(value), BTC) == text


def test_an_amount_of_a_pair_that_is_gone_keeps_its_digits():
    assert trading.sized(Decimal("0.50"), None) == trading.priced(Decimal("0.50"), None) == "0.5"


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (420, "420 ms"),
        (14_200, "14.2 s"),
        (372_000, "6 m 12 s"),
        (7_860_000, "2 h 11 m"),
        (212_400_000, "2 d 11 h"),
        (None, "–"),
    ],
)
def test_durations_read_as_in_the_browser(ms, text):
    assert trading.lasting(ms) == text


def test_limits_are_shown_in_the_unit_that_people_count_in():
    assert trading.limit_value(Decimal("0.02"), "collar_share") == "2 %"
    assert trading.limit_value(Decimal(5000), "max_book_age_ms") == "5,000 ms"
    assert trading.percent(Decimal("0.001")) == "0.1 %"


def test_evidence_is_told_without_what_it_leaves_open():
    evidence = {"exchange_order_id": "P-10", "amount": "0.00065000", "price": None, "text": "", "is_maker": False}
    assert trading.told_items(evidence) == [
        ("exchange order id", "P-10"),
        ("amount", "0.00065"),
        ("is maker", "false"),
    ]
    assert trading.told_items(None) == trading.told_items({}) == []
    assert trading.told_items("gone") == [("", "gone")]


@pytest.mark.parametrize(("value", "tone"), [("0.01", "bid"), ("-0.01", "ask"), ("0.004", "muted"), ("0", "muted")])
def test_a_result_that_is_written_as_zero_has_no_colour(value, tone):
    assert formats.tone(Decimal(value)) == tone
    assert formats.tone(None) == "muted"


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        *(("0.0012", 8, "+0.0012"), ("-1234.5", 8, "−1,234.50"), ("0.000000001", 8, "0.00"), ("0.12345678", 8, None)),
        *(("0.0012", 2, "0.00"), ("100", 2, "+100.00"), ("-100", 8, "−100.00")),
    ],
)
def test_results_have_two_decimals_and_more_only_where_they_count(value: str, places: int, text: str | None):
    assert formats.cents(Decimal(value), places) == (f"+{value}" if text is None else text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("account 22: ALERT_UNACKED", "account 22: an alert waits for a person (ALERT_UNACKED)"),
        ("MISMATCH: 2 BTC", "what we know and what the exchange tells differ (MISMATCH): 2 BTC"),
        ("a drill with BTC_USDT at LIVE", "a drill with BTC_USDT at LIVE"),
        ("", ""),
    ],
)
def test_what_stopped_something_by_itself_is_named_in_words(text: str, shown: str):
    assert trading.explained(text) == shown
