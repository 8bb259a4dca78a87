"""Waiting for what may not come, and what each process makes for itself."""

import asyncio
import os
import threading

import pytest

from apps.per_process import PerProcess
from apps.waits import is_set_within


async def test_an_event_that_comes_in_time_ends_the_wait():
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)
    assert await is_set_within(event, 60.0)


async def test_an_event_that_does_not_come_is_waited_for_no_longer():
    assert not await is_set_within(asyncio.Event(), 0.01)


async def test_who_waits_can_be_cancelled():
    waiting = asyncio.create_task(is_set_within(asyncio.Event(), 60.0))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_all_threads_of_a_process_get_what_was_made_once():
    once: PerProcess[object] = PerProcess(object)
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(once.get())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert set(got) == {once.get()}


def test_another_process_makes_its_own(monkeypatch: pytest.MonkeyPatch):
    once: PerProcess[object] = PerProcess(object)
    of_parent = once.get()
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as after a fork
    assert once.get() is not of_parent
