import asyncio
import threading

import pytest
from django.db import OperationalError

from workers.database import Database, DatabaseAwayError


async def test_a_call_brings_its_answer_from_a_thread_of_its_own():
    database = Database("test")
    assert await database.call(lambda: threading.current_thread().name) == "database test_0"
    await database.close()


async def test_a_database_error_means_away_and_a_fault_of_ours_does_not():
    database = Database("test")

    def gone() -> None:
        raise OperationalError("server has gone away")

    with pytest.raises(DatabaseAwayError, match="server has gone away"):
        await database.call(gone)
    with pytest.raises(ZeroDivisionError):
        await database.call(lambda: 1 / 0)
    await database.close()


async def test_a_call_that_hangs_makes_the_next_ones_fail_at_once_until_it_ends():
    database, released = Database("test"), threading.Event()
    with pytest.raises(DatabaseAwayError, match=r"no answer within 0\.05 s"):
        await database.call(released.wait, timeout_s=0.05)
    with pytest.raises(DatabaseAwayError, match="still hangs"):
        await database.call(lambda: None)
    released.set()
    while True:
        try:
            assert await database.call(lambda: "back") == "back"
            break
        except DatabaseAwayError:
            continue
    await database.close()


@pytest.mark.parametrize("steps", range(4))
async def test_a_cancellation_that_falls_together_with_the_answer_is_not_lost(steps):
    database, answered = Database("test"), threading.Event()
    task = asyncio.create_task(database.call(answered.set))
    await asyncio.sleep(0)
    answered.wait()
    database._thread.submit(lambda: None).result()  # the answer stands in the loop's queue, or is about to
    for _ in range(steps):
        await asyncio.sleep(0)
    cancelled = task.cancel()
    await asyncio.wait({task})
    assert task.cancelled() is cancelled
    await database.close()
