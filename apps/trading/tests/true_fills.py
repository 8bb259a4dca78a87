"""What an exchange executed, held against the fills that we know of: I3."""

from collections import Counter
from decimal import Decimal

from apps.trading.models import Order, OrderFill, StrayFill
from apps.trading.tests.remote_seat import Desk


def amiss(on: Desk) -> list[str]:
    """A line for each order whose fills are not exactly the exchange's executions, and for each fill of nobody."""
    rows = Order.objects.filter(account=on.account).exclude(exchange_order_id=None)
    ours = {row.exchange_order_id: row for row in rows}
    lines = []
    for accepted in on.accepted():
        there, row = accepted.order, ours.get(accepted.order.id)
        fills = [] if row is None else list(OrderFill.objects.filter(order_id=row.pk))
        if len(fills) != len(there.executions):
            lines.append(f"order {there.id} was executed {len(there.executions)} times there, {len(fills)} here")
        executed = there.filled * there.listing.size.step * there.listing.contract
        if executed != sum((fill.amount for fill in fills), Decimal(0)):
            lines.append(f"order {there.id}: {executed} was executed there, {[fill.amount for fill in fills]} here")
        if row is not None and row.filled != executed:
            lines.append(f"order {there.id} is filled by {row.filled} here, {executed} there")
    twice = [each for each, times in Counter(_named(on)).items() if times > 1]
    strays = StrayFill.objects.filter(account=on.account, order=None).values_list("trade_id", flat=True)
    return [
        *lines,
        *(f"trade {each} is there twice" for each in twice),
        *(f"trade {each} is of nobody" for each in strays),
    ]


def _named(on: Desk) -> list[tuple[object, ...]]:
    return list(OrderFill.objects.filter(account=on.account).values_list("pair", "trade_id", "side"))
