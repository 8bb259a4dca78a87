from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import pytest
from django.db import connection

from apps.feeds.models import Exchange, TradePair

pytestmark = pytest.mark.django_db
SMALL, LARGE = Decimal("0.000000000000000001"), Decimal("99999999999999999999.999999999999999999")
VALUES = [
    *("0", "0.1", "-0.1", "1E-18", "1.2345678901234567E-2", "12345678.12345678", "0.3", "100", "1E+19"),
    "12345678901234567890.123456789012345678",
    str(LARGE),
    str(-LARGE),
]


def keep(tick: Decimal | str | int, pair: str = "A/B") -> TradePair:
    return TradePair.objects.create(
        exchange=Exchange.objects.get(code="okx"),
        market_type="spot",
        pair=pair,
        symbol=pair,
        base="A",
        quote="B",
        settle="B",
        tick=tick,
        lot=1,
        refreshed_at=datetime.now(UTC),
    )


@pytest.mark.parametrize("text", VALUES)
def test_every_digit_comes_back(text):
    row = keep(Decimal(text))
    assert TradePair.objects.get(pk=row.pk).tick == Decimal(text)
    assert TradePair.objects.filter(tick=Decimal(text)).exists()


def test_order_is_that_of_numbers():
    values = [Decimal(text) for text in VALUES]
    for number, value in enumerate(values):
        keep(value, f"P{number}/B")
    found = list(TradePair.objects.order_by("tick").values_list("tick", flat=True))
    assert found == sorted(values)


def test_ranges_and_lists_are_those_of_numbers():
    for text in ("9", "10", "100.5"):
        keep(Decimal(text), f"{text}/B")
    assert {row.tick for row in TradePair.objects.filter(tick__gt=Decimal("9.999"))} == {Decimal(10), Decimal("100.5")}
    assert TradePair.objects.filter(tick__in=[Decimal("10.00"), Decimal("9.0")]).count() == 2
    assert TradePair.objects.filter(tick__range=(Decimal(9), Decimal(10))).count() == 2


def test_a_neighbour_in_the_last_digit_is_another_number():
    keep(Decimal(1) + SMALL)
    assert not TradePair.objects.filter(tick=Decimal(1)).exists()
    assert TradePair.objects.filter(tick__gt=Decimal(1)).exists()


def test_plain_sql_reads_plain_digits():
    keep(Decimal("1E-18"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT TICK FROM SPOT_TRADE_PAIR")
        assert str(Decimal(cursor.fetchone()[0])) == "1E-18"


def test_more_digits_than_fit_are_refused():
    with pytest.raises(InvalidOperation):
        keep(Decimal("1E+21"))


def test_a_float_is_refused():
    with pytest.raises(TypeError, match="takes Decimal"):
        keep(0.1)  # type: ignore[arg-type]
