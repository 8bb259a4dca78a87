"""The simulated MEXC's private channels of contracts: logins, filters, orders, deals, positions, wallets."""

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import account, did, fill, open_account
from apps.feeds.tests.plain_client import heard_within, order, receive, send, socket
from apps.feeds.tests.plain_mexc_orders import (
    FUTURES_SOCKET,
    Client,
    heard,
    login,
    market,
    now_ms,
    private,
)


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "mexc")
    return Client(simulator)


async def test_contracts_tell_an_order_its_deals_the_position_and_the_wallet(client: Client) -> None:
    async with private(client, "futures") as connection:
        id = await client.place("futures", externalOid="mine")
        new = await heard(connection, "order")
        assert (new["orderId"], new["externalOid"], new["state"], new["side"]) == (id, "mine", 2, 1)
        assert (new["vol"], new["dealVol"], new["remainVol"], new["price"], new["version"]) == (100, 0, 100, 50000, 1)
        assert (await heard(connection, "asset"))["frozenBalance"] == 25
        await fill(client.simulator, "mexc", id, "40")
        part = await heard(connection, "order")
        assert (part["state"], part["dealVol"], part["remainVol"], part["dealAvgPrice"]) == (2, 40, 60, 50000)
        deal = await heard(connection, "order.deal")
        (execution,) = (await account(client.simulator, "mexc"))["executions"]
        assert (deal["id"], deal["orderId"], deal["vol"]) == (str(execution["trade_id"]), id, 40)
        assert (deal["isTaker"], deal["fee"], deal["feeCurrency"], deal["externalOid"]) == (False, 0, "USDT", "mine")
        held = await heard(connection, "position")
        assert (held["holdVol"], held["positionType"], held["openAvgPrice"], held["state"]) == (40, 1, 50000, 1)
        asset = await heard(connection, "asset")
        assert (asset["positionMargin"], asset["frozenBalance"]) == (10, 15)
        await client.futures("POST", "order/cancel", [id])
        gone = await heard(connection, "order")
        assert (gone["state"], gone["dealVol"], gone["errorCode"]) == (4, 40, 0)


async def test_a_taker_pays_and_each_push_tells_the_fees_of_its_time(client: Client) -> None:
    async with private(client, "futures") as connection:
        id = await client.place("futures", **market("futures", vol=100))
        pushes = [await heard(connection, "order") for _ in range(2)]
        fees = [await heard(connection, "order.deal")]
        while pushes[-1]["state"] != 3:
            pushes.append(await heard(connection, "order"))
            fees.append(await heard(connection, "order.deal"))
    assert [push["version"] for push in pushes] == list(range(1, len(pushes) + 1))
    assert (pushes[0]["takerFee"], pushes[0]["dealVol"]) == (0, 0)
    assert pushes[-1]["takerFee"] == pytest.approx(sum(fee["fee"] for fee in fees))
    assert fees[0]["fee"] == pytest.approx(fees[0]["vol"] * 0.0001 * fees[0]["price"] * 0.0002)
    assert (await client.read("futures", id))["takerFee"] == pushes[-1]["takerFee"]


async def test_a_closed_position_is_told_once_more(client: Client) -> None:
    await client.place("futures", **market("futures"))
    async with private(client, "futures") as connection:
        await client.place("futures", **market("futures", side=4))
        held = await heard(connection, "position")
        while held["holdVol"]:
            held = await heard(connection, "position")
        assert held["state"] == 3


async def test_funding_changes_the_wallet(client: Client) -> None:
    await client.place("futures", **market("futures"))
    async with private(client, "futures") as connection:
        await did(client.simulator, "funding", exchange="mexc", symbol="BTC_USDT", rate="0.0001")
        assert (await heard(connection, "asset"))["currency"] == "USDT"


@pytest.mark.parametrize("wrong", ["key", "secret", "time"])
async def test_a_wrong_login_is_an_error_and_hears_nothing(client: Client, wrong: str) -> None:
    strangers = {"key": Client(client.simulator, key="nobody"), "secret": Client(client.simulator, secret="wrong")}
    param = login(strangers.get(wrong, client), now_ms() - 60_000 if wrong == "time" else None)
    async with socket(client.simulator, FUTURES_SOCKET) as connection:
        await send(connection, {"method": "login", "param": param})
        assert (await receive(connection))["channel"] == "rs.error"
        await client.place("futures")
        assert await heard_within(connection, 0.1) == []


async def test_a_filter_takes_the_place_of_the_one_before(client: Client) -> None:
    async with socket(client.simulator, FUTURES_SOCKET) as connection:
        await send(connection, {"method": "login", "subscribe": False, "param": login(client)})
        await receive(connection)
        await client.place("futures")
        assert await heard_within(connection, 0.1) == []
        for filters, channel in (([{"filter": "asset"}], "asset"), ([{"filter": "order"}], "order")):
            await send(connection, {"method": "personal.filter", "param": {"filters": filters}})
            assert (await receive(connection))["channel"] == "rs.personal.filter"
            await client.place("futures")
            assert {row["channel"] for row in await heard_within(connection, 0.1)} == {f"push.personal.{channel}"}
        rules = [{"filter": "order", "rules": ["ETH_USDT"]}]
        await send(connection, {"method": "personal.filter", "param": {"filters": rules}})
        await receive(connection)
        await client.place("futures")
        assert await heard_within(connection, 0.1) == []


async def test_a_filter_before_the_login_is_an_error(client: Client) -> None:
    async with socket(client.simulator, FUTURES_SOCKET) as connection:
        await send(connection, {"method": "personal.filter", "param": {"filters": []}})
        assert (await receive(connection))["channel"] == "rs.error"


async def test_public_channels_share_the_socket_of_the_login(client: Client) -> None:
    async with private(client, "futures") as connection:
        await send(connection, {"method": "sub.depth.full", "param": {"symbol": "BTC_USDT", "limit": 20}})
        await receive(connection, lambda message: message["channel"] == "push.depth.full")
