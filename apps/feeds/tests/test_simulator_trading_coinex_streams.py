"""The simulated CoinEx's private channels, its limits of orders, and what may go wrong with an account on purpose."""

import asyncio
import contextlib
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, account, fill, open_account, trouble
from apps.feeds.tests.plain_client import breaches, fetch, heard_within, order, receive, socket
from apps.feeds.tests.plain_coinex import REST, SOCKETS, ask, subscribe
from apps.feeds.tests.plain_coinex_orders import (
    TYPES,
    Client,
    event,
    limit,
    market,
    named,
    now_ms,
    private,
    signing,
)

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
BASE = {"spot": 20000, "futures": 30000}
ORDER = {
    "order_id",
    "market",
    "side",
    "type",
    "amount",
    "price",
    "unfilled_amount",
    "filled_amount",
    "filled_value",
    "taker_fee_rate",
    "maker_fee_rate",
    "client_id",
    "last_filled_amount",
    "last_filled_price",
    "created_at",
    "updated_at",
}
PUSHED = {
    "spot": ORDER | {"margin_market", "base_ccy_fee", "quote_ccy_fee", "discount_ccy_fee"},
    "futures": ORDER | {"fee", "fee_ccy"},
}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "coinex")
    return Client(simulator)


@BOTH
async def test_an_order_is_told_from_its_beginning_to_its_end(client: Client, market_type: str) -> None:
    async with private(client, market_type, "order", "user_deals") as connection:
        placed = await client.place(market_type, client_id="mine")
        new = await event(connection, "order")
        assert (new["event"], new["order"]["client_id"], new["order"]["order_id"]) == (
            "put",
            "mine",
            placed["order_id"],
        )
        assert set(new["order"]) == PUSHED[market_type]
        await fill(client.simulator, "coinex", str(placed["order_id"]), "0.004")
        part = await event(connection, "order")
        assert (part["event"], part["order"]["filled_amount"], part["order"]["unfilled_amount"]) == (
            "update",
            "0.004",
            "0.006",
        )
        assert (part["order"]["last_filled_amount"], part["order"]["last_filled_price"]) == ("0.004", "50000")
        deal = await event(connection, "user_deals")
        assert (deal["order_id"], deal["client_id"], deal["role"]) == (placed["order_id"], "mine", "maker")
        fee = ("0.000008", "BTC") if market_type == "spot" else ("0.06", "USDT")
        assert (deal["price"], deal["amount"], deal["fee"], deal["fee_ccy"]) == ("50000", "0.004", *fee)
        await client.done("POST", f"{market_type}/cancel-order", **named(market_type, order_id=placed["order_id"]))
        gone = await event(connection, "order")
        assert (gone["event"], gone["order"]["unfilled_amount"]) == ("finish", "0.006")


