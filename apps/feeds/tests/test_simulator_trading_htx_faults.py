"""The simulated HTX's limits of orders, and what may go wrong with an account on purpose."""

import asyncio
import contextlib

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, account, open_account, trouble
from apps.feeds.tests.plain_client import breaches, fetch, order, receive, socket
from apps.feeds.tests.plain_htx_orders import (
    HOSTS,
    SOCKETS,
    SPOT_ORDERS,
    SWAP,
    Client,
    answered,
    event,
    login,
    now_ms,
    private,
    stamp,
)
from apps.feeds.tests.waiting import end

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
CHANNEL = {"spot": "orders#*", "futures": "orders"}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "htx")
    return Client(simulator)


async def test_orders_of_spot_are_limited_and_told_to_be(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path, params = await client.limit("spot", amount="1000")
    monkeypatch.setattr(client.simulator.exchanges["htx"], "now", lambda: 1000.0)
    for _ in range(100):
        assert await client.refused("POST", path, **params) == "account-frozen-balance-insufficient-error"
    assert await client.refused("POST", path, **params) == "base-request-exceed-frequency-limit"
    assert client.status == 429
    assert await breaches(client.simulator, "htx") == {"spot trade": 1}


async def test_orders_of_swaps_are_limited_and_told_to_be(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path, params = await client.limit("futures", volume="1000000000")
    monkeypatch.setattr(client.simulator.exchanges["htx"], "now", lambda: 1000.0)
    for _ in range(72):
        assert await client.refused("POST", path, **params) == 1047
    assert await client.refused("POST", path, **params) == 1032
    assert client.status == 429


async def test_answers_tell_what_is_left_of_the_limits(client: Client) -> None:
    await client.place("spot")
    await client.open_orders("spot")
    assert client.headers["X-HB-RateLimit-Requests-Remain"] == "49"
    await client.open_orders("futures")
    assert (client.headers["ratelimit-limit"], client.headers["ratelimit-remaining"]) == ("72", "71")


async def test_a_key_has_ten_private_sockets_of_spot_at_most(client: Client) -> None:
    async with contextlib.AsyncExitStack() as sockets:
        for _ in range(10):
            await sockets.enter_async_context(private(client, "spot"))
        one_more = await sockets.enter_async_context(socket(client.simulator, f"{HOSTS['spot']}/{SOCKETS['spot']}"))
        answer = await answered(one_more, login(client, "spot"))
        assert (answer["code"], answer["message"]) == (4000, "too.many.connection")


# faults


@BOTH
async def test_an_accepted_order_may_never_be_answered(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "htx", "accept_hang", seconds=60)
    named = {"client_order_id": "77" if market_type == "spot" else 77}
    asking = asyncio.create_task(client.place(market_type, **named))
    async with asyncio.timeout(30):
        while not (rows := await accepted(client.simulator, "htx")):  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.02)
    await asyncio.wait({asking}, timeout=0.2)
    assert not asking.done()
    asking.cancel()
    assert [(row["client_id"], row["status"]) for row in rows] == [("77", "open")]


@BOTH
async def test_a_connection_may_be_reset_after_the_order_was_accepted(client: Client, market_type: str) -> None:
    path, params = await client.limit(market_type)
    await trouble(client.simulator, "htx", "accept_reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.ask("POST", path, **params)
    assert len(await accepted(client.simulator, "htx")) == 1


@pytest.mark.parametrize(("op", "count"), [("error_placed", 1), ("error_not_placed", 0)])
@BOTH
async def test_the_gateways_503_may_mean_either(client: Client, market_type: str, op: str, count: int) -> None:
    path, params = await client.limit(market_type)
    await trouble(client.simulator, "htx", op)
    body = await client.ask("POST", path, **params)
    assert (client.status, body) == (503, "Service Unavailable")
    assert len(await accepted(client.simulator, "htx")) == count


@BOTH
async def test_an_order_may_be_hidden_from_queries_for_a_while(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "htx", "not_found", seconds=3600)
    number = await client.place(market_type)
    path = f"{SPOT_ORDERS}/{number}" if market_type == "spot" else f"{SWAP}/order"
    params = {} if market_type == "spot" else {"contract_code": "BTC-USDT", "order_id": number}
    assert await client.refused("GET", path, **params) in ("base-record-invalid", 1061)
    assert await client.open_orders(market_type) == []
    await trouble(client.simulator, "htx", "clock_drift", seconds=3601)
    assert await client.refused("GET", path, auth={"Timestamp": stamp(now_ms() + 3_601_000)}, **params) == 0


@pytest.mark.parametrize(
    ("market_type", "op", "expected"),
    [
        ("spot", "reject", (200, "account-frozen-balance-insufficient-error")),
        ("spot", "rate_limit", (429, "base-request-exceed-frequency-limit")),
        ("spot", "ban", (429, "base-request-exceed-frequency-limit")),
        ("futures", "reject", (200, 1047)),
        ("futures", "rate_limit", (429, 1032)),
        ("futures", "ban", (429, 1032)),
    ],
)
async def test_an_account_may_be_turned_away(
    client: Client, market_type: str, op: str, expected: tuple[int, str | int]
) -> None:
    path, params = await client.limit(market_type)
    await trouble(client.simulator, "htx", op, seconds=5)
    code = await client.refused("POST", path, **params)
    assert (client.status, code) == expected
    assert await accepted(client.simulator, "htx") == []


@pytest.mark.parametrize(
    ("market_type", "path", "name", "code"),
    [
        ("spot", "v1/common/timestamp", "data", "api-signature-not-valid"),
        ("futures", "api/v1/timestamp", "ts", 403),
    ],
)
async def test_the_exchanges_clock_may_be_off(
    client: Client, market_type: str, path: str, name: str, code: str | int
) -> None:
    await trouble(client.simulator, "htx", "clock_drift", seconds=-1000)
    read = "v1/order/openOrders" if market_type == "spot" else f"{SWAP}/order/opens"
    assert await client.refused("GET", read) == code
    told = (await fetch(client.simulator, f"{HOSTS[market_type]}/{path}"))[name]
    assert -1_060_000 < told - now_ms() < -999_000
    assert await client.refused("GET", read, auth={"Timestamp": stamp(told)}) == 0


@BOTH
async def test_pushes_may_come_twice(client: Client, market_type: str) -> None:
    async with private(client, market_type, CHANNEL[market_type]) as connection:
        await trouble(client.simulator, "htx", "duplicate_push")
        await client.place(market_type)
        first = await event(connection, CHANNEL[market_type])
        assert await event(connection, CHANNEL[market_type]) == first


@BOTH
async def test_an_order_may_be_filled_before_it_is_answered(client: Client, market_type: str) -> None:
    path, params = await client.limit(market_type)
    await trouble(client.simulator, "htx", "early_fill", seconds=20)
    async with private(client, market_type, CHANNEL[market_type]) as connection:
        asking = asyncio.create_task(client.ask("POST", path, **params))
        assert await event(connection, CHANNEL[market_type])
        assert not asking.done()
        await end(asking)


@BOTH
async def test_a_private_socket_may_be_lost(client: Client, market_type: str) -> None:
    async with private(client, market_type, CHANNEL[market_type]) as connection:
        await trouble(client.simulator, "htx", "drop_private")
        with pytest.raises(ConnectionClosed):
            await receive(connection, lambda message: False)
    async with private(client, market_type, CHANNEL[market_type]) as connection:
        assert (await account(client.simulator, "htx"))["listeners"] == 1
        await client.place(market_type)
        assert await event(connection, CHANNEL[market_type])
