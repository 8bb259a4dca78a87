"""The worker for orders under its supervisor, when its broker fails and when it takes nothing any more."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.utils.nodenames import worker_direct
from kombu.exceptions import OperationalError
from redis import Redis

from apps.feeds.tests.redis_process import RedisProcess
from apps.feeds.tests.waiting import await_that, timed
from ctweb.conf.queues import celery_settings
from workers.supervisor import programs
from workers.supervisor.folder import Folder
from workers.tests.deployed import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.faults, pytest.mark.timeout(900)]

TIMES = int(os.environ.get("CT_FAULTS", "1"))
CHECK_S = 1.0
AGAIN_S = 30.0  # after any trouble with the broker
STILL_S = 3.0  # longer than the worker waits between two looks at its broker
HINT = "ctweb.canary.canary"


class Watched:
    """supervisord with the worker for orders alone."""

    def __init__(self, folder: Path, broker: RedisProcess) -> None:
        self.broker = broker
        self.app = Celery("asks")
        self.app.conf.update(celery_settings(redis_url=broker.url, run_dir=folder, finish_s=1))
        self.folder = Folder(folder)
        self.folder.create()
        self.folder.prepared.touch()
        path = folder / "supervisord.conf"
        path.write_text(programs.configuration([programs.orders()], self.folder, ROOT))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("CT_", "COVERAGE_"))},
            "DATABASE_URL": f"sqlite:///{folder / 'ct.sqlite3'}",
            "CT_DATA_DIR": str(folder),
            "CT_CELERY_CHECK_S": str(CHECK_S),
            "REDIS_URL": broker.url,
            "SECRET_KEY": "x" * 50,
        }
        command = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(path)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
        self.app.close()

    def takes(self) -> bool:
        """Whether a hint that is put into its queue now is taken out of it within a few seconds."""
        try:
            self.app.send_task(HINT, queue="exec.wake", expires=60, retry=False)
            await_that(self._is_empty, CHECK_S)
        except (OperationalError, OSError, TimeoutError):
            return False
        return True

    def _is_empty(self) -> bool:
        with Redis.from_url(self.broker.url) as client:
            return client.llen("ct:exec.wake") == 0

    def starts(self) -> int:
        """How often the supervisor started it."""
        return (self.folder.log / "supervisor.log").read_text().count("spawned: 'orders'")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    broker = RedisProcess()
    broker.start()
    made = Watched(tmp_path, broker)
    try:
        await_that(made.takes, 120)
        yield made
    finally:
        made.stop()
        broker.close()


def test_a_worker_that_takes_nothing_any_more_is_started_again(watched: Watched):
    [[node]] = [list(answer) for answer in watched.app.control.ping(timeout=60, limit=1)]
    for queue in ("exec.wake", worker_direct(node).name):
        assert watched.app.control.cancel_consumer(queue, reply=True, timeout=60, limit=1)
    await_that(lambda: watched.starts() == 2, 120)
    assert "takes nothing any more" in (watched.folder.log / "orders.log").read_text()
    await_that(watched.takes, 120)


def restart(broker: RedisProcess) -> None:
    broker.kill()
    broker.start()


def empty(broker: RedisProcess) -> None:
    with Redis.from_url(broker.url) as client:
        client.flushall()


def stand_still(broker: RedisProcess) -> None:
    broker.pause()
    time.sleep(STILL_S)
    broker.resume()


def test_hints_are_taken_again_within_half_a_minute_whatever_becomes_of_redis(watched: Watched):
    """O8"""
    troubles: list[Callable[[RedisProcess], None]] = [restart, empty] * 5 + [stand_still] * 3
    slowest = 0.0
    for trouble in troubles * TIMES:
        trouble(watched.broker)
        with timed() as seconds:
            await_that(watched.takes, 120)
            slowest = max(slowest, seconds())
    assert slowest <= AGAIN_S, f"{watched.starts() - 1} restarts by the canary"
