"""Dead man's switches: orders of an account that end by themselves when nobody has pressed for too long."""

import asyncio
from collections.abc import Callable, Hashable

from apps.feeds.simulator.trading.accounts import Account, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Ended

PACE = 1.0  # how long a second of a switch takes; tests cannot wait a minute


def press(
    desk: Desk,
    account: Account,
    name: Hashable,
    seconds: float,
    ends: Callable[[Order], bool],
    most: int | None = None,
    then: Callable[[], None] = lambda: None,
) -> None:
    """Begin to wait anew until the open orders that `ends` picks are cancelled, at most so many, the oldest.

    An account has one of each name.
    """
    release(account, name)

    def strike() -> None:
        del account.switches[name]
        for order in [order for order in account.open.values() if ends(order)][:most]:
            desk.cancel(account, order, Ended.DEAD_MAN)
        then()

    account.switches[name] = asyncio.get_running_loop().call_later(seconds * PACE, strike)


def release(account: Account, name: Hashable) -> None:
    timer = account.switches.pop(name, None)
    if timer is not None:
        timer.cancel()
