"""The data folder of an embedded run: who runs on it, the ports it uses, its login."""

import fcntl
import json
import os
import random
import socket
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import IO

from workers.lifecycle import CannotStart

FORMER_S = 15.0
PORTS = ("redis", "history", "simulator")
GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST_PORT, TRIES = 15_000, 50
PRIVATE, OTHERS = 0o700, 0o077  # the mode of the folder; what others may do with nothing in it


@dataclass(frozen=True, slots=True)
class Folder:
    """$CT_DATA_DIR: `run/` holds what lives as long as the processes, `log/` their output."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def login(self) -> Path:
        return self.root / "login.txt"

    @property
    def prepared(self) -> Path:
        """Exists once the database is ready for the processes that use it."""
        return self.run / "prepared"

    def create(self) -> None:
        """For its owner alone, also one from before. Raise CannotStart where files cannot be written."""
        probe = self.run / f"probe.{os.getpid()}"
        try:
            self.root.mkdir(PRIVATE, parents=True, exist_ok=True)
            self._close_to_others()
            for path in (self.run, self.log):
                path.mkdir(parents=True, exist_ok=True)
            self.run.chmod(PRIVATE)
            probe.touch()
            probe.unlink()
        except OSError as error:
            place = error.filename or self.root
            raise CannotStart(
                f"cannot write to {place} ({error.strerror}): CT_DATA_DIR=/other/folder make run"
            ) from None

    def _close_to_others(self) -> None:
        mode = self.root.stat().st_mode
        if mode & stat.S_ISVTX:  # such as /tmp: to close it would take it from everybody
            raise CannotStart(f"{self.root} is everybody's: CT_DATA_DIR={self.root / 'ct'} make run")
        if mode & OTHERS:
            self.root.chmod(PRIVATE)

    def lock(self, held: ExitStack) -> None:
        """Hold the folder until `held` closes. Raise CannotStart when another run holds it."""
        file: IO[str] = held.enter_context((self.run / "lock").open("a+"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip() or "?"
            raise CannotStart(f"already running on {self.root} (process {pid}): stop it with kill {pid}") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()

    def await_former(self) -> None:
        """Wait while the processes of a run that was killed stop in order; they need a few seconds at most."""
        deadline = monotonic() + FORMER_S
        while monotonic() < deadline and _runs(self.run / "supervisord.pid"):
            sleep(0.1)

    def ports(self) -> dict[str, int]:
        """A free port per embedded server: the one it had last time if nobody took it."""
        path = self.run / "ports.json"
        try:
            last = json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            last = {}
        ports = free_ports([last.get(name) for name in PORTS])
        chosen = dict(zip(PORTS, ports, strict=True))
        path.write_text(json.dumps(chosen))
        return chosen


def _runs(pid_file: Path) -> bool:
    """Whether the process that wrote its number lives."""
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (OSError, ValueError):  # no file, nothing in it, no process
        return False
    return True


def check_port(port: int) -> None:
    """Raise CannotStart when the web port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(f"port {port}: {error.strerror}: PORT={_other(port)} make run") from None


def _other(port: int) -> int:
    return port + 1000 if port + 1000 <= 65535 else port - 1000


def free_ports(preferred: list[int | None]) -> list[int]:
    """All are held until the last is found, so that no two are the same."""
    with ExitStack() as held:
        return [_bind(held, wanted) for wanted in preferred]


def _bind(held: ExitStack, wanted: int | None) -> int:
    for port in (*([wanted] if wanted else []), *_never_given(), 0):
        probe = held.enter_context(socket.socket())
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return int(probe.getsockname()[1])
    raise CannotStart("no free port on 127.0.0.1")


def _never_given() -> list[int]:
    """Some below those that connections, and whoever asks for any port, get of the kernel: no server finds it taken."""
    if not GIVEN.exists():
        return []
    ports = range(LOWEST_PORT, int(GIVEN.read_text().split()[0]))
    return random.SystemRandom().sample(ports, min(TRIES, len(ports)))
