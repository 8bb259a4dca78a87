"""Which daemon looks after which account: by lease, one each, and never on a word that is too old."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from apps.feeds import leases
from apps.feeds.models import Daemon, Lease
from apps.trading.models import Account, AccountKey
from apps.trading.tests import key_rows, rows
from apps.users.models import Alert
from apps.users.tests.people import person
from workers.database import Database
from workers.identity import Identity
from workers.tests.trading import aside
from workers.trader.leases import TRUST_S, AccountLeases

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


class Holder:
    """One daemon's leases, and what it was told."""

    def __init__(self, name: str, role: str = "trader") -> None:
        self.now = 0.0
        self.told: list[tuple[str, int]] = []
        self.away = False
        self.answers_after_s = self.beats_s_ago = 0.0
        self.database = Database(f"leases of {name}", answer_s=60.0)
        self.identity = Identity(daemon=name, role=role, capacity=40, sockets=1, build="b")
        self.leases = AccountLeases(
            daemon=name,
            database=self.database,
            heartbeat=self._beat,
            gained=lambda account, fence: self.told.append(("gained", account)),
            lost=lambda account, reason: self.told.append(("lost", account)),
            clock=lambda: self.now,
        )

    def _beat(self) -> None:
        if self.away:
            raise OperationalError("gone")
        self.identity.heartbeat()
        if self.beats_s_ago:
            Daemon.objects.filter(id=self.identity.daemon).update(
                heartbeat_at=Now() - timedelta(seconds=self.beats_s_ago)
            )
        self.now += self.answers_after_s

    async def tick(self, after_s: float = 3.0) -> None:
        self.now += after_s
        await self.leases.tick()


@asynccontextmanager
async def holders(*named: str, role: str = "trader") -> AsyncIterator[list[Holder]]:
    made = [Holder(name, role) for name in named]
    try:
        for one in made:
            await aside(one.identity.heartbeat)
        yield made
    finally:
        for one in made:
            await one.database.close()


def accounts(count: int, mode: str = "paper") -> list[int]:
    """So many, and no others."""
    Account.objects.update(active=False)
    return [rows.account(mode=mode).pk for _ in range(count)]


def expire() -> None:
    Lease.objects.update(expires_at=Now())


async def test_accounts_are_shared_among_the_daemons_that_trade_each_has_one():
    made = await aside(accounts, 12)
    async with holders("d1", "d2") as (first, second):
        await first.tick()
        await second.tick()
        assert sorted([*first.leases.fences, *second.leases.fences]) == made
        assert first.leases.fences
        assert second.leases.fences


async def test_a_daemon_that_only_watches_gets_none():
    await aside(accounts, 3)
    async with holders("d1", role="monitor") as (watcher,):
        await watcher.tick()
        assert watcher.leases.fences == {}


async def test_who_comes_later_takes_its_share_once_the_former_has_given_it_up():
    made = await aside(accounts, 12)
    async with holders("d1") as (first,):
        await first.tick()
        assert sorted(first.leases.fences) == made
        async with holders("d2") as (second,):
            await first.tick()  # another lives: its share is given up
            await first.tick()  # and free
            await second.tick()
            assert sorted([*first.leases.fences, *second.leases.fences]) == made
            assert {("lost", account) for account in second.leases.fences} <= set(first.told)


async def test_a_daemon_that_comes_late_to_say_that_it_lives_keeps_its_accounts():
    made = await aside(accounts, 3)
    async with holders("d1") as (one,):
        await one.tick()
        one.beats_s_ago = 2 * leases.DEAD_S  # the database takes its time between two statements
        await one.tick()
        await one.tick(after_s=0.1)
        assert sorted(one.leases.fences) == made
        assert one.told == [("gained", account) for account in made]


async def test_without_the_database_accounts_are_kept_and_not_relied_on():
    (account,) = await aside(accounts, 1)
    async with holders("d1") as (one,):
        await one.tick()
        assert one.leases.trusted()
        one.away = True
        await one.tick(TRUST_S)
        assert not one.leases.trusted()
        assert account in one.leases.fences
        one.away = False
        await one.tick()
        assert one.leases.trusted()
        assert ("lost", account) not in one.told


async def test_a_word_of_the_database_is_as_old_as_the_question():
    """It was written down before whatever held up the answer."""
    await aside(accounts, 1)
    async with holders("d1") as (one,):
        one.answers_after_s = TRUST_S
        await one.tick()
        assert one.leases.fences
        assert not one.leases.trusted()


