"""Numbers that people and programs read have all their digits and no exponent."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.feeds.orders import OrderStatus
from apps.trading import plain
from apps.trading.bookkeeping import recording
from apps.trading.models import FillSource, OrderEvent
from apps.trading.tests import told

money = st.decimals(min_value=-(10**20), max_value=10**20, places=18, allow_nan=False)


@pytest.mark.parametrize(
    ("number", "text"),
    [("0E+18", "0"), ("0E-18", "0"), ("-0", "0"), ("1E+3", "1000"), ("1E-8", "0.00000001"), ("0.500", "0.5")],
)
def test_a_number_is_written_out(number: str, text: str):
    assert plain.text(Decimal(number)) == text


@given(money)
def test_nothing_is_lost(number: Decimal):
    text = plain.text(number)
    assert (Decimal(text), "E" in text) == (number, False)


@pytest.mark.django_db
def test_the_evidence_of_an_order_has_plain_numbers(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    order = told.sent()
    update = told.update(order, OrderStatus.PARTIAL, "1E-7", average_price=Decimal("6E+4"))
    recording.record_update(order.account_id, told.instrument(order), update, FillSource.WS)
    fill = told.fill(order, "t1", "1E-7", fee=Decimal("0E+18"))
    recording.record_fill(order.account_id, told.instrument(order), fill, FillSource.WS)
    heard, counted = OrderEvent.objects.filter(order_id=order.pk).order_by("seq").values_list("evidence", flat=True)
    assert (heard["filled"], heard["average_price"]) == ("0.0000001", "60000")
    assert (counted["amount"], counted["fee"]) == ("0.0000001", "0")
    assert json.loads(json.dumps(heard)) == heard
