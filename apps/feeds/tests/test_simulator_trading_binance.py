"""The simulated Binance takes orders as Binance does: signatures, parameters, answers, refusals, the account."""

from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from apps.feeds.simulator.binance.auth import signature, signed_params
from apps.feeds.simulator.server import Simulator
from apps.feeds.simulator.trading.tickets import Ticket
from apps.feeds.tests.plain_accounts import (
    accepted,
    fill,
    open_account,
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
    sign,
)
from apps.feeds.tests.plain_client import order, running

DOC_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
DOC_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
COUNTDOWN = f"{FUTURES}/countdownCancelAll"
BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "binance")
    return Client(simulator)


# who asks


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        (
            "LTCBTC",
            "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        ),
        (
            "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96",
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        ),
    ],
)
def test_the_documented_signatures_are_those_that_are_asked_for(symbol: str, expected: str) -> None:
    rest = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    assert signature(DOC_SECRET, f"symbol={symbol}&{rest}") == expected


def test_a_socket_request_is_signed_over_its_sorted_parameters() -> None:
    assert (
        signed_params(DOC_SECRET, {"timestamp": "1747385641636", "apiKey": DOC_KEY})
        == "681110a6057ad58657af22f5640fab9dd17418834cdfccdc81be8b0f7b2cde3e"
    )


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"signature": "0" * 64}, (400, -1101)),
        ({"timestamp": None}, (400, -1102)),
        ({"timestamp": "yesterday"}, (400, -1100)),
        ({"timestamp": 1}, (400, -1021)),
        ({"timestamp": 9_999_999_999_999}, (400, -1021)),
        ({"recvWindow": 60_001}, (400, -1131)),
        ({"colour": "red"}, (400, -1104)),
    ],
)
@BOTH
async def test_a_request_that_is_not_signed_as_it_should_be_is_refused(
    client: Client, market_type: str, params: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert await client.refused("GET", f"{HOST[market_type]}/openOrders", **params) == expected


@BOTH
async def test_a_wrong_key_or_secret_or_address_is_refused(client: Client, market_type: str) -> None:
    path = f"{HOST[market_type]}/openOrders"
    assert await Client(client.simulator, secret="wrong").refused("GET", path) == (400, -1022)
    assert await Client(client.simulator, key="nobody").refused("GET", path) == (401, -2015)
    assert await Client(client.simulator, key="").refused("GET", path) == (401, -2014)
    await open_account(client.simulator, "binance", name="boris", key="far", secret="s", ip_allowed=False)
    assert await Client(client.simulator, key="far", secret="s").refused("GET", path) == (401, -2015)


@BOTH
async def test_a_key_without_the_permission_may_read_and_not_trade(client: Client, market_type: str) -> None:
    await open_account(client.simulator, "binance", name="boris", key="r", secret="s", permissions=["read"])
    reader = Client(client.simulator, key="r", secret="s")
    assert await reader.done("GET", f"{HOST[market_type]}/openOrders") == []
    assert await reader.refused("POST", f"{HOST[market_type]}/order", **limit()) == (401, -2015)


async def test_parameters_may_stand_in_query_and_body_and_are_signed_in_this_order(client: Client) -> None:
    query = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC"
    body = f"quantity=0.01&price=50000&timestamp={now_ms()}"
    status, answer = await client.send("POST", f"{SPOT}/order?{query}", f"{body}&signature={sign(query + body)}")
    assert (status, answer["status"]) == (200, "NEW")


# orders


@BOTH
async def test_an_order_is_placed_read_back_and_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, newClientOrderId="mine-1")
    assert (placed["symbol"], placed["clientOrderId"], placed["status"]) == ("BTCUSDT", "mine-1", "NEW")
    path = f"{HOST[market_type]}/order"
    told = await client.done("GET", path, symbol="BTCUSDT", origClientOrderId="mine-1")
    assert (told["orderId"], told["status"], Decimal(told["price"])) == (placed["orderId"], "NEW", 50_000)
    assert await client.done("GET", f"{HOST[market_type]}/openOrders", symbol="BTCUSDT") == [told]
    assert await client.done("GET", f"{HOST[market_type]}/openOrders") == [told]
    gone = await client.done("DELETE", path, symbol="BTCUSDT", orderId=placed["orderId"])
    assert gone["status"] == "CANCELED"
    if market_type == "spot":
        assert gone["origClientOrderId"] == "mine-1" != gone["clientOrderId"]
    else:
        assert gone["clientOrderId"] == "mine-1"
    assert await client.refused("DELETE", path, symbol="BTCUSDT", orderId=placed["orderId"]) == (400, -2011)
    told = await client.done("GET", path, symbol="BTCUSDT", orderId=placed["orderId"])
    assert (told["status"], told["clientOrderId"]) == ("CANCELED", "mine-1")


