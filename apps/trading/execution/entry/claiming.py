"""T1: the next intent of a lane becomes an order, committed before its request leaves, or is turned away.

In one transaction: the lane's lease, which is also what keeps its intents in order (one that was found free is taken by
it); the account's row of use; the head of the lane; the switches and the account's gate, shared, so that a halt or a
close that is committed stops whatever is not committed yet; risk.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.feeds.drivers.trading import ExpiryCheck
from apps.feeds.orders import NewOrder, OrderStatus
from apps.trading import records
from apps.trading.execution.executors import lanes
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import MARGIN_S, HeldLane, LaneLost, ids_of
from apps.trading.execution.gateway.opened import resource_of
from apps.trading.execution.gateway.ports import CannotWork, Port
from apps.trading.execution.pretrade import guards
from apps.trading.execution.pretrade.facts import time_at
from apps.trading.execution.pretrade.gathering import Sender
from apps.trading.execution.pretrade.judging import Surroundings, judge, now_of
from apps.trading.execution.pretrade.market import look
from apps.trading.execution.runtime import hooks, statements
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.models import IntentResult, IntentState, Order, OrderEvent, OrderIntent
from apps.trading.records import ZERO
from apps.trading.risk.gate import ApprovedOrder, Denied

LEAVE_S = 0.2  # so long before it expires the request must have left
BEHIND = (
    "EXISTS (SELECT 1 FROM order_intent b"
    " WHERE b.lane = order_intent.lane AND b.state = order_intent.state AND b.id > order_intent.id)"
)
# by any other index MariaDB would wait for rows of other lanes that somebody has locked
BY_LANE = {"mysql": "FORCE INDEX (order_intent_head) ", "sqlite": ""}
RESERVED = ("reserved_asset", "reserved_amount", "reserved_notional")
CHECK_S = 0.5  # so long after it has, an order without an answer is looked for


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Committed as PENDING, and nobody else sends it. After `leave_by` (monotonic) nobody does."""

    order_id: int
    intent_id: int
    order: NewOrder
    leave_by: float
    more: bool = False  # others wait behind it


@dataclass(frozen=True, kw_only=True)
class TurnedAway:
    """It was too old, or risk refused it now."""

    intent_id: int
    result: IntentResult
    more: bool  # others wait behind it
    reason: str = ""


def expiry_ms(executor: Executor, port: Port) -> int:
    """How long a request may be under way: as long as we want, or as the exchange offers."""
    if port.expiry.check is ExpiryCheck.NONE:
        return executor.expiry_ms
    return min(executor.expiry_ms, port.expiry.longest_ms)


def claim(held: HeldLane, *, executor: Executor, port: Port) -> Claim | TurnedAway | None:
    """The lane's next; None: it has none. From then on the lane is taken, where it was only found. Raise LaneLost where
    the lease is not ours, or not for long enough, CannotWork where the account is not open by now.
    """
    account_id, pair_id = ids_of(held.lane)
    instrument = executor.catalogue([pair_id])[pair_id]
    around = Surroundings(
        instrument=instrument,
        seen=look(executor.market, instrument.key, executor.monotonic),
        market=executor.market,
        instruments=executor.catalogue,
        sender=Sender(
            build_id=executor.build_id,
            clock_error_ms=port.clock_error_ms(),
            lease=resource_of(account_id) if executor.gated else None,
        ),
    )
    try:
        return _claim(held, around, executor, port)
    except guards.NotOpen:
        raise CannotWork(f"account {account_id} was closed, or nobody looks after it any more") from None


@in_transaction
def _claim(held: HeldLane, around: Surroundings, executor: Executor, port: Port) -> Claim | TurnedAway | None:
    needed_s = expiry_ms(executor, port) / 1000 + MARGIN_S
    if held.seen is None:
        _lock_lease(held, needed_s)
    else:
        lanes.take(held)
    account_id, _ = ids_of(held.lane)
    usage = guards.lock_usage(account_id)
    now = now_of(usage)
    if held.seen is not None:
        lanes.check_left(held, now, needed_s)
    found = _head(held.lane)
    if found is None:
        return None
    row, more = found
    if records.intent_of(row, around.instrument).is_too_old(records.milliseconds(now)):
        return _turn_away(row, IntentResult.EXPIRED, now, more)
    verdict = judge(row, usage, around)
    if isinstance(verdict, Denied):
        return _turn_away(row, IntentResult.RISK_DENIED, now, more, verdict)
    made = _write(held, row, verdict, now, more, executor, port)
    hooks.at("K4")
    return made


