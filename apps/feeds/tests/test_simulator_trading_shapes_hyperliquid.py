"""What the simulated Hyperliquid says of users has the names and kinds of what the real one said."""

import json
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.simulator.hyperliquid.signing import agent_digest, connection_id, signer
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.captures import lines
from apps.feeds.tests.plain_accounts import open_account
from apps.feeds.tests.plain_client import order as fault
from apps.feeds.tests.plain_client import receive
from apps.feeds.tests.plain_hyperliquid import AGENT, USER, Client, envelope, listening, market, order
from apps.feeds.tests.shapes import ABSENT, differences

pytestmark = pytest.mark.captures
CLOID = "0xa1f0cddc17303d07f3fd128d5b35071d"
SINCE_2023 = {"[].tid": "int", "[].feeToken": "text", "[].twapId": "NoneType"}
# The recorded fills of `userFills` are the snapshot; those of `user` are of orders without a client id.
EXTRA = {
    "userFills": {"data.isSnapshot": (ABSENT, "bool")},
    "user": {"data.fills[].cloid": ("text", ABSENT)},
}
MONEY = {"spot": {"USDC": "10000000", "UBTC": "100"}, "futures": {"USDC": "10000000"}}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    await fault(simulator, "freeze")
    await open_account(simulator, "hyperliquid", key=USER, secret=AGENT, balances=MONEY)
    return Client(simulator)


def answers(captures: Path, kind: str) -> list[Any]:
    """What questions of a kind were answered with, the latest recording last."""
    rows = [json.loads(line) for line in lines(captures, "hyperliquid", "rest.jsonl")]
    return [row["body"] for row in rows if row.get("request", {}).get("json", {}).get("type") == kind]


def outcomes(captures: Path) -> list[Any]:
    rows = [json.loads(line) for line in lines(captures, "hyperliquid", "rest.jsonl")]
    return [row["body"] for row in rows if row.get("request", {}).get("path") == "/exchange"]


def test_the_recorded_signatures_are_those_of_their_keys(captures: Path) -> None:
    told = json.loads((captures / "hyperliquid" / "signing_vectors.json").read_bytes())["vectors"]
    for row in told:
        connection = connection_id(row["action"], row["nonce"], row["vaultAddress"], row["expiresAfter"])
        digest = agent_digest(connection, "a" if row["mainnet"] else "b")
        assert (f"0x{connection.hex()}", f"0x{digest.hex()}") == (row["connectionId"], row["eip712_digest"])
        assert signer(digest, row["signature"]) == "0x14791697260e4c9a71f18484c9f997b308e59325"


async def test_answers_to_questions_about_a_user(client: Client, captures: Path) -> None:
    await client.rest("futures", cloid=CLOID)
    await client.place("futures", **market("futures", s="0.001"))
    more = {
        "openOrders": {},
        "historicalOrders": {},
        "clearinghouseState": {},
        "spotClearinghouseState": {},
        "extraAgents": {},
        "userRole": {},
        "userRateLimit": {},
        "frontendOpenOrders": {"[].cloid": ("text", ABSENT)},  # since 2023
        "userFills": {name: (kind, ABSENT) for name, kind in SINCE_2023.items()},
    }
    for kind, expected in more.items():
        told = await client.info(kind)
        assert differences(told, answers(captures, kind)[-1]) == expected, kind


async def test_a_position_is_told_with_more_than_in_2023(client: Client, captures: Path) -> None:
    await client.place("futures", **market("futures", s="0.001"))
    told = (await client.info("clearinghouseState"))["assetPositions"][0]
    recorded = answers(captures, "clearinghouseState")[0]["assetPositions"][0]
    assert differences(told, recorded) == {
        "position.maxLeverage": ("int", ABSENT),
        "position.cumFunding": ("dict", ABSENT),
        "position.maxTradeSzs": (ABSENT, "list"),
    }


async def test_the_state_of_an_order(client: Client, captures: Path) -> None:
    oid = await client.rest("futures", cloid=CLOID)
    known, unknown = answers(captures, "orderStatus")
    assert differences(await client.info("orderStatus", oid=oid), known) == {}
    assert await client.info("orderStatus", oid=1) == unknown


async def test_answers_to_actions(client: Client, captures: Path) -> None:
    rests, fills, small, gone, missing, done, stranger, *_ = outcomes(captures)
    cancelling = {"type": "cancel", "cancels": [{"a": 0, "o": 1}]}
    assert differences(await client.act(order("futures")), rests) == {}
    assert differences(await client.act(order("futures", **market("futures"))), fills) == {}
    assert await client.act(order("futures", s="0.0001")) == small
    oid = await client.rest("futures")
    assert await client.act({"type": "cancel", "cancels": [{"a": 0, "o": oid}]}) == gone
    assert await client.act(cancelling) == missing
    assert await client.act({"type": "noop"}) == done
    assert differences(await client.act({"type": "noop"}, key=f"0x{'77' * 32}"), stranger) == {}
    status, answer = await client.post("exchange", envelope(cancelling) | {"signature": {"r": "0x", "s": "0x", "v": 9}})
    assert (status, answer) == (200, outcomes(captures)[7])


async def test_pushes_of_a_user(client: Client, captures: Path) -> None:
    told = [json.loads(line) for line in lines(captures, "hyperliquid", "ws_private.jsonl")]
    first = {}
    for frame in told:
        data = frame["data"]
        kind = frame["channel"] if not isinstance(data, dict) or data.get("fills") != [] else ""
        first.setdefault(kind, frame)
    async with listening(client, "orderUpdates", "userFills", "userEvents") as connection:
        await client.place("futures", **market("futures", s="0.001", cloid=CLOID))
        for channel in ("orderUpdates", "userFills", "user"):
            pushed = await receive(connection, lambda message, channel=channel: message["channel"] == channel)
            expected = EXTRA.get(channel, {})
            assert differences(pushed, first[channel]) == expected, channel
