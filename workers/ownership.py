"""Which shards this daemon holds, under which fence, and whether that can be relied on right now."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from msgspec import Struct

from apps.feeds import leases
from apps.feeds.drivers.base import Driver
from apps.feeds.placement import Load, assign
from apps.feeds.shards import lease_of
from apps.users.alerts import raise_alert
from apps.waits import is_set_within
from workers.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

TICK_S = 1.0
RENEW_S = 3.0
TTL_S = 10.0
TRUST_S = TTL_S - 2.0
ROLES = ("monitor", "both")


class Verdict(Struct, frozen=True, kw_only=True):
    """What the database said: what is still ours, what became ours, and what should be others'."""

    kept: frozenset[str]
    gained: dict[str, int]
    surplus: frozenset[str]


class Ownership:
    """Takes, keeps and gives away shards; publishing is allowed while the last verdict is young.

    While the database is away the shards are kept: nobody else can get a higher fence without it, and Redis refuses
    the lower of two. A process that slept through its lease has no young verdict, neither an answer nor a failure,
    and publishes nothing until it has asked.
    """

    def __init__(
        self,
        *,
        daemon: str,
        database: Database,
        drivers: Mapping[str, Driver],
        heartbeat: Callable[[], None],
        gained: Callable[[dict[str, int]], None],
        lost: Callable[[str, str], None],
        give_up: Callable[[frozenset[str]], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`heartbeat` is called in the database's thread. `lost(shard, reason)`: another daemon has it, say nothing
        more. `give_up(shards)`: say goodbye; the leases are released when it returns."""
        self.fences: dict[str, int] = {}
        self.database_away = False
        self._wanted: Mapping[str, Load] = {}
        self._daemon = daemon
        self._database = database
        self._drivers = drivers
        self._heartbeat = heartbeat
        self._gained = gained
        self._lost = lost
        self._give_up = give_up
        self._clock = clock
        self._judged = self._renewed = -math.inf
        self._higher: dict[str, int] = {}  # fences that Redis has seen
        self._hurry = asyncio.Event()

    def want(self, shards: Mapping[str, Load]) -> None:
        """The shards of all pairs that anybody wants; new ones are looked at once."""
        if shards.keys() - self._wanted.keys():
            self._hurry.set()
        self._wanted = shards

    def trusted(self) -> bool:
        return self._clock() - self._judged < TRUST_S

    def fenced(self, shard: str, highest: int) -> None:
        """Redis has refused our fence."""
        self._higher[shard] = highest
        if self.fences.pop(shard, None) is not None:
            self._lost(shard, "another daemon publishes it")

    def hurry(self) -> None:
        """Tell the database at once what has changed about us."""
        self._renewed = -math.inf
        self._hurry.set()

    async def run(self) -> None:
        while True:
            await self.tick()
            await is_set_within(self._hurry, TICK_S)
            self._hurry.clear()

    async def tick(self) -> None:
        """Ask the database once and act on the answer."""
        renew = self._clock() - self._renewed >= RENEW_S
        held = dict(self.fences)
        try:
            verdict = await self._database.call(self._ask, held, self._wanted, dict(self._higher), renew)
        except DatabaseAwayError as error:
            self._away(error)
            return
        self._judged = self._clock()
        if renew:
            self._renewed = self._judged
        if self.database_away:
            self.database_away = False
            log.info("database is back")
        self._higher.clear()
        await self._follow(held, verdict)

    async def release(self) -> None:
        """Give everything away, so that others need not wait for the leases to run out."""
        await self._surrender(frozenset(self.fences))

    def _ask(
        self, held: Mapping[str, int], wanted: Mapping[str, Load], higher: Mapping[str, int], renew: bool
    ) -> Verdict:
        """In the database's thread."""
        for shard, fence in higher.items():
            leases.raise_fence(resource=lease_of(shard), fence=fence)
        kept = frozenset(held)
        if renew:
            self._heartbeat()
            fences = {lease_of(shard): fence for shard, fence in held.items()}
            renewed = leases.renew(holder=self._daemon, fences=fences, ttl_s=TTL_S) if fences else set()
            kept = frozenset(shard for shard in held if lease_of(shard) in renewed)
        owners = assign(wanted, leases.rooms(roles=ROLES, asks=self._daemon), self._drivers)
        mine = {shard for shard, owner in owners.items() if owner == self._daemon}
        missing = {lease_of(shard): shard for shard in mine - held.keys()}
        taken = leases.acquire(holder=self._daemon, resources=list(missing), ttl_s=TTL_S) if missing else {}
        if taken and (flapping := leases.flapping(taken)):
            raise_alert(
                kind="LEASE_FLAP",
                text=f"{len(flapping)} shards go from daemon to daemon, their holders are gone again and again:"
                f" {', '.join(flapping[:5])}",
            )
        return Verdict(
            kept=kept,
            gained={missing[resource]: fence for resource, fence in taken.items()},
            surplus=kept - mine,
        )

    async def _follow(self, held: Mapping[str, int], verdict: Verdict) -> None:
        for shard in held.keys() - verdict.kept:
            if self.fences.pop(shard, None) is not None:
                self._lost(shard, "another daemon holds it")
        if verdict.gained:
            self.fences.update(verdict.gained)
            self._gained(verdict.gained)
        await self._surrender(verdict.surplus & self.fences.keys())

    async def _surrender(self, shards: frozenset[str]) -> None:
        if not shards:
            return
        for shard in shards:
            self.fences.pop(shard, None)
        await self._give_up(shards)
        try:
            resources = [lease_of(shard) for shard in shards]
            await self._database.call(leases.release, holder=self._daemon, resources=resources)
        except DatabaseAwayError as error:
            log.warning("leases are not released, they run out", shards=len(shards), error=str(error))

    def _away(self, error: DatabaseAwayError) -> None:
        """Not knowing is a verdict too: nobody else gets a higher fence from a database that is away for all."""
        self._judged = self._clock()
        if not self.database_away:
            self.database_away = True
            log.warning("database is away: shards are kept, the fence in redis decides", error=str(error))
