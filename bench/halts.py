"""`python -m bench.halts`: from the one button until 504 orders at seven exchanges are cancelled, and known to be.

By a daemon's cancels, looks and private sockets, within the budgets that the drivers name. Spread is over the runs.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

import django

ACCOUNTS, ORDERS = 12, 6  # of each exchange, of each account
SETTLE_S = 15.0  # what placing has used up of the limits comes back


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.halts", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctweb.settings"
    import tests.environment  # noqa: F401 (a data folder of its own, and no settings of the developer)

    django.setup()
    from tests.orders.button import EXCHANGES, press
    from tests.orders.rig import Rig, database_of

    modules = ("tests.orders.lives", "tests.orders.halts", "tests.orders.attending")
    with tempfile.TemporaryDirectory(prefix="ct-bench-") as directory:
        folder = Path(directory)
        with Rig(folder / "rig", database_of(folder), modules) as rig:
            told = []
            for number in range(options.runs):
                told.append(press(rig, ACCOUNTS, ORDERS, folder / f"ready{number}", SETTLE_S))
                print(told[-1], flush=True)
    seconds = [each.seconds for each in told]
    print(
        f"{told[0].orders} orders at {len(EXCHANGES)} exchanges, HALT committed -> all confirmed: "
        f"{statistics.median(seconds):.1f} s   ({min(seconds):.1f} - {max(seconds):.1f}, {options.runs} runs)"
    )


if __name__ == "__main__":
    main()
