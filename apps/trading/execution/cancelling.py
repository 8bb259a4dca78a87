"""Cancels: wished for by people, strategies and halts, sent by whoever has a way to the account.

They wait for no lane and no placement. A cancel is idempotent, so it is sent again until the order is over; what it
came to is told by the order, for which `resolving` looks soon after.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.feeds.errors import FeedError
from apps.feeds.orders import OrderStatus
from apps.trading import attempts, limits, order_state, recording, scopes
from apps.trading.execution import hooks
from apps.trading.execution.executor import Executor
from apps.trading.execution.looking import instrument_of, ref_of
from apps.trading.execution.ports import CannotWork, Port
from apps.trading.execution.transactions import in_transaction
from apps.trading.execution.waking import wake_cancels_on_commit
from apps.trading.intent import Purpose
from apps.trading.models import HaltMode, Order, OrderEvent, RiskLimit, RiskState
from apps.trading.order_state import FINAL, CancelState
from apps.trading.risk_view import Scope, ScopeState
from apps.users.services import Actor, record

log = structlog.get_logger(__name__)

WISHED = (CancelState.REQUESTED, CancelState.SENT, CancelState.UNKNOWN)
AGAIN_S = (0.0, 1.0, 3.0, 7.0, 15.0)  # after the wish; later ones every EVERY_S
EVERY_S = 15.0
TOGETHER = 3  # so many cancels of one pair are one request, where the exchange has such a one
CANCELS = (HaltMode.CANCEL, HaltMode.FLATTEN)


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
    """Send the cancels that are due, of one account or of all; how many left. To be called often."""
    wish_halted()
    sent = 0
    for each in _accounts(account_id):
        try:
            port = executor.ports.of(each)
        except CannotWork as reason:
            log.debug("nothing cancelled", account=each, reason=str(reason))
            continue
        sent += _cancel_account(port, limit - sent)
        if sent >= limit:
            break
    return sent


def wish_halted() -> int:
    """Wish for the cancel of all that works under a halt, whenever it appears; how many wishes were new."""
    halted = RiskState.objects.filter(state=ScopeState.HALTED, mode__in=CANCELS).values_list("scope", "scope_id")
    under = [scopes.orders_under(scope, scope_id) for scope, scope_id in halted]
    if not under:
        return 0
    working = Order.objects.filter(_any(under), intent__isnull=False, cancel_state=CancelState.NONE)
    rows = working.exclude(status__in=list(FINAL)).exclude(intent__purpose=Purpose.FLATTEN)
    wished = 0
    for order_id in rows.order_by("id").values_list("pk", flat=True):
        wished += recording.record_cancel(order_id, CancelState.REQUESTED).cancel_state == CancelState.REQUESTED
    return wished


def _cancel_account(port: Port, limit: int) -> int:
    rows = _due(port.account_id)[:limit]
    by_pair: dict[int, list[Order]] = defaultdict(list)
    for row in rows:
        by_pair[row.pair_id].append(row)
    sent = 0
    for of_pair in by_pair.values():
        first = [row for row in of_pair if row.cancel_state == CancelState.REQUESTED]
        if len(first) >= TOGETHER and not _has_others(first[0]):
            sent += _cancel_together(port, first)
    for row in rows:
        sent += _cancel(port, row)
    return sent


def _due(account_id: int) -> Sequence[Order]:
    """Those to be sent now, the oldest wish first; within the account's rate, unless everything is being stopped."""
    rows = (
        Order.objects.filter(_wished(), account_id=account_id)
        .annotate(waited=Now() - F("cancel_requested_at"))
        .select_related("pair__exchange", "exchange")
        .order_by("cancel_requested_at", "id")
    )
    due = [row for row in rows if row.waited is None or row.waited >= _after(row)]
    return due if not due or _is_stopped(due[0]) else due[: _room(due[0])]


