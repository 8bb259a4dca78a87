"""The life of one order at an exchange, as a table. Events come twice, late, in any order or before the REST answer:
applying one again changes nothing, and no event is ever thrown away.

Amounts are in base currency: turn an exchange's event with `apps.feeds.orders.in_base` first. FILLED, CANCELLED,
REJECTED, EXPIRED and NOT_PLACED are final. A final state is left only when late evidence shows that an order which
was taken for dead or never placed is there: then something is wrong with our proof, and the order carries an alarm.
"""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from apps.feeds.market import Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading.risk.rounding import EXACT, SMALLEST

CANCELLED, EXPIRED, FILLED = OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.FILLED
NOT_PLACED, OPEN, PARTIAL = OrderStatus.NOT_PLACED, OrderStatus.OPEN, OrderStatus.PARTIAL
PENDING, REJECTED, UNKNOWN = OrderStatus.PENDING, OrderStatus.REJECTED, OrderStatus.UNKNOWN

FINAL = frozenset({FILLED, CANCELLED, REJECTED, EXPIRED, NOT_PLACED})
NOT_OVER = tuple(status for status in OrderStatus if status not in FINAL)  # a query for these finds them by an index

# what an exchange's word may change; UNKNOWN comes from a request without an answer, NOT_PLACED from a proof alone
NEXT: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    PENDING: frozenset({OPEN, PARTIAL, FILLED, CANCELLED, REJECTED, EXPIRED}),
    UNKNOWN: frozenset({OPEN, PARTIAL, FILLED, CANCELLED, REJECTED, EXPIRED}),
    OPEN: frozenset({PARTIAL, FILLED, CANCELLED, EXPIRED}),
    PARTIAL: frozenset({FILLED, CANCELLED, EXPIRED}),
    # late evidence
    REJECTED: frozenset({OPEN, PARTIAL, FILLED}),
    NOT_PLACED: frozenset({OPEN, PARTIAL, FILLED, CANCELLED, EXPIRED}),
}
# of what nobody told, but counts as cancelled since it was found nowhere
NEXT_OF_PROVEN = frozenset({OPEN, PARTIAL, FILLED, EXPIRED})
ENOUGH_MISSES = 2  # prove it, see not_placed.py
WORKS = frozenset({OPEN, PARTIAL})


class CancelState(StrEnum):
    """Of our wish to cancel. Cancelling is idempotent: what is UNKNOWN is sent again."""

    NONE = "NONE"
    REQUESTED = "REQUESTED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    CONFIRMED = "CONFIRMED"  # nothing of it works any more
    TOO_LATE = "TOO_LATE"  # it was filled


CANCEL_TAKEN = "cancel taken"  # an event of the order: the exchange has answered so
NEXT_CANCEL: Mapping[CancelState, frozenset[CancelState]] = {
    CancelState.NONE: frozenset({CancelState.REQUESTED}),
    CancelState.REQUESTED: frozenset({CancelState.SENT}),
    CancelState.SENT: frozenset({CancelState.SENT, CancelState.UNKNOWN}),
    CancelState.UNKNOWN: frozenset({CancelState.SENT}),
}


class Alarm(StrEnum):
    """Why a person has to look, and the account halts meanwhile."""

    PROOF_BROKEN = "PROOF_BROKEN"  # it was taken for never placed, and is there
    OVERFILLED = "OVERFILLED"  # more was executed than was asked for
    TWO_ORDERS = "TWO_ORDERS"  # two orders of the exchange carry the same id of ours
    FILLS_DIFFER = "FILLS_DIFFER"  # one trade id was told with two contents


class Order(Struct, frozen=True, kw_only=True):
    """One attempt. `expires_ms`: the exchange takes it no later, by its own clock."""

    client_order_id: str
    side: Side
    amount: Decimal | None  # None: told in quote currency
    expires_ms: int
    status: OrderStatus = PENDING
    exchange_order_id: str | None = None
    told: Decimal = Decimal(0)  # the most that the exchange has called filled
    fills: Mapping[str, Fill] = {}  # by trade id
    cancel: CancelState = CancelState.NONE
    alarms: frozenset[Alarm] = frozenset()
    misses: int = 0  # clean answers "not found" that count, see not_placed.py
    missed_ms: int | None = None  # when the last of them was asked for, by the exchange's clock

    @property
    def executed(self) -> Decimal:
        """What its fills add up to."""
        with localcontext(EXACT):
            return sum((fill.amount for fill in self.fills.values()), Decimal(0))

    @property
    def filled(self) -> Decimal:
        return max(self.told, self.executed)

    @property
    def unexplained(self) -> Decimal:
        """Filled, and no fill tells of it yet: ask for the order's own trades."""
        return EXACT.subtract(self.filled, self.executed)

    @property
    def average_price(self) -> Decimal | None:
        """Of the fills that are known, to as many places as money columns keep; None without any."""
        with localcontext(EXACT):
            value = sum((fill.amount * fill.price for fill in self.fills.values()), Decimal(0))
            return (value / self.executed).quantize(SMALLEST) if self.executed else None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


