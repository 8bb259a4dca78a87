"""A daemon that is told to stop ends within its time, though threads of it wait for whom that never answers."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.faults

SETTLE_S = 2.0
SPARE_S = 4.0  # the interpreter ends as well, on a machine that is busy
DAEMON = """
import asyncio, socket, sys, threading
from concurrent.futures import ThreadPoolExecutor
from workers import __main__ as workers, leaving
from workers.lifecycle import Part

def ask(*_):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as asked:
        asked.recv(1)

class Hanging:
    def __init__(self, *_):
        self.pool = ThreadPoolExecutor(2)

    def parts(self):
        return [Part(name="asks", start=self.started, **{sys.argv[2]: getattr(self, sys.argv[3])})]

    async def started(self):
        print("started", flush=True)

    def stopping(self):
        print("stopping", flush=True)

    async def in_the_loops_threads(self):
        print("asks", flush=True)
        await asyncio.to_thread(ask)

    async def in_threads_of_its_own(self):
        print("asks", flush=True)
        await asyncio.get_running_loop().run_in_executor(self.pool, ask)

    async def in_the_loop(self):
        print("asks", flush=True)
        ask()

workers._make = Hanging
leaving.leave(workers.main(["--role", "monitor", "--settle-s", sys.argv[4]]))
"""


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("when", "where", "code"),
    [
        ("run", "in_the_loops_threads", 0),
        ("run", "in_threads_of_its_own", 0),
        ("stop", "in_the_loops_threads", 1),
        ("stop", "in_threads_of_its_own", 1),
        ("stop", "in_the_loop", 1),
    ],
)
def test_a_process_whose_threads_hang_ends_within_its_time(silent: int, when: str, where: str, code: int):
    command = [sys.executable, "-c", DAEMON, str(silent), when, where, str(SETTLE_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            _await(process, "asks\n" if when == "run" else "started\n")
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert process.wait(SETTLE_S + SPARE_S) == code
            assert time.monotonic() - began < SETTLE_S + SPARE_S
        finally:
            process.kill()


def _await(process: "subprocess.Popen[str]", word: str) -> None:
    """Until it has said so; the log goes to the same place."""
    assert process.stdout is not None
    while (line := process.stdout.readline()) != word:
        assert line, "it has ended"
