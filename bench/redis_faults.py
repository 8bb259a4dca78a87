"""`python -m bench.redis_faults`: whether orders take longer while Redis stands still (O8).

50 orders/s, intent to the bytes of its request, on a MariaDB that writes its log with every commit. Each run is
measured twice, one right after the other: with Redis, and with one that stands still from shortly after the first
orders on. Hints and events are told there, and requests counted. Spread is over the runs.
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import django

RATE, WARM, ACCOUNTS, THREADS = 50, 50, 40, 8
MODULES = ("tests.orders.lives", "bench.order_jobs")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.redis_faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=30, help="of one run, and so that Redis stands still")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctweb.settings"
    import tests.environment  # noqa: F401 (a data folder of its own, and no settings of the developer)

    django.setup()
    from bench.order_times import quantile, told
    from tests.fixtures.mariadb import MariaDB
    from tests.orders.rig import Rig, create_database

    with tempfile.TemporaryDirectory(prefix="ct-bench-") as directory:
        server = MariaDB(Path(directory) / "mariadb", durable=True)
        server.start()
        try:
            with Rig(Path(directory) / "rig", create_database(server.url, "bench"), MODULES) as rig:
                pairs = [
                    [at_rate(rig, options.seconds, still=still) for still in (False, True)] for _ in range(options.runs)
                ]
        finally:
            server.stop()
    for percent in (50, 99):
        both = [[quantile(late, percent) for late in pair] for pair in pairs]
        told(f"p{percent} with Redis [ms]", [whole for whole, _ in both])
        told(f"p{percent} while it stands still [ms]", [still for _, still in both])
        told(f"p{percent} the one by the other", [still / whole for whole, still in both])


def at_rate(rig: Any, seconds: int, *, still: bool) -> list[float]:
    """How late each order left, in milliseconds."""
    from apps.feeds.tests.redis_process import RedisProcess
    from bench import order_jobs
    from bench.order_times import await_condition, of
    from tests.orders import sales

    accounts = rig.accounts(ACCOUNTS, held="100")
    cells = sales.cells(rig, accounts, RATE * seconds + WARM, f"redis-{accounts[0]['name']}")
    resting = {"tif": "gtc", "price": f"{round(rig.middle(accounts[0]) * 101 / 100)}"}
    cells = [{**cell, **resting} for cell in cells]
    server = RedisProcess()
    server.start()
    try:
        more = {"every_s": 1 / RATE, "threads": THREADS, "warm": WARM, "redis_url": server.url}
        running = rig.forks.start(order_jobs.paced, cells=cells, **more)
        await_condition(lambda: len(of(rig, {each["name"] for each in accounts})) > WARM)
        if still:
            server.pause()
        late: list[float] = running.result()["ms"]
        return late
    finally:
        server.close()


if __name__ == "__main__":
    main()
