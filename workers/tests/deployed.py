"""Real processes on a folder, a simulator and a database of their own."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from redis import Redis

from apps.feeds.bus.redis import read_book
from apps.feeds.drivers import registry
from apps.feeds.market import BookKey
from tests.fixtures.ports import free_port
from workers.supervisor.programs import daemon

ROOT = Path(__file__).resolve().parents[2]
BTC = BookKey.parse("okx:spot:BTC/USDT")
PATIENCE_S = 180  # of a command


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