@BOTH
async def test_each_push_tells_the_fees_until_then(client: Client, market_type: str) -> None:
    listing = client.simulator.exchanges["coinex"].listings[market_type, "BTCUSDT"]
    book = client.simulator.exchanges["coinex"].market(market_type, "BTCUSDT")
    assert book is not None
    first, second = (book.asks.sizes[key] for key in book.asks.keys[:2])
    amount = listing.size.text(first + second // 2)
    async with private(client, market_type, "order") as connection:
        await client.done("POST", f"{market_type}/order", **market(market_type, amount=amount))
        states = [await event(connection, "order") for _ in range(3)]
    assert [state["event"] for state in states] == ["put", "update", "finish"]
    name = "base_ccy_fee" if market_type == "spot" else "fee"
    fees = [Decimal(state["order"][name]) for state in states]
    assert 0 == fees[0] < fees[1] < fees[2]


async def test_spot_tells_what_is_left_of_the_money_of_an_order(client: Client) -> None:
    async with private(client, "spot", "balance") as connection:
        await client.place("spot")
        (row,) = (await event(connection, "balance"))["balance_list"]
        assert (row["margin_market"], row["ccy"], row["available"], row["frozen"]) == ("", "USDT", "9999500", "500")
        assert abs(row["updated_at"] - now_ms()) < 60_000


async def test_futures_tell_balance_and_position(client: Client) -> None:
    async with private(client, "futures", "balance", "position") as connection:
        placed = await client.place("futures")
        (row,) = (await event(connection, "balance"))["balance_list"]
        assert (row["ccy"], row["available"], row["frozen"], row["margin"]) == ("USDT", "9999975", "25", "0")
        await fill(client.simulator, "coinex", str(placed["order_id"]), "0.004")
        (row,) = (await event(connection, "balance"))["balance_list"]
        assert (row["frozen"], row["margin"]) == ("15", "10")
        assert Decimal(row["equity"]) == Decimal("9999999.94") + Decimal(row["unrealized_pnl"])
        told = await event(connection, "position")
        assert (told["event"], told["position"]["side"], told["position"]["open_interest"]) == (
            "update",
            "long",
            "0.004",
        )
        await client.done("POST", "futures/cancel-all-order", **named("futures"))
        await client.done("POST", "futures/order", **market("futures", side="buy", market="ETHUSDT"))
        told = await event(connection, "position")
        assert (told["event"], told["position"]["market"]) == ("update", "ETHUSDT")
        close = {**named("futures"), "market": "ETHUSDT", "type": "market", "amount": "0.01"}
        await client.done("POST", "futures/close-position", **close)
        told = await event(connection, "position")
        assert (told["event"], told["position"]["open_interest"]) == ("close", "0")


@BOTH
async def test_a_socket_hears_only_of_its_own_market_type(client: Client, market_type: str) -> None:
    other = "futures" if market_type == "spot" else "spot"
    async with private(client, market_type, "order", "user_deals", "balance") as connection:
        await client.done("POST", f"{other}/order", **market(other))
        assert [row for row in await heard_within(connection, 0.2) if "method" in row] == []


@BOTH
@pytest.mark.parametrize(
    "change", [{"signed_str": "0" * 64}, {"access_id": "nobody"}, {"timestamp": 1}, {"timestamp": "x"}]
)
async def test_a_socket_that_is_not_signed_as_it_should_be_is_refused(
    client: Client, market_type: str, change: dict[str, Any]
) -> None:
    async with socket(client.simulator, SOCKETS[market_type]) as connection:
        answer = await ask(connection, signing(client, **change))
        assert answer == {"id": 1, "code": BASE[market_type] + 1002, "message": "Signature Incorrect"}
        refused = await ask(connection, subscribe("order", number=2))
        assert refused == {"id": 2, "code": BASE[market_type] + 1001, "message": "require auth"}


@BOTH
async def test_only_known_channels_and_markets_can_be_had(client: Client, market_type: str) -> None:
    async with private(client, market_type) as connection:
        assert (await ask(connection, subscribe("order", "NOCOIN", number=5)))["code"] == BASE[market_type] + 1
        position = (await ask(connection, subscribe("position", number=6)))["code"]
        assert position == (0 if market_type == "futures" else 20002)
        for nonsense in ([["x"]], [{}], [1], "BTCUSDT"):
            frame = {"method": "order.subscribe", "params": {"market_list": nonsense}, "id": 8}
            assert (await ask(connection, frame))["code"] == BASE[market_type] + 1
        frame = {"method": "balance.subscribe", "params": {}, "id": 7}
        assert (await ask(connection, frame))["code"] == BASE[market_type] + 1


@BOTH
async def test_a_channel_tells_of_the_markets_that_were_asked_for(client: Client, market_type: str) -> None:
    async with private(client, market_type) as connection:
        assert (await ask(connection, subscribe("order", "ETHUSDT", number=5)))["code"] == 0
        await client.place(market_type)
        await client.place(market_type, market="ETHUSDT", price="2000", amount="1")
        assert (await event(connection, "order"))["order"]["market"] == "ETHUSDT"
        assert (await ask(connection, subscribe("order", verb="unsubscribe", number=6)))["code"] == 0
        await client.place(market_type, market="ETHUSDT", price="2000", amount="1")
        assert [row for row in await heard_within(connection, 0.2) if "method" in row] == []


# limits


@pytest.mark.parametrize(("market_type", "most"), [("spot", 30), ("futures", 20)])
async def test_orders_of_one_second_are_limited(
    client: Client, market_type: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = client.simulator.exchanges["coinex"]
    monkeypatch.setattr(exchange, "now", lambda: 1000.0)  # all in one moment, however slow the machine is
    path, params = f"{market_type}/order", limit(market_type, amount="100000")
    assert [await client.refused("POST", path, **params) for _ in range(most)] == [3109] * most
    assert await client.refused("POST", path, **params) == 4213
    assert await client.read(market_type, "pending-order") is None
    assert await breaches(client.simulator, "coinex") == {f"{market_type} place": 1}


# faults


@BOTH
async def test_an_accepted_order_may_never_be_answered(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "coinex", "accept_hang", seconds=30)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await client.place(market_type, client_id="mine")
    (row,) = await accepted(client.simulator, "coinex")
    assert (row["client_id"], row["status"]) == ("mine", "open")


@BOTH
async def test_a_connection_may_be_reset_after_the_order_was_accepted(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "coinex", "accept_reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.place(market_type, client_id="mine")
    assert [row["client_id"] for row in await accepted(client.simulator, "coinex")] == ["mine"]


@pytest.mark.parametrize(("op", "count"), [("error_placed", 1), ("error_not_placed", 0)])
@BOTH
async def test_the_gateways_503_may_mean_either(client: Client, market_type: str, op: str, count: int) -> None:
    await trouble(client.simulator, "coinex", op)
    body = await client.ask("POST", f"{market_type}/order", **limit(market_type))
    assert (client.status, body.startswith("<html>")) == (503, True)
    assert len(await accepted(client.simulator, "coinex")) == count


async def test_an_order_may_reach_the_matcher_after_its_expiry(client: Client) -> None:
    """CoinEx looks at the time of a request at its gateway."""
    await trouble(client.simulator, "coinex", "late_accept", seconds=2.2)
    await client.place("spot", headers={"X-COINEX-WINDOWTIME": "2000"})
    (row,) = await accepted(client.simulator, "coinex")
    assert row["ms"] > row["expires_ms"]


@BOTH
async def test_an_order_may_be_hidden_from_queries_for_a_while(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "coinex", "not_found", seconds=1.0)
    placed = await client.place(market_type)
    path, query = f"{market_type}/order-status", {"market": "BTCUSDT", "order_id": placed["order_id"]}
    assert await client.refused("GET", path, **query) == 3600
    assert await client.read(market_type, "pending-order") is None
    async with asyncio.timeout(20):
        while await client.refused("GET", path, **query):  # noqa: ASYNC110 (asking is the only way)
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(("op", "code"), [("reject", 3109), ("rate_limit", 4213), ("ban", 4213)])
@BOTH
async def test_an_account_may_be_turned_away(client: Client, market_type: str, op: str, code: int) -> None:
    await trouble(client.simulator, "coinex", op, seconds=5)
    assert await client.refused("POST", f"{market_type}/order", **limit(market_type)) == code
    assert await accepted(client.simulator, "coinex") == []


async def test_the_exchanges_clock_may_be_off(client: Client) -> None:
    await trouble(client.simulator, "coinex", "clock_drift", seconds=-30)
    query = {"market_type": TYPES["spot"]}
    assert await client.refused("GET", "spot/pending-order", **query) == 4010
    told = (await fetch(client.simulator, f"{REST}/time"))["data"]["timestamp"]
    assert -60_000 < told - now_ms() < -29_000
    headers = {"X-COINEX-TIMESTAMP": str(told)}
    assert await client.refused("GET", "spot/pending-order", headers=headers, **query) == 0


@BOTH
async def test_pushes_may_come_twice(client: Client, market_type: str) -> None:
    async with private(client, market_type, "order") as connection:
        await trouble(client.simulator, "coinex", "duplicate_push")
        await client.place(market_type)
        first = await event(connection, "order")
        assert await event(connection, "order") == first


@BOTH
async def test_an_order_may_be_filled_before_it_is_answered(client: Client, market_type: str) -> None:
    await trouble(client.simulator, "coinex", "early_fill", seconds=20)
    async with private(client, market_type, "order") as connection:
        asking = asyncio.create_task(client.done("POST", f"{market_type}/order", **market(market_type)))
        assert (await event(connection, "order"))["event"] == "put"
        assert not asking.done()
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking


@BOTH
async def test_a_private_socket_may_be_lost(client: Client, market_type: str) -> None:
    async with private(client, market_type, "order") as connection:
        await trouble(client.simulator, "coinex", "drop_private")
        with pytest.raises(ConnectionClosed):
            await receive(connection, lambda message: False)
    async with private(client, market_type, "order", "balance") as connection:
        assert (await account(client.simulator, "coinex"))["listeners"] == 1
        await client.place(market_type)
        assert await event(connection, "order")
