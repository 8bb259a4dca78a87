"""The other end of the zygote: jobs are started, waited for, killed and stopped from here."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Self

from apps.feeds.tests.waiting import await_that
from tests.orders import untraced

PATIENCE_S = 300.0  # of a job that is expected to end: the machine may be busy with others
SMALL_LOG = 4_000


class JobFailed(Exception):
    """The job raised; the text is its traceback."""


class Fork:
    """One job in a process of its own."""

    def __init__(self, folder: Path, number: int, name: str) -> None:
        self._folder = folder
        self._number = number
        self.name = name
        self.pid: int | None = None
        self.status: int | None = None  # negative: the signal that ended it

    def wait(self, seconds: float = PATIENCE_S) -> int:
        """Its exit status."""
        await_that(lambda: self.status is not None, seconds)
        assert self.status is not None
        return self.status

    @property
    def killed(self) -> bool:
        return self.wait() == -signal.SIGKILL

    def result(self, seconds: float = PATIENCE_S) -> Any:
        """What the job returned. Raise JobFailed, also when it was killed."""
        self.wait(seconds)
        path = self._folder / f"{self._number}.json"
        if not path.exists():
            raise JobFailed(f"{self.name} ended with {self.status}: {self.log()}")
        told = json.loads(path.read_text())
        if "error" in told:
            raise JobFailed(f"{self.name}: {told['error']}\n{self.log()}")
        return told["result"]

    def log(self) -> str:
        path = self._folder / f"{self._number}.log"
        return path.read_text(errors="replace")[-SMALL_LOG:] if path.exists() else ""

    def send(self, number: signal.Signals) -> bool:
        """False when it has ended."""
        await_that(lambda: self.pid is not None)
        if self.status is not None or self.pid is None:
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> bool:
        return self.send(signal.SIGKILL)


class Forks:
    """A zygote while entered, and all that it forks."""

    def __init__(self, folder: Path, environment: Mapping[str, str], modules: Sequence[str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._modules = modules
        self._numbers = count(1)
        self._forks: dict[int, Fork] = {}
        self._sending = threading.Lock()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        path = self._folder / "line"
        with socket.socket(socket.AF_UNIX) as door, (self._folder / "zygote.log").open("wb") as log:
            door.bind(str(path))
            door.listen(1)
            door.settimeout(PATIENCE_S)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.orders.zygote", str(path), str(self._folder), *self._modules],
                env={**untraced.environment(), **self._environment},
                stdout=log,
                stderr=log,
            )
            self._line = self._accept(door)
        self._reader = threading.Thread(target=self._read, name="zygote reader")
        self._reader.start()
        return self

    def _accept(self, door: socket.socket) -> socket.socket:
        door.settimeout(1.0)
        while True:
            try:
                return door.accept()[0]
            except TimeoutError:
                if self._process.poll() is not None:
                    raise JobFailed((self._folder / "zygote.log").read_text(errors="replace")) from None

    def __exit__(self, *_: object) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._process.wait(PATIENCE_S)
        self._reader.join()
        self._line.close()

    def start(self, job: Callable[..., Any], environment: Mapping[str, str] | None = None, **arguments: Any) -> Fork:
        """Run a function of a module that the zygote has, with arguments that JSON can carry."""
        number = next(self._numbers)
        name = f"{job.__module__}:{job.__qualname__}"
        fork = self._forks[number] = Fork(self._folder, number, name)
        asked = {"id": number, "job": name, "arguments": arguments, "environment": dict(environment or {})}
        with self._sending:
            self._line.sendall(json.dumps(asked).encode() + b"\n")
        return fork

    def call(self, job: Callable[..., Any], **arguments: Any) -> Any:
        """What the job returns. Raise JobFailed."""
        return self.start(job, **arguments).result()

    def _read(self) -> None:
        with self._line.makefile("rb") as lines:
            for line in lines:
                told = json.loads(line)
                fork = self._forks[told["id"]]
                fork.pid = told.get("pid", fork.pid)
                fork.status = told.get("status", fork.status)
