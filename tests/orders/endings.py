"""What is not over yet of some cells' orders."""

from decimal import Decimal
from typing import Any

from apps.feeds.orders import OrderStatus
from apps.trading.models import IntentState, Order, OrderFill, OrderIntent

IN_DOUBT = (OrderStatus.PENDING, OrderStatus.UNKNOWN)
Cell = dict[str, Any]


def unsettled(cells: list[Cell]) -> list[str]:
    """What is not over yet: intents that are not done, orders whose fills are not all told."""
    accounts = [each["account"] for each in cells]
    intents = OrderIntent.objects.filter(account__in=accounts).exclude(state=IntentState.DONE)
    lines = [f"intent {one.intent_key} is {one.state}" for one in intents]
    return lines + [f"order {one} of {one.filled} has fills that nobody told" for one in unexplained(cells)]


def is_over(cells: list[Cell]) -> bool:
    """Whether nothing is unsettled; cheap for as long as intents wait."""
    return all_done(cells) and not unexplained(cells)


def all_done(cells: list[Cell]) -> bool:
    """Whether no intent waits for anything."""
    intents = OrderIntent.objects.filter(account__in=[each["account"] for each in cells])
    return not intents.exclude(state=IntentState.DONE).exists()


def in_doubt(cell: Cell) -> int:
    """How many of its orders wait for a proof, or of its intents for their turn."""
    orders = Order.objects.filter(account=cell["account"], status__in=IN_DOUBT)
    waiting = OrderIntent.objects.filter(account=cell["account"], state__in=(IntentState.NEW, IntentState.SENDING))
    return orders.count() + waiting.count()


def unexplained(cells: list[Cell]) -> list[Order]:
    """Filled further than their fills tell."""
    filled = Order.objects.filter(account__in=[each["account"] for each in cells], filled__gt=0)
    left = dict(filled.values_list("pk", "filled"))
    for order, amount in OrderFill.objects.filter(order__in=filled).values_list("order", "amount"):
        left[order] = left.get(order, Decimal(0)) - amount
    return list(Order.objects.filter(pk__in=[order for order, amount in left.items() if amount]))