async def test_a_spot_market_order_answers_with_its_fills(client: Client) -> None:
    answer = await client.done("POST", f"{SPOT}/order", **market(quantity="0.5"))
    assert (answer["status"], answer["executedQty"], answer["price"]) == ("FILLED", "0.50000000", "0.00000000")
    assert sum(Decimal(row["qty"]) for row in answer["fills"]) == Decimal("0.5")
    value = sum(Decimal(row["qty"]) * Decimal(row["price"]) for row in answer["fills"])
    assert Decimal(answer["cummulativeQuoteQty"]) == value
    assert {row["commissionAsset"] for row in answer["fills"]} == {"BTC"}
    assert sum(Decimal(row["commission"]) for row in answer["fills"]) == Decimal("0.0005")


async def test_a_spot_market_buy_may_say_what_it_spends(client: Client) -> None:
    answer = await client.done("POST", f"{SPOT}/order", **market(quantity=None, quoteOrderQty="1000"))
    assert (answer["status"], answer["origQuoteOrderQty"]) == ("FILLED", "1000.00000000")
    assert 990 < Decimal(answer["cummulativeQuoteQty"]) <= 1000


async def test_a_futures_market_order_answers_new_unless_the_result_is_asked_for(client: Client) -> None:
    answer = await client.done("POST", f"{FUTURES}/order", **market())
    assert (answer["status"], answer["executedQty"]) == ("NEW", "0.00000")
    assert "avgPrice" not in answer
    answer = await client.done("POST", f"{FUTURES}/order", **market(newOrderRespType="RESULT"))
    assert (answer["status"], answer["executedQty"]) == ("FILLED", "0.01000")
    told = await client.done("GET", f"{FUTURES}/order", symbol="BTCUSDT", orderId=answer["orderId"])
    assert Decimal(told["avgPrice"]) > 0


