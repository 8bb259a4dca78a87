"""The kill switch and its milder forms: one row per scope, which the transaction that commits an order reads.

Its commit is the cut-off: no order is committed afterwards, and what is in flight ends with its own expiry. The rest,
cancels and closing orders, is carried out by the executors, see `execution.cancelling`, from that row alone. Controls
stop; only a person sets going again.
"""

from django.db.models.functions import Now

from apps.trading.bookkeeping import comparing
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.halts import scopes
from apps.trading.halts.report import report as report
from apps.trading.models import Account, HaltMode, RiskState
from apps.trading.risk.view import DenyReason, Scope, ScopeState
from apps.users.alerts import ack_scope, raise_alert, require_person
from apps.users.services import Actor, record

SEVERITY = {state: rank for rank, state in enumerate((ScopeState.ACTIVE, ScopeState.REDUCING, ScopeState.HALTED))}
REACH = {mode: rank for rank, mode in enumerate((HaltMode.STOP, HaltMode.CANCEL, HaltMode.FLATTEN))}
ALERTS = {ScopeState.REDUCING: "REDUCING", ScopeState.HALTED: "HALTED"}
KEPT = ("state", "mode", "reason", "by")


class NoSuchScope(ValueError):
    """There is nothing of that name to stop."""


class NeedsConfirmation(ValueError):
    """To close everything that is held, somebody has to say so a second time; nothing was changed."""


class NeedsReason(ValueError):
    """What is set going again without a reason stops again without anybody learning; nothing was changed."""


def control(name: str) -> Actor:
    """A risk control, or another part of the system, that stops something by itself."""
    return Actor(user=name[:150])


def halt(
    *,
    scope: Scope,
    scope_id: str = "",
    reason: str,
    actor: Actor,
    mode: HaltMode = HaltMode.CANCEL,
    confirmed: bool = False,
) -> RiskState:
    """Stop everything that could become an order, at once. A halt that is there is never made milder.

    Raises NeedsConfirmation for FLATTEN by anybody but a person who has confirmed it, NoSuchScope.
    """
    if mode is HaltMode.FLATTEN and (actor.user_id is None or not confirmed):
        raise NeedsConfirmation("closing all positions needs a person's second confirmation")
    return _stop(scope, scope_id, ScopeState.HALTED, mode, reason, actor)


def reduce(*, scope: Scope, scope_id: str = "", reason: str, actor: Actor) -> RiskState:
    """Let through only what makes positions smaller. Raises NoSuchScope."""
    return _stop(scope, scope_id, ScopeState.REDUCING, None, reason, actor)


@in_transaction
def resume(*, scope: Scope, scope_id: str = "", reason: str, actor: Actor) -> RiskState:
    """A person sets one scope going again and has seen its alerts; the scopes around it stay as they are.

    Raises NotAPerson, NeedsReason, NoSuchScope.
    """
    require_person(actor)
    if not reason.strip():
        raise NeedsReason("say why it may go on")
    row = _lock(scope, scope_id)
    before = _shown(row)
    if scope is Scope.ACCOUNT and row.reason.startswith(DenyReason.MISMATCH):
        comparing.accept(int(scope_id))  # the person has looked: from now on what the exchange tells is what is there
    row.state, row.mode, row.reason, row.by = ScopeState.ACTIVE, None, reason[:500], actor.user
    row.at = row.resumed_at = Now()
    row.save()
    if scope is Scope.ACCOUNT:
        Account.objects.filter(pk=scope_id).update(dead_man_fired_at=None)
    ack_scope(scope=scope, scope_id=scope_id, actor=actor)
    record(
        actor=actor,
        action="risk.resume",
        object=scopes.name_of(scope, scope_id),
        before=before,
        after=_shown(row),
        reason=reason,
    )
    row.refresh_from_db()
    return row


@in_transaction
def _stop(
    scope: Scope, scope_id: str, state: ScopeState, mode: HaltMode | None, reason: str, actor: Actor
) -> RiskState:
    row = _lock(scope, scope_id)
    before = _shown(row)
    have = HaltMode(row.mode) if row.mode else None
    if SEVERITY[ScopeState(row.state)] > SEVERITY[state]:
        return row
    if row.state == state and (mode is None or (have is not None and REACH[have] >= REACH[mode])):
        return row
    why = f"{row.reason}; {reason}".strip("; ") if row.state == state else reason  # what a release accepts
    row.state, row.mode, row.reason, row.by, row.at = state, mode, why[:500], actor.user, Now()
    row.save()
    raise_alert(kind=ALERTS[state], scope=scope, scope_id=scope_id, text=f"{scopes.name_of(scope, scope_id)}: {reason}")
    action = "risk.halt" if state is ScopeState.HALTED else "risk.reduce"
    record(
        actor=actor,
        action=action,
        object=scopes.name_of(scope, scope_id),
        before=before,
        after=_shown(row),
        reason=reason,
    )
    row.refresh_from_db()
    return row


def _lock(scope: Scope, scope_id: str) -> RiskState:
    """The scope's row, locked; made where it is missing, which denied everything as well."""
    rows = RiskState.objects.select_for_update()
    row = rows.filter(scope=scope, scope_id=scope_id).first()
    if row is not None:
        return row
    if not scopes.exists(scope, scope_id):
        raise NoSuchScope(f"there is no {scopes.name_of(scope, scope_id)}")
    missing = RiskState(scope=scope, scope_id=scope_id, state=ScopeState.HALTED, mode=HaltMode.STOP)
    RiskState.objects.bulk_create([missing], ignore_conflicts=True)
    return rows.get(scope=scope, scope_id=scope_id)


def _shown(row: RiskState) -> dict[str, str | None]:
    return {name: getattr(row, name) for name in KEPT}
