"""The simulated MEXC takes orders as MEXC does: parameters, answers, refusals, of spot and of contracts."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, fill, open_account
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_mexc_orders import (
    FUTURES,
    Client,
    limit,
    market,
    now_ms,
    sign,
)

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
OPEN = {"spot": ("openOrders", {"symbol": "BTCUSDT"}), "futures": ("order/list/open_orders", {})}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "mexc")
    return Client(simulator)


async def test_a_spot_order_is_placed_read_back_and_cancelled(client: Client) -> None:
    placed = await client.ask("spot", "POST", "order", **limit("spot", newClientOrderId="mine-1"))
    assert set(placed) == {"symbol", "orderId", "orderListId", "price", "origQty", "type", "side", "transactTime"}
    assert placed["orderId"].startswith("C02__")
    row = await client.ask("spot", "GET", "order", symbol="BTCUSDT", origClientOrderId="mine-1")
    assert (row["orderId"], row["clientOrderId"], row["status"]) == (placed["orderId"], "mine-1", "NEW")
    assert (Decimal(row["price"]), Decimal(row["origQty"]), row["executedQty"]) == (50_000, Decimal("0.01"), "0")
    assert await client.ask("spot", "GET", "openOrders", symbol="BTCUSDT") == [row]
    gone = await client.ask("spot", "DELETE", "order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (gone["status"], gone["origClientOrderId"]) == ("CANCELED", "mine-1")
    again = await client.refused("spot", "DELETE", "order", symbol="BTCUSDT", origClientOrderId="mine-1")
    assert again == (400, -2011)
    assert (await client.read("spot", placed["orderId"]))["status"] == "CANCELED"
    assert await client.ask("spot", "GET", "openOrders", symbol="BTCUSDT") == []


async def test_a_contract_order_is_placed_read_back_and_cancelled(client: Client) -> None:
    placed = await client.ask("futures", "POST", "order/create", **limit("futures", externalOid="mine-1"))
    assert set(placed) == {"orderId", "ts"}
    row = await client.ask("futures", "GET", "order/external/BTC_USDT/mine-1")
    assert (row["orderId"], row["externalOid"], row["state"], row["side"]) == (placed["orderId"], "mine-1", 2, 1)
    assert (row["price"], row["vol"], row["dealVol"], "remainVol" in row) == (50000, 100, 0, False)
    assert await client.ask("futures", "GET", "order/list/open_orders") == [row]
    assert await client.ask("futures", "GET", "order/list/open_orders/BTC_USDT", page_num=1) == [row]
    number = int(placed["orderId"])
    _, answer = await client.futures("POST", "order/cancel", [placed["orderId"]])
    assert answer["data"] == [{"orderId": number, "errorCode": 0, "errorMsg": "success"}]
    _, answer = await client.futures("POST", "order/cancel", [placed["orderId"], "1"])
    assert [row["errorCode"] for row in answer["data"]] == [2041, 2040]
    row = await client.read("futures", placed["orderId"])
    assert (row["state"], row["errorCode"]) == (4, 0)
    assert await client.ask("futures", "GET", "order/list/history_orders") == [row]


async def test_an_unknown_contract_order_is_a_success_without_data(client: Client) -> None:
    for path in ("order/external/BTC_USDT/nobody", "order/get/1"):
        assert (await client.futures("GET", path))[1] == {"success": True, "code": 0}


async def test_an_order_is_cancelled_by_the_clients_id(client: Client) -> None:
    await client.place("futures", externalOid="mine")
    names = {"symbol": "BTC_USDT", "externalOid": "mine"}
    assert await client.ask("futures", "POST", "order/cancel_with_external", **names) == names
    assert await client.refused("futures", "POST", "order/cancel_with_external", **names) == (200, 2041)
    names["externalOid"] = "nobody"
    assert await client.refused("futures", "POST", "order/cancel_with_external", **names) == (200, 2040)


@BOTH
async def test_all_orders_are_cancelled_at_once(client: Client, market_type: str) -> None:
    ids = [await client.place(market_type) for _ in range(3)]
    if market_type == "spot":
        gone = await client.ask("spot", "DELETE", "openOrders", symbol="BTCUSDT,ETHUSDT")
        assert [row["orderId"] for row in gone] == ids
    else:
        assert await client.ask("futures", "POST", "order/cancel_all") is None
    path, params = OPEN[market_type]
    assert await client.ask(market_type, "GET", path, **params) == []


async def test_a_spot_market_buy_says_what_it_spends_and_pays_its_fee_in_quote(client: Client) -> None:
    id = await client.place("spot", **market("spot", quantity=None, quoteOrderQty="1000"))
    row = await client.read("spot", id)
    assert (row["status"], 990 < Decimal(row["cummulativeQuoteQty"]) <= 1000) == ("FILLED", True)
    trades = await client.ask("spot", "GET", "myTrades", symbol="BTCUSDT", orderId=id)
    assert sum(Decimal(trade["quoteQty"]) for trade in trades) == Decimal(row["cummulativeQuoteQty"])
    assert {(trade["commissionAsset"], trade["isMaker"], trade["isBuyer"]) for trade in trades} == {
        ("USDT", False, True)
    }
    assert Decimal(trades[0]["commission"]) == round(Decimal(trades[0]["quoteQty"]) * Decimal("0.0005"), 8)
    assert len({trade["id"] for trade in trades}) == len(trades)


async def test_a_contract_market_order_is_filled_and_opens_a_position(client: Client) -> None:
    row = await client.read("futures", await client.place("futures", **market("futures")))
    assert (row["state"], row["dealVol"], row["dealAvgPrice"] > 0, row["takerFee"] > 0) == (3, 100, True, True)
    deals = await client.ask("futures", "GET", f"order/deal_details/{row['orderId']}")
    assert sum(deal["vol"] for deal in deals) == 100
    assert {(deal["taker"], deal["feeCurrency"], deal["side"]) for deal in deals} == {(True, "USDT", 1)}
    assert await client.ask("futures", "GET", "order/list/order_deals/v3", symbol="BTC_USDT") == deals[::-1]
    (held,) = await client.ask("futures", "GET", "position/open_positions", symbol="BTC_USDT")
    assert (held["holdVol"], held["positionType"], held["state"], held["leverage"]) == (100, 1, 1, 20)
    assert await client.ask("futures", "GET", "position/open_positions", symbol="ETH_USDT") == []


@pytest.mark.parametrize(
    ("market_type", "params", "state", "error"),
    [
        ("spot", {"type": "IMMEDIATE_OR_CANCEL"}, "CANCELED", None),
        ("spot", {"type": "FILL_OR_KILL"}, "CANCELED", None),
        ("spot", {"type": "LIMIT_MAKER", "price": "90000"}, "CANCELED", None),
        ("futures", {"type": 3}, 4, 18),
        ("futures", {"type": 4}, 4, 19),
        ("futures", {"type": 2, "price": 90000}, 4, 20),
    ],
)
async def test_an_order_that_may_not_rest_or_may_not_take_is_accepted_and_cancelled(
    client: Client, market_type: str, params: dict[str, Any], state: Any, error: int | None
) -> None:
    row = await client.read(market_type, await client.place(market_type, **params))
    assert (row.get("status", row.get("state")), row.get("errorCode")) == (state, error)


@pytest.mark.parametrize(
    ("market_type", "params", "expected"),
    [
        ("spot", limit("spot", symbol="NOCOIN"), (400, -1121)),
        ("spot", limit("spot", symbol="MKRUSDT"), (400, 10007)),
        ("spot", limit("spot", symbol="WAVESUSDT", price="1", quantity="100"), (400, 30016)),
        ("spot", limit("spot", price="50000.001"), (400, 10096)),
        ("spot", limit("spot", quantity="0.0100000001"), (400, 10096)),
        ("spot", limit("spot", quantity="0.00001"), (400, 30002)),
        ("spot", limit("spot", quantity="1000"), (400, 10101)),
        ("spot", limit("spot", side="SELL", price="90000", quantity="1000"), (400, 30005)),
        ("spot", limit("spot", newClientOrderId="not an id"), (400, 700008)),
        ("spot", limit("spot", newClientOrderId="x" * 33), (400, 700008)),
        ("spot", limit("spot", price=None), (400, 33333)),
        ("spot", limit("spot", side="HOLD"), (400, 33333)),
        ("spot", limit("spot", type="DANCE"), (400, 33333)),
        ("spot", limit("spot", quantity="-1"), (400, 33333)),
        ("spot", market("spot", quantity=None), (400, 33333)),
        ("futures", limit("futures", symbol="NO_COIN"), (200, 1001)),
        ("futures", limit("futures", symbol="KAS_USDT", price=0.1), (200, 1002)),
        ("futures", limit("futures", symbol="WAVES_USDT", price=1), (200, 1002)),
        ("futures", limit("futures", price=50000.05), (200, 2015)),
        ("futures", limit("futures", vol=1.5), (200, 2011)),
        ("futures", limit("futures", vol=0), (200, 2011)),
        ("futures", limit("futures", vol=500_000_000), (200, 2005)),
        ("futures", limit("futures", externalOid="x" * 33), (200, 2030)),
        ("futures", limit("futures", side=5), (200, 600)),
        ("futures", limit("futures", type=7), (200, 600)),
        ("futures", limit("futures", openType=1), (200, 600)),
        ("futures", limit("futures", positionMode=1), (200, 600)),
        ("futures", limit("futures", reduceOnly=True), (200, 2009)),
        ("futures", limit("futures", side=4), (200, 2009)),
    ],
)
async def test_what_cannot_be_ordered_is_refused_with_the_exchanges_code(
    client: Client, market_type: str, params: dict[str, Any], expected: tuple[int, int]
) -> None:
    path = "order" if market_type == "spot" else "order/create"
    assert await client.refused(market_type, "POST", path, **params) == expected
    assert await accepted(client.simulator, "mexc") == []


async def test_contracts_refuse_a_client_id_for_ever_and_spot_never_does(client: Client) -> None:
    one = await client.place("spot", newClientOrderId="mine")
    two = await client.place("spot", newClientOrderId="mine")
    assert one != two
    id = await client.place("futures", externalOid="mine")
    await client.futures("POST", "order/cancel", [id])
    again = limit("futures", externalOid="mine")
    assert await client.refused("futures", "POST", "order/create", **again) == (200, 2042)


@pytest.mark.parametrize(
    ("params", "expected"),
    [({"orderId": "C02__1"}, -2013), ({"origClientOrderId": "nobody"}, -2013), ({}, 700004)],
)
async def test_an_unknown_spot_order_is_told_to_be_unknown(
    client: Client, params: dict[str, Any], expected: int
) -> None:
    assert await client.refused("spot", "GET", "order", symbol="BTCUSDT", **params) == (400, expected)


async def test_an_order_that_is_only_tested_is_none(client: Client) -> None:
    assert await client.ask("spot", "POST", "order/test", **limit("spot")) == {}
    assert await client.refused("spot", "POST", "order/test", **limit("spot", price=None)) == (400, 33333)
    assert await accepted(client.simulator, "mexc") == []


async def test_a_cancelled_order_that_was_filled_in_part_is_partially_cancelled_on_spot(client: Client) -> None:
    id = await client.place("spot")
    await fill(client.simulator, "mexc", id, "0.004")
    assert (await client.read("spot", id))["status"] == "PARTIALLY_FILLED"
    gone = await client.ask("spot", "DELETE", "order", symbol="BTCUSDT", orderId=id)
    assert (gone["status"], Decimal(gone["executedQty"])) == ("PARTIALLY_CANCELED", Decimal("0.004"))


REFUSED = {33333, 30002, -1121, 10096, 600, 1001, 2011, 2015, 510}  # on contracts for coming too often, too
NONSENSE: list[Any] = ["", "x", "-1", "1e99", "9" * 40, "NaN", "²", True, [], {}, 0]


@BOTH
async def test_nonsense_is_refused_like_all_else(client: Client, market_type: str) -> None:
    path = "order" if market_type == "spot" else "order/create"
    for name in limit(market_type):
        for value in NONSENSE:
            code = (await client.refused(market_type, "POST", path, **limit(market_type, **{name: value})))[1]
            assert code in REFUSED, (name, value)
    assert await accepted(client.simulator, "mexc") == []


@pytest.mark.parametrize("body", ["", "null", "[]", "[[]]", '{"orderIds":7}', "{", "7", '"x"'])
async def test_bodies_of_contracts_that_make_no_sense_are_refused(client: Client, body: str) -> None:
    for path in ("order/create", "order/cancel", "position/change_leverage"):
        headers = {"ApiKey": client.key, "Request-Time": str(now_ms()), "Content-Type": "application/json"}
        headers["Signature"] = sign(client.key + headers["Request-Time"] + body)
        status, answer = await client.send("POST", f"{FUTURES}/{path}", body, headers)
        assert status == 200
        assert answer["success"] is False or [row["errorCode"] for row in answer["data"]] == [2040]
