"""Who holds what, decided by the database and its clock: a lease runs out by itself, its fence only grows.

A daemon that takes a lease, even its own of an earlier life, gets a fence above all before. Plain sync functions, each
one statement or two; whoever is asyncio calls them in a thread.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

from django.db.models import Case, F, Q, When
from django.db.models.functions import Now

from apps.feeds.models import Daemon, Lease
from apps.feeds.placement import Room

NOBODY = ""
FLAPS, FLAP_S = 3, 300.0  # torn so often, each time within so many seconds of the last, a lease flaps
DEAD_S = 10  # without a heartbeat for so long a daemon is taken for dead


def acquire(*, holder: str, resources: Collection[str], ttl_s: float) -> dict[str, int]:
    """Take those of `resources` that are free, run out or still in the name of `holder`; resource -> new fence.

    Do not pass what this process holds already: its fence would grow for nothing.
    """
    _ensure(resources)
    free = Q(expires_at__lte=Now()) | Q(holder=holder)
    # MySQL evaluates SET from left to right; no value below reads a column that was set before it.
    let_go = Q(holder=NOBODY)
    lately = Q(torn_at__gt=Now() - timedelta(seconds=FLAP_S))
    Lease.objects.filter(free, resource__in=resources).update(
        fence=F("fence") + 1,
        torn=Case(When(let_go, then=F("torn")), When(lately, then=F("torn") + 1), default=1),
        torn_at=Case(When(let_go, then=F("torn_at")), default=Now()),
        holder=holder,
        expires_at=Now() + timedelta(seconds=ttl_s),
    )
    mine = Lease.objects.filter(resource__in=resources, holder=holder)
    return dict(mine.values_list("resource", "fence"))


def flapping(resources: Collection[str]) -> list[str]:
    """Those of `resources`, just taken, that go from hand to hand: their holders die, or do not come to renew them."""
    lately = Lease.objects.filter(
        resource__in=resources, torn__gte=FLAPS, torn_at__gt=Now() - timedelta(seconds=FLAP_S)
    )
    return sorted(lately.values_list("resource", flat=True))


def renew(*, holder: str, fences: Mapping[str, int], ttl_s: float) -> set[str]:
    """Prolong what `holder` holds under these fences; the resources that are still its own."""
    mine = Lease.objects.filter(resource__in=fences, holder=holder)
    mine.update(expires_at=Now() + timedelta(seconds=ttl_s))
    return {resource for resource, fence in mine.values_list("resource", "fence") if fences[resource] == fence}


def release(*, holder: str, resources: Iterable[str]) -> None:
    """Free at once, for whoever asks next."""
    Lease.objects.filter(resource__in=list(resources), holder=holder).update(holder=NOBODY, expires_at=Now())


def note(*, holder: str, resources: Collection[str], ttl_s: float) -> None:
    """Say for so long what is nobody else's to say: such resources are named after who holds them."""
    _ensure(resources)
    Lease.objects.filter(resource__in=resources).update(holder=holder, expires_at=Now() + timedelta(seconds=ttl_s))


def noted(prefix: str) -> set[str]:
    """What is said now, without the prefix."""
    rows = Lease.objects.filter(resource__startswith=prefix, expires_at__gt=Now()).exclude(holder=NOBODY)
    return {resource.removeprefix(prefix) for resource in rows.values_list("resource", flat=True)}


def raise_fence(*, resource: str, fence: int) -> None:
    """Lift a fence to one that Redis has seen, where the table is younger than Redis (restored or emptied)."""
    Lease.objects.filter(resource=resource, fence__lt=fence).update(fence=fence)


def rooms(*, roles: Collection[str], asks: str = "") -> dict[str, Room]:
    """Daemon -> what it can hold, of those that live, have one of `roles` and are not being drained.

    The one that `asks` lives: a database that is slow makes its last heartbeat old, and would take all from it.
    """
    young = Q(heartbeat_at__gt=Now() - timedelta(seconds=DEAD_S))
    living = Daemon.objects.filter(young | Q(id=asks), role__in=roles, draining=False)
    found = living.filter(sockets__gt=0).values_list("id", "capacity", "sockets")
    return {daemon: Room(sockets, capacity // sockets) for daemon, capacity, sockets in found}


def _ensure(resources: Collection[str]) -> None:
    have = Lease.objects.filter(resource__in=resources).values_list("resource", flat=True)
    missing = set(resources).difference(have)
    if missing:
        rows = [Lease(resource=resource, holder=NOBODY, fence=0, expires_at=Now()) for resource in sorted(missing)]
        Lease.objects.bulk_create(rows, ignore_conflicts=True)
