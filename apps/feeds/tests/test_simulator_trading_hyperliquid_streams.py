"""The simulated Hyperliquid's channels of a user: orders, fills, events and states, with no key at all."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import did, fill, open_account, trouble
from apps.feeds.tests.plain_client import breaches, heard_within, receive, send, socket
from apps.feeds.tests.plain_client import order as fault
from apps.feeds.tests.plain_hyperliquid import (
    AGENT,
    COINS,
    HOST,
    USER,
    Client,
    listening,
    market,
    now_ms,
    order,
    told,
)
from apps.feeds.tests.waiting import until

DEAD_MAN = "apps.feeds.simulator.hyperliquid.dead_man"
BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
MONEY = {"spot": {"USDC": "10000000", "UBTC": "100"}, "futures": {"USDC": "10000000"}}
CLOID = "0xa1f0cddc17303d07f3fd128d5b35071d"


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """An agent of an account with money, on markets that stand still."""
    await fault(simulator, "freeze")
    await open_account(simulator, "hyperliquid", key=USER, secret=AGENT, balances=MONEY)
    return Client(simulator)


def subscription(kind: str, user: str = USER) -> dict[str, Any]:
    return {"method": "subscribe", "subscription": {"type": kind, "user": user}}


@BOTH
async def test_an_order_is_told_from_its_beginning_to_its_end(client: Client, market_type: str) -> None:
    async with listening(client, "orderUpdates", "userFills") as connection:
        oid = await client.rest(market_type, cloid=CLOID)
        (new,) = await told(connection, "orderUpdates")
        assert new == {
            "order": {
                "coin": COINS[market_type],
                "side": "B",
                "limitPx": "50000.0",
                "sz": "0.01",
                "oid": oid,
                "timestamp": new["order"]["timestamp"],
                "origSz": "0.01",
                "cloid": CLOID,
            },
            "status": "open",
            "statusTimestamp": new["order"]["timestamp"],
        }
        await fill(client.simulator, "hyperliquid", str(oid), "0.004")
        fills = await told(connection, "userFills")
        assert (fills["user"], "isSnapshot" in fills) == (USER.lower(), False)
        (row,) = fills["fills"]
        assert (row["oid"], row["cloid"], row["px"], row["sz"]) == (oid, CLOID, "50000.0", "0.004")
        assert (row["crossed"], row["side"], row["twapId"]) == (False, "B", None)
        fee = {"spot": ("UBTC", "0.0000016"), "futures": ("USDC", "0.03")}[market_type]
        assert (row["feeToken"], Decimal(row["fee"])) == (fee[0], Decimal(fee[1]))
        (part,) = await told(connection, "orderUpdates")
        assert (part["status"], part["order"]["sz"]) == ("open", "0.006")
        assert await client.cancel(market_type, oid) == "success"
        (gone,) = await told(connection, "orderUpdates")
        assert (gone["status"], gone["order"]["sz"], gone["order"]["origSz"]) == ("canceled", "0.006", "0.01")


async def test_an_order_that_takes_is_open_and_then_filled(client: Client) -> None:
    async with listening(client, "orderUpdates") as connection:
        await client.place("futures", **market("futures", s="0.001"))
        states = [(await told(connection, "orderUpdates"))[0] for _ in range(2)]
        assert [(row["status"], row["order"]["sz"]) for row in states] == [("open", "0.001"), ("filled", "0.0")]


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"tif": "Ioc"}, "iocCancelRejected"), ({"tif": "Alo", "p": "90000"}, "badAloPxRejected")],
)
async def test_an_order_that_is_rejected_was_never_open(client: Client, fields: dict[str, str], status: str) -> None:
    async with listening(client, "orderUpdates") as connection:
        await client.refused("futures", **fields)
        (told_of,) = await told(connection, "orderUpdates")
        assert (told_of["status"], told_of["order"]["sz"]) == (status, "0.01")


async def test_fills_begin_with_those_that_were(client: Client) -> None:
    await client.place("futures", **market("futures", s="0.001"))
    async with socket(client.simulator, f"{HOST}/ws") as connection:
        await connection.recv()
        await send(connection, subscription("userFills"))
        ack = await receive(connection)
        assert ack["data"]["subscription"] == {"type": "userFills", "user": USER.lower(), "aggregateByTime": False}
        snapshot = await told(connection, "userFills")
        assert (snapshot["isSnapshot"], snapshot["fills"]) == (True, await client.info("userFills"))


async def test_events_of_a_user_tell_fills_and_funding(client: Client) -> None:
    async with listening(client, "userEvents") as connection:
        await client.place("futures", **market("futures", s="0.001"))
        assert (await told(connection, "user"))["fills"][0]["dir"] == "Open Long"
        await did(client.simulator, "funding", exchange="hyperliquid", symbol="BTC", rate="0.0001")
        paid = (await told(connection, "user"))["funding"]
        assert (paid["coin"], paid["szi"], Decimal(paid["usdc"]) < 0) == ("BTC", "0.001", True)


async def test_states_of_both_wallets_follow_the_orders(client: Client) -> None:
    async with listening(client, "spotState", "clearinghouseState") as connection:
        await client.rest("spot")
        state = await told(connection, "spotState")
        holds = {row["coin"]: row["hold"] for row in state["spotState"]["balances"]}
        assert (state["user"], holds["USDC"]) == (USER.lower(), "500.0")
        await client.place("futures", **market("futures", s="0.001"))
        state = await told(connection, "clearinghouseState")
        while not state["clearinghouseState"]["assetPositions"]:
            state = await told(connection, "clearinghouseState")
        assert state["clearinghouseState"]["assetPositions"][0]["position"]["szi"] == "0.001"


async def test_a_subscription_twice_or_an_end_without_one_is_harmless(client: Client) -> None:
    async with listening(client, "orderUpdates") as connection:
        await send(connection, subscription("orderUpdates"))
        assert (await told(connection, "error")).startswith("Already subscribed")
        for expected in ("subscriptionResponse", "error"):
            await send(connection, subscription("orderUpdates") | {"method": "unsubscribe"})
            assert (await receive(connection))["channel"] == expected
        await client.rest("futures")
        assert await heard_within(connection, 0.1) == []


async def test_anybody_hears_every_user_and_a_stranger_has_nothing_to_tell(client: Client) -> None:
    stranger = f"0x{'cd' * 20}"
    async with socket(client.simulator, f"{HOST}/ws") as connection:
        await connection.recv()
        await send(connection, subscription("userFills", stranger))
        assert await told(connection, "userFills") == {"isSnapshot": True, "user": stranger, "fills": []}
        await send(connection, subscription("userFills", "anna"))
        assert "Error parsing JSON" in await told(connection, "error")


async def test_the_eleventh_user_of_an_address_is_one_too_many(client: Client) -> None:
    async with socket(client.simulator, f"{HOST}/ws") as connection:
        await connection.recv()
        for number in range(11):
            await send(connection, subscription("orderUpdates", f"0x{number:040x}"))
        assert "10 total users" in await told(connection, "error")
    assert (await breaches(client.simulator, "hyperliquid"))["users"] == 1


async def test_public_channels_share_the_socket(client: Client) -> None:
    async with listening(client, "orderUpdates") as connection:
        await send(connection, {"method": "subscribe", "subscription": {"type": "bbo", "coin": "BTC"}})
        assert (await told(connection, "bbo"))["coin"] == "BTC"
        await client.rest("futures")
        assert (await told(connection, "orderUpdates"))[0]["status"] == "open"


async def test_a_push_may_come_twice_or_not_at_all(client: Client) -> None:
    async with listening(client, "orderUpdates") as connection:
        await trouble(client.simulator, "hyperliquid", "duplicate_push")
        await client.rest("futures")
        assert await told(connection, "orderUpdates") == await told(connection, "orderUpdates")
        await trouble(client.simulator, "hyperliquid", "mute_private", seconds=30)
        await client.rest("futures")
        assert await heard_within(connection, 0.1) == []


async def test_a_push_may_be_ahead_of_the_answer(client: Client) -> None:
    async with listening(client, "userFills") as connection:
        await trouble(client.simulator, "hyperliquid", "early_fill")
        await client.done(order("futures", **market("futures", s="0.001")))
        assert (await told(connection, "userFills"))["fills"][0]["sz"] == "0.001"


# scheduleCancel


def schedule(ahead_ms: int) -> dict[str, Any]:
    return {"type": "scheduleCancel", "time": now_ms() + ahead_ms}


async def test_who_has_traded_too_little_may_not_schedule_a_cancel(client: Client) -> None:
    await client.place("futures", **market("futures"))
    said = await client.failed(schedule(60_000))
    assert said.startswith("Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $")
    assert client.simulator.exchanges["hyperliquid"].desk.accounts["anna"].switches == {}


async def test_a_scheduled_cancel_ends_the_orders_of_both_markets(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{DEAD_MAN}.LEAST_VOLUME", Decimal(0))
    monkeypatch.setattr("apps.feeds.simulator.trading.dead_men.PACE", 0.001)
    oids = {await client.rest("spot"), await client.rest("futures")}
    async with listening(client, "orderUpdates") as connection:
        assert await client.done(schedule(20_000)) is None
        ended = [row for _ in oids for row in await told(connection, "orderUpdates")]
    assert {(row["order"]["oid"], row["status"]) for row in ended} == {(oid, "scheduledCancel") for oid in oids}
    assert await client.info("openOrders") == []


async def test_a_scheduled_cancel_is_put_off_and_taken_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{DEAD_MAN}.LEAST_VOLUME", Decimal(0))
    anna = client.simulator.exchanges["hyperliquid"].desk.accounts["anna"]
    timers = []
    for ahead_ms in (60_000, 120_000):
        await client.done(schedule(ahead_ms))
        timers += anna.switches.values()
    assert [timer.cancelled() for timer in timers] == [True, False]
    await client.done({"type": "scheduleCancel"})
    assert (anna.switches, timers[1].cancelled()) == ({}, True)


async def test_a_scheduled_cancel_is_five_seconds_ahead_and_strikes_so_often_a_day(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{DEAD_MAN}.LEAST_VOLUME", Decimal(0))
    assert (await client.failed(schedule(4_000))).startswith("Scheduled cancel time too early")
    monkeypatch.setattr("apps.feeds.simulator.trading.dead_men.PACE", 0.0)
    monkeypatch.setattr(f"{DEAD_MAN}.MOST_STRIKES", 2)
    monkeypatch.setattr(f"{DEAD_MAN}.DAY_MS", 10**15)  # no midnight in between
    anna = client.simulator.exchanges["hyperliquid"].desk.accounts["anna"]
    for _ in range(2):
        await client.done(schedule(60_000))
        await until(lambda: not anna.switches)
    assert (await client.failed(schedule(60_000))).startswith("Too many scheduled cancels")
