"""What an executor's process does to its database and when its requests leave, as numbers that a test may judge.

Durations are in moments in which this process ran: what the machine takes away from it does not count.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from apps.feeds.orders import NewOrder
from apps.trading.execution import remote, transactions
from tests.orders import executors

MOMENT_S = 0.005


@contextmanager
def measured(counted: Counter[str]) -> Iterator[None]:
    """`longest ms` is that of a transaction; `asked` counts requests to exchanges, `asked inside` those within one."""
    moments, over = [0], threading.Event()

    def count() -> None:
        while not over.wait(MOMENT_S):
            moments[0] += 1

    once, check = transactions._once, remote.check_outside_transaction

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = moments[0]
        try:
            return once(*args, **kwargs)
        finally:
            counted["transactions"] += 1
            counted["longest ms"] = max(counted["longest ms"], round((moments[0] - began) * MOMENT_S * 1000))

    def asked() -> None:
        counted["asked"] += 1
        counted["asked inside"] += transactions.is_inside()
        check()

    transactions._once, remote.check_outside_transaction = timed, asked  # type: ignore[assignment]
    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()
    transactions._once, remote.check_outside_transaction = once, check


class NotingPort(executors.ShortPort):
    """Writes down when each order passed the last check before its bytes leave [ms of the day's clock]."""

    def __init__(self, port: Any, tail_s: float, file: int) -> None:
        super().__init__(port, tail_s)
        self._file = file

    def place(self, order: NewOrder, *, check: Callable[[], None] | None = None) -> Any:
        def last() -> None:
            if check is not None:
                check()
            if not remote.is_halted(self._port._halt_file):
                os.write(self._file, f"{time.time_ns() // 1_000_000}\n".encode())

        return self._port.place(order, check=last)


class NotingPorts(executors.ShortPorts):
    def __init__(self, ports: executors.ShortPorts, path: str) -> None:
        super().__init__(ports.remote, executors.TAIL_S)
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def of(self, account_id: int) -> NotingPort:
        return NotingPort(self.remote.of(account_id), executors.TAIL_S, self._file)
