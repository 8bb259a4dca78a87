"""T1: the next intent of a lane becomes an order, committed before its request leaves, or is turned away.

In one transaction: the lane's lease, which is also what keeps its intents in order; the account's row of use; the head
of the lane; the switches, shared, so that a halt that is committed stops whatever is not committed yet; risk.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Now

from apps.feeds.drivers.trading import ExpiryCheck
from apps.feeds.market import Instrument
from apps.feeds.models import TradePair
from apps.feeds.orders import NewOrder, OrderStatus
from apps.trading import records, risk
from apps.trading.execution import guards, hooks
from apps.trading.execution.executor import Executor
from apps.trading.execution.facts import Subject, time_at
from apps.trading.execution.gathering import Seen, Sender, gather
from apps.trading.execution.intake import ZERO, reserve
from apps.trading.execution.lanes import MARGIN_S, HeldLane, LaneLost, ids_of
from apps.trading.execution.ports import Port
from apps.trading.execution.transactions import in_transaction
from apps.trading.models import IntentResult, IntentState, Order, OrderEvent, OrderIntent
from apps.trading.order_state import CancelState
from apps.trading.risk import ApprovedOrder, Denied

LEAVE_S = 0.2  # so long before it expires the request must have left
CHECK_S = 0.5  # so long after it has, an order without an answer is looked for


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Committed as PENDING, and nobody else sends it. After `leave_by` (monotonic) nobody does."""

    order_id: int
    intent_id: int
    order: NewOrder
    leave_by: float


@dataclass(frozen=True, kw_only=True)
class TurnedAway:
    """It was too old, or risk refused it now."""

    intent_id: int
    result: IntentResult
    reason: str = ""


def expiry_ms(executor: Executor, port: Port) -> int:
    """How long a request may be under way: as long as we want, or as the exchange offers."""
    if port.expiry.check is ExpiryCheck.NONE:
        return executor.expiry_ms
    return min(executor.expiry_ms, port.expiry.longest_ms)


def claim(held: HeldLane, *, executor: Executor, port: Port) -> Claim | TurnedAway | None:
    """The lane's next; None: it has none. Raise LaneLost where the lease is not ours, or not for long enough."""
    _, pair_id = ids_of(held.lane)
    instrument = executor.catalogue([pair_id])[pair_id]
    read_at, top = executor.monotonic(), executor.market.top(instrument.key)
    seen = Seen(top=top, ago_ms=round((executor.monotonic() - read_at) * 1000))
    return _claim(held, instrument, seen, executor, port)


@in_transaction
def _claim(
    held: HeldLane, instrument: Instrument, seen: Seen, executor: Executor, port: Port
) -> Claim | TurnedAway | None:
    _lock_lease(held, expiry_ms(executor, port) / 1000 + MARGIN_S)
    account_id, _ = ids_of(held.lane)
    usage = guards.lock_usage(account_id)
    head = _head(held.lane)
    if head is None:
        return None
    row, exchange_id = head
    wanted = records.intent_of(row, instrument)
    now = guards.clock() if usage is None else usage.now
    if wanted.is_too_old(records.milliseconds(now)):
        return _turn_away(row, IntentResult.EXPIRED)
    subject = Subject(
        account_id=account_id,
        pair_id=row.pair_id,
        trade_id=row.trade_id,
        exchange=instrument.exchange,
        lane=held.lane,
        intent_id=row.pk,
        whole_id=row.parent_id or (row.pk if row.attempt else None),
    )
    view = gather(
        subject,
        instrument,
        amount=row.amount,
        seen=seen,
        usage=usage,
        shared=True,
        sender=Sender(build_id=executor.build_id, clock_error_ms=port.clock_error_ms()),
        market=executor.market,
        instruments=executor.catalogue,
    )
    verdict = risk.approve(wanted, view)
    if isinstance(verdict, Denied):
        return _turn_away(row, IntentResult.RISK_DENIED, verdict)
    reserve(row, verdict, view.rates[instrument.quote])
    made = _write(held, row, exchange_id, verdict, executor, port)
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


