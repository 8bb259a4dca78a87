"""V12 of O1 through the private socket: pushes come twice, out of order and before the answer, while executors die.

Their collectors listen as a daemon's do. Whoever dies at whichever point: the next knows each execution, and each once.
CT_FAULTS sets the number of runs.
"""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from tests.environment import ON_MARIADB
from tests.orders import evidence, grid, listeners
from tests.orders.forks import Fork
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.timeout(900 * TIMES)]

EXCHANGES = ("okx", "binance", "bybit", "kucoin", "mexc", "coinex")  # what HTX lost takes five minutes to be proven
LOOKED_UP = {"kucoin"}  # its pushes lack fees: they lead to a question by REST
AT_ONCE = 8
RECOVERY_S = 300.0
# order events that suffer; the answer to a request comes so long after its pushes
TWICE, MIXED, EARLY_S = 5, 3, 0.2
RESTS = {"fill": f"{grid.PART}"}
TAKES = {"tif": "ioc"}
WAYS = [(point, RESTS) for point in grid.POINTS] + [
    (point, TAKES) for point in ("K7", "K8", "K9", "K10", "K11", "K12", "K13", "K16")
]


@pytest.mark.parametrize("run", range(TIMES))
def test_however_pushes_come_and_wherever_an_executor_dies_each_execution_is_known_once(rig: Rig, run: int):
    exchange = EXCHANGES[(2 * run + ON_MARIADB) % len(EXCHANGES)]
    cells = scripted(rig, exchange, run)
    died = live_all(rig, cells)
    for cell in cells:
        rig.exchanges.fault(exchange, cell["name"], "mute_private", count=0)
    numbers = [cell["account"] for cell in cells]
    before = rig.forks.call(listeners.sources, accounts=numbers)
    assert rig.forks.start(listeners.recover, cells=cells, seconds=RECOVERY_S).result(2 * RECOVERY_S) == []
    known, by = (rig.forks.call(job, accounts=numbers) for job in (evidence.told, listeners.sources))
    names = {cell["name"] for cell in cells}
    accepted = [row for row in rig.exchanges.accepted(exchange) if row["account"] in names]
    print(f"{exchange}: {dict(died)} died, {len(accepted)} orders accepted, fills by {by}, {before} of them at once")
    assert violations(accepted, known) == []
    assert {"K12", "K13"} <= set(died), "the points of fills were never reached"
    assert before.get("ws") or exchange in LOOKED_UP, "no push has told of a fill"
    assert before.get("rest"), "nobody died with a fill that a sweep had found"


def scripted(rig: Rig, exchange: str, run: int) -> list[dict[str, Any]]:
    """Each cell on an account of its own."""
    accounts = rig.accounts(len(WAYS), exchange, held="1")
    middle = rig.middle(accounts[0])
    cells = []
    for number, (account, (point, way)) in enumerate(zip(accounts, WAYS, strict=True)):
        rig.exchanges.fault(exchange, account["name"], "duplicate_push", count=TWICE)
        rig.exchanges.fault(exchange, account["name"], "reorder_push", count=MIXED)
        rig.exchanges.fault(exchange, account["name"], "early_fill", seconds=EARLY_S)
        if point == "K13":
            rig.exchanges.fault(exchange, account["name"], "mute_private")
        price = round(middle * Decimal("0.99" if way is TAKES else "1.01"))
        cell = {
            "account": account["id"],
            "name": account["name"],
            "exchange": exchange,
            "market_type": "spot",
            "pair": account["pairs"]["BTC/USDT"],
            "trade": account["trades"]["BTC/USDT"],
            "key": f"pushes-{exchange}-{run}-{number}",
            "point": point,
            "amount": f"{grid.AMOUNT}",
            "price": f"{price}",
            "purpose": "close",
            "cancel": True,
            "gap": point == "K13",
        }
        cells.append({**cell, **way})
    return cells


def live_all(rig: Rig, cells: list[dict[str, Any]]) -> Counter[str]:
    """How many died at each point."""
    died: Counter[str] = Counter()
    for at in range(0, len(cells), AT_ONCE):
        forks: list[tuple[str, Fork]] = []
        for cell in cells[at : at + AT_ONCE]:
            how = {} if cell["gap"] else rig.kill_at(cell["point"])
            forks.append((cell["point"], rig.forks.start(listeners.live, how, cell=cell)))
        for point, fork in forks:
            if fork.killed:
                died[point] += 1
            else:
                fork.result()
    return died
