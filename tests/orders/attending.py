"""A job: what a daemon does for accounts at exchanges, on their private sockets, within the exchanges' real limits."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from apps.feeds.transport.gate import RESERVE, Gates
from apps.trading.collecting.timetable import Times
from apps.trading.execution.cancels import cancelling, together
from apps.trading.execution.entry import working
from apps.trading.execution.gateway.remote import RemotePort
from apps.trading.execution.pretrade import guards
from apps.trading.execution.resolution import due, resolving
from apps.trading.execution.runtime.spreading import Spread
from apps.trading.risk.view import ScopeState
from tests.orders import executors, listeners, patience, steps
from tests.orders.steps import Cell

EVERY_S = 0.05


def no_cut_off() -> None:
    """Orders are committed whatever was halted."""
    switches = guards.switches

    def blind(subject: Any, *, shared: bool) -> Any:
        found = switches(subject, shared=shared)
        return replace(found, states=dict.fromkeys(found.states, ScopeState.ACTIVE))

    guards.switches = blind


def no_cancels() -> None:
    """A halt stops what is new, and what rests stays."""
    cancelling.halted = lambda: None  # type: ignore[assignment]


def no_look_for_others() -> None:
    """All that rests on a pair is cancelled at once, whoever has placed it: neither those that we know of are heeded,
    nor those that the exchange tells of right before."""
    together._has_others = lambda rows: False  # type: ignore[assignment]
    RemotePort._lists_others = lambda *_: False  # type: ignore[assignment]


GUARDS: Mapping[str, Callable[[], None]] = {
    "cut-off": no_cut_off,
    "cancels": no_cancels,
    "others": no_look_for_others,
    "": lambda: None,
}


def attend(cells: list[Cell], seconds: float, ready: str, lanes: int = 0, without: str = "") -> None:
    """Cancel, look and listen, and work so many `lanes` at a time. One cell for each account, and no other account;
    the file `ready` is there when all listen. `without`: the guard that is taken out. To be killed.
    """
    GUARDS[without]()
    only = cells[0]["account"] if len(cells) == 1 else None
    ports, market = executors.ports(gates=Gates(reserve=RESERVE), only=only), executors.StillMarket()
    mine, mine_too = executors.executor(ports), executors.executor(ports)
    steps.measured(mine, cells)
    numbers = {cell["account"] for cell in cells}
    cancels = Spread("cancels", partial(cancelling.cancel_account, mine))
    looks = Spread("looks", partial(resolving.resolve_account, mine_too))

    def work() -> None:
        own = executors.executor(ports, market=market)
        executors.until(lambda: patience.patiently(lambda: working.sweep(executor=own)) and False, seconds, EVERY_S)

    def care() -> None:
        Path(ready).touch()
        for _ in range(round(seconds / EVERY_S)):
            cancels.begin(numbers.intersection(cancelling.accounts_due()))
            looks.begin(numbers.intersection(due.accounts_due()))
            ports.remote.clocks.measure_due()
            time.sleep(EVERY_S)

    with listeners.listening(cells, ports, Times()):
        patience.in_threads([care, *[work] * lanes])
