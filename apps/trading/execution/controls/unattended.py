"""Accounts with a key that no daemon looks after: a person is called, until one takes them (R20)."""

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.feeds.models import Lease
from apps.trading.execution.gateway.opened import resource_of
from apps.trading.models import Account, AccountMode
from apps.trading.risk.view import Scope
from apps.users.alerts import clear, raise_alert
from apps.users.models import Alert

KIND = "UNATTENDED"
LONG_S = 60.0


def keyed() -> QuerySet[Account]:
    """Those with a key, at exchanges that this deployment reaches."""
    reached = {AccountMode.LIVE, *([AccountMode.TESTNET] if settings.CT_SIMULATOR_URL else [])}
    return Account.objects.filter(active=True, mode__in=reached, key__isnull=False)


def watch() -> int:
    """Call for each that nobody has held for so long, and for no other any more; how many there are. It halts nothing:
    nobody sends for such an account anyway."""
    old = Now() - timedelta(seconds=LONG_S)
    accounts = keyed().filter(key__written_at__lte=old).values_list("pk", flat=True)
    resources = {resource_of(account_id): account_id for account_id in accounts}
    lately = Lease.objects.filter(resource__in=resources, expires_at__gt=old).values_list("resource", flat=True)
    alone = {resources[resource] for resource in resources.keys() - set(lately)}
    called = Alert.objects.filter(kind=KIND, scope=Scope.ACCOUNT, cleared_at=None).values_list("scope_id", flat=True)
    for scope_id in set(called) - {str(account_id) for account_id in alone}:
        clear(kind=KIND, scope=Scope.ACCOUNT, scope_id=scope_id)
    for account_id in sorted(alone):
        raise_alert(
            kind=KIND,
            scope=Scope.ACCOUNT,
            scope_id=str(account_id),
            text=f"account {account_id}: no daemon has looked after it for {LONG_S:.0f} s; none runs that has its key",
            once=True,
            escalates=False,
        )
    return len(alone)
