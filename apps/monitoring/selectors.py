"""Reads of what is watched, and of the ledgers."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Prefetch, QuerySet

from apps.feeds import selectors as feeds
from apps.feeds.subscriptions import Task, Wanted, wanted
from apps.monitoring.models import Monitoring, MonitoringPair

SOURCE = "monitoring"


def tasks() -> list[Task]:
    """What every running MONITORING row asks for, as written, highest priority first; two queries."""
    rows = Monitoring.objects.filter(enabled=True, active=True)
    return list(_tasks_of(rows.order_by("-priority", "id")))


def loaded() -> Wanted:
    """The tasks against the catalogue: what should be subscribed, and which rows cannot run."""
    asked = tasks()
    return wanted(
        asked,
        feeds.catalogue(pairs={task.pair.strip().upper() for task in asked}),
        feeds.exchanges(),
        default_depth=settings.CT_ORDERBOOK_DEPTH,
    )


def refusals() -> dict[int, str]:
    """MONITORING.ID -> why that row, or one of its further pairs, cannot run."""
    return {refused.row_id: refused.reason for refused in loaded().refused}


def _tasks_of(rows: QuerySet[Monitoring]) -> Iterable[Task]:
    further = MonitoringPair.objects.select_related("trade_pair__exchange").order_by("id")
    for row in rows.prefetch_related(Prefetch("more_pairs", queryset=further)):
        yield _task(row, row.exchange, row.market_type, row.pair)
        for more in row.more_pairs.all():
            listed = more.trade_pair
            yield _task(row, listed.exchange.code, listed.market_type, listed.pair)


def _task(row: Monitoring, exchange: str, market_type: str | None, pair: str) -> Task:
    return Task(
        source=SOURCE,
        row_id=row.pk,
        exchange=exchange,
        market_type=market_type,
        pair=pair,
        depth=row.depth,
        priority=row.priority or 0,
    )
