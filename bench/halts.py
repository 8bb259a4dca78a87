"""`python -m bench.halts`: from the one button until 504 orders at seven exchanges are cancelled, and known to be.

By a daemon's cancels, looks and private sockets, within the budgets that the drivers name. Spread is over the runs.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import django

EXCHANGES = ("binance", "bybit", "okx", "kucoin", "coinex", "htx", "mexc")
ACCOUNTS, ORDERS = 12, 6  # of each exchange, of each account
PATIENCE_S = 300.0
LOOK_S = 0.1
SETTLE_S = 15.0  # sockets open, and what placing has used up of the limits comes back


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.halts", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctweb.settings"
    import tests.environment  # noqa: F401 (a data folder of its own, and no settings of the developer)

    django.setup()
    from tests.orders.rig import Rig, database_of

    modules = ("tests.orders.lives", "tests.orders.halts", "tests.orders.listeners", "bench.halt_jobs")
    with tempfile.TemporaryDirectory(prefix="ct-bench-") as directory:
        folder = Path(directory)
        with Rig(folder / "rig", database_of(folder), modules) as rig:
            seconds = [one_run(rig) for _ in range(options.runs)]
    number = ACCOUNTS * ORDERS * len(EXCHANGES)
    print(
        f"{number} orders at {len(EXCHANGES)} exchanges, HALT committed -> all confirmed: "
        f"{statistics.median(seconds):.1f} s   ({min(seconds):.1f} - {max(seconds):.1f}, {options.runs} runs)"
    )


def one_run(rig: Any) -> float:
    from bench import halt_jobs
    from tests.orders import halts
    from tests.orders.test_halt import open_ones, resting

    cells = [cell for exchange in EXCHANGES for cell in resting(rig, rig.accounts(ACCOUNTS, exchange), ORDERS)]
    numbers, names = sorted({cell["account"] for cell in cells}), {cell["name"] for cell in cells}
    rig.forks.call(halts.want, cells=cells, every_s=0.0)
    placing = rig.forks.start(halts.work, accounts=numbers, seconds=PATIENCE_S)
    wait(lambda: len(open_ones(rig, names)) == len(cells), lambda: f"{len(open_ones(rig, names))} orders rest")
    wait(lambda: not rig.forks.call(halts.undecided, accounts=numbers), lambda: "orders are in doubt")
    placing.kill()
    worker = rig.forks.start(
        halt_jobs.stop_all, cells=list({cell["account"]: cell for cell in cells}.values()), seconds=PATIENCE_S
    )
    time.sleep(SETTLE_S)
    try:
        before, began = rig.exchanges.get("_sim/state"), time.monotonic()
        rig.forks.call(halts.halt_all, reason="a measurement")
        wait(
            lambda: not rig.forks.call(halts.working_still, accounts=numbers),
            lambda: f"still working: {rig.forks.call(halts.working_still, accounts=numbers)[:5]} {worker.log()}",
        )
        took_s, after = time.monotonic() - began, rig.exchanges.get("_sim/state")
        asked = {name: after["asked"][name]["rest"] - before["asked"][name]["rest"] for name in EXCHANGES}
        print(
            f"requests: {asked}; limits broken: {after['breaches']}, before the halt {before['breaches']}", flush=True
        )
        return took_s
    finally:
        rig.forks.call(halts.resume_all)
        worker.kill()


def wait(condition: Any, why: Any) -> None:
    for _ in range(round(PATIENCE_S / LOOK_S)):
        if condition():
            return
        time.sleep(LOOK_S)
    raise SystemExit(why())


if __name__ == "__main__":
    main()