def _lock_lease(held: HeldLane, needed_s: float) -> None:
    """Ours, and for so long yet by the database's clock as it is once the row is locked. Raise LaneLost."""
    vendor = connection.vendor
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT expires_at, {guards.CLOCK[vendor]} FROM lease WHERE resource = %s AND holder = %s"  # noqa: S608
            f" AND fence = %s{guards.FOR_UPDATE[vendor]}",  # (no value is in the text)
            [held.resource, held.holder, held.fence],
        )
        row = cursor.fetchone()
    expires_at, now = (None, None) if row is None else map(time_at, row)
    if expires_at is None or now is None or expires_at <= now + timedelta(seconds=needed_s):
        raise LaneLost(held.lane)


def _head(lane: str) -> tuple[OrderIntent, bool] | None:
    """Locked, so that it is not cancelled meanwhile; and whether others wait behind it."""
    vendor = connection.vendor
    rest = f"{BY_LANE[vendor]}WHERE lane = %s AND state = %s ORDER BY id LIMIT 1{guards.FOR_UPDATE[vendor]}"
    found = statements.first_and(OrderIntent, BEHIND, rest, [lane, IntentState.NEW])
    return None if found is None else (found[0], bool(found[1][0]))


def _turn_away(
    row: OrderIntent, result: IntentResult, now: datetime, more: bool, denied: Denied | None = None
) -> TurnedAway:
    reason, text = ("", "") if denied is None else (denied.reason.value, denied.text[:300])
    over = {"state": IntentState.DONE, "reserved_amount": ZERO, "reserved_notional": ZERO, "done_at": now}
    statements.update(
        OrderIntent, row.pk, {**over, "result": result, "deny_reason": reason, "deny_text": text}, state=row.state
    )
    return TurnedAway(intent_id=row.pk, result=result, more=more, reason=reason)


def _write(
    held: HeldLane,
    row: OrderIntent,
    approved: ApprovedOrder,
    now: datetime,
    more: bool,
    executor: Executor,
    port: Port,
) -> Claim:
    """The order as PENDING, with what proves later what became of it."""
    ids, expires_in_ms = executor.ids, expiry_ms(executor, port)
    client_order_id = ids.make(port.id_form, account_id=row.account_id, intent_id=row.pk, attempt=row.attempt)
    exchange_ms = port.now_ms()
    leave_by = executor.monotonic() + expires_in_ms / 1000 - LEAVE_S
    order = approved.order(client_order_id, exchange_ms + expires_in_ms)
    placing = statements.inserting(
        Order,
        {
            **_columns(row, order),
            "amount": approved.amount,
            "exchange_id": executor.catalogue.exchange_id(order.instrument.exchange),
            "created_at": now,
            "updated_at": now,
            "sent_at": now,
            "next_check_at": now + timedelta(milliseconds=expires_in_ms, seconds=CHECK_S),
            "request_expires_at": records.time_of(exchange_ms + max(expires_in_ms, _unbounded_ms(port))),
            "fence": held.fence,
            "build_id": executor.build_id,
            "events_told": 1,
        },
    )
    event = {"seq": 1, "kind": "placing", "to_status": OrderStatus.PENDING, "at": now}
    noted = statements.inserting(OrderEvent, event, of_last="order_id")
    sending = {"state": IntentState.SENDING, "attempt": row.attempt + 1}
    reserved = {name: getattr(row, name) for name in RESERVED}
    done = statements.together(
        placing, noted, statements.updating(OrderIntent, row.pk, {**sending, **reserved}, state=row.state)
    )
    return Claim(order_id=done.number, intent_id=row.pk, order=order, leave_by=leave_by, more=more)


def _unbounded_ms(port: Port) -> int:
    """How long a request may be accepted where it cannot carry an expiry: as long as its signature is good."""
    return port.expiry.longest_ms if port.expiry.check is ExpiryCheck.NONE else 0


def _columns(row: OrderIntent, order: NewOrder) -> dict[str, Any]:
    return {
        "trade_id": row.trade_id,
        "pair_id": row.pair_id,
        "account_id": row.account_id,
        "intent_id": row.pk,
        "attempt": row.attempt,
        "type": order.type,
        "side": order.side,
        "price": order.price,
        "tif": order.tif,
        "reduce_only": order.reduce_only,
        "position_side": order.position_side,
        "status": OrderStatus.PENDING,
        "client_order_id": order.client_order_id,
    }
