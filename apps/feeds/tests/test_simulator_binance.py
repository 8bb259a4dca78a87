"""The simulated Binance behaves as its documentation and the wire say, the traps included."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import answer, breaches, fetch, heard_within, order, receive, running, send, socket

SPOT = "stream.binance.com/stream"
FUTURES_PUBLIC = "fstream.binance.com/public/stream"


def subscribe(*names: str, number: Any = 1) -> dict[str, Any]:
    return {"method": "SUBSCRIBE", "params": list(names), "id": number}


def is_ack(message: Any) -> bool:
    return "result" in message


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (SPOT, "BTCUSDT@depth@100ms"),
        (SPOT, "nosuchcoin@depth@100ms"),
        (SPOT, "btcusdt@nosuchkind"),
        (SPOT, "btcusdt@depth20@250ms"),
        (SPOT, "wavesusdt@depth@100ms"),
        (FUTURES_PUBLIC, "btcusdt@depth20@250ms"),
        (FUTURES_PUBLIC, "btcusdt@aggTrade"),
        ("fstream.binance.com/market/stream", "btcusdt@depth@100ms"),
        ("fstream.binance.com/market/stream", "btcusdt@trade"),
        ("fstream.binance.com/stream", "btcusdt@aggTrade"),
    ],
)
async def test_what_cannot_be_had_is_acknowledged_and_silent(simulator: Simulator, path: str, name: str) -> None:
    async with socket(simulator, path) as connection:
        await send(connection, subscribe(name))
        assert await receive(connection) == {"result": None, "id": 1}
        await send(connection, {"method": "LIST_SUBSCRIPTIONS", "id": 2})
        assert await receive(connection) == {"result": [name], "id": 2}
        assert await heard_within(connection, 0.4) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("fstream.binance.com/public/stream", "btcusdt@depth5"),
        ("fstream.binance.com/public/stream", "btcusdt@depth10@500ms"),
        ("fstream.binance.com/public/stream", "btcusdt_261225@depth@100ms"),
        ("fstream.binance.com/market/stream", "btcusdt@aggTrade"),
        ("fstream.binance.com/stream", "btcusdt@depth@100ms"),
        ("stream.binance.com/stream", "btcusdt@depth"),
        ("stream.binance.com/stream", "btcusdt@bookTicker"),
        ("data-stream.binance.vision/stream", "btcusdt@depth5@100ms"),
    ],
)
async def test_a_channel_on_its_own_path_delivers(simulator: Simulator, path: str, name: str) -> None:
    async with socket(simulator, f"{path}?streams={name}") as connection:
        assert (await receive(connection))["stream"] == name


async def test_raw_and_combined_sockets_get_the_same_payload(simulator: Simulator) -> None:
    async with (
        socket(simulator, "stream.binance.com/ws/btcusdt@depth@100ms") as raw,
        socket(simulator, f"{SPOT}?streams=btcusdt@depth@100ms") as combined,
    ):
        wrapped = await receive(combined)
        bare = await receive(raw, lambda message: message["u"] >= wrapped["data"]["u"])
        assert bare == wrapped["data"]
        await send(raw, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 5})
        assert (await receive(raw, lambda message: "stream" in message))["stream"] == "btcusdt@depth@100ms"


async def test_data_does_not_wait_for_the_ack(simulator: Simulator) -> None:
    await order(simulator, "delay_ack", exchange="binance", symbol="BTCUSDT", seconds=2.0)
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe("btcusdt@depth@100ms"))
        assert "stream" in await receive(connection)
        assert await receive(connection, is_ack) == {"result": None, "id": 1}


async def test_an_unsubscribed_channel_falls_silent(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe("btcusdt@depth@100ms"))
        await receive(connection, lambda message: "stream" in message)
        await send(connection, {"method": "UNSUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": "u"})
        assert await receive(connection, is_ack) == {"result": None, "id": "u"}
        assert await heard_within(connection, 0.3) == []


async def test_trade_ids_rise_by_one_and_trades_are_within_the_book(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(500.0)
    async with socket(simulator, f"{SPOT}?streams=btcusdt@trade/btcusdt@depth@100ms") as connection:
        trades = [await receive(connection, lambda m: m["stream"] == "btcusdt@trade") for _ in range(30)]
    numbers = [trade["data"]["t"] for trade in trades]
    assert numbers == list(range(numbers[0], numbers[0] + 30))
    assert {trade["data"]["m"] for trade in trades} == {True, False}


async def test_a_market_without_book_listeners_still_trades(simulator: Simulator) -> None:
    async with socket(simulator, "fstream.binance.com/market/stream?streams=ethusdt@aggTrade") as connection:
        assert (await receive(connection))["data"]["s"] == "ETHUSDT"


async def test_the_1025th_stream_ends_the_socket(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe(*(f"c{n}usdt@trade" for n in range(1024))))
        assert is_ack(await receive(connection))
        await send(connection, subscribe("btcusdt@trade", number=19))
        assert await receive(connection) == {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 19}
        with pytest.raises(ConnectionClosed) as closed:
            await receive(connection)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert await breaches(simulator, "binance") == {"streams per connection": 1}


@pytest.mark.parametrize(("path", "allowed"), [(SPOT, 5), (FUTURES_PUBLIC, 15)])
async def test_too_many_messages_in_a_second_end_the_socket(simulator: Simulator, path: str, allowed: int) -> None:
    async with socket(simulator, path) as connection:
        for number in range(allowed + 1):
            await send(connection, {"method": "LIST_SUBSCRIPTIONS", "id": number})
        with pytest.raises(ConnectionClosed) as closed:
            await heard_within(connection, 5.0)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "Too many requests")


async def test_malformed_commands_are_answered(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, "{")
        assert (await receive(connection))["code"] == 3
        await send(connection, {"params": []})
        assert (await receive(connection))["code"] == 2


async def test_a_socket_that_leaves_pings_unanswered_is_closed() -> None:
    patience = Patience(binance_spot_ping_s=0.5, binance_spot_pong_s=2.0)
    async with (
        running(patience=patience) as simulator,
        socket(simulator, f"{SPOT}?streams=btcusdt@trade") as answering,
        socket(simulator, SPOT) as deaf,
    ):
        deaf.protocol.send_pong = lambda data: None  # type: ignore[method-assign]
        deaf.protocol.recv_frame = _without_pongs(deaf.protocol.recv_frame)  # type: ignore[method-assign]
        with pytest.raises(ConnectionClosed):
            await receive(deaf)
        await receive(answering)
        assert await breaches(simulator, "binance") == {"ping unanswered": 1}


def _without_pongs(receive_frame: Any) -> Any:
    """The client's frame handling, but for pings."""

    def handle(frame: Any) -> None:
        if frame.opcode.name != "PING":
            receive_frame(frame)

    return handle


