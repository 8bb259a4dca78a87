"""The simulated Binance's private streams, its limits of orders, and what may go wrong with an account on purpose."""

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import (
    accepted,
    account,
    did,
    fill,
    open_account,
    trouble,
)
from apps.feeds.tests.plain_binance import (
    FUTURES,
    HOST,
    SPOT,
    Client,
    event,
    limit,
    market,
    now_ms,
    private,
    subscription,
)
from apps.feeds.tests.plain_client import fetch, heard_within, order, receive, running, send, socket
from apps.feeds.tests.waiting import end, until

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "binance")
    return Client(simulator)


async def test_funding_is_income(client: Client) -> None:
    await client.done("POST", f"{FUTURES}/order", **market())
    async with private(client, "futures") as connection:
        await did(client.simulator, "funding", exchange="binance", symbol="BTCUSDT", rate="0.0001")
        update = await event(connection, "ACCOUNT_UPDATE")
    (row,) = await client.done("GET", f"{FUTURES}/income", incomeType="FUNDING_FEE", symbol="BTCUSDT")
    assert (row["asset"], Decimal(row["income"]) < 0) == ("USDT", True)
    assert (update["a"]["m"], update["a"]["P"]) == ("FUNDING_FEE", [])
    assert update["a"]["B"][0]["bc"] == row["income"]


async def test_spot_tells_an_order_from_its_beginning_to_its_end(client: Client) -> None:
    async with private(client, "spot") as connection:
        placed = await client.place("spot", newClientOrderId="mine")
        new = await event(connection, "executionReport")
        assert (new["x"], new["X"], new["c"], new["C"], new["i"]) == ("NEW", "NEW", "mine", "", placed["orderId"])
        held = await event(connection, "outboundAccountPosition")
        assert held["B"] == [{"a": "USDT", "f": "9999500.00000000", "l": "500.00000000"}]
        await fill(client.simulator, "binance", str(placed["orderId"]), "0.004")
        trade = await event(connection, "executionReport")
        assert (trade["x"], trade["X"], trade["l"], trade["z"]) == (
            "TRADE",
            "PARTIALLY_FILLED",
            "0.00400000",
            "0.00400000",
        )
        assert (trade["n"], trade["N"], trade["m"], Decimal(trade["Z"])) == ("0.00000400", "BTC", True, 200)
        assert {row["a"] for row in (await event(connection, "outboundAccountPosition"))["B"]} == {"BTC", "USDT"}
        await client.done("DELETE", f"{SPOT}/order", symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="bye")
        gone = await event(connection, "executionReport")
        assert (gone["x"], gone["X"], gone["c"], gone["C"], gone["z"]) == (
            "CANCELED",
            "CANCELED",
            "bye",
            "mine",
            "0.00400000",
        )


async def test_futures_tell_an_order_from_its_beginning_to_its_end(client: Client) -> None:
    async with private(client, "futures") as connection:
        placed = await client.place("futures", newClientOrderId="mine")
        new = (await event(connection, "ORDER_TRADE_UPDATE"))["o"]
        assert (new["x"], new["X"], new["c"], new["i"]) == ("NEW", "NEW", "mine", placed["orderId"])
        assert "N" not in new
        await fill(client.simulator, "binance", str(placed["orderId"]), "0.004")
        lite = await event(connection, "TRADE_LITE")
        trade = (await event(connection, "ORDER_TRADE_UPDATE"))["o"]
        assert lite["t"] == trade["t"]
        assert (trade["x"], trade["X"], Decimal(trade["l"]), Decimal(trade["ap"])) == (
            "TRADE",
            "PARTIALLY_FILLED",
            Decimal("0.004"),
            50_000,
        )
        assert (trade["n"], trade["N"], trade["m"]) == ("0.04000000", "USDT", True)
        update = (await event(connection, "ACCOUNT_UPDATE"))["a"]
        assert (update["m"], update["B"][0]["bc"]) == ("ORDER", "0")
        assert (update["P"][0]["s"], Decimal(update["P"][0]["pa"])) == ("BTCUSDT", Decimal("0.004"))
        await client.done("DELETE", f"{FUTURES}/order", symbol="BTCUSDT", orderId=placed["orderId"])
        gone = (await event(connection, "ORDER_TRADE_UPDATE"))["o"]
        assert (gone["x"], gone["X"], gone["c"]) == ("CANCELED", "CANCELED", "mine")


