"""`python -m bench.cancels`: how soon a person's cancel is on the wire while the same daemon feeds books.

One daemon of role `both` holds all pairs at the rate, on a MariaDB of its own; an account has orders that rest. Each
cancel is wished for right after a new order of the same account, which the daemon places meanwhile. Measured is from
the committed row of a cancel to the first byte of its request, and what of that was waited for where. The machine's
load, what the feed was given and the daemon's CPU belong to the figures: all share the cores with simulator, database
and whatever else runs.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django

from bench.cancel_daemon import STEPS
from bench.fleet import Fleet, TooLate
from bench.stores import Server, has_server

BUILD, ACCOUNT = "bench", "anna"
PATIENCE_S = 180.0
LOOK_S = 0.005
LEFT_S = 30.0  # a cancel that has not left by then counts as that
REST = 20  # orders that rest at a time
EVERY_S = 0.1  # from one cancel to the next wish
LEAST = 100  # cancels of a run: fewer have no p99


class Desk(Fleet):
    """A fleet whose one daemon trades as well, and notes when cancels leave."""

    @property
    def notes(self) -> Path:
        return self.directory / "left"

    def trade(self) -> None:
        self._start("d1", "bench.cancel_daemon", str(self.notes), CT_DAEMON_ID="d1")

    def cpu_s(self) -> float:
        """What the daemon has used since it began, all its threads together."""
        fields = Path(f"/proc/{self._running[-1].pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _environment(self) -> Mapping[str, str]:
        own = {"CT_BUILD_ID": BUILD, "CT_ID_KEY": "k" * 40, "CT_EMBEDDED": "1", "CT_CANCEL_ON_STOP": "no"}
        ring = self.directory / "keys" / "seal.private"
        return {**super()._environment(), **own, "CT_SEAL_PRIVATE_KEYS_FILE": str(ring)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cancels", description=__doc__)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--rate", type=int, default=5000, help="book messages a second, all pairs together")
    parser.add_argument("--cancels", type=int, default=LEAST, help="of one run")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if not has_server():
        sys.exit("no MariaDB on this machine, nothing is measured")
    if options.cancels < LEAST:
        parser.error(f"fewer than {LEAST} cancels have no p99")
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="ct-bench-")))
        desk = held.enter_context(Desk(folder, held.enter_context(Server(folder / "mariadb"))))
        desk.prepare()
        os.environ.update(desk._environment())
        django.setup()
        from bench import cancel_jobs  # knows Django

        try:
            measure(desk, cancel_jobs, options)
        except TooLate as late:
            sys.exit(f"{late}\n{desk.log('d1')[-3000:]}")


def measure(desk: Desk, jobs: Any, options: argparse.Namespace) -> None:
    desk.watch(options.pairs, depth=20)
    desk.begin(rate=float(options.rate))
    account_id = jobs.prepare(desk, BUILD, ACCOUNT)
    desk.trade()
    desk.wait("the account", lambda: jobs.is_open(account_id), PATIENCE_S)
    desk.wait("the books", lambda: len([1 for b in desk.books() if b["state"] == "LIVE"]) >= options.pairs, PATIENCE_S)
    person = Person(desk, jobs, account_id)
    for number in range(options.runs):
        received, used_s, began = messages(desk), desk.cpu_s(), time.monotonic()
        cancels = [person.cancel() for _ in range(options.cancels)]
        lasted_s = time.monotonic() - began
        rate, used = (messages(desk) - received) / lasted_s, (desk.cpu_s() - used_s) / lasted_s
        loads = ", ".join(f"{load:.1f}" for load in os.getloadavg()[:2])
        print(
            f"run {number + 1}: {len(cancels)} cancels in {lasted_s:.0f} s; load of the machine {loads} (1 min, 5 min)"
        )
        print(
            f"  book messages to the feed {rate:.0f}/s; CPU of the daemon {used:.0%}; placed beside: {person.placed()}"
        )
        told("cancel committed -> first byte of its request", [each["left"] - each["wished"] for each in cancels])
        for before, step in zip(["wished", *STEPS], STEPS, strict=False):
            told(f"  {STEPS[step]}", [max(0, each[step] - each[before]) for each in cancels if step in each])


class Person:
    """Wants orders, and cancels the oldest each time."""

    def __init__(self, desk: Desk, jobs: Any, account_id: int) -> None:
        self._desk, self._jobs, self._account_id = desk, jobs, account_id
        self._wanted: list[int] = []
        self._number = 0

    def cancel(self) -> dict[str, int]:
        """When its steps were done, in nanoseconds; `wished`: the wish was committed."""
        time.sleep(EVERY_S)
        while len(rows := self._jobs.resting(self._account_id)) < REST:
            time.sleep(EVERY_S)  # a lane that is paused refuses at once
            self._want()
            self._desk.wait("orders", lambda: not self._jobs.is_working(self._account_id), PATIENCE_S)
        self._want()
        wished = self._jobs.cancel(rows[0])
        return {"wished": wished, "left": wished + round(LEFT_S * 1e9), **self._await_note(rows[0].pk)}

    def placed(self) -> dict[str, int]:
        """What came of the orders since this was asked before."""
        wanted, self._wanted = self._wanted, []
        return dict(self._jobs.came_to(wanted))

    def _want(self) -> None:
        self._number += 1
        if (intent := self._jobs.want(self._account_id, self._number)) is not None:
            self._wanted.append(intent)

    def _await_note(self, order_id: int) -> dict[str, int]:
        for _ in range(round(LEFT_S / LOOK_S)):
            for note in map(json.loads, lines(self._desk)):
                if note["order"] == order_id:
                    return {step: note[step] for step in STEPS}
            time.sleep(LOOK_S)
        return {}


def lines(desk: Desk) -> list[str]:
    """Whole ones, of the cancels that left last."""
    return desk.notes.read_text().split("\n")[:-1][-REST:] if desk.notes.exists() else []


def messages(desk: Desk) -> int:
    return sum(entry["sent"] for entry in desk.simulator("log") if entry["kind"] == "book")


def told(name: str, nanoseconds: list[int]) -> None:
    ms = [each / 1e6 for each in nanoseconds]
    p50, p99 = (statistics.quantiles(ms, n=100, method="inclusive")[percent - 1] for percent in (50, 99))
    print(f"  {name:<58} p50 {p50:7.1f}   p99 {p99:7.1f}   the latest {max(ms):7.1f} ms", flush=True)


if __name__ == "__main__":
    main()
