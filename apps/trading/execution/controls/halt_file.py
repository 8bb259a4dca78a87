"""The signal file of a host: whoever can write there stops it, even when the database is away.

Each sender looks for it right before a request leaves, see `signal_file.is_halted`. Once the database answers, all
else is stopped as well, as by any other halt: the file being gone releases nothing.
"""

from pathlib import Path

from apps.trading.execution.cancels.cancelling import CANCELS
from apps.trading.execution.gateway.signal_file import is_halted
from apps.trading.halts import halting
from apps.trading.models import RiskState
from apps.trading.risk.view import Scope, ScopeState

ACTOR = halting.control("signal file")


def obey(path: Path) -> int:
    """Halt everything while the file is there; 1 when that was new. To be called every quarter of a second."""
    if not is_halted(path):
        return 0
    halted = RiskState.objects.filter(scope=Scope.GLOBAL, state=ScopeState.HALTED)
    if halted.filter(mode__in=CANCELS).exists():
        return 0
    halting.halt(scope=Scope.GLOBAL, reason=f"the signal file {path.name} of a host is there", actor=ACTOR)
    return 1
