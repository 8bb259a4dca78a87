"""The simulated HTX knows who asks, by key, signature and time, and tells accounts what they have."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.htx.auth import signature
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, did, open_account
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_htx_orders import SWAP, Client, now_ms, stamp

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
LISTS = {"spot": "v1/order/openOrders", "futures": f"{SWAP}/order/opens"}
UNSIGNED = {"spot": "api-signature-not-valid", "futures": 403}
NO_ACCOUNT = "account-get-accounts-inexistent-error"
KNOWN = {"SignatureMethod": "HmacSHA256", "SignatureVersion": "2", "Timestamp": "2026-01-02T03:04:05"}
KNOWN |= {"AccessKeyId": "testApiKey"}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "htx")
    return Client(simulator)


@pytest.mark.parametrize(
    ("method", "host", "path", "values", "expected"),
    [
        (
            "GET",
            "api.huobi.pro",
            "/v1/order/openOrders",
            KNOWN | {"account-id": "100009", "symbol": "btcusdt"},
            "LhTxrDIzMGWe1zxBAsJjJfX+EKixBpfFjclP43ZX4AI=",
        ),
        ("POST", "api.hbdm.com", "/v5/trade/order", KNOWN, "E1LD+NMmYziKGx4vgPxkpuymd09D4Rh3QFOBOvoyz/0="),
        ("GET", "api.hbdm.com", "/ws/v5/notification", KNOWN, "LiOh3z3Eie6+q+AKPY+E9+Hh6+POhXNpGzvfJZHlsv8="),
        (
            "GET",
            "api.huobi.pro",
            "/ws/v2",
            {
                "accessKey": "testApiKey",
                "signatureMethod": "HmacSHA256",
                "signatureVersion": "2.1",
                "timestamp": "2026-01-02T03:04:05",
            },
            "p3rJZuaEFGfwJ9GprjtapUVN15tg9NkmH8uZAkRBEs8=",
        ),
    ],
)
def test_the_known_signatures_are_those_that_are_asked_for(
    method: str, host: str, path: str, values: dict[str, Any], expected: str
) -> None:
    assert signature("testSecret", method, host, path, values) == expected


@pytest.mark.parametrize(
    "auth",
    [
        {"AccessKeyId": None},
        {"AccessKeyId": "nobody"},
        {"SignatureMethod": "HmacMD5"},
        {"SignatureVersion": "1"},
        {"Timestamp": None},
        {"Timestamp": "yesterday"},
        {"Timestamp": "2026-99-99T00:00:00"},
    ],
)
@BOTH
async def test_a_request_that_is_not_signed_as_it_should_be_is_refused(
    client: Client, market_type: str, auth: dict[str, Any]
) -> None:
    path, params = await client.limit(market_type)
    assert await client.refused("POST", path, auth=auth, **params) == UNSIGNED[market_type]
    assert await accepted(client.simulator, "htx") == []


@BOTH
async def test_a_wrong_signature_is_refused(client: Client, market_type: str) -> None:
    assert await client.refused("GET", LISTS[market_type], signature="nonsense") == UNSIGNED[market_type]
    assert await Client(client.simulator, secret="wrong").refused("GET", LISTS[market_type]) == UNSIGNED[market_type]


@pytest.mark.parametrize(("minutes", "fits"), [(-6, False), (-4, True), (4, True), (6, False)])
@BOTH
async def test_the_time_of_a_request_may_be_five_minutes_off(
    client: Client, market_type: str, minutes: int, fits: bool
) -> None:
    auth = {"Timestamp": stamp(now_ms() + minutes * 60_000)}
    code = await client.refused("GET", LISTS[market_type], auth=auth)
    assert code == (0 if fits else UNSIGNED[market_type])


@BOTH
async def test_a_key_from_elsewhere_is_refused(client: Client, market_type: str) -> None:
    await open_account(client.simulator, "htx", name="boris", key="far", secret="s", ip_allowed=False)
    far = Client(client.simulator, key="far", secret="s")
    assert await far.refused("GET", LISTS[market_type]) == UNSIGNED[market_type]


@BOTH
async def test_a_key_without_the_permission_may_read_and_not_trade(client: Client, market_type: str) -> None:
    await open_account(client.simulator, "htx", name="boris", key="r", secret="s", permissions=["read"])
    reader = Client(client.simulator, key="r", secret="s")
    assert await reader.open_orders(market_type) == []
    path, params = await reader.limit(market_type)
    assert await reader.refused("POST", path, **params) == UNSIGNED[market_type]


async def test_a_spot_balance_has_two_rows_for_each_coin(client: Client) -> None:
    await client.place("spot")
    told = await client.done("GET", f"v1/account/accounts/{await client.account_id()}/balance")
    usdt = {row["type"]: row["balance"] for row in told["list"] if row["currency"] == "usdt"}
    assert usdt == {"trade": "9999500", "frozen": "500"}
    refused = await client.refused("GET", "v1/account/accounts/1/balance")
    assert refused == NO_ACCOUNT


async def test_a_balance_of_swaps_holds_margin_back(client: Client) -> None:
    number = await client.place("futures")
    (usdt,) = [row for row in (await client.done("GET", "v5/account/balance"))["details"] if row["currency"] == "USDT"]
    value = Decimal(10) * 50_000 * client.simulator.exchanges["htx"].listings["futures", "BTC-USDT"].contract
    assert Decimal(usdt["equity"]) == 10_000_000
    assert Decimal(usdt["available"]) == 10_000_000 - value / 20
    await client.cancel("futures", number)


async def test_a_position_is_told_with_its_entry_and_closed(client: Client) -> None:
    await client.place("futures", side="sell", type="market", price=None, margin_mode="isolated")
    (row,) = await client.done("GET", f"{SWAP}/position/opens", contract_code="BTC-USDT")
    assert (row["direction"], row["position_side"], row["volume"]) == ("sell", "both", "10")
    assert (row["margin_mode"], Decimal(row["open_avg_price"]) > 0) == ("isolated", True)
    await client.place("futures", type="market", price=None, margin_mode="isolated", reduce_only=1)
    assert await client.done("GET", f"{SWAP}/position/opens") == []


async def test_hedge_mode_wants_a_side(client: Client) -> None:
    assert await client.done("POST", "v5/position/mode", position_mode="dual_side") == {"position_mode": "dual_side"}
    path, values = await client.limit("futures")
    assert await client.refused("POST", path, **values) == 4007
    number = await client.place("futures", position_side="long")
    assert (await client.query("futures", number))["position_side"] == "long"
    assert await client.refused("POST", "v5/position/mode", position_mode="single_side") == 4007


async def test_leverage_is_set_and_told(client: Client) -> None:
    params = {"contract_code": "BTC-USDT", "margin_mode": "cross"}
    told = await client.done("POST", "v5/position/lever", **params, lever_rate=10)
    assert told == {"contract_code": "BTC-USDT", "margin_mode": "cross", "lever_rate": 10}
    assert (await client.query("futures", await client.place("futures")))["lever_rate"] == 10
    assert await client.refused("POST", "v5/position/lever", **params, lever_rate=1000) == 1094


async def test_funding_is_a_bill(client: Client) -> None:
    await client.place("futures", type="market", price=None)
    await did(client.simulator, "funding", exchange="htx", symbol="BTC-USDT", rate="0.0001")
    (row,) = await client.done("GET", "v5/account/bills", contract_code="BTC-USDT", type="30,31")
    assert (row["type"], row["currency"], Decimal(row["amount"]) < 0) == ("31", "USDT", True)
    assert await client.done("GET", "v5/account/bills", contract_code="BTC-USDT", type="30") == []


async def test_a_key_tells_what_it_may_do_and_what_it_pays(client: Client) -> None:
    uid = await client.done("GET", "v2/user/uid")
    (key,) = await client.done("GET", "v2/user/api-key", uid=uid, accessKey=client.key)
    assert (key["permission"], key["status"]) == ("readOnly,trade", "normal")
    assert await client.refused("GET", "v2/user/api-key", uid=1) == 2002
    assert await client.refused("GET", "v2/user/uid", signature="x") == 1003
    (fees,) = await client.done("GET", "v2/reference/transact-fee-rate", symbols="btcusdt")
    assert (fees["makerFeeRate"], fees["actualTakerRate"]) == ("0.002", "0.002")
    (fees,) = await client.done("POST", "linear-swap-api/v1/swap_fee", contract_code="BTC-USDT")
    assert (fees["open_maker_fee"], fees["close_taker_fee"]) == ("0.0002", "0.0006")
