"""What the simulated KuCoin tells of orders and accounts has the fields of the written-down answers and pushes."""

import json
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.captures import lines
from apps.feeds.tests.plain_accounts import fill
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_kucoin_trading import (
    FUTURES,
    PLACE,
    SPOT,
    Client,
    event,
    open_here,
    private,
    push,
    pushes,
    spot,
    unified,
)

pytestmark = pytest.mark.captures
UA = "api.kucoin.com/api/ua/v2/unified"
NUMBERS = {int, float}
# What some answers have besides: of hedge mode, and of later versions of a push.
MORE = {"positionSide", "price", "id", "isInverse", "maintainMargin", "posCommCommon", "posCrossMargin"}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of a classic account that has orders on both markets, filled in part."""
    await order(simulator, "freeze")
    await open_here(simulator)
    return Client(simulator)


@pytest.fixture
async def ursula(simulator: Simulator) -> Client:
    """Of a unified account."""
    await order(simulator, "freeze")
    await open_here(simulator, name="ursula", key="key-of-ursula", secret="secret-of-ursula", kind="unified")
    return Client(simulator, key="key-of-ursula", secret="secret-of-ursula")


async def place(client: Client, market_type: str, part: str) -> None:
    placed = await client.place(market_type)
    await fill(client.simulator, "kucoin", placed["orderId"], part)


def answered(captures: Path, file: str, request: str) -> Any:
    """The data of a written-down answer."""
    rows = [json.loads(line) for line in lines(captures, "kucoin", file)]
    return next(row["response"]["data"] for row in rows if row["request"].startswith(request))


def told(captures: Path, file: str, number: int) -> Any:
    frame = json.loads(lines(captures, "kucoin", file)[number])
    return frame.get("data") or frame["d"]


def row_of(data: Any) -> dict[str, Any]:
    """The last row of a list, or the only one there is."""
    if isinstance(data, dict) and "items" in data:
        data = data["items"]
    row: dict[str, Any] = data[-1] if isinstance(data, list) else data
    return row


def assert_alike(ours: Any, theirs: Any) -> None:
    """The same names, and values of the same JSON type where both have one."""
    row, sample = row_of(ours), row_of(theirs)
    assert set(sample) - set(row) == set()
    assert set(row) - set(sample) <= MORE
    for name in sample:
        kinds = {type(row[name]), type(sample[name])} - {type(None)}
        assert len(kinds) <= 1 or kinds <= NUMBERS, name


@pytest.mark.parametrize(
    ("path", "params", "request_"),
    [
        (f"{SPOT}/orders/client-order/m-1", {"symbol": "BTC-USDT"}, "GET /api/v1/hf/orders/client-order"),
        (f"{SPOT}/orders/active", {"symbol": "BTC-USDT"}, "GET /api/v1/hf/orders/active"),
        (f"{SPOT}/fills", {"symbol": "BTC-USDT"}, "GET /api/v1/hf/fills"),
        ("api.kucoin.com/api/v1/accounts", {"currency": "USDT"}, "GET /api/v1/accounts"),
    ],
)
async def test_answers_of_spot(
    client: Client, captures: Path, path: str, params: dict[str, Any], request_: str
) -> None:
    await place(client, "spot", "0.004")
    assert_alike(await client.done("GET", path, **params), answered(captures, "rest_spot.jsonl", request_))


async def test_the_answer_of_spot_that_is_waited_for(client: Client, captures: Path) -> None:
    ours = await client.done("POST", f"{PLACE['spot']}/sync", **spot())
    assert_alike(ours, answered(captures, "rest_spot.jsonl", "POST /api/v1/hf/orders/sync"))


@pytest.mark.parametrize(
    ("path", "params", "request_"),
    [
        (f"{FUTURES}/orders/byClientOid", {"clientOid": "m-1"}, "GET /api/v1/orders/byClientOid"),
        (f"{FUTURES}/orders", {"status": "active"}, "GET /api/v1/orders"),
        (f"{FUTURES}/recentFills", {}, "GET /api/v1/recentFills"),
        (f"{FUTURES}/positions", {}, "GET /api/v1/positions"),
        (f"{FUTURES}/account-overview", {"currency": "USDT"}, "GET /api/v1/account-overview"),
    ],
)
async def test_answers_of_futures(
    client: Client, captures: Path, path: str, params: dict[str, Any], request_: str
) -> None:
    await place(client, "futures", "4")
    assert_alike(await client.done("GET", path, **params), answered(captures, "rest_futures.jsonl", request_))


@pytest.mark.parametrize(
    ("path", "params"),
    [("order/detail", {"clientOid": "m-1"}), ("order/open-list", {"tradeType": "FUTURES"}), ("position/open-list", {})],
)
async def test_answers_of_a_unified_account(ursula: Client, captures: Path, path: str, params: dict[str, Any]) -> None:
    placed = await ursula.done("POST", f"{UA}/order/place", **unified("futures"))
    assert_alike(placed, answered(captures, "rest_uta.jsonl", "POST /api/ua/v1/unified/order/place"))
    await fill(ursula.simulator, "kucoin", placed["orderId"], "4", "ursula")
    ours = await ursula.done("GET", f"{UA}/{path}", **params)
    assert_alike(ours, answered(captures, "rest_uta.jsonl", f"GET /api/ua/v1/unified/{path}"))


async def test_the_balance_of_a_unified_account(ursula: Client, captures: Path) -> None:
    ours = await ursula.done("GET", f"{UA}/account/balance")
    theirs = answered(captures, "rest_uta.jsonl", "GET /api/ua/v1/unified/account/balance")
    assert set(ours) == set(theirs)
    assert_alike(*(data["accounts"][0]["currencies"] for data in (ours, theirs)))


async def test_pushes_of_spot(client: Client, captures: Path) -> None:
    async with private(client, "spot", topic := "/spotMarket/tradeOrdersV2", money := "/account/balance") as connection:
        await client.place("spot")
        for number, kind in enumerate(("received", "open")):
            assert_alike(await event(connection, topic, kind), told(captures, "spot_private_events.jsonl", number))
        assert_alike(await event(connection, money), told(captures, "spot_private_events.jsonl", 2))


async def test_pushes_of_futures(client: Client, captures: Path) -> None:
    topics = ("/contractMarket/tradeOrders", "/contractAccount/wallet", "/contract/position:XBTUSDTM")
    async with private(client, "futures", *topics) as connection:
        await place(client, "futures", "4")
        assert_alike(await event(connection, topics[1]), told(captures, "futures_private_events.jsonl", 10))
        assert_alike(await event(connection, topics[0], "match"), told(captures, "futures_private_events.jsonl", 9))
        assert_alike(await event(connection, topics[2]), told(captures, "futures_private_events.jsonl", 1))


async def test_pushes_of_a_unified_account(ursula: Client, captures: Path) -> None:
    channels = [{"channel": name, "tradeType": "UNIFIED"} for name in ("orderAll", "execution.lite")]
    async with pushes(ursula, *channels, {"channel": "balance", "accountType": "UNIFIED"}) as connection:
        placed = await ursula.done("POST", f"{UA}/order/place", **unified("spot"))
        assert_alike(await push(connection, "orderAll.UNIFIED"), told(captures, "uta_private_frames.jsonl", 3))
        assert_alike(await push(connection, "balance.UNIFIED"), told(captures, "uta_private_frames.jsonl", 5))
        await fill(ursula.simulator, "kucoin", placed["orderId"], "0.004", "ursula")
        assert_alike(await push(connection, "execution.lite.UNIFIED"), told(captures, "uta_private_frames.jsonl", 4))
