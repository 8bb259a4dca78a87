"""What the simulated CoinEx and HTX say of orders and accounts has the names and kinds of what the real ones said."""

import json
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests import plain_coinex_orders as coinex
from apps.feeds.tests import plain_htx_orders as htx
from apps.feeds.tests.captures import lines
from apps.feeds.tests.plain_accounts import open_account
from apps.feeds.tests.plain_client import order, receive
from apps.feeds.tests.shapes import ABSENT, differences

pytestmark = pytest.mark.captures
SPOT_ORDERS, SWAP = htx.SPOT_ORDERS, htx.SWAP


def cases(captures: Path, exchange: str, file: str) -> dict[str, Any]:
    """Recorded bodies by their names."""
    rows = [json.loads(line) for line in lines(captures, exchange, file)]
    return {row["_case"]: row["_body"] for row in rows}


def frames(captures: Path, exchange: str, file: str) -> list[Any]:
    return [json.loads(line) for line in lines(captures, exchange, file)]


@pytest.fixture
async def on_coinex(simulator: Simulator) -> coinex.Client:
    await order(simulator, "freeze")
    await open_account(simulator, "coinex")
    return coinex.Client(simulator)


@pytest.fixture
async def on_htx(simulator: Simulator) -> htx.Client:
    await order(simulator, "freeze")
    await open_account(simulator, "htx")
    return htx.Client(simulator)


@pytest.mark.parametrize("market_type", ["spot", "futures"])
async def test_answers_of_coinex_to_orders(on_coinex: coinex.Client, captures: Path, market_type: str) -> None:
    recorded = cases(captures, "coinex", "rest_v2.jsonl")
    placed = await on_coinex.ask("POST", f"{market_type}/order", **coinex.limit(market_type, client_id="mine-1"))
    assert differences(placed, recorded[f"{market_type}_order_place"]) == {}
    number = {"market": "BTCUSDT", "order_id": placed["data"]["order_id"]}
    told = await on_coinex.ask("GET", f"{market_type}/order-status", **number)
    assert market_type == "futures" or differences(told, recorded["spot_order_status"]) == {}
    path, named = f"{market_type}/cancel-order", {"market_type": coinex.TYPES[market_type]}
    gone = await on_coinex.ask("POST", path, **number, **named)
    assert differences(gone, recorded[f"{market_type}_cancel"]) == {}
    await on_coinex.place(market_type, client_id="mine-2")
    params = {"market": "BTCUSDT", **named}
    gone = await on_coinex.ask("POST", f"{path}-by-client-id", **params, client_id="mine-2")
    assert differences(gone, recorded[f"{market_type}_cancel_by_client_id"]) == {}
    gone = await on_coinex.ask("POST", f"{market_type}/cancel-all-order", **params)
    assert differences(gone, recorded[f"{market_type}_cancel_all"]) == {}


async def test_lists_of_coinex(on_coinex: coinex.Client, captures: Path) -> None:
    recorded = cases(captures, "coinex", "rest_v2.jsonl")
    await on_coinex.place("spot")
    for market_type in ("spot", "futures"):
        await on_coinex.done("POST", f"{market_type}/order", **coinex.market(market_type))
    asked = {
        "spot_pending": ("spot/pending-order", {"market_type": "SPOT"}),
        "spot_finished": ("spot/finished-order", {"market_type": "SPOT"}),
        "spot_balance": ("assets/spot/balance", {}),
        "futures_balance": ("assets/futures/balance", {}),
        "futures_positions": ("futures/pending-position", {"market_type": "FUTURES"}),
        "futures_user_deals": ("futures/user-deals", {"market_type": "FUTURES"}),
    }
    for case, (path, params) in asked.items():
        assert differences(await on_coinex.ask("GET", path, **params), recorded[case]) == {}, case


@pytest.mark.parametrize(("market_type", "position"), [("spot", 0), ("futures", 1)])
async def test_pushes_of_coinex(on_coinex: coinex.Client, captures: Path, market_type: str, position: int) -> None:
    spot_order, futures_order, deal, spot_money, futures_money, held = frames(captures, "coinex", "ws_private.jsonl")
    expected = {
        "order.update": (spot_order, futures_order)[position],
        "balance.update": (spot_money, futures_money)[position],
    }
    channels = ["order", "balance"]
    if market_type == "spot":
        expected["user_deals.update"] = deal  # of futures it names the position instead of the margin market
        channels.append("user_deals")
    else:
        expected["position.update"] = held
        channels.append("position")
    known = {"user_deals.update": {"data.client_id": ("number as text", "text")}} if market_type == "spot" else {}
    async with coinex.private(on_coinex, market_type, *channels) as connection:
        await on_coinex.done("POST", f"{market_type}/order", **coinex.market(market_type, client_id="123"))
        for _ in range(len(expected)):
            told = await receive(connection, lambda message: message.get("method") in expected)
            assert differences(told, expected.pop(told["method"])) == known.get(told["method"], {}), told["method"]