async def test_money_that_comes_in_is_told(client: Client) -> None:
    desk = client.simulator.exchanges["binance"].desk
    async with private(client, "spot") as connection:
        desk.credit(desk.accounts["anna"], "spot", "BTC", Decimal(1))
        assert (await event(connection, "balanceUpdate"))["d"] == "1.00000000"
        assert (await event(connection, "outboundAccountPosition"))["B"][0]["f"] == "101.00000000"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signature": "0" * 64}, -1022),
        ({"apiKey": "nobody"}, -2015),
        ({"timestamp": 1}, -1021),
    ],
)
async def test_a_subscription_that_is_not_signed_as_it_should_be_is_refused(
    client: Client, change: dict[str, Any], code: int
) -> None:
    frame = subscription(client)
    frame["params"] |= change
    async with socket(client.simulator, "ws-api.binance.com/ws-api/v3") as connection:
        await send(connection, frame)
        answer = await receive(connection)
        assert (answer["id"], answer["error"]["code"]) == ("s1", code)


async def test_an_account_subscribes_once_for_each_socket(client: Client) -> None:
    async with private(client, "spot") as connection:
        await send(connection, subscription(client))
        assert (await receive(connection))["error"]["code"] == -2035
        await send(connection, {"id": 2, "method": "userDataStream.unsubscribe", "params": {"subscriptionId": 0}})
        assert await receive(connection) == {"id": 2, "status": 200, "result": {}}
        await client.place("spot")
        assert await heard_within(connection, 0.2) == []
        await send(connection, {"id": 3, "method": "nonsense"})
        assert (await receive(connection))["status"] == 400


async def test_only_the_events_that_are_asked_for_are_sent_on_futures(client: Client) -> None:
    async with private(client, "futures", events="ACCOUNT_UPDATE") as connection:
        await client.done("POST", f"{FUTURES}/order", **market())
        assert (await receive(connection))["e"] == "ACCOUNT_UPDATE"


async def test_a_listen_key_is_kept_renewed_and_ended(client: Client) -> None:
    path = f"{FUTURES}/listenKey"
    assert (await client.send("PUT", path, ""))[1]["code"] == -1125
    _, first = await client.send("POST", path, "")
    assert (await client.send("POST", path, ""))[1] == first
    assert (await client.send("PUT", path, ""))[0] == 200
    assert (await client.send("DELETE", path, ""))[1] == {}
    assert (await client.send("POST", path, ""))[1] != first
    assert (await client.send("POST", path, "", headers={}))[0] == 401


async def test_a_listen_key_that_nobody_renews_expires() -> None:
    async with running(patience=Patience(binance_listen_key_s=2.0)) as simulator:
        await open_account(simulator, "binance")
        client = Client(simulator)
        async with private(client, "futures") as connection:
            assert (await event(connection, "listenKeyExpired"))["listenKey"]
            await client.place("futures")
            assert await heard_within(connection, 0.2) == []


async def test_an_unknown_listen_key_is_silent(client: Client) -> None:
    async with socket(client.simulator, "fstream.binance.com/private/ws?listenKey=nothing") as connection:
        await client.place("futures")
        assert await heard_within(connection, 0.2) == []


async def test_the_listen_keys_of_spot_are_gone(client: Client) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.simulator.url}/{SPOT}/userDataStream") as response,
    ):
        assert response.status == 410


# limits


async def test_orders_are_limited_and_the_account_is_told_how_many_it_has_sent(client: Client) -> None:
    await client.place("spot")
    assert client.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    assert client.headers["X-MBX-USED-WEIGHT-1M"] == "0"
    for _ in range(99):
        status, body = await client.ask("POST", f"{SPOT}/order", **limit(quantity="1000"))
        assert (status, body["code"]) == (400, -2010)
    assert await client.refused("POST", f"{SPOT}/order", **limit()) == (429, -1015)
    assert int(client.headers["Retry-After"]) >= 1


