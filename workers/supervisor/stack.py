"""supervisord with all its processes, as one thing that is started and stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from workers.supervisor.tether import adopt_orphans

TICK_S = 0.1
STOP_S = 13.0  # all stop times of the table together stay below this
LAST_WORDS_S = 1.0  # between SIGTERM and SIGKILL for what outlived supervisord


class Stack:
    """The processes live in a session of their own, so that Ctrl-C reaches them in order and not all at once."""

    def __init__(self, configuration: Path, root: Path) -> None:
        adopt_orphans()  # should supervisord be killed, its processes become ours to stop
        tether = [sys.executable, "-S", "-m", "workers.supervisor.tether", "--"]
        supervisord = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(configuration)]
        self._process = subprocess.Popen([*tether, *supervisord], cwd=root, start_new_session=True)

    def runs(self) -> bool:
        return self._process.poll() is None

    def stop(self, *, hurry: Callable[[], bool], tick: Callable[[], None]) -> None:
        """Stop in order, within 15 s; at once when `hurry()`. Nothing of the stack is left on return."""
        deadline = monotonic() + STOP_S
        if self.runs():
            self._process.terminate()
        while self.runs() and monotonic() < deadline and not hurry():
            tick()
            sleep(TICK_S)
        if self.runs():
            self._process.kill()
            self._process.wait()
        self._sweep()
        tick()

    def _sweep(self) -> None:
        """End what supervisord left behind."""
        _signal(signal.SIGTERM)
        deadline = monotonic() + LAST_WORDS_S
        while _reap() and monotonic() < deadline:
            sleep(TICK_S / 2)
        while _reap():
            _signal(signal.SIGKILL)
            sleep(TICK_S / 2)


def _signal(number: int) -> None:
    for pid in _children():
        os.kill(pid, number)  # not reaped yet, so the number is still this child's


def _reap() -> bool:
    """Collect ended children; False when none is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _children() -> list[int]:
    """Own children, adopted ones too (Linux; elsewhere orphans are not adopted and there is nothing to find)."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(after_name[1]) == os.getpid():
            found.append(int(status.parent.name))
    return found
