"""The simulated KuCoin judges who asks, and tells a classic account what it has, as KuCoin does."""

from typing import Any

import pytest

from apps.feeds.simulator.kucoin.auth import VERIFY, hashed
from apps.feeds.simulator.kucoin.trading import POOLS
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, account, control, fill, trouble
from apps.feeds.tests.plain_client import fetch, order, running
from apps.feeds.tests.plain_kucoin_trading import (
    FUTURES,
    LIMIT,
    PLACE,
    SPOT,
    SYMBOLS,
    Client,
    futures,
    now_ms,
    open_here,
    spot,
)

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
HOST = {"spot": "api.kucoin.com", "futures": "api-futures.kucoin.com"}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of a classic account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_here(simulator)
    return Client(simulator)


async def read(client: Client, market_type: str, order_id: str) -> Any:
    symbol = {"symbol": SYMBOLS["spot"]} if market_type == "spot" else {}
    return await client.done("GET", f"{PLACE[market_type]}/{order_id}", **symbol)


# who asks


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        ("test_api_secret", "test_plain", "jie/gxS38wLFFaBwl/cAzFbAzlI8MIny96jSXrB+iP4="),
        ("kucoinSecret01", "passphrase01", "dKvcOrnOLDsDby4+BY5+k2YsKlsuAQhOvk2A7SjtbTg="),
        (
            "kucoinSecret01",
            "1767323045678GET/api/v1/hf/orders/client-order/ct-0001?symbol=BTC-USDT",
            "trJh5S1GNbMHPX4j88HHvtgY2AUSuJDdakzb1zRREMg=",
        ),
        ("kucoinSecret01", "1767323045678" + VERIFY, "uq6xUBz2Zr8jTdrGxF0CBRzRwqICjKdaXeT42pBSMKc="),
    ],
)
def test_the_documented_signatures_are_those_that_are_asked_for(secret: str, text: str, expected: str) -> None:
    assert hashed(secret, text) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ({"KC-API-KEY": None}, (401, "400001")),
        ({"KC-API-TIMESTAMP": "1"}, (401, "400002")),
        ({"KC-API-TIMESTAMP": "yesterday"}, (401, "400002")),
        ({"KC-API-TIMESTAMP": "9999999999999"}, (401, "400002")),
        ({"KC-API-KEY": "nobody"}, (401, "400003")),
        ({"KC-API-PASSPHRASE": "phrase-of-anna"}, (401, "400004")),
        ({"KC-API-SIGN": "c2lnbg=="}, (401, "400005")),
    ],
)
@BOTH
async def test_a_request_that_is_not_signed_as_it_should_be_is_refused(
    client: Client, market_type: str, head: dict[str, str | None], expected: tuple[int, str]
) -> None:
    status, body = await client.ask("GET", f"{HOST[market_type]}/api/v1/trade-fees", head, symbol="XBTUSDTM")
    assert (status, body["code"]) == expected


async def test_the_passphrase_of_an_old_key_is_sent_as_it_is(client: Client) -> None:
    head: dict[str, str | None] = {"KC-API-PASSPHRASE": client.passphrase, "KC-API-KEY-VERSION": None}
    status, body = await client.ask("GET", "api.kucoin.com/api/v1/accounts", head)
    assert (status, body["code"]) == (200, "200000")


@BOTH
async def test_a_key_without_the_permission_may_read_and_not_trade(client: Client, market_type: str) -> None:
    await open_here(client.simulator, name="boris", key="r", secret="s", permissions=["read"])
    reader = Client(client.simulator, key="r", secret="s")
    path, params = PLACE[market_type], LIMIT[market_type]()
    assert await reader.refused("POST", path, **params) == "400007"
    await open_here(client.simulator, name="clara", key="far", secret="s", ip_allowed=False)
    assert await Client(client.simulator, key="far", secret="s").refused("POST", path, **params) == "400006"
    assert (await reader.done("GET", "api.kucoin.com/api/v1/user/api-key"))["permission"] == "General"


async def test_a_key_that_may_move_money_out_says_so(client: Client) -> None:
    path = "api.kucoin.com/api/v1/user/api-key"
    assert "Transfer" not in (await client.done("GET", path))["permission"]
    everything = ["read", "trade", "withdraw"]
    await open_here(client.simulator, name="boris", key="w", secret="s", permissions=everything)
    told = await Client(client.simulator, key="w", secret="s").done("GET", path)
    assert set(told["permission"].split(",")) >= {"General", "Spot", "Futures", "Transfer"}


async def test_the_body_of_a_post_is_json(client: Client) -> None:
    head: dict[str, str | None] = {"Content-Type": "text/plain"}
    status, body = await client.ask("POST", PLACE["spot"], head, **spot())
    assert (status, body["code"]) == (415, "415000")


