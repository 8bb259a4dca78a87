"""When an order that was open is proven to work no more, though the exchange does not tell how it ended.

Some exchanges forget an order that was cancelled before any of it was filled. What they have forgotten was not filled
any further than they told before: filled orders are kept, and their trades as well.
"""

from msgspec.structs import replace

from apps.trading.not_placed import Look, Patience, next_look_ms
from apps.trading.order_state import CANCELLED, OPEN, PARTIAL, CancelState, Order

ENOUGH, ENOUGH_CANCELLED = 3, 2


def miss(order: Order, look: Look, patience: Patience, *, cancelled: bool) -> Order:
    """Return the order after a look at an open one; one that finds it among the open begins the count anew.

    `cancelled`: the exchange has taken our cancel of it. Without that, an answer that lags behind may hide the order,
    for as long as it may hide one that was just placed.
    """
    if order.status not in (OPEN, PARTIAL):
        return order
    if look.order_found or look.among_open:
        return replace(order, misses=0, missed_ms=None)
    if look.asked_ms < _next_ms(order, patience, cancelled):
        return order
    order = replace(order, misses=order.misses + 1, missed_ms=look.asked_ms)
    if order.misses < (ENOUGH_CANCELLED if cancelled else ENOUGH):
        return order
    settled = order.cancel if order.cancel is CancelState.NONE else CancelState.CONFIRMED
    return replace(order, status=CANCELLED, cancel=settled)


def _next_ms(order: Order, patience: Patience, cancelled: bool) -> int:
    if not cancelled:
        return next_look_ms(order, patience)
    return 0 if order.missed_ms is None else order.missed_ms + patience.apart_ms
