"""scheduleCancel: at a time that the account keeps putting off all its orders are cancelled."""

from collections.abc import Callable
from decimal import Decimal

from apps.feeds.simulator.hyperliquid.actions import ScheduleCancel
from apps.feeds.simulator.trading import dead_men
from apps.feeds.simulator.trading.accounts import Account, Order
from apps.feeds.simulator.trading.desk import Desk

SHORTEST_MS = 5_000
LEAST_VOLUME = Decimal(1_000_000)
MOST_STRIKES = 10  # in a day
DAY_MS = 86_400_000
SWITCH = "scheduleCancel"
TOO_EARLY = "Scheduled cancel time too early, must be at least 5 seconds from now."
TOO_MANY = "Too many scheduled cancels were triggered today."


class DeadMan:
    def __init__(self, desk: Desk, volume: Callable[[Account], Decimal]) -> None:
        self._desk = desk
        self._volume = volume
        self._struck: dict[tuple[str, int], int] = {}  # (account, day) -> how often

    def schedule(self, account: Account, action: ScheduleCancel) -> str | None:
        """What is wrong with it; None when it is done. Without a time it is taken off."""
        if action.time is None:
            dead_men.release(account, SWITCH)
            return None
        volume, now_ms = self._volume(account), self._desk.now_ms()
        if volume < LEAST_VOLUME:
            return (
                "Cannot set scheduled cancel time until enough volume traded. "
                f"Required: ${LEAST_VOLUME}. Traded: ${volume:.2f}."
            )
        if action.time < now_ms + SHORTEST_MS:
            return TOO_EARLY
        day = account.name, now_ms // DAY_MS
        if self._struck.get(day, 0) >= MOST_STRIKES:
            return TOO_MANY
        dead_men.press(
            self._desk, account, SWITCH, (action.time - now_ms) / 1000, _all, then=lambda: self._count(account)
        )
        return None

    def _count(self, account: Account) -> None:
        day = account.name, self._desk.now_ms() // DAY_MS
        self._struck[day] = self._struck.get(day, 0) + 1


def _all(order: Order) -> bool:
    return True
