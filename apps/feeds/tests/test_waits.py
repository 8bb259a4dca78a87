"""Waiting for what may not come, and what each process makes for itself."""

import asyncio
import os
import socket
import threading
import time

import pytest

from apps.per_process import PerProcess
from apps.waits import is_set_within, patience


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


async def test_patience_ends_with_what_does_not_come():
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with patience(0.05):
            await asyncio.Event().wait()
    assert time.monotonic() - began >= 0.05


async def test_patience_ends_nothing_once_it_is_left():
    async with patience(0.02):
        pass
    await asyncio.sleep(0.1)


async def test_an_answer_that_came_while_the_loop_was_away_is_in_time():
    here, there = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=here)
    with there:
        async with patience(0.2):
            reading = asyncio.ensure_future(reader.readexactly(4))
            await asyncio.sleep(0)
            there.sendall(b"here")
            stop(1.0)
            assert await reading == b"here"
    writer.close()


async def test_a_loop_that_others_keep_busy_comes_to_the_answer():
    here, there = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=here)
    busy = asyncio.create_task(_busy())
    with there:
        async with patience(0.05):
            there.sendall(b"here")
            assert await reader.readexactly(4) == b"here"
    busy.cancel()
    writer.close()


async def _busy() -> None:
    """Every turn of the loop takes longer than anybody waits."""
    while True:
        stop(0.1)
        await asyncio.sleep(0)


def stop(seconds: float) -> None:
    """The whole loop, as a pause of the process or a callback that computes does."""
    time.sleep(seconds)


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
