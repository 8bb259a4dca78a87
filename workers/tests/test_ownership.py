import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from apps.feeds import leases, services
from apps.feeds.drivers.registry import driver
from apps.feeds.market import MarketType
from apps.feeds.models import Daemon, Lease
from apps.feeds.transport.groups import Group
from workers.database import Database
from workers.ownership import TTL_S, Ownership

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SHARDS = frozenset(f"binance:spot:{n}" for n in range(16))
DRIVERS = {"binance": driver("binance")}
GROUP = Group("binance", MarketType.SPOT, "public")
LOADS = {shard: {GROUP: 2} for shard in SHARDS}


class Daemons:
    """One daemon's ownership and what it told its owner."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.draining = self.away = False
        self.sockets = 20
        self.slept_s = self.beats_s_ago = 0.0
        self.lost: list[str] = []
        self.given_up: set[str] = set()
        self.database = Database(name, answer_s=60.0)  # a machine that is busy is no database that is away
        self.ownership = Ownership(
            daemon=name,
            database=self.database,
            drivers=DRIVERS,
            heartbeat=self.heartbeat,
            gained=lambda fences: None,
            lost=lambda shard, reason: self.lost.append(shard),
            give_up=self.give_up,
            clock=lambda: time.monotonic() + self.slept_s,
        )
        self.ownership.want(LOADS)

    def heartbeat(self) -> None:
        if self.away:
            raise OperationalError("gone away")
        services.heartbeat(
            daemon=self.name,
            boot_uuid=uuid.UUID(int=0),
            role="monitor",
            host="here",
            pid=1,
            started_at=datetime.now(UTC),
            capacity=40 * self.sockets,
            sockets=self.sockets,
            build_id="test",
            draining=self.draining,
        )
        if self.beats_s_ago:
            Daemon.objects.filter(id=self.name).update(heartbeat_at=Now() - timedelta(seconds=self.beats_s_ago))

    async def give_up(self, shards: frozenset[str]) -> None:
        self.given_up |= shards

    async def tick(self) -> frozenset[str]:
        self.ownership.hurry()
        await self.ownership.tick()
        return frozenset(self.ownership.fences)


@asynccontextmanager
async def daemons(*names: str) -> AsyncIterator[list[Daemons]]:
    alive = [Daemons(name) for name in names]
    yield alive
    for daemon in alive:
        await daemon.database.close()


async def test_a_daemon_that_comes_late_to_say_that_it_lives_keeps_its_shards():
    async with daemons("d1") as (one,):
        assert await one.tick() == SHARDS
        one.beats_s_ago = 2 * leases.DEAD_S  # the database takes its time between two statements
        assert await one.tick() == SHARDS
        await one.ownership.tick()
        assert frozenset(one.ownership.fences) == SHARDS
        assert (one.lost, one.given_up) == ([], set())


async def test_one_daemon_takes_every_shard():
    async with daemons("d1") as (first,):
        assert await first.tick() == SHARDS
        assert set(first.ownership.fences.values()) == {1}
        assert first.ownership.trusted()


async def test_a_second_daemon_gets_its_part_when_the_first_has_given_it_up():
    async with daemons("d1", "d2") as (first, second):
        await first.tick()
        assert await second.tick() == frozenset()
        kept = await first.tick()
        moved = await second.tick()
        assert moved == SHARDS - kept == first.given_up
        assert set(second.ownership.fences.values()) == {2}


async def test_a_daemon_that_drains_gives_everything_away():
    async with daemons("d1", "d2") as (first, second):
        await first.tick()
        await second.tick()
        first.draining = True
        assert await first.tick() == frozenset()
        assert await second.tick() == SHARDS


async def test_a_daemon_whose_sockets_are_full_leaves_the_rest_to_another():
    async with daemons("d1", "d2") as (first, second):
        first.sockets, second.sockets = 3, 5  # what 16 x 20 pairs need at 40 a socket
        for daemon in (first, second):
            daemon.ownership.want({shard: {GROUP: 20} for shard in SHARDS})
        assert await first.tick() == SHARDS  # alone, it holds them and the pairs wait
        await second.tick()
        kept = await first.tick()
        assert len(kept) == 6
        assert await second.tick() == SHARDS - kept


async def test_a_dead_daemons_shards_are_taken_when_its_leases_ran_out():
    async with daemons("d1", "d2") as (first, second):
        await first.tick()
        await asyncio.to_thread(_die, "d1")
        assert await second.tick() == SHARDS
        assert await first.tick() < SHARDS  # it lives again and finds out
        assert first.lost


async def test_while_the_database_is_away_shards_are_kept_and_trusted():
    async with daemons("d1") as (first,):
        await first.tick()
        first.away = True
        assert await first.tick() == SHARDS
        assert first.ownership.database_away
        assert first.ownership.trusted()
        first.away = False
        assert await first.tick() == SHARDS
        assert not first.ownership.database_away


async def test_a_daemon_that_slept_through_its_lease_trusts_nothing_until_it_has_asked():
    async with daemons("d1") as (first,):
        await first.tick()
        first.slept_s = TTL_S
        assert not first.ownership.trusted()
        await first.tick()
        assert first.ownership.trusted()


async def test_a_fence_that_redis_refused_is_dropped_at_once_and_taken_again_above_it():
    async with daemons("d1") as (first,):
        await first.tick()
        first.ownership.fenced("binance:spot:3", highest=70)
        assert first.lost == ["binance:spot:3"]
        assert "binance:spot:3" not in first.ownership.fences
        await first.tick()
        assert first.ownership.fences["binance:spot:3"] == 71


async def test_an_orderly_stop_leaves_the_leases_free():
    async with daemons("d1") as (first,):
        await first.tick()
        await first.ownership.release()
        assert first.given_up == SHARDS
        assert await asyncio.to_thread(lambda: set(Lease.objects.values_list("holder", flat=True))) == {leases.NOBODY}


def _die(name: str) -> None:
    """As after ten silent seconds."""
    Lease.objects.filter(holder=name).update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    Daemon.objects.filter(id=name).update(heartbeat_at=datetime(2020, 1, 1, tzinfo=UTC))
