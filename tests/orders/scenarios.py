"""One scripted case for each guard: with it nothing is wrong, without it something is, whatever the machine's pace.

Each returns the intents of the orders that the exchange accepted, by their numbers, in the order of acceptance.
"""

import signal
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from apps.feeds.tests.waiting import await_that
from apps.trading.not_placed import Patience
from apps.trading.order_state import ENOUGH_MISSES
from tests.orders import ablated, endings, evidence, sales
from tests.orders.forks import Fork
from tests.orders.rig import Rig

PATIENCE_S = 300.0
LONG_TAIL_S = 120.0  # what an exchange promises that keeps requests at its matcher's door for long
ARRIVES_S = 1.0  # a request whose sender has ended is still read
LOOKS = ENOUGH_MISSES + 2  # who lacks a guard has believed the exchange by then, and placed the order anew
SOON = Patience(tail_ms=0)  # and who lacks the tail believes what it says from then on
Cell = dict[str, Any]


def expiry(rig: Rig, cell: Cell, without: str) -> list[int]:
    """Half a request is written and its process stands still until the order was placed anew, then it goes on."""
    slow = stopped_at("K6", rig, cell, without)
    resolver = rig.forks.start(ablated.resolve, cell=cell, without="", notes=str(notes_of(rig, cell)))
    await_that(lambda: accepted(rig, cell), PATIENCE_S)
    go_on(slow)
    return ended(rig, cell, resolver)


def wait(rig: Rig, cell: Cell, without: str) -> list[int]:
    """The same, but nobody answers "not found" any differently before the request's expiry than after it."""
    slow = stopped_at("K6", rig, cell, "", patient=True)
    notes = notes_of(rig, cell)
    resolver = rig.forks.start(ablated.resolve, cell=cell, without=without, patient=True, notes=str(notes))
    if without:
        rig.forks.call(ablated.end_lease, cell=cell)
        await_that(lambda: accepted(rig, cell), PATIENCE_S)
    else:
        await_that(lambda: looks(notes) >= LOOKS, PATIENCE_S)
    go_on(slow)
    return ended(rig, cell, resolver)


def tail(rig: Rig, cell: Cell, without: str) -> list[int]:
    """A request that was in time at the gateway waits at the matcher's door for longer than one believes in."""
    rig.exchanges.fault(cell["exchange"], cell["name"], "held")
    sender = rig.forks.start(ablated.send, rig.kill_at("K7"), cell=cell, without="")
    assert sender.killed
    tail_s, notes = 0.0 if without else LONG_TAIL_S, notes_of(rig, cell)
    resolver = rig.forks.start(ablated.resolve, cell=cell, without="", tail_s=tail_s, notes=str(notes))
    if without:
        await_that(lambda: accepted(rig, cell), PATIENCE_S)
    else:
        since_ms = expires_ms(rig, cell) + SOON.skew_ms + SOON.read_lag_ms
        await_that(lambda: looks(notes, since_ms) >= LOOKS, PATIENCE_S)
    rig.exchanges.fault(cell["exchange"], cell["name"], "held", count=0)
    return ended(rig, cell, resolver)


def fence(rig: Rig, cell: Cell, without: str) -> list[int]:
    """One sleeps between two orders over a takeover; the next has committed an order when it wakes up."""
    cell = {**cell, "orders": 3}
    first = stopped_at("K10", rig, cell, without, patient=True)
    rig.forks.call(ablated.end_lease, cell=cell)
    second = stopped_at("K5", rig, cell, "", patient=True)
    go_on(first)
    go_on(second)
    return finished(rig, cell)


def lane_lock(rig: Rig, cell: Cell, without: str) -> list[int]:
    """One has committed an order and not sent it yet when another comes to the lane."""
    cell = {**cell, "orders": 2}
    first = stopped_at("K5", rig, cell, "", patient=True)
    rig.forks.start(ablated.send, cell=cell, without=without, patient=True).result()
    go_on(first)
    return finished(rig, cell)


SCENARIOS: Mapping[str, Callable[[Rig, Cell, str], list[int]]] = {
    "expiry": expiry,
    "wait": wait,
    "tail": tail,
    "fence": fence,
    "lane lock": lane_lock,
}


def is_wrong(order: list[int]) -> bool:
    """An intent was placed twice, or one overtook another."""
    return len(set(order)) < len(order) or order != sorted(order)


def cell_of(rig: Rig, account: dict[str, Any]) -> Cell:
    """Of a key that no other account's has: the cases are run twice on one rig where workers share out their tests."""
    return sales.cells(rig, [account], 1, account["name"])[0]


def stopped_at(point: str, rig: Rig, cell: Cell, without: str, *, patient: bool = False) -> Fork:
    """A process that sends and stands still at the point."""
    environment = rig.kill_at(point, how="stop")
    fork = rig.forks.start(ablated.send, environment, cell=cell, without=without, patient=patient)
    await_that(lambda: is_stopped(fork) or fork.status is not None, PATIENCE_S)
    if fork.status is not None:
        raise AssertionError(f"{point} was never reached: {fork.result()}")
    return fork


def is_stopped(fork: Fork) -> bool:
    if fork.status is not None or fork.pid is None:
        return False
    try:
        state = Path(f"/proc/{fork.pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return state.rpartition(")")[2].split()[0] == "T"


def go_on(fork: Fork) -> None:
    fork.send(signal.SIGCONT)
    fork.result()


def accepted(rig: Rig, cell: Cell) -> list[dict[str, Any]]:
    return rig.exchanges.accepted(cell["exchange"], cell["name"])


def notes_of(rig: Rig, cell: Cell) -> Path:
    """The file in which the cell's resolver writes that it has looked."""
    return rig.halt_file.with_name(f"looks-{cell['name']}")


def looks(notes: Path, since_ms: int = 0) -> int:
    """How often it has, and has done what followed."""
    lines = notes.read_text().splitlines() if notes.exists() else ()
    return sum(int(line) >= since_ms for line in lines)


def expires_ms(rig: Rig, cell: Cell) -> int:
    """Until when the exchange takes the request of its one order."""
    [order] = rig.forks.call(evidence.told, accounts=[cell["account"]])["orders"]
    return round(datetime.fromisoformat(order["request_expires_at"]).timestamp() * 1000)


def ended(rig: Rig, cell: Cell, resolver: Fork) -> list[int]:
    """Once what was held up has come through, and nothing is in doubt any more."""
    time.sleep(ARRIVES_S)
    await_that(lambda: not rig.forks.call(endings.in_doubt, cell=cell), PATIENCE_S)
    resolver.kill()
    resolver.wait()
    return finished(rig, cell)


def finished(rig: Rig, cell: Cell) -> list[int]:
    orders = rig.forks.call(evidence.told, accounts=[cell["account"]])["orders"]
    intents = {order["client_order_id"]: order["intent_id"] for order in orders}
    return [intents[row["client_id"]] for row in accepted(rig, cell)]
