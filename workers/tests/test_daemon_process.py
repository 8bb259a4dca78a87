"""Real processes: `python -m workers` as an operator starts and stops it."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from apps.feeds.bus import codec
from apps.feeds.bus.redis import read_book, read_daemons
from apps.feeds.drivers import registry
from apps.feeds.market import BookKey
from apps.feeds.tests.redis_process import RedisProcess
from apps.feeds.tests.waiting import await_that, until
from tests.fixtures.ports import free_port
from workers.supervisor.programs import daemon
from workers.tests.daemon import listening

pytestmark = pytest.mark.faults

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 180  # of a command
STOP_S = daemon("monitor").stop_s  # then the supervisor kills it
TAKE_OVER_S = 20
BTC = BookKey.parse("okx:spot:BTC/USDT")
ROW = (
    "from apps.monitoring.models import Monitoring;"
    "Monitoring.objects.create(exchange='okx', market_type='spot', pair='BTC/USDT')"
)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class System:
    """A folder, a simulator process, and daemons on one database."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self.database = folder / "ct.sqlite3"
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("CT_", "COVERAGE_"))},
            "DJANGO_SETTINGS_MODULE": "ctweb.settings",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "CT_DATA_DIR": str(folder),
            "CT_SIMULATOR_URL": f"http://127.0.0.1:{self.port}",
            "REDIS_URL": redis_url,
            "SECRET_KEY": "x" * 50,
        }
        self.processes: list[subprocess.Popen[str]] = []

    def manage(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, check=True, timeout=PATIENCE_S
        )

    def start(self, role: str, **changed: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            daemon(role).command,
            cwd=ROOT,
            env={**self.environment, **changed},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def book(self) -> dict[str, Any] | None:
        with Redis.from_url(self.redis_url) as redis:
            return read_book(redis, BTC, 20)

    def let_leases_run_out(self, daemon: str) -> None:
        """As if ten seconds had passed without a word of this daemon."""
        with closing(sqlite3.connect(self.database, timeout=20)) as database, database:
            database.execute("UPDATE lease SET expires_at = '2020-01-01 00:00:00' WHERE holder = ?", [daemon])
            database.execute("UPDATE daemon SET heartbeat_at = '2020-01-01 00:00:00' WHERE id = ?", [daemon])

    def catalogued(self) -> bool:
        """Every market has its list."""
        with closing(sqlite3.connect(self.database, timeout=20)) as database:
            markets = "SELECT COUNT(DISTINCT EXCHANGE_ID || MARKET_TYPE) FROM SPOT_TRADE_PAIR"
            return database.execute(markets).fetchone() == (2 * len(registry.exchange_ids()),)

    def live(self, *, above_fence: int = 0) -> bool:
        book = self.book()
        return book is not None and book["state"] == "LIVE" and book["fence"] > above_fence


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


@pytest.mark.parametrize("role", ["trader", "both"])
def test_a_role_that_does_not_exist_yet_is_refused_in_one_line(system: System, role: str):
    process = system.start(role)
    _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert log.splitlines() == [
        f"workers: role {role} does not exist yet: this build watches markets, it does not trade"
    ]


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