async def test_who_wakes_up_after_another_has_taken_the_account_lets_it_go():
    (account,) = await aside(accounts, 1)
    async with holders("d1") as (sleeper,):
        await sleeper.tick()
        await aside(expire)
        taken = await aside(leases.acquire, holder="d2", resources=[f"account:{account}"], ttl_s=600.0)
        assert taken
        sleeper.now += 1_000
        assert not sleeper.leases.trusted()
        await sleeper.tick()
        assert sleeper.told[-1] == ("lost", account)
        assert sleeper.leases.fences == {}


async def test_an_account_comes_back_under_a_higher_fence():
    (account,) = await aside(accounts, 1)
    async with holders("d1") as (one,):
        await one.tick()
        before = one.leases.fences[account]
        await one.leases.release()
        assert (await aside(Lease.objects.get, resource=f"account:{account}")).holder == ""
        await one.tick()
        assert one.leases.fences[account] > before


async def test_a_daemon_that_is_drained_gives_all_away_and_takes_none():
    await aside(accounts, 2)
    async with holders("d1") as (one,):
        await one.tick()
        one.leases.draining = True
        await one.tick()
        assert one.leases.fences == {}
        await one.tick()
        assert not await aside(lambda: Lease.objects.exclude(holder="").exists())


async def test_who_stops_keeps_its_accounts_until_its_orders_are_seen_to():
    (account,) = await aside(accounts, 1)
    async with holders("d1") as (one,):
        await one.tick()
        one.leases.stopping = True
        await aside(rows.account, mode="paper")
        await one.tick()
        assert list(one.leases.fences) == [account]


async def test_accounts_at_exchanges_are_left_to_who_can_open_their_keys():
    await aside(accounts, 1, "testnet")
    async with holders("d1") as (one,):
        await one.tick()
        assert one.leases.fences == {}


@pytest.fixture
def keys(settings: Any, tmp_path: Path) -> Callable[[bool], None]:
    """Gives the file of private keys to whoever asks next, or takes it away."""
    public = key_rows.as_web_process(settings, tmp_path)
    settings.CT_SIMULATOR_URL = "http://127.0.0.1:1"

    def given(has: bool) -> None:
        settings.CT_SEAL_PRIVATE_KEYS_FILE = public.private if has else None

    return given


def keyed(count: int) -> list[int]:
    made = accounts(count, "testnet")
    AccountKey.objects.bulk_create(
        AccountKey(account_id=each, user=person("trader", f"anna{each}"), key_id="k", sealed=b"sealed") for each in made
    )
    return made


async def test_who_can_open_no_keys_is_not_chosen_for_accounts_that_have_one(keys: Callable[[bool], None]):
    made = await aside(keyed, 12)
    async with holders("d1", "d2") as (keyless, opener):
        for _ in range(2):
            keys(False)
            await keyless.tick()
            keys(True)
            await opener.tick()
        assert (keyless.leases.fences, sorted(opener.leases.fences)) == ({}, made)
        assert [told for told in opener.told if told[0] == "lost"] == []
        await opener.leases.release()
        assert not await aside(lambda: Lease.objects.exclude(holder="").exists())


async def test_an_account_whose_key_does_not_open_goes_to_a_daemon_that_might_open_it(keys: Callable[[bool], None]):
    keys(True)
    made = await aside(keyed, 12)
    async with holders("d1", "d2") as (first, second):
        for _ in range(3):
            await first.tick()
            await second.tick()
        assert first.leases.fences
        given_up = min(first.leases.fences)
        first.leases.cannot_open(given_up)
        for _ in range(3):
            await first.tick()
            await second.tick()
        assert given_up in second.leases.fences
        assert sorted([*first.leases.fences, *second.leases.fences]) == made
        await aside(expire)  # the mark as well
        for _ in range(3):
            await second.tick()
            await first.tick()
        assert given_up in first.leases.fences


async def test_an_account_whose_key_opens_nowhere_stays_with_who_says_so(keys: Callable[[bool], None]):
    keys(True)
    (account,) = await aside(keyed, 1)
    async with holders("d1") as (one,):
        await one.tick()
        one.leases.cannot_open(account)
        for _ in range(2):
            await one.tick()
        assert one.told == [("gained", account)]


async def test_an_account_whose_daemons_die_one_after_the_other_calls_a_person():
    account = await aside(rows.account, mode="paper")
    for number in range(leases.FLAPS + 1):
        assert await aside(called, account) == 0, number
        async with holders(f"d{number}") as (one,):
            await one.tick()
            assert account.pk in one.leases.fences
        await aside(gone, f"d{number}")
    assert await aside(called, account) == 1


def called(account: Account) -> int:
    return Alert.objects.filter(kind="LEASE_FLAP", scope="account", scope_id=str(account.pk)).count()


def gone(daemon: str) -> None:
    """It died, and its time is over."""
    Lease.objects.filter(holder=daemon).update(expires_at=Now())
    Daemon.objects.filter(pk=daemon).delete()
