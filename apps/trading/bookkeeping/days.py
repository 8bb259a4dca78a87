"""Days of accounts, from midnight to midnight UTC: when one began, and that what was before it is to be reckoned anew.

`RiskUsage.began` is what had added up by then, see `usage`. Once it is reckoned, `SUMS` are in it; `MARKS`, the prices
that positions had as the day began, stay, since nobody tells them again; `UNPRICED` are pairs of positions without one.
"""

from datetime import UTC, datetime, time
from typing import Any

from apps.trading import records
from apps.trading.models import RiskUsage

SUMS, MARKS, UNPRICED = "sums", "marks", "unpriced"
Began = dict[str, Any]


def began_ms(now: datetime) -> int:
    return records.milliseconds(datetime.combine(now.astimezone(UTC).date(), time(), UTC))


def recount(account_id: int) -> None:
    """Something of a day before has come late. Called in the transaction that writes it."""
    row = RiskUsage.objects.select_for_update().filter(account_id=account_id).first()
    if row is not None and row.began is not None and SUMS in row.began:
        RiskUsage.objects.filter(pk=row.pk).update(began={MARKS: row.began.get(MARKS, {})})
