"""What `bench.orders` measures, on simulated exchanges and a MariaDB of its own.

Intent to the bytes of its request with all checks and commits, at 50 orders/s and at 200/s; from a halt to the last
acceptance; until a lane whose executor died is worked by another; a reconcile of 500 open orders.
Spread is over the runs. MariaDB writes its log with every commit, as a server does.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

from bench import order_jobs
from tests.fixtures.mariadb import MariaDB
from tests.orders import halts, sales
from tests.orders.rig import Rig, create_database
from tests.orders.takeovers import takeover

PROGRAMS = "/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin"
MODULES = ("tests.orders.lives", "tests.orders.halts", "tests.orders.takeovers", "bench.order_jobs")
WARM = 50
PATIENCE_S = 300.0
LOOK_S = 0.01
OPEN_ORDERS = 500
AMOUNTS, STEPS = {"BTC/USDT": "0.001", "ETH/USDT": "0.05", "SOL/USDT": "1"}, ("1", "0.1", "0.01")


def run(runs: int, seconds: int) -> None:
    if which("mariadbd", path=PROGRAMS) is None or find_spec("MySQLdb") is None:
        print("orders: no MariaDB on this machine, nothing is measured")
        return
    with tempfile.TemporaryDirectory(prefix="ct-bench-") as directory:
        server = MariaDB(Path(directory) / "mariadb", durable=True)
        server.start()
        try:
            with Rig(Path(directory) / "rig", create_database(server.url, "bench"), MODULES) as rig:
                measure(rig, server, runs, seconds)
        finally:
            server.stop()


def measure(rig: Rig, server: MariaDB, runs: int, seconds: int) -> None:
    for rate, forks, rests in ((50, 1, True), (50, 1, False), (200, 2, True), (200, 2, False)):
        costs, of_server, results, left, loads = [], [], [], [], []
        for _ in range(runs):
            before_s = cpu_s(server)
            parts = at_rate(rig, rate, forks, seconds, rests=rests)
            results.append([late for each in parts for late in each["ms"]])
            left.append(len(results[-1]) / max(each["seconds"] for each in parts))
            costs += [each["cpu_ms"] for each in parts]
            of_server.append((cpu_s(server) - before_s) * 1000 / (rate * seconds + WARM * forks))
            loads.append(os.getloadavg()[0])
        print(f"{rate} orders/s {'that rest' if rests else 'filled at once'}")
        told("  intent -> bytes of its request, p50 [ms]", [quantile(each, 50) for each in results])
        told("  intent -> bytes of its request, p99 [ms]", [quantile(each, 99) for each in results])
        told("  orders that left [1/s]", left)
        told("  CPU of the executor for an order, its answer included [ms]", costs)
        told("  CPU of MariaDB for it [ms]", of_server)
        told("  load of the machine over the last minute", loads)
    told("HALT committed -> last acceptance [ms]", [halt_time(rig) for _ in range(runs)])
    told("executor killed, nothing in flight -> next order [s]", [takeover(rig, in_flight=False) for _ in range(runs)])
    told("executor killed, request in flight -> next order [s]", [takeover(rig, in_flight=True) for _ in range(runs)])
    told(f"reconcile of {OPEN_ORDERS} open orders, first [s]", [reconcile_time(rig) for _ in range(runs)])


def at_rate(rig: Rig, rate: int, forks: int, seconds: int, *, rests: bool) -> list[dict[str, Any]]:
    """What each fork tells of its orders: sales over 40 accounts of each."""
    parts = []
    for number in range(forks):
        accounts = rig.accounts(40, held="100")
        orders = rate * seconds // forks + WARM
        cells = sales.cells(rig, accounts, orders, f"rate-{accounts[0]['name']}-{number}")
        resting = {"tif": "gtc", "price": f"{round(rig.middle(accounts[0]) * 101 / 100)}"}
        parts.append([{**each, **resting} if rests else each for each in cells])
    running = [
        rig.forks.start(order_jobs.paced, cells=cells, every_s=forks / rate, threads=8, warm=WARM) for cells in parts
    ]
    return [fork.result() for fork in running]


def halt_time(rig: Rig) -> float:
    """Under load; below zero where the last acceptance was earlier than the commit."""
    accounts = rig.accounts(20, held="100")
    cells = sales.cells(rig, accounts, 400, f"halt-{accounts[0]['name']}")
    names = {each["name"] for each in accounts}
    running = rig.forks.start(order_jobs.paced, cells=cells, every_s=0.02, threads=8, warm=0)
    try:
        await_condition(lambda: len(of(rig, names)) > 50)
        committed_ms = rig.forks.call(halts.halt_all, reason="a measurement")
        running.result()
        return float(max(row["ms"] for row in of(rig, names)) - committed_ms)
    finally:
        rig.forks.call(halts.resume_all)


def reconcile_time(rig: Rig) -> float:
    """Orders of somebody else with the same key, all of which become rows: an exchange takes 200 of a pair at most."""
    [account] = rig.accounts(1, pairs=tuple(AMOUNTS))
    [cell] = sales.cells(rig, [account], 1, f"reconcile-{account['name']}")
    for number, (pair, amount) in enumerate(AMOUNTS.items()):
        of_pair = OPEN_ORDERS * (number + 1) // len(AMOUNTS) - OPEN_ORDERS * number // len(AMOUNTS)
        each = {**cell, "pair": account["pairs"][pair], "amount": amount}
        price = f"{round(rig.middle(account, pair) * 98 / 100)}"
        rig.forks.call(order_jobs.place_as_others, cell=each, number=of_pair, price=price, step=STEPS[number])
    done = rig.forks.call(order_jobs.reconcile, cell=cell)
    if done["open"] != OPEN_ORDERS:
        raise SystemExit(f"{done['open']} of {OPEN_ORDERS} open orders are known after a reconcile")
    return float(done["seconds"])


def cpu_s(server: MariaDB) -> float:
    """What the server's process has used since it began, all its threads together."""
    if server.process is None:
        raise RuntimeError("the server does not run")
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def of(rig: Rig, names: set[str]) -> list[dict[str, Any]]:
    return [row for row in rig.exchanges.accepted("binance") if row["account"] in names]


def await_condition(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("it did not happen")
        time.sleep(LOOK_S)


def quantile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else float("nan")


def told(name: str, values: Sequence[float]) -> None:
    median, least, most = statistics.median(values), min(values), max(values)
    print(f"{name:<62}{median:10.1f}   ({least:.1f} - {most:.1f}, {len(values)} runs)", flush=True)
