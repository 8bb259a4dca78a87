"""What this process has sent under each limit, and which exchanges it keeps away from: one count for all its loops."""

import threading
import time

from apps.feeds.drivers.base import Rate
from apps.feeds.transport.limits import SlidingWindow


class Tally:
    """Gates of several event loops, each in a thread of its own, may count here; every call is one step for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, SlidingWindow] = {}
        self._opens: dict[str, float] = {}  # monotonic, by door

    def delay(self, gate: str, rate: Rate, weight: int, *, spare: int) -> float:
        """Seconds until `weight` fits; see `SlidingWindow.delay`. The rate of a name is that of who asks first."""
        with self._lock:
            return self._window(gate, rate).delay(time.monotonic(), weight, spare=spare)

    def take(self, gate: str, rate: Rate, weight: int, *, spare: int) -> float:
        """The same; 0.0: it fitted, and is counted."""
        with self._lock:
            window, now = self._window(gate, rate), time.monotonic()
            delay = window.delay(now, weight, spare=spare)
            if delay <= 0:
                window.take(now, weight)
            return delay

    def shut_s(self, door: str) -> float:
        """Seconds for which it is still shut."""
        return max(0.0, self._opens.get(door, 0.0) - time.monotonic())

    def shut(self, door: str, for_s: float) -> None:
        """A longer time to stay away is not cut short by a shorter one."""
        with self._lock:
            self._opens[door] = max(self._opens.get(door, 0.0), time.monotonic() + for_s)

    def _window(self, gate: str, rate: Rate) -> SlidingWindow:
        window = self._windows.get(gate)
        if window is None:
            window = self._windows[gate] = SlidingWindow(rate)
        return window
