"""The simulated Bybit's private sockets, and what may go wrong with an account on purpose."""

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, did, fill, open_account, trouble
from apps.feeds.tests.plain_bybit import (
    CATEGORY,
    HOST,
    PRIVATE,
    Client,
    auth,
    limit,
    market,
    now_ms,
    private,
    push,
)
from apps.feeds.tests.plain_client import breaches, fetch, heard_within, order, receive, running, send, socket
from apps.feeds.tests.waiting import until

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "bybit")
    return Client(simulator)


# login


@pytest.mark.parametrize("change", [{"key": "nobody"}, {"secret": "wrong"}, {"expires": 1_672_211_918_471}])
async def test_a_wrong_login_is_refused(client: Client, change: dict[str, Any]) -> None:
    async with socket(client.simulator, PRIVATE) as connection:
        await send(connection, auth(client, **change))
        answer = await receive(connection)
        assert (answer["success"], answer["request"]["op"]) == (False, "auth")
        await send(connection, {"op": "subscribe", "args": ["order"]})
        assert not (await receive(connection))["success"]
        await client.place("spot")
        assert await heard_within(connection, 0.2) == []


@pytest.mark.parametrize("args", [["order", "gossip"], ["order", "order.spot"], [], ["order", "publicTrade.BTCUSDT"]])
async def test_a_frame_of_topics_is_all_or_nothing(client: Client, args: list[str]) -> None:
    async with socket(client.simulator, PRIVATE) as connection:
        await send(connection, auth(client))
        assert (await receive(connection))["success"]
        await send(connection, {"req_id": "7", "op": "subscribe", "args": args})
        answer = await receive(connection)
        assert (answer["success"], answer["req_id"], answer["op"]) == (False, "7", "subscribe")
        await send(connection, {"op": "subscribe", "args": ["order"]})
        assert (await receive(connection))["success"]
        await send(connection, {"op": "subscribe", "args": ["wallet", "order"]})
        assert (await receive(connection))["ret_msg"] == "error:already subscribed,topic:order"


async def test_a_private_socket_answers_a_ping_with_the_time(client: Client) -> None:
    async with private(client) as connection:
        await send(connection, {"req_id": "test", "op": "ping"})
        answer = await receive(connection)
        assert (answer["op"], answer["req_id"]) == ("pong", "test")
        assert abs(int(answer["args"][0]) - now_ms()) < 60_000


async def test_a_client_may_choose_how_soon_it_is_cut_for_want_of_pings(client: Client) -> None:
    exchange = client.simulator.exchanges["bybit"]
    async with private(client, query="?max_active_time=1m") as connection:
        (mine,) = exchange.sockets.values()
        exchange.watch(mine, exchange.now() + 30)
        assert mine.open
        exchange.watch(mine, exchange.now() + 61)
        with pytest.raises(ConnectionClosed):
            await receive(connection)
    assert await breaches(client.simulator, "bybit") == {"no ping": 1}


# pushes


@BOTH
async def test_an_order_is_told_from_its_beginning_to_its_end(client: Client, market_type: str) -> None:
    async with private(client) as connection:
        placed = await client.place(market_type, orderLinkId="mine")
        new = await push(connection, "order")
        assert (new["category"], new["symbol"], new["orderId"]) == (
            CATEGORY[market_type],
            "BTCUSDT",
            placed["orderId"],
        )
        assert (new["orderStatus"], new["orderLinkId"], new["cumExecQty"]) == ("New", "mine", "0")
        await fill(client.simulator, "bybit", placed["orderId"], "0.004")
        part = await push(connection, "order")
        trade = await push(connection, "execution")
        fee = ("0.000004", "BTC") if market_type == "spot" else ("0.04", "USDT")
        assert (part["orderStatus"], part["cumExecQty"], part["leavesQty"]) == ("PartiallyFilled", "0.004", "0.006")
        assert part["cumFeeDetail"] == {fee[1]: fee[0]}
        assert (trade["execQty"], Decimal(trade["execPrice"]), trade["isMaker"]) == ("0.004", 50_000, True)
        assert (trade["execFee"], trade["feeCurrency"], trade["leavesQty"]) == (*fee, "0.006")
        listed = await client.done("GET", "execution/list", category=CATEGORY[market_type])
        assert listed["list"][0]["execId"] == trade["execId"]
        named = {"category": CATEGORY[market_type], "symbol": "BTCUSDT", "orderLinkId": "mine"}
        await client.done("POST", "order/cancel", **named)
        gone = await push(connection, "order")
        ends = "PartiallyFilledCanceled" if market_type == "spot" else "Cancelled"
        assert (gone["orderStatus"], gone["cancelType"], gone["cumExecQty"]) == (ends, "CancelByUser", "0.004")


