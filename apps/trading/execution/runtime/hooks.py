"""Where a process can be made to die: the kill points K1 to K16 of the fault tests. Nothing of it works in a system
that runs: `CT_TEST_HOOKS` must be set, and the checks of a deployment refuse that.

CT_KILL_AT    the point, `K7`
CT_KILL_SKIP  how often it is passed before (0)
CT_KILL_HOW   kill (the default), stop (until somebody sends SIGCONT) or hang (this thread alone, for ever)

K1   before the commit of T0                     K9   in T2, before its commit
K2   after it, before the hint                   K10  after T2, before anybody is told that the lane was worked
K3   the hint is sent, nobody has it             K11  after that, before the event is published
K4   in T1, before its commit                    K12  a fill was read, nothing of it is written
K5   after T1, before the connection             K13  the fill is written, how far the sweep came is not
K6   half of the request is written              K14  a cancel is committed as sent
K7   the request is sent, no answer read         K15  the cancel is sent
K8   the answer is read, before T2               K16  the resolver has asked, nothing of it is written
"""

import os
import signal
import threading
from collections import Counter

from django.conf import settings

POINTS = frozenset(f"K{number}" for number in range(1, 17))

_passed: Counter[str] = Counter()
_counting = threading.Lock()


def at(point: str) -> None:
    """This process has come to `point`. The environment is read each time: a fork may have its own."""
    if not settings.CT_TEST_HOOKS:
        return
    if point not in POINTS:
        raise ValueError(f"no kill point is called {point}")
    if os.environ.get("CT_KILL_AT") == point and _is_due(point):
        _end(os.environ.get("CT_KILL_HOW", "kill"))


def _is_due(point: str) -> bool:
    """Once, after so many passes."""
    with _counting:
        _passed[point] += 1
        return _passed[point] == int(os.environ.get("CT_KILL_SKIP", "0")) + 1


def _end(how: str) -> None:
    if how == "hang":
        threading.Event().wait()
    # to this very thread: a signal to the process may reach another one first, and this one would go on for a moment
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)
