"""Cancels: wished for by people, strategies and halts, sent by whoever has a way to the account.

They wait for no lane and no placement. A cancel is idempotent, so it is sent again until the order is over; what it
came to is told by the order, for which `resolving` looks soon after.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import Any

import structlog
from django.db import OperationalError
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.feeds.errors import FeedError, OutcomeUnknown, Retryable
from apps.feeds.orders import OrderStatus
from apps.trading import order_state
from apps.trading.bookkeeping import applying, attempts, recording
from apps.trading.execution.cancels.together import FRESH, WISHED, cancel_together, is_stopped
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.gateway.ports import CannotWork, Port
from apps.trading.execution.pretrade import set_limits
from apps.trading.execution.resolution.looking import ref_of
from apps.trading.execution.runtime import hooks
from apps.trading.execution.runtime.transactions import in_transaction, is_passing, lock_free
from apps.trading.execution.runtime.waking import wake_cancels_on_commit
from apps.trading.halts import scopes
from apps.trading.intent import Purpose
from apps.trading.models import HaltMode, Order, OrderEvent, RiskState
from apps.trading.order_state import FINAL, CancelState
from apps.trading.risk import limits
from apps.trading.risk.view import Scope, ScopeState
from apps.users.services import Actor, record

log = structlog.get_logger(__name__)

AGAIN_S = (0.0, 1.0, 3.0, 7.0, 15.0)  # after the wish, where the last answer was an error; later ones every EVERY_S
TAKEN_S = 5.0  # later than those: a cancel that was taken, or whose sender died
EVERY_S = 15.0
PUSH_S = 1.0  # a push tells sooner that an order is over; then nobody needs to ask
IN_A_ROW = 3  # errors of an account's exchange, then the rest of its cancels waits for the next round
CANCELS = (HaltMode.CANCEL, HaltMode.FLATTEN)


class Left(Enum):
    """How a cancel was sent."""

    NOT_AT_ALL = auto()  # somebody else sends it, or the order is over
    IN_VAIN = auto()  # and nothing came back that says anything
    ANSWERED = auto()


def request_cancel(order: Order, actor: Actor, *, reason: str = "") -> Order:
    """Commit the wish, which is one however often it is uttered; an order that is over stays as it is."""

    def wish() -> Order:
        before = Order.objects.values_list("cancel_state", flat=True).get(pk=order.pk)
        after = recording.record_cancel(order.pk, CancelState.REQUESTED)
        if after.cancel_state != before:
            wake_cancels_on_commit(after.account_id or 0)
            record(actor=actor, action="order.cancel", object=f"order {order.pk}", reason=reason)
        return after

    return in_transaction(wish)()


def cancel_due(executor: Executor, limit: int = 100, *, account_id: int | None = None) -> int:
    """Send the cancels that are due, of one account or of all in turn; how many left. To be called often."""
    accounts = accounts_due() if account_id is None else [account_id]
    return sum(cancel_account(executor, each, limit) for each in accounts)


def accounts_due() -> list[int]:
    """Those with something to cancel, now or soon: not where all was sent a moment ago."""
    taken = Q(cancel_state=CancelState.SENT, cancel_requested_at__gt=Now() - timedelta(seconds=TAKEN_S))
    rows = Order.objects.filter(_wished(halted()), ~taken, account__isnull=False)
    return list(rows.order_by("account_id").values_list("account_id", flat=True).distinct())


def cancel_account(executor: Executor, account_id: int, limit: int = 100) -> int:
    """The same of one account. Several may call it at once: each cancel is sent by one."""
    try:
        port = executor.ports.of(account_id)
    except CannotWork as reason:
        log.debug("nothing cancelled", account=account_id, reason=str(reason))
        return 0
    rows = _due(account_id)[:limit]
    by_pair: dict[int, list[Order]] = defaultdict(list)
    for row in rows:
        by_pair[row.pair_id].append(row)
    together = {order_id for of_pair in by_pair.values() for order_id in cancel_together(port, of_pair)}
    _look_soon(together)
    sent, failed = len(together), 0
    for row in rows:
        if row.pk in together:
            continue
        how = _cancel_free(port, row)
        sent += how is not Left.NOT_AT_ALL
        failed = failed + 1 if how is Left.IN_VAIN else 0
        if failed == IN_A_ROW:
            break
    return sent


def halted() -> Q | None:
    """Orders of ours that a halt wants cancelled, whenever they appear; None: there is no such halt."""
    rows = RiskState.objects.filter(state=ScopeState.HALTED, mode__in=CANCELS).values_list("scope", "scope_id")
    under = [scopes.orders_under(scope, scope_id) for scope, scope_id in rows]
    if not under:
        return None
    return _any(under) & Q(cancel_state=CancelState.NONE) & ~Q(intent__purpose=Purpose.FLATTEN)


def _due(account_id: int) -> Sequence[Order]:
    """Those to be sent now, the oldest wish first; within the account's rate, unless everything is being stopped."""
    rows = (
        Order.objects.filter(_wished(halted()), account_id=account_id)
        .annotate(waited=Now() - F("cancel_requested_at"))
        .select_related("pair__exchange", "exchange")
        .order_by("cancel_requested_at", "id")
    )
    due = [row for row in rows if row.waited is None or row.waited >= _after(row)]
    room = _room(due[0]) if due else 0
    return due if len(due) <= room or is_stopped(due[0]) else due[:room]


