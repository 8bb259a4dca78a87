"""Tells the database and Celery about sealed segments; the segments themselves are on disk and wait."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from apps.monitoring import services
from apps.monitoring.segments import SealedBatch
from workers.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

RETRY_S = 2.0
FLUSH = "apps.monitoring.tasks.flush_segment"
HELD = 1_000  # beyond that the scan of the folder has to find them


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


def register(batch: SealedBatch) -> None:
    """Note the segment and ask this host's worker to flush it; a message that is lost is replaced by the scan."""
    span = batch.spans[0] if len(batch.spans) == 1 else None
    services.register_batch(
        batch_id=batch.batch_id,
        table_name=batch.table,
        stream=span and span.stream,
        epoch=span and span.epoch,
        first_no=span and span.first_no,
        last_no=span and span.last_no,
        daemon=batch.daemon,
        host=batch.host,
        path=batch.path,
        rows=batch.rows,
        bytes=batch.bytes,
        sha256=batch.sha256,
        sealed_at=datetime.fromtimestamp(batch.sealed_ns / 1e9, UTC),
    )
    try:
        current_app.send_task(FLUSH, args=[batch.batch_id], queue=f"flush.{batch.host}", retry=False)
    except OperationalError as error:
        log.warning("flush not asked for, the scan finds the segment", batch=batch.batch_id, error=str(error))
