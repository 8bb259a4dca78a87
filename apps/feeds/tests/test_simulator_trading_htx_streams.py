"""The simulated HTX's private sockets: logins, subscriptions, pushes."""

from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import fill, open_account
from apps.feeds.tests.plain_client import heard_within, order, receive, running, send, socket
from apps.feeds.tests.plain_htx_orders import (
    HOSTS,
    SOCKETS,
    SWAP,
    Client,
    answered,
    event,
    login,
    private,
    subscription,
)

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
CHANNEL = {"spot": "orders#*", "futures": "orders"}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "htx")
    return Client(simulator)


async def test_spot_tells_an_order_from_its_beginning_to_its_end(client: Client) -> None:
    async with private(client, "spot", "orders#*", "trade.clearing#*#0") as connection:
        number = await client.place("spot", client_order_id="mine")
        new = await event(connection, "orders#*")
        assert (new["eventType"], new["orderStatus"], new["clientOrderId"]) == ("creation", "submitted", "mine")
        assert (str(new["orderId"]), new["type"], new["orderSize"], new["orderPrice"]) == (
            number,
            "buy-limit",
            "0.01",
            "50000",
        )
        await fill(client.simulator, "htx", number, "0.004")
        trade = await event(connection, "orders#*")
        assert (trade["eventType"], trade["orderStatus"]) == ("trade", "partial-filled")
        assert (trade["execAmt"], trade["remainAmt"], trade["tradeVolume"]) == ("0.004", "0.006", "0.004")
        assert "transactFee" not in trade
        cleared = await event(connection, "trade.clearing#*#0")
        assert (cleared["tradeId"], cleared["orderSide"]) == (trade["tradeId"], "buy")
        assert (cleared["transactFee"], cleared["feeCurrency"], cleared["aggressor"]) == ("0.000008", "btc", False)
        await client.cancel("spot", number)
        gone = await event(connection, "orders#*")
        assert (gone["eventType"], gone["orderStatus"], gone["remainAmt"]) == (
            "cancellation",
            "partial-canceled",
            "0.006",
        )


async def test_a_market_buy_of_spot_is_told_in_money(client: Client) -> None:
    async with private(client, "spot", "orders#btcusdt") as connection:
        await client.place("spot", type="buy-market", amount="1000", price=None)
        new = await event(connection, "orders#btcusdt")
        assert (new["orderValue"], "orderSize" in new, "orderPrice" in new) == ("1000", False, False)
        trade = await event(connection, "orders#btcusdt")
        assert Decimal(trade["execAmt"]) == Decimal(trade["tradeVolume"]) * Decimal(trade["tradePrice"])
        assert Decimal(trade["execAmt"]) + Decimal(trade["remainAmt"]) == 1000


async def test_cancels_are_cleared_where_that_is_asked_for(client: Client) -> None:
    async with private(client, "spot", "trade.clearing#btcusdt#1") as connection:
        await client.cancel("spot", await client.place("spot"))
        gone = await event(connection, "trade.clearing#btcusdt#1")
        assert (gone["eventType"], gone["remainAmt"]) == ("cancellation", "0.01")


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("0", [("balance",)]),
        ("1", [("available",), ("balance",), ("available",)]),
        ("2", [("balance", "available")] * 2),
    ],
)
async def test_balances_of_spot_are_told_as_asked_for(client: Client, mode: str, told: list[tuple[str, ...]]) -> None:
    await open_account(client.simulator, "htx", name="b", key="b", secret="s", balances={"spot": {"USDT": "100000"}})
    poor, channel = Client(client.simulator, key="b", secret="s"), f"accounts.update#{mode}"
    async with private(poor, "spot", channel) as connection:
        first = await event(connection, channel)
        assert (first["currency"], first["changeType"], first["changeTime"]) == ("usdt", None, None)
        assert first["accountId"] == await poor.account_id()
        number = await poor.place("spot")
        await fill(poor.simulator, "htx", number, "0.01", "b")
        rows: list[Any] = []
        while len(rows) < len(told):
            row = await event(connection, channel)
            if row["currency"] == "usdt" and row["changeType"] is not None:
                rows.append(row)
    names = [tuple(name for name in ("balance", "available") if name in row) for row in rows]
    assert names == told
    assert [row["changeType"] for row in rows][-1] == "order.match"


