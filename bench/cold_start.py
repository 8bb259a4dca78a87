"""`python -m bench.cold_start`: how long hundreds of pairs of all exchanges take to be LIVE, and to be it again.

Daemons are started on a known catalogue against a simulator that enforces the exchanges' limits; then all sockets are
cut at once. Prints seconds from the start (of the process) and from the cut, what it cost, and what the simulator
counts as breaches. One daemon where its sockets hold the pairs, else two. Spread is over the runs.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from bench.fleet import Fleet

PATIENCE_S = 300
RATE = 1000.0  # book messages a second, all pairs together


class Figures(Struct, kw_only=True):
    """Of one exchange, or of all."""

    first_s: float
    all_s: float
    sockets: int
    spread_s: float  # between the first and the last of these sockets
    handshakes: int
    requests: int
    weight: int  # of the books among them
    breaches: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cold_start", description=__doc__)
    parser.add_argument("--pairs", type=int, default=500, help="spread evenly over all markets")
    parser.add_argument("--exchange", default="", help="of one exchange only")
    parser.add_argument("--depth", type=int, choices=(20, 50, 0), help="of all pairs; default: 20, some 50, some whole")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ct-bench-") as directory, Fleet(Path(directory)) as fleet:
        fleet.prepare()
        fleet.watch(options.pairs, depth=options.depth, exchange=options.exchange)
        daemons = needed(fleet, options.pairs)
        starts, returns = [], []
        for _ in range(options.runs):
            starts.append(cold_start(fleet, options.pairs, daemons))
            returns.append(mass_disconnect(fleet, options.pairs))
        report(f"{options.pairs} pairs, {daemons} daemon(s), from the start of the process", starts)
        report("again, from the cut of all sockets", returns)


def needed(fleet: Fleet, pairs: int) -> int:
    """Daemons whose sockets hold the pairs: one, or two when pairs wait for room on one."""
    fleet.begin(rate=RATE)
    fleet.daemon("d1")
    fleet.wait("the pairs", lambda: sum(book["state"] == "LIVE" or waits(book) for book in fleet.books()) == pairs, 120)
    waiting = [book for book in fleet.books() if waits(book)]
    for book in waiting[:1]:
        print(f"on one daemon {len(waiting)} of {pairs} pairs wait: {book['reason']}")
    return 2 if waiting else 1


def waits(book: dict[str, Any]) -> bool:
    return book["state"] == "DOWN" and book["reason"].startswith("no room")


def cold_start(fleet: Fleet, pairs: int, daemons: int) -> dict[str, Figures]:
    fleet.begin(rate=RATE)
    started = time.time()
    for number in range(1, daemons + 1):
        fleet.daemon(f"d{number}")
    return until_live(fleet, pairs, started, fleet.simulator("state")["asked"])


def mass_disconnect(fleet: Fleet, pairs: int) -> dict[str, Figures]:
    before = fleet.simulator("state")["asked"]
    cut = time.time()
    fleet.simulator("fault", {"op": "disconnect"})
    return until_live(fleet, pairs, cut, before)


def until_live(fleet: Fleet, pairs: int, since_s: float, before: dict[str, dict[str, int]]) -> dict[str, Figures]:
    """Figures by exchange, once all pairs are LIVE and have been it since no earlier than that moment."""

    def live() -> bool:
        books = [book for book in fleet.books() if book["state"] == "LIVE" and book["since_ms"] / 1e3 > since_s]
        return len({book["key"] for book in books}) == pairs

    fleet.wait(f"{pairs} LIVE books", live, PATIENCE_S)
    state, weights = fleet.simulator("state"), rest_weights(fleet)
    found = {}
    for exchange in sorted({book["key"].partition(":")[0] for book in fleet.books()}):
        moments = [book["since_ms"] / 1e3 for book in fleet.books() if book["key"].startswith(f"{exchange}:")]
        ages = [one["age_s"] for one in state["sockets"] if one["connection"].startswith(f"{exchange}:")]
        asked, earlier = state["asked"][exchange], before[exchange]
        found[exchange] = Figures(
            first_s=min(moments) - since_s,
            all_s=max(moments) - since_s,
            sockets=len(ages),
            spread_s=max(ages) - min(ages),
            handshakes=asked.get("handshakes", 0) - earlier.get("handshakes", 0),
            requests=asked.get("rest", 0) - earlier.get("rest", 0),
            weight=weights.get(exchange, 0),
            breaches=sum(state["breaches"].get(exchange, {}).values()),
        )
    if state["breaches"]:
        print(f"breaches: {state['breaches']}")
    return found


def rest_weights(fleet: Fleet) -> dict[str, int]:
    """What the books that the simulator gave out by REST weigh, since its start."""
    depths = {(*book["key"].split(":")[:2], book["symbol"]): book["depth"] for book in fleet.books()}
    weights: dict[str, int] = {}
    for entry in fleet.simulator("log"):
        exchange, market_type, symbol = entry["exchange"], entry["market_type"], entry["symbol"]
        if entry["kind"] == "rest" and (depth := depths.get((exchange, market_type, symbol))) is not None:
            request = registry.driver(exchange).snapshot_request(MarketType(market_type), symbol, depth)
            weights[exchange] = weights.get(exchange, 0) + request.weight * entry["sent"]
    return weights


def report(title: str, runs: list[dict[str, Figures]]) -> None:
    loads = " ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"\n{title} ({len(runs)} runs, load average {loads})")
    print(f"{'':<12}{'first LIVE [s]':>20}{'all LIVE [s]':>20}{'sockets':>9}{'opened within [s]':>20}", end="")
    print(f"{'handshakes':>12}{'REST':>6}{'weight':>8}{'breaches':>10}")
    for exchange in runs[0]:
        line([run[exchange] for run in runs], exchange)
    line([together(run.values()) for run in runs], "all")


def together(figures: Iterable[Figures]) -> Figures:
    every = list(figures)
    return Figures(
        first_s=min(each.first_s for each in every),
        all_s=max(each.all_s for each in every),
        sockets=sum(each.sockets for each in every),
        spread_s=max(each.spread_s for each in every),
        handshakes=sum(each.handshakes for each in every),
        requests=sum(each.requests for each in every),
        weight=sum(each.weight for each in every),
        breaches=sum(each.breaches for each in every),
    )


def line(runs: list[Figures], name: str) -> None:
    seconds = [spread([getattr(run, field) for run in runs]) for field in ("first_s", "all_s", "spread_s")]
    sockets, handshakes, requests, weight, breaches = (
        max(getattr(run, field) for run in runs)
        for field in ("sockets", "handshakes", "requests", "weight", "breaches")
    )
    print(f"{name:<12}{seconds[0]:>20}{seconds[1]:>20}{sockets:>9}{seconds[2]:>20}", end="")
    print(f"{handshakes:>12}{requests:>6}{weight:>8}{breaches:>10}")


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} - {max(values):.1f})"


if __name__ == "__main__":
    main()
