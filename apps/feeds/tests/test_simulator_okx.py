"""The simulated OKX behaves as its documentation and the wire say, the traps included."""

import asyncio
import itertools
import time
from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.feeds.simulator.limits import Patience, Sliding
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import answer, breaches, fetch, order, receive, running, send, socket
from apps.feeds.tests.standing_clock import StandingClock

PUBLIC = "ws.okx.com/ws/v5/public"
REST = "www.okx.com/api/v5"


def arg(channel: str, symbol: str) -> dict[str, str]:
    return {"channel": channel, "instId": symbol}


def subscribe(*args: dict[str, str], number: str = "md1") -> dict[str, Any]:
    return {"id": number, "op": "subscribe", "args": list(args)}


async def test_every_argument_gets_its_own_answer_and_data_may_overtake_the_next(simulator: Simulator) -> None:
    async with socket(simulator, PUBLIC) as connection:
        await send(
            connection, subscribe(arg("books", "BTC-USDT"), arg("books", "NO-SUCH"), arg("books", "ETH-USDT-SWAP"))
        )
        messages = [await receive(connection) for _ in range(5)]
    first, snapshot, refusal, second, other = messages
    assert (first["event"], first["arg"], first["id"]) == ("subscribe", arg("books", "BTC-USDT"), "md1")
    assert (snapshot["action"], snapshot["data"][0]["prevSeqId"]) == ("snapshot", -1)
    assert (refusal["event"], refusal["code"]) == ("error", "60018")
    assert refusal["msg"] == "channel:books,instId:NO-SUCH doesn't exist"
    assert second["arg"] == other["arg"] == arg("books", "ETH-USDT-SWAP")


@pytest.mark.parametrize(
    ("path", "wanted", "code"),
    [
        (PUBLIC, arg("ticker", "BTC-USDT"), "60018"),
        (PUBLIC, arg("books", "WAVES-USDT"), "60018"),
        (PUBLIC, arg("books50-l2-tbt", "BTC-USDT"), "60011"),
        ("ws.okx.com/ws/v5/business", arg("books", "BTC-USDT"), "60018"),
    ],
)
async def test_what_cannot_be_had_is_refused(simulator: Simulator, path: str, wanted: Any, code: str) -> None:
    async with socket(simulator, path) as connection:
        await send(connection, subscribe(wanted))
        assert (await receive(connection))["code"] == code


async def test_malformed_commands_are_answered_with_60012(simulator: Simulator) -> None:
    async with socket(simulator, PUBLIC) as connection:
        for text in ("{", '{"op":"subscribe","args":["spot/ticker:BTC-USDT"]}', '{"op":"dance","args":[]}'):
            await send(connection, text)
            assert (await receive(connection))["code"] == "60012"


