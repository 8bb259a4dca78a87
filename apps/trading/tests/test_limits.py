"""Which figure of a limit holds."""

from decimal import Decimal

import pytest

from apps.trading.risk.limits import CEILINGS, Limits, check, strictest


def test_what_nobody_sets_has_its_default():
    assert strictest([]) == Limits()


def test_the_smallest_of_all_rows_holds_and_may_be_above_the_default():
    rows = [("max_order_usdt", Decimal(500)), ("max_order_usdt", Decimal(300)), ("max_order_usdt", Decimal(400))]
    assert strictest(rows) == Limits(max_order_usdt=Decimal(300))
    assert strictest(rows[:1]) == Limits(max_order_usdt=Decimal(500))


def test_no_row_lifts_a_limit_over_its_ceiling():
    assert strictest([("max_order_usdt", Decimal(10_001))]) == Limits(max_order_usdt=Decimal(10_000))
    assert check("max_open_account", Decimal(9), {"max_open_account": Decimal(7)}) == 7


def test_counts_stay_whole_numbers():
    chosen = strictest([("max_open_pair", Decimal("3.0")), ("max_leverage", Decimal(0))])
    assert (chosen.max_open_pair, chosen.max_leverage) == (3, 0)
    assert type(chosen.max_open_pair) is int


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("max_order", "1", "no limit is called max_order"),
        ("fee_share", "1", "no limit is called fee_share"),
        ("max_order_usdt", "NaN", "max_order_usdt cannot be NaN"),
        ("max_order_usdt", "Infinity", "max_order_usdt cannot be Infinity"),
        ("max_order_usdt", "-0.01", "max_order_usdt cannot be -0.01"),
        ("max_open_pair", "1.5", "max_open_pair is a whole number, not 1.5"),
    ],
)
def test_nonsense_is_refused(name: str, value: str, text: str):
    with pytest.raises(ValueError, match=text):
        strictest([(name, Decimal(value))])


@pytest.mark.parametrize("name", CEILINGS)
def test_every_ceiling_is_of_a_limit_whose_default_it_allows(name: str):
    assert getattr(Limits(), name) <= CEILINGS[name]
