"""When an order whose request was lost is proven never to have been placed. No number of questions proves it alone:

* the order's own expiry has passed, with the clock's error, the exchange's matching tail and its read lag on top;
* two clean answers "not found" after that, at least a second apart;
* in both, no such order among the open ones and no trade of it.

Where a cancel has left meanwhile, the same proves only that nothing of the order works, nor was filled: some exchanges
forget an order that was cancelled before any of it was filled. It counts as cancelled then, and late evidence wins over
that as well.

An answer that is an error, or no answer, is no look at all: it is not to be passed here.
"""

from msgspec import Struct
from msgspec.structs import replace

from apps.feeds.orders import OrderStatus
from apps.trading.order_state import ENOUGH_MISSES, PENDING, UNKNOWN, CancelState, Order

CANCEL_LEFT = (CancelState.SENT, CancelState.UNKNOWN)


class Patience(Struct, frozen=True, kw_only=True):
    """How long an exchange may hide an order, in milliseconds."""

    skew_ms: int = 500
    tail_ms: int = 10_000  # an exchange may check the expiry at its gateway and match later
    read_lag_ms: int = 1_000
    apart_ms: int = 1_000


class Look(Struct, frozen=True, kw_only=True):
    """One whole, clean look at the exchange. `asked_ms` by its clock, when the first question of it was sent."""

    asked_ms: int
    order_found: bool
    among_open: bool
    among_trades: bool


def ready_ms(order: Order, patience: Patience) -> int:
    """From when on, by the exchange's clock, "not found" means something."""
    return order.expires_ms + patience.skew_ms + patience.tail_ms + patience.read_lag_ms


def next_look_ms(order: Order, patience: Patience) -> int:
    """When the next look can count."""
    ready = ready_ms(order, patience)
    return ready if order.missed_ms is None else max(ready, order.missed_ms + patience.apart_ms)


def miss(order: Order, look: Look, patience: Patience) -> Order:
    """Return the order after a look. One that finds something is no miss, and proves that earlier ones lied."""
    if order.status not in (PENDING, UNKNOWN):
        return order
    if look.order_found or look.among_open or look.among_trades:
        return replace(order, misses=0, missed_ms=None)
    if look.asked_ms < next_look_ms(order, patience):
        return order
    misses = order.misses + 1
    over = OrderStatus.CANCELLED if order.cancel in CANCEL_LEFT else OrderStatus.NOT_PLACED
    status = over if misses >= ENOUGH_MISSES else order.status
    settled = order.cancel if status is order.status or order.cancel is CancelState.NONE else CancelState.CONFIRMED
    return replace(order, status=status, misses=misses, missed_ms=look.asked_ms, cancel=settled)
