"""Since when nobody knows what happens on an account: neither pushes nor sweeps tell. A person is called (R20)."""

from collections.abc import Callable

from django.db import close_old_connections

from apps.trading.risk.view import Scope
from apps.users.alerts import raise_alert

LONG_S = 60.0


class Silence:
    """Belongs to the event loop, but for `call`, which writes."""

    def __init__(self, account_id: int, clock: Callable[[], float], long_s: float = LONG_S) -> None:
        self._account_id = account_id
        self._clock = clock
        self._long_s = long_s
        self._heard_s = clock()
        self._called = False

    def end(self) -> None:
        """Up to now everything is known."""
        self._heard_s, self._called = self._clock(), False

    def is_due(self) -> bool:
        """Whether it has lasted so long, and nobody was called for it."""
        return not self._called and self._clock() - self._heard_s > self._long_s

    def call(self) -> None:
        raise_alert(
            kind="GAP",
            scope=Scope.ACCOUNT,
            scope_id=str(self._account_id),
            text=f"account {self._account_id}: its exchange has told nothing for more than {self._long_s:.0f} s",
        )
        self._called = True


def call_for_key(account_id: int, code: str) -> None:
    """The exchange refuses it. Without its text, which may repeat the key: alerts leave the system."""
    close_old_connections()
    raise_alert(
        kind="KEY_REFUSED",
        scope=Scope.ACCOUNT,
        scope_id=str(account_id),
        text=f"the exchange refuses the account's key: {code}",
    )
