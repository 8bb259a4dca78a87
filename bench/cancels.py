"""`python -m bench.cancels`: how soon a person's cancel is on the wire while the same daemon feeds books.

One daemon of role `both` holds all pairs at the rate; an account of its own has orders that rest, and places new ones
all the time. Measured is from the committed row of a cancel to the first byte of its request. Spread is over the runs.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import django

from bench.fleet import Fleet, TooLate

BUILD, ACCOUNT = "bench", "anna"
PATIENCE_S = 180.0
LOOK_S = 0.002
LEFT_S = 30.0  # a cancel that has not left by then counts as that


class Desk(Fleet):
    """A fleet whose one daemon trades as well, and notes when cancels leave."""

    @property
    def notes(self) -> Path:
        return self.directory / "left"

    def trade(self) -> None:
        self._start("d1", "bench.cancel_daemon", str(self.notes), CT_DAEMON_ID="d1")

    def _environment(self) -> Mapping[str, str]:
        own = {"CT_BUILD_ID": BUILD, "CT_ID_KEY": "k" * 40, "CT_EMBEDDED": "1", "CT_CANCEL_ON_STOP": "no"}
        ring = self.directory / "keys" / "seal.private"
        return {**super()._environment(), **own, "CT_SEAL_PRIVATE_KEYS_FILE": str(ring)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cancels", description=__doc__)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--rate", type=int, default=5000, help="book messages a second, all pairs together")
    parser.add_argument("--cancels", type=int, default=100, help="of one run")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ct-bench-") as directory, Desk(Path(directory)) as desk:
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
    results: dict[str, list[float]] = {}
    for run in range(options.runs):
        sent, began = messages(desk), time.monotonic()
        late_ms = one_run(desk, jobs, account_id, options.cancels, run)
        rate = (messages(desk) - sent) / (time.monotonic() - began)
        for name, value in (
            ("book messages from the simulator [1/s]", rate),
            ("cancel committed -> bytes of its request, p50 [ms]", quantile(late_ms, 50)),
            ("cancel committed -> bytes of its request, p99 [ms]", quantile(late_ms, 99)),
            ("cancel committed -> bytes of its request, the latest [ms]", max(late_ms)),
        ):
            results.setdefault(name, []).append(value)
    for name, values in results.items():
        print(
            f"{name:<62}{statistics.median(values):9.1f}   ({min(values):.1f} - {max(values):.1f}, {options.runs} runs)"
        )


def one_run(desk: Desk, jobs: Any, account_id: int, cancels: int, run: int) -> list[float]:
    late_ms = []
    for number in range(cancels):
        jobs.want(account_id, f"{run} {number}", number)
        desk.wait("an order", lambda: jobs.resting(account_id), PATIENCE_S)
        order = jobs.resting(account_id)
        jobs.want(account_id, f"{run} {number} beside it", number + 1)  # is placed while the other is cancelled
        before, committed_ns = len(lines(desk)), jobs.cancel(order)
        left = await_line(desk, before)
        late_ms.append(LEFT_S * 1000 if left is None else max(0.0, (left - committed_ns) / 1e6))
    return late_ms


def await_line(desk: Desk, before: int) -> int | None:
    for _ in range(round(LEFT_S / LOOK_S)):
        if len(found := lines(desk)) > before:
            return int(found[before])
        time.sleep(LOOK_S)
    return None


def lines(desk: Desk) -> list[str]:
    return desk.notes.read_text().splitlines() if desk.notes.exists() else []


def messages(desk: Desk) -> int:
    return sum(entry["sent"] for entry in desk.simulator("log") if entry["kind"] == "book")


def quantile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else float("nan")


if __name__ == "__main__":
    main()
