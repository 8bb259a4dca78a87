"""One process of a running system, found by what it runs, stopped and started again by signals."""

import os
import signal
from pathlib import Path


class Process:
    words: tuple[bytes, ...] = ()

    def __init__(self, supervisord: Path) -> None:
        self._supervisord = supervisord

    def pause(self) -> None:
        """It keeps its sockets and says nothing: to everybody else it is dead."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def pid(self) -> int:
        parent = self._supervisord.read_text().strip()
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            if all(word in Path(f"/proc/{child}/cmdline").read_bytes() for word in self.words):
                return int(child)
        raise LookupError(f"no process with {self.words}")


class Daemon(Process):
    words = (b"workers", b"--role", b"both")


class Web(Process):
    words = (b"uvicorn", b"ctweb.asgi")