async def test_private_reads_weigh_on_the_address(client: Client) -> None:
    await client.done("GET", f"{SPOT}/openOrders")
    before = int(client.headers["X-MBX-USED-WEIGHT-1M"])
    await client.done("GET", f"{SPOT}/openOrders", symbol="BTCUSDT")
    assert int(client.headers["X-MBX-USED-WEIGHT-1M"]) in (before + 6, 6)  # 6: a new minute has begun


# faults


@BOTH
async def test_an_accepted_order_may_never_be_answered(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "binance", "accept_hang", seconds=30)
    asking = asyncio.create_task(client.place(market_type, newClientOrderId="mine"))
    await until(lambda: client.simulator.exchanges["binance"].desk.accepted)
    await asyncio.wait({asking}, timeout=0.2)
    assert not asking.done()
    asking.cancel()
    (row,) = await accepted(client.simulator, "binance")
    assert (row["client_id"], row["status"]) == ("mine", "open")
    assert (await client.place(market_type))["status"] == "NEW"


@BOTH
async def test_a_connection_may_be_reset_after_the_order_was_accepted(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "binance", "accept_reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.place(market_type, newClientOrderId="mine")
    assert [row["client_id"] for row in await accepted(client.simulator, "binance")] == ["mine"]


@pytest.mark.parametrize(("op", "count"), [("error_placed", 1), ("error_not_placed", 0)])
@BOTH
async def test_503_may_mean_either(client: Client, market_type: str, op: str, count: int) -> None:
    await trouble(client.simulator, "binance", op)
    status, body = await client.ask("POST", f"{HOST[market_type]}/order", **limit())
    assert (status, "Unknown error" in body["msg"]) == (503, op == "error_placed")
    assert len(await accepted(client.simulator, "binance")) == count


async def test_an_order_may_reach_the_matcher_after_its_expiry(client: Client) -> None:
    """Binance looks at the time of a request at its gateway."""
    await trouble(client.simulator, "binance", "late_accept", seconds=2.4)
    asked = client.simulator.exchanges["binance"].asked
    before = asked["rest"]
    asking = asyncio.create_task(client.place("spot", recvWindow=2000))
    await until(lambda: asked["rest"] > before)
    assert await accepted(client.simulator, "binance") == []
    await asking
    (row,) = await accepted(client.simulator, "binance")
    assert row["ms"] > row["expires_ms"]


async def test_orders_may_be_held_at_the_matchers_door_until_they_are_let_in(client: Client) -> None:
    await trouble(client.simulator, "binance", "held")
    asked = client.simulator.exchanges["binance"].asked
    before = asked["rest"]
    asking = asyncio.create_task(client.place("spot", recvWindow=5000))
    await until(lambda: asked["rest"] > before)
    assert await client.done("GET", f"{HOST['spot']}/openOrders", symbol="BTCUSDT") == []
    assert await accepted(client.simulator, "binance") == []
    await trouble(client.simulator, "binance", "held", count=0)
    await asking
    assert len(await accepted(client.simulator, "binance")) == 1


@BOTH
async def test_an_order_may_be_hidden_from_queries_for_a_while(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "binance", "not_found", seconds=3600)
    placed = await client.place(market_type)
    path, named = f"{HOST[market_type]}/order", {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    assert await client.refused("GET", path, **named) == (400, -2013)
    assert await client.done("GET", f"{HOST[market_type]}/openOrders") == []
    (hidden,) = client.simulator.exchanges["binance"].desk.accounts["anna"].orders.values()
    hidden.hidden_until_ms = 0  # the time is over
    assert (await client.ask("GET", path, **named))[0] == 200


@pytest.mark.parametrize(
    ("op", "expected"), [("reject", (400, -2010)), ("rate_limit", (429, -1003)), ("ban", (418, -1003))]
)
async def test_an_account_may_be_turned_away(client: Client, op: str, expected: tuple[int, int]) -> None:
    await trouble(client.simulator, "binance", op, seconds=600)
    assert await client.refused("POST", f"{SPOT}/order", **limit()) == expected
    assert await accepted(client.simulator, "binance") == []
    if expected[0] != 400:
        assert 570 <= int(client.headers["Retry-After"]) <= 600


async def test_the_exchanges_clock_may_be_off(client: Client) -> None:
    await trouble(client.simulator, "binance", "clock_drift", seconds=-30)
    assert await client.refused("GET", f"{SPOT}/openOrders") == (400, -1021)
    told = await fetch(client.simulator, f"{SPOT}/time")
    assert -31_000 < told["serverTime"] - now_ms() < -29_000
    assert await client.done("GET", f"{SPOT}/openOrders", timestamp=told["serverTime"]) == []
    await trouble(client.simulator, "binance", "clock_drift", count=0)
    assert await client.done("GET", f"{SPOT}/openOrders") == []


@BOTH
async def test_pushes_may_come_twice_or_in_the_wrong_order(client: Client, market_type: str) -> None:
    name = "executionReport" if market_type == "spot" else "ORDER_TRADE_UPDATE"
    async with private(client, market_type) as connection:
        await trouble(client.simulator, "binance", "duplicate_push")
        await client.place(market_type)
        first = await event(connection, name)
        assert await event(connection, name) == first
        await trouble(client.simulator, "binance", "reorder_push")
        placed = await client.place(market_type, price="50001")
        await fill(client.simulator, "binance", str(placed["orderId"]), "0.004")
        kinds = [(await event(connection, name)) for _ in range(2)]
        assert [told.get("o", told)["x"] if market_type == "futures" else told["x"] for told in kinds] == [
            "TRADE",
            "NEW",
        ]


async def test_an_order_may_be_filled_before_it_is_answered(client: Client) -> None:
    await trouble(client.simulator, "binance", "early_fill", seconds=20)
    async with private(client, "spot") as connection:
        asking = asyncio.create_task(client.done("POST", f"{SPOT}/order", **market()))
        assert (await event(connection, "executionReport"))["x"] == "NEW"
        assert (await event(connection, "executionReport"))["x"] == "TRADE"
        assert not asking.done()
        await end(asking)


@BOTH
async def test_a_private_socket_may_be_lost(client: Client, market_type: str) -> None:
    async with private(client, market_type) as connection:
        await trouble(client.simulator, "binance", "drop_private", count=2)
        with pytest.raises(ConnectionClosed):
            await receive(connection, lambda message: False)
    with pytest.raises(ConnectionClosed):
        async with private(client, market_type) as connection:
            await receive(connection, lambda message: False)
    async with private(client, market_type) as connection:
        await client.place(market_type)
        assert await receive(connection)


async def test_a_private_socket_may_be_silent_for_a_while(client: Client) -> None:
    async with private(client, "spot") as connection:
        await trouble(client.simulator, "binance", "mute_private", seconds=600)
        await client.place("spot")
        assert await heard_within(connection, 0.2) == []
        await trouble(client.simulator, "binance", "mute_private", count=0)
        await client.place("spot")
        assert (await event(connection, "executionReport"))["x"] == "NEW"


async def test_two_accounts_trade_with_each_other_and_each_hears_of_its_own_part(client: Client) -> None:
    await open_account(client.simulator, "binance", name="boris", key="key-2", secret="secret-2")
    other = Client(client.simulator, key="key-2", secret="secret-2")
    book = client.simulator.exchanges["binance"].desk.market("spot", "BTCUSDT")
    best = book.listing.price.text(book.asks.keys[0])
    bought = await client.place("spot", price=best, quantity="50")  # takes what is there; the rest is the best bid
    left = Decimal(50) - Decimal(bought["executedQty"])
    async with private(client, "spot") as mine, private(other, "spot") as theirs:
        sold = await other.place("spot", side="SELL", price=best, quantity="0.01")
        maker = await event(mine, "executionReport")
        assert (await event(theirs, "executionReport"))["x"] == "NEW"
        taker = await event(theirs, "executionReport")
    assert (maker["i"], maker["m"], taker["i"], taker["m"]) == (bought["orderId"], True, sold["orderId"], False)
    assert (maker["t"], maker["L"], maker["l"]) == (taker["t"], taker["L"], taker["l"])
    assert left > Decimal(taker["l"]) == Decimal("0.01")
    assert (await account(client.simulator, "binance"))["executions"][-1]["maker"]
