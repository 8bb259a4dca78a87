"""What the simulator says it sent is what clients got."""

from collections import Counter
from typing import Any

import aiohttp
import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import answer, fetch, heard_within, order, receive, send, socket


@pytest.fixture(autouse=True)
async def lively(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(400.0)


async def entries(simulator: Simulator, **query: str) -> dict[str, Any]:
    return {row["stream"]: row for row in await fetch(simulator, "_sim/log", **query)}


async def test_every_frame_and_print_of_a_socket_is_counted(simulator: Simulator) -> None:
    frames: Counter[str] = Counter()
    prints: Counter[str] = Counter()
    last: dict[str, int] = {}
    async with socket(simulator, "stream.bybit.com/v5/public/spot") as connection:
        await send(connection, {"op": "subscribe", "args": ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT"]})
        messages = await heard_within(connection, 0.5)
        await order(simulator, "mute", exchange="bybit")
        messages += await heard_within(connection, 0.2)
        for message in messages:
            if "topic" in message:
                frames[message["topic"]] += 1
                trades = isinstance(message["data"], list)
                prints[message["topic"]] += len(message["data"]) if trades else 0
                last[message["topic"]] = message["data"][-1]["seq"] if trades else message["data"]["u"]
        log = await entries(simulator, exchange="bybit", market_type="spot")
    assert {name: row["sent"] for name, row in log.items()} == frames
    assert {name: row["trades"] for name, row in log.items()} == prints
    assert {name: row["last_seq"] for name, row in log.items()} == last
    assert {row["kind"] for row in log.values()} == {"book", "trades"}


async def test_the_log_outlives_its_sockets(simulator: Simulator) -> None:
    for _ in range(2):
        async with socket(simulator, "stream.binance.com/ws/btcusdt@depth20@100ms") as connection:
            await receive(connection)
    rows = await fetch(simulator, "_sim/log", exchange="binance")
    assert len(rows) == len({row["connection"] for row in rows}) == 2
    assert all(row["sent"] >= 1 for row in rows)


async def test_what_was_left_out_is_not_counted_and_what_was_doubled_counts_twice(simulator: Simulator) -> None:
    async with socket(simulator, "stream.bybit.com/v5/public/linear") as connection:
        await send(connection, {"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]})
        await receive(connection, lambda message: "topic" in message)
        await order(simulator, "gap", exchange="bybit", count=5)
        await order(simulator, "duplicate", exchange="bybit", count=2)
        await order(simulator, "malformed", exchange="bybit", count=2)
        await heard_within(connection, 0.3)
        await order(simulator, "mute", exchange="bybit")
        row = (await entries(simulator, exchange="bybit"))["orderbook.50.BTCUSDT"]
    assert row["malformed"] == 2
    assert row["sent"] == row["last_seq"] - row["first_seq"] + 1 - 5 + 2


async def test_books_given_out_by_rest_are_counted_apart(simulator: Simulator) -> None:
    for _ in range(3):
        await fetch(simulator, "fapi.binance.com/fapi/v1/depth", symbol="BTCUSDT", limit="100")
    (row,) = await fetch(simulator, "_sim/log", exchange="binance", market_type="futures")
    assert (row["connection"], row["kind"], row["symbol"], row["sent"]) == ("rest", "rest", "BTCUSDT", 3)


async def test_the_state_counts_connections_by_host(simulator: Simulator) -> None:
    async with (
        socket(simulator, "stream.binance.com/stream?streams=btcusdt@trade/ethusdt@depth"),
        socket(simulator, "ws.okx.com/ws/v5/public"),
    ):
        state = await fetch(simulator, "_sim/state")
    assert state["connections"] == {"stream.binance.com": 1, "ws.okx.com": 1}
    assert (state["streams"], state["books"], state["breaches"]) == (2, 1, {})


async def test_the_rate_is_set_over_http(simulator: Simulator) -> None:
    async with aiohttp.ClientSession() as session:
        for body, status in (({"msg_s": 12.5}, 200), ({"msg_s": "fast"}, 400), ({}, 400)):
            async with session.post(f"{simulator.url}/_sim/rate", json=body) as response:
                assert response.status == status
    assert (await fetch(simulator, "_sim/state"))["rate"] == 12.5


async def test_an_unknown_market_has_no_book(simulator: Simulator) -> None:
    query = {"exchange": "binance", "market_type": "spot", "symbol": "NOSUCH"}
    assert (await answer(simulator, "_sim/book", **query))[0] == 404