def _head(lane: str) -> tuple[OrderIntent, int] | None:
    """Locked, so that it is not cancelled meanwhile; and the number of its exchange."""
    exchange = TradePair.objects.filter(pk=OuterRef("pair_id")).values("exchange_id")
    waiting = OrderIntent.objects.filter(lane=lane, state=IntentState.NEW).order_by("id")
    row: Any = waiting.annotate(exchange_pk=Subquery(exchange)).select_for_update().first()
    return None if row is None else (row, row.exchange_pk)


def _turn_away(row: OrderIntent, result: IntentResult, denied: Denied | None = None) -> TurnedAway:
    reason, text = ("", "") if denied is None else (denied.reason.value, denied.text[:300])
    OrderIntent.objects.filter(pk=row.pk, state=IntentState.NEW).update(
        state=IntentState.DONE,
        result=result,
        deny_reason=reason,
        deny_text=text,
        reserved_amount=ZERO,
        reserved_notional=ZERO,
        done_at=Now(),
    )
    return TurnedAway(intent_id=row.pk, result=result, reason=reason)


def _write(
    held: HeldLane, row: OrderIntent, exchange_id: int, approved: ApprovedOrder, executor: Executor, port: Port
) -> Claim:
    """The order as PENDING, with what proves later what became of it."""
    ids, expires_in_ms = executor.ids, expiry_ms(executor, port)
    client_order_id = ids.make(port.id_form, account_id=row.account_id, intent_id=row.pk, attempt=row.attempt)
    expires_ms = port.now_ms() + expires_in_ms
    leave_by = executor.monotonic() + expires_in_ms / 1000 - LEAVE_S
    order = approved.order(client_order_id, expires_ms)
    made = _order_row(row, order, approved.amount)
    made.exchange_id, made.fence, made.build_id = exchange_id, held.fence, executor.build_id
    made.request_expires_at = records.time_of(max(expires_ms, _final_ms(port)))
    made.next_check_at = Now() + timedelta(milliseconds=expires_in_ms, seconds=CHECK_S)
    made.save(force_insert=True)
    OrderEvent(order_id=made.pk, seq=1, kind="placing", to_status=OrderStatus.PENDING, from_status="", at=Now()).save(
        force_insert=True
    )
    OrderIntent.objects.filter(pk=row.pk).update(
        state=IntentState.SENDING,
        attempt=row.attempt + 1,
        reserved_asset=row.reserved_asset,
        reserved_amount=row.reserved_amount,
        reserved_notional=row.reserved_notional,
    )
    return Claim(order_id=made.pk, intent_id=row.pk, order=order, leave_by=leave_by)


def _final_ms(port: Port) -> int:
    """Until when a request may be accepted where it cannot carry an expiry: as long as its signature is good."""
    return port.now_ms() + port.expiry.longest_ms if port.expiry.check is ExpiryCheck.NONE else 0


def _order_row(row: OrderIntent, order: NewOrder, amount: Decimal) -> Order:
    """Every column is given: what the database would fill in by itself would have to be read again."""
    return Order(
        trade_id=row.trade_id,
        pair_id=row.pair_id,
        type=order.type,
        side=order.side,
        amount=amount,
        price=order.price,
        status=OrderStatus.PENDING,
        created_at=Now(),
        updated_at=Now(),
        client_order_id=order.client_order_id,
        account_id=row.account_id,
        intent_id=row.pk,
        attempt=row.attempt,
        is_external=False,
        tif=order.tif,
        reduce_only=order.reduce_only,
        position_side=order.position_side,
        filled=ZERO,
        told=ZERO,
        sent_at=Now(),
        misses=0,
        alarms="",
        last_error_code="",
        last_error="",
        cancel_state=CancelState.NONE,
        cancel_attempts=0,
        exchange_ms=0,
    )
