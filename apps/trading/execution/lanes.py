"""Lanes: the intents of one account on one pair, worked in their order by whoever holds the lane's lease.

A lane is called `<account id>:<pair id>`, its lease `lane:<account id>:<pair id>`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Min, Q
from django.db.models.functions import Now

from apps.feeds.leases import NOBODY
from apps.feeds.models import Lease
from apps.trading.execution.executor import Executor
from apps.trading.models import IntentState, OrderIntent

PREFIX = "lane:"
TTL_S = 6.0
RENEW_BELOW_S = 4.0  # of what is left: prolonged then, between two orders
MARGIN_S = 0.5  # so much longer than a request's own expiry a lease must last before the request may leave


class LaneLost(Exception):
    """The lease ran out or is somebody else's: nothing more is sent in the lane."""


@dataclass(frozen=True, kw_only=True)
class HeldLane:
    """`until` is by this process's monotonic clock, and no later than the database's word."""

    lane: str
    holder: str
    fence: int
    until: float

    @property
    def resource(self) -> str:
        return PREFIX + self.lane


def lane_of(account_id: int, pair_id: int) -> str:
    return f"{account_id}:{pair_id}"


def ids_of(lane: str) -> tuple[int, int]:
    """Account and pair. Raise ValueError for what is no lane."""
    account_id, pair_id = lane.split(":")
    return int(account_id), int(pair_id)


def acquire(lane: str, executor: Executor) -> HeldLane | None:
    """Take the lane if it is free or run out; None: somebody works it, or was faster."""
    until = executor.monotonic() + TTL_S
    resource = PREFIX + lane
    seen = _look(resource)
    if seen is None:
        _create(resource)
        seen = _look(resource)
    if seen is None:
        return None
    fence, is_free = seen
    if not is_free:
        return None
    free = Q(expires_at__lte=Now()) | Q(holder=NOBODY)
    taken = Lease.objects.filter(free, resource=resource, fence=fence).update(
        fence=fence + 1, holder=executor.holder, expires_at=_expiry()
    )
    return HeldLane(lane=lane, holder=executor.holder, fence=fence + 1, until=until) if taken else None


def keep(held: HeldLane, executor: Executor) -> HeldLane:
    """The lane with time enough for another order, prolonged where needed. Raise LaneLost."""
    now = executor.monotonic()
    if held.until - now >= RENEW_BELOW_S:
        return held
    mine = Lease.objects.filter(resource=held.resource, holder=held.holder, fence=held.fence, expires_at__gt=Now())
    if not mine.update(expires_at=_expiry()):
        raise LaneLost(held.lane)
    return HeldLane(lane=held.lane, holder=held.holder, fence=held.fence, until=now + TTL_S)


def release(held: HeldLane) -> None:
    """Free at once, for whoever asks next; it may be somebody else's already."""
    mine = Lease.objects.filter(resource=held.resource, holder=held.holder, fence=held.fence)
    mine.update(holder=NOBODY, expires_at=Now())


def due(limit: int, *, without: Collection[int] = ()) -> list[str]:
    """Lanes with intents that nobody works now, the one that waits longest first; `without` these accounts.

    A hint: another executor may be faster.
    """
    waiting = OrderIntent.objects.filter(state=IntentState.NEW).exclude(account__in=without).order_by()
    heads = waiting.values("lane").annotate(head=Min("id")).order_by("head").values_list("lane", flat=True)
    lanes = list(heads[: limit * 4])
    busy = set(
        Lease.objects.filter(resource__in=[PREFIX + lane for lane in lanes], expires_at__gt=Now())
        .exclude(holder=NOBODY)
        .values_list("resource", flat=True)
    )
    return [lane for lane in lanes if PREFIX + lane not in busy][:limit]


def has_waiting(lane: str) -> bool:
    return OrderIntent.objects.filter(lane=lane, state=IntentState.NEW).exists()


def _look(resource: str) -> tuple[int, bool] | None:
    """Its fence, and whether it is free."""
    row = (
        Lease.objects.filter(resource=resource).annotate(now=Now()).values_list("fence", "holder", "expires_at", "now")
    )
    for fence, holder, expires_at, now in row:
        return fence, holder == NOBODY or expires_at <= now
    return None


def _create(resource: str) -> None:
    with transaction.atomic():
        Lease.objects.bulk_create([Lease(resource=resource, holder=NOBODY, expires_at=Now())], ignore_conflicts=True)


def _expiry() -> object:
    return Now() + timedelta(seconds=TTL_S)
