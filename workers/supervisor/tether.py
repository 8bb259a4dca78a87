"""Run a command that ends with its parent: `python -m workers.supervisor.tether [OPTIONS] -- COMMAND...`.

With `--after FILE` the command starts once FILE exists, with `--nice N` it yields to the others. On Linux the kernel
sends SIGTERM when the parent dies, even by SIGKILL, so that nothing stays behind; elsewhere only an orderly stop ends
the command.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path
from time import sleep

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_S = 0.05


def die_with_parent() -> None:
    """Ask for SIGTERM at the parent's death; the request outlives exec."""
    parent = os.getppid()
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the request
        raise SystemExit(1)


def adopt_orphans() -> None:
    """Become the parent of whatever this process's descendants leave behind."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def main(arguments: list[str]) -> None:
    options, command = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    die_with_parent()
    given = dict(zip(options[::2], options[1::2], strict=True))
    os.nice(int(given.get("--nice", 0)))
    if "--after" in given:
        while not Path(given["--after"]).exists():
            sleep(POLL_S)
    os.execvp(command[0], command)  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main(sys.argv[1:])
