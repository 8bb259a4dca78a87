"""Whatever is told of orders, in whatever order, twice or with gaps that a sweep closes: the rows end the same.

CT_EXAMPLES sets the number of runs, a small part of it here: each writes rows.
"""

import os
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds.market import Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading.bookkeeping import recording
from apps.trading.models import FillSource, Order, OrderEvent, OrderFill, Position, StrayFill, TradeHistory
from apps.trading.tests import rows, told

pytestmark = pytest.mark.django_db
RUNS = settings(
    max_examples=max(4, int(os.environ.get("CT_EXAMPLES", "2000")) // 250),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
KEPT = (Order, OrderEvent, OrderFill, TradeHistory, StrayFill, Position)
SIDES = (Side.BUY, Side.SELL)


@pytest.fixture(autouse=True)
def no_bus(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def stories(orders: list[Order], chance: Random) -> list[OrderUpdate | Fill]:
    """All that an exchange says of these orders and of one of somebody else, in the order in which it happened."""
    reports: list[OrderUpdate | Fill] = []
    for number, order in enumerate(orders):
        names = {"exchange_order_id": f"x{number}", "side": Side(order.side)}
        reports.append(told.update(order, OrderStatus.OPEN, **names))
        parts = chance.randint(0, 5)
        for part in range(1, parts + 1):
            ours = order.client_order_id if chance.random() < 0.5 else None
            at_ms = told.EXPIRES_MS + 10 * part + number
            named = {**names, "client_order_id": ours, "exchange_ms": at_ms}
            reports.append(told.fill(order, f"{number}.{part}", price=60_000 + chance.randint(-9, 9), **named))
            status = OrderStatus.FILLED if part == 5 else OrderStatus.PARTIAL
            reports.append(told.update(order, status, str(Decimal(part) / 10), **names))
        if parts < 5 and chance.random() < 0.7:
            reports.append(told.update(order, OrderStatus.CANCELLED, str(Decimal(parts) / 10), **names))
    foreign = {"exchange_order_id": "y", "client_order_id": "somebody"}
    reports.append(told.update(orders[0], OrderStatus.OPEN, **foreign))
    reports.append(told.fill(orders[0], "y", **{**foreign, "client_order_id": None}))
    return reports


def tell(order: Order, reports: list[OrderUpdate | Fill]) -> None:
    instrument = told.instrument(order)
    for report in reports:
        if isinstance(report, Fill):
            recording.record_fill(order.account_id, instrument, report, FillSource.WS)
        else:
            recording.record_update(order.account_id, instrument, report, FillSource.REST)


def ended(orders: list[Order]) -> list[Any]:
    """What all of it came to, without what depends on the way there."""
    account = orders[0].account
    found = Order.objects.filter(account=account).order_by("exchange_order_id")
    states = [(row.exchange_order_id, row.status, row.filled, row.average_price, row.alarms) for row in found]
    fills = OrderFill.objects.filter(account=account).order_by("trade_id")
    attached = [(fill.trade_id, fill.order.exchange_order_id, fill.amount, fill.price) for fill in fills]
    held = Position.objects.filter(account=account).values_list("amount", "cost", "realised", "fees")
    intents = [(order.intent.state, order.intent.result) for order in map(again, orders)]
    return [states, attached, list(held), intents]


def again(order: Order) -> Order:
    return Order.objects.select_related("intent").get(pk=order.pk)


def made() -> list[Order]:
    account = rows.account(market_type="futures")
    return [told.sent(account, side=side) for side in SIDES]


@RUNS
@given(seed=st.integers(0, 2**32 - 1))
def test_shuffled_repeated_and_dropped_reports_end_in_the_same_rows_once_all_is_told(seed: int):
    with transaction.atomic():
        chance = Random(seed)
        straight, mixed = made(), made()
        tell(straight[0], stories(straight, Random(seed)))
        reports = stories(mixed, Random(seed))
        heard = [report for report in reports if chance.random() < 0.7]
        heard += [report for report in heard if chance.random() < 0.5]
        chance.shuffle(heard)
        tell(mixed[0], heard)
        swept = list(reports)
        chance.shuffle(swept)
        tell(mixed[0], swept)
        tell(mixed[0], swept)  # what waited for its order is told once more
        assert ended(mixed) == ended(straight)
        assert not StrayFill.objects.filter(order=None).exists()
        before = [model.objects.count() for model in KEPT]
        tell(mixed[0], reports)
        assert [model.objects.count() for model in KEPT] == before
        transaction.set_rollback(True)
