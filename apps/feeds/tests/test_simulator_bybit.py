"""The simulated Bybit behaves as its documentation and the wire say, the traps included."""

import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.limits import Patience, Sliding
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import (
    answer,
    breaches,
    fetch,
    heard_within,
    order,
    receive,
    running,
    send,
    socket,
)
from apps.feeds.tests.standing_clock import StandingClock

SPOT = "stream.bybit.com/v5/public/spot"
LINEAR = "stream.bybit.com/v5/public/linear"
MARKET = "api.bybit.com/v5/market"


IDLE_S = 10.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StandingClock:
    made = StandingClock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


def subscribe(*topics: str, number: str = "1") -> dict[str, Any]:
    return {"op": "subscribe", "req_id": number, "args": list(topics)}


def is_verdict(message: Any) -> bool:
    return "success" in message


async def verdict(connection: Any, *topics: str) -> Any:
    await send(connection, subscribe(*topics))
    return await receive(connection, is_verdict)


async def test_the_ack_comes_before_the_snapshot(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe("orderbook.50.BTCUSDT"))
        ack, first = await receive(connection), await receive(connection)
    assert (ack["success"], ack["ret_msg"], ack["op"], ack["req_id"]) == (True, "subscribe", "subscribe", "1")
    assert first["type"] == "snapshot"
    assert list(first)[:3] == ["topic", "ts", "type"]


@pytest.mark.parametrize(
    "bad", ["orderbook.500.ETHUSDT", "orderbook.50.NOSUCH", "nosuch.ETHUSDT", "orderbook.50.BTCUSD"]
)
async def test_one_bad_topic_refuses_its_neighbours(simulator: Simulator, bad: str) -> None:
    async with socket(simulator, LINEAR) as connection:
        refusal = await verdict(connection, "orderbook.50.BTCUSDT", bad)
        assert (refusal["success"], refusal["ret_msg"]) == (False, f"error:handler not found,topic:{bad}")
        assert await heard_within(connection, 0.3) == []