@BOTH
async def test_every_fill_of_a_taker_is_told_with_the_fee_so_far(client: Client, market_type: str) -> None:
    async with private(client, "order", "execution") as connection:
        await client.done("POST", "order/create", **market(market_type, qty="5"))
        assert (await push(connection, "order"))["orderStatus"] == "New"
        filled, fee, ids = Decimal(0), Decimal(0), set()
        status = "PartiallyFilled"
        while status == "PartiallyFilled":
            told, trade = await push(connection, "order"), await push(connection, "execution")
            status, filled, fee = (
                told["orderStatus"],
                filled + Decimal(trade["execQty"]),
                fee + Decimal(trade["execFee"]),
            )
            ids.add(trade["execId"])
            assert (Decimal(told["cumExecQty"]), Decimal(told["cumExecFee"])) == (filled, fee)
            assert not trade["isMaker"]
    assert (status, filled) == ("Filled", 5)
    assert len(ids) > 1


async def test_a_buy_by_money_ends_as_one_that_was_cut(client: Client) -> None:
    async with private(client, "order") as connection:
        await client.done("POST", "order/create", **market("spot", marketUnit="quoteCoin", qty="1000"))
        assert [(await push(connection, "order"))["orderStatus"] for _ in range(2)] == [
            "New",
            "PartiallyFilledCanceled",
        ]


async def test_the_wallet_is_told_where_it_changes(client: Client) -> None:
    async with private(client, "wallet") as connection:
        await client.place("spot")
        told = await push(connection, "wallet")
        (row,) = told["coin"]
        assert (told["accountType"], row["coin"], row["locked"], row["walletBalance"]) == (
            "UNIFIED",
            "USDT",
            "500",
            "10000000",
        )
        await client.done("POST", "order/create", **market("spot"))
        assert {row["coin"] for row in (await push(connection, "wallet"))["coin"]} == {"BTC", "USDT"}


async def test_positions_are_told_for_every_order_even_if_nothing_has_moved(client: Client) -> None:
    async with private(client, "position") as connection:
        await client.place("futures")
        row = await push(connection, "position")
        assert (row["category"], row["symbol"], row["side"], row["size"]) == ("linear", "BTCUSDT", "", "0")
        await client.done("POST", "order/create", **market("futures"))
        told = await receive(connection, lambda message: message["data"][0]["size"] == "0.01")
        assert (told["data"][0]["side"], Decimal(told["data"][0]["entryPrice"]) > 0) == ("Buy", True)


async def test_funding_is_told_as_an_execution(client: Client) -> None:
    await client.done("POST", "order/create", **market("futures"))
    async with private(client, "execution", "wallet") as connection:
        await did(client.simulator, "funding", exchange="bybit", symbol="BTCUSDT", rate="0.0001")
        row = await push(connection, "execution")
        assert (row["execType"], row["category"]) == ("Funding", "linear")
        assert (await push(connection, "wallet"))["coin"][0]["coin"] == "USDT"


async def test_topics_of_one_category_tell_of_nothing_else(client: Client) -> None:
    async with private(client, "order.linear", "execution.fast.linear") as connection:
        await client.place("spot")
        placed = await client.place("futures", orderLinkId="mine")
        assert (await push(connection, "order.linear"))["orderId"] == placed["orderId"]
        await fill(client.simulator, "bybit", placed["orderId"], "0.004")
        quick = await push(connection, "execution.fast.linear")
        assert (quick["orderId"], quick["orderLinkId"], quick["isMaker"]) == (placed["orderId"], "", True)
        assert "execFee" not in quick
        await send(connection, {"op": "unsubscribe", "args": ["order.linear", "execution.fast.linear"]})
        assert (await receive(connection, lambda told: "success" in told))["op"] == "unsubscribe"
        await client.place("futures")
        assert await heard_within(connection, 0.2) == []


# faults


@BOTH
async def test_an_accepted_order_may_never_be_answered(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "bybit", "accept_hang", seconds=30)
    asking = asyncio.create_task(client.place(market_type, orderLinkId="mine"))
    await until(lambda: client.simulator.exchanges["bybit"].desk.accepted)
    await asyncio.wait({asking}, timeout=0.2)
    assert not asking.done()
    asking.cancel()
    assert [row["client_id"] for row in await accepted(client.simulator, "bybit")] == ["mine"]