async def test_futures_tell_an_order_from_its_beginning_to_its_end(client: Client) -> None:
    async with private(client, "futures", "orders", "trade") as connection:
        number = await client.place("futures", client_order_id=77)
        new = await event(connection, "orders")
        assert (new["state"], new["client_order_id"], new["order_id"]) == ("new", "77", number)
        assert (new["volume"], new["trade_volume"], new["fee"], new["fee_currency"]) == ("10", "0", "0", None)
        await fill(client.simulator, "htx", number, "4")
        part = await event(connection, "orders")
        assert (part["state"], part["trade_volume"], Decimal(part["fee"]) < 0) == ("partially_filled", "4", True)
        (trade,) = await event(connection, "trade")
        assert (trade["order_id"], trade["trade_volume"], trade["role"]) == (number, "4", "maker")
        assert (trade["direction"], trade["client_order_id"], "trade_fee" in trade) == ("buy", "77", False)
        await client.cancel("futures", number)
        gone = await event(connection, "orders")
        assert (gone["state"], gone["cancel_reason"]) == ("partially_canceled", "user")


async def test_futures_tell_account_and_positions(client: Client) -> None:
    async with private(client, "futures", "positions", "account") as connection:
        first = {row["currency"]: row for row in (await event(connection, "account"))["details"]}
        assert first["USDT"]["equity"] == "10000000"
        await client.place("futures", type="market", price=None)
        (usdt,) = (await event(connection, "account"))["details"]
        assert (usdt["currency"], Decimal(usdt["equity"]) < 10_000_000) == ("USDT", True)
        (row,) = await event(connection, "positions")
        assert (row["contract_code"], row["direction"], row["volume"]) == ("BTC-USDT", "buy", "10")
        await client.place("futures", type="market", price=None, side="sell", reduce_only=1)
        (row,) = await event(connection, "positions")
        assert row["volume"] == "0"
    async with private(client, "futures", "positions") as connection:
        await client.place("futures")
        assert [row for row in await heard_within(connection, 0.2) if row["op"] == "notify"] == []


@BOTH
async def test_a_topic_may_be_of_one_market(client: Client, market_type: str) -> None:
    frame, far = subscription(market_type, "orders#ethusdt"), {"symbol": "ethusdt", "price": "2000", "amount": "1"}
    if market_type == "futures":
        frame = {**subscription(market_type, "orders"), "contract_code": "eth-usdt"}
        far = {"contract_code": "ETH-USDT", "price": "2000"}
    async with private(client, market_type) as connection:
        await answered(connection, frame)
        await client.place(market_type)
        await client.place(market_type, **far)
        told = await event(connection, frame.get("ch") or frame["topic"])
        assert told.get("symbol", told.get("contract_code")) in ("ethusdt", "ETH-USDT")
        word = "action" if market_type == "spot" else "op"
        await answered(connection, {**frame, word: "unsub"})
        await client.place(market_type, **far)
        assert [row for row in await heard_within(connection, 0.2) if row.get(word) in ("push", "notify")] == []


@pytest.mark.parametrize(
    ("market_type", "change", "code"),
    [
        ("spot", {"accessKey": "nobody"}, 2002),
        ("spot", {"timestamp": "2020-01-01T00:00:00"}, 2002),
        ("spot", {"signatureVersion": "2"}, 2002),
        ("futures", {"AccessKeyId": "nobody"}, 403),
        ("futures", {"Timestamp": "2020-01-01T00:00:00"}, 403),
        ("futures", {"SignatureVersion": "2.1"}, 403),
    ],
)
async def test_a_login_that_is_not_signed_as_it_should_be_is_refused(
    client: Client, market_type: str, change: dict[str, Any], code: int
) -> None:
    async with socket(client.simulator, f"{HOSTS[market_type]}/{SOCKETS[market_type]}") as connection:
        answer = await answered(connection, login(client, market_type, **change))
        assert answer.get("code", answer.get("err-code")) == code
        wrong = login(Client(client.simulator, secret="wrong"), market_type)
        answer = await answered(connection, wrong)
        assert answer.get("code", answer.get("err-code")) == code
        answer = await answered(connection, subscription(market_type, CHANNEL[market_type]))
        assert answer.get("code", answer.get("err-code")) == code


