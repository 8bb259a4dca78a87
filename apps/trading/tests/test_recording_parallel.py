"""An order's row moves on exactly as well when executors, sockets and sweeps write at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from apps.feeds.drivers.trading import Placed
from apps.feeds.orders import OrderStatus
from apps.trading.bookkeeping import recording
from apps.trading.models import FillSource, Order, OrderEvent, OrderFill, Position, StrayFill, TradeHistory
from apps.trading.tests import rows, told

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
ROUNDS = 3


@pytest.fixture(autouse=True)
def no_bus(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def together(*calls: Callable[[], Any]) -> None:
    """All started at the same moment, each on a connection of its own; the first error of any is raised."""
    start = Barrier(len(calls))

    def one(call: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=60)
            call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        for each in [threads.submit(one, call) for call in calls]:
            each.result(timeout=120)


def hear(order: Order, *events: Any) -> Callable[[], None]:
    instrument = told.instrument(order)

    def tell() -> None:
        for event in events:
            record = recording.record_fill if hasattr(event, "trade_id") else recording.record_update
            record(order.account_id, instrument, event, FillSource.WS)

    return tell


def answered(order: Order, order_id: str = "x1") -> Callable[[], Any]:
    placed = Placed(exchange_order_id=order_id, client_order_id=None, status=OrderStatus.OPEN)
    return lambda: recording.record_placed(order.pk, placed)


def judge(order: Order, fills: int) -> None:
    """Every fill once, with all that follows from it, and an unbroken row of events."""
    now = Order.objects.get(pk=order.pk)
    assert (now.filled, now.alarms) == (fills * Decimal("0.1"), "")
    assert OrderFill.objects.filter(order=order).count() == fills
    assert TradeHistory.objects.filter(fill__order=order).count() == fills
    assert Position.objects.get(account=order.account, pair=order.pair).amount == fills * Decimal("0.1")
    numbers = list(OrderEvent.objects.filter(order=order).order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert now.events_told == len(numbers)


def test_fills_and_the_answer_that_come_at_once_are_all_counted_once():
    for _ in range(ROUNDS):
        order = told.sent()
        fills = [told.fill(order, str(number), exchange_ms=told.EXPIRES_MS + number) for number in range(4)]
        full = told.update(order, OrderStatus.PARTIAL, "0.4")
        together(answered(order), hear(order, *fills), hear(order, *reversed(fills)), hear(order, full, *fills))
        judge(order, 4)


def test_fills_without_our_id_never_miss_an_answer_that_comes_at_the_same_moment():
    for _ in range(ROUNDS):
        order = told.sent()
        nameless = [told.fill(order, str(number), client_order_id=None) for number in range(3)]
        together(answered(order), *(hear(order, fill) for fill in nameless))
        judge(order, 3)
        assert not StrayFill.objects.filter(order=None).exists()


def test_one_external_order_that_two_find_at_once_is_one_row():
    for number in range(ROUNDS):
        order = told.sent(rows.account())
        theirs = told.update(order, OrderStatus.OPEN, exchange_order_id=f"y{number}", client_order_id="somebody")
        fill = told.fill(order, "1", exchange_order_id=f"y{number}", client_order_id="somebody")
        together(hear(order, theirs), hear(order, theirs, fill), hear(order, fill))
        found = Order.objects.get(is_external=True, account=order.account)
        assert (found.filled, found.fills.count()) == (Decimal("0.1"), 1)


def test_orders_of_one_account_that_fill_at_once_add_up():
    account = rows.account()
    orders = [told.sent(account) for _ in range(4)]
    calls = [
        hear(
            order, *(told.fill(order, f"{order.pk} {number}", exchange_order_id=f"x{order.pk}") for number in range(3))
        )
        for order in orders
    ]
    together(*calls)
    assert Position.objects.get(account=account).amount == Decimal("1.2")