def apply(order: Order, update: OrderUpdate) -> Order:
    """Return the order after the exchange's word; a late or repeated one takes nothing back. What was missed before
    counts no more: it is there.

    Raise ValueError for an update that carries another id of ours.
    """
    _check_id(order, update.client_order_id)
    if order.exchange_order_id not in (None, update.exchange_order_id):
        return _alarm(order, Alarm.TWO_ORDERS)
    told = replace(order, exchange_order_id=update.exchange_order_id, told=max(order.told, update.filled))
    return _settle(_there(_move(_executed(told), update.status)))


def apply_fill(order: Order, fill: Fill) -> Order:
    """Return the order with the fill counted once, whatever state it is in. One that is told again may bring the fee
    that was not told before.

    Raise ValueError for a fill that carries another id of ours.
    """
    _check_id(order, fill.client_order_id)
    known = order.fills.get(fill.trade_id)
    if known is not None:
        if (known.price, known.amount, known.side) != (fill.price, fill.amount, fill.side):
            return _alarm(order, Alarm.FILLS_DIFFER)
        if fill.is_bare or not known.is_bare:
            return order
        paid = replace(known, fee=fill.fee, fee_asset=fill.fee_asset)
        return replace(order, fills={**order.fills, fill.trade_id: paid})
    if order.exchange_order_id not in (None, fill.exchange_order_id):
        order = _alarm(order, Alarm.TWO_ORDERS)
    taken = replace(
        order,
        exchange_order_id=order.exchange_order_id or fill.exchange_order_id,
        fills={**order.fills, fill.trade_id: fill},
    )
    return _settle(_there(_executed(taken)))


def lose(order: Order) -> Order:
    """The request may have left, and nothing proves what became of it."""
    return replace(order, status=UNKNOWN) if order.status is PENDING else order


def refuse(order: Order) -> Order:
    """The exchange's definite answer to the one request: no. Whatever else it has said of the order stands."""
    return _settle(replace(order, status=REJECTED)) if order.status in (PENDING, UNKNOWN) else order


def advance_cancel(order: Order, state: CancelState) -> Order:
    """Our side of cancelling; what it came to is told by the order's own state. Late steps are ignored."""
    if state in NEXT_CANCEL.get(order.cancel, ()):
        return _settle(replace(order, cancel=state))
    return order


def _check_id(order: Order, client_order_id: str | None) -> None:
    if client_order_id not in (None, order.client_order_id):
        raise ValueError(f"an event of {client_order_id} is none of {order.client_order_id}")


def _there(order: Order) -> Order:
    """What was missed of it is no proof any more."""
    if not order.misses or order.status is NOT_PLACED:
        return order
    return replace(order, misses=0, missed_ms=None)


def _executed(order: Order) -> Order:
    """What was executed was there, and is full when all of it is done."""
    if not order.filled:
        return order
    filled, amount = order.filled, order.amount
    order = _move(order, PARTIAL)
    if amount is None or filled < amount:
        return order
    order = _move(order, FILLED)
    return _alarm(order, Alarm.OVERFILLED) if filled > amount else order


def _move(order: Order, status: OrderStatus) -> Order:
    if status is REJECTED and order.status in WORKS:  # it was taken off by the exchange
        status = CANCELLED
    if status not in _next(order):
        return order
    if order.status in FINAL:
        order = _alarm(order, Alarm.PROOF_BROKEN)
    return replace(order, status=status)


def _next(order: Order) -> frozenset[OrderStatus]:
    if order.status is CANCELLED and order.misses >= ENOUGH_MISSES:
        return NEXT_OF_PROVEN
    return NEXT.get(order.status, frozenset())


def _settle(order: Order) -> Order:
    """What became of our wish to cancel, once the order is final. One that turns out to be there is cancelled anew."""
    if order.cancel is CancelState.NONE:
        return order
    if order.is_final:
        return replace(order, cancel=CancelState.TOO_LATE if order.status is FILLED else CancelState.CONFIRMED)
    done = order.cancel in (CancelState.CONFIRMED, CancelState.TOO_LATE)
    return replace(order, cancel=CancelState.REQUESTED) if done else order


def _alarm(order: Order, alarm: Alarm) -> Order:
    return replace(order, alarms=order.alarms | {alarm})
