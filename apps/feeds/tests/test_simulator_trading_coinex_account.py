"""The simulated CoinEx knows who asks, by key, signature and time, and tells accounts what they have."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.coinex.auth import signature
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, did, open_account
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_coinex_orders import TYPES, Client, limit, market, named, now_ms

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "coinex")
    return Client(simulator)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "GET/v2/spot/pending-order?market=BTCUSDT&market_type=SPOT&side=buy&page=1&limit=10",
            "cc09daee7d36defc08cbf519e73cffaae51dc6d9b02ee3b9663a86879ad4a00a",
        ),
        (
            (
                'POST/v2/spot/order{"market":"BTCUSDT","market_type":"SPOT","side":"buy","type":"limit",'
                '"amount":"0.001","price":"10000","client_id":"ct-000001"}'
            ),
            "7766e470a15dd327b21f4fdb55a7c81d8cf68f8e016a20bb2521c3147c34ca41",
        ),
        ("", "f5d9524ab7aff5ecc3cf8f4d317612295c11be1f08ee25fd47ccb55cf2e20695"),
    ],
)
def test_the_known_signatures_are_those_that_are_asked_for(text: str, expected: str) -> None:
    assert signature("testSecret", f"{text}1700490703564".encode()) == expected


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-COINEX-SIGN": "0" * 64}, 4006),
        ({"X-COINEX-SIGN": None}, 4006),
        ({"X-COINEX-TIMESTAMP": "yesterday"}, 4008),
        ({"X-COINEX-TIMESTAMP": "9" * 5000}, 4008),
        ({"X-COINEX-TIMESTAMP": "1700490703564"}, 4010),
        ({"X-COINEX-TIMESTAMP": "9999999999999"}, 4010),
        ({"X-COINEX-KEY": "nobody"}, 4005),
        ({"X-COINEX-KEY": None}, 4005),
    ],
)
@BOTH
async def test_a_request_that_is_not_signed_as_it_should_be_is_refused(
    client: Client, market_type: str, headers: dict[str, Any], code: int
) -> None:
    path, params = f"{market_type}/order", limit(market_type)
    assert await client.refused("POST", path, headers=headers, **params) == code
    assert await accepted(client.simulator, "coinex") == []


@BOTH
async def test_a_request_may_say_how_long_it_holds(client: Client, market_type: str) -> None:
    headers = {"X-COINEX-TIMESTAMP": str(now_ms() - 20_000), "X-COINEX-WINDOWTIME": "60000"}
    path = f"{market_type}/pending-order"
    assert await client.refused("GET", path, headers=headers, market_type=TYPES[market_type]) == 0
    headers["X-COINEX-WINDOWTIME"] = "10000"
    assert await client.refused("GET", path, headers=headers, market_type=TYPES[market_type]) == 4010


@BOTH
async def test_a_wrong_secret_or_address_is_refused(client: Client, market_type: str) -> None:
    path, params = f"{market_type}/pending-order", {"market_type": TYPES[market_type]}
    assert await Client(client.simulator, secret="wrong").refused("GET", path, **params) == 4006
    await open_account(client.simulator, "coinex", name="boris", key="far", secret="s", ip_allowed=False)
    assert await Client(client.simulator, key="far", secret="s").refused("GET", path, **params) == 4007


@BOTH
async def test_a_key_without_the_permission_may_read_and_not_trade(client: Client, market_type: str) -> None:
    await open_account(client.simulator, "coinex", name="boris", key="r", secret="s", permissions=["read"])
    reader = Client(client.simulator, key="r", secret="s")
    assert await reader.read(market_type, "pending-order") is None
    assert await reader.refused("POST", f"{market_type}/order", **limit(market_type)) == 4115


async def test_balances_of_spot_and_futures_are_wallets_of_their_own(client: Client) -> None:
    await client.place("spot")
    await client.place("futures")
    usdt = next(row for row in await client.done("GET", "assets/spot/balance") if row["ccy"] == "USDT")
    assert usdt == {"ccy": "USDT", "available": "9999500", "frozen": "500"}
    usdt = next(row for row in await client.done("GET", "assets/futures/balance") if row["ccy"] == "USDT")
    assert usdt == {
        "ccy": "USDT",
        "available": "9999975",
        "frozen": "25",
        "margin": "0",
        "transferrable": "9999975",
        "unrealized_pnl": "0",
    }


@pytest.mark.parametrize("wallet", ["spot", "futures"])
async def test_an_empty_wallet_is_null(client: Client, wallet: str) -> None:
    await open_account(client.simulator, "coinex", name="boris", key="b", secret="s", balances={})
    assert await Client(client.simulator, key="b", secret="s").done("GET", f"assets/{wallet}/balance") is None


async def test_a_position_is_told_and_closed(client: Client) -> None:
    assert await client.read("futures", "pending-position") is None
    placed = await client.done("POST", "futures/order", **market("futures", side="sell", amount="0.004"))
    (row,) = await client.read("futures", "pending-position", market="BTCUSDT")
    assert (row["side"], row["open_interest"], row["close_avbl"]) == ("short", "0.004", "0.004")
    assert Decimal(row["avg_entry_price"]) * Decimal("0.004") == Decimal(placed["filled_value"])
    assert (row["margin_mode"], row["leverage"]) == ("cross", "20")
    assert Decimal(row["margin_avbl"]) == pytest.approx(Decimal(placed["filled_value"]) / 20)
    close = {**named("futures"), "type": "market"}
    assert await client.refused("POST", "futures/close-position", **close, amount="0.005") == 4004
    closed = await client.done("POST", "futures/close-position", **close, amount="0.004")
    assert (closed["side"], closed["filled_amount"]) == ("buy", "0.004")
    assert await client.read("futures", "pending-position") is None
    assert await client.refused("POST", "futures/close-position", **close, amount="0.004") == 4004


async def test_leverage_and_margin_mode_are_set_together(client: Client) -> None:
    path, params = "futures/adjust-position-leverage", {**named("futures"), "margin_mode": "isolated"}
    assert await client.done("POST", path, **params, leverage=10) == {"margin_mode": "isolated", "leverage": 10}
    assert await client.refused("POST", path, **params, leverage=7) == 4004
    await client.done("POST", "futures/order", **market("futures"))
    (row,) = await client.read("futures", "pending-position")
    assert (row["margin_mode"], row["leverage"]) == ("isolated", "10")


async def test_funding_is_paid_by_one_side_and_listed(client: Client) -> None:
    await client.done("POST", "futures/order", **market("futures"))
    await did(client.simulator, "funding", exchange="coinex", symbol="BTCUSDT", rate="0.0001")
    (row,) = await client.read("futures", "position-funding-history", market="BTCUSDT")
    assert (row["side"], row["ccy"], row["funding_rate"]) == ("long", "USDT", "0.0001")
    assert Decimal(row["funding_value"]) > 0
    assert await client.read("futures", "position-funding-history", market="ETHUSDT") is None


@pytest.mark.parametrize(
    ("market_type", "maker", "taker"), [("spot", "0.002", "0.002"), ("futures", "0.0003", "0.0005")]
)
async def test_the_account_is_told_what_it_pays(client: Client, market_type: str, maker: str, taker: str) -> None:
    told = await client.done("GET", "account/trade-fee-rate", **named(market_type))
    assert told == {"market": "BTCUSDT", "maker_rate": maker, "taker_rate": taker}
