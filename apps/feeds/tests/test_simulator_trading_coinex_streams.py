"""The simulated CoinEx's private sockets: logins, subscriptions, pushes."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import fill, open_account
from apps.feeds.tests.plain_client import heard_within, order, socket
from apps.feeds.tests.plain_coinex import SOCKETS, ask, subscribe
from apps.feeds.tests.plain_coinex_orders import (
    Client,
    event,
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
