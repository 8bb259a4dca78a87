"""What the simulated MEXC says of orders and accounts has the names and kinds of what the real one said."""

import json
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.simulator.mexc.protobuf import WRAPPER, decode
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.captures import lines
from apps.feeds.tests.plain_accounts import fill, open_account
from apps.feeds.tests.plain_client import order, receive
from apps.feeds.tests.plain_mexc_orders import Client, limit, market, private
from apps.feeds.tests.shapes import ABSENT, differences

pytestmark = pytest.mark.captures


def recorded(captures: Path, file: str, method: str, path: str, *, status: int = 200) -> Any:
    """The first body that was answered to such a request with success."""
    rows = (json.loads(line) for line in lines(captures, "mexc", file))
    return next(
        row["body"]
        for row in rows
        if (row["request"]["method"], row["request"]["path"], row["status"]) == (method, path, status)
    )


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    await order(simulator, "freeze")
    await open_account(simulator, "mexc")
    return Client(simulator)


async def test_answers_of_spot(client: Client, captures: Path) -> None:
    def told(method: str, path: str) -> Any:
        return recorded(captures, "spot_rest.jsonl", method, f"/api/v3/{path}")

    placed = await client.ask("spot", "POST", "order", **limit("spot", newClientOrderId="mine"))
    assert differences(placed, told("POST", "order")) == {}
    named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    # The written-down ids are numbers; the real ones are text.
    ids = {"orderId": ("text", "int")}
    assert differences(await client.ask("spot", "GET", "order", **named), told("GET", "order")) == {
        **ids,
        "icebergQty": ("NoneType", ABSENT),
    }
    assert differences(await client.ask("spot", "DELETE", "order", **named), told("DELETE", "order")) == ids
    await client.place("spot", **market("spot", quantity="0.01"))
    trades = await client.ask("spot", "GET", "myTrades", symbol="BTCUSDT")
    assert differences(trades, told("GET", "myTrades")) == {}
    assert differences(await client.ask("spot", "GET", "account"), told("GET", "account")) == {}
    assert differences(await client.ask("spot", "POST", "userDataStream"), told("POST", "userDataStream")) == {}


async def test_answers_of_contracts(client: Client, captures: Path) -> None:
    def told(method: str, path: str) -> Any:
        return recorded(captures, "futures_rest.jsonl", method, f"/api/v1/private/{path}")

    _, placed = await client.futures("POST", "order/create", limit("futures", externalOid="mine"))
    assert differences(placed, told("POST", "order/create")) == {}
    _, gone = await client.futures("POST", "order/cancel", [placed["data"]["orderId"]])
    assert differences(gone, told("POST", "order/cancel")) == {}
    _, gone = await client.futures("POST", "order/cancel_all", {})
    assert differences(gone, told("POST", "order/cancel_all")) == {}
    await client.place("futures", **market("futures", externalOid="other"))
    _, found = await client.futures("GET", "order/external/BTC_USDT/other")
    since = {"data.positionMode": ("int", ABSENT), "data.reduceOnly": ("bool", ABSENT)}  # told since 2025
    assert plain(differences(found, told("GET", "order/external/ETH_USDT/123"))) == since
    _, assets = await client.futures("GET", "account/assets")
    assert plain(differences(assets, told("GET", "account/assets"))) == {}
    _, held = await client.futures("GET", "position/open_positions")
    assert plain(differences(held, told("GET", "position/open_positions"))) == {}


async def test_pushes_of_contracts(client: Client, captures: Path) -> None:
    rows = [json.loads(line) for line in lines(captures, "mexc", "futures_ws_private.jsonl")]
    pushed = {row["frame"]["channel"]: row["frame"] for row in rows if row["dir"] == "in"}
    since = {
        "order": {"data.positionMode": ("int", ABSENT), "data.reduceOnly": ("bool", ABSENT)},
        # The recording of 2022 says `taker`, and does not repeat the client's id.
        "order.deal": {
            "data.taker": (ABSENT, "bool"),
            "data.isTaker": ("bool", ABSENT),
            "data.externalOid": ("text", ABSENT),
        },
        "position": {"data.createTime": ("int", ABSENT), "data.updateTime": ("int", ABSENT)},
        "asset": {},
    }
    async with private(client, "futures") as connection:
        await client.place("futures", **market("futures", externalOid="mine"))
        for name, expected in since.items():
            channel = f"push.personal.{name}"
            told = await receive(connection, lambda message, channel=channel: message["channel"] == channel)
            assert plain(differences(told, pushed[channel])) == expected, channel


async def test_pushes_of_spot(client: Client, captures: Path) -> None:
    rows = [json.loads(line) for line in lines(captures, "mexc", "spot_ws_reencoded.decoded.jsonl")]
    wanted = {row["channel"]: row for row in rows if row["channel"].startswith("spot@private.")}
    # Not in these recordings, but in the list of fields: a client's id, and who made it.
    more = {
        "spot@private.orders.v3.api.pb": {"privateOrders.clientId", "privateOrders.isMaker"},
        "spot@private.deals.v3.api.pb": {"privateDeals.clientOrderId", "privateDeals.isMaker"},
        "spot@private.account.v3.api.pb": set(),
    }
    assert wanted.keys() == more.keys()
    async with private(client, "spot") as connection:
        id = await client.place("spot", newClientOrderId="mine", price="60000")
        await fill(client.simulator, "mexc", id, "0.004")
        while wanted:
            told = pushed(await connection.recv(decode=False))
            if told.get("privateOrders", {}).get("status") == 1:
                continue  # what no deal came with
            channel = told["channel"]
            if channel in wanted:
                assert set(differences(told, wanted.pop(channel))) == more[channel], channel


def pushed(frame: bytes) -> dict[str, Any]:
    """The fields that came."""
    return {name: value for name, value in decode(frame, WRAPPER).items() if value != []}


def plain(found: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Without numbers that happen to be whole on one side."""
    return {place: kinds for place, kinds in found.items() if set(kinds) != {"int", "float"}}