@pytest.mark.parametrize(
    ("market_type", "channel"),
    [
        ("spot", "dance#*"),
        ("spot", "orders#nocoin"),
        ("spot", "accounts.update#3"),
        ("spot", "trade.clearing#*#2"),
        ("futures", "dance"),
    ],
)
async def test_an_unknown_channel_is_refused(client: Client, market_type: str, channel: str) -> None:
    async with private(client, market_type) as connection:
        answer = await answered(connection, subscription(market_type, channel))
        assert answer.get("code", answer.get("err-code")) == 2001


@BOTH
@pytest.mark.parametrize("change", [{"signature": ["x"], "Signature": {}}, {"signature": 1, "Signature": None}])
async def test_a_login_of_nonsense_is_refused(client: Client, market_type: str, change: dict[str, Any]) -> None:
    frame = login(client, market_type)
    frame.get("params", frame).update(change)
    async with socket(client.simulator, f"{HOSTS[market_type]}/{SOCKETS[market_type]}") as connection:
        answer = await answered(connection, frame)
        assert answer.get("code", answer.get("err-code")) in (2002, 403)


@BOTH
async def test_a_private_socket_that_answers_no_ping_is_cut(market_type: str) -> None:
    async with (
        running(patience=Patience(htx_ping_s=0.1)) as simulator,
        socket(simulator, f"{HOSTS[market_type]}/{SOCKETS[market_type]}") as connection,
    ):
        first = await receive(connection)
        assert first.get("action", first.get("op")) == "ping"
        with pytest.raises(ConnectionClosed):
            await receive(connection, lambda message: False)


@BOTH
async def test_a_private_socket_whose_pings_are_answered_lives(market_type: str) -> None:
    async with (
        running(patience=Patience(htx_ping_s=0.1)) as simulator,
        socket(simulator, f"{HOSTS[market_type]}/{SOCKETS[market_type]}") as connection,
    ):
        for _ in range(7):
            ping = await receive(connection)
            word = "action" if market_type == "spot" else "op"
            await send(connection, {**ping, word: "pong"})


# the dead man's switches


SWITCHES = {"spot": "v2/algo-orders/cancel-all-after", "futures": f"{SWAP}/cancel-after"}
ON: dict[str, dict[str, Any]] = {"spot": {"timeout": 5}, "futures": {"on_off": "1", "time_out": "5000"}}
OFF: dict[str, dict[str, Any]] = {"spot": {"timeout": 0}, "futures": {"on_off": "0"}}


@pytest.mark.parametrize(
    ("market_type", "wrong", "code"),
    [
        ("spot", {"timeout": 4}, 2002),
        ("spot", {}, 2002),
        ("futures", {"on_off": "1", "time_out": "4999"}, 1030),
        ("futures", {"time_out": "5000"}, 1030),
    ],
)
async def test_a_dead_mans_switch_waits_for_five_seconds_at_least(
    client: Client, market_type: str, wrong: dict[str, Any], code: int
) -> None:
    assert await client.refused("POST", SWITCHES[market_type], **wrong) == code


@BOTH
async def test_a_dead_mans_switch_ends_the_orders_of_its_market(
    client: Client, monkeypatch: pytest.MonkeyPatch, market_type: str
) -> None:
    anna = client.simulator.exchanges["htx"].desk.accounts["anna"]
    numbers = {each: await client.place(each) for each in CHANNEL}
    monkeypatch.setattr("apps.feeds.simulator.trading.dead_men.PACE", 0.001)
    async with private(client, market_type, CHANNEL[market_type]) as connection:
        await client.done("POST", SWITCHES[market_type], **ON[market_type])
        gone = await event(connection, CHANNEL[market_type])
    assert gone["orderStatus" if market_type == "spot" else "state"] == "canceled"
    del numbers[market_type]
    assert list(anna.open) == list(numbers.values())


@BOTH
async def test_a_dead_mans_switch_is_pressed_anew_and_taken_off(client: Client, market_type: str) -> None:
    anna = client.simulator.exchanges["htx"].desk.accounts["anna"]
    timers = []
    for _ in range(2):
        await client.done("POST", SWITCHES[market_type], **ON[market_type])
        timers.append(anna.switches[market_type])
    assert [timer.cancelled() for timer in timers] == [True, False]
    await client.done("POST", SWITCHES[market_type], **OFF[market_type])
    assert (anna.switches, timers[1].cancelled()) == ({}, True)
