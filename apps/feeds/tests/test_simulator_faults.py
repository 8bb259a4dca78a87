"""Faults do to clients what they promise, where they are asked for and nowhere else."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import (
    BybitBook,
    GapError,
    OkxBook,
    answer,
    follow,
    heard_within,
    order,
    receive,
    send,
    socket,
)

LINEAR = "stream.bybit.com/v5/public/linear"
BTC, ETH = "orderbook.50.BTCUSDT", "orderbook.50.ETHUSDT"


@pytest.fixture
async def bybit(simulator: Simulator) -> AsyncIterator[ClientConnection]:
    """Two books on one socket, both flowing."""
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "subscribe", "args": [BTC, ETH]})
        for topic in (BTC, ETH):
            await receive(connection, lambda m, topic=topic: m.get("topic") == topic)
        yield connection


def of(topic: str) -> Any:
    return lambda message: message.get("topic") == topic


async def numbers(connection: ClientConnection, topic: str, count: int) -> list[int]:
    return [(await receive(connection, of(topic)))["data"]["u"] for _ in range(count)]


async def test_a_muted_symbol_is_silent_and_goes_on_without_a_gap(
    simulator: Simulator, bybit: ClientConnection
) -> None:
    await order(simulator, "mute", exchange="bybit", market_type="futures", symbol="BTCUSDT")
    messages = await heard_within(bybit, 0.4)
    last = max((m["data"]["u"] for m in messages if m["topic"] == BTC), default=None)
    silent = await heard_within(bybit, 0.3)
    assert {message["topic"] for message in silent} == {ETH}
    await order(simulator, "unmute", exchange="bybit", market_type="futures", symbol="BTCUSDT")
    following = (await numbers(bybit, BTC, 1))[0]
    assert last is None or following == last + 1


async def test_a_fault_with_seconds_ends_by_itself(simulator: Simulator, bybit: ClientConnection) -> None:
    muted = asyncio.get_running_loop().time()
    await order(simulator, "mute", exchange="bybit", seconds=0.3)
    await heard_within(bybit, 0.05)  # what was on its way
    await receive(bybit, of(BTC))
    assert asyncio.get_running_loop().time() - muted >= 0.3


async def test_whoever_subscribes_to_a_muted_symbol_gets_the_snapshot_afterwards(simulator: Simulator) -> None:
    await order(simulator, "mute", exchange="bybit")
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "subscribe", "args": [BTC]})
        assert (await receive(connection))["success"]
        await order(simulator, "unmute", exchange="bybit")
        assert (await receive(connection))["type"] == "snapshot"


async def test_a_gap_leaves_out_exactly_the_asked_number(simulator: Simulator, bybit: ClientConnection) -> None:
    seen = await numbers(bybit, BTC, 1)
    await order(simulator, "gap", exchange="bybit", symbol="BTCUSDT", count=3)
    seen += await numbers(bybit, BTC, 30)
    jumps = [after - before for before, after in itertools.pairwise(seen)]
    assert sorted(jumps) == [1] * 29 + [4]
    others = await numbers(bybit, ETH, 10)
    assert others == list(range(others[0], others[0] + 10))


async def test_a_gap_is_found_by_the_written_rule(simulator: Simulator) -> None:
    book = OkxBook()
    async with socket(simulator, "ws.okx.com/ws/v5/public") as connection:
        await send(connection, {"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]})
        book.event(await receive(connection, lambda m: "action" in m))
        await order(simulator, "gap", exchange="okx", symbol="BTC-USDT")
        with pytest.raises(GapError):
            await follow(connection, book.event)


async def test_a_duplicate_is_the_same_message_again(simulator: Simulator, bybit: ClientConnection) -> None:
    await order(simulator, "duplicate", exchange="bybit", symbol="BTCUSDT")
    seen = await numbers(bybit, BTC, 30)
    assert len(seen) - len(set(seen)) == 1


async def test_reordered_messages_swap_places(simulator: Simulator, bybit: ClientConnection) -> None:
    await order(simulator, "reorder", exchange="bybit", symbol="BTCUSDT")
    seen = await numbers(bybit, BTC, 30)
    assert seen != sorted(seen)
    assert sorted(seen) == list(range(min(seen), min(seen) + 30))


async def test_a_crossed_book_is_claimed_in_the_message_alone(simulator: Simulator) -> None:
    book = BybitBook()
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "subscribe", "args": [BTC]})
        book.event(await receive(connection, of(BTC)))
        await order(simulator, "cross", exchange="bybit", symbol="BTCUSDT")
        while max(book.bids) < min(book.asks):
            book.event(await receive(connection))
        await send(connection, {"op": "unsubscribe", "args": [BTC]})
        await receive(connection, lambda m: m.get("op") == "unsubscribe")
        await send(connection, {"op": "subscribe", "args": [BTC]})
        book.event(await receive(connection, of(BTC)))
    assert max(book.bids) < min(book.asks)


async def test_malformed_frames_come_beside_the_whole_ones(simulator: Simulator) -> None:
    broken: list[bytes] = []
    seen: list[int] = []
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "subscribe", "args": [BTC]})
        await receive(connection, of(BTC))
        await order(simulator, "malformed", exchange="bybit", symbol="BTCUSDT", count=2)
        while len(seen) < 30:
            text = await connection.recv(decode=False)
            try:
                seen.append(msgspec.json.decode(text)["data"]["u"])
            except (msgspec.DecodeError, TypeError):
                broken.append(text)
            else:
                if msgspec.json.decode(text)["data"]["b"] == 7:
                    broken.append(text)
                    seen.pop()
    assert len(broken) == 2
    assert seen == list(range(seen[0], seen[0] + 30))


async def test_disconnect_ends_the_sockets_of_one_market_without_a_word(
    simulator: Simulator, bybit: ClientConnection
) -> None:
    async with socket(simulator, "stream.bybit.com/v5/public/spot") as spot:
        await order(simulator, "disconnect", exchange="bybit", market_type="futures")
        with pytest.raises(ConnectionClosed) as closed:
            await receive(bybit, lambda message: False)
        assert closed.value.rcvd is None
        await send(spot, {"op": "ping"})
        assert (await receive(spot))["ret_msg"] == "pong"


async def test_a_silent_socket_answers_nothing_at_all(simulator: Simulator, bybit: ClientConnection) -> None:
    await order(simulator, "silence", exchange="bybit")
    await heard_within(bybit, 0.1)
    await send(bybit, {"op": "ping"})
    waiter = await bybit.ping()
    assert await heard_within(bybit, 0.4) == []
    assert not waiter.done()
    await order(simulator, "unsilence", exchange="bybit")
    await receive(bybit)


async def test_subscriptions_are_refused_the_exchanges_own_way(simulator: Simulator) -> None:
    await order(simulator, "refuse", symbol="BTCUSDT")
    await order(simulator, "refuse", symbol="BTC-USDT")
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "subscribe", "args": [BTC]})
        assert not (await receive(connection))["success"]
    async with socket(simulator, "ws.okx.com/ws/v5/public") as connection:
        await send(connection, {"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]})
        assert (await receive(connection))["code"] == "60018"
    async with socket(simulator, "stream.binance.com/stream") as connection:
        await send(connection, {"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1})
        assert await heard_within(connection, 0.4) == [{"result": None, "id": 1}]
    await order(simulator, "allow")
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "subscribe", "args": [BTC]})
        assert (await receive(connection))["success"]


async def test_trades_of_a_muted_market_come_afterwards(simulator: Simulator) -> None:
    await order(simulator, "mute", exchange="bybit")
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "subscribe", "args": [BTC, "publicTrade.BTCUSDT"]})
        assert (await receive(connection))["success"]
        await order(simulator, "unmute")
        await receive(connection, of("publicTrade.BTCUSDT"))


async def test_an_ack_can_be_held_back(simulator: Simulator) -> None:
    await order(simulator, "no_ack", exchange="bybit", symbol="BTCUSDT")
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "subscribe", "args": [BTC]})
        assert all("topic" in message for message in await heard_within(connection, 0.3))


async def test_an_ack_can_come_late(simulator: Simulator) -> None:
    await order(simulator, "delay_ack", exchange="bybit", seconds=0.3)
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "subscribe", "args": [BTC]})
        assert (await receive(connection))["type"] == "snapshot"
        assert (await receive(connection, lambda m: "success" in m))["success"]


@pytest.mark.parametrize(
    ("exchange", "path", "query"),
    [
        ("binance", "api.binance.com/api/v3/depth", {"symbol": "BTCUSDT"}),
        ("bybit", "api.bybit.com/v5/market/orderbook", {"category": "spot", "symbol": "BTCUSDT"}),
        ("okx", "www.okx.com/api/v5/market/books", {"instId": "BTC-USDT"}),
        ("htx", "api.huobi.pro/market/depth", {"symbol": "btcusdt", "type": "step0"}),
        ("mexc", "api.mexc.com/api/v3/depth", {"symbol": "BTCUSDT"}),
    ],
)
async def test_rest_fails_until_it_is_well_again(
    simulator: Simulator, exchange: str, path: str, query: dict[str, str]
) -> None:
    await order(simulator, "rest_error", exchange=exchange)
    assert (await answer(simulator, path, **query))[0] == 503
    await order(simulator, "rest_ok", exchange=exchange)
    assert (await answer(simulator, path, **query))[0] == 200


async def test_a_ban_is_429_first_and_418_after(simulator: Simulator) -> None:
    await order(simulator, "ban", exchange="binance", market_type="spot", seconds=600, count=2)
    results = [await answer(simulator, "api.binance.com/api/v3/time") for _ in range(3)]
    assert [status for status, _, _ in results] == [429, 429, 418]
    assert 570 <= int(results[2][1]["Retry-After"]) <= 600
    assert (await answer(simulator, "fapi.binance.com/fapi/v1/time"))[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        {"op": "nosuch"},
        {"op": "gap", "exchange": "nosuch"},
        {"op": "gap", "extra": 1},
        {"op": 7},
        {"op": "gap", "count": 0},
        [],
    ],
)
async def test_orders_that_make_no_sense_are_refused(simulator: Simulator, body: Any) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/_sim/fault", json=body) as response,
    ):
        assert response.status == 400
        assert "error" in await response.json()