def _after(row: Order) -> timedelta:
    if row.cancel_state == CancelState.REQUESTED:
        return timedelta(0)
    late = max(0, row.cancel_attempts - len(AGAIN_S) + 1)
    return timedelta(seconds=AGAIN_S[min(row.cancel_attempts, len(AGAIN_S) - 1)] + late * EVERY_S)


def _cancel(port: Port, row: Order) -> int:
    if not _claim(row):
        return 0
    hooks.at("K14")
    try:
        port.cancel(ref_of(row))
    except FeedError as error:
        hooks.at("K15")
        log.info("not cancelled", order=row.pk, error=f"{type(error).__name__}: {error}")
        recording.record_cancel(row.pk, CancelState.UNKNOWN, error)
    else:
        hooks.at("K15")
        recording.record_cancel_taken(row.pk)
    _look_soon([row.pk])
    return 1


def _cancel_together(port: Port, rows: list[Order]) -> int:
    """In one request, which proves nothing of any single order; each is looked for then."""
    try:
        done = port.cancel_all(instrument_of(rows[0]))
    except FeedError as error:
        log.info("not cancelled together", account=port.account_id, error=f"{type(error).__name__}: {error}")
        return 0
    if not done:
        return 0
    claimed = [row.pk for row in rows if _claim(row)]
    _look_soon(claimed)
    return len(claimed)


def _claim(row: Order) -> bool:
    """Commit that this attempt leaves; False: somebody else's did, or the order is over."""

    def claim() -> bool:
        attempt = attempts.lock(pk=row.pk)
        if attempt is None or attempt.state.is_final or attempt.row.cancel_attempts != row.cancel_attempts:
            return False
        if attempt.state.cancel not in WISHED:
            return False
        after = order_state.advance_cancel(attempt.state, CancelState.SENT)
        attempts.write(attempt, after, kind="cancel sent", cancel_attempts=row.cancel_attempts + 1)
        return True

    return in_transaction(claim)()


def _look_soon(order_ids: Iterable[int]) -> None:
    """Of one whose own answer is still on its way the sender tells first."""
    rows = Order.objects.filter(pk__in=list(order_ids)).exclude(status__in=[*FINAL, OrderStatus.PENDING])
    rows.update(next_check_at=Now())


def _accounts(account_id: int | None) -> list[int]:
    if account_id is not None:
        return [account_id]
    rows = Order.objects.filter(_wished(), account__isnull=False)
    return list(rows.order_by("account_id").values_list("account_id", flat=True).distinct())


def _wished() -> Q:
    return Q(cancel_state__in=WISHED, intent__isnull=False) & ~Q(status__in=list(FINAL))


def _has_others(row: Order) -> bool:
    """Orders of somebody else on the pair, which are never touched, or of ours that shall stay."""
    rows = Order.objects.filter(account_id=row.account_id or 0, pair_id=row.pair_id)
    return rows.exclude(status__in=list(FINAL)).exclude(cancel_state__in=WISHED).exists()


def _is_stopped(row: Order) -> bool:
    named = Q(scope=Scope.GLOBAL) | Q(scope=Scope.EXCHANGE, scope_id=row.exchange.code)
    named |= Q(scope=Scope.ACCOUNT, scope_id=str(row.account_id))
    return RiskState.objects.filter(named, state=ScopeState.HALTED).exists()


def _room(row: Order) -> int:
    """R10: how many cancels of the account may leave now."""
    named = Q(scope=Scope.GLOBAL) | Q(scope=Scope.EXCHANGE, scope_id=row.exchange.code)
    named |= Q(scope=Scope.ACCOUNT, scope_id=str(row.account_id))
    rows = RiskLimit.objects.filter(named, name="max_cancels_s").values_list("name", "value")
    left = OrderEvent.objects.filter(
        order__account_id=row.account_id or 0, kind="cancel sent", at__gt=Now() - timedelta(seconds=1)
    )
    return max(0, limits.strictest(rows).max_cancels_s - left.count())


def _any(parts: list[Q]) -> Q:
    whole = parts[0]
    for part in parts[1:]:
        whole |= part
    return whole
