"""A daemon whose event loop stands tells where, and ends; one that was not let run goes on."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from workers.lifecycle import FAILED

pytestmark = pytest.mark.faults

TELLS_S, ENDS_S = 1.0, 2.5
SPARE_S = 60.0
DAEMON = """
import asyncio, sys, time
from workers import __main__ as workers, watchdog
from workers.lifecycle import Part

watchdog.TELLS_S, watchdog.ENDS_S = float(sys.argv[2]), float(sys.argv[3])

class Standing:
    def __init__(self, *_):
        pass

    def parts(self):
        return [Part(name="stands", run=getattr(self, sys.argv[1]))]

    def stopping(self):
        pass

    async def for_good(self):
        while True:
            pass

    async def on_a_log_that_nobody_reads(self):
        await asyncio.to_thread(print, "standing", flush=True)
        while True:
            sys.stderr.write("x" * 4_096)

    async def for_moments(self):
        for _ in range(12):
            time.sleep(float(sys.argv[2]) / 4)
            await asyncio.sleep(0)
        print("went on", flush=True)
        await asyncio.Event().wait()

    async def while_it_is_stopped(self):
        for part in range(4):
            time.sleep(float(sys.argv[2]) / 4)
            if part == 0:  # by now it was looked for
                print("standing", flush=True)
        await asyncio.sleep(float(sys.argv[2]))
        print("went on", flush=True)
        await asyncio.Event().wait()

workers._make = Standing
sys.exit(workers.main(["--role", "monitor"]))
"""


@contextmanager
def running(how: str, *, log: int = subprocess.STDOUT) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-c", DAEMON, how, str(TELLS_S), str(ENDS_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: "subprocess.Popen[str]", word: str) -> str:
    """The next line with this in it."""
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return line
    raise AssertionError(f"it has ended and never said: {word}")


def test_a_loop_that_stands_is_told_of_with_its_stack_and_ends_the_process():
    with running("for_good") as process:
        first = json.loads(said(process, "the event loop stands"))
        assert first["seconds"] == TELLS_S
        assert "in for_good" in first["stacks"].split("\n\n")[0]
        assert "in _watch" in first["stacks"]
        assert json.loads(said(process, "this process ends"))["seconds"] == ENDS_S
        assert process.wait(SPARE_S) == FAILED


def test_a_log_that_nobody_reads_keeps_no_process_alive():
    with running("on_a_log_that_nobody_reads", log=subprocess.PIPE) as process:
        said(process, "standing")
        assert process.wait(SPARE_S) == FAILED


def test_a_loop_that_stands_for_moments_is_left_alone():
    with running("for_moments") as process:
        assert process.stdout is not None
        heard = [line for line in iter(process.stdout.readline, "went on\n") if "the event loop" in line]
        assert not heard
        assert process.poll() is None


def test_a_process_that_was_not_let_run_goes_on():
    with running("while_it_is_stopped") as process:
        said(process, "standing")
        process.send_signal(signal.SIGSTOP)
        time.sleep(2 * ENDS_S)
        process.send_signal(signal.SIGCONT)
        said(process, "went on")
        process.send_signal(signal.SIGTERM)
        assert process.wait(SPARE_S) == 0
