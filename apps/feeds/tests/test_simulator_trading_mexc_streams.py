"""The simulated MEXC's private channels of spot: listen keys and Protocol Buffers. And what may go wrong on both."""

from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, account, fill, open_account, trouble
from apps.feeds.tests.plain_client import order, receive, running, send, socket
from apps.feeds.tests.plain_mexc_orders import (
    SPOT_SOCKET,
    Client,
    heard,
    limit,
    now_ms,
    private,
    told,
)

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
ORDERS = "spot@private.orders.v3.api.pb"


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "mexc")
    return Client(simulator)


async def test_spot_tells_an_order_from_its_beginning_to_its_end(client: Client) -> None:
    async with private(client, "spot") as connection:
        id = await client.place("spot", newClientOrderId="mine")
        new = await told(connection, "orders")
        assert new == {
            "id": id,
            "client": "mine",
            "price": "50000",
            "size": "0.01",
            "amount": "500",
            "average": "0",
            "type": 1,
            "side": 1,
            "amount_left": "500",
            "left": "0.01",
            "filled": "0",
            "value": "0",
            "status": 1,
        }
        held = await told(connection, "account")
        assert held == {
            "asset": "USDT",
            "free": "9999499.75",
            "free_change": "-500.25",
            "locked": "500.25",
            "locked_change": "500.25",
            "reason": "ENTRUST_PLACE",
        }
        await fill(client.simulator, "mexc", id, "0.004")
        part = await told(connection, "orders")
        assert (part["filled"], part["left"], part["value"], part["status"]) == ("0.004", "0.006", "200", 3)
        deal = await told(connection, "deals")
        (execution,) = (await account(client.simulator, "mexc"))["executions"]
        assert deal == {
            "price": "50000",
            "size": "0.004",
            "value": "200",
            "side": 1,
            "maker": 1,
            "trade": f"{execution['trade_id']}X1",
            "client": "mine",
            "id": id,
            "fee": "0.1",
            "fee_asset": "USDT",
        }
        assert {(await told(connection, "account"))["asset"] for _ in range(2)} == {"BTC", "USDT"}
        await client.ask("spot", "DELETE", "order", symbol="BTCUSDT", orderId=id)
        gone = await told(connection, "orders")
        assert (gone["status"], gone["filled"], gone["left"]) == (5, "0.004", "0.006")
        assert (await told(connection, "account"))["reason"] == "ENTRUST_CANCEL"


async def test_an_order_that_nobody_has_filled_is_plainly_cancelled(client: Client) -> None:
    async with private(client, "spot") as connection:
        id = await client.place("spot")
        assert "client" not in await told(connection, "orders")
        await client.ask("spot", "DELETE", "order", symbol="BTCUSDT", orderId=id)
        assert (await told(connection, "orders"))["status"] == 4


async def test_private_channels_of_spot_need_a_listen_key(client: Client) -> None:
    async with socket(client.simulator, SPOT_SOCKET) as connection:
        await send(connection, {"method": "SUBSCRIPTION", "params": [ORDERS]})
        assert "Blocked!" in (await receive(connection))["msg"]
    async with socket(client.simulator, f"{SPOT_SOCKET}?listenKey=none") as connection:
        assert await connection.recv() == "Invalid listen key"
        with pytest.raises(ConnectionClosed):
            await connection.recv()


async def test_a_listen_key_is_listed_renewed_and_ended(client: Client) -> None:
    key = (await client.ask("spot", "POST", "userDataStream"))["listenKey"]
    other = (await client.ask("spot", "POST", "userDataStream"))["listenKey"]
    assert (len(key), key != other) == (64, True)
    assert await client.ask("spot", "GET", "userDataStream") == {"listenKey": [key, other]}
    assert await client.ask("spot", "PUT", "userDataStream", listenKey=key) == {"listenKey": key}
    async with socket(client.simulator, f"{SPOT_SOCKET}?listenKey={key}") as connection:
        await client.ask("spot", "DELETE", "userDataStream", listenKey=key)
        with pytest.raises(ConnectionClosed):
            await connection.recv()
    assert await client.refused("spot", "PUT", "userDataStream", listenKey=key) == (400, 730706)


async def test_a_socket_whose_key_is_not_renewed_ends() -> None:
    async with running(patience=Patience(mexc_listen_key_s=2.0)) as simulator:
        await open_account(simulator, "mexc")
        async with private(Client(simulator), "spot") as connection:
            with pytest.raises(ConnectionClosed):
                await connection.recv()


async def test_a_key_opens_five_sockets(client: Client) -> None:
    key = (await client.ask("spot", "POST", "userDataStream"))["listenKey"]
    sockets = [socket(client.simulator, f"{SPOT_SOCKET}?listenKey={key}") for _ in range(6)]
    opened = [await one.__aenter__() for one in sockets]
    assert await opened[-1].recv() == "Invalid listen key"
    for one in sockets:
        await one.__aexit__(None, None, None)


# what may go wrong, on contracts too


async def tell(connection: Any, market_type: str) -> Any:
    return await (told(connection, "orders") if market_type == "spot" else heard(connection, "order"))


@BOTH
async def test_an_order_whose_outcome_is_unknown_to_the_client_rests_all_the_same(
    client: Client, market_type: str
) -> None:
    expected = {"spot": (500, 500), "futures": (200, 9999)}[market_type]
    path = "order" if market_type == "spot" else "order/create"
    async with private(client, market_type) as connection:
        await trouble(client.simulator, "mexc", "error_placed")
        assert await client.refused(market_type, "POST", path, **limit(market_type)) == expected
        assert (await tell(connection, market_type))["status" if market_type == "spot" else "state"] in (1, 2)
    assert len(await accepted(client.simulator, "mexc")) == 1
    await trouble(client.simulator, "mexc", "error_not_placed")
    expected = {"spot": (503, 503), "futures": (200, 501)}[market_type]
    assert await client.refused(market_type, "POST", path, **limit(market_type)) == expected
    assert len(await accepted(client.simulator, "mexc")) == 1


@BOTH
async def test_a_push_may_come_twice(client: Client, market_type: str) -> None:
    async with private(client, market_type) as connection:
        await trouble(client.simulator, "mexc", "duplicate_push")
        await client.place(market_type)
        assert await tell(connection, market_type) == await tell(connection, market_type)


@BOTH
async def test_a_drifting_clock_makes_requests_old(client: Client, market_type: str) -> None:
    path = {"spot": "account", "futures": "account/assets"}[market_type]
    await trouble(client.simulator, "mexc", "clock_drift", seconds=3600)
    expected = {"spot": (400, 700003), "futures": (200, 513)}[market_type]
    assert await client.refused(market_type, "GET", path) == expected
    status, answer = await client.send("GET", "api.mexc.com/api/v3/time")
    assert (status, answer["serverTime"] > now_ms() + 3_000_000) == (200, True)


async def test_money_that_comes_in_is_told(client: Client) -> None:
    desk = client.simulator.exchanges["mexc"].desk
    async with private(client, "spot") as connection:
        desk.credit(desk.accounts["anna"], "spot", "ETH", Decimal(5))
        row = await told(connection, "account")
        assert (row["asset"], row["free_change"], row["reason"]) == ("ETH", "5", "DEPOSIT")
