"""`python -m bench.end_to_end`: the whole system on this machine, 100 pairs, 1,000 book messages a second.

Prints how long an update takes from the daemon's receipt to Redis and to a browser, what the daemon costs, and whether
ClickHouse holds exactly what the simulator says that it sent. Spread is over the runs.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis.asyncio
from msgspec.json import decode

from bench.listeners import Browser, RedisListener
from bench.system import STARTER_SET, System
from workers.supervisor.folder import free_ports

BOOKS_OF_A_SOCKET = 50
SETTLE_S = 5
FLUSH_S = 60


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.end_to_end", description=__doc__)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--rate", type=int, default=1000, help="book messages a second, all pairs together")
    parser.add_argument("--seconds", type=int, default=15, help="of one run")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ct-bench-") as directory,
        System(Path(directory), free_ports([None])[0]) as system,
    ):
        start_s = system.wait("the first LIVE book", lambda: system.books().get("live", 0) > 0)
        print(f"first LIVE book in a new folder: {start_s:.1f} s")
        system.wait("the starter set", lambda: system.books().get("live", 0) >= STARTER_SET)
        system.simulator("rate", {"msg_s": options.rate})
        system.watch(options.pairs)
        grown_s = system.wait("all books LIVE", lambda: dict(system.books()) == only_live(options.pairs))
        print(f"{options.pairs} pairs LIVE {grown_s:.1f} s after their rows were written")
        asyncio.run(measure(system, options.runs, options.seconds))
        compare(system)


def only_live(count: int) -> dict[str, int]:
    return {"live": count, "syncing": 0, "stale": 0, "down": 0}


async def measure(system: System, runs: int, seconds: int) -> None:
    status = await daemon_status(system)
    keys = [book["key"] for book in status["books"]]
    listener = RedisListener(system.redis_url)
    batches = [keys[at : at + BOOKS_OF_A_SOCKET] for at in range(0, len(keys), BOOKS_OF_A_SOCKET)]
    browsers = [Browser(system.url, system.login, batch) for batch in batches]
    results: dict[str, list[float]] = {}
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run) for run in (listener.run(), *(browser.run() for browser in browsers))]
        await asyncio.sleep(SETTLE_S)
        for _ in range(runs):
            for name, value in (await one_run(system, status["pid"], listener, browsers, seconds)).items():
                results.setdefault(name, []).append(value)
        for task in tasks:
            task.cancel()
    for name, values in results.items():
        print(f"{name:<52}{statistics.median(values):9.1f}   ({min(values):.1f} - {max(values):.1f}, {runs} runs)")


async def one_run(
    system: System, pid: int, listener: RedisListener, browsers: Sequence[Browser], seconds: int
) -> dict[str, float]:
    listener.latencies.clear()
    for browser in browsers:
        browser.latencies.clear()
    sent, cpu_s, started = messages_sent(system), cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    wall_s = time.monotonic() - started
    status = await daemon_status(system)
    shown = [latency for browser in browsers for latency in browser.latencies]
    return {
        "book messages from the simulator [1/s]": (messages_sent(system) - sent) / wall_s,
        "receipt -> accepted by Redis, p50 [ms]": status["publish_ms"]["p50"],
        "receipt -> accepted by Redis, p99 [ms]": status["publish_ms"]["p99"],
        "receipt -> subscriber, waits of the 10 Hz included, p50": quantile(listener.latencies, 50),
        "receipt -> subscriber, waits of the 10 Hz included, p99": quantile(listener.latencies, 99),
        "receipt -> browser socket at 10 Hz, p50 [ms]": quantile(shown, 50),
        "receipt -> browser socket at 10 Hz, p99 [ms]": quantile(shown, 99),
        "CPU of the daemon [% of a core]": (cpu_seconds(pid) - cpu_s) / wall_s * 100,
        "memory of the daemon [MB RSS]": resident_mb(pid),
    }


async def daemon_status(system: System) -> dict[str, Any]:
    """What the daemon says of itself once a second."""
    async with redis.asyncio.Redis.from_url(system.redis_url) as client:
        text = await client.get("daemon:d1")
    return decode(text)


def compare(system: System) -> None:
    """Stop the markets, wait for the last flush, and count on both sides. Raise SystemExit when they differ."""
    system.simulator("fault", {"op": "mute"})
    time.sleep(SETTLE_S)
    deadline = time.monotonic() + FLUSH_S
    while (counted := rows(system)) != (said := journal(system)) and time.monotonic() < deadline:
        time.sleep(1)
    for name in said:
        print(f"{name}: the simulator sent {said[name]:,}, ClickHouse holds {counted[name]:,}")
    if counted != said:
        raise SystemExit("rows are missing or doubled")


def journal(system: System) -> dict[str, int]:
    entries = system.simulator("log")
    return {
        "book updates": sum(entry["sent"] for entry in entries if entry["kind"] == "book"),
        "trades": sum(entry["trades"] for entry in entries if entry["kind"] == "trades"),
    }


def rows(system: System) -> dict[str, int]:
    updates = system.history("SELECT count() FROM orderbook_updates WHERE from_rest = 0")
    trades = system.history("SELECT count() FROM trades")
    return {"book updates": int(updates[0][0]), "trades": int(trades[0][0])}


def messages_sent(system: System) -> int:
    return journal(system)["book updates"]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def quantile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else float("nan")


if __name__ == "__main__":
    main()