async def test_the_clock_of_the_exchange_can_be_off(client: Client) -> None:
    await trouble(client.simulator, "kucoin", "clock_drift", seconds=60)
    assert await client.refused("GET", "api.kucoin.com/api/v1/accounts") == "400002"
    told = (await fetch(client.simulator, "api.kucoin.com/api/v1/timestamp"))["data"]
    assert told - now_ms() > 50_000


# executions and the account


async def test_own_executions_are_told_with_fees(client: Client) -> None:
    placed = await client.place("spot")
    await fill(client.simulator, "kucoin", placed["orderId"], "0.004")
    told = await client.done("GET", f"{SPOT}/fills", symbol="BTC-USDT", orderId=placed["orderId"])
    (row,) = told["items"]
    assert (row["orderId"], row["size"], row["price"], row["liquidity"]) == (
        placed["orderId"],
        "0.004",
        "50000",
        "maker",
    )
    assert (row["fee"], row["feeCurrency"], told["lastId"]) == ("0.2", "USDT", row["id"])
    later = {"symbol": "BTC-USDT", "startAt": row["createdAt"] + 1}
    assert (await client.done("GET", f"{SPOT}/fills", **later))["items"] == []
    assert (await client.done("GET", f"{SPOT}/fills", symbol="BTC-USDT", lastId=row["id"]))["items"] == []
    placed = await client.place("futures")
    await fill(client.simulator, "kucoin", placed["orderId"], "4")
    (row,) = (await client.done("GET", f"{FUTURES}/fills", symbol="XBTUSDTM"))["items"]
    assert (row["size"], row["price"], row["fee"], row["feeCurrency"]) == (4, "50000", "0.04", "USDT")
    assert await client.done("GET", f"{FUTURES}/recentFills", symbol="XBTUSDTM") == [row]


async def test_finished_orders_are_listed(client: Client) -> None:
    await client.place("spot")
    await client.done("DELETE", PLACE["spot"], symbol="BTC-USDT")
    (row,) = (await client.done("GET", f"{PLACE['spot']}/done", symbol="BTC-USDT"))["items"]
    assert (row["clientOid"], row["active"]) == ("m-1", False)
    await client.place("futures")
    await client.done("DELETE", "api-futures.kucoin.com/api/v3/orders", symbol="XBTUSDTM")
    (row,) = (await client.done("GET", PLACE["futures"], status="done"))["items"]
    assert (row["clientOid"], row["isActive"], row["status"]) == ("m-1", False, "done")
    assert await client.done("GET", f"{FUTURES}/recentDoneOrders", symbol="XBTUSDTM") == [row]


async def test_balances_of_spot_and_futures_are_wallets_of_their_own(client: Client) -> None:
    await client.place("spot")
    await client.place("futures")
    rows = await client.done("GET", "api.kucoin.com/api/v1/accounts", type="trade", currency="USDT")
    (row,) = rows
    assert (row["type"], row["balance"], row["available"], row["holds"]) == (
        "trade",
        "10000000",
        "9999499.5",
        "500.5",
    )
    told = await client.done("GET", f"{FUTURES}/account-overview", currency="USDT")
    assert (told["accountEquity"], told["orderMargin"], told["availableBalance"]) == (10_000_000, 100, 9_999_900)


async def test_a_position_is_told_with_its_entry_and_paid_funding(client: Client) -> None:
    assert await client.done("GET", f"{FUTURES}/positions") == []
    placed = await client.place("futures", side="sell", price="100000")
    await fill(client.simulator, "kucoin", placed["orderId"], "4")
    (row,) = await client.done("GET", f"{FUTURES}/positions", currency="USDT")
    assert (row["symbol"], row["currentQty"], row["avgEntryPrice"], row["isOpen"]) == ("XBTUSDTM", -4, 100_000, True)
    assert (row["marginMode"], row["positionSide"], row["leverage"]) == ("ISOLATED", "BOTH", row["realLeverage"])
    assert row["realLeverage"] == pytest.approx(-row["markValue"] / (row["posMargin"] + row["unrealisedPnl"]), abs=1e-4)
    assert row["unrealisedPnl"] == pytest.approx((100_000 - row["markPrice"]) * 0.004)
    await control(client.simulator, "funding", exchange="kucoin", symbol="XBTUSDTM", rate="0.0001")
    told = await client.done("GET", f"{FUTURES}/funding-history", symbol="XBTUSDTM")
    (paid,) = told["dataList"]
    assert (paid["symbol"], paid["fundingRate"], paid["settleCurrency"]) == ("XBTUSDTM", 0.0001, "USDT")
    assert paid["funding"] == pytest.approx(row["markPrice"] * 0.004 * 0.0001)
    await client.done("DELETE", "api-futures.kucoin.com/api/v3/orders", symbol="XBTUSDTM")
    closing = futures(type="market", price=None, side=None, size=None, clientOid="m-2", closeOrder=True)
    closed = await client.done("POST", PLACE["futures"], **closing)
    assert (await read(client, "futures", closed["orderId"]))["dealSize"] == 4
    assert await client.done("GET", f"{FUTURES}/positions") == []


