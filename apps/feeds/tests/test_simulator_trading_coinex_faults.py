"""The simulated CoinEx's limits of orders, and what may go wrong with an account on purpose."""

import asyncio

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, account, open_account, trouble
from apps.feeds.tests.plain_client import breaches, fetch, order, receive
from apps.feeds.tests.plain_coinex import REST
from apps.feeds.tests.plain_coinex_orders import (
    TYPES,
    Client,
    event,
    limit,
    market,
    now_ms,
    private,
)
from apps.feeds.tests.waiting import end

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "coinex")
    return Client(simulator)


@pytest.mark.parametrize(("market_type", "most"), [("spot", 30), ("futures", 20)])
async def test_orders_of_one_second_are_limited(
    client: Client, market_type: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = client.simulator.exchanges["coinex"]
    monkeypatch.setattr(exchange, "now", lambda: 1000.0)  # all in one moment, however slow the machine is
    path, params = f"{market_type}/order", limit(market_type, amount="100000")
    assert [await client.refused("POST", path, **params) for _ in range(most)] == [3109] * most
    assert await client.refused("POST", path, **params) == 4213
    assert await client.read(market_type, "pending-order") is None
    assert await breaches(client.simulator, "coinex") == {f"{market_type} place": 1}


@BOTH
async def test_an_accepted_order_may_never_be_answered(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "coinex", "accept_hang", seconds=60)
    asking = asyncio.create_task(client.place(market_type, client_id="mine"))
    async with asyncio.timeout(30):
        while not (rows := await accepted(client.simulator, "coinex")):  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.02)
    await asyncio.wait({asking}, timeout=0.2)
    assert not asking.done()
    asking.cancel()
    assert [(row["client_id"], row["status"]) for row in rows] == [("mine", "open")]


@BOTH
async def test_a_connection_may_be_reset_after_the_order_was_accepted(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "coinex", "accept_reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.place(market_type, client_id="mine")
    assert [row["client_id"] for row in await accepted(client.simulator, "coinex")] == ["mine"]


@pytest.mark.parametrize(("op", "count"), [("error_placed", 1), ("error_not_placed", 0)])
@BOTH
async def test_the_gateways_503_may_mean_either(client: Client, market_type: str, op: str, count: int) -> None:
    await trouble(client.simulator, "coinex", op)
    body = await client.ask("POST", f"{market_type}/order", **limit(market_type))
    assert (client.status, body.startswith("<html>")) == (503, True)
    assert len(await accepted(client.simulator, "coinex")) == count


async def test_an_order_may_reach_the_matcher_after_its_expiry(client: Client) -> None:
    """CoinEx looks at the time of a request at its gateway."""
    await trouble(client.simulator, "coinex", "late_accept", seconds=2.2)
    await client.place("spot", headers={"X-COINEX-WINDOWTIME": "2000"})
    (row,) = await accepted(client.simulator, "coinex")
    assert row["ms"] > row["expires_ms"]


@BOTH
async def test_an_order_may_be_hidden_from_queries_for_a_while(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "coinex", "not_found", seconds=3600)
    placed = await client.place(market_type)
    path, query = f"{market_type}/order-status", {"market": "BTCUSDT", "order_id": placed["order_id"]}
    assert await client.refused("GET", path, **query) == 3600
    assert await client.read(market_type, "pending-order") is None
    await trouble(client.simulator, "coinex", "clock_drift", seconds=3601)
    headers = {"X-COINEX-TIMESTAMP": str(now_ms() + 3_601_000), "X-COINEX-WINDOWTIME": "60000"}
    assert await client.refused("GET", path, headers=headers, **query) == 0


@pytest.mark.parametrize(("op", "code"), [("reject", 3109), ("rate_limit", 4213), ("ban", 4213)])
@BOTH
async def test_an_account_may_be_turned_away(client: Client, market_type: str, op: str, code: int) -> None:
    await trouble(client.simulator, "coinex", op, seconds=5)
    assert await client.refused("POST", f"{market_type}/order", **limit(market_type)) == code
    assert await accepted(client.simulator, "coinex") == []


async def test_the_exchanges_clock_may_be_off(client: Client) -> None:
    await trouble(client.simulator, "coinex", "clock_drift", seconds=-30)
    query = {"market_type": TYPES["spot"]}
    assert await client.refused("GET", "spot/pending-order", **query) == 4010
    told = (await fetch(client.simulator, f"{REST}/time"))["data"]["timestamp"]
    assert -60_000 < told - now_ms() < -29_000
    headers = {"X-COINEX-TIMESTAMP": str(told)}
    assert await client.refused("GET", "spot/pending-order", headers=headers, **query) == 0


@BOTH
async def test_pushes_may_come_twice(client: Client, market_type: str) -> None:
    async with private(client, market_type, "order") as connection:
        await trouble(client.simulator, "coinex", "duplicate_push")
        await client.place(market_type)
        first = await event(connection, "order")
        assert await event(connection, "order") == first


@BOTH
async def test_an_order_may_be_filled_before_it_is_answered(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "coinex", "early_fill", seconds=20)
    async with private(client, market_type, "order") as connection:
        asking = asyncio.create_task(client.done("POST", f"{market_type}/order", **market(market_type)))
        assert (await event(connection, "order"))["event"] == "put"
        assert not asking.done()
        await end(asking)


@BOTH
async def test_a_private_socket_may_be_lost(client: Client, market_type: str) -> None:
    async with private(client, market_type, "order") as connection:
        await trouble(client.simulator, "coinex", "drop_private")
        with pytest.raises(ConnectionClosed):
            await receive(connection, lambda message: False)
    async with private(client, market_type, "order", "balance") as connection:
        assert (await account(client.simulator, "coinex"))["listeners"] == 1
        await client.place(market_type)
        assert await event(connection, "order")