async def test_a_client_ping_is_answered(simulator: Simulator) -> None:
    async with socket(simulator, FUTURES_PUBLIC) as connection, asyncio.timeout(15):
        await (await connection.ping())


async def test_too_many_connects_are_refused(simulator: Simulator) -> None:
    simulator.exchanges["binance"]._connects["spot"].limit = 2  # type: ignore[attr-defined]
    async with socket(simulator, SPOT), socket(simulator, SPOT):
        with pytest.raises(InvalidStatus) as refused:
            async with socket(simulator, SPOT):
                pass
    assert refused.value.response.status_code == 429


async def test_a_socket_has_its_lifetime() -> None:
    async with running(patience=Patience(connection_life_s=0.2)) as simulator, socket(simulator, SPOT) as connection:
        with pytest.raises(ConnectionClosed):
            await receive(connection)


async def test_limits_can_be_counted_without_being_enforced() -> None:
    async with running(strict=False) as simulator, socket(simulator, SPOT) as connection:
        for number in range(8):
            await send(connection, {"method": "LIST_SUBSCRIPTIONS", "id": number})
        assert (await receive(connection, lambda message: message["id"] == 7))["result"] == []
        assert await breaches(simulator, "binance") == {"messages per second spot": 3}


async def test_a_planned_close_is_announced(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await order(simulator, "shutdown", exchange="binance", seconds=0.05)
        assert (await receive(connection))["stream"] == "!serverShutdown"
        with pytest.raises(ConnectionClosed):
            await receive(connection)


async def test_every_answer_tells_the_used_weight(simulator: Simulator) -> None:
    used = []
    for limit in ("100", "1000", "5000"):
        _, headers, _ = await answer(simulator, "api.binance.com/api/v3/depth", symbol="BTCUSDT", limit=limit)
        used.append(int(headers["X-MBX-USED-WEIGHT-1M"]))
    if used == sorted(used):  # else the minute has turned
        assert [used[1] - used[0], used[2] - used[1]] == [50, 250]


async def test_going_on_after_429_gets_the_address_banned(simulator: Simulator) -> None:
    statuses, retry = [], set()
    for _ in range(200):  # the minute may turn meanwhile
        status, headers, body = await answer(simulator, "api.binance.com/api/v3/depth", symbol="BTCUSDT", limit="5000")
        statuses.append(status)
        if status != 200:
            assert body["code"] == -1003
            retry.add(headers["Retry-After"].isdigit())
        if status == 418:
            break
    assert statuses.count(429) >= 5
    assert statuses[-1] == 418
    assert retry == {True}


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("api.binance.com/api/v3/depth", {"symbol": "NOSUCH"}, -1121),
        ("api.binance.com/api/v3/depth", {"symbol": "WAVESUSDT"}, -1121),
        ("fapi.binance.com/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": "7"}, -4021),
        ("fapi.binance.com/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": "x"}, -1100),
    ],
)
async def test_bad_requests_get_the_documented_codes(
    simulator: Simulator, path: str, query: dict[str, str], code: int
) -> None:
    status, _, body = await answer(simulator, path, **query)
    assert (status, body["code"]) == (400, code)


async def test_market_lists_hold_odd_listings(simulator: Simulator) -> None:
    spot = (await fetch(simulator, "api.binance.com/api/v3/exchangeInfo"))["symbols"]
    futures = (await fetch(simulator, "fapi.binance.com/fapi/v1/exchangeInfo"))["symbols"]
    assert len(spot) > 60
    assert len(futures) > 60
    assert {"BREAK", "HALT", "TRADING"} <= {row["status"] for row in spot}
    assert {"SETTLING", "PENDING_TRADING"} <= {row["status"] for row in futures}
    assert {"PERPETUAL", "TRADIFI_PERPETUAL", "CURRENT_QUARTER"} <= {row["contractType"] for row in futures}
    assert "币安人生USDT" in {row["symbol"] for row in futures}


async def test_every_listed_market_has_its_day(simulator: Simulator) -> None:
    for host, path in (("api.binance.com", "api/v3"), ("fapi.binance.com", "fapi/v1")):
        listed = (await fetch(simulator, f"{host}/{path}/exchangeInfo"))["symbols"]
        days = await fetch(simulator, f"{host}/{path}/ticker/24hr")
        assert {row["symbol"] for row in days} == {row["symbol"] for row in listed}
