"""The gate of an account for all executors, in whatever process: nothing is sent before who looks after it has held it
against its exchange, under the lease that it has now, and before the exchange's time is known.
"""

from django.db.models.functions import Now

from apps.feeds.models import Lease
from apps.trading.execution.ports import CannotWork, Port, Ports
from apps.trading.models import Account


def resource_of(account_id: int) -> str:
    """The lease of an account."""
    return f"account:{account_id}"


def open_account(account_id: int, fence: int) -> None:
    """It is reconciled by the holder of this fence: orders may leave."""
    Account.objects.filter(pk=account_id).update(open_fence=fence)


def is_open(account_id: int) -> bool:
    held = Lease.objects.filter(resource=resource_of(account_id), expires_at__gt=Now(), fence__gt=0)
    return Account.objects.filter(pk=account_id, open_fence__in=held.values("fence")).exists()


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
