"""Cancels of one pair in one request, where the exchange has such a one: many orders cost what one costs.

Its answer ends no single order: each is told as over by a push, or looked for.
"""

from collections.abc import Sequence

import structlog
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce, Now

from apps.feeds.errors import FeedError
from apps.trading import publishing
from apps.trading.execution.gateway.ports import Port
from apps.trading.execution.resolution.looking import instrument_of
from apps.trading.execution.runtime.transactions import in_transaction, lock_free
from apps.trading.models import Order, OrderEvent, RiskState
from apps.trading.order_state import CANCEL_TAKEN, FINAL, WORKS, CancelState
from apps.trading.risk.view import Scope, ScopeState

log = structlog.get_logger(__name__)

LEAST = 3  # fewer are cancelled one by one
FRESH = (CancelState.NONE, CancelState.REQUESTED)  # nothing was sent yet; NONE: wished for by a halt alone
WISHED = (CancelState.REQUESTED, CancelState.SENT, CancelState.UNKNOWN)


def cancel_together(port: Port, rows: Sequence[Order]) -> list[int]:
    """Those of one pair that a cancel has left for now; none where they must be cancelled one by one."""
    first = [row for row in rows if row.cancel_state in FRESH]
    if len(first) < LEAST or not is_stopped(first[0]) or _has_others(first):
        return []
    try:
        if not port.cancel_all(instrument_of(first[0]), _ours(first[0])):
            return []
    except FeedError as error:
        log.info("not cancelled together", account=port.account_id, error=f"{type(error).__name__}: {error}")
        return []
    return _sent(first)


def is_stopped(row: Order) -> bool:
    """Whether no order of its account is committed any more. Until then one may be on its way that shall stay."""
    named = Q(scope=Scope.GLOBAL) | Q(scope=Scope.EXCHANGE, scope_id=row.exchange.code)
    named |= Q(scope=Scope.ACCOUNT, scope_id=str(row.account_id))
    return RiskState.objects.filter(named, state=ScopeState.HALTED).exists()


@in_transaction
def _sent(rows: Sequence[Order]) -> list[int]:
    """Commit of all at once that this attempt of each has left; those that are not over, and that nobody else sent.

    It was taken for those that the exchange was known to work before it was asked. Another may have come in after it.
    """
    tried = {row.pk: row.cancel_attempts for row in rows}
    taken = {row.pk for row in rows if row.status in WORKS}
    free = lock_free(Order.objects.filter(pk__in=tried))  # who holds another may stand still: that is sent by itself
    locked = Order.objects.filter(pk__in=free).exclude(status__in=list(FINAL)).order_by("pk")
    mine = [row for row in locked if row.cancel_state in FRESH and row.cancel_attempts == tried[row.pk]]
    Order.objects.filter(pk__in=[row.pk for row in mine]).update(
        cancel_state=CancelState.SENT,
        cancel_attempts=F("cancel_attempts") + 1,
        cancel_requested_at=Coalesce(F("cancel_requested_at"), Now()),
        events_told=F("events_told") + Case(When(pk__in=taken, then=2), default=1),
        updated_at=Now(),
    )
    OrderEvent.objects.bulk_create(
        OrderEvent(
            order_id=row.pk,
            seq=row.events_told + number,
            kind=kind,
            from_status=row.status,
            to_status=row.status,
            evidence={"together": len(mine)},
        )
        for row in mine
        for number, kind in enumerate(["cancel sent", CANCEL_TAKEN][: 1 + (row.pk in taken)], start=1)
    )
    for row in mine:
        row.cancel_state = CancelState.SENT
        publishing.order_on_commit(row)
    return [row.pk for row in mine]


def _ours(row: Order) -> set[str]:
    """The ids of what may work on its pair. What else is there was placed by somebody else, and not yet told to us."""
    of_pair = Order.objects.filter(account_id=row.account_id or 0, pair_id=row.pair_id, is_external=False)
    ids = of_pair.exclude(status__in=list(FINAL)).values_list("client_order_id", "exchange_order_id")
    return {name for each in ids for name in each if name}


def _has_others(rows: Sequence[Order]) -> bool:
    """Orders of somebody else on the pair, which are never touched, or of ours that shall stay."""
    of_pair = Order.objects.filter(account_id=rows[0].account_id or 0, pair_id=rows[0].pair_id)
    staying = of_pair.exclude(status__in=list(FINAL)).exclude(cancel_state__in=WISHED)
    return staying.exclude(pk__in=[row.pk for row in rows]).exists()
