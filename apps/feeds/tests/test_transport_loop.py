"""One event loop for a process that is not asyncio."""

import asyncio
import os
import threading

import pytest

from apps.feeds.transport import loop


async def here() -> tuple[int, str]:
    return id(asyncio.get_running_loop()), threading.current_thread().name


def test_all_threads_share_one_loop_in_a_thread_of_its_own():
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(loop.run(here(), timeout=60))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1
    assert seen[0][1] == "transport loop"


def test_an_error_comes_back_to_the_caller():
    async def fails() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        loop.run(fails(), timeout=60)


def test_what_takes_too_long_is_cancelled():
    cancelled = threading.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(TimeoutError):
        loop.run(endless(), timeout=0.05)
    assert cancelled.wait(60)


def test_a_forked_child_has_a_loop_of_its_own():
    loop.run(here(), timeout=60)
    child = os.fork()
    if child == 0:
        try:
            loop.run(here(), timeout=60)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
