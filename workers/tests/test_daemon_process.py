"""Real processes: `python -m workers` as an operator starts and stops it."""

import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from apps.feeds.bus import codec
from apps.feeds.bus.redis import read_daemons
from apps.feeds.tests.redis_process import RedisProcess
from apps.feeds.tests.waiting import await_that, until
from workers.supervisor.programs import daemon
from workers.tests.daemon import listening
from workers.tests.deployed import BTC, PATIENCE_S, System, accepts

pytestmark = pytest.mark.faults

STOP_S = daemon("monitor").stop_s  # then the supervisor kills it
TAKE_OVER_S = 20
ROW = (
    "from apps.monitoring.models import Monitoring;"
    "Monitoring.objects.create(exchange='okx', market_type='spot', pair='BTC/USDT')"
)


@pytest.fixture
def system(tmp_path: Path, redis_url: str) -> Iterator[System]:
    made = System(tmp_path, redis_url)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one row in it."""
    made = System(tmp_path_factory.mktemp("prepared"), "redis://127.0.0.1:1/0")
    made.manage("migrate", "-v0")
    made.manage("shell", "-v0", "-c", ROW)
    return made.database


@pytest.fixture
def watching(system: System, prepared: Path) -> System:
    """A simulator runs, and one row is in the database."""
    shutil.copy(prepared, system.database)
    system.start("simulator")
    await_that(lambda: accepts(system.port))
    return system


def test_a_daemon_shows_a_live_book_and_settles_on_sigterm(watching: System):
    process = watching.start("monitor")
    await_that(watching.live)
    process.send_signal(signal.SIGTERM)
    await_that(lambda: process.poll() is not None, STOP_S)
    _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, log
    book = watching.book()
    assert book is None or (book["state"], book["reason"]) == ("DOWN", "daemon d1 stops")


@pytest.mark.parametrize("redis", [RedisProcess.pause, RedisProcess.kill], ids=["stalls", "is gone"])
def test_a_daemon_settles_on_sigterm_while_redis(watching: System, redis: Callable[[RedisProcess], None]):
    server = RedisProcess()
    server.start()
    try:
        watching.redis_url = server.url
        process = watching.start("monitor", REDIS_URL=server.url)
        await_that(watching.live)
        redis(server)
        process.send_signal(signal.SIGTERM)
        await_that(lambda: process.poll() is not None, STOP_S)
        _, log = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, log
        assert list((watching.folder / "spool").rglob("*.open")) == []
    finally:
        server.close()


def test_a_daemon_settles_on_sigterm_while_the_database_is_locked(watching: System):
    process = watching.start("monitor")
    await_that(watching.live)
    with closing(sqlite3.connect(watching.database, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        process.send_signal(signal.SIGTERM)
        await_that(lambda: process.poll() is not None, STOP_S)


def test_the_second_of_two_daemons_takes_over_within_twenty_seconds_of_a_kill(watching: System):
    first = watching.start("monitor", CT_DAEMON_ID="d1")
    await_that(watching.live)
    second = watching.start("monitor", CT_DAEMON_ID="d2")
    with Redis.from_url(watching.redis_url) as redis:
        await_that(lambda: len(read_daemons(redis)) == 2)
        await_that(lambda: [d["daemon"] for d in read_daemons(redis) if d["books"]])
        (owner,) = (d["daemon"] for d in read_daemons(redis) if d["books"])
    fence = (watching.book() or {})["fence"]
    (first if owner == "d1" else second).kill()
    await_that(lambda: watching.live(above_fence=fence), TAKE_OVER_S)


async def test_a_paused_daemon_that_wakes_up_cannot_publish_over_its_successor(watching: System):
    first = watching.start("monitor", CT_DAEMON_ID="d1")
    await_that(watching.live)
    fence = (watching.book() or {})["fence"]
    await_that(watching.catalogued)  # it writes no more: paused within a transaction it would keep the database locked
    async with listening(watching.redis_url, codec.book_name(BTC)) as heard:
        first.send_signal(signal.SIGSTOP)
        watching.let_leases_run_out("d1")
        watching.start("monitor", CT_DAEMON_ID="d2")
        await until(lambda: heard and heard[-1]["fence"] > fence and heard[-1]["state"] == "LIVE", 60)
        first.send_signal(signal.SIGCONT)
        woke, _ = time.monotonic(), heard.clear()
        await until(lambda: len(heard) >= 10 and time.monotonic() - woke > 1)
    seen = [(book["fence"], book["version"]) for book in heard]
    assert seen == sorted(seen)
    assert seen[0][0] > fence


def test_a_daemon_that_waits_for_its_database_stops_when_told(system: System):
    process = system.start("monitor", DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")
    assert process.stderr is not None
    line = ""
    while "waiting for the database" not in line:
        line = process.stderr.readline()
        assert line, "the daemon ended by itself"
    process.send_signal(signal.SIGTERM)
    await_that(lambda: process.poll() is not None, STOP_S)
    assert process.returncode == 0


def test_a_bad_setting_stops_the_start_and_names_itself(system: System):
    process = system.start("monitor", CT_PAIRS_PER_CONNECTION="51")
    _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "CT_PAIRS_PER_CONNECTION" in log
    assert len(log.splitlines()) == 1


def test_two_processes_cannot_record_into_one_folder(watching: System):
    watching.start("monitor")
    await_that(watching.live)
    again = watching.start("monitor")
    _, log = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 1
    assert log.splitlines()[-1].startswith("workers: another process records into")
