"""What the form of an order by hand says of its instrument."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.trading.tests.paper import SPOT
from ctweb.live.units import plain
from ctweb.pages.trading.placing import least_amount, tick_at

FIVE_DIGITS = replace(SPOT, tick=Decimal("0.000001"), price_digits=5)


@pytest.mark.parametrize(
    ("price", "tick"), [(97123.0, "1"), (1234.5, "0.1"), (0.012345, "0.000001"), (None, "0.000001"), (123456.0, "1")]
)
def test_the_tick_is_the_one_that_holds_at_the_price(price: float | None, tick: str):
    assert plain(tick_at(FIVE_DIGITS, price)) == tick
    assert tick_at(SPOT, price) == SPOT.tick


@pytest.mark.parametrize(("least", "contract", "shown"), [("1", "0.0001", "0.0001"), ("0.01", "1", "0.01")])
def test_the_least_amount_is_in_base_currency_whatever_the_exchange_counts(least: str, contract: str, shown: str):
    assert least_amount(replace(SPOT, min_amount=Decimal(least), contract_size=Decimal(contract))) == shown


def test_an_instrument_without_a_least_amount_shows_none():
    assert least_amount(replace(SPOT, min_amount=None)) is None
