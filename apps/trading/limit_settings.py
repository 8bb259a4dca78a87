"""Limits that people set. Stricter at once; beyond what holds now an administrator only, with a reason.

Whoever raises one has just proved who he is: the caller sees to that and says so with `confirmed`. The hard ceilings
of the deployment are beyond everybody. What cannot be done is refused with Django's ValidationError.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet

from apps.feeds.models import Exchange, TradePair
from apps.trading import selectors
from apps.trading.fields import Money
from apps.trading.models import Account, RiskLimit, Trade
from apps.trading.risk import limits
from apps.trading.risk.view import Scope
from apps.users.roles import ADMIN
from apps.users.services import Actor, record

PAIR = "pair"
LEAST_REASON = 10  # characters, where one is asked for
COUNTED: Mapping[str, type[Model]] = {Scope.ACCOUNT: Account, Scope.TRADE: Trade, PAIR: TradePair}  # named by number
LONGEST_ID = 18  # digits


def ceilings() -> Mapping[str, Decimal]:
    """How far each limit may be set in this deployment."""
    most = min(limits.CEILINGS["max_open_account"], Decimal(settings.CT_MAX_OPEN_ORDERS))
    return MappingProxyType({**limits.CEILINGS, "max_open_account": most})


def seen_by(user: Any) -> QuerySet[RiskLimit]:
    """All but those of accounts and TRADE rows that are not there for this person."""
    return RiskLimit.objects.filter(selectors.of_scopes(user=user))


def default(name: str) -> Decimal:
    """What holds where nobody has set it."""
    return Decimal(getattr(limits.Limits(), name))


@transaction.atomic
def set_limit(
    *, scope: str, scope_id: str, name: str, value: Decimal, actor: Actor, reason: str = "", confirmed: bool = False
) -> RiskLimit:
    """Set one limit of one scope. Among all that concern an order the strictest holds."""
    check_scope(scope, scope_id)
    _check_value(name, value)
    row = RiskLimit.objects.select_for_update().filter(scope=scope, scope_id=scope_id, name=name).first()
    if value > _holds(row, name):
        check_raise(actor=actor, reason=reason, confirmed=confirmed)
    before = None if row is None else _state(row)
    values = {"value": value, "by": actor.user, "reason": reason, "at": datetime.now(UTC)}
    row, _ = RiskLimit.objects.update_or_create(scope=scope, scope_id=scope_id, name=name, defaults=values)
    _trace("risk.limit", row, actor, reason, before=before, after=_state(row))
    return row


@transaction.atomic
def remove_limit(*, limit_id: int, actor: Actor, reason: str = "", confirmed: bool = False) -> None:
    """Go back to what holds without this row; where that is more, it is a raise as any other."""
    row = RiskLimit.objects.select_for_update().get(pk=limit_id)
    if rises_without(row):
        check_raise(actor=actor, reason=reason, confirmed=confirmed)
    _trace("risk.limit", row, actor, reason, before=_state(row))
    row.delete()


def rises(*, scope: str, scope_id: str, name: str, value: Decimal) -> bool:
    """Whether `set_limit` would put it up as things are now. Raises what that raises for what cannot be."""
    check_scope(scope, scope_id)
    _check_value(name, value)
    return value > _holds(RiskLimit.objects.filter(scope=scope, scope_id=scope_id, name=name).first(), name)


def rises_without(row: RiskLimit) -> bool:
    """Whether more may be allowed without this row: then what other scopes set of it holds, else the default."""
    if not limits.makes_sense(row.name, row.value):  # it refuses every order
        return True
    others = RiskLimit.objects.filter(name=row.name).exclude(scope=row.scope).values_list("scope", "value")
    held = [(scope, value) for scope, value in others if limits.makes_sense(row.name, value)]
    of_all = [value for scope, value in held if scope == Scope.GLOBAL]  # every order is under it
    return row.value < max(of_all or [default(row.name), *(value for _, value in held)])


def _holds(row: RiskLimit | None, name: str) -> Decimal:
    """What a scope has now: its own limit, else the default, or that of everything where this is more."""
    if row is not None:
        return row.value
    of_all = RiskLimit.objects.filter(scope=Scope.GLOBAL, name=name).first()
    if of_all is None or not limits.makes_sense(name, of_all.value):
        return default(name)
    return max(default(name), of_all.value)


def check_raise(*, actor: Actor, reason: str, confirmed: bool) -> None:
    """Raise why this person may not put a limit up now."""
    errors = {}
    if actor.role != ADMIN:
        errors["value"] = "Only an administrator puts a limit up."
    if len(reason.strip()) < LEAST_REASON:
        errors["reason"] = f"Putting a limit up needs a reason of {LEAST_REASON} characters or more."
    if not confirmed:
        errors["password"] = "Putting a limit up needs your password once more."  # noqa: S105 - a field's name
    if errors:
        raise ValidationError(errors)


def check_scope(scope: str, scope_id: str) -> None:
    """Raise for a scope that is not there."""
    if scope not in {*Scope, PAIR}:
        raise ValidationError({"scope": f"Must be one of {', '.join([*Scope, PAIR])}."})
    if not _is_there(scope, scope_id):
        raise ValidationError({"scope_id": f"There is no such {scope}."})


def _is_there(scope: str, scope_id: str) -> bool:
    if scope == Scope.GLOBAL:
        return scope_id == ""
    if scope == Scope.EXCHANGE:
        return Exchange.objects.filter(code=scope_id).exists()
    canonical = scope_id.isascii() and scope_id.isdigit() and len(scope_id) <= LONGEST_ID and scope_id[0] != "0"
    return canonical and COUNTED[scope]._default_manager.filter(pk=int(scope_id)).exists()


def _check_value(name: str, value: Decimal) -> None:
    try:
        allowed = limits.check(name, value, ceilings())
    except ValueError as error:
        field = "value" if name in limits.CEILINGS else "name"
        raise ValidationError({field: f"{error}."}) from error
    if value > allowed:
        raise ValidationError({"value": f"At most {allowed.normalize():f}: the ceiling of this deployment."})
    if -value.as_tuple().exponent > Money().decimal_places:  # type: ignore[operator]  # it is finite
        raise ValidationError({"value": f"At most {Money().decimal_places} places."})


def _state(row: RiskLimit) -> dict[str, Any]:
    return {"scope": row.scope, "scope_id": row.scope_id, "name": row.name, "value": f"{row.value.normalize():f}"}


def _trace(action: str, row: RiskLimit, actor: Actor, reason: str, **states: Any) -> None:
    record(actor=actor, action=action, object=f"limit {row}", reason=reason, **states)
