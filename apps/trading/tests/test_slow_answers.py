"""An answer that comes after the request itself has run out is an answer: it says what became of the order."""

import time
from typing import Any

import pytest

from apps.feeds.market import MarketType, Side
from apps.trading import records
from apps.trading.execution.entry.claiming import Claim
from apps.trading.execution.entry.sending import Fate, send
from apps.trading.execution.executors.lanes import HeldLane
from apps.trading.execution.resolution import resolving
from apps.trading.models import Order, OrderEvent, OrderFill, OrderIntent
from apps.trading.tests import remote_seat
from apps.trading.tests.remote_seat import EXPIRY_MS, Desk

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
# two that look at the expiry at their gateway, one that looks at none
WHERE = [("binance", SPOT), ("kucoin", SPOT), ("htx", FUTURES)]
SHORT_MS = 2_000
LATE_S = SHORT_MS / 1000 + 0.5
LONG_S = 3_600.0


everywhere = pytest.mark.parametrize("on", WHERE, indirect=True, ids="-".join)


def short_lived(on: Desk, of: OrderIntent | None = None) -> Order:
    return on.committed(of, request_expires_at=records.time_of(on.port.now_ms() + SHORT_MS))


def sent(on: Desk, row: Order, **values: Any) -> Fate:
    """As an executor sends it, whose lane lasts."""
    until = time.monotonic() + LONG_S
    claim = Claim(order_id=row.pk, intent_id=row.intent_id or 0, order=on.new_order(row, **values), leave_by=until)
    held = HeldLane(lane=row.intent.lane, holder="h", fence=1, until=until)
    return send(claim, held, executor=on.executor(), port=on.port)


def sent_in_time(on: Desk, row: Order) -> Fate:
    """However long it is on its way, the exchange takes it."""
    return sent(on, row, expires_ms=on.port.now_ms() + EXPIRY_MS)


def events(row: Order) -> list[str]:
    return list(OrderEvent.objects.filter(order_id=row.pk).order_by("seq").values_list("kind", flat=True))


@everywhere
def test_an_order_whose_answer_comes_after_its_expiry_is_recorded_by_that_answer(on: Desk):
    row = short_lived(on)
    on.fault("early_fill", seconds=LATE_S)  # it is there at once, and answered late
    assert sent_in_time(on, row) is Fate.PLACED
    assert on.port.now_ms() > records.milliseconds(row.request_expires_at)
    found = Order.objects.get(pk=row.pk)
    assert (found.status, found.exchange_order_id) == ("OPEN", str(on.accepted()[0].order.id))
    assert (events(row)[-1], len(on.accepted())) == ("placed", 1)
    assert "lost" not in events(row)


@everywhere
def test_what_was_filled_before_the_late_answer_is_counted_once(on: Desk):
    row = short_lived(on, on.intent(price=on.across(Side.BUY)))
    on.fault("early_fill", seconds=LATE_S)
    assert sent_in_time(on, row) is Fate.PLACED
    for _ in range(2):
        resolving.resolve(row.pk, on.port)
    found = Order.objects.get(pk=row.pk)
    assert (found.status, found.filled) == ("FILLED", row.amount)
    assert sum(fill.amount for fill in OrderFill.objects.filter(order=row)) == row.amount
    assert len(on.accepted()) == 1


@pytest.mark.parametrize("on", [("hyperliquid", FUTURES)], indirect=True, ids="-".join)
def test_a_refusal_that_comes_late_ends_the_order(on: Desk):
    """It reached the matcher when it had run out."""
    row = short_lived(on)
    on.fault("late_accept", seconds=LATE_S)
    assert sent(on, row) is Fate.REFUSED
    assert (Order.objects.get(pk=row.pk).status, on.accepted()) == ("REJECTED", [])
