"""Which accounts this daemon looks after, under which fence, and whether that can be relied on right now."""

import asyncio
import math
from collections.abc import Callable, Collection, Mapping

import structlog
from django.conf import settings
from msgspec import Struct

from apps.feeds import leases
from apps.feeds.selectors import live_daemons
from apps.feeds.shards import ranking
from apps.trading.execution.controls.unattended import keyed
from apps.trading.execution.gateway.clocks import steady_s
from apps.trading.execution.gateway.opened import resource_of
from apps.trading.models import Account, AccountMode
from apps.trading.risk.view import Scope
from apps.users.alerts import raise_alert
from workers.database import Database, DatabaseAwayError

log = structlog.get_logger(__name__)

TICK_S = 1.0
RENEW_S = 3.0
TTL_S = 10.0
TRUST_S = TTL_S - 2.0
ROLES = ("trader", "both")
OPENS, CANNOT = "opens:", "cannot:"  # `opens:<daemon>` has a file of keys; `cannot:<account>:<daemon>`: not that one's
CANNOT_S = 600.0  # then it tries again


class Verdict(Struct, frozen=True, kw_only=True):
    """What the database said: what is still ours, what became ours, and what should be others'."""

    kept: frozenset[int]
    gained: dict[int, int]
    surplus: frozenset[int]
    released: frozenset[int]


class AccountLeases:
    """Takes, keeps and gives away accounts.

    While the database is away they are kept, so that nothing that exchanges tell is lost; but `trusted` is False then,
    and without it no order leaves. Whoever wakes up after a long sleep asks first.
    """

    def __init__(
        self,
        *,
        daemon: str,
        database: Database,
        heartbeat: Callable[[], None],
        gained: Callable[[int, int], None],
        lost: Callable[[int, str], None],
        clock: Callable[[], float] = steady_s,
    ) -> None:
        """`database` should be waited for as long as an answer is trusted: given up earlier, what it did all the same
        would be unknown here, and done again. `heartbeat` is called in its thread. `gained(account, fence)`;
        `lost(account, reason)`: do nothing more for it, at once."""
        self.fences: dict[int, int] = {}
        self.draining = False  # all are given to the other daemons
        self.stopping = False  # none are taken; those that are held stay until `release`
        self._daemon = daemon
        self._database = database
        self._heartbeat = heartbeat
        self._gained = gained
        self._lost = lost
        self._clock = clock
        self._ended: frozenset[int] = frozenset()
        self._unopened: set[int] = set()  # of which the others are not told yet
        self._renewed = -math.inf
        self._sure = -math.inf  # when the database was asked that last said they are ours

    def trusted(self) -> bool:
        return self._clock() - self._sure < TRUST_S

    def cannot_open(self, account: int) -> None:
        """Its key does not open here: for a while another daemon shall have it, if there is one that might."""
        if account in self.fences:
            self._unopened.add(account)

    async def run(self) -> None:
        while True:
            await self.tick()
            await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """Ask the database once and act on the answer."""
        asked = self._clock()
        renew = asked - self._renewed >= RENEW_S
        held = dict(self.fences)
        try:
            unopened = frozenset(self._unopened)
            verdict = await self._database.call(self._ask, held, self._ended - held.keys(), renew, unopened)
        except DatabaseAwayError as error:
            log.info("leases of accounts are not prolonged", accounts=len(held), error=str(error))
            return
        self._unopened -= unopened
        if renew:
            self._renewed = self._sure = asked
        self._follow(held, verdict)

    async def release(self) -> None:
        """Give all back, so that others need not wait for the leases to run out; nothing is done for them any more."""
        accounts, self.fences = list(self.fences), {}
        try:
            resources = [*(resource_of(account) for account in accounts), f"{OPENS}{self._daemon}"]
            await self._database.call(leases.release, holder=self._daemon, resources=resources)
        except DatabaseAwayError as error:
            log.warning("accounts are not released, their leases run out", accounts=len(accounts), error=str(error))

    def _ask(
        self, held: Mapping[int, int], ended: frozenset[int], renew: bool, unopened: frozenset[int] = frozenset()
    ) -> Verdict:
        """In the database's thread. `ended`: given away, and a tick later nothing is done for them any more."""
        if unopened:
            marks = [f"{CANNOT}{account}:{self._daemon}" for account in unopened]
            leases.note(holder=self._daemon, resources=marks, ttl_s=CANNOT_S)
        if ended:
            leases.release(holder=self._daemon, resources=[resource_of(account) for account in ended])
        kept = frozenset(held)
        if renew:
            self._heartbeat()
            if settings.CT_SEAL_PRIVATE_KEYS_FILE is not None:
                leases.note(holder=self._daemon, resources=[f"{OPENS}{self._daemon}"], ttl_s=TTL_S)
            fences = {resource_of(account): fence for account, fence in held.items()}
            mine = leases.renew(holder=self._daemon, fences=fences, ttl_s=TTL_S) if fences else set()
            kept = frozenset(account for account in held if resource_of(account) in mine)
        wanted = kept if self.stopping else self._share()
        missing = {resource_of(account): account for account in wanted - kept - held.keys()}
        taken = leases.acquire(holder=self._daemon, resources=list(missing), ttl_s=TTL_S) if missing else {}
        for resource in leases.flapping(taken) if taken else ():
            call_for(missing[resource])
        return Verdict(
            kept=kept,
            gained={missing[resource]: fence for resource, fence in taken.items()},
            surplus=kept - wanted,
            released=ended,
        )

    def _share(self) -> frozenset[int]:
        """The accounts that this daemon should look after, of all that somebody must: on paper, and with keys that it
        can open. Who cannot open one comes after all that might."""
        living = live_daemons(within_s=leases.DEAD_S, asks=self._daemon)
        traders = {each.pk for each in living if each.role in ROLES and not each.draining}
        if self.draining or self._daemon not in traders:
            return frozenset()
        papers = Account.objects.filter(mode=AccountMode.PAPER, active=True).values_list("id", flat=True)
        share = {account for account in papers if self._is_first(account, traders)}
        if settings.CT_SEAL_PRIVATE_KEYS_FILE is None:
            return frozenset(share)
        openers, cannot = traders & (leases.noted(OPENS) | {self._daemon}), leases.noted(CANNOT)
        for account in keyed().values_list("id", flat=True):
            able = {daemon for daemon in openers if f"{account}:{daemon}" not in cannot}
            if self._is_first(account, able or openers):
                share.add(account)
        return frozenset(share)

    def _is_first(self, account: int, daemons: Collection[str]) -> bool:
        return ranking(resource_of(account), dict.fromkeys(daemons, 1))[0] == self._daemon

    def _follow(self, held: Mapping[int, int], verdict: Verdict) -> None:
        for account in held.keys() - verdict.kept:
            self._lose(account, "another daemon holds it")
        for account, fence in verdict.gained.items():
            self.fences[account] = fence
            self._gained(account, fence)
        self._ended -= verdict.released
        for account in verdict.surplus & self.fences.keys():
            self._lose(account, "another daemon shall have it, or it is closed")
            self._ended |= {account}

    def _lose(self, account: int, reason: str) -> None:
        if self.fences.pop(account, None) is not None:
            self._lost(account, reason)


def call_for(account: int) -> None:
    """A person must see that nobody keeps it (R20)."""
    raise_alert(
        kind="LEASE_FLAP",
        scope=Scope.ACCOUNT,
        scope_id=str(account),
        text=f"account {account} goes from daemon to daemon: {leases.FLAPS} times in a row its holder was gone",
    )
