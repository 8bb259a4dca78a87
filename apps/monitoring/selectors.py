"""Reads of what is watched, and of the ledgers."""

from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Trim, Upper

from apps.feeds import selectors as feeds
from apps.feeds.drivers import registry
from apps.feeds.market import BookKey, MarketType
from apps.feeds.subscriptions import Offers, Task, Wanted, wanted
from apps.monitoring.models import Monitoring, MonitoringPair
from apps.monitoring.preview import Cost, Market, cost

SOURCE = "monitoring"


def tasks() -> list[Task]:
    """What every running MONITORING row asks for, as written, highest priority first; two queries."""
    rows = Monitoring.objects.filter(enabled=True, active=True)
    return list(_tasks_of(rows.order_by("-priority", "id")))


def loaded() -> Wanted:
    """The tasks against the catalogue: what should be subscribed, and which rows cannot run."""
    return against_catalogue(tasks())


def refusals() -> dict[int, str]:
    """MONITORING.ID -> why that row, or one of its further pairs, cannot run."""
    return {refused.row_id: refused.reason for refused in loaded().refused}


def key_of(row: Monitoring) -> BookKey | None:
    """The key that a row means; None when it is nonsense."""
    return _key(row.exchange, row.market_type, row.pair)


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


def cost_of(*, keys: Set[BookKey], enabled: bool, depth: int | None, statuses: Collection[Mapping[str, Any]]) -> Cost:
    """What `services.enable_pairs` of the same arguments would cost the daemons that published `statuses`."""
    asked = tasks()
    now = against_catalogue(asked).subscriptions
    if enabled:
        then = [*asked, *(_new_task(key, depth) for key in sorted(keys - now.keys()))]
    else:
        then = [task for task in asked if _key(task.exchange, task.market_type, task.pair) not in keys]
    rates = {book["key"]: float(book.get("msg_s") or 0) for status in statuses for book in status["books"]}
    return cost(
        now=now,
        then=against_catalogue(then).subscriptions,
        markets=_markets(),
        pair_slots=sum(int(status["capacity"]) for status in statuses),
        socket_slots=sum(int(status["max_sockets"]) for status in statuses),
        rates={BookKey.parse(text): rate for text, rate in rates.items()},
    )


def against_catalogue(asked: list[Task]) -> Wanted:
    """What these tasks want of what the exchanges list."""
    return wanted(
        asked,
        feeds.catalogue(pairs={task.pair.strip().upper() for task in asked}),
        feeds.exchanges(),
        offers=Offers(registry.offered_depths(), registry.ALIASES),
        default_depth=settings.CT_ORDERBOOK_DEPTH,
    )


def _markets() -> dict[tuple[str, MarketType], Market]:
    found = {}
    for exchange in registry.exchange_ids():
        for market_type in MarketType:
            limits = registry.driver(exchange).limits(market_type)
            found[exchange, market_type] = Market(
                pairs_per_connection=min(limits.pairs_per_connection, settings.CT_PAIRS_PER_CONNECTION),
                topics_per_frame=limits.topics_per_frame,
            )
    return found


def _key(exchange: str, market_type: str | None, pair: str) -> BookKey | None:
    market = (market_type or MarketType.SPOT).strip().lower()
    if market not in set(MarketType):
        return None
    return BookKey(registry.canonical(exchange), MarketType(market), pair.strip().upper())


def _new_task(key: BookKey, depth: int | None) -> Task:
    return Task(source=SOURCE, row_id=0, exchange=key.exchange, market_type=key.market_type, pair=key.pair, depth=depth)