async def test_a_topic_taken_twice_refuses_its_neighbours(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        assert (await verdict(connection, "publicTrade.BTCUSDT"))["success"]
        refusal = await verdict(connection, "orderbook.50.ETHUSDT", "publicTrade.BTCUSDT")
        assert refusal["ret_msg"] == "error:already subscribed,topic:publicTrade.BTCUSDT"
        messages = await heard_within(connection, 0.5)
    assert not any(message["topic"].startswith("orderbook") for message in messages)


async def test_spot_takes_ten_topics_in_a_frame(simulator: Simulator) -> None:
    coins = ("BTC", "ETH", "SOL", "XRP", "BNB", "DOGE", "ADA", "TRX", "AVAX", "LINK", "TON")
    topics = [f"publicTrade.{coin}USDT" for coin in coins]
    async with socket(simulator, SPOT) as connection:
        assert (await verdict(connection, *topics))["ret_msg"] == "args size >10"
        assert (await verdict(connection, *topics[:10]))["success"]
    async with socket(simulator, LINEAR) as connection:
        assert (await verdict(connection, *topics))["success"]
    assert await breaches(simulator, "bybit") == {"args per frame": 1}


async def test_the_topics_of_a_connection_have_at_most_21000_characters(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        refusal = await verdict(connection, *(f"publicTrade.NOSUCHCOIN{n:05}USDT" for n in range(800)))
    assert not refusal["success"]
    assert await breaches(simulator, "bybit") == {"topic characters": 1}


async def test_unsubscribe_then_subscribe_gives_a_fresh_snapshot(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        await verdict(connection, "orderbook.50.BTCUSDT")
        await receive(connection, lambda message: message.get("type") == "delta")
        await send(connection, {"op": "unsubscribe", "args": ["orderbook.50.BTCUSDT"]})
        await receive(connection, is_verdict)
        await verdict(connection, "orderbook.50.BTCUSDT")
        assert (await receive(connection))["type"] == "snapshot"


async def test_a_snapshot_may_be_sent_again_at_any_time(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        await verdict(connection, "orderbook.50.BTCUSDT")
        before = await receive(connection, lambda message: message.get("type") == "delta")
        await order(simulator, "resnapshot", exchange="bybit", symbol="BTCUSDT")
        again = await receive(connection, lambda message: message.get("type") == "snapshot")
    assert len(again["data"]["b"]) == 50
    assert again["data"]["u"] > before["data"]["u"]


async def test_a_restart_sends_the_whole_book_with_u_1_as_a_delta(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        await verdict(connection, "orderbook.50.BTCUSDT")
        await receive(connection)
        await order(simulator, "reset", exchange="bybit", symbol="BTCUSDT")
        whole = await receive(connection, lambda message: message["data"]["u"] == 1)
        after = await receive(connection)
    assert (whole["type"], len(whole["data"]["a"])) == ("delta", 50)
    assert after["data"]["u"] == 2


async def test_the_best_level_is_repeated_when_nothing_changes() -> None:
    async with running(patience=Patience(bybit_repeat_s=0.1)) as simulator, socket(simulator, LINEAR) as connection:
        await verdict(connection, "orderbook.1.BTCUSDT")
        await order(simulator, "freeze", exchange="bybit")
        messages = await heard_within(connection, 0.5)
    assert len(messages) >= 3
    assert messages[-1]["data"] == messages[-2]["data"]


@pytest.mark.parametrize(("path", "number"), [(SPOT, "7"), (LINEAR, "")])
async def test_a_json_ping_is_answered(simulator: Simulator, path: str, number: str) -> None:
    async with socket(simulator, path) as connection:
        await send(connection, {"op": "ping", "req_id": "7"})
        pong = await receive(connection)
    assert (pong["ret_msg"], pong["op"], pong["req_id"]) == ("pong", "ping", number)


async def test_a_socket_without_pings_and_data_is_cut(clock: StandingClock) -> None:
    async with running(patience=Patience(bybit_idle_s=IDLE_S)) as simulator:
        async with socket(simulator, LINEAR) as pinging, socket(simulator, LINEAR) as still:
            clock.skip(IDLE_S - 1)
            await send(pinging, {"op": "ping"})
            await receive(pinging)
            clock.skip(2)
            with pytest.raises(ConnectionClosed):
                await receive(still)
            await send(pinging, {"op": "ping"})
            assert (await receive(pinging))["ret_msg"] == "pong"
            clock.run()
        assert await breaches(simulator, "bybit") == {"no ping": 1}


async def test_nonsense_is_refused_with_the_frame_itself(simulator: Simulator) -> None:
    async with socket(simulator, LINEAR) as connection:
        await send(connection, {"op": "dance"})
        refusal = await receive(connection)
    assert (refusal["success"], refusal["request"]) == (False, {"op": "dance"})
    assert "op" not in refusal


async def test_trades_carry_every_print_of_their_moment(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(300.0)
    async with socket(simulator, SPOT) as connection:
        await verdict(connection, "publicTrade.BTCUSDT", "orderbook.50.BTCUSDT")
        frames: list[Any] = []
        while len(frames) < 20 or max(len(frame["data"]) for frame in frames) == 1:
            frames.append(await receive(connection, lambda m: m["topic"] == "publicTrade.BTCUSDT"))
    numbers = [int(print_["i"]) for frame in frames for print_ in frame["data"]]
    assert numbers == sorted(set(numbers))


async def test_the_linear_list_comes_in_pages(simulator: Simulator) -> None:
    symbols: list[str] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        result = (await fetch(simulator, f"{MARKET}/instruments-info", category="linear", limit="1000", cursor=cursor))[
            "result"
        ]
        symbols += [row["symbol"] for row in result["list"]]
        cursor, pages = result["nextPageCursor"], pages + 1
    assert pages > 1
    assert len(set(symbols)) == len(symbols) > 60
    assert {"BTCUSDT", "BTCPERP", "SHIB1000USDT", "BTCUSDT-25DEC26"} <= set(symbols)
    assert "DYMUSDT" not in symbols  # PreLaunch


async def test_spot_comes_whole_and_only_what_trades(simulator: Simulator) -> None:
    result = (await fetch(simulator, f"{MARKET}/instruments-info", category="spot", limit="5"))["result"]
    assert len(result["list"]) > 60
    assert {row["status"] for row in result["list"]} == {"Trading"}


async def test_errors_hide_under_http_200(simulator: Simulator) -> None:
    for query in ({"category": "linear", "symbol": "NOSUCH"}, {"category": "nosuch"}):
        status, _, body = await answer(simulator, f"{MARKET}/orderbook", **query)
        assert (status, body["retCode"]) == (200, 10001)


async def test_too_many_requests_shut_the_address_out(simulator: Simulator) -> None:
    simulator.exchanges["bybit"].public._requests = Sliding(3, 600.0)  # type: ignore[attr-defined]
    statuses = [(await answer(simulator, f"{MARKET}/time"))[0] for _ in range(6)]
    assert statuses == [200, 200, 200, 403, 403, 403]


async def test_tickers_count_volume_in_coins_and_turnover_in_money(simulator: Simulator) -> None:
    rows = (await fetch(simulator, f"{MARKET}/tickers", category="linear"))["result"]["list"]
    row = next(row for row in rows if row["symbol"] == "BTCUSDT")
    assert float(row["turnover24h"]) == pytest.approx(float(row["volume24h"]) * float(row["lastPrice"]), rel=0.01)
