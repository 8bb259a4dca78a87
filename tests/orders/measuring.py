"""What an executor's process does to its database, as numbers that a test may judge.

Durations are in moments in which this process ran: what the machine takes away from it does not count.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apps.trading.execution.gateway import asking
from apps.trading.execution.runtime import transactions

MOMENT_S = 0.005


@contextmanager
def measured(counted: Counter[str]) -> Iterator[None]:
    """`longest ms` is that of a transaction; `asked` counts requests to exchanges, `asked inside` those within one."""
    moments, over = [0], threading.Event()

    def count() -> None:
        while not over.wait(MOMENT_S):
            moments[0] += 1

    once, check = transactions._once, asking.check_outside_transaction

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

    transactions._once, asking.check_outside_transaction = timed, asked  # type: ignore[assignment]
    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()
    transactions._once, asking.check_outside_transaction = once, check
