"""A whole daemon in the test's loop, on a simulator and a Redis of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from django.db import connections

from apps.feeds.bus import codec
from apps.feeds.bus.redis import Subscriber
from apps.feeds.market import BookKey
from apps.feeds.selectors import catalogue_age
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.waiting import until
from apps.monitoring.models import Monitoring
from apps.trading.models import Trade
from workers.lifecycle import Lifecycle
from workers.monitor import Monitor
from workers.options import Options


def options(*, redis_url: str, simulator_url: str, data_dir: Path, **changed: Any) -> Options:
    values: dict[str, Any] = {
        "daemon": "d1",
        "pairs_per_connection": 40,
        "max_connections": 20,
        "depth": 20,
        "publish_hz": 10,
        "batch_size": 50_000,
        "batch_interval_s": 5.0,
        "build": "test",
    }
    return Options(redis_url=redis_url, simulator_url=simulator_url, data_dir=data_dir, **{**values, **changed})


@asynccontextmanager
async def running(chosen: Options) -> AsyncIterator[Monitor]:
    """Stopped in order on the way out; an unclean stop fails the test."""
    monitor = Monitor(chosen, register=lambda batch: None)
    life = Lifecycle(monitor.parts(), on_stopping=monitor.stopping)
    serving = asyncio.create_task(life.serve())
    try:
        yield monitor
    finally:
        life.stopping.set()
        async with asyncio.timeout(45):
            assert await serving == 0


async def watch(*keys: str, depth: int | None = None) -> None:
    """Rows as plain SQL would write them."""
    await _rows(_insert, keys, depth)


async def switch(key: str, *, on: bool) -> None:
    await _rows(_switch, key, on)


async def trade(*keys: str) -> None:
    """TRADE rows as plain SQL would write them."""
    await _rows(_insert_trades, keys)


async def _rows(function: Any, *arguments: Any) -> None:
    def call() -> None:
        try:
            function(*arguments)
        finally:
            connections.close_all()

    await asyncio.to_thread(call)


def _insert(keys: tuple[str, ...], depth: int | None) -> None:
    for key in keys:
        exchange, market_type, pair = key.split(":")
        Monitoring.objects.create(exchange=exchange, market_type=market_type, pair=pair, depth=depth)


def _insert_trades(keys: tuple[str, ...]) -> None:
    for key in keys:
        exchange, market_type, pair = key.split(":")
        Trade.objects.create(exchange=exchange, market_type=market_type, pair=pair)


def _switch(key: str, on: bool) -> None:
    exchange, market_type, pair = key.split(":")
    Monitoring.objects.filter(exchange=exchange, market_type=market_type, pair=pair).update(enabled=on)


def state(monitor: Monitor, key: str) -> str | None:
    pair = monitor.feed.find(BookKey.parse(key))
    return None if pair is None else str(pair.book.state)


def applied(monitor: Monitor, key: str) -> int:
    """Messages of the stream that a book has taken."""
    pair = monitor.feed.find(BookKey.parse(key))
    return 0 if pair is None else pair.book.counts.applied


async def catalogued() -> None:
    """Wait until every market has its list: what is unknown is not asked for."""

    def missing() -> list[object]:
        try:
            return [market for market, read_at in catalogue_age().items() if read_at is None]
        finally:
            connections.close_all()

    async with asyncio.timeout(60):
        while await asyncio.to_thread(missing):  # noqa: ASYNC110 (the database tells nobody)
            await asyncio.sleep(0.05)


async def all_live(monitor: Monitor, *keys: str, seconds: float = 45) -> None:
    """LIVE and moved by the stream: right after a REST snapshot the stream may still bring what that had already."""

    def moves(key: str) -> bool:
        pair = monitor.feed.find(BookKey.parse(key))
        return pair is not None and pair.book.state == "LIVE" and pair.book.counts.applied > 1

    await until(lambda: all(map(moves, keys)), seconds)


async def fault(simulator: Simulator, op: str, key: str, **more: Any) -> None:
    """Let the simulator do wrong."""
    exchange, market_type, pair = key.split(":")
    order = {"op": op, "exchange": exchange, "market_type": market_type, "symbol": _symbol(exchange, pair), **more}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{simulator.url}/_sim/fault", json=order) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def sent(simulator: Simulator, key: str, kind: str = "book") -> list[dict[str, Any]]:
    """What the simulator wrote of one pair, per socket."""
    exchange, market_type, pair = key.split(":")
    query = {"exchange": exchange, "market_type": market_type}
    async with aiohttp.ClientSession() as http, http.get(f"{simulator.url}/_sim/log", params=query) as answer:
        rows = await answer.json()
    return [row for row in rows if row["symbol"] == _symbol(exchange, pair) and row["kind"] == kind]


@asynccontextmanager
async def listening(redis_url: str, pattern: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Everything that is published on the channels of a pattern, in order."""
    heard: list[dict[str, Any]] = []
    subscriber = Subscriber(redis_url, patterns=[pattern])

    async def listen() -> None:
        async for _, payload in subscriber:
            heard.append(codec.decode(payload))

    task = asyncio.create_task(listen())
    await until(lambda: subscriber.connected)
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.wait({task})
        await subscriber.aclose()


def _symbol(exchange: str, pair: str) -> str:
    return pair.replace("/", "-" if exchange == "okx" else "")
