"""The simulated KuCoin tells classic accounts what happens to them, by the private topics behind a token."""

import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import account, control, fill, trouble
from apps.feeds.tests.plain_client import follow, order, receive, running, send, socket
from apps.feeds.tests.plain_kucoin_trading import (
    FUTURES,
    PLACE,
    SOCKETS,
    Client,
    event,
    open_here,
    private,
    subscription,
)
from apps.feeds.tests.waiting import until

ORDERS, ORDERS_V2, BALANCE = "/spotMarket/tradeOrders", "/spotMarket/tradeOrdersV2", "/account/balance"
FUTURES_ORDERS, WALLET = "/contractMarket/tradeOrders", "/contractAccount/wallet"


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of a classic account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_here(simulator)
    return Client(simulator)


async def test_a_spot_order_is_told_step_by_step(client: Client) -> None:
    async with private(client, "spot", ORDERS_V2) as connection:
        placed = await client.place("spot")
        came = await event(connection, ORDERS_V2)
        assert (came["type"], came["status"], came["clientOid"], came["originSize"]) == (
            "received",
            "new",
            "m-1",
            "0.01",
        )
        assert "filledSize" not in came
        rests = await event(connection, ORDERS_V2)
        assert (rests["type"], rests["status"], rests["remainSize"]) == ("open", "open", "0.01")
        await fill(client.simulator, "kucoin", placed["orderId"], "0.004")
        part = await event(connection, ORDERS_V2)
        assert {name: part[name] for name in ("type", "matchPrice", "matchSize", "filledSize", "remainSize")} == {
            "type": "match",
            "matchPrice": "50000",
            "matchSize": "0.004",
            "filledSize": "0.004",
            "remainSize": "0.006",
        }
        assert (part["liquidity"], part["feeType"], part["orderId"]) == ("maker", "makerFee", placed["orderId"])
        assert "fee" not in part
        (row,) = (await client.done("GET", "api.kucoin.com/api/v1/hf/fills", symbol="BTC-USDT"))["items"]
        assert part["tradeId"] == str(row["tradeId"])
        await client.done("DELETE", f"{PLACE['spot']}/{placed['orderId']}", symbol="BTC-USDT")
        gone = await event(connection, ORDERS_V2)
        assert (gone["type"], gone["status"], gone["canceledSize"], gone["filledSize"], gone["remainSize"]) == (
            "canceled",
            "done",
            "0.006",
            "0.004",
            "0",
        )


async def test_a_market_order_is_never_open_and_ends_filled(client: Client) -> None:
    async with private(client, "spot", ORDERS_V2) as connection:
        await client.place("spot", type="market", price=None)
        kinds = []
        while "filled" not in kinds:
            told = await event(connection, ORDERS_V2)
            assert "price" not in told
            kinds.append(told["type"])
        assert kinds[0] == "received"
        assert set(kinds[1:-1]) == {"match"}


async def test_what_a_limit_order_leaves_of_the_book_rests_after_what_it_took(client: Client) -> None:
    async with private(client, "spot", ORDERS_V2) as connection:
        market = client.simulator.exchanges["kucoin"].desk.market("spot", "BTC-USDT")
        best, listing = market.asks.keys[0], market.listing
        size = listing.size.text(market.asks.sizes[best] + 100_000)
        await client.place("spot", price=listing.price.text(best), size=size)
        kinds = [(await event(connection, ORDERS_V2))["type"] for _ in range(3)]
        assert kinds == ["received", "match", "open"]


async def test_the_first_version_of_the_topic_has_no_received_and_other_names(client: Client) -> None:
    async with private(client, "spot", ORDERS) as connection:
        await client.place("spot")
        told = await event(connection, ORDERS)
        assert (told["type"], told["size"], "originSize" in told) == ("open", "0.01", False)
        assert len(str(told["orderTime"])) == 19


async def test_spot_balances_are_told_with_what_changed(client: Client) -> None:
    async with private(client, "spot", BALANCE) as connection:
        placed = await client.place("spot")
        held = await event(connection, BALANCE)
        assert (held["currency"], held["total"], held["available"], held["hold"]) == (
            "USDT",
            "10000000",
            "9999499.5",
            "500.5",
        )
        assert (held["availableChange"], held["holdChange"], held["relationEvent"]) == ("-500.5", "500.5", "trade.hold")
        await fill(client.simulator, "kucoin", placed["orderId"], "0.01")
        rows = {row["currency"]: row for row in [await event(connection, BALANCE) for _ in range(2)]}
        assert (rows["BTC"]["total"], rows["USDT"]["total"]) == ("100.01", "9999499.5")
        assert rows["USDT"]["relationEvent"] == "trade.setted"


