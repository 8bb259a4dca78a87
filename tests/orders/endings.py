"""What is not over yet of some cells' orders."""

from decimal import Decimal
from typing import Any

from apps.feeds.orders import OrderStatus
from apps.trading.models import IntentState, Order, OrderIntent

IN_DOUBT = (OrderStatus.PENDING, OrderStatus.UNKNOWN)
Cell = dict[str, Any]


def unsettled(cells: list[Cell]) -> list[str]:
    """What is not over yet: intents that are not done, orders whose fills are not all told."""
    accounts = [each["account"] for each in cells]
    intents = OrderIntent.objects.filter(account__in=accounts).exclude(state=IntentState.DONE)
    lines = [f"intent {one.intent_key} is {one.state}" for one in intents]
    return lines + [f"order {one} of {one.filled} has fills that nobody told" for one in unexplained(cells)]


def in_doubt(cell: Cell) -> int:
    """How many of its orders wait for a proof, or of its intents for their turn."""
    orders = Order.objects.filter(account=cell["account"], status__in=IN_DOUBT)
    waiting = OrderIntent.objects.filter(account=cell["account"], state__in=(IntentState.NEW, IntentState.SENDING))
    return orders.count() + waiting.count()


def unexplained(cells: list[Cell]) -> list[Order]:
    """Filled further than their fills tell."""
    filled = Order.objects.filter(account__in=[each["account"] for each in cells], filled__gt=0)
    rows = filled.prefetch_related("fills")
    return [one for one in rows if sum((fill.amount for fill in one.fills.all()), Decimal(0)) != one.filled]