async def test_answers_of_htx_spot(on_htx: htx.Client, captures: Path) -> None:
    recorded = cases(captures, "htx", "rest_spot.jsonl")
    path, params = await on_htx.limit("spot", client_order_id="mine-1")
    placed = await on_htx.ask("POST", path, **params)
    assert differences(placed, recorded["order_place_ok"]) == {}
    balance = f"v1/account/accounts/{await on_htx.account_id()}/balance"
    asked = {
        "order_query": ("GET", f"{SPOT_ORDERS}/{placed['data']}"),
        "open_orders": ("GET", "v1/order/openOrders"),
        "cancel_ok": ("POST", f"{SPOT_ORDERS}/{placed['data']}/submitcancel"),
        "cancel_open_orders": ("POST", f"{SPOT_ORDERS}/batchCancelOpenOrders"),
        "accounts": ("GET", "v1/account/accounts"),
        "balance": ("GET", balance),
        "server_time": ("GET", "v1/common/timestamp"),
    }
    # The recorded list of open orders is of a time when they had no client ids.
    told_since = {"open_orders": {"data[].client-order-id": ("text", ABSENT)}}
    for case, (method, path) in asked.items():
        assert differences(await on_htx.ask(method, path), recorded[case]) == told_since.get(case, {}), case
    await on_htx.place("spot", type="buy-market", price=None, amount="1000")
    assert differences(await on_htx.ask("GET", "v1/order/matchresults"), recorded["my_trades"]) == {}


async def test_answers_of_htx_swaps(on_htx: htx.Client, captures: Path) -> None:
    recorded = cases(captures, "htx", "rest_linear_v5.jsonl")
    path, params = await on_htx.limit("futures")
    placed = await on_htx.ask("POST", path, **params)
    assert differences(placed, recorded["v5_order_place_ok"]) == {}
    named = {"contract_code": "BTC-USDT", "order_id": placed["data"]["order_id"]}
    assert differences(await on_htx.ask("GET", f"{SWAP}/order", **named), recorded["v5_order_query"]) == {}
    assert differences(await on_htx.ask("GET", f"{SWAP}/order/opens"), recorded["v5_open_orders"]) == {}
    assert differences(await on_htx.ask("POST", f"{SWAP}/cancel_order", **named), recorded["v5_cancel_ok"]) == {}
    await on_htx.place("futures")
    gone = await on_htx.ask("POST", f"{SWAP}/cancel_all_orders", contract_code="BTC-USDT")
    assert differences(gone, recorded["v5_cancel_all"]) == {}
    mode = await on_htx.ask("POST", "v5/position/mode", position_mode="single_side")
    assert differences(mode, recorded["v5_set_position_mode"]) == {}
    leverage = {"contract_code": "BTC-USDT", "margin_mode": "cross", "lever_rate": 10}
    assert differences(await on_htx.ask("POST", "v5/position/lever", **leverage), recorded["v5_set_leverage"]) == {}
    await on_htx.place("futures", type="market", price=None)
    asked = {
        "v5_balance": "v5/account/balance",
        "v5_positions": f"{SWAP}/position/opens",
        "v5_order_details_trades": f"{SWAP}/order/details",
        "v5_order_history": f"{SWAP}/order/history",
    }
    for case, path in asked.items():
        assert differences(await on_htx.ask("GET", path), recorded[case]) == {}, case


async def test_pushes_of_htx_spot(on_htx: htx.Client, captures: Path) -> None:
    *_, creation, trade, _, cancel = frames(captures, "htx", "spot_private_orders.jsonl")
    (clearing,) = frames(captures, "htx", "spot_private_trade_clearing.jsonl")
    *_, money = frames(captures, "htx", "spot_private_accounts.jsonl")

    async def next_of(ch: str) -> Any:
        return await receive(connection, lambda message: message.get("ch") == ch)

    async with htx.private(on_htx, "spot", "orders#*") as connection:
        number = await on_htx.place("spot")
        assert differences(await next_of("orders#*"), creation) == {}
        await on_htx.cancel("spot", number)
        assert differences(await next_of("orders#*"), cancel) == {}
        await on_htx.place("spot", type="sell-market", price=None)
        await next_of("orders#*")
        assert differences(await next_of("orders#*"), trade) == {}
    async with htx.private(on_htx, "spot", "trade.clearing#btcusdt#1", "accounts.update#2") as connection:
        assert differences(await next_of("accounts.update#2"), money) == {}
        await on_htx.place("spot", type="buy-market", price=None, amount="1000")
        told_since = {"data.clientOrderId": ("text", ABSENT)}
        assert differences(await next_of("trade.clearing#btcusdt#1"), clearing) == told_since


async def test_pushes_of_htx_swaps(on_htx: htx.Client, captures: Path) -> None:
    expected = {frame["topic"]: frame for frame in frames(captures, "htx", "linear_private_v5.jsonl")}
    async with htx.private(on_htx, "futures", *expected) as connection:
        await on_htx.place("futures", type="market", price=None)
        while expected:
            told = await receive(connection, lambda message: message.get("topic") in expected)
            assert differences(told, expected.pop(told["topic"])) == {}, told["topic"]
