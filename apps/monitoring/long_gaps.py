"""Gaps in what exchanges tell in public that last so long that a person is called (R20): once for each outage."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Max, Min
from django.utils import timezone

from apps.monitoring.gaps import Gap
from apps.monitoring.models import FeedGap
from apps.users.alerts import raise_alert
from apps.users.models import Alert

LONG = timedelta(seconds=60)
LONG_NS = LONG.seconds * 10**9
LOOKED_BACK = timedelta(minutes=10)  # what nobody has ended by then was told of, or its daemon is gone
KIND = "GAP"


def watch() -> int:
    """Look at those that are not over; for how many exchanges somebody was called. Every few seconds."""
    now = timezone.now()
    rows = FeedGap.objects.filter(to_ts=None, from_ts__range=(now - LOOKED_BACK, now - LONG)).order_by()
    latest = rows.values("exchange").annotate(since=Max("from_ts"), pair=Min("pair"))
    return sum(_tell(row["exchange"], row["pair"], row["since"]) for row in latest)


def tell(gaps: Iterable[Gap]) -> None:
    """Those that have just ended."""
    long = [gap for gap in gaps if gap.to_ns is not None and gap.to_ns - gap.from_ns > LONG_NS]
    latest = {gap.exchange: gap for gap in sorted(long, key=lambda gap: gap.from_ns)}
    for gap in latest.values():
        _tell(gap.exchange, gap.pair, datetime.fromtimestamp(gap.from_ns / 1e9, tz=timezone.get_current_timezone()))


def _tell(exchange: str, pair: str, since: datetime) -> bool:
    """An alert that was raised since then tells of this outage as well."""
    if Alert.objects.filter(kind=KIND, scope="exchange", scope_id=exchange, at__gte=since).exists():
        return False
    text = (
        f"{exchange}: {pair} was missing for more than {LONG.seconds} s, since {since:%d %b %H:%M:%S}; maybe others too"
    )
    raise_alert(kind=KIND, scope="exchange", scope_id=exchange, text=text)
    return True
