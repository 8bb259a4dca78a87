"""The system as `make run` starts it, used through its public handles."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
import redis

from apps.feeds.tests.waiting import timed
from bench.listeners import live_socket, sign_in
from bench.system import STARTER_SET, System, get_json
from tests import api_examples
from tests.fixtures.captures import ROOT
from tests.fixtures.ports import free_port

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]

KEY = "binance:spot:BTC/USDT"
LEVELS = 20
TRIES = 5
PROGRAMS = 8  # redis, history, simulator, web, daemon, orders, jobs, beat


def processes(system: System) -> list[Path]:
    """The folders in /proc of supervisord and all that it started."""
    supervisord = (system.folder.run / "supervisord.pid").read_text().strip()
    children = Path(f"/proc/{supervisord}/task/{supervisord}/children").read_text().split()
    return [Path("/proc") / pid for pid in (supervisord, *children)]


def is_executor(command: bytes) -> bool:
    """The daemon, which trades, and the worker that is told of lanes."""
    return b"--role" in command or b"exec.wake" in command


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("system"), free_port()) as running:
        running.wait("the starter set", lambda: running.books().get("live") == STARTER_SET)
        yield running


def test_a_run_starts_stops_within_15_s_and_starts_again_with_the_same_login(tmp_path: Path):
    logins = []
    for _ in range(2):
        with System(tmp_path, free_port()) as system:
            system.wait("a LIVE book", lambda system=system: system.books().get("live", 0) > 0)
            logins.append(system.login)
            assert system.folder.login.stat().st_mode & 0o777 == 0o600
            running = processes(system)
            assert len(running) == 1 + PROGRAMS
            with timed() as seconds:
                assert system.stop() == 0
                assert seconds() < 15
            assert not any(process.exists() for process in running)
    assert logins[0] == logins[1]


def test_a_database_that_does_not_answer_stops_the_start_and_leaves_nothing(tmp_path: Path):
    environment = os.environ | {"CT_DATA_DIR": str(tmp_path), "PORT": str(free_port())}
    run = subprocess.run(
        [sys.executable, "-m", "workers.supervisor"],
        cwd=ROOT,
        env=environment | {"DATABASE_URL": "mysql://nobody@127.0.0.1:1/none", "SECRET_KEY": "k" * 40},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("cannot start: ")
    assert "prepare.log" in line
    assert not (tmp_path / "run" / "supervisord.pid").exists()


def test_whatever_the_run_writes_is_its_owners_alone(system: System):
    """Its folder is closed; what stands in it would be private in an open one too, but for what the test put there."""
    assert system.folder.root.stat().st_mode & 0o777 == 0o700
    ours, public = system.log, system.folder.root / "keys" / "seal.public"
    written = {Path(folder, name) for folder, _, names in os.walk(system.folder.root) for name in names}
    assert {"ct.sqlite3", "daemon.log", "supervisor.log", "prepare.log"} <= {path.name for path in written}
    assert [path for path in written - {ours, public} if open_to_others(path)] == []


def open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except FileNotFoundError:  # sealed, sent or rotated away meanwhile
        return False


def test_only_executors_are_told_where_the_private_keys_are(system: System):
    private = system.folder.root / "keys" / "seal.private"
    assert private.stat().st_mode & 0o777 == 0o400
    others = [process for process in processes(system) if not is_executor((process / "cmdline").read_bytes())]
    assert len(others) == 1 + PROGRAMS - 2
    for process in others:
        assert b"CT_SEAL_PRIVATE" not in (process / "environ").read_bytes()
        assert private.name.encode() not in (process / "cmdline").read_bytes()


def test_status_needs_no_login_and_the_book_does(system: System):
    every = {"live": STARTER_SET, "syncing": 0, "stale": 0, "down": 0}
    system.wait("all of them live", lambda: system.books() == every)
    with pytest.raises(HTTPError, match="401"):
        get_json(f"{system.url}/orderbook/binance/BTC-USDT")
    book = system.get("/orderbook/binance/BTC-USDT?market_type=spot&depth=5")
    assert book["state"] == "LIVE"
    assert [len(book["bids"]), len(book["asks"])] == [5, 5]
    assert book["bids"][0][0] < book["asks"][0][0]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_examples_of_the_document_trade_halt_and_go_on(system: System, tmp_path: Path):
    """Tried again where risk refused an order, whose book a busy machine had let grow old."""
    every = {"live": STARTER_SET, "syncing": 0, "stale": 0, "down": 0}
    for number in range(TRIES):
        system.wait("all of them live", lambda: system.books() == every)
        done = api_examples.run(system, number, tmp_path)
        resume(system)
        if done.returncode == 0 and "FILLED" in done.stdout.splitlines():
            break
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "FILLED" in done.stdout.splitlines(), done.stdout
    states = {one["state"] for one in system.get("/api/v1/risk/states")["results"]}
    assert states == {"ACTIVE"}


def resume(system: System) -> None:
    """Where the script ended between halting and going on."""
    body = {"reason": "the examples are over", "password": system.login[1]}
    system.post("/api/v1/risk/resume", body)


async def test_one_update_is_the_same_at_every_station(system: System):
    """Simulator -> book -> Redis -> REST and browser socket -> ClickHouse, once the market stands still."""
    system.simulator("fault", {"op": "mute", "exchange": "binance", "market_type": "spot", "symbol": "BTCUSDT"})
    truth = await asyncio.to_thread(settled, system)
    seq, sides = truth["seq"], [as_numbers(truth["bids"]), as_numbers(truth["asks"])]

    book = system.get("/orderbook/binance/BTC-USDT")
    assert [book["seq"], book["bids"], book["asks"]] == [seq, *sides]

    shown = await shown_in_browser(system)
    assert [int(shown["seq"]), as_numbers(shown["b"]), as_numbers(shown["a"])] == [seq, *sides]

    row = await asyncio.to_thread(kept, system, seq)
    for changes, side in zip(row, sides, strict=True):
        assert changes
        levels = dict(map(tuple, side))
        worst = side[-1][0]
        for price, amount in changes:
            within = price >= worst if side is sides[0] else price <= worst
            assert not within or levels.get(price, 0.0) == amount


def as_numbers(levels: list[list[Any]]) -> list[list[float]]:
    return [[float(price), float(amount)] for price, amount in levels[:LEVELS]]


def settled(system: System) -> dict[str, Any]:
    """The simulator's own book, once Redis has the same update."""
    found: dict[str, Any] = {}

    def same() -> bool:
        found.update(system.simulator("book?exchange=binance&market_type=spot&symbol=BTCUSDT&depth=20"))
        with redis.Redis.from_url(system.redis_url) as client:
            text = client.get(f"book:{KEY}")
        return text is not None and json.loads(text)["seq"] == found["seq"]

    system.wait("Redis has the last update", same)
    return found