def _after(row: Order) -> timedelta:
    if row.cancel_state in FRESH:
        return timedelta(0)
    late = max(0, row.cancel_attempts - len(AGAIN_S) + 1)
    wait_s = AGAIN_S[min(row.cancel_attempts, len(AGAIN_S) - 1)] + late * EVERY_S
    return timedelta(seconds=wait_s + (TAKEN_S if row.cancel_state == CancelState.SENT else 0))


def _cancel_free(port: Port, row: Order) -> Left:
    """One whose row the database does not give us in time holds up no other."""
    try:
        return _cancel(port, row)
    except OperationalError as error:
        if not is_passing(error):
            raise
        log.warning("order is held by somebody", order=row.pk, error=str(error))
        return Left.IN_VAIN


def _cancel(port: Port, row: Order) -> Left:
    if not _claim([row]):
        return Left.NOT_AT_ALL
    hooks.at("K14")
    failed: FeedError | None = None
    try:
        port.cancel(ref_of(row))
    except FeedError as error:
        failed = error
    hooks.at("K15")
    if failed is None:
        recording.record_cancel_taken(row.pk)
    else:
        log.info("not cancelled", order=row.pk, error=f"{type(failed).__name__}: {failed}")
        recording.record_cancel(row.pk, CancelState.UNKNOWN, failed)
    _look_soon([row.pk])
    return Left.IN_VAIN if isinstance(failed, Retryable | OutcomeUnknown) else Left.ANSWERED


def _claim(rows: Iterable[Order]) -> list[int]:
    """Commit that this attempt of each leaves; those that are not over, and that nobody else sends. One whose row
    somebody holds, as who is stopped in the middle of writing an answer does, is left out for now.
    """
    wanted = {row.pk: row for row in rows}

    def claim() -> list[int]:
        return [pk for pk in sorted(lock_free(Order.objects.filter(pk__in=wanted))) if _advance(wanted[pk])]

    return in_transaction(claim)()


def _advance(row: Order) -> bool:
    attempt = attempts.lock(id=row.pk)
    if attempt is None or attempt.state.is_final or attempt.row.cancel_attempts != row.cancel_attempts:
        return False
    columns: dict[str, Any] = {"cancel_attempts": row.cancel_attempts + 1}
    state = attempt.state
    if state.cancel is CancelState.NONE:  # the wish is a halt's
        columns["cancel_requested_at"] = attempt.now
        state = order_state.advance_cancel(state, CancelState.REQUESTED)
    if state.cancel not in WISHED:
        return False
    attempts.write(attempt, order_state.advance_cancel(state, CancelState.SENT), kind="cancel sent", **columns)
    applying.save(attempt)
    return True


def _look_soon(order_ids: Iterable[int]) -> None:
    """Of one whose own answer is still on its way the sender tells first."""
    rows = Order.objects.filter(pk__in=list(order_ids)).exclude(status__in=[*FINAL, OrderStatus.PENDING])
    rows.update(next_check_at=Now() + timedelta(seconds=PUSH_S))


def _wished(by_halt: Q | None) -> Q:
    wished = Q(cancel_state__in=WISHED)
    return (wished if by_halt is None else wished | by_halt) & Q(intent__isnull=False) & ~Q(status__in=list(FINAL))


def _room(row: Order) -> int:
    """R10: how many cancels of the account may leave now; one at least each second, whatever the limit says."""
    named = Q(scope=Scope.GLOBAL) | Q(scope=Scope.EXCHANGE, scope_id=row.exchange.code)
    named |= Q(scope=Scope.ACCOUNT, scope_id=str(row.account_id))
    rows = set_limits.read(named & Q(name="max_cancels_s"))
    left = OrderEvent.objects.filter(
        order__account_id=row.account_id or 0, kind="cancel sent", at__gt=Now() - timedelta(seconds=1)
    )
    return max(0, max(1, limits.of_halts(rows, closing=False).max_cancels_s) - left.count())


def _any(parts: list[Q]) -> Q:
    whole = parts[0]
    for part in parts[1:]:
        whole |= part
    return whole