@pytest.mark.parametrize(
    ("respond", "keys"), [("ACK", {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"})]
)
async def test_an_acknowledgement_has_no_status(client: Client, respond: str, keys: set[str]) -> None:
    assert set(await client.place("spot", newOrderRespType=respond)) == keys


@BOTH
async def test_what_an_immediate_order_leaves_expires(client: Client, market_type: str) -> None:
    path = f"{HOST[market_type]}/order"
    placed = await client.done("POST", path, **limit(timeInForce="IOC"))
    told = await client.done("GET", path, symbol="BTCUSDT", orderId=placed["orderId"])
    assert (told["status"], Decimal(told["executedQty"])) == ("EXPIRED", 0)


@pytest.mark.parametrize(
    ("market_type", "params", "expected"),
    [
        ("spot", limit(symbol="NOCOIN"), (400, -1121)),
        ("spot", limit(symbol="WAVESUSDT", price="1", quantity="100"), (400, -1013)),
        ("spot", limit(price="50000.001"), (400, -1013)),
        ("spot", limit(quantity="0.0100001"), (400, -1013)),
        ("spot", limit(quantity="0.010000001"), (400, -1111)),
        ("spot", limit(quantity="0.00001"), (400, -1013)),
        ("spot", limit(quantity="1000"), (400, -2010)),
        ("spot", limit(type="LIMIT_MAKER", timeInForce=None, price="200000"), (400, -2010)),
        ("spot", limit(newClientOrderId="not an id"), (400, -1100)),
        ("spot", limit(price=None), (400, -1102)),
        ("spot", limit(timeInForce=None), (400, -1102)),
        ("spot", limit(timeInForce="GTX"), (400, -1115)),
        ("spot", limit(side="HOLD"), (400, -1117)),
        ("spot", limit(type="DANCE"), (400, -1116)),
        ("spot", limit(quantity="-1"), (400, -1100)),
        ("spot", market(price="1"), (400, -1106)),
        ("spot", market(quantity=None), (400, -1102)),
        ("futures", limit(symbol="NOCOIN"), (400, -1121)),
        ("futures", limit(symbol="WAVESUSDT", price="1", quantity="100"), (400, -4140)),
        ("futures", limit(price="50000.05"), (400, -4014)),
        ("futures", limit(price="50000.0001"), (400, -1111)),
        ("futures", limit(quantity="0.0100001"), (400, -1111)),
        ("futures", limit(quantity="0.0001"), (400, -4164)),
        ("futures", limit(quantity="100000"), (400, -2019)),
        ("futures", limit(timeInForce="GTX", price="86000"), (400, -5022)),
        ("futures", limit(price="200000"), (400, -4016)),
        ("futures", limit(side="SELL"), (400, -4024)),
        ("futures", limit(newClientOrderId="not an id"), (400, -4015)),
        ("futures", limit(type="STOP_MARKET", stopPrice="1"), (400, -4120)),
        ("futures", limit(reduceOnly="true"), (400, -2022)),
        ("futures", limit(positionSide="LONG"), (400, -4061)),
    ],
)
async def test_a_wrong_order_is_refused_with_its_own_code(
    client: Client, market_type: str, params: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert await client.refused("POST", f"{HOST[market_type]}/order", **params) == expected
    assert await accepted(client.simulator, "binance") == []


@pytest.mark.parametrize(("market_type", "code"), [("spot", -1013), ("futures", -2025)])
async def test_an_account_has_no_more_open_orders_than_the_filter_says(market_type: str, code: int) -> None:
    async with running(strict=False) as simulator:
        await order(simulator, "freeze")
        await open_account(simulator, "binance")
        client, desk = Client(simulator), simulator.exchanges["binance"].desk
        for _ in range(200):
            desk.place(desk.accounts["anna"], resting(market_type))
        assert await client.refused("POST", f"{HOST[market_type]}/order", **limit()) == (400, code)


def resting(market_type: str) -> Ticket:
    price, size = Decimal(50_000), Decimal("0.01")
    return Ticket(market_type=market_type, symbol="BTCUSDT", side="buy", kind="limit", price=price, size=size)


async def test_a_body_that_is_no_text_is_refused(client: Client) -> None:
    head = {"X-MBX-APIKEY": client.key}
    body = f"symbol=BTCUSDT&timestamp={now_ms()}&x=".encode() + b"\xff\xfe&signature=1"
    async with aiohttp.ClientSession() as session:
        url = f"{client.simulator.url}/{SPOT}/order"
        async with session.post(url, data=body, headers=head) as response:
            assert (response.status, (await response.json())["code"]) == (400, -1022)


@pytest.mark.parametrize(("market_type", "code"), [("spot", -2010), ("futures", -4116)])
async def test_a_client_id_is_taken_while_its_order_is_open(client: Client, market_type: str, code: int) -> None:
    path = f"{HOST[market_type]}/order"
    await client.place(market_type, newClientOrderId="mine")
    assert await client.refused("POST", path, **limit(newClientOrderId="mine")) == (400, code)
    await client.done("DELETE", path, symbol="BTCUSDT", origClientOrderId="mine")
    assert (await client.place(market_type, newClientOrderId="mine"))["clientOrderId"] == "mine"


@BOTH
async def test_an_unknown_order_has_one_code_for_queries_and_one_for_cancels(client: Client, market_type: str) -> None:
    path = f"{HOST[market_type]}/order"
    assert await client.refused("GET", path, symbol="BTCUSDT", orderId=1) == (400, -2013)
    assert await client.refused("DELETE", path, symbol="BTCUSDT", origClientOrderId="x") == (400, -2011)
    assert await client.refused("GET", path, symbol="BTCUSDT") == (400, -1102)
    assert await client.refused("GET", path, symbol="NOCOIN", orderId=1) == (400, -1121)


async def test_all_open_orders_of_a_symbol_are_cancelled_at_once(client: Client) -> None:
    placed = [await client.place("spot") for _ in range(2)]
    await client.place("spot", symbol="ETHUSDT", price="2000", quantity="1")
    gone = await client.done("DELETE", f"{SPOT}/openOrders", symbol="BTCUSDT")
    assert [row["orderId"] for row in gone] == [row["orderId"] for row in placed]
    assert len(await client.done("GET", f"{SPOT}/openOrders")) == 1
    assert await client.refused("DELETE", f"{SPOT}/openOrders", symbol="BTCUSDT") == (400, -2011)
    await client.place("futures")
    assert (await client.done("DELETE", f"{FUTURES}/allOpenOrders", symbol="BTCUSDT"))["code"] == 200
    assert await client.done("GET", f"{FUTURES}/openOrders") == []


@pytest.mark.parametrize(
    ("market_type", "path", "buyer", "maker"),
    [("spot", "myTrades", "isBuyer", "isMaker"), ("futures", "userTrades", "buyer", "maker")],
)
async def test_own_trades_are_told_with_fees(
    client: Client, market_type: str, path: str, buyer: str, maker: str
) -> None:
    placed = await client.place(market_type)
    await fill(client.simulator, "binance", str(placed["orderId"]), "0.004")
    (row,) = await client.done("GET", f"{HOST[market_type]}/{path}", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (row["orderId"], Decimal(row["qty"]), Decimal(row["price"])) == (placed["orderId"], Decimal("0.004"), 50_000)
    assert (row[buyer], row[maker]) == (True, True)
    fee = Decimal("0.000004") if market_type == "spot" else Decimal("0.04")
    assert (Decimal(row["commission"]), row["commissionAsset"]) == (fee, "BTC" if market_type == "spot" else "USDT")
    later = {"startTime": row["time"] + 1}
    assert await client.done("GET", f"{HOST[market_type]}/{path}", symbol="BTCUSDT", **later) == []


# the account


async def test_balances_of_spot_and_futures_are_wallets_of_their_own(client: Client) -> None:
    await client.place("spot")
    await client.place("futures")
    told = await client.done("GET", f"{SPOT}/account", omitZeroBalances="true")
    usdt = next(row for row in told["balances"] if row["asset"] == "USDT")
    assert usdt == {"asset": "USDT", "free": "9999500.00000000", "locked": "500.00000000"}
    rows = await client.done("GET", "fapi.binance.com/fapi/v3/balance")
    usdt = next(row for row in rows if row["asset"] == "USDT")
    assert (usdt["balance"], usdt["availableBalance"]) == ("10000000.00000000", "9999975.00000000")
    whole = await client.done("GET", "fapi.binance.com/fapi/v3/account")
    assert whole["totalOpenOrderInitialMargin"] == "25.00000000"


async def test_a_position_is_told_with_its_entry(client: Client) -> None:
    assert await client.done("GET", "fapi.binance.com/fapi/v3/positionRisk") == []
    placed = await client.place("futures", side="SELL", price="100000")
    await fill(client.simulator, "binance", str(placed["orderId"]), "0.004")
    (row,) = await client.done("GET", "fapi.binance.com/fapi/v3/positionRisk")
    assert (row["symbol"], row["positionSide"], Decimal(row["positionAmt"])) == ("BTCUSDT", "BOTH", Decimal("-0.004"))
    assert Decimal(row["entryPrice"]) == 100_000
    assert Decimal(row["unRealizedProfit"]) == (100_000 - Decimal(row["markPrice"])) * Decimal("0.004")


async def test_hedge_mode_wants_a_side_and_no_reduce_only(client: Client) -> None:
    path = f"{FUTURES}/positionSide/dual"
    assert await client.refused("POST", path, dualSidePosition="false") == (400, -4059)
    assert await client.done("POST", path, dualSidePosition="true") == {"code": 200, "msg": "success"}
    assert await client.done("GET", path) == {"dualSidePosition": True}
    order_path = f"{FUTURES}/order"
    assert await client.refused("POST", order_path, **limit()) == (400, -4061)
    assert await client.refused("POST", order_path, **limit(positionSide="LONG", reduceOnly="true")) == (400, -1106)
    assert (await client.place("futures", positionSide="LONG"))["positionSide"] == "LONG"


async def test_leverage_and_margin_type_are_set_and_told(client: Client) -> None:
    answer = await client.done("POST", f"{FUTURES}/leverage", symbol="BTCUSDT", leverage=7)
    assert (answer["leverage"], answer["symbol"]) == (7, "BTCUSDT")
    assert await client.refused("POST", f"{FUTURES}/leverage", symbol="BTCUSDT", leverage=126) == (400, -4028)
    margin = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
    assert (await client.done("POST", f"{FUTURES}/marginType", **margin))["code"] == 200
    assert await client.refused("POST", f"{FUTURES}/marginType", **margin) == (400, -4046)
    (row,) = await client.done("GET", f"{FUTURES}/symbolConfig", symbol="BTCUSDT")
    assert (row["leverage"], row["marginType"]) == (7, "ISOLATED")


async def test_a_key_tells_what_it_may_do_and_what_it_pays(client: Client) -> None:
    may = await client.done("GET", "api.binance.com/sapi/v1/account/apiRestrictions")
    assert (may["enableReading"], may["enableSpotAndMarginTrading"], may["enableWithdrawals"]) == (True, True, False)
    await open_account(client.simulator, "binance", name="boris", key="w", secret="s", permissions=["read", "withdraw"])
    may = await Client(client.simulator, key="w", secret="s").done(
        "GET", "api.binance.com/sapi/v1/account/apiRestrictions"
    )
    assert (may["enableSpotAndMarginTrading"], may["enableWithdrawals"]) == (False, True)
    fees = await client.done("GET", f"{SPOT}/account/commission", symbol="BTCUSDT")
    assert fees["standardCommission"]["taker"] == "0.00100000"
    fees = await client.done("GET", f"{FUTURES}/commissionRate", symbol="BTCUSDT")
    assert fees["takerCommissionRate"] == "0.000500"


# the countdowns of futures


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "NOCOIN", "countdownTime": "1000"}, -1121),
        ({"symbol": "BTCUSDT"}, -1102),
        ({"symbol": "BTCUSDT", "countdownTime": "-1"}, -1100),
    ],
)
async def test_a_countdown_names_its_symbol_and_its_time(client: Client, params: dict[str, str], code: int) -> None:
    assert await client.refused("POST", COUNTDOWN, **params) == (400, code)


async def test_a_countdown_ends_the_orders_of_its_symbol_and_of_no_other(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = client.simulator.exchanges["binance"].desk.accounts["anna"]
    spot, ends = await client.place("spot"), await client.place("futures")
    stays = await client.place("futures", symbol="ETHUSDT", price="2000", quantity="0.01")
    monkeypatch.setattr("apps.feeds.simulator.trading.dead_men.PACE", 0.001)
    async with private(client, "futures") as connection:
        told = await client.done("POST", COUNTDOWN, symbol="BTCUSDT", countdownTime=10_000)
        assert told == {"symbol": "BTCUSDT", "countdownTime": "10000"}
        pushed = (await event(connection, "ORDER_TRADE_UPDATE"))["o"]
    assert (pushed["i"], pushed["x"], pushed["X"]) == (ends["orderId"], "CANCELED", "CANCELED")
    assert [row.number for row in anna.open.values()] == [spot["orderId"], stays["orderId"]]
    row = await client.done("GET", f"{FUTURES}/order", symbol="BTCUSDT", orderId=ends["orderId"])
    assert row["status"] == "CANCELED"


async def test_a_countdown_is_begun_anew_and_ended(client: Client) -> None:
    anna = client.simulator.exchanges["binance"].desk.accounts["anna"]
    timers = []
    for countdown_ms in (60_000, 120_000):
        await client.done("POST", COUNTDOWN, symbol="BTCUSDT", countdownTime=countdown_ms)
        timers.append(anna.switches["BTCUSDT"])
    assert [timer.cancelled() for timer in timers] == [True, False]
    await client.done("POST", COUNTDOWN, symbol="BTCUSDT", countdownTime=0)
    assert (anna.switches, timers[1].cancelled()) == ({}, True)