async def shown_in_browser(system: System) -> dict[str, Any]:
    """The book as the page would draw it first."""
    async with live_socket(system.url, await sign_in(system.url, system.login)) as socket:
        await socket.send(json.dumps({"op": "hello", "v": 1}))
        await socket.send(json.dumps({"op": "sub", "id": 7, "topic": "book", "key": KEY, "depth": LEVELS}))
        async with asyncio.timeout(60):
            async for text in socket:
                frame = json.loads(text)
                for book in frame.get("m", ()):
                    if book["id"] == 7 and book.get("b"):
                        return book
    raise AssertionError("the socket was closed")


def kept(system: System, seq: int) -> tuple[list[list[float]], list[list[float]]]:
    """Changed levels of both sides of that one update, from ClickHouse."""
    rows: list[list[Any]] = []
    query = (
        "SELECT bid_prices, bid_amounts, ask_prices, ask_amounts FROM orderbook_updates"
        f" WHERE exchange = 'binance' AND market_type = 'spot' AND pair = 'BTC/USDT' AND seq = {seq} AND from_rest = 0"
    )

    def found() -> bool:
        rows[:] = system.history(query)
        return bool(rows)

    system.wait("ClickHouse has the last update", found)
    assert len(rows) == 1
    bid_prices, bid_amounts, ask_prices, ask_amounts = rows[0]
    return list(zip(bid_prices, bid_amounts, strict=True)), list(zip(ask_prices, ask_amounts, strict=True))
