"""What `bench.halts` lets a fork do: the half of a daemon that cancels, looks and listens, within the real limits."""

import time
from functools import partial
from typing import Any

from apps.feeds.transport.gate import RESERVE, Gates
from apps.trading.collecting.timetable import Times
from apps.trading.execution import cancelling, resolving
from apps.trading.execution.spreading import Spread
from tests.orders import executors, listeners, steps

EVERY_S = 0.1


def stop_all(cells: list[dict[str, Any]], seconds: float) -> None:
    """One cell for each account. To be killed."""
    ports = executors.ports(gates=Gates(reserve=RESERVE))
    mine, mine_too = executors.executor(ports), executors.executor(ports)
    steps.measured(mine, cells)
    numbers = {cell["account"] for cell in cells}
    cancels = Spread("cancels", partial(cancelling.cancel_account, mine))
    looks = Spread("looks", partial(resolving.resolve_account, mine_too))
    with listeners.listening(cells, ports, Times()):
        for _ in range(round(seconds / EVERY_S)):
            cancels.begin(numbers.intersection(cancelling.accounts_due()))
            looks.begin(numbers.intersection(resolving.accounts_due()))
            time.sleep(EVERY_S)
