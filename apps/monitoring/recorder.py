"""The daemon's recorder: every accepted book event and trade becomes one row on disk, or lies in a gap with a reason.

The event loop encodes rows and holds them in the ring; one thread writes, syncs and seals. When the ring is full
because the disk is behind, new events are shed, and each book's shed events become one exact gap.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex

import structlog
from msgspec import Struct

from apps.feeds.market import BookDelta, BookSnapshot, Instrument, PublicTrade
from apps.monitoring.batching import Batcher, Lane, OpenBatch
from apps.monitoring.gaps import Gap, Shed
from apps.monitoring.ring import Ring
from apps.monitoring.rows import TRADES, UPDATES, trade_row, update_row
from apps.monitoring.segments import SealedBatch, State
from apps.monitoring.spool import Spool
from apps.monitoring.writing import Job

WRITE_EVERY_S = 0.025
RETRY_S = 0.5
MEASURE_EVERY_S = 1.0
RING_BYTES = 64 << 20
log = structlog.get_logger(__name__)


class Stats(Struct, kw_only=True):
    rows_s: float = 0.0  # over the last second
    spool_bytes: int = 0  # sealed and open, not in ClickHouse yet
    waiting: int = 0  # sealed segments that ClickHouse does not have
    lag_s: float = 0.0  # age of the oldest of them
    ring_rows: int = 0  # not written yet
    shed: int = 0  # since the start


class Recorder:
    """Used in one event loop; nothing in it waits for the disk or the network.

    `on_sealed` gets each sealed segment, in the event loop, and must not block. `on_shed` gets the instruments of
    which events were shed, once there is room again: their record goes on with a fresh snapshot only.
    """

    def __init__(
        self,
        *,
        directory: Path,
        daemon: str,
        batch_size: int,
        batch_interval_s: float,
        on_sealed: Callable[[SealedBatch], None],
        on_shed: Callable[[list[Instrument]], None] | None = None,
        ring_capacity: int = 200_000,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Hold the folder and recover what an unclean stop left in it (this blocks: at start only).

        Raise SpoolBusyError when another process records there, OSError when the folder cannot be written.
        """
        self._spool = Spool(directory, daemon)
        former, self._recovered = self._spool.recover()
        self._received_ns = self._floor_ns = former.recorded_until_ns
        self._batches = Batcher(
            daemon, former, nonce=token_hex(3), batch_size=batch_size, interval_ns=int(batch_interval_s * 1e9)
        )
        self._on_sealed = on_sealed
        self._on_shed = on_shed
        self._clock = clock
        self._ring: Ring[OpenBatch] = Ring(rows=ring_capacity, size=RING_BYTES)
        self._shed = Shed(daemon)
        self._gaps: list[Gap] = []
        self._jobs: deque[Job] = deque()
        self._refused = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._rows = 0
        self.stats = Stats()

    def book(self, instrument: Instrument, stream: str, epoch: int, event: BookSnapshot | BookDelta) -> None:
        """Record one event of a book; `stream` is its shard, `epoch` the fence that the shard is held with."""
        lane = self._batches.lane(UPDATES, stream, instrument.symbol)
        if lane is None or lane.counter.epoch != epoch:
            lane = self._batches.open_lane(UPDATES, instrument, stream, epoch)
            if gap := self._batches.restart_gap(lane, event.seq, event.received_ns):
                self._gaps.append(gap)
        if self._ring.full:
            self._shed.add(UPDATES, instrument, stream, epoch, event.seq, event.received_ns)
            return
        batch = self._batches.batch(lane.table, event.received_ns)
        lane.seq = event.seq
        lane.counter.no += 1
        self._hold(batch, lane, update_row(event, lane.counter.no), event.received_ns)

    def trade(self, instrument: Instrument, stream: str, epoch: int, trade: PublicTrade) -> None:
        lane = self._batches.lane(TRADES, stream, instrument.symbol)
        if lane is None or lane.counter.epoch != epoch:
            lane = self._batches.open_lane(TRADES, instrument, stream, epoch)
        if self._ring.full:
            self._shed.add(TRADES, instrument, stream, epoch, None, trade.received_ns)
            return
        batch = self._batches.batch(lane.table, trade.received_ns)
        lane.counter.no += 1
        self._hold(batch, lane, trade_row(trade, lane.counter.no), trade.received_ns)

    def gap(self, gap: Gap) -> None:
        """Keep a gap until the ledger has it."""
        self._gaps.append(gap)

    async def run(self) -> None:
        """Write what is held until cancelled. `close` must follow."""
        for batch in self._recovered:
            self._on_sealed(batch)
        measured, rows = time.monotonic(), 0
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            self._batches.end_old(self._clock())
            if not await self._write():
                await asyncio.sleep(RETRY_S)
            if (elapsed := time.monotonic() - measured) >= MEASURE_EVERY_S:
                await self._measure((self._rows - rows) / elapsed)
                measured, rows = time.monotonic(), self._rows

    async def close(self) -> None:
        """Write, sync and seal everything, then let the folder go.

        What the disk refuses now stays on disk as it is, and recovery seals it at the next start.
        """
        self._gaps += self._shed.close()
        self._batches.end_all()
        state = self._batches.state(UPDATES, TRADES)
        state.clean, state.recorded_until_ns = True, self._clock()
        await self._write(final=state)
        self._thread.submit(self._spool.close)
        self._thread.shutdown()

    def _hold(self, batch: OpenBatch, lane: Lane, rest: bytes, received_ns: int) -> None:
        row = batch.id_text + lane.prefix + rest
        batch.rows += 1
        batch.size += len(row)
        self._ring.push(batch, row)
        self._rows += 1
        if received_ns > self._received_ns:
            self._received_ns = received_ns

    async def _write(self, final: State | None = None) -> bool:
        """Run what is left of earlier jobs, then what is held now; False when the disk refused."""
        self._jobs.append(self._next_job(final))
        while self._jobs:
            job = self._jobs[0]
            future = asyncio.get_running_loop().run_in_executor(self._thread, job.run, self._spool, self._clock())
            await asyncio.wait({future})  # when this is cancelled the job ends all the same, and `close` meets it here
            self._settle(job)
            if (error := future.exception()) is not None:
                self._refuse(error)
                return False
            self._jobs.popleft()
        self._refused = False
        return True

    def _next_job(self, final: State | None) -> Job:
        floor_ns, self._floor_ns = self._floor_ns, self._received_ns
        gaps, self._gaps = self._gaps, []
        ended, self._batches.ended = self._batches.ended, deque()
        return Job(
            blocks=self._ring.take(),
            floor_ns=floor_ns,
            received_ns=self._received_ns,
            ended=ended,
            gaps=gaps,
            final=final,
        )

    def _settle(self, job: Job) -> None:
        """Account for what a job has done so far."""
        for rows, size in job.written:
            self._ring.written(rows, size)
        for batch in job.sealed:
            self._on_sealed(batch)
        job.written, job.sealed = [], []
        if self._shed and not self._ring.full:
            instruments = self._shed.instruments()
            self._gaps += self._shed.close()
            if self._on_shed is not None:
                self._on_shed(instruments)

    def _refuse(self, error: BaseException) -> None:
        if not isinstance(error, OSError):
            raise error
        if not self._refused:  # once per outage, not twice a second
            log.error("spool_refused", error=str(error), ring_rows=self._ring.rows)
        self._refused = True

    async def _measure(self, rows_s: float) -> None:
        loop = asyncio.get_running_loop()
        count, size, oldest = await loop.run_in_executor(self._thread, self._spool.waiting)
        lag_s = 0.0 if oldest is None else max(0.0, time.time() - oldest)
        self.stats = Stats(
            rows_s=rows_s,
            spool_bytes=size,
            waiting=count,
            lag_s=lag_s,
            ring_rows=self._ring.rows,
            shed=self._shed.total,
        )
