"""Sealed segments for the tests of the flush."""

from itertools import count
from pathlib import Path

from apps.monitoring.flush import Segment
from apps.monitoring.rows import UPDATES, prefix, text, update_row
from apps.monitoring.segments import SealedBatch, Span
from apps.monitoring.spool import Spool
from apps.monitoring.tests.events import NOON_NS, STREAM, delta, instrument

numbers = count(1)


def seal(root: Path, rows: int = 100, first_no: int = 1, daemon: str = "d1") -> SealedBatch:
    """A segment of `rows` updates with numbers from `first_no`, in the folder of a daemon that is not running."""
    batch_id = f"{daemon}-{UPDATES}-20250301-0x0x{next(numbers)}"
    head = text(batch_id) + prefix(instrument(), STREAM, 7)
    last_no = first_no + rows - 1
    spool = Spool(root, daemon)
    events = [head + update_row(delta(no, NOON_NS + no * 1000), no) for no in range(first_no, last_no + 1)]
    spool.append(batch_id, UPDATES, events, NOON_NS)
    span = Span(stream=STREAM, epoch=7, first_no=first_no, last_no=last_no)
    batch = spool.seal(batch_id, "20250301", [span], NOON_NS)
    spool.close()
    return batch


def outgoing(batch: SealedBatch, *, again: bool = False) -> Segment:
    return Segment(batch_id=batch.batch_id, path=Path(batch.path), rows=batch.rows, sha256=batch.sha256, again=again)
