"""`python -m tests.orders.zygote SOCKET FOLDER MODULE...`: Django loaded once, then forked for whoever is asked for.

A line of JSON on the socket asks for a job; it is answered with the fork's pid at once and with its status at its end.
What a job returns, or its traceback, stands in FOLDER/<id>.json. Without anybody at the socket the zygote kills what it
forked and ends.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOOK_S = 0.02


def main() -> int:
    path, folder, *modules = sys.argv[1:]
    import django

    django.setup()
    for name in modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # forks share these pages
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        Zygote(line, Path(folder)).serve()
    return 0


class Zygote:
    def __init__(self, line: socket.socket, folder: Path) -> None:
        self._line = line
        self._folder = folder
        self._forks: dict[int, int] = {}  # pid -> id

    def serve(self) -> None:
        rest = b""
        while True:
            readable, _, _ = select.select([self._line], [], [], LOOK_S if self._forks else None)
            self._reap()
            if not readable:
                continue
            received = self._line.recv(1 << 16)
            if not received:
                break
            *lines, rest = (rest + received).split(b"\n")
            for text in lines:
                self._fork(json.loads(text))
        for pid in self._forks:
            os.kill(pid, signal.SIGKILL)

    def _fork(self, asked: dict[str, Any]) -> None:
        pid = os.fork()
        if not pid:
            self._line.close()
            os._exit(run(asked, self._folder))
        self._forks[pid] = asked["id"]
        self._tell({"id": asked["id"], "pid": pid})

    def _reap(self) -> None:
        while self._forks:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._tell({"id": self._forks.pop(pid), "status": os.waitstatus_to_exitcode(status)})

    def _tell(self, what: dict[str, Any]) -> None:
        self._line.sendall(json.dumps(what).encode() + b"\n")


def run(asked: dict[str, Any], folder: Path) -> int:
    """In the fork: the exit status."""
    os.environ.update(asked["environment"])
    with (folder / f"{asked['id']}.log").open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    try:
        told, status = {"result": _function(asked["job"])(**asked["arguments"])}, 0
    except BaseException:  # noqa: BLE001 (whoever asked is told)
        told, status = {"error": traceback.format_exc()}, 1
    draft = folder / f"{asked['id']}.draft"
    draft.write_text(json.dumps(told))
    draft.replace(folder / f"{asked['id']}.json")
    return status


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    sys.exit(main())
