"""A simulator and daemons as processes of their own, on one database and one Redis, without the web."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

from redis import Redis

from apps.feeds.bus.redis import read_daemons
from apps.feeds.drivers import registry
from apps.feeds.market import FULL_DEPTH, MarketType
from bench.stores import File, Store
from bench.system import ROOT, get_json
from workers.embedded.redis import find_server
from workers.supervisor.folder import free_ports

PREPARE_S = 180
STOP_S = 60
MARKETS = "SELECT COUNT(*) FROM (SELECT DISTINCT EXCHANGE_ID, MARKET_TYPE FROM SPOT_TRADE_PAIR) M"
LISTED = """
    SELECT E.CODE, P.MARKET_TYPE, P.PAIR,
           ROW_NUMBER() OVER (PARTITION BY E.CODE, P.MARKET_TYPE ORDER BY P.ID) AS PLACE
    FROM SPOT_TRADE_PAIR P JOIN EXCHANGE E ON E.ID = P.EXCHANGE_ID
    WHERE P.STATUS = 'trading' AND (E.CODE = %s OR %s = '')
    ORDER BY PLACE, E.CODE, P.MARKET_TYPE LIMIT %s"""
INSERT = "INSERT INTO MONITORING (EXCHANGE_ID, MARKET_TYPE, TRADE_PAIR, ORDERBOOK_DEPTH) VALUES (%s, %s, %s, %s)"
USUAL_DEPTH = 20
DEEPER = {3: 50, 7: FULL_DEPTH}  # of every ten pairs of a market, where it offers that


class TooLate(Exception):
    """What was waited for did not come about."""


class Fleet:
    """Stopped, with all its processes, when it is left. `prepare` once, then `begin` for each run."""

    def __init__(self, directory: Path, store: Store | None = None) -> None:
        """On a file of SQLite's, unless a `store` is given: an empty database."""
        self.directory = directory
        self.redis_url = ""
        self._store: Store = store or File(directory / "ct.sqlite3")
        self._port = free_ports([None])[0]
        self._running: list[subprocess.Popen[bytes]] = []
        self._redis: Redis
        self._held = ExitStack()

    def __enter__(self) -> Self:
        path = self.directory / "redis.sock"
        self.redis_url = f"unix://{path}?db=0"
        arguments = [str(find_server()), "--port", "0", "--unixsocket", str(path), "--save", ""]
        server = subprocess.Popen(arguments, cwd=self.directory, stdout=subprocess.DEVNULL)
        self._held.callback(_end, server)
        self._held.callback(self.stop)
        self._redis = self._held.enter_context(Redis.from_url(self.redis_url))  # patient with a busy machine
        self.wait("redis", path.exists, 60)
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def prepare(self) -> None:
        """A database whose catalogue holds all that is listed on all markets."""
        markets = len(registry.exchange_ids()) * len(MarketType)
        command = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(command, cwd=ROOT, env=self._environment(), check=True, timeout=PREPARE_S)
        self.begin(rate=1.0)
        self.daemon("d0")
        self.wait("the catalogue", lambda: self.query(MARKETS)[0][0] == markets, PREPARE_S)
        self.stop()

    def watch(self, count: int, *, depth: int | None = None, exchange: str = "") -> None:
        """Let these be all rows: pairs spread evenly over all markets, by plain SQL as a user might.

        Without a `depth` most are watched at 20 levels, some at 50 and some whole.
        """
        listed = self.query(LISTED, exchange, exchange, count)
        rows = [(*row[:3], _depth(*row) if depth is None else depth) for row in listed]
        self._store.change(("DELETE FROM MONITORING", [()]), (INSERT, rows))

    def begin(self, *, rate: float) -> None:
        """A fresh simulator whose limits are enforced, and nothing left of the run before."""
        self.stop()
        self._redis.flushall()
        self._store.change(*((f"DELETE FROM {table}", [()]) for table in ("lease", "daemon", "ch_batch", "feed_gap")))
        for left in ("spool", "malformed"):
            shutil.rmtree(self.directory / left, ignore_errors=True)
        self._start("simulator", "apps.feeds.simulator", "--port", str(self._port), "--rate", str(rate))
        self.wait("the simulator", lambda: _accepts(self._port), 60)

    def daemon(self, name: str) -> None:
        self._start(name, "workers", "--role", "monitor", CT_DAEMON_ID=name)

    def statuses(self) -> list[dict[str, Any]]:
        return read_daemons(self._redis)

    def books(self) -> list[dict[str, Any]]:
        """What the daemons say of each book that they hold."""
        return [book for status in self.statuses() for book in status["books"]]

    def simulator(self, path: str, body: object = None) -> Any:
        """GET, or POST with a body, one of the simulator's own handles."""
        return get_json(f"http://127.0.0.1:{self._port}/_sim/{path}", body)

    def query(self, statement: str, *values: object) -> Sequence[Any]:
        return self._store.query(statement, values)

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def wait(self, what: str, condition: Callable[[], object], seconds: float) -> float:
        """Seconds until `condition`; raise TooLate when it does not come, or a process ended."""
        started = monotonic()
        while not condition():
            if monotonic() - started > seconds or any(process.poll() is not None for process in self._running):
                raise TooLate(f"{what}: not within {seconds:g} s")
            sleep(0.2)
        return monotonic() - started

    def stop(self) -> None:
        """End the simulator and all daemons."""
        while self._running:
            _end(self._running.pop())

    def _start(self, name: str, module: str, *arguments: str, **changed: str) -> None:
        with (self.directory / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", module, *arguments]
            environment = {**self._environment(), **changed}
            self._running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))

    def _environment(self) -> Mapping[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CT_", "COVERAGE_"))}
        return {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "ctweb.settings",
            "DATABASE_URL": self._store.url,
            "CT_DATA_DIR": str(self.directory),
            "CT_SIMULATOR_URL": f"http://127.0.0.1:{self._port}",
            "REDIS_URL": self.redis_url,
            "SOURCE": "simulator",
            "SECRET_KEY": "x" * 50,
        }


def _depth(exchange: str, market_type: str, _pair: str, place: int) -> int:
    wanted = DEEPER.get(place % 10, USUAL_DEPTH)
    return wanted if wanted in registry.driver(exchange).depths(MarketType(market_type)) else USUAL_DEPTH


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_S)
