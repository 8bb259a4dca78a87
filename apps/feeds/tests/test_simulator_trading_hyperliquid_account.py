"""The simulated Hyperliquid finds who has signed, and tells everybody of every account."""

import json
from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.hyperliquid.actions import form, read
from apps.feeds.simulator.hyperliquid.signing import (
    agent_digest,
    connection_id,
    signer,
    user_digest,
)
from apps.feeds.simulator.hyperliquid.trading import APPROVE_AGENT
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, did, fill, open_account, trouble
from apps.feeds.tests.plain_client import order as fault
from apps.feeds.tests.plain_hyperliquid import (
    AGENT,
    MASTER,
    STRANGER,
    USER,
    Client,
    envelope,
    market,
    nonce,
    now_ms,
    order,
    signed,
)

MONEY = {"spot": {"USDC": "10000000", "UBTC": "100"}, "futures": {"USDC": "10000000"}}
CLOID = "0xa1f0cddc17303d07f3fd128d5b35071d"


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """An agent of an account with money, on markets that stand still."""
    await fault(simulator, "freeze")
    await open_account(simulator, "hyperliquid", key=USER, secret=AGENT, balances=MONEY)
    return Client(simulator)


# who signs


def test_the_documented_order_is_signed_by_the_documented_key() -> None:
    action = order("futures", a=4, p="1670.1", s="0.0147", tif="Ioc")
    connection = connection_id(action, 1677777606040, None, None)
    assert connection.hex() == "0fcbeda5ae3c4950a548021552a4fea2226858c4453571bf3f24ba017eac2908"
    digest = agent_digest(connection)
    assert digest.hex() == "be5eb0697b77c2acfeaa07a3d4913ae5d06489c63bfd143c5d3d66540a196c43"
    signature = {
        "r": "0xe302c107c0048633293299b066317048f69f685aa4f536fe56c050efaf04996c",
        "s": "0x70e01d4d26e3d724fb8f8ab54b3f2544a37ea1b092f83532349405274f3f3962",
        "v": 28,
    }
    assert signer(digest, signature) == MASTER
    assert signed(digest, AGENT) == signature


def test_what_is_signed_is_the_true_form_of_an_action_however_it_was_written() -> None:
    true = order("futures", p="50000", s="0.01", cloid=CLOID)
    written = order("futures", s="0.0100", p="50000.0", cloid=CLOID.upper().replace("0X", "0x"))
    written = {"grouping": "na", **written}
    body = envelope(written)
    assert json.dumps(form(read(json.dumps(body).encode()).action)) == json.dumps(true)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": STRANGER},
        {"source": "b"},
    ],
)
async def test_the_signature_of_a_stranger_names_the_stranger(client: Client, changes: dict[str, Any]) -> None:
    text = await client.failed(order("futures"), **changes)
    assert text.startswith("User or API Wallet 0x")
    assert text.endswith(" does not exist.")
    assert await accepted(client.simulator, "hyperliquid") == []


@pytest.mark.parametrize("number", ["50000.0", "050000", "5e4"])
async def test_an_order_that_is_not_written_as_it_is_signed_is_a_strangers(client: Client, number: str) -> None:
    assert "does not exist." in await client.failed(order("futures", p=number))


async def test_a_signature_that_is_none_cannot_be_recovered(client: Client) -> None:
    body = envelope(order("futures")) | {"signature": {"r": "0x0", "s": "0x0", "v": 27}}
    assert (await client.post("exchange", body))[1] == {"status": "err", "response": "Unable to recover signer."}


async def test_an_account_may_sign_with_its_own_key(client: Client) -> None:
    await open_account(client.simulator, "hyperliquid", name="boris", key=MASTER, secret=AGENT, balances=MONEY)
    assert "resting" in await Client(client.simulator, user=MASTER).place("futures")


async def test_an_agent_without_the_permission_is_nobody(client: Client) -> None:
    address = f"0x{'ab' * 20}"
    await open_account(
        client.simulator, "hyperliquid", name="boris", key=address, secret=STRANGER, permissions=["read"]
    )
    assert "does not exist." in await client.failed(order("futures"), key=STRANGER)


async def test_only_the_accounts_own_key_approves_an_agent(client: Client) -> None:
    await open_account(client.simulator, "hyperliquid", name="boris", key=MASTER, secret=AGENT, balances=MONEY)
    agent = "0x" + "11" * 32
    values = {"hyperliquidChain": "Mainnet", "agentAddress": address_of(agent), "agentName": "bot", "nonce": nonce()}
    action = {"type": "approveAgent", "signatureChainId": "0x66eee", **values}
    digest = user_digest(0x66EEE, "ApproveAgent", APPROVE_AGENT, values)
    for key, expected in ((STRANGER, "Must deposit"), (AGENT, "default"), (AGENT, "duplicate nonce")):
        body = {"action": action, "nonce": values["nonce"], "signature": signed(digest, key), "vaultAddress": None}
        assert expected in str((await client.post("exchange", body))[1])
    boris = Client(client.simulator, user=MASTER, key=agent)
    assert "resting" in await boris.place("futures")
    assert [row["name"] for row in await boris.info("extraAgents")] == ["bot"]


def address_of(key: str) -> str:
    return signer(b"\x01" * 32, signed(b"\x01" * 32, key))


async def test_nonces_are_used_once_and_within_the_window(client: Client) -> None:
    number = nonce()
    assert "resting" in (await client.done(order("futures"), number=number))[0]
    assert await client.failed(order("futures"), number=number) == f"Invalid nonce: duplicate nonce {number}"
    for far in (now_ms() - 3 * 86_400_000, now_ms() + 2 * 86_400_000):
        assert "Invalid nonce" in await client.failed(order("futures"), number=far)
    assert "resting" in (await client.done(order("futures"), number=number - 1))[0]


