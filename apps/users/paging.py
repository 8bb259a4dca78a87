"""Each pager is told of every alert that nobody has come for, until it says that it has it.

Rows of `alert` are the queue, and the claim of one is a change of its row: several processes may page at once, one that
dies leaves its page to the next, and who raises an alert waits for nobody. A page may come twice, never not at all.
Pagers are told apart from each other: one that is away holds up no other.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from django.db.models import Count, F, Min, Q, Sum
from django.db.models.functions import Now
from msgspec import Struct

from apps.users.alerts import OPEN, halts_at
from apps.users.models import Alert
from apps.users.transport.away import PagerAway

log = structlog.get_logger(__name__)

AT_ONCE = 20
CLAIM_S = 30.0  # longer than a page takes
LONGEST_S = 60  # between two tries of one page
UNIT = timedelta(seconds=1)


class Pager(Protocol):
    def send(self, page: Mapping[str, Any]) -> None:
        """Return when it has it; raise PagerAway."""
        ...


class Channel(Struct, frozen=True):
    """The columns of `alert` that say how it stands with one pager: the next try, how many there were, what the last
    one met, and since when it has the alert."""

    due: str
    tries: str
    error: str
    told: str


PAGES = Channel("page_at", "page_tries", "page_error", "paged_at")
MAILS = Channel("mail_at", "mail_tries", "mail_error", "mailed_at")


class Paged(Struct, frozen=True):
    """How it stands with all alerts: `waiting` ones have not reached the pager, the oldest since `since`.

    `tries` less `delivered` is how often it did not take one.
    """

    delivered: int
    waiting: int
    tries: int
    since: datetime | None


def page_due(pager: Pager, channel: Channel = PAGES, limit: int = AT_ONCE) -> int:
    """Tell what is due; how many pages the pager took. To be called every second or so, outside any transaction."""
    told = 0
    for row in Alert.objects.filter(_due(channel)).order_by(channel.due, "id")[:limit]:
        if not _claim(row, channel):
            continue
        try:
            pager.send(page_of(row))
        except PagerAway as away:
            _put_off(row, channel, away)
            break  # it is the pager that is away, not the page
        Alert.objects.filter(pk=row.pk).update(**{channel.told: Now(), channel.error: ""})
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
        "halts_at": None if (at := halts_at(row)) is None else at.isoformat(),
        "ack": f"/api/v1/alerts/{row.pk}/ack",
    }


def standing(channel: Channel = PAGES) -> Paged:
    waiting = Q(**{channel.told: None}, **OPEN)
    found = Alert.objects.aggregate(
        delivered=Count("id", filter=Q(**{f"{channel.told}__isnull": False})),
        waiting=Count("id", filter=waiting),
        tries=Sum(channel.tries, default=0),
        since=Min("at", filter=waiting),
    )
    return Paged(**found)


def _due(channel: Channel) -> Q:
    return Q(**{channel.told: None, f"{channel.due}__lte": Now()}, **OPEN)


def _claim(row: Alert, channel: Channel) -> bool:
    """False: somebody else tells it now, or it is over."""
    rows = Alert.objects.filter(_due(channel), pk=row.pk)
    until = Now() + timedelta(seconds=CLAIM_S)
    return rows.update(**{channel.tries: F(channel.tries) + 1, channel.due: until}) == 1


def wait_s(tries: int) -> int:
    """Until the next try, after so many that have failed."""
    return min(LONGEST_S, 2 ** min(tries - 1, LONGEST_S))


def _put_off(row: Alert, channel: Channel, away: PagerAway) -> None:
    tries = getattr(row, channel.tries) + 1
    log.warning("the pager does not take a page", alert=row.pk, tries=tries, error=str(away))
    due = Now() + wait_s(tries) * UNIT
    Alert.objects.filter(pk=row.pk).update(**{channel.due: due, channel.error: str(away)[:200]})
