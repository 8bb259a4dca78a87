"""Lanes: the intents of one account on one pair, worked in their order by whoever holds the lane's lease.

A lane is called `<account id>:<pair id>`, its lease `lane:<account id>:<pair id>`.
"""

from collections.abc import Collection, Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, Min, OuterRef, Value
from django.db.models.functions import Concat, Now

from apps.feeds.leases import NOBODY
from apps.feeds.models import Lease
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.pretrade.facts import moment, time_at
from apps.trading.execution.pretrade.guards import CLOCK, clock
from apps.trading.execution.runtime import statements
from apps.trading.models import IntentResult, IntentState, OrderIntent
from apps.trading.records import EPOCH, ZERO

PREFIX = "lane:"
TTL_S = 6.0
RENEW_BELOW_S = 4.0  # of what is left: prolonged then, between two orders
LEFT_S, MOST_LEFT = 2.0, 1_000  # an executor has the first word on what is too old
MARGIN_S = 0.5  # so much longer than a request's own expiry a lease must last before the request may leave


class LaneLost(Exception):
    """The lease ran out or is somebody else's: nothing more is sent in the lane."""


@dataclass(frozen=True, kw_only=True)
class HeldLane:
    """`until` is by this process's monotonic clock, and no later than the database's word.

    `seen`: it was free then, by the database's clock, and is not taken yet: see `find` and `take`.
    """

    lane: str
    holder: str
    fence: int
    until: float
    seen: datetime | None = None

    @property
    def resource(self) -> str:
        return PREFIX + self.lane


def lane_of(account_id: int, pair_id: int) -> str:
    return f"{account_id}:{pair_id}"


def ids_of(lane: str) -> tuple[int, int]:
    """Account and pair. Raise ValueError for what is no lane."""
    account_id, _, pair_id = lane.partition(":")
    if not (account_id.isdecimal() and pair_id.isdecimal()):
        raise ValueError(f"no lane: {lane!r}")
    return int(account_id), int(pair_id)


def find(lane: str, executor: Executor) -> HeldLane | None:
    """The lane to be taken, if it is free or run out; None: somebody works it."""
    until = executor.monotonic() + TTL_S
    resource = PREFIX + lane
    seen = _look(resource)
    if seen is None:
        _create(resource)
        seen = _look(resource)
    if seen is None or not seen.is_free:
        return None
    return HeldLane(lane=lane, holder=executor.holder, fence=seen.fence + 1, until=until, seen=seen.now)


def take(held: HeldLane) -> HeldLane:
    """One that was found, from now on ours: whoever has renewed or taken it meanwhile keeps it. Raise LaneLost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE lease SET fence = %s, holder = %s, expires_at = %s WHERE resource = %s AND fence = %s"
            " AND (holder = %s OR expires_at <= %s)",
            [held.fence, held.holder, moment(_end(held)), held.resource, held.fence - 1, NOBODY, moment(_seen(held))],
        )
        if cursor.rowcount != 1:
            raise LaneLost(held.lane)
    return replace(held, seen=None)


def check_left(held: HeldLane, now: datetime, needed_s: float) -> None:
    """One that is just taken lasts for so long yet at `now`, by the database's clock. Raise LaneLost."""
    if _end(held) <= now + timedelta(seconds=needed_s):
        raise LaneLost(held.lane)


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
    statements.update(
        Lease, held.resource, {"holder": NOBODY, "expires_at": EPOCH}, holder=held.holder, fence=held.fence
    )


def due(limit: int, *, without: Collection[int] = (), resting: Collection[Hashable] = ()) -> list[str]:
    """Lanes with intents that nobody works now, the one that waits longest first; `without` these accounts, nor those
    lanes that are `resting`, which would take the places of others.

    A hint: another executor may be faster.
    """
    name = Concat(Value(PREFIX), OuterRef("lane"))
    worked = Lease.objects.filter(resource=name, expires_at__gt=Now()).exclude(holder=NOBODY)
    waiting = OrderIntent.objects.filter(~Exists(worked), state=IntentState.NEW).exclude(account__in=without)
    waiting = waiting.exclude(lane__in=resting)
    heads = waiting.order_by().values("lane").annotate(head=Min("id")).order_by("head")
    return list(heads.values_list("lane", flat=True)[:limit])


def expire_old() -> int:
    """End what is too old and waits in lanes that nobody works; how many that were."""
    now = clock()
    waiting = OrderIntent.objects.filter(state=IntentState.NEW, created_at__lt=now - timedelta(seconds=LEFT_S))
    ended = 0
    for pk, created_at, max_age_ms in waiting.values_list("pk", "created_at", "max_age_ms")[:MOST_LEFT]:
        if now - created_at > timedelta(seconds=LEFT_S, milliseconds=max_age_ms):
            over = {"state": IntentState.DONE, "result": IntentResult.EXPIRED, "done_at": now}
            free = {"reserved_amount": ZERO, "reserved_notional": ZERO}
            ended += statements.update(OrderIntent, pk, {**over, **free}, state=IntentState.NEW)
    return ended


def has_waiting(lane: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM order_intent WHERE lane = %s AND state = %s LIMIT 1", [lane, IntentState.NEW])
        return cursor.fetchone() is not None


@dataclass(frozen=True)
class _Seen:
    fence: int
    is_free: bool
    now: datetime  # of the database


def _look(resource: str) -> _Seen | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT fence, holder, expires_at, {CLOCK[connection.vendor]} FROM lease WHERE resource = %s",  # noqa: S608
            [resource],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    fence, holder, *times = row
    expires_at, now = map(time_at, times)
    if expires_at is None or now is None:
        raise ValueError(f"the lease {resource} has no end")
    return _Seen(fence, holder == NOBODY or expires_at <= now, now)


def _create(resource: str) -> None:
    with transaction.atomic():
        Lease.objects.bulk_create([Lease(resource=resource, holder=NOBODY, expires_at=Now())], ignore_conflicts=True)


def _seen(held: HeldLane) -> datetime:
    if held.seen is None:
        raise ValueError(f"{held.lane} is taken already")
    return held.seen


def _end(held: HeldLane) -> datetime:
    return _seen(held) + timedelta(seconds=TTL_S)


def _expiry() -> object:
    return Now() + timedelta(seconds=TTL_S)
