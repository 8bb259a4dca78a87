"""Alerts: raised by whoever finds the trouble, in its transaction; they go on until a person has acknowledged them."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.users.models import Alert
from apps.users.roles import OPERATOR, has_role
from apps.users.services import Actor, record

log = structlog.get_logger(__name__)

DAY = timedelta(days=1)
UNACKED = timedelta(minutes=5)  # R20, as the risk controls have it
HALTED = "HALTED"
HALTING = ("account", "trade")  # scopes whose account is halted when nobody comes
OPEN = {"acked_at": None, "cleared_at": None}  # nobody has come, and it is not over
WIDE = ("", "global", "exchange")  # scopes whose trouble is everybody's


class NotAPerson(ValueError):
    """A program cannot acknowledge, confirm or release."""


def require_person(actor: Actor) -> None:
    """Raise NotAPerson."""
    if actor.user_id is None:
        raise NotAPerson(f"{actor.user} is not a person")


def raise_alert(
    *,
    kind: str,
    text: str,
    scope: str = "",
    scope_id: str = "",
    subject: str = "",
    once: bool = False,
    escalates: bool = True,
) -> Alert:
    """The alert of this trouble; one that nobody has acknowledged yet stands for it, as it was first told.

    `once`: one that somebody has acknowledged stands for it as well, until it is over. With `escalates` more is
    stopped when nobody comes. The pager is told by who pages, see `apps.users.paging`: nobody waits for it here.
    """
    named = {"kind": kind, "scope": scope, "scope_id": scope_id, "subject": subject[:100]}
    standing = Alert.objects.filter(**named, cleared_at=None, **({} if once else {"acked_at": None}))
    known = standing.order_by("-id").first()
    if known is not None:
        return known
    log.error("alert", kind=kind, scope=scope, scope_id=scope_id, subject=subject, text=text)
    return Alert.objects.create(text=text[:500], escalates=escalates, **named)


def clear(*, kind: str, scope: str, scope_id: str, subject: str = "") -> int:
    """The trouble is over by itself; how many alerts no longer wait. The next of its kind is a new one."""
    rows = Alert.objects.filter(kind=kind, scope=scope, scope_id=scope_id, subject=subject[:100], cleared_at=None)
    return rows.update(cleared_at=Now())


@transaction.atomic
def ack(*, alert_id: int, actor: Actor) -> bool:
    """A person has seen it; False when there is none of that number that waits. Raises NotAPerson."""
    require_person(actor)
    done = _ack(Alert.objects.filter(pk=alert_id), actor)
    if done:
        record(actor=actor, action="alert.ack", object=f"alert {alert_id}")
    return bool(done)


def ack_scope(*, scope: str, scope_id: str, actor: Actor) -> int:
    """All that wait of one scope, by who has just dealt with it: the caller's row in the trail tells of it."""
    require_person(actor)
    return _ack(Alert.objects.filter(scope=scope, scope_id=scope_id), actor)


def waiting(*, scope: str | None = None, scope_id: str = "") -> QuerySet[Alert]:
    """Those that nobody has acknowledged and that are not over, of one scope or of all."""
    rows = Alert.objects.filter(**OPEN)
    return rows if scope is None else rows.filter(scope=scope, scope_id=scope_id)


def seen_by(user: Any) -> QuerySet[Alert]:
    """All for whoever may be called, an operator or above; nobody else is told of the trouble of single accounts."""
    return Alert.objects.all() if has_role(user, OPERATOR) else Alert.objects.filter(scope__in=WIDE)


def waiting_for(user: Any) -> QuerySet[Alert]:
    """Those that wait, as far as `user` may see."""
    return seen_by(user).filter(**OPEN)


def answered_for(user: Any) -> QuerySet[Alert]:
    """Those that somebody has acknowledged within a day, the last first, as far as `user` may see."""
    return seen_by(user).filter(acked_at__gte=Now() - DAY).order_by("-acked_at")


def halts_at(row: Alert) -> datetime | None:
    """When its account is halted unless somebody comes; None: never, or it is halted already, or somebody has come."""
    over = row.acked_at or row.cleared_at or row.escalated_at
    if over or not row.escalates or row.scope not in HALTING or (row.kind, row.scope) == (HALTED, "account"):
        return None
    return row.at + UNACKED


def escalate(*, scope: str, scope_id: str) -> int:
    """Note that more was stopped because nobody came; how many alerts it was the first time for."""
    return waiting(scope=scope, scope_id=scope_id).filter(escalated_at=None).update(escalated_at=Now())


def _ack(rows: QuerySet[Alert], actor: Actor) -> int:
    return rows.filter(acked_at=None).update(acked_by=actor.user, acked_at=Now())
