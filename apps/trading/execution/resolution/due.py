"""Which orders are to be looked at now: of ours alone."""

from datetime import timedelta

from django.db.models import F, Min, Q, QuerySet
from django.db.models.functions import Now

from apps.trading.execution.resolution.overdue import UNRESOLVED
from apps.trading.models import Order

UNTOLD_S = 5.0  # a request is over by then, whatever became of it: nobody will write its answer


def is_due() -> Q:
    """A row without NEXT_CHECK_AT was left behind by who died before the answer came; what is over has one as long as
    its fills do not tell all that was filled."""
    at = Q(next_check_at__lte=Now())
    left = Q(next_check_at=None, status__in=UNRESOLVED, created_at__lte=Now() - timedelta(seconds=UNTOLD_S))
    return Q(intent__isnull=False, account__isnull=False) & (at | left)


def accounts_due() -> list[int]:
    """Those with orders to be looked at now; first whose order has waited longest."""
    rows = Order.objects.filter(is_due()).values("account_id").annotate(since=Min("next_check_at"))
    return [row["account_id"] for row in rows.order_by(F("since").asc(nulls_first=True), "account_id")]


def rows_due(account_id: int, limit: int) -> list[Order]:
    """With pair and intent: those whose fate nobody has told, which nothing else may pass by, and then all others.

    At most `limit` of each, first who has waited longest.
    """
    rows = Order.objects.filter(is_due(), account_id=account_id).select_related("pair__exchange", "intent")
    return [*_first(rows.filter(status__in=UNRESOLVED), limit), *_first(rows.exclude(status__in=UNRESOLVED), limit)]


def _first(rows: QuerySet[Order], limit: int) -> QuerySet[Order]:
    return rows.order_by(F("next_check_at").asc(nulls_first=True), "id")[:limit]
