"""Real supervisord, real processes: they stop in order, and none outlives its supervisor whatever happens to it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from apps.feeds.tests.waiting import await_that
from workers.supervisor.folder import Folder
from workers.supervisor.programs import Program, configuration

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 180

# writes its pid, ends at SIGTERM, and says so
CHILD = """
import os, signal, sys
from pathlib import Path
folder, name = Path(sys.argv[1]), sys.argv[2]
(folder / f"{name}.pid.new").write_text(str(os.getpid()))
(folder / f"{name}.pid.new").rename(folder / f"{name}.pid")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    while True:
        signal.pause()
finally:
    with (folder / "ended").open("a") as file:
        file.write(name + "\\n")
"""

# what workers.supervisor.session does, without the checks, the database and the terminal
FRONT = """
import signal, sys
from pathlib import Path
from time import sleep
from workers.supervisor.session import Signals
from workers.supervisor.stack import Stack
signals = Signals()
signal.signal(signal.SIGTERM, signals.note)
stack = Stack(Path(sys.argv[1]), Path.cwd())
while not signals.count and stack.runs():
    sleep(0.05)
stack.stop(hurry=lambda: signals.count > 1, tick=lambda: None)
"""


def alive(pid: int) -> bool:
    """A zombie has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Run:
    """A front with two processes of different order."""

    def __init__(self, directory: Path) -> None:
        self.folder = Folder(directory)
        self.folder.create()
        script = directory / "child.py"
        script.write_text(CHILD)
        table = [self._program(script, "store", order=1), self._program(script, "reader", order=2)]
        path = self.folder.run / "supervisord.conf"
        path.write_text(configuration(table, self.folder, ROOT))
        self.front = subprocess.Popen([sys.executable, "-c", FRONT, str(path)], cwd=ROOT)
        self.children: list[int] = []
        self.supervisord = self.front.pid

    def started(self) -> None:
        await_that(lambda: all(self.pid_file(name).exists() for name in ("store", "reader")))
        await_that((self.folder.run / "supervisord.pid").exists)
        self.children = [int(self.pid_file(name).read_text()) for name in ("store", "reader")]
        self.supervisord = int((self.folder.run / "supervisord.pid").read_text())

    def _program(self, script: Path, name: str, *, order: int) -> Program:
        command = (sys.executable, str(script), str(self.folder.root), name)
        return Program(name=name, command=command, order=order, stop_s=60)

    def pid_file(self, name: str) -> Path:
        return self.folder.root / f"{name}.pid"

    def nothing_left(self) -> bool:
        return not any(alive(pid) for pid in (*self.children, self.supervisord))

    def close(self) -> None:
        self.front.kill()
        self.front.wait()
        await_that(self.nothing_left)


@pytest.fixture
def stack(tmp_path: Path):
    run = Run(tmp_path / "a folder of 100 %")
    try:
        run.started()
        yield run
    finally:
        run.close()


pytestmark = [pytest.mark.faults, pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part is Linux's")]


def test_a_stop_ends_the_readers_before_the_stores(stack: Run):
    stack.front.terminate()
    assert stack.front.wait(WAIT_S) == 0
    assert (stack.folder.root / "ended").read_text().split() == ["reader", "store"]
    assert stack.nothing_left()


def test_a_process_that_dies_is_started_again(stack: Run):
    stack.pid_file("store").unlink()
    os.kill(stack.children[0], signal.SIGKILL)
    await_that(stack.pid_file("store").exists)
    stack.children[0] = int(stack.pid_file("store").read_text())
    assert alive(stack.children[0])


def test_nothing_outlives_a_killed_supervisord(stack: Run):
    os.kill(stack.supervisord, signal.SIGKILL)
    assert stack.front.wait(WAIT_S) == 0
    assert stack.nothing_left()


def test_nothing_outlives_a_killed_front(stack: Run):
    stack.front.kill()
    await_that(stack.nothing_left)