async def test_a_reduce_only_order_is_cut_to_the_position(client: Client) -> None:
    await client.place("futures", type="market", price=None)
    placed = await client.place("futures", side="sell", price="100000", size=50, reduceOnly=True, clientOid="m-2")
    told = await read(client, "futures", placed["orderId"])
    assert (told["size"], told["reduceOnly"]) == (10, True)


async def test_leverage_and_modes_are_set_and_told(client: Client) -> None:
    host = "api-futures.kucoin.com/api/v2"
    assert await client.done("POST", f"{host}/changeCrossUserLeverage", symbol="XBTUSDTM", leverage="7") is True
    told = await client.done("GET", f"{host}/getCrossUserLeverage", symbol="XBTUSDTM")
    assert told == {"symbol": "XBTUSDTM", "leverage": "7"}
    mode = {"symbol": "XBTUSDTM", "marginMode": "CROSS"}
    assert await client.done("POST", f"{host}/position/changeMarginMode", **mode) == mode
    assert await client.done("GET", f"{host}/position/getMarginMode", symbol="XBTUSDTM") == mode
    assert (await client.place("futures", marginMode="CROSS", leverage=None))["orderId"]
    assert await client.refused("POST", f"{host}/position/switchPositionMode", positionMode="1") == "330011"
    await client.done("DELETE", "api-futures.kucoin.com/api/v3/orders", symbol="XBTUSDTM")
    assert await client.done("POST", f"{host}/position/switchPositionMode", positionMode="1") == {"positionMode": 1}
    hedged = {"marginMode": "CROSS", "clientOid": "m-2"}
    assert await client.refused("POST", PLACE["futures"], **futures(**hedged)) == "330012"
    assert (await client.place("futures", positionSide="LONG", **hedged))["orderId"]


async def test_fees_are_told(client: Client) -> None:
    (row,) = await client.done("GET", "api.kucoin.com/api/v1/trade-fees", symbols="BTC-USDT")
    assert row == {"symbol": "BTC-USDT", "takerFeeRate": "0.001", "makerFeeRate": "0.001"}
    row = await client.done("GET", f"{FUTURES}/trade-fees", symbol="XBTUSDTM")
    assert row == {"symbol": "XBTUSDTM", "takerFeeRate": "0.0006", "makerFeeRate": "0.0002"}


# what goes wrong


async def test_the_pool_of_an_account_runs_dry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POOLS, "spot", (3, 30.0))
    async with running() as simulator:
        await order(simulator, "freeze")
        await open_here(simulator)
        client = Client(simulator)
        for name in ("a", "b", "c"):
            await client.place("spot", clientOid=name)
        status, body = await client.ask("POST", PLACE["spot"], **spot(clientOid="d"))
        assert (status, body) == (429, {"code": "429000", "msg": "Too Many Requests"})
        assert 0 < int(client.headers["gw-ratelimit-reset"]) <= 30_000
        assert len(await accepted(simulator, "kucoin")) == 3


@pytest.mark.parametrize(
    ("op", "expected", "placed"),
    [
        ("error_placed", (503, "500000"), 1),
        ("error_not_placed", (503, "500000"), 0),
        ("reject", (200, "200004"), 0),
        ("rate_limit", (429, "429000"), 0),
        ("ban", (429, "429000"), 0),
    ],
)
async def test_faults_are_told_in_the_exchanges_words(
    client: Client, op: str, expected: tuple[int, str], placed: int
) -> None:
    await trouble(client.simulator, "kucoin", op, seconds=30)
    status, body = await client.ask("POST", PLACE["spot"], **spot())
    assert (status, body["code"]) == expected
    assert len(await accepted(client.simulator, "kucoin")) == placed


async def test_an_order_is_not_found_for_a_while(client: Client) -> None:
    await trouble(client.simulator, "kucoin", "not_found", seconds=60)
    await client.place("spot")
    assert await client.refused("GET", f"{PLACE['spot']}/client-order/m-1", symbol="BTC-USDT") == "400100"
    assert (await account(client.simulator, "kucoin"))["open"] == 1
