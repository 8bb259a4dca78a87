"""The spool folder of one daemon: append-only segments that survive a kill, and what recovery makes of them.

    <batch_id>.part   rows of the open segment, nothing else: the file is the insert
    <batch_id>.idx    one line of fixed size per block of it: offset, bytes, rows, crc32, floor
    <batch_id>.json   SealedBatch; written before the rename
    <batch_id>.seg    the sealed segment; it moves to done/<hour>/ with its .json when ClickHouse has it
    gaps-*.json       gaps that the database does not have yet
    state.json        State

A block's floor is a receive time: when the block was written, everything received before lay on disk in all tables.
All methods block on the disk and belong into a thread; OSError leaves everything as it was, to be tried again.
"""

import fcntl
import hashlib
import os
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep, time_ns
from typing import IO

import msgspec
import structlog

from apps.monitoring.blocks import Segment, Whole, whole_blocks
from apps.monitoring.gaps import Gap
from apps.monitoring.rows import NO_SEQ, UPDATES, RowFacts, facts
from apps.monitoring.segments import Place, SealedBatch, Span, State, named

SYNC_S = 0.2
SYNC_BYTES = 1 << 20
DAEMON = re.compile(r"[A-Za-z0-9._-]{0,63}[A-Za-z0-9_-]")
log = structlog.get_logger(__name__)


class SpoolBusyError(Exception):
    """Another process records into this folder."""


