"""The simulated HTX takes orders as HTX does: parameters, answers, refusals."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, fill, open_account, trouble
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_htx_orders import SPOT_ORDERS, SWAP, Client, now_ms, stamp

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
LISTS = {"spot": "v1/order/openOrders", "futures": f"{SWAP}/order/opens"}
NO_ACCOUNT = "account-get-accounts-inexistent-error"
NONSENSE = [-1, 1.5, 10**30, [], ["x"], {}, {"x": 1}, "\u0663", "9" * 80, "1.5E4", "\x00", "+NaN", " "]
SPOT_CODES = {"invalid-parameter", "base-symbol-error", "invalid-client-order-id", NO_ACCOUNT}
SWAP_CODES = {1013, 1030, 1065}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "htx")
    return Client(simulator)


async def test_a_spot_order_is_placed_read_back_and_cancelled(client: Client) -> None:
    number = await client.place("spot", client_order_id="mine-1")
    told = await client.query("spot", number)
    assert (str(told["id"]), told["client-order-id"], told["state"]) == (number, "mine-1", "submitted")
    assert (told["amount"], told["price"]) == ("0.010000000000000000", "50000.000000000000000000")
    assert (told["type"], told["field-amount"], told["account-id"]) == ("buy-limit", "0.0", await client.account_id())
    assert await client.done("GET", f"{SPOT_ORDERS}/getClientOrder", clientOrderId="mine-1") == told
    (row,) = await client.open_orders("spot")
    assert (row["id"], row["client-order-id"], row["filled-amount"]) == (told["id"], "mine-1", "0.0")
    await fill(client.simulator, "htx", number, "0.004")
    told = await client.query("spot", number)
    assert (told["state"], Decimal(told["field-amount"])) == ("partial-filled", Decimal("0.004"))
    assert (Decimal(told["field-cash-amount"]), Decimal(told["field-fees"])) == (200, Decimal("0.000008"))
    assert await client.cancel("spot", number) == 0
    told = await client.query("spot", number)
    assert (told["state"], told["canceled-at"] > 0) == ("partial-canceled", True)
    body = await client.ask("POST", f"{SPOT_ORDERS}/{number}/submitcancel")
    assert (body["err-code"], body["order-state"]) == ("order-orderstate-error", 5)


async def test_a_swap_order_is_placed_read_back_and_cancelled(client: Client) -> None:
    number = await client.place("futures", client_order_id=77)
    told = await client.query("futures", number)
    assert (told["order_id"], told["id"], told["client_order_id"], told["state"]) == (number, number, "77", "new")
    assert (told["volume"], told["price"], told["type"], told["position_side"]) == ("10", "50000", "limit", "both")
    assert (told["margin_mode"], told["lever_rate"], told["cancel_reason"]) == ("cross", 20, None)
    named = {"contract_code": "BTC-USDT", "client_order_id": 77}
    assert await client.done("GET", f"{SWAP}/order", **named) == told
    assert told.pop("real_profit") is None  # of a query alone
    assert await client.open_orders("futures") == [told]
    await fill(client.simulator, "htx", number, "4")
    told = await client.query("futures", number)
    assert (told["state"], told["trade_volume"], told["trade_avg_price"]) == ("partially_filled", "4", "50000")
    assert (Decimal(told["fee"]) < 0, told["fee_currency"]) == (True, "USDT")
    assert await client.done("POST", f"{SWAP}/cancel_order", **named) == {"order_id": number, "client_order_id": "77"}
    told = await client.query("futures", number)
    assert (told["state"], told["cancel_reason"]) == ("partially_canceled", "user")
    assert await client.cancel("futures", number) == 1071
    (row,) = await client.done("GET", f"{SWAP}/order/history", contract_code="BTC-USDT")
    assert (row["order_id"], row["state"]) == (number, "partially_canceled")


async def test_an_order_without_a_client_id_carries_its_own_number_on_swaps(client: Client) -> None:
    path, params = await client.limit("futures")
    data = await client.done("POST", path, **params)
    assert data["client_order_id"] == data["order_id"]


async def test_a_cancel_by_client_id_answers_with_a_state(client: Client) -> None:
    path = f"{SPOT_ORDERS}/submitCancelClientOrder"
    await client.place("spot", client_order_id="mine")
    assert await client.done("POST", path, client_order_id="mine") == 10
    assert await client.done("POST", path, client_order_id="mine") == 7
    assert await client.done("POST", path, client_order_id="other") == 0


async def test_all_open_orders_of_spot_are_cancelled_in_parts(client: Client) -> None:
    numbers = [await client.place("spot") for _ in range(3)]
    path, params = f"{SPOT_ORDERS}/batchCancelOpenOrders", {"account_id": str(await client.account_id())}
    first = await client.done("POST", path, **params, symbol="btcusdt", size=2)
    assert first == {"success-count": 2, "failed-count": 0, "next-id": int(numbers[2])}
    assert await client.done("POST", path, **params) == {"success-count": 1, "failed-count": 0, "next-id": -1}
    assert await client.open_orders("spot") == []


async def test_all_open_orders_of_a_contract_are_cancelled_at_once(client: Client) -> None:
    numbers = [await client.place("futures") for _ in range(2)]
    await client.place("futures", contract_code="ETH-USDT", price="2000")
    path = f"{SWAP}/cancel_all_orders"
    gone = await client.done("POST", path, contract_code="BTC-USDT")
    assert [(row["code"], row["order_id"]) for row in gone] == [(200, number) for number in numbers]
    assert await client.refused("POST", path, contract_code="BTC-USDT") == 1051
    assert len(await client.open_orders("futures")) == 1


@BOTH
async def test_lists_go_on_behind_their_last_row(client: Client, market_type: str) -> None:
    numbers = [await client.place(market_type) for _ in range(3)]
    size, name = ("size", "id") if market_type == "spot" else ("limit", "order_id")
    first = await client.done("GET", LISTS[market_type], **{size: 2})
    assert [str(row[name]) for row in first] == [numbers[2], numbers[1]]
    rest = await client.done("GET", LISTS[market_type], **{size: 2, "from": first[-1][name], "direct": "next"})
    assert [str(row[name]) for row in rest] == [numbers[0]]


async def test_a_market_buy_of_spot_counts_money(client: Client) -> None:
    number = await client.place("spot", type="buy-market", amount="1000", price=None)
    told = await client.query("spot", number)
    assert (told["state"], Decimal(told["amount"])) == ("filled", 1000)
    assert 990 < Decimal(told["field-cash-amount"]) <= 1000
    number = await client.place("spot", type="sell-market", amount="0.01", price=None)
    assert Decimal((await client.query("spot", number))["field-amount"]) == Decimal("0.01")


@pytest.mark.parametrize(
    ("market_type", "params", "state"),
    [
        ("spot", {"type": "buy-ioc"}, "canceled"),
        ("spot", {"type": "buy-limit-fok"}, "canceled"),
        ("spot", {"type": "buy-limit-maker", "price": "200000"}, "canceled"),
        ("spot", {"type": "buy-limit-maker"}, "submitted"),
        ("futures", {"time_in_force": "ioc"}, "canceled"),
        ("futures", {"time_in_force": "fok"}, "canceled"),
        ("futures", {"type": "post_only", "price": "200000"}, "canceled"),
        ("futures", {"type": "post_only"}, "new"),
    ],
)
async def test_an_order_that_may_not_rest_or_not_take_is_accepted_and_cancelled(
    client: Client, market_type: str, params: dict[str, Any], state: str
) -> None:
    number = await client.place(market_type, **params)
    assert (await client.query(market_type, number))["state"] == state


@pytest.mark.parametrize(
    ("market_type", "params", "code"),
    [
        ("spot", {"symbol": "nocoin"}, "base-symbol-error"),
        ("spot", {"symbol": "BTCUSDT"}, "base-symbol-error"),
        ("spot", {"symbol": "wavesusdt", "price": "1", "amount": "100"}, "base-symbol-trade-disabled"),
        ("spot", {"symbol": "mkrusdt", "price": "1", "amount": "100"}, "base-symbol-trade-disabled"),
        ("spot", {"price": "50000.001"}, "order-orderprice-precision-error"),
        ("spot", {"amount": "0.0100000001"}, "order-orderamount-precision-error"),
        ("spot", {"amount": "0.000001"}, "order-limitorder-amount-min-error"),
        ("spot", {"type": "sell-market", "amount": "0.000001"}, "order-marketorder-amount-min-error"),
        ("spot", {"amount": "0.00005"}, "order-value-min-error"),
        ("spot", {"type": "buy-market", "amount": "1000.0000001", "price": None}, "order-orderamount-precision-error"),
        ("spot", {"amount": "1000"}, "account-frozen-balance-insufficient-error"),
        ("spot", {"account_id": "1"}, NO_ACCOUNT),
        ("spot", {"client_order_id": "not an id"}, "invalid-client-order-id"),
        ("spot", {"type": "buy-dance"}, "invalid-parameter"),
        ("spot", {"price": None}, "invalid-parameter"),
        ("spot", {"amount": "-1"}, "invalid-parameter"),
        ("futures", {"contract_code": "NO-COIN"}, 1013),
        ("futures", {"contract_code": "BTC-USD"}, 1013),
        ("futures", {"contract_code": "WAVES-USDT", "price": "1"}, 1056),
        ("futures", {"price": "50000.001"}, 1038),
        ("futures", {"volume": "1.5"}, 1030),
        ("futures", {"volume": "1000000000"}, 1047),
        ("futures", {"volume": "999999999999", "price": "99999999"}, 1041),
        ("futures", {"side": "hold"}, 1030),
        ("futures", {"margin_mode": None}, 1030),
        ("futures", {"client_order_id": "mine"}, 1065),
        ("futures", {"client_order_id": 0}, 1065),
        ("futures", {"reduce_only": 1}, 1048),
        ("futures", {"position_side": "long"}, 4007),
    ],
)
async def test_a_wrong_order_is_refused_with_its_own_code(
    client: Client, market_type: str, params: dict[str, Any], code: str | int
) -> None:
    path, values = await client.limit(market_type, **params)
    assert await client.refused("POST", path, **values) == code
    assert await accepted(client.simulator, "htx") == []


@pytest.mark.parametrize(
    ("market_type", "names", "codes"),
    [
        ("spot", ("account_id", "symbol", "type", "amount", "price", "source", "client_order_id"), SPOT_CODES),
        ("futures", ("contract_code", "margin_mode", "side", "type", "volume", "price", "client_order_id"), SWAP_CODES),
    ],
)
async def test_nonsense_in_any_parameter_is_refused_like_all_else(
    client: Client, market_type: str, names: tuple[str, ...], codes: set[str | int]
) -> None:
    client.simulator.world.strict = False
    for name in names:
        for nonsense in NONSENSE:
            path, values = await client.limit(market_type, **{name: nonsense})
            assert await client.refused("POST", path, **values) in codes, (name, nonsense)
    assert await accepted(client.simulator, "htx") == []


@pytest.mark.parametrize(("market_type", "client_id"), [("spot", "mine"), ("futures", 77)])
async def test_an_order_is_found_by_the_clients_id_for_some_hours_only(
    client: Client, market_type: str, client_id: str | int
) -> None:
    number = await client.place(market_type, client_order_id=client_id)
    path, params = f"{SPOT_ORDERS}/getClientOrder", {"clientOrderId": client_id}
    if market_type == "futures":
        path, params = f"{SWAP}/order", {"contract_code": "BTC-USDT", "client_order_id": client_id}

    async def is_found(hours: int) -> bool:
        await trouble(client.simulator, "htx", "clock_drift", seconds=hours * 3600)
        auth = {"Timestamp": stamp(now_ms() + hours * 3_600_000)}
        return await client.refused("GET", path, auth=auth, **params) == 0

    assert [await is_found(hours) for hours in (1, 3, 9)] == [True, True, False]
    await trouble(client.simulator, "htx", "clock_drift", count=0)
    await client.cancel(market_type, number)
    assert [await is_found(hours) for hours in (1, 3)] == [True, False]


@pytest.mark.parametrize(
    ("market_type", "client_id", "code"), [("spot", "mine", "invalid-client-order-id"), ("futures", 77, 1050)]
)
async def test_a_client_id_is_taken_for_a_day(
    client: Client, market_type: str, client_id: str | int, code: str | int
) -> None:
    number = await client.place(market_type, client_order_id=client_id)
    path, values = await client.limit(market_type, client_order_id=client_id)
    assert await client.refused("POST", path, **values) == code
    await client.cancel(market_type, number)
    assert await client.refused("POST", path, **values) == code


async def test_an_unknown_order_is_not_found(client: Client) -> None:
    assert await client.refused("GET", f"{SPOT_ORDERS}/1") == "base-record-invalid"
    assert await client.refused("GET", f"{SPOT_ORDERS}/getClientOrder", clientOrderId="x") == "base-record-invalid"
    assert await client.cancel("spot", "1") == "base-record-invalid"
    assert await client.refused("GET", f"{SWAP}/order", contract_code="BTC-USDT", order_id="1") == 1061
    assert await client.refused("GET", f"{SWAP}/order", contract_code="BTC-USDT") == 1030
    assert await client.cancel("futures", "1") == 1061


async def test_orders_of_spot_are_listed_by_their_states(client: Client) -> None:
    gone, filled = await client.place("spot"), await client.place("spot", type="sell-market", price=None)
    await client.cancel("spot", gone)
    await client.place("spot")
    params = {"symbol": "btcusdt", "states": "filled,canceled,partial-canceled"}
    assert [str(row["id"]) for row in await client.done("GET", SPOT_ORDERS, **params)] == [filled, gone]
    assert await client.refused("GET", SPOT_ORDERS, symbol="btcusdt", states="gone") == "invalid-parameter"
    assert await client.refused("GET", SPOT_ORDERS, symbol="btcusdt") == "invalid-parameter"


async def test_own_trades_of_spot_are_told_with_positive_fees(client: Client) -> None:
    number = await client.place("spot")
    await fill(client.simulator, "htx", number, "0.004")
    (row,) = await client.done("GET", "v1/order/matchresults", symbol="btcusdt")
    assert (str(row["order-id"]), row["price"], row["filled-amount"]) == (number, "50000", "0.004")
    assert (row["filled-fees"], row["fee-currency"], row["role"]) == ("0.000008", "btc", "maker")
    assert await client.done("GET", f"{SPOT_ORDERS}/{number}/matchresults") == [row]
    assert await client.done("GET", "v1/order/matchresults", start_time=row["created-at"] + 1) == []
    far = {"start_time": 0, "end_time": now_ms()}
    assert await client.refused("GET", "v1/order/matchresults", **far) == "invalid-parameter"


async def test_own_trades_of_swaps_are_told_with_positive_fees(client: Client) -> None:
    number = await client.place("futures")
    await fill(client.simulator, "htx", number, "4")
    (row,) = await client.done("GET", f"{SWAP}/order/details", contract_code="BTC-USDT")
    assert (row["order_id"], row["trade_price"], row["trade_volume"]) == (number, "50000", "4")
    fee = Decimal(row["trade_turnover"]) * Decimal("0.0002")
    assert (Decimal(row["trade_fee"]), row["fee_currency"], row["role"]) == (fee, "USDT", "Maker")
    assert (await client.query("futures", number))["fee"] == f"-{row['trade_fee']}"
    assert await client.done("GET", f"{SWAP}/order/details", order_id="1") == []
