"""The ledger of what was recorded: sealed segments, and gaps."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from apps.monitoring import long_gaps
from apps.monitoring.gaps import Gap
from apps.monitoring.models import ChBatch, FeedGap

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def register_batch(*, batch_id: str, **columns: Any) -> bool:
    """Note a sealed segment in the ledger, with the columns of `ChBatch`; False when it was noted before."""
    _, created = ChBatch.objects.get_or_create(batch_id=batch_id, defaults=columns)
    return created


@transaction.atomic
def record_gaps(*, gaps: Iterable[Gap]) -> None:
    """Note gaps in the ledger; one that is reported again gets the end that it has now."""
    gaps = list(gaps)
    long_gaps.tell(gaps)
    for gap in gaps:
        FeedGap.objects.update_or_create(
            exchange=gap.exchange,
            market_type=gap.market_type,
            pair=gap.pair,
            daemon=gap.daemon,
            from_ts=_time(gap.from_ns),
            defaults={
                "stream": gap.stream,
                "epoch": gap.epoch,
                "fence": gap.epoch,
                "from_seq": gap.from_seq,
                "to_seq": gap.to_seq,
                "to_ts": None if gap.to_ns is None else _time(gap.to_ns),
                "reason": gap.reason[:200],
                "ended_by": gap.ended_by[:64],
            },
        )


def _time(at_ns: int) -> datetime:
    return EPOCH + timedelta(microseconds=at_ns // 1000)
