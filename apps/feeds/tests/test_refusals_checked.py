"""Codes that mean beyond doubt that an order was not taken, and their neighbours that leave it open."""

import pytest

from apps.feeds.errors import OutcomeUnknown, Refused
from apps.feeds.tests import refusals_told
from apps.feeds.tests.refusals_told import FUTURES, SPOT

CERTAIN = [("okx", code) for code in ("50009", "50024", "51007", "51023", "51100", "51129", "51135", "51174")]
CERTAIN += [("bybit", code) for code in ("110034", "110063", "170005", "170241", "170372")]
OPEN = [("okx", code) for code in ("50001", "50013", "51054", "51109", "51149", "51767")]
OPEN += [("bybit", code) for code in ("10000", "170007", "170035", "170149", "170234")]
markets = pytest.mark.parametrize("market", [SPOT, FUTURES])


@markets
@pytest.mark.parametrize(("exchange", "code"), CERTAIN)
def test_an_order_that_was_not_taken_is_refused(exchange, code, market):
    assert isinstance(refusals_told.of_placing(exchange, market, code), Refused)


@markets
@pytest.mark.parametrize(("exchange", "code"), OPEN)
def test_an_order_of_which_nothing_certain_is_told_is_unknown(exchange, code, market):
    assert isinstance(refusals_told.of_placing(exchange, market, code), OutcomeUnknown)
