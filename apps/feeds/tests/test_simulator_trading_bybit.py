"""The simulated Bybit takes orders as Bybit does: signatures, parameters, answers, refusals, the account."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.bybit.auth import signature
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, did, fill, open_account
from apps.feeds.tests.plain_bybit import CATEGORY, Client, limit, market, now_ms
from apps.feeds.tests.plain_client import order

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
DOCUMENTED_ORDER = (
    '{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001","price":"30000",'
    '"timeInForce":"GTC","orderLinkId":"ct-0001"}'
)
READ = {"accountType": "UNIFIED"}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "bybit")
    return Client(simulator)


# who asks


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        (
            "test-secret",
            "1658384314791test-key5000category=linear&symbol=BTCUSDT",
            "acbce6f124ccb7a0f1a447455f5ade0ab2b18de10682b04f40e02d260e338d26",
        ),
        (
            "test-secret",
            f"1658385579423test-key5000{DOCUMENTED_ORDER}",
            "f66b421fc80c6ec93b8d4dcbe8079177cb5e8ff69b22108ce3694cce804103a7",
        ),
        (
            "test-secret",
            "GET/realtime1662350400000",
            "f072aab6fa18cd774da998325df6cfc87c3ccf10d5722e6b43b570c5feaf6172",
        ),
    ],
)
def test_the_documented_signatures_are_those_that_are_asked_for(secret: str, text: str, expected: str) -> None:
    assert signature(secret, text) == expected


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-BAPI-API-KEY": "nobody"}, 10003),
        ({"X-BAPI-API-KEY": ""}, 10003),
        ({"X-BAPI-SIGN": "0" * 64}, 10004),
        ({"X-BAPI-TIMESTAMP": "yesterday"}, 10001),
        ({"X-BAPI-TIMESTAMP": "1672211918471"}, 10002),
        ({"X-BAPI-TIMESTAMP": "4102444800000"}, 10002),
        ({"X-BAPI-RECV-WINDOW": "long"}, 10001),
    ],
)
async def test_a_request_that_is_not_signed_as_it_should_be_is_refused(
    client: Client, headers: dict[str, str], code: int
) -> None:
    status, body = await client.ask("GET", "account/wallet-balance", READ, headers)
    assert (status, body["retCode"]) == (200, code)


async def test_a_request_may_be_as_old_as_its_window(client: Client) -> None:
    old = {"X-BAPI-TIMESTAMP": str(now_ms() - 8000), "X-BAPI-RECV-WINDOW": "60000"}
    status, body = await client.ask("GET", "account/wallet-balance", READ, old)
    assert (status, body["retCode"]) == (200, 0)


async def test_a_key_may_be_used_from_its_own_addresses_and_for_what_it_may_do(client: Client) -> None:
    await open_account(client.simulator, "bybit", name="boris", key="far", secret="s", ip_allowed=False)
    assert await Client(client.simulator, key="far", secret="s").code("GET", "account/info") == 10010
    await open_account(client.simulator, "bybit", name="clara", key="r", secret="s", permissions=["read"])
    reader = Client(client.simulator, key="r", secret="s")
    assert await reader.open("spot") == []
    assert await reader.code("POST", "order/create", **limit("spot")) == 10005


@pytest.mark.parametrize(
    "params",
    [{"category": []}, {"category": "spot", "symbol": 1}, {"category": "spot", "symbol": "BTCUSDT", "side": {}}],
)
@pytest.mark.parametrize("name", ["order/create", "order/cancel", "order/cancel-all", "position/set-leverage"])
async def test_nonsense_is_refused_like_all_else(client: Client, name: str, params: dict[str, Any]) -> None:
    status, body = await client.ask("POST", name, params)
    assert (status, body["retCode"] in (10001, 0)) == (200, True)
    assert await accepted(client.simulator, "bybit") == []


# orders


@BOTH
async def test_an_order_is_acknowledged_read_back_and_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, orderLinkId="mine-1")
    assert set(placed) == {"orderId", "orderLinkId"}
    assert ("-" in placed["orderId"]) == (market_type == "futures")  # a UUID there, decimal text on spot
    told = await client.order(market_type, orderLinkId="mine-1")
    assert (told["orderId"], told["orderStatus"], told["price"], told["qty"]) == (
        placed["orderId"],
        "New",
        "50000" if market_type == "spot" else "50000.0",
        "0.01",
    )
    assert (told["cumExecQty"], told["avgPrice"], told["rejectReason"]) == ("0", "", "EC_NoError")
    assert await client.open(market_type) == [told]
    named = {"category": CATEGORY[market_type], "symbol": "BTCUSDT", "orderId": placed["orderId"]}
    assert await client.done("POST", "order/cancel", **named) == placed
    assert await client.open(market_type) == []
    gone = await client.order(market_type, orderId=placed["orderId"])
    assert (gone["orderStatus"], gone["cancelType"]) == ("Cancelled", "CancelByUser")
    history = await client.done("GET", "order/history", category=CATEGORY[market_type])
    assert history["list"] == [gone]
    code = 170142 if market_type == "spot" else 110010
    assert await client.code("POST", "order/cancel", **named) == code


@pytest.mark.parametrize(("market_type", "unknown", "done"), [("spot", 170213, 170190), ("futures", 110001, 110008)])
async def test_what_is_unknown_or_done_cannot_be_cancelled(
    client: Client, market_type: str, unknown: int, done: int
) -> None:
    placed = await client.done("POST", "order/create", **market(market_type))
    named = {"category": CATEGORY[market_type], "symbol": "BTCUSDT"}
    assert await client.code("POST", "order/cancel", **named, orderId=placed["orderId"]) == done
    assert await client.code("POST", "order/cancel", **named, orderLinkId="nothing") == unknown
    assert await client.code("POST", "order/cancel", **named) == 10001
    told = await client.done("GET", "order/realtime", category=CATEGORY[market_type], orderLinkId="nothing")
    assert told["list"] == []


async def test_a_market_buy_of_spot_counts_money_unless_it_says_otherwise(client: Client) -> None:
    placed = await client.done("POST", "order/create", **market("spot", marketUnit=None, qty="1000"))
    told = await client.order("spot", orderId=placed["orderId"])
    assert (told["orderStatus"], told["qty"]) == ("PartiallyFilledCanceled", "1000")  # dust of the money is left
    assert 990 < Decimal(told["cumExecValue"]) < 1000
    placed = await client.done("POST", "order/create", **market("spot", qty="0.5"))
    told = await client.order("spot", orderId=placed["orderId"])
    assert (told["orderStatus"], told["qty"], told["cumExecQty"]) == ("Filled", "0.5", "0.5")
    assert (told["timeInForce"], list(told["cumFeeDetail"])) == ("IOC", ["BTC"])
    assert Decimal(told["price"]) > Decimal(told["avgPrice"])  # the worst it might have had


async def test_coins_are_what_a_futures_order_counts(client: Client) -> None:
    placed = await client.done("POST", "order/create", **market("futures"))
    told = await client.order("futures", orderId=placed["orderId"])
    fee = Decimal(told["cumExecValue"]) * Decimal("0.00055")
    assert (told["orderStatus"], told["cumExecQty"]) == ("Filled", "0.01")
    assert told["cumFeeDetail"] == {"USDT": f"{fee.normalize():f}"}
    held = await client.done("GET", "position/list", category="linear", settleCoin="USDT")
    (row,) = held["list"]
    assert (row["symbol"], row["side"], row["size"], row["positionIdx"]) == ("BTCUSDT", "Buy", "0.01", 0)
    assert Decimal(row["avgPrice"]) == Decimal(told["avgPrice"])


@BOTH
async def test_what_an_immediate_order_leaves_is_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, timeInForce="IOC")
    told = await client.order(market_type, orderId=placed["orderId"])
    assert (told["orderStatus"], told["cumExecQty"], told["rejectReason"]) == (
        "Cancelled",
        "0",
        "EC_NoImmediateQtyToFill",
    )


@BOTH
async def test_a_post_only_order_that_would_take_is_acknowledged_and_cancelled(
    client: Client, market_type: str
) -> None:
    placed = await client.place(market_type, timeInForce="PostOnly", price="200000")
    told = await client.order(market_type, orderId=placed["orderId"])
    assert (told["orderStatus"], told["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")
    rests = await client.place(market_type, timeInForce="PostOnly")
    assert (await client.order(market_type, orderId=rests["orderId"]))["orderStatus"] == "New"


@pytest.mark.parametrize(("market_type", "status"), [("spot", "PartiallyFilledCanceled"), ("futures", "Cancelled")])
async def test_what_was_filled_in_part_has_an_end_of_its_own_on_spot(
    client: Client, market_type: str, status: str
) -> None:
    placed = await client.place(market_type)
    await fill(client.simulator, "bybit", placed["orderId"], "0.004")
    assert (await client.order(market_type, orderId=placed["orderId"]))["orderStatus"] == "PartiallyFilled"
    named = {"category": CATEGORY[market_type], "symbol": "BTCUSDT", "orderId": placed["orderId"]}
    await client.done("POST", "order/cancel", **named)
    told = await client.order(market_type, orderId=placed["orderId"])
    assert (told["orderStatus"], told["cumExecQty"], told["leavesQty"]) == (status, "0.004", "0")


@pytest.mark.parametrize(
    ("market_type", "params", "code"),
    [
        ("spot", {"symbol": "NOCOIN"}, 10001),
        ("spot", {"symbol": None}, 10001),
        ("spot", {"category": "moon"}, 10001),
        ("spot", {"category": None}, 10001),
        ("spot", {"symbol": "WAVESUSDT", "price": "1", "qty": "10"}, 10001),
        ("spot", {"price": "50000.001"}, 170134),
        ("spot", {"price": None}, 10001),
        ("spot", {"price": 50000}, 10001),
        ("spot", {"qty": "0.0100000001"}, 170137),
        ("spot", {"qty": "0.00001"}, 170140),
        ("spot", {"qty": "1000"}, 170131),
        ("spot", {"qty": "-1"}, 10001),
        ("spot", {"orderLinkId": "not an id"}, 10001),
        ("spot", {"orderLinkId": "a" * 37}, 10001),
        ("spot", {"timeInForce": "SOON"}, 10001),
        ("spot", {"side": "buy"}, 10001),
        ("spot", {"orderType": "Dance"}, 10001),
        ("spot", {"smpType": "Never"}, 10001),
        ("futures", {"symbol": "NOCOIN"}, 10001),
        ("futures", {"symbol": "BTCUSD"}, 10001),
        ("futures", {"price": "50000.01"}, 110003),
        ("futures", {"qty": "0.010001"}, 10001),
        ("futures", {"qty": "0.00001"}, 110094),
        ("futures", {"qty": "100000"}, 110007),
        ("futures", {"reduceOnly": True}, 110017),
        ("futures", {"reduceOnly": "true"}, 10001),
        ("futures", {"positionIdx": 1}, 10001),
        ("futures", {"positionIdx": 5}, 10001),
    ],
)
async def test_a_wrong_order_is_refused_with_its_own_code(
    client: Client, market_type: str, params: dict[str, Any], code: int
) -> None:
    assert await client.code("POST", "order/create", **limit(market_type, **params)) == code
    assert await accepted(client.simulator, "bybit") == []


@pytest.mark.parametrize(("market_type", "code"), [("spot", 170141), ("futures", 110072)])
async def test_a_client_id_is_taken_for_ever(client: Client, market_type: str, code: int) -> None:
    await client.place(market_type, orderLinkId="mine")
    assert await client.code("POST", "order/create", **limit(market_type, orderLinkId="mine")) == code
    named = {"category": CATEGORY[market_type], "symbol": "BTCUSDT", "orderLinkId": "mine"}
    await client.done("POST", "order/cancel", **named)
    assert await client.code("POST", "order/create", **limit(market_type, orderLinkId="mine")) == code


async def test_all_open_orders_are_cancelled_at_once(client: Client) -> None:
    spot = [await client.place("spot") for _ in range(2)]
    linear = await client.place("futures")
    assert await client.code("POST", "order/cancel-all", category="linear") == 10001
    gone = await client.done("POST", "order/cancel-all", category="spot")
    assert gone == {"list": spot, "success": "1"}
    gone = await client.done("POST", "order/cancel-all", category="linear", settleCoin="USDC")
    assert gone["list"] == []
    gone = await client.done("POST", "order/cancel-all", category="linear", settleCoin="USDT")
    assert gone["list"] == [linear]


async def test_what_ended_without_a_fill_is_forgotten_after_a_day(client: Client) -> None:
    placed = [await client.place("spot") for _ in range(2)]
    await fill(client.simulator, "bybit", placed[0]["orderId"], "0.004")
    await client.done("POST", "order/cancel-all", category="spot")
    assert len((await client.done("GET", "order/history", category="spot"))["list"]) == 2
    client.simulator.exchanges["bybit"].desk.faults.begin("clock_drift", None, seconds=86_400)
    later = {"X-BAPI-TIMESTAMP": str(now_ms() + 86_400_000)}
    _, body = await client.ask("GET", "order/history", {"category": "spot"}, later)
    assert [row["orderId"] for row in body["result"]["list"]] == [placed[0]["orderId"]]


async def test_lists_come_in_pages_newest_first(client: Client) -> None:
    ids = [(await client.place("spot"))["orderId"] for _ in range(3)]
    first = await client.done("GET", "order/realtime", category="spot", limit="2")
    assert [row["orderId"] for row in first["list"]] == ids[:0:-1]
    cursor = first["nextPageCursor"]
    rest = await client.done("GET", "order/realtime", category="spot", limit="2", cursor=cursor)
    assert ([row["orderId"] for row in rest["list"]], rest["nextPageCursor"]) == (ids[:1], "")
    assert await client.code("GET", "order/realtime", category="spot", limit="51") == 10001
    assert await client.code("GET", "order/realtime", category="linear") == 10001


@BOTH
async def test_own_trades_are_told_with_fees(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, orderLinkId="mine")
    await fill(client.simulator, "bybit", placed["orderId"], "0.004")
    category = {"category": CATEGORY[market_type]}
    (row,) = (await client.done("GET", "execution/list", **category))["list"]
    assert (row["orderId"], row["orderLinkId"], row["execType"]) == (placed["orderId"], "mine", "Trade")
    assert (row["execQty"], Decimal(row["execPrice"]), row["isMaker"]) == ("0.004", 50_000, True)
    fee = ("0.000004", "BTC") if market_type == "spot" else ("0.04", "USDT")
    assert (row["execFee"], row["feeCurrency"]) == fee
    later = {**category, "startTime": str(int(row["execTime"]) + 1)}
    assert (await client.done("GET", "execution/list", **later))["list"] == []
    assert await client.code("GET", "execution/list", **category, startTime="1", endTime=str(now_ms())) == 10001


# the account


async def test_one_wallet_serves_both_markets_and_tells_what_each_holds_back(client: Client) -> None:
    await client.place("spot", qty="1")
    await client.place("futures", qty="1")
    await client.done("POST", "order/create", **market("futures"))
    (told,) = (await client.done("GET", "account/wallet-balance", **READ, coin="USDT"))["list"]
    (row,) = told["coin"]
    assert (told["accountType"], row["coin"], row["locked"]) == ("UNIFIED", "USDT", "50000")
    assert (row["totalOrderIM"], row["availableToWithdraw"]) == ("5000", "")
    assert 700 < Decimal(row["totalPositionIM"]) * 10 < 1000  # what 0.01 coins are worth
    assert Decimal(row["equity"]) == Decimal(row["walletBalance"]) + Decimal(row["unrealisedPnl"])
    assert await client.code("GET", "account/wallet-balance", accountType="SPOT") == 10001


async def test_a_position_is_opened_turned_and_closed(client: Client) -> None:
    await client.done("POST", "order/create", **market("futures"))
    await client.done("POST", "order/create", **market("futures", side="Sell", qty="0.03"))
    named = {"category": "linear", "symbol": "BTCUSDT"}
    (row,) = (await client.done("GET", "position/list", **named))["list"]
    assert (row["side"], row["size"]) == ("Sell", "0.02")
    await client.done("POST", "order/create", **market("futures", qty="9", reduceOnly=True))
    (row,) = (await client.done("GET", "position/list", **named))["list"]
    assert (row["side"], row["size"]) == ("", "0")
    held = await client.done("GET", "position/list", category="linear", settleCoin="USDT")
    assert held["list"] == []
    assert await client.code("GET", "position/list", category="linear") == 10001


async def test_long_and_short_positions_stand_side_by_side_where_the_account_says_so(client: Client) -> None:
    mode = {"category": "linear", "symbol": "BTCUSDT"}
    await client.done("POST", "position/switch-mode", **mode, mode=3)
    assert await client.code("POST", "position/switch-mode", **mode, mode=3) == 110025
    assert await client.code("POST", "order/create", **market("futures")) == 10001
    await client.done("POST", "order/create", **market("futures", positionIdx=1))
    await client.done("POST", "order/create", **market("futures", positionIdx=2, side="Sell", qty="0.02"))
    held = (await client.done("GET", "position/list", category="linear", settleCoin="USDT"))["list"]
    assert {(row["positionIdx"], row["side"], row["size"]) for row in held} == {
        (1, "Buy", "0.01"),
        (2, "Sell", "0.02"),
    }
    assert await client.code("POST", "position/switch-mode", **mode, mode=0) == 110024


async def test_leverage_is_set_and_told_to_be_the_same(client: Client) -> None:
    asked = {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "5", "sellLeverage": "5"}
    assert await client.done("POST", "position/set-leverage", **asked) == {}
    assert await client.code("POST", "position/set-leverage", **asked) == 110043
    held = await client.done("GET", "position/list", category="linear", symbol="BTCUSDT")
    assert held["list"][0]["leverage"] == "5"
    for wrong, code in (({"buyLeverage": "101", "sellLeverage": "101"}, 110013), ({"sellLeverage": "6"}, 10001)):
        assert await client.code("POST", "position/set-leverage", **{**asked, **wrong}) == code


async def test_the_margin_mode_is_one_of_the_whole_account(client: Client) -> None:
    assert (await client.done("GET", "account/info"))["marginMode"] == "REGULAR_MARGIN"
    await client.done("POST", "account/set-margin-mode", setMarginMode="ISOLATED_MARGIN")
    assert (await client.done("GET", "account/info"))["marginMode"] == "ISOLATED_MARGIN"
    asked = {"category": "linear", "symbol": "BTCUSDT", "tradeMode": 1, "buyLeverage": "5", "sellLeverage": "5"}
    assert await client.code("POST", "position/switch-isolated", **asked) == 100028


async def test_fees_are_told_by_symbol(client: Client) -> None:
    (row,) = (await client.done("GET", "account/fee-rate", category="linear", symbol="BTCUSDT"))["list"]
    assert (row["makerFeeRate"], row["takerFeeRate"]) == ("0.0002", "0.00055")
    assert await client.code("GET", "account/fee-rate", category="spot", symbol="NOCOIN") == 10001


async def test_funding_is_an_execution_and_a_line_of_the_log(client: Client) -> None:
    await client.done("POST", "order/create", **market("futures"))
    await did(client.simulator, "funding", exchange="bybit", symbol="BTCUSDT", rate="0.0001")
    paid = await client.done("GET", "execution/list", category="linear", execType="Funding")
    (row,) = paid["list"]
    assert (row["symbol"], row["execQty"], row["feeRate"], Decimal(row["execFee"]) > 0) == (
        "BTCUSDT",
        "0.01",
        "0.0001",
        True,
    )
    (line,) = (await client.done("GET", "account/transaction-log", category="linear", type="SETTLEMENT"))["list"]
    assert (line["currency"], Decimal(line["funding"])) == ("USDT", -Decimal(row["execFee"]))


async def test_the_account_says_what_a_key_may_do(client: Client) -> None:
    told = await client.done("GET", "user/query-api")
    assert (told["readOnly"], told["uta"], told["permissions"]["Wallet"]) == (0, 1, [])
    await open_account(client.simulator, "bybit", name="b", key="w", secret="s", permissions=["read", "withdraw"])
    told = await Client(client.simulator, key="w", secret="s").done("GET", "user/query-api")
    assert (told["permissions"]["Wallet"], told["permissions"]["Spot"]) == (["Withdraw"], [])


# limits


@pytest.mark.parametrize(("market_type", "most"), [("spot", 20), ("futures", 10)])
async def test_orders_are_limited_and_answers_say_how_many_are_left(
    client: Client, market_type: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.feeds.simulator.bybit.trading.WINDOW_S", 600.0)  # so that none leaves it
    await client.place(market_type)
    assert (client.headers["X-Bapi-Limit"], client.headers["X-Bapi-Limit-Status"]) == (str(most), str(most - 1))
    for _ in range(most - 1):
        await client.place(market_type)
    assert await client.code("POST", "order/create", **limit(market_type)) == 10006
    assert 0 < int(client.headers["X-Bapi-Limit-Reset-Timestamp"]) - now_ms() <= 600_000
    assert len(await accepted(client.simulator, "bybit")) == most


async def test_too_many_requests_shut_the_address_out(client: Client) -> None:
    client.simulator.exchanges["bybit"].public._requests.limit = 2  # type: ignore[attr-defined]
    statuses = [(await client.ask("GET", "account/info"))[0] for _ in range(4)]
    assert statuses == [200, 200, 403, 403]
