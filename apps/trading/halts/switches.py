"""What people allow of the whole deployment: which build sends orders, and whether any of them may cost real money."""

from django.db import transaction
from django.db.models.functions import Now

from apps.trading.models import TradingSwitch
from apps.users.alerts import require_person
from apps.users.services import Actor, record

OBJECT = "trading switch"


@transaction.atomic
def allow_build(*, build: str, actor: Actor, reason: str = "") -> TradingSwitch:
    """Executors of this build send from now on, all others do not; empty: none does."""
    row = _lock()
    before, row.allowed_build = row.allowed_build, build
    if before != build:
        _write(row, "trading.build", {"build": before}, {"build": build}, actor, reason)
    return row


@transaction.atomic
def allow_live(*, allowed: bool, actor: Actor, reason: str) -> TradingSwitch:
    """Let live accounts trade, or none of them. Only a person turns it on: raises NotAPerson."""
    if allowed:
        require_person(actor)
    row = _lock()
    before, row.live_allowed = row.live_allowed, allowed
    if before != allowed:
        _write(row, "trading.live", {"live": before}, {"live": allowed}, actor, reason)
    return row


def _lock() -> TradingSwitch:
    TradingSwitch.objects.bulk_create([TradingSwitch(pk=1)], ignore_conflicts=True)
    return TradingSwitch.objects.select_for_update().get(pk=1)


def _write(
    row: TradingSwitch, action: str, before: dict[str, object], after: dict[str, object], actor: Actor, reason: str
) -> None:
    row.by, row.at = actor.user, Now()
    row.save()
    record(actor=actor, action=action, object=OBJECT, before=before, after=after, reason=reason)
    row.refresh_from_db()
