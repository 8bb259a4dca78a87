"""`python -m bench.reconcile`: how long an account with 500 open orders takes to reconcile, at each exchange.

Within the budgets that the drivers name, of which a fifth is kept for cancels. The orders are somebody else's with the
same key, over three pairs; the first time each becomes a row, the second time nothing is new. Spread is over the runs.
A market that cannot be measured, or not within a minute, says why and holds up no other.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django

EXCHANGES = ("binance", "bybit", "okx", "kucoin", "coinex", "htx", "mexc", "hyperliquid")
MARKETS = ("spot", "futures")
OPEN_ORDERS = 500
# what was used up comes back within these; where a minute is counted, after that
QUIET_S, MINUTE_S = 15.0, {"hyperliquid": 65.0}
# amounts that any of the exchanges takes, and how far apart the prices are
ORDERS = {"BTC": ("0.01", "1"), "ETH": ("0.1", "0.1"), "SOL": ("1", "0.01")}
MOST_S = 60.0  # of one reconcile


class NotMeasured(Exception):
    """Why, in one line."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.reconcile", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--exchanges", nargs="*", default=EXCHANGES, choices=EXCHANGES)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctweb.settings"
    import tests.environment  # noqa: F401 (a data folder of its own, and no settings of the developer)

    django.setup()
    from tests.orders.rig import Rig, database_of

    with tempfile.TemporaryDirectory(prefix="ct-bench-") as directory:
        folder = Path(directory)
        modules = ("tests.orders.lives", "bench.order_jobs")
        with Rig(folder / "rig", database_of(folder), modules) as rig:
            wanted = [(exchange, market_type) for exchange in options.exchanges for market_type in MARKETS]
            sys.exit(sum(not measure(rig, *each, options.runs) for each in wanted))


def measure(rig: Any, exchange: str, market_type: str, runs: int) -> bool:
    from tests.orders.forks import JobFailed

    try:
        told(exchange, market_type, [one_run(rig, exchange, market_type) for _ in range(runs)])
    except (NotMeasured, JobFailed) as reason:
        print(f"{exchange + ' ' + market_type:<40}not measured: {reason}", flush=True)
        return False
    return True


def one_run(rig: Any, exchange: str, market_type: str) -> list[dict[str, float]]:
    """Of the first reconcile and of the second: seconds, and requests."""
    from bench import order_jobs

    quote = "USDC" if exchange == "hyperliquid" else "USDT"
    pairs = tuple(f"{coin}/{quote}" for coin in ORDERS)
    [account] = rig.accounts(1, exchange, market_type=market_type, pairs=pairs)
    for number, (pair, (amount, step)) in enumerate(zip(pairs, ORDERS.values(), strict=True)):
        cell = {**account, "account": account["id"], "pair": account["pairs"][pair], "amount": amount}
        count = OPEN_ORDERS * (number + 1) // len(ORDERS) - OPEN_ORDERS * number // len(ORDERS)
        price = f"{round(rig.middle(account, pair) * 98 / 100)}"
        rig.forks.call(order_jobs.place_as_others, cell=cell, number=count, price=price, step=step)
    found = []
    for _ in range(2):
        # a process of its own, without a Redis that tells it what was sent before it: that comes back first
        time.sleep(MINUTE_S.get(exchange, QUIET_S))
        before = rig.exchanges.get("_sim/state")
        done = reconciled(rig, cell)
        after = rig.exchanges.get("_sim/state")
        if done["open"] != OPEN_ORDERS:
            raise NotMeasured(f"{done['open']:.0f} of {OPEN_ORDERS} open orders are known")
        if after["breaches"].get(exchange) != before["breaches"].get(exchange):
            raise NotMeasured(
                f"limits broken: {after['breaches'][exchange]}, before {before['breaches'].get(exchange)}"
            )
        asked = after["asked"][exchange].get("rest", 0) - before["asked"][exchange].get("rest", 0)
        found.append({"seconds": done["seconds"], "requests": asked})
    return found


def reconciled(rig: Any, cell: dict[str, Any]) -> dict[str, float]:
    from bench import order_jobs

    fork = rig.forks.start(order_jobs.reconcile, cell=cell)
    try:
        done: dict[str, float] = fork.result(MOST_S)
    except TimeoutError:
        fork.kill()
        raise NotMeasured(f"not within {MOST_S:.0f} s") from None
    return done


def told(exchange: str, market_type: str, runs: list[list[dict[str, float]]]) -> None:
    for number, name in enumerate(("first", "again")):
        seconds = [run[number]["seconds"] for run in runs]
        asked = max(run[number]["requests"] for run in runs)
        spread = f"({min(seconds):.1f} - {max(seconds):.1f}, {len(runs)} runs), {asked:.0f} requests"
        print(
            f"{exchange + ' ' + market_type + ', ' + name:<40}{statistics.median(seconds):8.1f} s   {spread}",
            flush=True,
        )


if __name__ == "__main__":
    main()