async def test_a_nonce_below_the_hundred_highest_is_too_low(client: Client) -> None:
    first = nonce()
    for step in range(100):
        await client.act({"type": "noop"}, number=first + step)
    assert "too low" in await client.failed({"type": "noop"}, number=first - 1)


async def test_an_action_that_has_expired_when_it_reaches_the_matcher_is_refused(client: Client) -> None:
    assert "expired" in await client.failed(order("futures"), expires_ms=now_ms() - 1)
    await trouble(client.simulator, "hyperliquid", "late_accept", seconds=0.3)
    assert "expired" in await client.failed(order("futures"), expires_ms=now_ms() + 100)
    assert "resting" in (await client.done(order("futures"), expires_ms=now_ms() + 60_000))[0]
    (row,) = await accepted(client.simulator, "hyperliquid")
    assert row["expires_ms"] > now_ms()


async def test_nobody_trades_for_a_vault_that_is_none(client: Client) -> None:
    assert "Vault" in await client.failed(order("futures"), vault=f"0x{'ab' * 20}")


# what is told


async def test_spot_and_perpetual_wallets_are_separate(client: Client) -> None:
    await client.rest("spot")
    rows = {row["coin"]: row for row in (await client.info("spotClearinghouseState"))["balances"]}
    assert (rows["USDC"]["total"], rows["USDC"]["hold"], rows["USDC"]["token"]) == ("10000000.0", "500.0", 0)
    state = await client.info("clearinghouseState")
    assert (state["marginSummary"]["accountValue"], state["withdrawable"]) == ("10000000.0", "10000000.0")
    assert state["assetPositions"] == []


async def test_positions_have_a_sign_and_a_leverage(client: Client) -> None:
    assert await client.done({"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 5}) is None
    assert "leverage" in await client.failed({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 99})
    await client.place("futures", **market("futures", b=False))
    (row,) = (await client.info("clearinghouseState"))["assetPositions"]
    held = row["position"]
    assert (row["type"], held["coin"], held["szi"]) == ("oneWay", "BTC", "-0.01")
    assert held["leverage"] == {"type": "isolated", "value": 5}
    assert Decimal(held["marginUsed"]) == pytest.approx(Decimal(held["entryPx"]) * Decimal("0.002"))
    assert (await client.info("clearinghouseState", dex="xyz"))["assetPositions"] == []


async def test_directions_of_fills_follow_the_position(client: Client) -> None:
    for fields in ({}, {"b": False, "s": "0.002"}, {}):
        await client.place("futures", **market("futures", **{"s": "0.001", **fields}))
    await client.place("spot", **market("spot", b=False, s="0.001"))
    fills = await client.info("userFillsByTime", startTime=0)
    assert [(row["dir"], row["startPosition"]) for row in fills] == [
        ("Open Long", "0.0"),
        ("Long > Short", "0.001"),
        ("Close Short", "-0.001"),
        ("Sell", "0.0"),
    ]
    assert len({row["tid"] for row in fills}) == 4
    later = fills[-1]["time"] + 1
    assert await client.info("userFillsByTime", startTime=later) == []


async def test_fees_funding_role_and_limits_are_told(client: Client) -> None:
    fees = await client.info("userFees")
    assert (fees["userCrossRate"], fees["userAddRate"]) == ("0.00045", "0.00015")
    assert (fees["userSpotCrossRate"], fees["userSpotAddRate"]) == ("0.0007", "0.0004")
    await client.place("futures", **market("futures"))
    await did(client.simulator, "funding", exchange="hyperliquid", symbol="BTC", rate="0.0001")
    (paid,) = await client.info("userFunding", startTime=0)
    assert (paid["delta"]["type"], paid["delta"]["coin"], paid["delta"]["szi"]) == ("funding", "BTC", "0.01")
    assert Decimal(paid["delta"]["usdc"]) < 0
    assert await client.info("userRole") == {"role": "user"}
    _, role = await client.post("info", {"type": "userRole", "user": MASTER})
    assert role == {"role": "agent", "data": {"user": USER.lower()}}
    assert (await client.info("userRateLimit"))["nRequestsUsed"] == 1


async def test_an_address_without_an_account_is_empty(client: Client) -> None:
    nobody = Client(client.simulator, user=f"0x{'cd' * 20}")
    assert await nobody.info("userRole") == {"role": "missing"}
    assert await nobody.info("openOrders") == await nobody.info("userFills") == []
    assert await nobody.info("orderStatus", oid=1) == {"status": "unknownOid"}
    assert (await nobody.info("clearinghouseState"))["assetPositions"] == []
    assert (await nobody.info("spotClearinghouseState")) == {"balances": []}


@pytest.mark.parametrize(
    "question",
    [{"type": "openOrders"}, {"type": "openOrders", "user": "anna"}, {"type": "userFillsByTime", "user": USER}],
)
async def test_a_question_about_a_user_has_to_be_whole(client: Client, question: dict[str, Any]) -> None:
    status, text = await client.post("info", question)
    assert (status, text) == (422, "Failed to deserialize the JSON body into the target type")


async def test_a_part_that_is_filled_is_told_by_the_rest(client: Client) -> None:
    oid = await client.rest("futures")
    await fill(client.simulator, "hyperliquid", str(oid), "0.004")
    row = (await client.info("orderStatus", oid=oid))["order"]["order"]
    assert (row["sz"], row["origSz"]) == ("0.006", "0.01")
