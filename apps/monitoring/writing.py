"""One turn of the recorder's writer."""

from collections import deque
from dataclasses import dataclass, field

from apps.monitoring.batching import Ended, OpenBatch
from apps.monitoring.gaps import Gap
from apps.monitoring.segments import SealedBatch, State, named
from apps.monitoring.spool import Spool


@dataclass(slots=True)
class Job:
    """What is done leaves the queues: a job that the disk refused is tried again as it is."""

    blocks: dict[OpenBatch, list[bytes]]
    floor_ns: int  # everything received up to here was written by earlier jobs
    received_ns: int  # everything received up to here is written by this one
    ended: deque[Ended]
    gaps: list[Gap]
    final: State | None = None
    sealed: list[SealedBatch] = field(default_factory=list)
    written: list[tuple[int, int]] = field(default_factory=list)  # rows and bytes of each block

    def run(self, spool: Spool, now_ns: int) -> None:
        """Write, sync when due, seal. Raise OSError with everything that is not done still in the queues."""
        while self.blocks:
            batch, rows = next(iter(self.blocks.items()))
            spool.append(batch.batch_id, named(batch.batch_id).table, rows, self.floor_ns)
            del self.blocks[batch]
            self.written.append((len(rows), sum(map(len, rows))))
        spool.sync_if_due()
        if self.gaps:
            spool.write_gaps(self.gaps)
            self.gaps = []
        while self.ended:
            self._seal(spool, self.ended[0], now_ns)
            self.ended.popleft()
        if self.final is not None:
            spool.write_state(self.final)
            self.final = None

    def _seal(self, spool: Spool, ended: Ended, now_ns: int) -> None:
        ended.state.recorded_until_ns = self.received_ns
        spool.write_state(ended.state)  # first: a sealed segment is not read again at the next start
        self.sealed.append(spool.seal(ended.batch.batch_id, ended.batch.day, ended.spans, now_ns))
