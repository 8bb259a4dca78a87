"""Reads of what is watched, and of the ledgers."""

from collections.abc import Collection, Iterable

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Trim, Upper

from apps.feeds import selectors as feeds
from apps.feeds.market import BookKey, MarketType
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


def key_of(row: Monitoring) -> BookKey | None:
    """The key that a row means; None when it is nonsense."""
    market = (row.market_type or MarketType.SPOT).strip().lower()
    if market not in set(MarketType):
        return None
    return BookKey(row.exchange.strip().lower(), MarketType(market), row.pair.strip().upper())


def rows_of(*, keys: Collection[BookKey]) -> list[Monitoring]:
    """The rows, running or not, whose own pair is one of `keys`, however plain SQL spelt it."""
    pairs = Monitoring.objects.annotate(plain=Upper(Trim("pair"))).filter(plain__in={key.pair for key in keys})
    return [row for row in pairs.order_by("pk") if key_of(row) in keys]


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