async def test_futures_orders_wallet_and_positions_are_told(client: Client) -> None:
    topics = (f"{FUTURES_ORDERS}:XBTUSDTM", WALLET, "/contract/position:XBTUSDTM")
    async with private(client, "futures", *topics) as connection:
        placed = await client.place("futures")
        rests = await receive(connection, lambda told: told.get("topic") == topics[0])
        assert (rests["subject"], rests["data"]["type"], rests["data"]["size"]) == ("symbolOrderChange", "open", "10")
        wallet = await event(connection, WALLET)
        assert (wallet["currency"], wallet["walletBalance"], wallet["availableBalance"]) == (
            "USDT",
            "10000000",
            "9999900",
        )
        assert (wallet["isolatedOrderMargin"], wallet["isolatedPosMargin"]) == ("100", "0")
        await fill(client.simulator, "kucoin", placed["orderId"], "4")
        part = await event(connection, topics[0], "match")
        assert (part["matchSize"], part["matchPrice"], part["remainSize"]) == ("4", "50000", "6")
        later = await event(connection, WALLET)
        assert (later["isolatedPosMargin"], later["isolatedOrderMargin"]) == ("40", "60")
        assert int(later["version"]) > int(wallet["version"])
        held = await event(connection, topics[2])
        assert (held["symbol"], held["currentQty"], held["avgEntryPrice"], held["changeReason"]) == (
            "XBTUSDTM",
            4,
            50_000,
            "positionChange",
        )
        moved = await event(connection, topics[2])
        assert (moved["changeReason"], "currentQty" in moved, "symbol" in moved) == ("markPriceChange", False, False)
        await control(client.simulator, "funding", exchange="kucoin", symbol="XBTUSDTM", rate="0.0001")
        paid = await receive(connection, lambda told: told.get("subject") == "position.settlement")
        assert (paid["data"]["qty"], paid["data"]["fundingRate"]) == (4, 0.0001)
        assert paid["data"]["fundingFee"] < 0


async def test_a_private_topic_wants_a_private_token_and_says_that_it_is_one(client: Client) -> None:
    async with private(client, "spot") as connection:
        await send(connection, subscription(BALANCE, privateChannel=False))
        assert (await receive(connection))["code"] == 404
    async with private(client, "futures") as connection:
        await send(connection, subscription(BALANCE))
        assert (await receive(connection))["code"] == 404
    url = f"{client.simulator.url}/api.kucoin.com/api/v1/bullet-public"
    token = (await client.done("POST", url.partition("//")[2].partition("/")[2]))["token"]
    async with socket(client.simulator, f"{SOCKETS['spot']}?token={token}&connectId=me") as connection:
        await receive(connection)
        await send(connection, subscription(BALANCE))
        assert (await receive(connection))["code"] == 404


async def test_a_token_of_the_other_market_or_of_yesterday_is_expired(client: Client) -> None:
    token = (await client.done("POST", f"{FUTURES}/bullet-private"))["token"]
    async with socket(client.simulator, f"{SOCKETS['spot']}?token={token}") as connection:
        assert await receive(connection) == {"type": "error", "code": 401, "data": "token is expired"}
    async with running(patience=Patience(kucoin_token_s=2)) as simulator:
        await open_here(simulator)
        async with private(Client(simulator), "spot", BALANCE) as connection:
            with pytest.raises(ConnectionClosed):
                await follow(connection, lambda message: None)


async def test_a_lost_socket_is_lost_and_another_one_hears_again(client: Client) -> None:
    async with private(client, "spot", ORDERS) as connection:
        await trouble(client.simulator, "kucoin", "drop_private")
        with pytest.raises(ConnectionClosed):
            await follow(connection, lambda message: None)
    async with private(client, "spot", ORDERS) as connection:
        await client.place("spot")
        assert (await event(connection, ORDERS))["type"] == "open"


async def test_pushes_of_a_request_may_come_twice(client: Client) -> None:
    async with private(client, "spot", ORDERS) as connection:
        await trouble(client.simulator, "kucoin", "duplicate_push")
        await client.place("spot")
        assert await event(connection, ORDERS) == await event(connection, ORDERS)


async def test_a_socket_that_closes_is_no_listener(client: Client) -> None:
    async with private(client, "spot", ORDERS):
        assert (await account(client.simulator, "kucoin"))["listeners"] == 1
    anna = client.simulator.exchanges["kucoin"].desk.accounts["anna"]
    await until(lambda: not anna.outbox.listeners)
