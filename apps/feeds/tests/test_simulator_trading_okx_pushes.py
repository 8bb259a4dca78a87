"""The simulated OKX's private sockets, and what may go wrong with an account on purpose."""

import asyncio
from decimal import Decimal

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, account, did, fill, open_account, trouble
from apps.feeds.tests.plain_client import breaches, fetch, heard_within, order, receive, send, socket
from apps.feeds.tests.plain_okx import (
    HOST,
    KIND,
    PASSPHRASE,
    PRIVATE,
    SYMBOL,
    Client,
    limit,
    login,
    market,
    order_push,
    private,
    push,
)
from apps.feeds.tests.waiting import until

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
ORDERS = {"channel": "orders", "instType": "ANY"}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "okx", passphrase=PASSPHRASE)
    return Client(simulator)


# login


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"apiKey": "nobody"}, "60005"),
        ({"timestamp": "1767323045"}, "60006"),
        ({"sign": "d3Jvbmc="}, "60007"),
        ({"passphrase": "wrong"}, "60024"),
        ({"timestamp": "now"}, "60004"),
    ],
)
async def test_a_wrong_login_is_told_why_and_the_socket_closed(
    client: Client, change: dict[str, str], code: str
) -> None:
    async with socket(client.simulator, PRIVATE) as connection:
        await send(connection, login(client, **change))
        answer = await receive(connection)
        assert (answer["event"], answer["code"]) == ("error", code)
        with pytest.raises(ConnectionClosed) as closed:
            await receive(connection)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001


async def test_private_channels_need_a_login(client: Client) -> None:
    async with socket(client.simulator, PRIVATE) as connection:
        await send(connection, {"id": "7", "op": "subscribe", "args": [ORDERS]})
        answer = await receive(connection)
        assert (answer["id"], answer["event"], answer["code"]) == ("7", "error", "60011")


@pytest.mark.parametrize(
    "arg",
    [
        {"channel": "orders"},
        {"channel": "orders", "instType": "COIN"},
        {"channel": "orders", "instType": "SPOT", "instId": "NO-COIN"},
        {"channel": "books", "instId": "BTC-USDT"},
        {"channel": "gossip"},
    ],
)
async def test_a_channel_that_is_not_there_is_refused_alone(client: Client, arg: dict[str, str]) -> None:
    async with socket(client.simulator, PRIVATE) as connection:
        await send(connection, login(client))
        assert (await receive(connection))["event"] == "login"
        await send(connection, {"op": "subscribe", "args": [arg, ORDERS]})
        assert (await receive(connection))["code"] == "60018"
        assert (await receive(connection))["event"] == "subscribe"


async def test_a_private_socket_answers_a_ping_and_says_how_many_there_are(client: Client) -> None:
    async with private(client, ORDERS), socket(client.simulator, PRIVATE) as connection:
        await connection.send("ping")
        assert await connection.recv() == "pong"
        await send(connection, login(client))
        await send(connection, {"op": "subscribe", "args": [ORDERS]})
        told = await receive(connection, lambda message: message["event"] == "channel-conn-count")
        assert (told["channel"], told["connCount"]) == ("orders", "2")