async def test_a_connection_may_be_reset_after_the_order_was_accepted(client: Client) -> None:
    await trouble(client.simulator, "bybit", "accept_reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.place("spot", orderLinkId="mine")
    assert [row["client_id"] for row in await accepted(client.simulator, "bybit")] == ["mine"]


@pytest.mark.parametrize(("op", "count"), [("error_placed", 1), ("error_not_placed", 0)])
@BOTH
async def test_503_may_mean_either(client: Client, market_type: str, op: str, count: int) -> None:
    await trouble(client.simulator, "bybit", op)
    assert (await client.ask("POST", "order/create", limit(market_type)))[0] == 503
    assert len(await accepted(client.simulator, "bybit")) == count


async def test_an_order_may_reach_the_matcher_after_its_window(client: Client) -> None:
    """Bybit looks at the time of a request at its gateway."""
    await trouble(client.simulator, "bybit", "late_accept", seconds=2.4)
    status, body = await client.ask("POST", "order/create", limit("spot"), {"X-BAPI-RECV-WINDOW": "2000"})
    assert (status, body["retCode"]) == (200, 0)
    (row,) = await accepted(client.simulator, "bybit")
    assert row["ms"] > row["expires_ms"]


async def test_an_order_may_be_hidden_from_queries_for_a_while(client: Client) -> None:
    await trouble(client.simulator, "bybit", "not_found", seconds=3600)
    named = {"category": "spot", "orderId": (await client.place("spot"))["orderId"]}
    assert (await client.done("GET", "order/realtime", **named))["list"] == []
    assert await client.open("spot") == []
    client.simulator.exchanges["bybit"].desk.accounts["anna"].orders[named["orderId"]].hidden_until_ms = 0
    assert (await client.done("GET", "order/realtime", **named))["list"]


@pytest.mark.parametrize(("market_type", "code"), [("spot", 170131), ("futures", 110007)])
async def test_an_account_may_be_turned_away(client: Client, market_type: str, code: int) -> None:
    await trouble(client.simulator, "bybit", "reject")
    assert await client.code("POST", "order/create", **limit(market_type)) == code
    await trouble(client.simulator, "bybit", "rate_limit", seconds=5)
    assert await client.code("POST", "order/create", **limit(market_type)) == 10006
    await trouble(client.simulator, "bybit", "rate_limit", count=0)
    await trouble(client.simulator, "bybit", "ban", seconds=5)
    assert (await client.ask("POST", "order/create", limit(market_type)))[0] == 403
    assert await accepted(client.simulator, "bybit") == []


async def test_the_exchanges_clock_may_be_off(client: Client) -> None:
    await trouble(client.simulator, "bybit", "clock_drift", seconds=60)
    assert await client.code("GET", "account/info") == 10002
    told = (await fetch(client.simulator, f"{HOST}/v5/market/time"))["result"]["timeSecond"]
    assert 30 < int(told) - now_ms() / 1000 < 90
    await trouble(client.simulator, "bybit", "clock_drift", count=0)
    assert (await client.done("GET", "account/info"))["marginMode"]


async def test_pushes_may_come_twice_or_be_silent_or_end(client: Client) -> None:
    async with private(client, "order") as connection:
        await trouble(client.simulator, "bybit", "duplicate_push")
        await client.place("spot")
        assert await push(connection, "order") == await push(connection, "order")
        await trouble(client.simulator, "bybit", "mute_private", seconds=600)
        await client.place("spot")
        assert await heard_within(connection, 0.2) == []
        await trouble(client.simulator, "bybit", "mute_private", count=0)
        await trouble(client.simulator, "bybit", "drop_private")
        with pytest.raises(ConnectionClosed):
            await receive(connection)


async def test_two_accounts_trade_with_each_other_and_each_hears_of_its_own_part() -> None:
    async with running() as simulator:
        await order(simulator, "freeze")
        for name in ("anna", "boris"):
            await open_account(simulator, "bybit", name=name, key=f"key-{name}", secret="s")
        one, other = (Client(simulator, key=f"key-{name}", secret="s") for name in ("anna", "boris"))
        book = simulator.exchanges["bybit"].desk.market("spot", "BTCUSDT")
        best = book.listing.price.text(book.asks.keys[0])
        bought = await one.place("spot", price=best, qty="90")  # takes what is there; the rest is the best bid
        async with private(one, "execution") as mine, private(other, "execution") as theirs:
            sold = await other.place("spot", side="Sell", price=best, qty="0.01")
            maker, taker = await push(mine, "execution"), await push(theirs, "execution")
    assert (maker["orderId"], maker["isMaker"], taker["orderId"], taker["isMaker"]) == (
        bought["orderId"],
        True,
        sold["orderId"],
        False,
    )
    assert (maker["execId"], maker["execPrice"], maker["execQty"]) == (taker["execId"], taker["execPrice"], "0.01")
