"""Another sealing key: made, published, and all keys of accounts sealed to it; may be killed at any moment.

The old private keys stay on the ring until they are given up, so that every row can be opened all the time. What was
begun is finished by the next run, before a further key is made.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from django.db import connection, transaction
from msgspec import Struct

from apps.trading.credentials import keyring
from apps.trading.credentials.keys import place_of, sealed_of
from apps.trading.credentials.sealing import CannotOpen, KeyRing
from apps.trading.models import AccountKey
from apps.users.models import Audit
from apps.users.services import Actor, record

BATCH = 100  # rows of one transaction
BEGIN, END, FORGET = "keys.rotate", "keys.rotated", "keys.forget"


class Rotation(Struct, frozen=True, kw_only=True):
    """What one run did. `unreadable`: accounts whose row opens with no key of the ring, so that it must be set anew."""

    public_key: str
    made_key: bool  # False: an earlier run was finished
    resealed: int
    unreadable: tuple[int, ...]
    old_keys: tuple[str, ...]  # ids that are still on the ring


def rotate(
    *,
    private: Path,
    public: Path | None,
    actor: Actor,
    new_key: bool = True,
    told: Callable[[int], None] = lambda count: None,
) -> Rotation:
    """Seal all rows to the current key of the ring, which is a new one unless a rotation was left half done.

    `public`: where the public half is published, None where deployments pass it on by themselves. `told` is given the
    number of rows after each transaction. Raises RingBusy, KeyFileRefused, or OSError where the ring cannot be written.
    """
    with keyring.alone(private):
        ring = keyring.read_ring(private)
        makes = new_key and not _half_done(ring)
        if makes:
            ring = _with_new(private, ring, actor)
        if public is not None:
            keyring.publish(ring.current, public)
        resealed, unreadable = _reseal(ring, told)
        record(
            actor=actor,
            action=END,
            object=_name(ring),
            after={"resealed": resealed, "unreadable": unreadable[:100]},
            result="incomplete" if unreadable else "ok",
        )
        return Rotation(
            public_key=ring.current.text,
            made_key=makes,
            resealed=resealed,
            unreadable=tuple(unreadable),
            old_keys=ring.ids()[1:],
        )


def forget_old(*, private: Path, actor: Actor) -> tuple[str, ...]:
    """Take the private keys off the ring that no row needs any more; their ids. What is sealed to them later is lost.

    Raises what `rotate` raises.
    """
    with keyring.alone(private):
        ring = keyring.read_ring(private)
        needed = set(AccountKey.objects.values_list("key_id", flat=True).distinct())
        gone = tuple(key_id for key_id in ring.ids()[1:] if key_id not in needed)
        if gone:
            record(actor=actor, action=FORGET, object=_name(ring), before={"key_ids": list(gone)})
            _sync()
            keyring.change(private, ring.without(gone))
        return gone


def _sync() -> None:
    """SQLite does not wait for the disk at each commit, and a power cut must not bring back rows of a forgotten key."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(FULL)")


def _half_done(ring: KeyRing) -> bool:
    """Whether rows are left that an older key opens, or a run ended before its last word."""
    if AccountKey.objects.filter(key_id__in=ring.ids()[1:]).exists():
        return True
    words = Audit.objects.filter(object=_name(ring), action__in=(BEGIN, END))
    last = words.order_by("-change_id").first()
    return last is not None and last.action == BEGIN


def _with_new(private: Path, ring: KeyRing, actor: Actor) -> KeyRing:
    """The trail first: a key that it names and nobody has is better than one that it does not know."""
    grown = ring.with_new()
    record(actor=actor, action=BEGIN, object=_name(grown), before={"key_id": ring.current.key_id})
    return keyring.change(private, grown)


def _reseal(ring: KeyRing, told: Callable[[int], None]) -> tuple[int, list[int]]:
    resealed, last = 0, 0
    unreadable: list[int] = []
    while True:
        with transaction.atomic():
            rows = _next_rows(ring, after=last)
            unreadable += [row.pk for row in rows if not _moved(row, ring)]
        if not rows:
            return resealed - len(unreadable), unreadable
        resealed, last = resealed + len(rows), rows[-1].pk
        told(resealed)


def _next_rows(ring: KeyRing, *, after: int) -> list[AccountKey]:
    """Locked, so that a key which is set meanwhile is not overwritten by the former one."""
    rows = AccountKey.objects.select_for_update().filter(pk__gt=after).exclude(key_id=ring.current.key_id)
    return list(rows.order_by("pk")[:BATCH])


def _moved(row: AccountKey, ring: KeyRing) -> bool:
    place = place_of(row)
    try:
        sealed = ring.resealed(sealed_of(row), place, replace(place, version=place.version + 1))
    except CannotOpen:
        return False
    row.version, row.key_id, row.sealed = place.version + 1, sealed.key_id, sealed.box
    row.save(update_fields=["version", "key_id", "sealed"])
    return True


def _name(ring: KeyRing) -> str:
    return f"sealing key {ring.current.key_id}"
