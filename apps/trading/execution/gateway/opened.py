"""The gate of an account for all executors, in whatever process: nothing is sent before who looks after it has held it
against its exchange, under the lease that it has now, and before the exchange's time is known.
"""

from collections.abc import Mapping

from django.db import connection
from django.db.models import Exists
from django.db.models.functions import Now

from apps.feeds.leases import NOBODY
from apps.feeds.models import Lease
from apps.trading.execution.gateway.ports import CannotWork, Port, Ports
from apps.trading.execution.pretrade.guards import CLOCK
from apps.trading.models import Account

OPEN = {
    vendor: "SELECT 1 FROM account a JOIN lease l ON l.fence = a.open_fence AND l.fence > 0"  # noqa: S608 (no value is in it)
    f" WHERE a.id = %s AND l.resource = %s AND l.expires_at > {clock}"
    for vendor, clock in CLOCK.items()
}


def resource_of(account_id: int) -> str:
    """The lease of an account."""
    return f"account:{account_id}"


def open_account(account_id: int, fence: int) -> None:
    """It is reconciled by the holder of this fence: orders may leave, unless somebody else has it by now."""
    held = Lease.objects.filter(resource=resource_of(account_id), fence=fence)
    Account.objects.filter(Exists(held), pk=account_id).update(open_fence=fence)


def close_accounts(fences: Mapping[int, int]) -> None:
    """Whoever holds these accounts under these fences stops: no order of theirs is begun until the next one opens
    them, and those that were are committed. Those that others hold by now stay as they are."""
    for account_id, fence in fences.items():
        Account.objects.filter(pk=account_id, open_fence=fence).update(open_fence=None)


def is_open(account_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(OPEN[connection.vendor], [account_id, resource_of(account_id)])
        return cursor.fetchone() is not None


def begin_anew(account_id: int) -> None:
    """Whoever looks after it lets it go, and the next one reconciles it under another fence."""
    Lease.objects.filter(resource=resource_of(account_id)).update(holder=NOBODY, expires_at=Now())


class OpenedPorts:
    """Those through which orders may leave; see `ports.Ports`. A first look: what counts is that of T1."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def of(self, account_id: int) -> Port:
        if not is_open(account_id):
            raise CannotWork(f"account {account_id} is not reconciled yet, or nobody looks after it")
        port = self._ports.of(account_id)
        if port.clock_error_ms() is None:
            raise CannotWork(f"account {account_id}: this process does not know its exchange's time yet")
        return port
