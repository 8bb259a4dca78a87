"""The simulated KuCoin tells unified accounts what happens to them, behind a greeting or a token."""

from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import fill
from apps.feeds.tests.plain_client import follow, heard_within, order, receive, running, send, socket
from apps.feeds.tests.plain_kucoin_trading import (
    PUSH,
    Client,
    greeting,
    open_here,
    private,
    push,
    pushes,
    unified,
)

ORDERS_V2 = "/spotMarket/tradeOrdersV2"
ALL_ORDERS = {"channel": "orderAll", "tradeType": "UNIFIED"}
MONEY = {"channel": "balance", "accountType": "UNIFIED"}
UA = "api.kucoin.com/api/ua/v2/unified"


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of a classic account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_here(simulator)
    return Client(simulator)


@pytest.fixture
async def ursula(simulator: Simulator) -> Client:
    """Of a unified account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_here(simulator, name="ursula", key="key-of-ursula", secret="secret-of-ursula", kind="unified")
    return Client(simulator, key="key-of-ursula", secret="secret-of-ursula")


async def test_a_unified_account_is_told_of_an_order_with_its_fees(ursula: Client) -> None:
    channels: tuple[dict[str, Any], ...] = (
        ALL_ORDERS,
        {"channel": "execution", "tradeType": "UNIFIED"},
        {"channel": "execution.lite", "tradeType": "UNIFIED"},
    )
    async with pushes(ursula, *channels) as connection:
        placed = await ursula.done("POST", f"{UA}/order/place", **unified("spot"))
        rests = await push(connection, "orderAll.UNIFIED")
        assert {name: rests[name] for name in ("tT", "oi", "ci", "os", "eT", "s", "S", "q", "qU", "fS", "p")} == {
            "tT": "SPOT",
            "oi": placed["orderId"],
            "ci": "m-1",
            "os": 2,
            "eT": "OPEN",
            "s": "BTC-USDT",
            "S": "BUY",
            "q": "0.01",
            "qU": "BASECCY",
            "fS": "0",
            "p": "50000",
        }
        await fill(ursula.simulator, "kucoin", placed["orderId"], "0.004", "ursula")
        part = await push(connection, "orderAll.UNIFIED", "MATCH")
        assert (part["os"], part["fS"], part["lS"], part["aP"], part["f"], part["fC"]) == (
            4,
            "0.004",
            "0.004",
            "50000",
            "0.2",
            "USDT",
        )
        whole = await push(connection, "execution.UNIFIED")
        assert (whole["ti"], whole["q"], whole["lR"], Decimal(whole["f"])) == (
            part["ti"],
            "0.004",
            "MAKER",
            Decimal("0.2"),
        )
        lite = await push(connection, "execution.lite.UNIFIED")
        assert (lite["ti"], "f" in lite) == (int(part["ti"]), False)
        await fill(ursula.simulator, "kucoin", placed["orderId"], "0.006", "ursula")
        last = await push(connection, "orderAll.UNIFIED")
        assert (last["eT"], last["os"], last["f"], last["rS"]) == ("FILL", 3, "0.5", "0")


async def test_a_unified_account_is_told_of_money_and_positions(ursula: Client) -> None:
    channels: tuple[dict[str, Any], ...] = (
        MONEY,
        {"channel": "position", "tradeType": "UNIFIED", "symbol": "XBTUSDTM"},
    )
    async with pushes(ursula, *channels) as connection:
        placed = await ursula.done("POST", f"{UA}/order/place", **unified("futures"))
        held = await push(connection, "balance.UNIFIED")
        assert (held["c"], Decimal(held["b"]), Decimal(held["h"])) == ("USDT", 10_000_000, 25)
        await fill(ursula.simulator, "kucoin", placed["orderId"], "4", "ursula")
        told = await push(connection, "position.UNIFIED")
        assert (told["s"], told["q"], told["eP"], told["mM"]) == ("XBTUSDTM", "4", "50000", "CROSS")
        await ursula.done("POST", f"{UA}/order/cancel", tradeType="FUTURES", symbol="XBTUSDTM", clientOid="m-1")
        assert Decimal((await push(connection, "balance.UNIFIED"))["b"]) < 10_000_000


async def test_a_token_opens_the_unified_push_as_well(ursula: Client) -> None:
    token = (await ursula.done("POST", "api.kucoin.com/api/v2/bullet-private"))["token"]
    async with socket(ursula.simulator, f"{PUSH}?token={token}") as connection:
        assert (await receive(connection))["message"] == "welcome"
        await send(connection, {"id": "7", "action": "subscribe", **ALL_ORDERS})
        assert await receive(connection) == {"id": "7", "result": True}
    async with socket(ursula.simulator, f"{PUSH}?token=stale") as connection:
        assert (await receive(connection))["reason"] == "token is expired"
        with pytest.raises(ConnectionClosed):
            await receive(connection)


async def test_a_greeting_that_is_wrong_is_refused(ursula: Client) -> None:
    async with socket(ursula.simulator, PUSH) as connection:
        await receive(connection)
        for wrong in (
            {"kc-api-key": "nobody"},
            {"kc-api-sign": "x"},
            {"kc-api-timestamp": "1"},
            {"kc-api-passphrase": "x"},
        ):
            await send(connection, greeting(ursula, **wrong))
            assert (await receive(connection))["result"] is False
        await send(connection, {"id": "7", "action": "SUBSCRIBE", **ALL_ORDERS})
        assert (await receive(connection))["reason"] == "not authenticated"


@pytest.mark.parametrize(
    "channel",
    [
        {"channel": "orders", "tradeType": "UNIFIED"},
        {"channel": "orderAll", "tradeType": "SPOT"},
        {"channel": "order", "tradeType": "UNIFIED"},
        {"channel": "balance", "tradeType": "UNIFIED"},
        {"channel": "balance", "accountType": "TRADE"},
    ],
)
async def test_a_channel_that_there_is_not_is_refused(ursula: Client, channel: dict[str, Any]) -> None:
    async with pushes(ursula) as connection:
        await send(connection, {"id": "7", "action": "SUBSCRIBE", **channel})
        told = await receive(connection)
        assert (told["id"], told["result"], "reason" in told) == ("7", False, True)


async def test_each_kind_of_account_hears_only_its_own_channels(client: Client, ursula: Client) -> None:
    async with pushes(client) as connection:
        await send(connection, {"id": "7", "action": "SUBSCRIBE", **ALL_ORDERS})
        assert (await receive(connection))["reason"] == "Invalid Unified Account user."
    async with private(ursula, "spot", ORDERS_V2) as connection:
        await ursula.done("POST", f"{UA}/order/place", **unified("spot"))
        assert await heard_within(connection, 0.2) == []


async def test_what_is_unsubscribed_is_silent(ursula: Client) -> None:
    async with pushes(ursula, ALL_ORDERS, MONEY) as connection:
        await send(connection, {"id": "7", "action": "UNSUBSCRIBE", **ALL_ORDERS})
        assert await receive(connection) == {"id": "7", "result": True}
        await ursula.done("POST", f"{UA}/order/place", **unified("spot"))
        assert (await receive(connection))["T"] == "balance.UNIFIED"


async def test_a_unified_socket_answers_pings_and_cuts_the_silent() -> None:
    async with running(patience=Patience(kucoin_idle_s=2)) as impatient:
        await open_here(impatient)
        await open_here(impatient, name="ursula", key="u", secret="s", kind="unified")
        async with pushes(Client(impatient, key="u", secret="s"), MONEY) as connection:
            await send(connection, {"id": "9", "op": "ping", "timestamp": "1"})
            pong = await receive(connection)
            assert (pong["type"], pong["id"], len(str(pong["ts"]))) == ("pong", "9", 19)
            with pytest.raises(ConnectionClosed):
                await follow(connection, lambda message: None)
