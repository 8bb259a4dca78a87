"""Rows of limits as they stand, nonsense and all. Written past this system a row may say anything: then no new order
passes, a person is told, and what halts goes on with the defaults (`limits.of_halts`).
"""

from decimal import Decimal, InvalidOperation

from django.db.models import CharField, Q
from django.db.models.functions import Cast

from apps.trading.models import RiskLimit
from apps.trading.risk import limits
from apps.trading.risk.view import Scope
from apps.users import alerts
from apps.users.models import Alert

SENSELESS = "LIMIT"  # an alert; it stops nothing more: orders are refused already


def read(named: Q) -> list[tuple[str, Decimal]]:
    """Name and value of these rows; NaN for what is no number, which SQLite keeps as it is told."""
    rows = RiskLimit.objects.filter(named).annotate(text=Cast("value", CharField(max_length=64)))
    return [(name, _number(text)) for name, text in rows.values_list("name", "text")]


def tell_senseless() -> None:
    """An alert of each row that nobody can reckon with, to those who see its scope; it ends with the row."""
    rows = RiskLimit.objects.annotate(text=Cast("value", CharField(max_length=64)))
    told = rows.values_list("pk", "scope", "scope_id", "name", "text")
    bad = {str(pk): row for pk, *row in told if not limits.makes_sense(row[2], _number(row[3]))}
    for alert in Alert.objects.filter(kind=SENSELESS, cleared_at=None).exclude(subject__in=bad):
        alerts.clear(kind=SENSELESS, scope=alert.scope, scope_id=alert.scope_id, subject=alert.subject)
    for pk, (scope, scope_id, name, text) in bad.items():
        of = (scope, scope_id) if scope in list(Scope) else (Scope.GLOBAL, "")
        said = f"{name[:50]} of {scope} {scope_id}: {text[:40]!r} makes no sense. Orders under it are refused."
        alerts.raise_alert(
            kind=SENSELESS, scope=of[0], scope_id=of[1], subject=pk, text=said, once=True, escalates=False
        )


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")
