"""One run in front of the terminal: from the first process to the last."""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import repeat
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from django.conf import settings

from workers.lifecycle import CannotStart
from workers.supervisor.banner import banner
from workers.supervisor.crashes import Crashes
from workers.supervisor.folder import Folder
from workers.supervisor.preparation import Preparation
from workers.supervisor.stack import TICK_S, Stack
from workers.supervisor.tail import Tail

TICKS_BETWEEN_LOOKS = 3
UNEXPECTED = re.compile(r"not expected|gave up|killing|CRIT")  # of supervisord's log; its file has all


@dataclass(slots=True)
class Signals:
    """How often a stop was asked for: once is in order, twice is at once."""

    count: int = 0

    def note(self, _number: int, _frame: object) -> None:
        self.count += 1


class Session:
    """Shows the logs of all processes while they run."""

    def __init__(self, folder: Folder, root: Path, *, embedded: set[str]) -> None:
        self._folder = folder
        self._root = root
        self._embedded = embedded
        self._started = monotonic()
        self._tail = Tail(folder.log)
        self._crashes = Crashes()
        self._failed: list[str] = []

    def run(self, configuration: Path, signals: Signals) -> None:
        """Return after a signal, with every process ended. Raise CannotStart when one does not get to its feet."""
        _say("starting; Ctrl-C stops")
        stack = Stack(configuration, self._root)
        preparation = Preparation(self._folder, self._root)
        try:
            for greeted in self._greet(preparation):
                self._show()
                if signals.count:
                    return
                if self._failed and not greeted:
                    raise CannotStart(self._failed[0])
                if not stack.runs():
                    raise CannotStart(f"supervisord ended: see {self._folder.log / 'supervisor.log'}")
                sleep(TICK_S)
        finally:
            preparation.cancel()
            _say("stopping")
            stack.stop(hurry=lambda: signals.count > 1, tick=self._show)
            _say("stopped")

    def _greet(self, preparation: Preparation) -> Iterator[bool]:
        """Say what can be used as soon as it can be, then go on for ever; yields whether a book has been LIVE.

        Until then nothing may fail for good; after that the other processes are of use without the one that did.
        """
        while not preparation.advance():
            yield False
        while (status := self._status()) is None:
            yield False
        _say(banner(self._folder, embedded=self._embedded, status=status))
        while not (status := self._status() or status)["books"]["live"]:
            yield from repeat(False, TICKS_BETWEEN_LOOKS)
        pairs = sum(status["books"].values())
        _say(f"first LIVE book {monotonic() - self._started:.1f} s after the start, {pairs} pairs watched")
        yield from repeat(True)

    def _status(self) -> dict[str, Any] | None:
        """What the page answers at /status, None while it does not."""
        connection = HTTPConnection("127.0.0.1", settings.PORT, timeout=2)
        try:
            connection.request("GET", "/status")
            answer = connection.getresponse()
            return json.loads(answer.read()) if answer.status == 200 else None
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def _show(self) -> None:
        for name, line in self._tail.lines():
            if name != "supervisor":
                _say(f"{name:<10} {line}")
            elif UNEXPECTED.search(line):
                _say(f"{name:<10} {line.partition(' ')[2]}")
            if name == "supervisor" and (hopeless := self._crashes.note(line, monotonic())):
                self._failed.append(f"{hopeless} does not stay up: see {self._folder.log}/{hopeless}.log")
                _say(self._failed[-1])


def _say(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError:  # the terminal is gone: the logs are in their files, and the stop still has to be an orderly one
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of the process
