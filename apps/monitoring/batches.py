"""The ledger of segments: what is known, what was sent, what is done; written by the flush and the scan."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.feeds.models import Daemon
from apps.monitoring import ledger
from apps.monitoring.flush import Segment
from apps.monitoring.models import BatchState, ChBatch
from apps.monitoring.segments import SealedBatch

MOST_ATTEMPTS = 5  # refusals; while ClickHouse cannot be reached nothing is counted
FRESH = timedelta(minutes=5)  # a batch that is older may have been sent before the ledger forgot it
NOT_FETCHED = timedelta(seconds=10)  # a message that was sent at sealing has had its chance
NOT_ANSWERED = timedelta(minutes=2)
PENDING = (BatchState.SEALED, BatchState.SENDING)


def register(batch: SealedBatch) -> bool:
    """Note a sealed segment; False when it was noted before."""
    span = batch.spans[0] if len(batch.spans) == 1 else None
    return ledger.register_batch(
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


def states(batch_ids: Iterable[str]) -> dict[str, str]:
    """Those that the ledger knows, with their states."""
    return dict(ChBatch.objects.filter(pk__in=list(batch_ids)).values_list("batch_id", "state"))


def begin(batch_id: str) -> Segment | None:
    """Note that a segment is about to be sent, before it is; None when there is nothing to send."""
    row = ChBatch.objects.filter(pk=batch_id, state__in=PENDING).first()
    if row is None:
        return None
    now = timezone.now()
    again = row.first_sent_at is not None or row.attempts > 0 or now - row.sealed_at > FRESH
    first_sent_at = Coalesce(F("first_sent_at"), Value(now))
    ChBatch.objects.filter(pk=batch_id, state__in=PENDING).update(state=BatchState.SENDING, first_sent_at=first_sent_at)
    return Segment(batch_id=row.batch_id, path=Path(row.path), rows=row.rows, sha256=row.sha256, again=again)


def done(batch_id: str) -> None:
    ChBatch.objects.filter(pk=batch_id).update(state=BatchState.DONE, done_at=timezone.now(), last_error="")


def away(batch_id: str, error: Exception) -> None:
    """Nothing was learned: the segment waits, as often as it takes."""
    ChBatch.objects.filter(pk=batch_id, state=BatchState.SENDING).update(
        state=BatchState.SEALED, last_error=str(error)[:500]
    )


def refused(batch_id: str, error: Exception) -> None:
    """Count a refusal; the last one that is allowed puts the segment aside."""
    sending = ChBatch.objects.filter(pk=batch_id, state=BatchState.SENDING)
    sending.update(state=BatchState.SEALED, attempts=F("attempts") + 1, last_error=str(error)[:500])
    sealed = ChBatch.objects.filter(pk=batch_id, state=BatchState.SEALED, attempts__gte=MOST_ATTEMPTS)
    sealed.update(state=BatchState.QUARANTINE)


def quarantine(batch_id: str, reason: str, *, was: Collection[BatchState] = PENDING) -> None:
    """Put a segment aside for a person; its file stays. What another worker has finished meanwhile stays finished."""
    found = ChBatch.objects.filter(pk=batch_id, state__in=was)
    found.update(state=BatchState.QUARANTINE, last_error=reason[:500])


def send_again(batch_id: str) -> None:
    """A segment that was done is not in ClickHouse any more."""
    ChBatch.objects.filter(pk=batch_id, state=BatchState.DONE).update(state=BatchState.SEALED, done_at=None)


def due(host: str, limit: int) -> list[str]:
    """Segments of this host that nobody works on, oldest first."""
    now = timezone.now()
    waiting = Q(state=BatchState.SEALED, sealed_at__lt=now - NOT_FETCHED)
    stuck = Q(state=BatchState.SENDING, first_sent_at__lt=now - NOT_ANSWERED)
    found = ChBatch.objects.filter(waiting | stuck, host=host).order_by("sealed_at")
    return list(found.values_list("batch_id", flat=True)[:limit])


def done_since(moment: datetime) -> dict[str, int]:
    """Rows of every segment that was done since then, by id."""
    found = ChBatch.objects.filter(state=BatchState.DONE, done_at__gte=moment)
    return dict(found.values_list("batch_id", "rows"))


def oldest_pending() -> datetime | None:
    """When the oldest segment that ClickHouse does not have was sealed."""
    return (
        ChBatch.objects.exclude(state=BatchState.DONE).order_by("sealed_at").values_list("sealed_at", flat=True).first()
    )


def hosts() -> set[str]:
    """Every host that may have a spool."""
    pending = ChBatch.objects.filter(state__in=PENDING).values_list("host", flat=True)
    return {*Daemon.objects.values_list("host", flat=True), *pending}