class Spool:
    """The folder, held by one process."""

    def __init__(self, directory: Path, daemon: str, *, wait_s: float = 1.0) -> None:
        """Raise SpoolBusyError when another process holds the folder, ValueError for a name that cannot be a file's."""
        if DAEMON.fullmatch(daemon) is None:
            raise ValueError(f"daemon id {daemon!r}: letters, digits, dot, dash and underscore, at most 64")
        self.directory = (directory / daemon).resolve()
        self.daemon = daemon
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock = _hold(self.directory, wait_s)
        self._segments: dict[str, Segment] = {}
        self._synced_at = monotonic()
        self._gap_files = 0

    def append(self, batch_id: str, table: str, rows: list[bytes], floor_ns: int) -> None:
        segment = self._segments.get(batch_id)
        if segment is None:
            segment = self._segments[batch_id] = Segment(self.directory, batch_id, table)
        segment.append(rows, floor_ns)

    def sync_if_due(self) -> None:
        """Make rows safe from a power cut: every 200 ms or 1 MB, whichever comes first."""
        unsynced = sum(segment.unsynced for segment in self._segments.values())
        if unsynced >= SYNC_BYTES or (unsynced and monotonic() - self._synced_at >= SYNC_S):
            for segment in self._segments.values():
                segment.sync()
            self._synced_at = monotonic()

    def seal(self, batch_id: str, day: str, spans: list[Span], sealed_ns: int) -> SealedBatch:
        segment = self._segments[batch_id]
        whole = Whole(size=segment.size, rows=segment.rows)
        batch = self._describe(segment.part, segment.table, day, whole, segment.finish(), spans, sealed_ns)
        self._publish(batch)
        segment.close()
        del self._segments[batch_id]
        return batch

    def write_state(self, state: State) -> None:
        _write_whole(self.directory / "state.json", msgspec.json.encode(state))

    def write_gaps(self, gaps: list[Gap]) -> None:
        name = f"gaps-{time_ns()}-{self._gap_files}.json"
        _write_whole(self.directory / name, msgspec.json.encode(gaps))
        self._gap_files += 1

    def waiting(self) -> tuple[int, int, float | None]:
        """Sealed segments that ClickHouse does not have yet: how many, their bytes, when the oldest was sealed (s)."""
        found = []
        for entry in os.scandir(self.directory):
            if entry.name.endswith(".seg"):
                with suppress(FileNotFoundError):  # another process has just seen it in ClickHouse
                    found.append(entry.stat())
        open_bytes = sum(segment.size for segment in self._segments.values())
        oldest = min((stat.st_mtime for stat in found), default=None)
        return len(found), sum(stat.st_size for stat in found) + open_bytes, oldest

    def close(self) -> None:
        for segment in self._segments.values():
            segment.close()
        self._lock.close()

    def recover(self) -> tuple[State, list[SealedBatch]]:
        """Seal what an unclean stop left open, cut at the last whole block, and tell where the record ends."""
        state = self._read_state()
        sealed = []
        for part in sorted(self.directory.glob("*.part")):
            batch = self._recover_segment(part, state)
            if batch is not None:
                sealed.append(batch)
        if sealed:
            self.write_state(state)
        return state, sealed

    def _read_state(self) -> State:
        try:
            return msgspec.json.decode((self.directory / "state.json").read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except msgspec.DecodeError as error:
            log.error("spool_state_unreadable", directory=str(self.directory), error=str(error))
            return State()

    def _recover_segment(self, part: Path, state: State) -> SealedBatch | None:
        _, table, day = named(part.stem)
        index = part.with_suffix(".idx")
        whole = whole_blocks(part, index)
        if whole.rows == 0:
            part.unlink()
            index.unlink(missing_ok=True)
            return None
        cut = part.stat().st_size - whole.size
        os.truncate(part, whole.size)
        data = part.read_bytes()
        found = list(facts(table, data))
        note(state, table, found, whole.floor_ns)
        sha = hashlib.sha256(data).hexdigest()
        batch = self._describe(part, table, day, whole, sha, spans_of(found), time_ns())
        self._publish(batch)
        log.warning("segment_recovered", batch_id=batch.batch_id, rows=whole.rows, cut_bytes=cut)
        return batch

    def _describe(
        self, part: Path, table: str, day: str, whole: Whole, sha: str, spans: list[Span], sealed_ns: int
    ) -> SealedBatch:
        return SealedBatch(
            batch_id=part.stem,
            table=table,
            daemon=self.daemon,
            host=socket.gethostname(),
            path=str(part.with_suffix(".seg")),
            day=day,
            rows=whole.rows,
            bytes=whole.size,
            sha256=sha,
            sealed_ns=sealed_ns,
            spans=spans,
        )

    def _publish(self, batch: SealedBatch) -> None:
        path = Path(batch.path)
        _write_whole(path.with_suffix(".json"), msgspec.json.encode(batch))
        part = path.with_suffix(".part")
        if part.exists():  # not when an earlier try got this far
            part.rename(path)
        _sync_directory(self.directory)
        path.with_suffix(".idx").unlink(missing_ok=True)


def note(state: State, table: str, rows: Iterable[RowFacts], floor_ns: int) -> None:
    """Bring `state` up to these rows, which follow what it knows."""
    state.clean = False
    state.recorded_until_ns = max(state.recorded_until_ns, floor_ns)
    numbers = state.numbers.setdefault(table, {})
    for row in rows:
        numbers[row.stream] = max(numbers.get(row.stream, (0, 0)), (row.epoch, row.event_no))
        if table == UPDATES:
            seq = None if row.seq == NO_SEQ else row.seq
            book = f"{row.exchange}:{row.market_type}:{row.pair}"
            state.books[book] = Place(stream=row.stream, epoch=row.epoch, seq=seq)


def spans_of(rows: Iterable[RowFacts]) -> list[Span]:
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    for row in rows:
        first, _ = ends.get((row.stream, row.epoch), (row.event_no, 0))
        ends[row.stream, row.epoch] = (first, row.event_no)
    return [Span(stream=s, epoch=e, first_no=first, last_no=last) for (s, e), (first, last) in ends.items()]


def _hold(directory: Path, wait_s: float) -> IO[str]:
    """Lock the folder; a salvager that has it lets go within a moment."""
    lock = (directory / ".lock").open("a")
    deadline = monotonic() + wait_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError as error:
            if monotonic() >= deadline:
                lock.close()
                raise SpoolBusyError(f"another process records into {directory}") from error
        sleep(0.05)


def _write_whole(path: Path, data: bytes) -> None:
    """Replace a file by another in one step, also across a power cut."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
