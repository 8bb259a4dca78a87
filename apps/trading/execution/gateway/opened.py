"""The gate of an account for all executors, in whatever process: nothing is sent before who looks after it has held it
against its exchange, under the lease that it has now, and before the exchange's time is known.
"""

from django.db import connection

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
    """It is reconciled by the holder of this fence: orders may leave."""
    Account.objects.filter(pk=account_id).update(open_fence=fence)


def is_open(account_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(OPEN[connection.vendor], [account_id, resource_of(account_id)])
        return cursor.fetchone() is not None


class OpenedPorts:
    """Those through which orders may leave; see `ports.Ports`."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def of(self, account_id: int) -> Port:
        if not is_open(account_id):
            raise CannotWork(f"account {account_id} is not reconciled yet, or nobody looks after it")
        port = self._ports.of(account_id)
        if port.clock_error_ms() is None:
            raise CannotWork(f"account {account_id}: this process does not know its exchange's time yet")
        return port
