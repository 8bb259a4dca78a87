"""Cells are what Django's fields would write."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from apps.feeds.market import Side
from apps.feeds.orders import OrderStatus
from apps.trading.execution.runtime.cells import writer
from apps.trading.models import Order, OrderEvent

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=UTC)
LONG = Decimal("12345678901234567889.999999999999999999")
CASES = [
    *((Order, "price", each) for each in (None, Decimal(0), Decimal("1E-18"), Decimal("-1E+5"), LONG, "1.5", 7)),
    *((Order, "price", each) for each in (Decimal("0.0000000000000000015"), Decimal("-0.0"))),
    *((Order, "created_at", each) for each in (None, AT, AT.replace(microsecond=0), datetime.min.replace(tzinfo=UTC))),
    (Order, "created_at", AT.astimezone(timezone(timedelta(hours=3)))),
    *((Order, "status", each) for each in (OrderStatus.OPEN, "OPEN", "", None, 7)),
    *((Order, "side", each) for each in (Side.BUY, "sell", None)),
    *((Order, "client_order_id", each) for each in ("aB", None)),
    *((Order, "reduce_only", each) for each in (True, False, 1, "0")),
    *((Order, "attempt", each) for each in (3, "3", None, True)),
    *((Order, "account_id", each) for each in (3, "3", None)),
    *((OrderEvent, "evidence", each) for each in (None, {"a": [1]}, "text")),
]


def field_of(model, name):
    return next(each for each in model._meta.concrete_fields if each.attname == name)


@pytest.mark.parametrize(("model", "name", "value"), CASES)
def test_a_cell_is_what_djangos_field_makes_of_the_value(model, name, value):
    field = field_of(model, name)
    made, wanted = writer(field)(value, connection), field.get_db_prep_save(value, connection=connection)
    assert (made, str(made)) == (wanted, str(wanted))


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+20"), 1.5])
def test_what_is_no_money_is_not_written(value):
    with pytest.raises((InvalidOperation, TypeError, ValidationError)):
        writer(field_of(Order, "price"))(value, connection)
