"""One attempt's row, locked, beside the state that it stands for: what `recording` moves on."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now
from msgspec import Struct
from msgspec.structs import replace

from apps.feeds.market import Side
from apps.feeds.orders import OrderStatus
from apps.trading import order_state, publishing, records, stopping
from apps.trading.models import IntentResult, IntentState, Order, OrderEvent, OrderIntent
from apps.trading.order_state import CancelState

CHECK_S = {  # until the next look at an order that nothing else moves on
    OrderStatus.UNKNOWN: 1.0,
    OrderStatus.OPEN: 10.0,
    OrderStatus.PARTIAL: 10.0,
}
STATES = {
    OrderStatus.PENDING: IntentState.SENDING,
    OrderStatus.UNKNOWN: IntentState.SENDING,
    OrderStatus.OPEN: IntentState.WORKING,
    OrderStatus.PARTIAL: IntentState.WORKING,
}
RESULTS = {  # of an intent whose last attempt ended so, without and with something filled
    OrderStatus.FILLED: (IntentResult.FILLED, IntentResult.FILLED),
    OrderStatus.CANCELLED: (IntentResult.CANCELLED, IntentResult.PARTIAL_CANCELLED),
    OrderStatus.EXPIRED: (IntentResult.EXPIRED, IntentResult.PARTIAL_CANCELLED),
    OrderStatus.REJECTED: (IntentResult.REJECTED, IntentResult.PARTIAL_CANCELLED),
    OrderStatus.NOT_PLACED: (IntentResult.NOT_PLACED, IntentResult.NOT_PLACED),
}
EXTERNAL = "external"  # stands for the id of ours that an order of somebody else has not


class Attempt(Struct):
    row: Order
    state: order_state.Order


def lock(**by: Any) -> Attempt | None:
    """The order that `by` names, locked until the transaction ends; two queries, one where nothing is filled yet."""
    row = Order.objects.select_for_update().filter(**by).order_by().first()
    return None if row is None else Attempt(row, state_of(row))


def state_of(row: Order) -> order_state.Order:
    fills = row.fills.all() if row.filled else ()
    if row.intent_id is not None:
        return records.order_of(row, fills)
    known = [records.fill_of(fill, row) for fill in fills]
    return order_state.Order(
        client_order_id=EXTERNAL,
        side=Side(row.side),
        amount=None,  # of an order that is not ours nothing is expected
        expires_ms=0,
        status=OrderStatus(row.status),
        exchange_order_id=row.exchange_order_id,
        told=row.told,
        fills={fill.trade_id: fill for fill in known},
    )


def write(
    attempt: Attempt,
    after: order_state.Order,
    *,
    kind: str,
    evidence: dict[str, Any] | None = None,
    retry: bool = False,
    **columns: Any,
) -> bool:
    """Write the next state with its evidence, and what follows from it for the intent; False: nothing has changed.

    `retry`: an intent whose attempt was never placed is to be sent anew. Raise RuntimeError when somebody else has
    changed the row in spite of the lock.
    """
    before, row = attempt.state, attempt.row
    if after.exchange_order_id == "":  # a refusal may come without one
        after = replace(after, exchange_order_id=before.exchange_order_id)
    if after == before and not columns:
        return False
    values = {**_moments(before, after), **records.columns_of(after), **columns, "updated_at": Now()}
    if not Order.objects.advance(row.pk, was=OrderStatus(row.status), events_told=row.events_told + 1, **values):
        raise RuntimeError(f"order {row.pk} was changed in spite of its lock")
    note(row, kind=kind, before=before.status, after=after.status, evidence=evidence)
    attempt.state = after
    for name, value in records.columns_of(after).items():
        setattr(row, name, value)
    _move_intent(row, before, after, retry=retry)
    if row.account_id is not None and after.alarms - before.alarms:
        stopping.stop(account_id=row.account_id, order=str(row), alarms=after.alarms - before.alarms)
    publishing.order_on_commit(row)
    return True


def note(row: Order, *, kind: str, before: str, after: str, evidence: dict[str, Any] | None) -> None:
    """Write the order's next event, whose number the caller has written to its locked row."""
    row.events_told += 1
    OrderEvent.objects.create(
        order_id=row.pk, seq=row.events_told, kind=kind, from_status=before, to_status=after, evidence=evidence
    )


def _moments(before: order_state.Order, after: order_state.Order) -> dict[str, Any]:
    """What is known by the database's clock alone."""
    moments: dict[str, Any] = {}
    if after.status is not before.status:
        wait_s = CHECK_S.get(after.status)
        moments["next_check_at"] = None if wait_s is None else Now() + timedelta(seconds=wait_s)
        if after.is_final or before.is_final:
            moments["ended_at"] = Now() if after.is_final else None
        if after.status is OrderStatus.UNKNOWN:
            moments["unknown_at"] = Now()
        else:
            moments["quarantined_at"] = None
    if after.cancel is CancelState.REQUESTED and before.cancel is not CancelState.REQUESTED:
        moments |= {"cancel_requested_at": Now(), "cancel_attempts": 0}
    return moments


def _move_intent(row: Order, before: order_state.Order, after: order_state.Order, *, retry: bool) -> None:
    """Only its last attempt tells what became of an intent."""
    was, now = _ended_as(before), _ended_as(after)
    if row.intent_id is None or was == now:
        return
    state, result = now
    if retry and after.status is OrderStatus.NOT_PLACED:
        state, result = IntentState.NEW, None
    values: dict[str, Any] = {"state": state, "result": result, "done_at": None}
    if state is IntentState.DONE:
        values |= {"done_at": Now(), "reserved_amount": 0, "reserved_notional": 0}
    last = Q(attempt__lte=row.attempt + 1)  # the column names the next one
    OrderIntent.objects.filter(last, pk=row.intent_id).update(**values)


def _ended_as(order: order_state.Order) -> tuple[IntentState, IntentResult | None]:
    if not order.is_final:
        return STATES[order.status], None
    return IntentState.DONE, RESULTS[order.status][order.filled > 0]
