"""The ways of this daemon to its accounts: paper matchers of its own, and the exchanges."""

from collections.abc import Callable, Mapping

from apps.trading.execution.gateway.ports import CannotWork, Port, Ports
from workers.paper.port import PaperPort


class DaemonPorts:
    """See `apps.trading.execution.gateway.ports.Ports`. Threads may share it."""

    def __init__(self, paper: Mapping[int, PaperPort], remote: Ports) -> None:
        """`paper` is the live mapping of the accounts that are matched here."""
        self._paper = paper
        self._remote = remote

    def of(self, account_id: int) -> Port:
        return self._paper.get(account_id) or self._remote.of(account_id)


class OpenPorts:
    """Those through which orders may leave: of accounts that were reconciled, while nobody has told us to stop."""

    def __init__(self, ports: Ports, *, is_open: Callable[[int], bool]) -> None:
        self._ports = ports
        self._is_open = is_open

    def of(self, account_id: int) -> Port:
        if not self._is_open(account_id):
            raise CannotWork(f"account {account_id} is not reconciled by this process")
        return self._ports.of(account_id)
