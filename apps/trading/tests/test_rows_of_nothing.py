"""Executions of nothing, as exchanges list them for dust and settlements: they end no list, and no sweep."""

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderRef
from apps.feeds.tests.trading_stand import EVERY
from apps.trading.bookkeeping import recording
from apps.trading.collecting.sweep import Part, sweep
from apps.trading.execution.gateway.asking import PASSED_OVER
from apps.trading.execution.runtime import failing
from apps.trading.models import Order, OrderFill
from apps.trading.tests import remote_seat
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
everywhere = pytest.mark.parametrize("on", EVERY, indirect=True, ids="-".join)


def bought(on: Desk) -> tuple[Order, OrderRef]:
    row = on.committed(on.intent(amount=on.part, price=on.across(Side.BUY)))
    placed = on.port.place(on.new_order(row))
    recording.record_placed(row.pk, placed, on.instrument)
    return row, OrderRef(instrument=on.instrument, exchange_order_id=placed.exchange_order_id)


def list_more(on: Desk, **changes: int) -> None:
    """One row more of the last execution."""
    last = on.truth.executions[-1]
    other = replace(last, **changes, number=last.number + 1_000_000)
    on.truth.executions.append(other)
    last.order.executions.append(other)


@everywhere
@pytest.mark.parametrize("nothing", ["size", "price"])
def test_a_row_of_nothing_is_passed_over_and_counted(on: Desk, nothing: str):
    row, ref = bought(on)
    list_more(on, **{nothing: 0})
    before = failing.counts().get(PASSED_OVER, 0)
    assert sum(fill.amount for fill in on.port.order_trades(ref)) == on.part
    assert failing.counts()[PASSED_OVER] == before + 1
    sweep(on.port, {Part.TRADES})
    assert failing.counts()[PASSED_OVER] > before + 1
    assert sum((fill.amount for fill in OrderFill.objects.filter(order=row)), Decimal(0)) == on.part


@pytest.mark.parametrize("on", [("binance", MarketType.SPOT), ("okx", MarketType.FUTURES)], indirect=True, ids="-".join)
def test_less_than_nothing_is_no_execution(on: Desk):
    _, ref = bought(on)
    list_more(on, size=-1)
    with pytest.raises(MalformedFrame):
        on.port.order_trades(ref)
