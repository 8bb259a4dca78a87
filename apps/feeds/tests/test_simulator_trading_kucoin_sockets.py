"""The simulated KuCoin tells accounts what happens to them: classic topics behind a token, and unified channels."""

from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import account, control, fill, trouble
from apps.feeds.tests.plain_client import follow, heard_within, order, receive, running, send, socket
from apps.feeds.tests.plain_kucoin_trading import (
    FUTURES,
    PLACE,
    PUSH,
    SOCKETS,
    Client,
    event,
    greeting,
    open_here,
    private,
    push,
    pushes,
    subscription,
    unified,
)
from apps.feeds.tests.waiting import until

ORDERS, ORDERS_V2, BALANCE = "/spotMarket/tradeOrders", "/spotMarket/tradeOrdersV2", "/account/balance"
FUTURES_ORDERS, WALLET = "/contractMarket/tradeOrders", "/contractAccount/wallet"
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


# classic


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
    async with running(patience=Patience(kucoin_token_s=0.5)) as simulator:
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


# unified


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


async def test_both_generations_answer_pings_and_cut_the_silent(simulator: Simulator) -> None:
    async with running(patience=Patience(kucoin_idle_s=0.6)) as impatient:
        await open_here(impatient)
        await open_here(impatient, name="ursula", key="u", secret="s", kind="unified")
        async with pushes(Client(impatient, key="u", secret="s"), MONEY) as connection:
            await send(connection, {"id": "9", "op": "ping", "timestamp": "1"})
            pong = await receive(connection)
            assert (pong["type"], pong["id"], len(str(pong["ts"]))) == ("pong", "9", 19)
            with pytest.raises(ConnectionClosed):
                await follow(connection, lambda message: None)


async def test_a_socket_that_closes_is_no_listener(client: Client) -> None:
    async with private(client, "spot", ORDERS):
        assert (await account(client.simulator, "kucoin"))["listeners"] == 1
    anna = client.simulator.exchanges["kucoin"].desk.accounts["anna"]
    await until(lambda: not anna.outbox.listeners)
