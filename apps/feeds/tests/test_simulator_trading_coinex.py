"""The simulated CoinEx takes orders as CoinEx does: parameters, answers, refusals."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, fill, open_account
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_coinex_orders import TYPES, Client, limit, market, named

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
STATE = {
    "order_id",
    "market",
    "market_type",
    "side",
    "type",
    "amount",
    "price",
    "client_id",
    "created_at",
    "updated_at",
    "maker_fee_rate",
    "taker_fee_rate",
    "unfilled_amount",
    "filled_amount",
    "filled_value",
}
NONSENSE = [-1, 1.5, 10**30, [], ["x"], {}, {"x": 1}, "\u0663", "9" * 80, "1.5E4", "\x00", "+NaN", " "]
PLACED = {
    "spot": STATE | {"ccy", "base_fee", "quote_fee", "discount_fee", "last_fill_amount", "last_fill_price"},
    "futures": STATE | {"fee", "fee_ccy", "last_filled_amount", "last_filled_price", "realized_pnl"},
}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "coinex")
    return Client(simulator)


@BOTH
async def test_an_order_is_placed_read_back_and_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, client_id="mine-1")
    assert set(placed) == PLACED[market_type]
    assert (placed["client_id"], placed["amount"], placed["unfilled_amount"]) == ("mine-1", "0.01", "0.01")
    number = {"market": "BTCUSDT", "order_id": placed["order_id"]}
    told = await client.done("GET", f"{market_type}/order-status", **number)
    assert told == {**placed, "status": "open"}
    assert await client.read(market_type, "pending-order", client_id="mine-1") == [placed]
    assert await client.read(market_type, "pending-order", client_id="mine-2") is None
    await fill(client.simulator, "coinex", str(placed["order_id"]), "0.004")
    gone = await client.done("POST", f"{market_type}/cancel-order", market_type=TYPES[market_type], **number)
    assert (gone["filled_amount"], gone["unfilled_amount"], gone["filled_value"]) == ("0.004", "0.006", "200")
    assert "status" not in gone
    told = await client.done("GET", f"{market_type}/order-status", **number)
    assert told["status"] == "part_canceled"
    (row,) = await client.read(market_type, "finished-order", client_id="mine-1")
    assert (row["order_id"], row["filled_amount"], row["updated_at"]) == (placed["order_id"], "0.004", 0)
    assert await client.read(market_type, "pending-order") is None
    again = named(market_type, order_id=placed["order_id"])
    assert await client.refused("POST", f"{market_type}/cancel-order", **again) == 3600


@BOTH
async def test_an_order_that_was_cancelled_without_a_fill_is_not_kept(client: Client, market_type: str) -> None:
    placed = await client.place(market_type)
    await client.done("POST", f"{market_type}/cancel-order", **named(market_type, order_id=placed["order_id"]))
    query = {"market": "BTCUSDT", "order_id": placed["order_id"]}
    assert await client.refused("GET", f"{market_type}/order-status", **query) == 3600
    assert await client.read(market_type, "finished-order") is None


@BOTH
async def test_a_client_id_may_be_that_of_several_orders_which_are_cancelled_together(
    client: Client, market_type: str
) -> None:
    placed = [await client.place(market_type, client_id="mine") for _ in range(2)]
    path = f"{market_type}/cancel-order-by-client-id"
    gone = await client.done("POST", path, **named(market_type, client_id="mine"))
    assert [(row["code"], row["data"]["order_id"]) for row in gone] == [(0, row["order_id"]) for row in placed]
    assert await client.refused("POST", path, **named(market_type, client_id="mine")) == 3600


@BOTH
async def test_all_open_orders_of_a_market_are_cancelled_at_once(client: Client, market_type: str) -> None:
    await client.place(market_type)
    await client.place(market_type, side="sell", price="200000")
    await client.place(market_type, market="ETHUSDT", price="2000", amount="1")
    path = f"{market_type}/cancel-all-order"
    assert await client.done("POST", path, **named(market_type, side="sell")) == {}
    assert len(await client.read(market_type, "pending-order", market="BTCUSDT")) == 1
    assert await client.done("POST", path, **named(market_type)) == {}
    assert [row["market"] for row in await client.read(market_type, "pending-order")] == ["ETHUSDT"]


@BOTH
async def test_lists_come_in_pages(client: Client, market_type: str) -> None:
    numbers = [(await client.place(market_type))["order_id"] for _ in range(3)]
    path, query = f"{market_type}/pending-order", {"market_type": TYPES[market_type], "limit": 2}
    first = await client.ask("GET", path, **query)
    assert [row["order_id"] for row in first["data"]] == [numbers[2], numbers[1]]
    assert first["pagination"] == {"total": 3, "has_next": True}
    second = await client.ask("GET", path, **query, page=2)
    assert ([row["order_id"] for row in second["data"]], second["pagination"]["has_next"]) == ([numbers[0]], False)
    assert await client.refused("GET", path, **query, page=0) == 4004


@BOTH
async def test_a_market_order_is_filled_at_once(client: Client, market_type: str) -> None:
    placed = await client.done("POST", f"{market_type}/order", **market(market_type))
    assert (placed["type"], placed["price"], placed["filled_amount"]) == ("market", "0", "0.01")
    told = await client.done("GET", f"{market_type}/order-status", market="BTCUSDT", order_id=placed["order_id"])
    assert (told["status"], told["unfilled_amount"]) == ("filled", "0")
    fees = {"base_fee": "0.00002", "quote_fee": "0"} if market_type == "spot" else {"fee_ccy": "USDT"}
    assert {name: told[name] for name in fees} == fees
    if market_type == "futures":
        assert Decimal(told["fee"]) == Decimal(told["filled_value"]) * Decimal("0.0005")


@pytest.mark.parametrize("ccy", [None, "USDT"])
async def test_a_spot_market_buy_counts_money_unless_it_says_otherwise(client: Client, ccy: str | None) -> None:
    placed = await client.done("POST", "spot/order", **market("spot", amount="1000", ccy=ccy))
    assert (placed["ccy"], placed["amount"]) == ("USDT", "1000")
    assert 990 < Decimal(placed["filled_value"]) <= 1000
    assert Decimal(placed["unfilled_amount"]) == 1000 - Decimal(placed["filled_value"])
    sold = await client.done("POST", "spot/order", **market("spot", side="sell", ccy=None))
    assert (sold["ccy"], sold["filled_amount"]) == ("BTC", "0.01")


@BOTH
async def test_what_an_immediate_order_leaves_is_gone(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, type="ioc")
    assert placed["filled_amount"] == "0"
    assert await client.read(market_type, "pending-order") is None
    assert await client.refused("POST", f"{market_type}/order", **limit(market_type, type="fok")) == 3621


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"market": "NOCOIN"}, 3639),
        ({"market": None}, 4004),
        ({"market_type": "MARGIN"}, 4004),
        ({"market_type": None}, 4004),
        ({"side": "hold"}, 4004),
        ({"type": "dance"}, 4004),
        ({"price": None}, 4004),
        ({"price": 50000}, 4004),
        ({"price": "5E4"}, 4004),
        ({"price": "50000.001"}, 4004),
        ({"amount": "0"}, 4004),
        ({"amount": "-1"}, 4004),
        ({"amount": "0.010000001"}, 4004),
        ({"amount": "100000"}, 3109),
        ({"type": "maker_only", "price": "200000"}, 3622),
        ({"client_id": "not an id"}, 4004),
        ({"client_id": "x" * 33}, 4004),
        ({"stp_mode": "me"}, 4004),
    ],
)
@BOTH
async def test_a_wrong_order_is_refused_with_its_own_code(
    client: Client, market_type: str, params: dict[str, Any], code: int
) -> None:
    assert await client.refused("POST", f"{market_type}/order", **limit(market_type, **params)) == code
    assert await accepted(client.simulator, "coinex") == []


@BOTH
async def test_nonsense_in_any_parameter_is_refused_like_all_else(client: Client, market_type: str) -> None:
    client.simulator.world.strict = False
    for name in ("market", "market_type", "side", "type", "price", "client_id", "stp_mode", "amount", "is_hide"):
        for nonsense in NONSENSE:
            code = await client.refused("POST", f"{market_type}/order", **limit(market_type, **{name: nonsense}))
            assert code in (4004, 3639), (name, nonsense)
    for name in ("market_type", "page", "limit", "client_id", "market"):
        query = {"market_type": TYPES[market_type], name: "\u0663\x00"}
        assert await client.refused("GET", f"{market_type}/pending-order", **query) in (4004, 3639)
    assert await accepted(client.simulator, "coinex") == []


@pytest.mark.parametrize(("market_type", "amount"), [("spot", "0.0000009"), ("futures", "0.00001")])
async def test_an_order_may_be_too_small(client: Client, market_type: str, amount: str) -> None:
    assert await client.refused("POST", f"{market_type}/order", **limit(market_type, amount=amount)) == 3127


@pytest.mark.parametrize(("market_type", "symbol", "code"), [("spot", "DYMUSDT", 3157), ("futures", "WAVESUSDT", 3157)])
async def test_a_market_that_is_not_open_takes_no_order(
    client: Client, market_type: str, symbol: str, code: int
) -> None:
    params = limit(market_type, market=symbol, price="1", amount="100")
    assert await client.refused("POST", f"{market_type}/order", **params) == code


@BOTH
async def test_an_unknown_order_is_not_found(client: Client, market_type: str) -> None:
    assert await client.refused("GET", f"{market_type}/order-status", market="BTCUSDT", order_id=1) == 3600
    assert await client.refused("POST", f"{market_type}/cancel-order", **named(market_type, order_id=1)) == 3600
    assert await client.refused("POST", f"{market_type}/cancel-order", **named(market_type, order_id="1")) == 4004
    assert await client.refused("GET", f"{market_type}/order-status", market="NOCOIN", order_id=1) == 3639


@BOTH
async def test_own_trades_tell_their_fees_when_one_order_is_asked_for(client: Client, market_type: str) -> None:
    placed = await client.place(market_type)
    await fill(client.simulator, "coinex", str(placed["order_id"]), "0.004")
    (row,) = await client.read(market_type, "user-deals", market="BTCUSDT")
    assert (row["order_id"], row["price"], row["amount"], row["side"]) == (placed["order_id"], "50000", "0.004", "buy")
    assert {"fee", "role"}.isdisjoint(row)
    (whole,) = await client.read(market_type, "order-deals", market="BTCUSDT", order_id=placed["order_id"])
    fee = ("0.000008", "BTC") if market_type == "spot" else ("0.06", "USDT")
    assert whole == {**row, "role": "maker", "fee": fee[0], "fee_ccy": fee[1]}
    assert await client.read(market_type, "user-deals", market="BTCUSDT", start_time=row["created_at"] + 1) is None
