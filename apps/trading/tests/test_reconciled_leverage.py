"""The leverage that was once confirmed, beside what the exchange tells when an account opens."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.market import MarketType, Side
from apps.feeds.orders import MarginMode
from apps.trading.bookkeeping import comparing, recording
from apps.trading.collecting.reconciling import reconcile
from apps.trading.collecting.sweep import Part, sweep
from apps.trading.models import Position
from apps.trading.tests import remote_seat
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
FUTURES = MarketType.FUTURES


def gate(on: Desk) -> None:
    reconcile(on.account.pk, on.executor())


def buy(on: Desk, **values: Any) -> None:
    row = on.committed(on.intent(amount=on.part, price=on.across(Side.BUY)))
    recording.record_placed(row.pk, on.port.place(on.new_order(row, **values)))


def leverages(on: Desk) -> list[Decimal | None]:
    return list(Position.objects.filter(account=on.account).values_list("leverage", flat=True))


@pytest.mark.parametrize("on", [("binance", FUTURES), ("bybit", FUTURES)], indirect=True, ids="-".join)
def test_what_was_confirmed_before_a_start_counts_no_more_where_the_exchange_does_not_tell_it(on: Desk):
    """While nobody watched others may have set another."""
    comparing.take_leverage(on.account.pk, on.pair.pk, 3, MarginMode.ISOLATED)
    gate(on)
    assert leverages(on) == [None]


@pytest.mark.parametrize("on", [("bybit", FUTURES), ("hyperliquid", FUTURES)], indirect=True, ids="-".join)
def test_the_leverage_of_a_position_is_what_the_exchange_tells(on: Desk):
    comparing.take_leverage(on.account.pk, on.pair.pk, 3, MarginMode.ISOLATED)
    on.port.set_leverage(on.instrument, 5, MarginMode.ISOLATED)
    buy(on)
    gate(on)
    assert leverages(on) == [5]


@pytest.mark.parametrize("on", [("kucoin", FUTURES)], indirect=True, ids="-".join)
def test_what_a_position_comes_to_by_its_mark_price_is_not_taken_for_the_leverage_that_was_set(on: Desk):
    comparing.take_leverage(on.account.pk, on.pair.pk, 3, MarginMode.ISOLATED)
    buy(on, leverage=3)
    sweep(on.port, {Part.HOLDINGS})
    assert leverages(on) == [3]
    assert Position.objects.get(account=on.account).told_amount == on.part
