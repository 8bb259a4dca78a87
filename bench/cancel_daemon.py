"""`python -m bench.cancel_daemon FILE`: a daemon of role `both` that notes in FILE where each cancel's time goes.

One line of JSON for each request of a cancel that leaves: its order, and in nanoseconds of the host's clock when its
steps were done, see STEPS.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any

# in the order in which they happen, and what was waited for since the one before
STEPS = {
    "heard": "the hint has come to the daemon",
    "begun": "a thread has begun with the account",
    "due": "what is due is read",
    "claimed": "this attempt is committed",
    "turn": "the loop of requests has begun with it",
    "left": "its turn under the limits, and the bytes leave",
}


class Notes:
    """Moments of the thread that works on an account; `heard` is told by another."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._own = threading.local()
        self._heard_ns = 0

    def heard(self, account_id: int | None) -> None:
        if account_id is not None:
            self._heard_ns = time.time_ns()

    def begin(self) -> None:
        now_ns = time.time_ns()
        self._own.moments = {"heard": self._heard_ns or now_ns, "begun": now_ns}  # no hint yet: the sweep has found it

    def step(self, name: str) -> None:
        self._own.moments[name] = time.time_ns()

    def claimed(self, orders: list[int]) -> None:
        self._own.moments |= {"claimed": time.time_ns(), "order": orders[0] if orders else None}

    def asked(self) -> dict[str, Any]:
        return dict(getattr(self._own, "moments", {}))

    def write(self, moments: dict[str, Any]) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps(moments) + "\n")


def listen(notes: Notes) -> None:
    """Notes stand beside what the daemon does anyway."""
    from apps.feeds.transport import orders
    from apps.feeds.transport.orders import OrderClient, Purpose
    from apps.trading.execution.cancels import cancelling
    from workers.trader.wakes import Wakes

    vars(cancelling)["_due"] = _after(cancelling._due, lambda _: notes.step("due"))
    vars(cancelling)["_claim"] = _after(cancelling._claim, notes.claimed)
    whole, ask, leaves = cancelling.cancel_account, OrderClient.ask, orders._leaves
    of_task: ContextVar[dict[str, Any] | None] = ContextVar("moments", default=None)

    def cancel_account(*args: Any, **kwargs: Any) -> int:
        notes.begin()
        return whole(*args, **kwargs)

    def asked(self: OrderClient, *args: Any, **kwargs: Any) -> Any:
        """Called by the thread, which waits; what it returns runs in the loop."""
        moments, request = notes.asked(), ask(self, *args, **kwargs)

        async def turn() -> Any:
            of_task.set(moments | {"turn": time.time_ns()})
            return await request

        return turn() if args[3] is Purpose.CANCEL else request

    async def left(*args: Any) -> None:
        if (moments := of_task.get()) is not None:
            notes.write(moments | {"left": time.time_ns()})
        await leaves(*args)

    vars(cancelling)["cancel_account"] = cancel_account
    vars(orders)["_leaves"] = left
    setattr(Wakes, "take_cancels", _after(Wakes.take_cancels, notes.heard))  # noqa: B010 (mypy lets nobody assign it)
    setattr(OrderClient, "ask", asked)  # noqa: B010


def _after(call: Callable[..., Any], tell: Callable[[Any], None]) -> Callable[..., Any]:
    @wraps(call)
    def called(*args: Any, **kwargs: Any) -> Any:
        found = call(*args, **kwargs)
        tell(found)
        return found

    return called


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctweb.settings"
    import django

    django.setup()
    from workers import __main__ as workers

    listen(Notes(Path(sys.argv[1])))
    sys.exit(workers.main(["--role", "both"]))


if __name__ == "__main__":
    main()
