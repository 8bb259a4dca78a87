"""Orders whose fate nobody could prove for too long: a person is called. Looks at them go on."""

from datetime import timedelta

from django.db.models.functions import Coalesce, Now

from apps.feeds.errors import FeedError
from apps.feeds.orders import OrderStatus
from apps.trading.execution.runtime.transactions import change_free
from apps.trading.models import Order
from apps.trading.risk.view import Scope
from apps.users.alerts import raise_alert

UNRESOLVED = (OrderStatus.PENDING, OrderStatus.UNKNOWN)
ALERT_S, QUARANTINE_S = 60.0, 900.0


def watch_old() -> int:
    """Call for what is old, and again when it is put apart; how many were put apart now."""
    old = Order.objects.filter(status__in=UNRESOLVED, intent__isnull=False, quarantined_at=None)
    old = old.annotate(since=Coalesce("unknown_at", "created_at"))
    for row in old.filter(since__lte=Now() - timedelta(seconds=ALERT_S)):
        _alert(row, "UNKNOWN", f"order {row} has been {row.status} for more than {ALERT_S:.0f} s")
    late = list(old.filter(since__lte=Now() - timedelta(seconds=QUARANTINE_S)))
    for row in late:
        _alert(row, "QUARANTINE", f"nothing proves what became of order {row}: look at the exchange")
        change_free(Order.objects.filter(pk=row.pk, status__in=UNRESOLVED), quarantined_at=Now())
    return len(late)


def call_for(row: Order, error: FeedError) -> None:
    """For an order that its exchange does not tell of, and will not until somebody does something about it."""
    _alert(row, "UNKNOWN", f"order {row} of {row.pair.symbol} is {row.status}, and cannot be asked for: {error}")


def _alert(row: Order, kind: str, text: str) -> None:
    raise_alert(kind=kind, text=text, scope=Scope.ACCOUNT, scope_id=str(row.account_id), subject=str(row), once=True)
