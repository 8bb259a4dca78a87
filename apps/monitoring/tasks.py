"""What Celery does for the history. Every task may run twice; what it could not do, the next scan does."""

import socket
from datetime import timedelta
from pathlib import Path

import structlog
from celery import shared_task
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from django.conf import settings
from django.utils import timezone

from apps.monitoring import audit, batches, clickhouse, flush, folders, ledger, long_gaps
from apps.monitoring.clickhouse import AwayError, UnsafeTableError
from apps.monitoring.models import BatchState

SCAN_EVERY_S = 5
AT_ONCE = 100
SETTLED = timedelta(minutes=5)  # younger rows may still be on their way
AUDITED = timedelta(hours=26)
log = structlog.get_logger(__name__)


def flush_queue(host: str) -> str:
    """The queue of the host on whose disk the segments lie."""
    return f"flush.{host}"


def _client() -> Client:
    return clickhouse.shared(settings.CLICKHOUSE_URL, settings.CT_HISTORY_DAYS)


@shared_task
def flush_segment(batch_id: str) -> None:
    """Send one segment to ClickHouse; safe any number of times, from any number of workers."""
    segment = batches.begin(batch_id)
    if segment is None:
        return
    try:
        folders.restore(segment.path)
        flush.send(_client(), segment)
    except (AwayError, UnsafeTableError) as error:
        if isinstance(error, flush.TablesGoneError):
            clickhouse.forget(settings.CLICKHOUSE_URL, settings.CT_HISTORY_DAYS)
        batches.away(batch_id, error)
        log.warning("flush_waits", batch_id=batch_id, error=str(error))
    except flush.Quarantined as verdict:
        batches.quarantine(batch_id, str(verdict))
        log.error("segment_quarantined", batch_id=batch_id, reason=str(verdict))
    except ClickHouseError as error:
        batches.refused(batch_id, error)
        log.error("flush_refused", batch_id=batch_id, error=str(error))
    else:
        batches.done(batch_id)
        folders.retire(segment.path, timezone.now())


@shared_task
def scan_spools() -> None:
    """Ask every host to look into its spool."""
    for host in {socket.gethostname(), *batches.hosts()}:
        scan_spool.apply_async(queue=flush_queue(host), expires=SCAN_EVERY_S)


@shared_task
def scan_spool() -> None:
    """Bring ledger and queue up to what lies in this host's folders, after any outage of database, broker or daemon."""
    root = settings.CT_DATA_DIR / "spool"
    folders.salvage(root)
    register_sealed(root)
    for path, gaps in folders.gaps(root):
        ledger.record_gaps(gaps=gaps)
        path.unlink(missing_ok=True)
    try:
        reachable = _client().ping()
    except (AwayError, UnsafeTableError, ClickHouseError) as error:
        log.warning("clickhouse_away", error=str(error))
        return
    if reachable:
        for batch_id in batches.due(socket.gethostname(), AT_ONCE):
            # What is not fetched until the next scan asks again is dropped: the queue never grows in an outage.
            flush_segment.apply_async([batch_id], queue=flush_queue(socket.gethostname()), expires=2 * SCAN_EVERY_S)


def register_sealed(root: Path) -> None:
    """Segments that the ledger does not know are noted; those that it knows as done are put away."""
    found = {batch.batch_id: batch for batch in folders.sealed(root)}
    known = batches.states(found)
    for batch_id, batch in found.items():
        if batch_id not in known:
            batches.register(batch)
        elif known[batch_id] == BatchState.DONE:
            folders.retire(Path(batch.path), timezone.now())


@shared_task
def watch_gaps() -> None:
    """Call a person for what has been missing for long."""
    long_gaps.watch()


@shared_task
def clean_spools() -> None:
    """Ask every host to delete what has long been in ClickHouse."""
    for host in {socket.gethostname(), *batches.hosts()}:
        clean_spool.apply_async(queue=flush_queue(host), expires=3600)


@shared_task
def clean_spool() -> None:
    folders.clean(settings.CT_DATA_DIR / "spool", timezone.now())


@shared_task
def audit_history() -> None:
    """Count again: no number of a stream is missing or doubled, every done batch is there, or it is sent again."""
    now = timezone.now()
    oldest = batches.oldest_pending()
    until = (now if oldest is None else min(now, oldest)) - SETTLED
    client = _client()
    for tile in audit.tiles(client, now - AUDITED, until):
        if tile.missing or tile.doubled:
            log.error("history_has_holes", tile=tile, missing=tile.missing, doubled=tile.doubled)
    rows = batches.done_since(now - AUDITED)
    for batch_id, have in audit.counts(client, list(rows)).items():
        if have == 0:
            batches.send_again(batch_id)
            log.error("batch_lost", batch_id=batch_id, rows=rows[batch_id])
        elif have != rows[batch_id]:
            reason = f"ClickHouse has {have} of {rows[batch_id]} rows"
            batches.quarantine(batch_id, reason, was=[BatchState.DONE])
            log.error("batch_incomplete", batch_id=batch_id, rows=rows[batch_id], have=have)
