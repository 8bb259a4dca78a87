"""What this process costs: CPU, memory, and how late its event loop is."""

import asyncio
import os
import time
from pathlib import Path

STATM = Path("/proc/self/statm")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
BEAT_S = 0.05


class Cpu:
    """Share of one core since the last reading."""

    def __init__(self) -> None:
        self._wall, self._busy = time.monotonic(), time.process_time()

    def percent(self) -> float:
        wall, busy = time.monotonic(), time.process_time()
        passed, used = wall - self._wall, busy - self._busy
        self._wall, self._busy = wall, busy
        return round(100 * used / passed, 1) if passed > 0 else 0.0


class LoopLag:
    """How much later than asked the event loop woke us: the worst since the last reading."""

    def __init__(self) -> None:
        self._worst_s = 0.0

    async def run(self) -> None:
        while True:
            due = time.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._worst_s = max(self._worst_s, time.monotonic() - due)

    def take_ms(self) -> float:
        worst_s, self._worst_s = self._worst_s, 0.0
        return round(worst_s * 1_000, 1)


def rss_mb() -> float:
    """Resident memory; 0 where the system does not tell."""
    try:
        return round(int(STATM.read_text().split()[1]) * PAGE_MB, 1)
    except OSError:
        return 0.0
