"""The simulated KuCoin takes orders as KuCoin does, of classic accounts: orders, answers, refusals."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, trouble
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_kucoin_trading import (
    LIMIT,
    PLACE,
    SYMBOLS,
    Client,
    futures,
    now_ms,
    open_here,
    spot,
)
from apps.feeds.tests.waiting import until

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of a classic account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_here(simulator)
    return Client(simulator)


async def read(client: Client, market_type: str, order_id: str) -> Any:
    symbol = {"symbol": SYMBOLS["spot"]} if market_type == "spot" else {}
    return await client.done("GET", f"{PLACE[market_type]}/{order_id}", **symbol)


@BOTH
async def test_an_order_is_placed_read_back_and_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, clientOid="mine-1")
    assert placed == {"orderId": placed["orderId"], "clientOid": "mine-1"}
    told = await read(client, market_type, placed["orderId"])
    assert (told["id"], told["clientOid"], told["price"]) == (placed["orderId"], "mine-1", "50000")
    assert (told.get("active", told.get("isActive")), told["cancelExist"]) == (True, False)
    if market_type == "spot":
        by_mine = f"{PLACE['spot']}/client-order/mine-1"
        assert await client.done("GET", by_mine, symbol="BTC-USDT") == told
        assert await client.done("GET", f"{PLACE['spot']}/active", symbol="BTC-USDT") == [told]
        assert await client.done("GET", f"{PLACE['spot']}/active/symbols") == {"symbols": ["BTC-USDT"]}
        gone = await client.done("DELETE", by_mine, symbol="BTC-USDT")
        assert gone == {"clientOid": "mine-1"}
    else:
        assert await client.done("GET", f"{PLACE['futures']}/byClientOid", clientOid="mine-1") == told
        assert (await client.done("GET", PLACE["futures"], status="active"))["items"] == [told]
        gone = await client.done("DELETE", f"{PLACE['futures']}/{placed['orderId']}")
        assert gone == {"cancelledOrderIds": [placed["orderId"]]}
    told = await read(client, market_type, placed["orderId"])
    assert (told.get("active", told.get("isActive")), told["cancelExist"], told["dealSize"]) in (
        (False, True, "0"),
        (False, True, 0),
    )


async def test_spot_cancels_by_the_exchanges_id_and_tells_the_outcome_where_it_is_waited_for(client: Client) -> None:
    placed = await client.place("spot")
    path = f"{PLACE['spot']}/{placed['orderId']}"
    assert await client.done("DELETE", path, symbol="BTC-USDT") == {"orderId": placed["orderId"]}
    sync = await client.done("POST", f"{PLACE['spot']}/sync", **spot(clientOid="m-2"))
    assert {name: sync[name] for name in ("originSize", "dealSize", "remainSize", "status")} == {
        "originSize": "0.01",
        "dealSize": "0",
        "remainSize": "0.01",
        "status": "open",
    }
    told = await client.done("DELETE", f"{PLACE['spot']}/sync/client-order/m-2", symbol="BTC-USDT")
    assert told == {
        "clientOid": "m-2",
        "originSize": "0.01",
        "dealSize": "0",
        "remainSize": "0",
        "canceledSize": "0.01",
        "status": "done",
    }


async def test_futures_cancel_by_the_clients_id_names_the_symbol(client: Client) -> None:
    await client.place("futures", clientOid="mine-1")
    path = f"{PLACE['futures']}/client-order/mine-1"
    assert await client.refused("DELETE", path) == "400100"
    assert await client.done("DELETE", path, symbol="XBTUSDTM") == {"clientOid": "mine-1"}


async def test_a_market_order_walks_the_book(client: Client) -> None:
    placed = await client.place("spot", type="market", price=None, size="0.5")
    told = await read(client, "spot", placed["orderId"])
    assert (told["active"], told["cancelExist"], told["dealSize"], told["size"]) == (False, False, "0.5", "0.5")
    assert Decimal(told["fee"]) == pytest.approx(Decimal(told["dealFunds"]) / 1000, rel=Decimal("1e-6"))
    assert told["feeCurrency"] == "USDT"
    placed = await client.place("futures", type="market", price=None)
    told = await read(client, "futures", placed["orderId"])
    assert (told["status"], told["dealSize"], told["filledSize"], told["cancelExist"]) == ("done", 10, 10, False)
    assert Decimal(told["dealValue"]) == Decimal(told["avgDealPrice"]) * 10 * Decimal("0.001")


async def test_a_spot_market_buy_may_say_what_it_spends(client: Client) -> None:
    placed = await client.place("spot", type="market", price=None, size=None, funds="1000")
    told = await read(client, "spot", placed["orderId"])
    assert (told["size"], told["funds"], told["active"]) == ("0", "1000", False)
    assert 990 < Decimal(told["dealFunds"]) <= 1000


@BOTH
async def test_what_an_immediate_order_leaves_is_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, timeInForce="IOC")
    told = await read(client, market_type, placed["orderId"])
    assert (told["cancelExist"], Decimal(told["dealSize"])) == (True, 0)


@BOTH
async def test_a_post_only_order_that_would_take_is_accepted_and_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, postOnly=True, price="90000")
    told = await read(client, market_type, placed["orderId"])
    assert (told["cancelExist"], told["postOnly"], Decimal(told["dealSize"])) == (True, True, 0)
    resting = await client.place(market_type, postOnly=True, clientOid="m-2")
    assert (await read(client, market_type, resting["orderId"]))["cancelExist"] is False


async def test_an_order_may_end_by_itself_after_some_seconds(client: Client) -> None:
    placed = await client.place("spot", timeInForce="GTT", cancelAfter=1)
    anna = client.simulator.exchanges["kucoin"].desk.accounts["anna"]
    await until(lambda: not anna.open)
    told = await read(client, "spot", placed["orderId"])
    assert (told["cancelExist"], told["timeInForce"], told["cancelAfter"]) == (True, "GTT", 1)


@pytest.mark.parametrize(
    ("market_type", "params", "expected"),
    [
        ("spot", spot(symbol="NO-COIN"), "900001"),
        ("spot", spot(symbol="WAVES-USDT", price="1", size="100"), "400600"),
        ("spot", spot(price="50000.05"), "600100"),
        ("spot", spot(size="0.010000001"), "600100"),
        ("spot", spot(size="0.000001"), "600101"),
        ("spot", spot(size="1000"), "200004"),
        ("spot", spot(clientOid="not an id"), "400100"),
        ("spot", spot(clientOid="x" * 41), "400100"),
        ("spot", spot(price=None), "400100"),
        ("spot", spot(price=50000), "400100"),
        ("spot", spot(size="-1"), "400100"),
        ("spot", spot(side="hold"), "400100"),
        ("spot", spot(type="dance"), "400100"),
        ("spot", spot(timeInForce="GTX"), "400100"),
        ("spot", spot(postOnly="yes"), "400100"),
        ("spot", spot(postOnly=True, timeInForce="IOC"), "400100"),
        ("spot", spot(type="market", price=None, funds="10"), "400100"),
        ("spot", spot(type="market", price=None, size=None), "400100"),
        ("spot", spot(type="market", price=None, size=None, funds="10.0000001"), "600100"),
        ("spot", spot(clientTimestamp=1, allowMaxTimeWindow=1000), "400100"),
        ("spot", spot(allowMaxTimeWindow=1000), "400100"),
        ("futures", futures(symbol="NOCOINUSDTM"), "900001"),
        ("futures", futures(symbol="DYMUSDTM", price="1"), "400600"),
        ("futures", futures(price="50000.05"), "300000"),
        ("futures", futures(size="1.5"), "300000"),
        ("futures", futures(size=0), "300000"),
        ("futures", futures(size=1_000_001), "300000"),
        ("futures", futures(size=900_000, leverage=1), "300003"),
        ("futures", futures(qty="0.1"), "300000"),
        ("futures", futures(clientOid=None), "400100"),
        ("futures", futures(leverage=None), "300000"),
        ("futures", futures(leverage=126), "300000"),
        ("futures", futures(marginMode="CROSS"), "330005"),
        ("futures", futures(positionSide="LONG"), "330012"),
        ("futures", futures(reduceOnly=True), "300009"),
        ("futures", futures(closeOrder=True), "300009"),
    ],
)
async def test_a_wrong_order_is_refused_with_its_own_code(
    client: Client, market_type: str, params: dict[str, Any], expected: str
) -> None:
    assert await client.refused("POST", PLACE[market_type], **params) == expected
    assert await accepted(client.simulator, "kucoin") == []


@BOTH
async def test_a_client_id_is_taken_for_ever(client: Client, market_type: str) -> None:
    await client.place(market_type)
    assert await client.refused("POST", PLACE[market_type], **LIMIT[market_type]()) == "126044"
    await client.done("DELETE", f"{PLACE[market_type]}/client-order/m-1", symbol=SYMBOLS[market_type])
    assert await client.refused("POST", PLACE[market_type], **LIMIT[market_type]()) == "126044"


async def test_an_unknown_or_finished_order_has_its_codes(client: Client) -> None:
    path = PLACE["spot"]
    assert await client.refused("GET", f"{path}/client-order/x", symbol="BTC-USDT") == "400100"
    assert await client.refused("GET", f"{path}/client-order/x") == "400100"
    _, body = await client.ask("DELETE", f"{path}/client-order/x", symbol="BTC-USDT")
    assert body == {"code": "400100", "msg": "order_not_exist_or_not_allow_to_cancel"}
    path = PLACE["futures"]
    _, body = await client.ask("GET", f"{path}/byClientOid", clientOid="x")
    assert body == {"code": "100001", "msg": "error.getOrder.orderNotExist"}
    placed = await client.place("futures")
    await client.done("DELETE", f"{path}/{placed['orderId']}")
    assert await client.refused("DELETE", f"{path}/{placed['orderId']}") == "100004"


async def test_all_open_orders_of_a_symbol_are_cancelled_at_once(client: Client) -> None:
    placed = [await client.place("futures", clientOid=name) for name in ("a", "b")]
    await client.place("futures", symbol="ETHUSDTM", price="2000", clientOid="c")
    gone = await client.done("DELETE", "api-futures.kucoin.com/api/v3/orders", symbol="XBTUSDTM")
    assert gone == {"cancelledOrderIds": [row["orderId"] for row in placed]}
    assert (await client.done("GET", PLACE["futures"], status="active"))["totalNum"] == 1
    for name, symbol, price in (("d", "BTC-USDT", "50000"), ("e", "ETH-USDT", "2000")):
        await client.place("spot", clientOid=name, symbol=symbol, price=price)
    assert await client.done("DELETE", PLACE["spot"], symbol="BTC-USDT") == "success"
    told = await client.done("DELETE", f"{PLACE['spot']}/cancelAll")
    assert told == {"succeedSymbols": ["ETH-USDT"], "failedSymbols": []}


async def test_an_order_is_tried_out_without_being_placed(client: Client) -> None:
    for market_type in ("spot", "futures"):
        told = await client.done("POST", f"{PLACE[market_type]}/test", **LIMIT[market_type]())
        assert told["clientOid"] == "m-1"
    assert await accepted(client.simulator, "kucoin") == []


async def test_a_dead_mans_switch_ends_the_orders_of_its_symbols(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{PLACE['spot']}/dead-cancel-all"
    for wrong in ({"timeout": 4}, {"timeout": 86_401}, {"timeout": "5"}, {}):
        assert await client.refused("POST", path, **wrong) == "400100"
    assert await client.refused("POST", path, timeout=5, symbols="NO-COIN") == "900001"
    told = await client.done("POST", path, timeout=5, symbols="BTC-USDT,ETH-USDT")
    assert told["triggerTime"] == told["currentTime"] + 5
    assert (await client.done("GET", f"{path}/query"))["symbols"] == "BTC-USDT,ETH-USDT"
    await client.done("POST", path, timeout=-1)
    assert await client.done("GET", f"{path}/query") is None
    monkeypatch.setattr("apps.feeds.simulator.kucoin.dead_man.SHORTEST_S", 1)
    await client.place("spot")
    await client.place("spot", symbol="SOL-USDT", price="100", clientOid="m-2")
    await client.done("POST", path, timeout=1, symbols="BTC-USDT,ETH-USDT")
    anna = client.simulator.exchanges["kucoin"].desk.accounts["anna"]
    await until(lambda: [row.listing.symbol for row in anna.open.values()] == ["SOL-USDT"])


async def test_an_order_says_until_when_it_may_come_in_and_may_be_matched_later(client: Client) -> None:
    await trouble(client.simulator, "kucoin", "late_accept", seconds=2)
    stamp = now_ms()
    await client.place("spot", clientTimestamp=stamp, allowMaxTimeWindow=1500)
    (row,) = await accepted(client.simulator, "kucoin")
    assert row["expires_ms"] == stamp + 1500 < row["ms"]