async def test_the_checksum_is_there_and_always_zero(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(200.0)
    async with socket(simulator, PUBLIC) as connection:
        await send(connection, subscribe(arg("books", "BTC-USDT-SWAP")))
        rows = [(await receive(connection, lambda m: "data" in m))["data"][0] for _ in range(20)]
    assert {row["checksum"] for row in rows} == {0}
    assert all(len(level) == 4 and level[2] == "0" for row in rows for level in row["bids"])


async def test_five_levels_come_only_when_they_change(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(300.0)
    async with socket(simulator, PUBLIC) as connection:
        await send(connection, subscribe(arg("books5", "BTC-USDT")))
        rows = [(await receive(connection, lambda m: "data" in m))["data"][0] for _ in range(20)]
    tops = [(row["bids"], row["asks"]) for row in rows]
    assert all(before != after for before, after in itertools.pairwise(tops))
    assert {len(side) for top in tops for side in top} == {5}


async def test_a_quiet_book_is_kept_alive_by_an_empty_update() -> None:
    patience = Patience(okx_keep_alive_s=0.2)
    async with running(patience=patience) as simulator, socket(simulator, PUBLIC) as connection:
        await send(connection, subscribe(arg("books", "BTC-USDT")))
        await order(simulator, "freeze", exchange="okx")
        row = await receive(connection, lambda m: "data" in m and not m["data"][0]["bids"] and not m["data"][0]["asks"])
    assert row["action"] == "update"
    assert row["data"][0]["seqId"] == row["data"][0]["prevSeqId"]


async def test_a_reset_continues_with_a_smaller_number(simulator: Simulator) -> None:
    async with socket(simulator, PUBLIC) as connection:
        await send(connection, subscribe(arg("books", "BTC-USDT")))
        last = (await receive(connection, lambda m: "data" in m))["data"][0]["seqId"]
        await order(simulator, "reset", exchange="okx", symbol="BTC-USDT")
        while True:
            row = (await receive(connection))["data"][0]
            assert row["prevSeqId"] == last
            last = row["seqId"]
            if row["seqId"] < row["prevSeqId"]:
                break
        assert (await receive(connection))["data"][0]["prevSeqId"] == last


async def test_a_text_ping_is_answered_by_a_text_pong(simulator: Simulator) -> None:
    async with socket(simulator, PUBLIC) as connection, asyncio.timeout(15):
        await connection.send("ping")
        assert await connection.recv() == "pong"


@pytest.mark.parametrize("subscribed", [True, False])
async def test_silence_closes_a_socket_with_4004(subscribed: bool) -> None:
    async with running(patience=Patience(okx_silence_s=0.3)) as simulator:
        async with socket(simulator, PUBLIC) as connection:
            if subscribed:
                await send(connection, subscribe(arg("books", "BTC-USDT")))
                await order(simulator, "mute", exchange="okx")
            with pytest.raises(ConnectionClosed) as closed:
                await receive(connection, lambda message: False)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4004
        assert await breaches(simulator, "okx") == {"silence" if subscribed else "no subscription": 1}


async def test_a_pong_counts_as_a_push(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(okx_silence_s=10.0)
    async with running(patience=patience) as simulator, socket(simulator, PUBLIC) as connection:
        await send(connection, subscribe(arg("books", "BTC-USDT")))
        await receive(connection, lambda m: "data" in m)
        await order(simulator, "mute", exchange="okx")
        monkeypatch.setattr(time, "monotonic", clock := StandingClock())
        for _ in range(3):
            clock.skip(6.0)
            await clock.settle()
            await connection.send("ping")
            while await connection.recv() != "pong":
                pass
        assert await breaches(simulator, "okx") == {}
        clock.run()


async def test_a_fourth_connect_in_a_second_is_refused(simulator: Simulator) -> None:
    simulator.exchanges["okx"]._connects.window_s = 600.0  # type: ignore[attr-defined]
    async with socket(simulator, PUBLIC), socket(simulator, PUBLIC), socket(simulator, PUBLIC):
        with pytest.raises(InvalidStatus) as refused:
            async with socket(simulator, PUBLIC):
                pass
    assert refused.value.response.status_code == 429
    assert await breaches(simulator, "okx") == {"connects": 1}


async def test_commands_of_an_hour_are_limited(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.feeds.simulator.okx.exchange.COMMANDS", (2, 3600.0))
    async with socket(simulator, PUBLIC) as connection:
        for _ in range(3):
            await send(connection, subscribe(arg("trades", "WIF-USDT")))
        error = await receive(connection, lambda m: m.get("event") == "error")
    assert error["code"] == "60014"


async def test_a_command_over_64_kilobytes_closes_the_socket(simulator: Simulator) -> None:
    async with socket(simulator, PUBLIC) as connection:
        await send(connection, subscribe(*(arg("books", f"C{n}-USDT") for n in range(2000))))
        with pytest.raises(ConnectionClosed) as closed:
            await receive(connection, lambda message: False)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_a_planned_close_is_announced(simulator: Simulator) -> None:
    async with socket(simulator, PUBLIC) as connection:
        await order(simulator, "shutdown", exchange="okx", seconds=0.05)
        assert (await receive(connection))["code"] == "64008"


async def test_instruments_tell_the_worth_of_a_contract(simulator: Simulator) -> None:
    swaps = {
        row["instId"]: row for row in (await fetch(simulator, f"{REST}/public/instruments", instType="SWAP"))["data"]
    }
    linear, inverse = swaps["BTC-USDT-SWAP"], swaps["BTC-USD-SWAP"]
    assert (linear["ctVal"], linear["ctValCcy"], linear["lotSz"], linear["settleCcy"]) == (
        "0.01",
        "BTC",
        "0.01",
        "USDT",
    )
    assert (inverse["ctVal"], inverse["ctValCcy"], inverse["ctType"], inverse["settleCcy"]) == (
        "100",
        "USD",
        "inverse",
        "BTC",
    )
    assert {"live", "suspend", "preopen", "test"} == {row["state"] for row in swaps.values()}
    dated = (await fetch(simulator, f"{REST}/public/instruments", instType="FUTURES"))["data"]
    assert all(row["expTime"] for row in dated)


async def test_swap_sizes_are_whole_lots_of_contracts(simulator: Simulator) -> None:
    book = (await fetch(simulator, f"{REST}/market/books", instId="BTC-USDT-SWAP", sz="400"))["data"][0]
    assert len(book["bids"]) == 400
    assert all(Decimal(level[1]) % Decimal("0.01") == 0 for level in book["bids"] + book["asks"])


async def test_too_many_requests_of_an_endpoint_get_50011(simulator: Simulator) -> None:
    rest = simulator.exchanges["okx"]._rest  # type: ignore[attr-defined]
    rest._windows["market/books", ""] = Sliding(2, 600.0)
    results = [await answer(simulator, f"{REST}/market/books", instId="BTC-USDT") for _ in range(3)]
    assert [status for status, _, _ in results] == [200, 200, 429]
    assert results[-1][2]["code"] == "50011"


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("market/books", {"instId": "NO-SUCH"}, "51001"),
        ("public/instruments", {"instType": "NOSUCH"}, "51000"),
        ("market/books", {"instId": "BTC-USDT", "sz": "x"}, "51000"),
    ],
)
async def test_bad_requests_get_the_documented_codes(
    simulator: Simulator, path: str, query: dict[str, str], code: str
) -> None:
    assert (await fetch(simulator, f"{REST}/{path}", **query))["code"] == code
