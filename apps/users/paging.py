"""The pager is told of every alert that nobody has come for, until it says that it has it.

Rows of `alert` are the queue, and the claim of one is a change of its row: several processes may page at once, one that
dies leaves its page to the next, and who raises an alert waits for nobody. A page may come twice, never not at all.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from django.db.models import Count, F, Min, Q, Sum
from django.db.models.functions import Now
from msgspec import Struct

from apps.users.alerts import OPEN
from apps.users.models import Alert
from apps.users.transport.webhook import PagerAway

log = structlog.get_logger(__name__)

AT_ONCE = 20
CLAIM_S = 30.0  # longer than a page takes
LONGEST_S = 60  # between two tries of one page
UNIT = timedelta(seconds=1)


class Pager(Protocol):
    def send(self, page: Mapping[str, Any]) -> None:
        """Return when it has it; raise PagerAway."""
        ...


class Paged(Struct, frozen=True):
    """How it stands with all alerts: `waiting` ones have not reached the pager, the oldest since `since`.

    `tries` less `delivered` is how often it did not take one.
    """

    delivered: int
    waiting: int
    tries: int
    since: datetime | None


def page_due(pager: Pager, limit: int = AT_ONCE) -> int:
    """Tell what is due; how many pages the pager took. To be called every second or so, outside any transaction."""
    told = 0
    for row in Alert.objects.filter(_due()).order_by("page_at", "id")[:limit]:
        if not _claim(row):
            continue
        try:
            pager.send(page_of(row))
        except PagerAway as away:
            _put_off(row, away)
            break  # it is the pager that is away, not the page
        Alert.objects.filter(pk=row.pk).update(paged_at=Now(), page_error="")
        told += 1
    return told


def page_of(row: Alert) -> dict[str, Any]:
    """What the pager is told: who, what, since when. Acknowledging is done here, not there."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "scope": row.scope,
        "scope_id": row.scope_id,
        "subject": row.subject,
        "text": row.text,
        "at": row.at.isoformat(),
        "escalates": row.escalates,
        "ack": f"/api/v1/alerts/{row.pk}/ack",
    }


def standing() -> Paged:
    waiting = Q(paged_at=None, **OPEN)
    found = Alert.objects.aggregate(
        delivered=Count("id", filter=Q(paged_at__isnull=False)),
        waiting=Count("id", filter=waiting),
        tries=Sum("page_tries", default=0),
        since=Min("at", filter=waiting),
    )
    return Paged(**found)


def _due() -> Q:
    return Q(paged_at=None, page_at__lte=Now(), **OPEN)


def _claim(row: Alert) -> bool:
    """False: somebody else tells it now, or it is over."""
    rows = Alert.objects.filter(_due(), pk=row.pk)
    return rows.update(page_tries=F("page_tries") + 1, page_at=Now() + timedelta(seconds=CLAIM_S)) == 1


def wait_s(tries: int) -> int:
    """Until the next try, after so many that have failed."""
    return min(LONGEST_S, 2 ** min(tries - 1, LONGEST_S))


def _put_off(row: Alert, away: PagerAway) -> None:
    tries = row.page_tries + 1
    log.warning("the pager does not take a page", alert=row.pk, tries=tries, error=str(away))
    Alert.objects.filter(pk=row.pk).update(page_at=Now() + wait_s(tries) * UNIT, page_error=str(away)[:200])
