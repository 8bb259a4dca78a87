"""Faults and the journal hold for each exchange in its own dialect."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests import plain_coinex, plain_kucoin
from apps.feeds.tests.plain_client import (
    answer,
    fetch,
    heard_within,
    order,
    receive,
    send,
    socket,
    unpacked,
)


@dataclass(frozen=True)
class Corner:
    """One kind of socket, with a book to subscribe to."""

    exchange: str
    market_type: str
    symbol: str
    connect: Callable[[Simulator], AbstractAsyncContextManager[ClientConnection]]
    subscribe: dict[str, Any]
    ping: dict[str, Any]
    is_data: Callable[[dict[str, Any]], bool]
    refused: Callable[[list[Any]], bool]  # by all that is heard after the command
    rest: str

    async def follow(self, connection: ClientConnection) -> None:
        """Subscribe, and wait for the first data."""
        await send(connection, self.subscribe)
        await receive(connection, self.is_data)

    def reach(self) -> dict[str, str]:
        return {"exchange": self.exchange, "market_type": self.market_type, "symbol": self.symbol}


CORNERS = {
    "kucoin unified": Corner(
        exchange="kucoin",
        market_type="futures",
        symbol="XBTUSDTM",
        connect=lambda simulator: plain_kucoin.unified(simulator, "futures"),
        subscribe=plain_kucoin.subscribe("futures", "XBTUSDTM"),
        ping={"id": "9", "type": "ping"},
        is_data=lambda message: "T" in message,
        refused=lambda heard: heard == [{"id": "p1", "result": True}],
        rest="api-futures.kucoin.com/api/v1/timestamp",
    ),
    "kucoin classic": Corner(
        exchange="kucoin",
        market_type="spot",
        symbol="BTC-USDT",
        connect=lambda simulator: plain_kucoin.classic(simulator, "spot"),
        subscribe=plain_kucoin.topic("/market/level2:BTC-USDT"),
        ping={"id": "9", "type": "ping"},
        is_data=lambda message: message["type"] == "message",
        refused=lambda heard: [message["code"] for message in heard] == [404],
        rest="api.kucoin.com/api/v1/timestamp",
    ),
    "coinex": Corner(
        exchange="coinex",
        market_type="futures",
        symbol="BTCUSDT",
        connect=lambda simulator: socket(simulator, plain_coinex.SOCKETS["futures"]),
        subscribe=plain_coinex.subscribe("depth", ["BTCUSDT", 20, "0", False]),
        ping={"method": "server.ping", "params": {}, "id": 9},
        is_data=plain_coinex.is_depth,
        refused=lambda heard: [message["code"] for message in heard] == [30001],
        rest="api.coinex.com/v2/futures/market",
    ),
}


@pytest.fixture(params=list(CORNERS))
def corner(request: pytest.FixtureRequest) -> Corner:
    return CORNERS[request.param]


@pytest.fixture(autouse=True)
async def lively(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(300.0)


async def row(simulator: Simulator, corner: Corner) -> Any:
    rows = await fetch(simulator, "_sim/log", exchange=corner.exchange, market_type=corner.market_type)
    (found,) = [row for row in rows if row["kind"] == "book"]
    return found


async def test_a_muted_book_is_silent_until_it_is_unmuted(simulator: Simulator, corner: Corner) -> None:
    async with corner.connect(simulator) as connection:
        await corner.follow(connection)
        await order(simulator, "mute", **corner.reach())
        await heard_within(connection, 0.1)
        assert await heard_within(connection, 0.2) == []
        await order(simulator, "unmute", **corner.reach())
        await receive(connection, corner.is_data)


async def test_every_whole_frame_is_counted_and_every_broken_one_apart(simulator: Simulator, corner: Corner) -> None:
    whole = 0
    async with corner.connect(simulator) as connection:
        await send(connection, corner.subscribe)
        while whole < 20:
            whole += corner.is_data(await receive(connection))
        await order(simulator, "malformed", count=3, **corner.reach())
        await order(simulator, "duplicate", count=2, **corner.reach())
        await order(simulator, "gap", count=2, **corner.reach())
        frames, broken = 0, 0
        while broken < 3:
            frame = unpacked(await connection.recv(decode=False))
            broken += is_broken(frame)
            frames += 1
        await order(simulator, "mute", **corner.reach())
        rest = await heard_within(connection, 0.2)
        counted = await row(simulator, corner)
    assert counted["malformed"] == 3
    assert counted["sent"] == whole + frames - broken + len(rest)


def is_broken(frame: bytes) -> bool:
    """Cut off, or without any list."""
    try:
        return not has_list(msgspec.json.decode(frame))
    except msgspec.DecodeError:
        return True


def has_list(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_list(item) for item in value.values())
    return isinstance(value, list)


async def test_a_disconnect_says_nothing(simulator: Simulator, corner: Corner) -> None:
    async with corner.connect(simulator) as connection:
        await corner.follow(connection)
        await order(simulator, "disconnect", **corner.reach())
        with pytest.raises(ConnectionClosed) as closed:
            await receive(connection, lambda message: False)
    assert closed.value.rcvd is None


async def test_a_silent_socket_does_not_even_answer_pings(simulator: Simulator, corner: Corner) -> None:
    async with corner.connect(simulator) as connection:
        await corner.follow(connection)
        await order(simulator, "silence", **corner.reach())
        await heard_within(connection, 0.1)
        await send(connection, corner.ping)
        assert await heard_within(connection, 0.3) == []
        await order(simulator, "unsilence", **corner.reach())
        await receive(connection, corner.is_data)


async def test_subscriptions_are_refused_in_the_exchanges_own_way(simulator: Simulator, corner: Corner) -> None:
    await order(simulator, "refuse", **corner.reach())
    async with corner.connect(simulator) as connection:
        await send(connection, corner.subscribe)
        assert corner.refused(await heard_within(connection, 0.7))
        await order(simulator, "allow", **corner.reach())
        await corner.follow(connection)


async def test_acks_are_held_back_and_come_late(simulator: Simulator, corner: Corner) -> None:
    await order(simulator, "no_ack", **corner.reach())
    async with corner.connect(simulator) as connection:
        await send(connection, corner.subscribe)
        assert all(corner.is_data(message) for message in await heard_within(connection, 0.3))
    await order(simulator, "ack", **corner.reach())
    await order(simulator, "delay_ack", seconds=1.5, **corner.reach())
    async with corner.connect(simulator) as connection:
        await send(connection, corner.subscribe)
        assert corner.is_data(await receive(connection))
        await receive(connection, lambda message: not corner.is_data(message))


async def test_rest_fails_and_bans_until_it_is_well_again(simulator: Simulator, corner: Corner) -> None:
    await order(simulator, "rest_error", exchange=corner.exchange)
    assert (await answer(simulator, corner.rest))[0] == 503
    await order(simulator, "rest_ok", exchange=corner.exchange)
    await order(simulator, "ban", exchange=corner.exchange, market_type=corner.market_type, seconds=30)
    status, _, body = await answer(simulator, corner.rest)
    assert (status, body["code"]) in ((429, "429000"), (200, 4213))
    await order(simulator, "unban", exchange=corner.exchange)
    assert (await fetch(simulator, corner.rest))["code"] in ("200000", 0)
