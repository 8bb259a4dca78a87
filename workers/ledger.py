"""Tells the database and Celery about sealed segments; the segments themselves are on disk and wait."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from apps.monitoring import batches
from apps.monitoring.segments import SealedBatch
from apps.monitoring.tasks import flush_queue, flush_segment
from workers.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

RETRY_S = 2.0
HELD = 1_000  # beyond that the scan of the folder has to find them
BROKER_QUIET_S = 5.0
# Celery's own patience, made for workers, is half a minute with a broker that stalls.
BROKER_OPTIONS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "max_retries": 1, "interval_start": 0}


class Ledger:
    """`register` notes one segment and wakes whoever flushes it; it is called in the database's thread."""

    def __init__(self, *, register: Callable[[SealedBatch], None]) -> None:
        self._register = register
        self._database = Database("ledger")
        self._sealed: deque[SealedBatch] = deque(maxlen=HELD)
        self._wake = asyncio.Event()
        self._away = False

    def sealed(self, batch: SealedBatch) -> None:
        self._sealed.append(batch)
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._drain():
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def close(self) -> None:
        """One last try: what the recorder sealed while it stopped."""
        await self._drain()
        await self._database.close()

    async def _drain(self) -> bool:
        """Whether everything is registered."""
        while self._sealed:
            try:
                await self._database.call(self._register, self._sealed[0])
            except DatabaseAwayError as error:
                if not self._away:
                    log.warning("segments are not registered, they stay on disk", error=str(error))
                self._away = True
                return False
            self._sealed.popleft()
        self._away = False
        return True


class Registrar:
    """Notes a segment and asks this host's worker to flush it.

    A broker that does not answer is left alone for a while, so that the database's thread is never held up for long:
    a message that is not sent or lost is replaced by the scan of the folder.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ask_again = -math.inf

    def __call__(self, batch: SealedBatch) -> None:
        batches.register(batch)
        if self._clock() < self._ask_again:
            return
        try:
            self._ask(batch)
        except OperationalError as error:
            self._ask_again = self._clock() + BROKER_QUIET_S
            log.warning("flush not asked for, the scan finds the segment", batch=batch.batch_id, error=str(error))

    def _ask(self, batch: SealedBatch) -> None:
        with current_app.connection(transport_options=BROKER_OPTIONS) as broker:
            flush_segment.apply_async([batch.batch_id], queue=flush_queue(batch.host), connection=broker, retry=False)
