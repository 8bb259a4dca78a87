"""What is done for one account: opened, reconciled, then traded; again after whatever ended it."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from django.db import DatabaseError

from apps.feeds.errors import Retryable
from apps.feeds.tests.waiting import until
from apps.trading.execution.gateway.ports import CannotWork, KeyClosed
from workers.trader.accounts import AGAIN_S, LONGEST_S, Accounts, Step

ACCOUNT = 7


class World:
    """Serves accounts until told to fail; reconciles as it is told."""

    def __init__(self) -> None:
        self.lives: list[tuple[int, int]] = []
        self.reconciled = 0
        self.clean = True
        self.refusal: Exception | None = None  # of whoever is asked to reconcile
        self.pauses: list[float] = []
        self.paused_in: list[Step | None] = []
        self.unopened: list[int] = []
        self.trusted = True
        self.fail = asyncio.Event()
        self.error: Exception | None = Retryable("away")
        self.serving = 0
        self.last_words = asyncio.Event()
        self.last_words.set()
        self.accounts = Accounts(
            serve=self._serve,
            reconcile=self._reconcile,
            trusted=lambda: self.trusted,
            rng=random.Random(3),
            sleep=self._sleep,
            unopened=self.unopened.append,
        )

    async def _sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)
        self.paused_in.append(self.step())
        await asyncio.sleep(0.001)

    async def _serve(self, account_id: int, fence: int, life: int, opened: Callable[[], None]) -> None:
        self.lives.append((fence, life))
        self.serving += 1
        opened()
        try:
            await self.fail.wait()
            self.fail.clear()
            if self.error is not None:
                raise self.error
        finally:
            await self.last_words.wait()
            self.serving -= 1

    async def _reconcile(self, account_id: int, fence: int) -> bool:
        self.reconciled += 1
        if self.refusal is not None:
            raise self.refusal
        return self.clean

    def step(self) -> Step | None:
        return self.accounts.steps.get(ACCOUNT)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    made = World()
    running = asyncio.create_task(made.accounts.run())
    await asyncio.sleep(0)
    try:
        yield made
    finally:
        made.last_words.set()
        running.cancel()
        await asyncio.wait({running})


async def test_an_account_is_open_once_it_is_reconciled_and_the_lease_can_be_relied_on():
    async with world() as made:
        made.clean = False
        made.accounts.begin(ACCOUNT, 1)
        await until(lambda: made.reconciled > 1)
        assert made.step() is Step.RECONCILING
        assert not made.accounts.is_open(ACCOUNT)
        made.clean = True
        await until(lambda: made.accounts.is_open(ACCOUNT))
        made.trusted = False
        assert not made.accounts.is_open(ACCOUNT)


@pytest.mark.parametrize("error", [Retryable("away"), RuntimeError("a fault of ours"), None])
async def test_what_ends_by_itself_begins_anew_and_is_reconciled_again(error: Exception | None):
    async with world() as made:
        made.error = error
        made.accounts.begin(ACCOUNT, 3)
        await until(lambda: made.accounts.is_open(ACCOUNT))
        made.fail.set()
        await until(lambda: made.reconciled == 2 and made.accounts.is_open(ACCOUNT))
        assert made.lives == [(3, 1), (3, 2)]


async def test_an_account_that_is_lost_is_closed_at_once():
    async with world() as made:
        made.accounts.begin(ACCOUNT, 1)
        await until(lambda: made.accounts.is_open(ACCOUNT))
        made.accounts.end(ACCOUNT, "another daemon holds it")
        assert not made.accounts.is_open(ACCOUNT)
        await until(lambda: made.serving == 0)


async def test_who_gets_an_account_back_waits_for_the_last_words_of_before():
    async with world() as made:
        made.last_words.clear()
        made.accounts.begin(ACCOUNT, 1)
        await until(lambda: made.accounts.is_open(ACCOUNT))
        made.accounts.end(ACCOUNT, "lost")
        made.accounts.begin(ACCOUNT, 2)
        await asyncio.sleep(0.05)
        assert made.lives == [(1, 1)]
        made.last_words.set()
        await until(lambda: made.accounts.is_open(ACCOUNT))
        assert made.lives == [(1, 1), (2, 1)]
        assert made.serving == 1


@pytest.mark.parametrize("refusal", [Retryable("REST is away"), DatabaseError("away"), None])
async def test_who_cannot_be_reconciled_is_asked_ever_later_while_its_socket_stays_open(refusal: Exception | None):
    async with world() as made:
        made.refusal, made.clean = refusal, False
        made.accounts.begin(ACCOUNT, 1)
        await until(lambda: len(made.pauses) >= 8)
        ceilings = [min(AGAIN_S * 2**number, LONGEST_S) for number in range(8)]
        assert all(most / 2 <= pause <= most for pause, most in zip(made.pauses, ceilings, strict=False))
        assert len({pause / most for pause, most in zip(made.pauses, ceilings, strict=False)}) == 8
        assert (made.lives, made.serving, made.step()) == ([(1, 1)], 1, Step.RECONCILING)
        ((_, _, reason, failures),) = made.accounts.looked_after()
        assert (reason, failures) == (str(refusal or "not all of it is known yet"), made.reconciled)
        made.refusal, made.clean = None, True
        await until(lambda: made.accounts.is_open(ACCOUNT))
        assert made.accounts.looked_after() == [(ACCOUNT, "READY", "", failures)]


async def test_who_was_open_is_asked_soon_again_after_a_failure():
    async with world() as made:
        made.clean = False
        made.accounts.begin(ACCOUNT, 1)
        await until(lambda: len(made.pauses) >= 4)
        made.clean = True
        await until(lambda: made.accounts.is_open(ACCOUNT))
        made.pauses.clear()
        made.fail.set()
        await until(lambda: made.pauses)
        assert made.pauses[0] <= AGAIN_S


async def test_an_exchange_that_says_when_to_ask_again_is_not_asked_before():
    async with world() as made:
        made.refusal = Retryable("too many", after_s=600.0)
        made.accounts.begin(ACCOUNT, 1)
        await until(lambda: made.pauses)
        assert made.pauses[0] == 600.0


async def test_what_ends_by_itself_again_and_again_is_begun_ever_later():
    async with world() as made:
        made.refusal = CannotWork("no key")
        made.accounts.begin(ACCOUNT, 1)
        await until(lambda: len(made.pauses) >= 6)
        assert made.pauses[5] >= LONGEST_S / 2 > AGAIN_S
        assert set(made.paused_in) == {Step.WAITING}


async def test_a_key_that_does_not_open_is_told_and_no_other_failure_is():
    async with world() as made:
        made.refusal = CannotWork("its key was changed")
        made.accounts.begin(ACCOUNT, 1)
        await until(lambda: len(made.pauses) >= 2)
        assert made.unopened == []
        made.refusal = KeyClosed("another ring")
        await until(lambda: made.unopened)
        assert set(made.unopened) == {ACCOUNT}