async def test_an_account_has_so_many_sockets_for_each_channel(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.feeds.simulator.okx.private.CONNECTIONS", 1)
    async with private(client, ORDERS), socket(client.simulator, PRIVATE) as connection:
        await send(connection, login(client))
        await send(connection, {"op": "subscribe", "args": [ORDERS]})
        told = await receive(connection, lambda message: message["event"].startswith("channel-conn-count"))
        assert (told["event"], told["connCount"]) == ("channel-conn-count-error", "2")
    assert await breaches(client.simulator, "okx") == {"connections of orders": 1}


# pushes


@BOTH
async def test_an_order_is_told_from_its_beginning_to_its_end(client: Client, market_type: str) -> None:
    async with private(client, ORDERS) as connection:
        placed = await client.place(market_type, clOrdId="mine")
        new = await order_push(connection)
        assert (new["ordId"], new["clOrdId"], new["state"]) == (placed["ordId"], "mine", "live")
        assert (new["instId"], new["instType"], new["px"], new["sz"]) == (
            SYMBOL[market_type],
            KIND[market_type],
            "50000",
            "1",
        )
        assert (new["fillSz"], new["tradeId"], new["fillFee"], new["execType"]) == ("0", "", "0", "")
        await fill(client.simulator, "okx", placed["ordId"], "0.4")
        part = await order_push(connection)
        fee = ("-0.00032", "BTC") if market_type == "spot" else ("-0.04", "USDT")
        assert (part["state"], part["accFillSz"], part["fillSz"], part["fillPx"]) == (
            "partially_filled",
            "0.4",
            "0.4",
            "50000",
        )
        assert (part["fillFee"], part["fillFeeCcy"], part["execType"]) == (*fee, "M")
        assert (part["fee"], part["feeCcy"]) == fee
        (row,) = await client.read("trade/fills")
        assert (row["tradeId"], row["fee"]) == (part["tradeId"], part["fillFee"])
        await client.done("trade/cancel-order", {"instId": SYMBOL[market_type], "clOrdId": "mine"})
        gone = await order_push(connection)
        assert (gone["state"], gone["accFillSz"], gone["cancelSource"]) == ("canceled", "0.4", "1")
        assert (gone["fillSz"], gone["tradeId"]) == ("0", "")


@BOTH
async def test_every_fill_of_a_taker_is_told_with_the_fee_so_far(client: Client, market_type: str) -> None:
    async with private(client, ORDERS) as connection:
        placed = await client.done("trade/order", market(market_type, sz="1000", instId=SYMBOL[market_type]))
        assert (await order_push(connection))["state"] == "live"
        filled, fee = Decimal(0), Decimal(0)
        while (told := await order_push(connection))["state"] == "partially_filled":
            filled, fee = filled + Decimal(told["fillSz"]), fee + Decimal(told["fillFee"])
            assert (Decimal(told["accFillSz"]), Decimal(told["fee"])) == (filled, fee)
        assert told["execType"] == ("T" if told["state"] == "filled" else "")
    rows = await client.read("trade/fills", ordId=placed["ordId"])
    assert len(rows) > 1
    assert len({row["tradeId"] for row in rows}) == len(rows) == len({row["billId"] for row in rows})


async def test_an_order_sized_in_money_ends_with_a_push_without_a_fill(client: Client) -> None:
    async with private(client, ORDERS) as connection:
        await client.done("trade/order", market("spot", tgtCcy="quote_ccy", sz="1000"))
        states = [await order_push(connection) for _ in range(3)]
    assert [row["state"] for row in states] == ["live", "partially_filled", "filled"]
    assert (states[1]["fillSz"], states[2]["fillSz"], states[2]["tradeId"]) == (states[1]["accFillSz"], "0", "")
    assert states[2]["accFillSz"] == states[1]["accFillSz"]


async def test_balances_are_told_whole_at_first_and_then_where_they_change(client: Client) -> None:
    async with private(client, ORDERS) as connection:
        await send(
            connection, {"op": "subscribe", "args": [{"channel": "account", "extraParams": '{"updateInterval":"0"}'}]}
        )
        whole = await push(connection, "account")
        assert (whole["eventType"], whole["curPage"], whole["lastPage"]) == ("snapshot", 1, True)
        assert {row["ccy"] for row in whole["data"][0]["details"]} == {"BTC", "ETH", "USDT"}
        await client.place("spot")
        (row,) = (await push(connection, "account"))["data"][0]["details"]
        assert (row["ccy"], row["cashBal"], row["availBal"], row["ordFrozen"]) == (
            "USDT",
            "10000000",
            "9950000",
            "50000",
        )
        await client.done("trade/order", market("spot", sz="0.01"))
        changed = await push(connection, "account")
        assert {row["ccy"] for row in changed["data"][0]["details"]} == {"BTC", "USDT"}


async def test_the_whole_is_said_again_to_those_who_have_not_asked_to_be_spared_it(client: Client) -> None:
    exchange = client.simulator.exchanges["okx"]
    quiet = {"channel": "account", "extraParams": '{"updateInterval":"0"}'}
    async with private(client, {"channel": "account"}) as one, private(client, quiet) as other:
        for mine in exchange.sockets.values():
            exchange.watch(mine, exchange.now() + 6)
        assert (await push(one, "account"))["eventType"] == "snapshot"
        assert await heard_within(other, 0.2) == []


async def test_positions_are_told_until_they_are_closed(client: Client) -> None:
    async with private(client, {"channel": "positions", "instType": "SWAP"}) as connection:
        for side, held in (("buy", "2"), ("sell", "0")):
            await client.done("trade/order", market("futures", side=side, sz="2"))
            told = await receive(connection, lambda message, held=held: message["data"][0]["pos"] == held)
            (row,) = told["data"]
            assert (row["instId"], row["posSide"], row["mgnMode"]) == ("BTC-USDT-SWAP", "net", "cross")


async def test_balance_and_position_tells_of_fills_alone(client: Client) -> None:
    async with private(client, {"channel": "balance_and_position"}) as connection:
        await client.place("futures")
        await client.done("trade/order", market("futures", sz="0.5"))
        (row,) = (await push(connection, "balance_and_position"))["data"]
        assert (row["eventType"], row["balData"][0]["ccy"], row["posData"][0]["pos"]) == ("filled", "USDT", "0.5")


async def test_only_what_is_asked_for_is_told(client: Client) -> None:
    one = {"channel": "orders", "instType": "SPOT", "instId": "ETH-USDT"}
    async with private(client, one) as connection:
        await client.place("futures")
        await client.place("spot")
        await client.place("spot", instId="ETH-USDT", px="2000")
        told = await push(connection, "orders")
        assert (told["arg"]["instId"], told["data"][0]["instId"]) == ("ETH-USDT", "ETH-USDT")
        await send(connection, {"op": "unsubscribe", "args": [one]})
        assert (await receive(connection))["event"] == "unsubscribe"
        await client.place("spot", instId="ETH-USDT", px="2000")
        assert await heard_within(connection, 0.2) == []


# faults


@BOTH
async def test_an_accepted_order_may_never_be_answered(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "okx", "accept_hang", seconds=30)
    asking = asyncio.create_task(client.place(market_type, clOrdId="mine"))
    await until(lambda: client.simulator.exchanges["okx"].desk.accepted)
    await asyncio.wait({asking}, timeout=0.2)
    assert not asking.done()
    asking.cancel()
    assert [row["client_id"] for row in await accepted(client.simulator, "okx")] == ["mine"]


async def test_a_connection_may_be_reset_after_the_order_was_accepted(client: Client) -> None:
    await trouble(client.simulator, "okx", "accept_reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.place("spot", clOrdId="mine")
    assert [row["client_id"] for row in await accepted(client.simulator, "okx")] == ["mine"]


@pytest.mark.parametrize(("op", "code", "count"), [("error_placed", "50004", 1), ("error_not_placed", "50001", 0)])
@BOTH
async def test_503_may_mean_either(client: Client, market_type: str, op: str, code: str, count: int) -> None:
    await trouble(client.simulator, "okx", op)
    assert await client.failed("POST", "trade/order", limit(market_type)) == (503, code)
    assert len(await accepted(client.simulator, "okx")) == count


@BOTH
async def test_an_order_may_reach_the_matcher_after_its_expiry(client: Client, market_type: str) -> None:
    """OKX says that it looks at the expiry when a request comes in; of its matcher it says nothing."""
    desk = client.simulator.exchanges["okx"].desk
    await trouble(client.simulator, "okx", "late_accept", seconds=2.4)
    headers = {"expTime": str(desk.now_ms() + 2000)}
    _, answer = await client.ask("POST", "trade/order", limit(market_type), headers)
    assert answer["data"][0]["sCode"] == "0"
    (row,) = await accepted(client.simulator, "okx")
    assert row["ms"] > row["expires_ms"]


async def test_an_order_may_be_hidden_from_queries_for_a_while(client: Client) -> None:
    await trouble(client.simulator, "okx", "not_found", seconds=3600)
    named = {"instId": "BTC-USDT", "ordId": (await client.place("spot"))["ordId"]}
    assert await client.failed("GET", "trade/order", **named) == (200, "51603")
    assert await client.read("trade/orders-pending") == []
    client.simulator.exchanges["okx"].desk.accounts["anna"].orders[named["ordId"]].hidden_until_ms = 0
    assert (await client.ask("GET", "trade/order", **named))[1]["code"] == "0"


async def test_an_account_may_be_turned_away(client: Client) -> None:
    await trouble(client.simulator, "okx", "reject")
    assert await client.refused("trade/order", limit("spot")) == "51008"
    for op in ("rate_limit", "ban"):
        await trouble(client.simulator, "okx", op, seconds=5)
        assert await client.failed("POST", "trade/order", limit("spot")) == (429, "50011")
    assert await accepted(client.simulator, "okx") == []


async def test_the_exchanges_clock_may_be_off(client: Client) -> None:
    await trouble(client.simulator, "okx", "clock_drift", seconds=-60)
    assert await client.failed("GET", "account/balance") == (401, "50102")
    told = (await fetch(client.simulator, f"{HOST}/api/v5/public/time"))["data"][0]["ts"]
    await trouble(client.simulator, "okx", "clock_drift", count=0)
    assert 30_000 < client.simulator.exchanges["okx"].desk.now_ms() - int(told) < 90_000
    assert len(await client.read("account/balance")) == 1


async def test_pushes_may_come_twice_or_be_silent_or_end(client: Client) -> None:
    async with private(client, ORDERS) as connection:
        await trouble(client.simulator, "okx", "duplicate_push")
        await client.place("spot")
        assert await order_push(connection) == await order_push(connection)
        await trouble(client.simulator, "okx", "mute_private", seconds=600)
        await client.place("spot")
        assert await heard_within(connection, 0.2) == []
        await trouble(client.simulator, "okx", "mute_private", count=0)
        await trouble(client.simulator, "okx", "drop_private")
        with pytest.raises(ConnectionClosed):
            await receive(connection)


async def test_two_accounts_trade_with_each_other_and_each_hears_of_its_own_part(client: Client) -> None:
    await open_account(client.simulator, "okx", name="boris", key="key-2", secret="secret-2", passphrase="p")
    other = Client(client.simulator, key="key-2", secret="secret-2", passphrase="p")
    book = client.simulator.exchanges["okx"].desk.market("spot", "BTC-USDT")
    best = book.listing.price.text(book.asks.keys[0])
    bought = await client.place("spot", px=best, sz="90")  # takes what is there; the rest is the best bid
    async with private(client, ORDERS) as mine, private(other, ORDERS) as theirs:
        sold = await other.place("spot", side="sell", px=best, sz="0.01")
        maker = await order_push(mine)
        assert (await order_push(theirs))["state"] == "live"
        taker = await order_push(theirs)
    assert (maker["ordId"], maker["execType"], taker["ordId"], taker["execType"]) == (
        bought["ordId"],
        "M",
        sold["ordId"],
        "T",
    )
    assert (maker["tradeId"], maker["fillPx"], maker["fillSz"]) == (taker["tradeId"], taker["fillPx"], "0.01")
    assert (await account(client.simulator, "okx"))["executions"][-1]["maker"]


async def test_funding_is_told_as_a_change_of_the_balance(client: Client) -> None:
    await client.done("trade/order", market("futures"))
    async with private(client, {"channel": "account"}) as connection:
        await did(client.simulator, "funding", exchange="okx", symbol="BTC-USDT-SWAP", rate="0.0001")
        told = await receive(connection, lambda message: message.get("eventType") == "event_update")
        assert [row["ccy"] for row in told["data"][0]["details"]] == ["USDT"]
