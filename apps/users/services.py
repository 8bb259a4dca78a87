"""Writes about people, and the trail that every change of the system leaves."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from knox.models import AuthToken

from apps.users import audit, roles
from apps.users.models import Audit, AuditHead, User


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person in a request, or a program."""

    user: str
    role: str = ""
    session: str = ""  # a digest of the session key
    ip: str = ""
    idempotency_key: str = ""
    user_id: int | None = None
    second_factor: bool = False  # a code was given for this


MOST_TOKENS = 20
SYSTEM = Actor(user="system")


def actor_of(request: HttpRequest, *, second_factor: bool = False) -> Actor:
    """The signed-in person behind `request`; with `second_factor` who has just given a code for what is done."""
    session_key = getattr(getattr(request, "session", None), "session_key", None)
    user = request.user
    return Actor(
        user=user.get_username(),
        role=(roles.role_of(user) or "") if isinstance(user, User) else "",
        session=hashlib.sha256(session_key.encode()).hexdigest()[:16] if session_key else "",
        ip=request.META.get("REMOTE_ADDR", ""),
        idempotency_key=request.headers.get("Idempotency-Key", "")[:100],
        user_id=user.pk,
        second_factor=second_factor,
    )


@transaction.atomic
def record(
    *,
    actor: Actor,
    action: str,
    object: str,
    before: Any = None,
    after: Any = None,
    reason: str = "",
    result: str = "ok",
) -> Audit:
    """Add one row to the trail, in the caller's transaction: the change and its trace commit together or not at all.

    `before` and `after` are JSON values and never hold secrets. The end of the chain is locked until the commit.
    """
    head = _end_of_chain()
    row = Audit(
        change_id=head.last_change_id + 1,
        at=datetime.now(UTC),
        user=actor.user,
        role=actor.role,
        session=actor.session,
        ip=actor.ip,
        action=action,
        object=object[:200],
        before=audit.as_kept(before),
        after=audit.as_kept(after),
        reason=reason[:500],
        idempotency_key=actor.idempotency_key,
        result=result,
        second_factor=actor.second_factor,
        prev_hash=head.last_hash,
    )
    row.hash = audit.digest(vars(row))
    row.save(force_insert=True)
    head.last_change_id, head.last_hash = row.change_id, row.hash
    head.save(update_fields=["last_change_id", "last_hash"])
    return row


def _end_of_chain() -> AuditHead:
    """Its one row, locked; where it is missing the trail goes on from its last row."""
    locked = AuditHead.objects.select_for_update()
    head = locked.filter(pk=1).first()
    if head is None:
        last = Audit.objects.order_by("change_id").last() or Audit(change_id=0, hash="")
        head = AuditHead(pk=1, last_change_id=last.change_id, last_hash=last.hash)
        AuditHead.objects.bulk_create([head], ignore_conflicts=True)
        head = locked.get(pk=1)
    return head


@transaction.atomic
def ensure_admin(*, name: str, password: str, reset: bool) -> None:
    """Make the first administrator. One who is there keeps the password, unless `reset`."""
    user, created = User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": True})
    if not created and not reset:
        return
    user.set_password(password)
    user.save(update_fields=["password"])
    user.groups.add(Group.objects.get(name=roles.ADMIN))
    action = "user.create" if created else "user.password"
    record(actor=SYSTEM, action=action, object=f"user {name}", after={"role": roles.ADMIN})


def may_have_another_token(user_id: int) -> bool:
    return AuthToken.objects.filter(user_id=user_id, expiry__gt=timezone.now()).count() < MOST_TOKENS


@transaction.atomic
def make_token(*, actor: Actor, lifetime: timedelta) -> tuple[AuthToken, str] | None:
    """A new API token, its row and its text, which is kept nowhere; None when `actor` has too many already."""
    user = User.objects.select_for_update().get(username=actor.user)
    if not may_have_another_token(user.pk):
        return None
    row, token = AuthToken.objects.create(user=user, expiry=lifetime)
    record(actor=actor, action="token.create", object=f"token {row.token_key}", after={"expiry": str(row.expiry)})
    return row, token


@transaction.atomic
def revoke_token(*, actor: Actor, token_id: str) -> bool:
    """End one of `actor`'s own tokens; False when it is not there."""
    gone, _ = AuthToken.objects.filter(user_id=actor.user_id, token_key=token_id).delete()
    if gone:
        record(actor=actor, action="token.revoke", object=f"token {token_id}")
    return bool(gone)


@transaction.atomic
def end_token(*, row: AuthToken, actor: Actor) -> None:
    """End anybody's token; the trail says whose it was."""
    before = {"user": row.user.get_username(), "expiry": str(row.expiry)}
    record(actor=actor, action="token.revoke", object=f"token {row.token_key}", before=before)
    row.delete()


@transaction.atomic
def forgive(*, attempt: AccessAttempt, actor: Actor) -> None:
    """Forget wrong passwords: the name is no longer locked because of them."""
    before = {"failures": attempt.failures_since_start, "ip": attempt.ip_address}
    record(actor=actor, action="user.unlock", object=f"user {attempt.username}", before=before)
    attempt.delete()
