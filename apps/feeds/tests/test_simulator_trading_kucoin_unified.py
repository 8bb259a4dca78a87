"""The simulated KuCoin keeps classic and unified accounts apart, and takes orders of unified ones, both markets."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, control, fill
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_kucoin_trading import FUTURES, PLACE, SYMBOLS, Client, futures, open_here, spot, unified

UA = "api.kucoin.com/api/ua/v2"
ORDER = f"{UA}/unified/order"
BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])


@pytest.fixture
async def ursula(simulator: Simulator) -> Client:
    """Of a unified account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_here(simulator, name="ursula", key="key-of-ursula", secret="secret-of-ursula", kind="unified")
    return Client(simulator, key="key-of-ursula", secret="secret-of-ursula")


def named(market_type: str, **more: Any) -> dict[str, Any]:
    return {"tradeType": market_type.upper(), "symbol": SYMBOLS[market_type], **more}


async def test_an_account_tells_which_kind_it_is(ursula: Client) -> None:
    await open_here(ursula.simulator)
    assert (await ursula.done("GET", f"{UA}/account/mode"))["selfAccountMode"] == "UNIFIED"
    anna = Client(ursula.simulator)
    assert (await anna.done("GET", f"{UA}/account/mode"))["selfAccountMode"] == "CLASSIC"
    assert await anna.refused("POST", f"{ORDER}/place", **unified("spot")) == "112010"
    assert await ursula.refused("POST", PLACE["spot"], **spot()) == "400007"
    assert await ursula.refused("POST", PLACE["futures"], **futures()) == "400007"
    assert await ursula.refused("GET", f"{FUTURES}/positions") == "400007"
    assert await accepted(ursula.simulator, "kucoin") == []


@pytest.mark.parametrize("version", ["v1", "v2"])
@BOTH
async def test_an_order_is_placed_read_back_and_cancelled(ursula: Client, market_type: str, version: str) -> None:
    path = f"api.kucoin.com/api/ua/{version}/unified/order"
    placed = await ursula.done("POST", f"{path}/place", **unified(market_type))
    assert (placed["tradeType"], placed["clientOid"], len(str(placed["ts"]))) == (market_type.upper(), "m-1", 19)
    told = await ursula.done("GET", f"{path}/detail", **named(market_type, clientOid="m-1"))
    assert (told["orderId"], told["status"], told["price"], told["filledSize"]) == (placed["orderId"], 2, "50000", "0")
    assert await ursula.done("GET", f"{path}/detail", orderId=placed["orderId"]) == told
    page = await ursula.done("GET", f"{path}/open-list", **named(market_type))
    assert (page["totalNum"], page["tradeType"]) == (1, market_type.upper())
    assert page["items"] == [{name: told[name] for name in told if name not in ("tradeType", "tradeId")}]
    gone = await ursula.done("POST", f"{path}/cancel", **named(market_type, orderId=placed["orderId"]))
    assert (gone["orderId"], gone["clientOid"]) == (placed["orderId"], "m-1")
    told = await ursula.done("GET", f"{path}/detail", clientOid="m-1")
    assert (told["status"], told["cancelSize"], told["cancelReason"]) == (5, told["size"], "USER")
    assert await ursula.refused("POST", f"{path}/cancel", **named(market_type, clientOid="m-1")) == "400100"


@BOTH
async def test_a_partial_fill_and_its_fee_are_told(ursula: Client, market_type: str) -> None:
    placed = await ursula.done("POST", f"{ORDER}/place", **unified(market_type))
    part, fee = ("0.004", "0.2") if market_type == "spot" else ("4", "0.04")
    await fill(ursula.simulator, "kucoin", placed["orderId"], part, "ursula")
    told = await ursula.done("GET", f"{ORDER}/detail", **named(market_type, clientOid="m-1"))
    assert (told["status"], told["filledSize"], told["avgPrice"], told["fee"]) == (4, part, "50000", fee)
    (row,) = (await ursula.done("GET", f"{ORDER}/execution", **named(market_type)))["items"]
    assert (row["orderId"], row["size"], row["fee"], row["feeCurrency"], row["liquidityRole"]) == (
        placed["orderId"],
        part,
        fee,
        "USDT",
        "MAKER",
    )
    assert told["tradeId"] == row["tradeId"]
    older = named(market_type, lastId=int(row["tradeId"]))
    assert (await ursula.done("GET", f"{ORDER}/execution", **older))["items"] == []
    gone = await ursula.done("POST", f"{ORDER}/cancel-all", **named(market_type))
    assert gone["items"] == [{"orderId": placed["orderId"]}]
    (done,) = (await ursula.done("GET", f"{ORDER}/history", **named(market_type)))["items"]
    assert (done["status"], done["filledSize"]) == (6, part)


async def test_a_market_buy_may_say_what_it_spends(ursula: Client) -> None:
    money = unified("spot", orderType="MARKET", price=None, size="1000", sizeUnit="QUOTECCY")
    await ursula.done("POST", f"{ORDER}/place", **money)
    told = await ursula.done("GET", f"{ORDER}/detail", **named("spot", clientOid="m-1"))
    assert (told["status"], told["size"], told["sizeUnit"], told["price"]) == (3, "1000", "QUOTECCY", "")
    assert 990 < Decimal(told["filledSize"]) <= 1000


async def test_spot_and_futures_share_one_wallet(ursula: Client) -> None:
    await ursula.done("POST", f"{ORDER}/place", **unified("spot"))
    await ursula.done("POST", f"{ORDER}/place", **unified("futures", clientOid="m-2"))
    (told,) = (await ursula.done("GET", f"{UA}/unified/account/balance"))["accounts"]
    row = next(row for row in told["currencies"] if row["currency"] == "USDT")
    assert (Decimal(row["balance"]), Decimal(row["hold"]), Decimal(row["available"])) == (
        10_000_000,
        Decimal("525.5"),
        Decimal("9999474.5"),
    )


async def test_positions_funding_fees_and_leverage_are_told(ursula: Client) -> None:
    assert await ursula.done("GET", f"{UA}/unified/position/open-list") == []
    placed = await ursula.done("POST", f"{ORDER}/place", **unified("futures", side="SELL", price="100000"))
    await fill(ursula.simulator, "kucoin", placed["orderId"], "4", "ursula")
    (row,) = await ursula.done("GET", f"{UA}/unified/position/open-list")
    assert (row["symbol"], row["size"], row["entryPrice"], row["marginMode"]) == ("XBTUSDTM", "-4", "100000", "CROSS")
    await control(ursula.simulator, "funding", exchange="kucoin", symbol="XBTUSDTM", rate="0.0001")
    (paid,) = (await ursula.done("GET", f"{UA}/position/funding-history", symbol="XBTUSDTM"))["items"]
    assert (paid["symbol"], paid["fundingRate"], Decimal(paid["fundingFee"]) > 0) == ("XBTUSDTM", "0.0001", True)
    told = await ursula.done("GET", f"{UA}/user/fee-rate", **named("futures"))
    assert told["list"] == [{"symbol": "XBTUSDTM", "takerFeeRate": "0.0006", "makerFeeRate": "0.0002"}]
    path = f"{UA}/unified/account/modify-leverage"
    assert await ursula.done("POST", path, symbol="XBTUSDTM", leverage="7") == {"symbol": "XBTUSDTM", "leverage": "7"}
    assert await ursula.refused("POST", path, symbol="XBTUSDTM", leverage="126") == "300000"
    (row,) = await ursula.done("GET", f"{UA}/unified/position/open-list")
    assert row["leverage"] == "7"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (unified("spot", symbol="NO-COIN"), "900001"),
        (unified("spot", tradeType="MOON"), "400100"),
        (unified("spot", side="buy"), "400100"),
        (unified("spot", size=None), "400100"),
        (unified("spot", price=None), "400100"),
        (unified("spot", sizeUnit="UNIT"), "400100"),
        (unified("spot", sizeUnit="QUOTECCY"), "400100"),
        (unified("spot", price="50000.05"), "600100"),
        (unified("spot", size="0.010000001"), "600100"),
        (unified("spot", size="1000"), "200004"),
        (unified("spot", reduceOnly=True), "400100"),
        (unified("futures", size="1.5"), "300000"),
        (unified("futures", size="90000000"), "300003"),
        (unified("futures", reduceOnly=True), "300009"),
        (unified("futures", leverage=126), "300000"),
    ],
)
async def test_a_wrong_order_is_refused_with_its_own_code(
    ursula: Client, params: dict[str, Any], expected: str
) -> None:
    assert await ursula.refused("POST", f"{ORDER}/place", **params) == expected
    assert await accepted(ursula.simulator, "kucoin") == []


async def test_an_order_names_its_margin_mode_unless_the_symbol_is_engaged_in_the_other_one(ursula: Client) -> None:
    path = f"{UA}/unified/position/margin-mode"
    assert (await ursula.done("GET", path, symbol="XBTUSDTM"))["marginMode"] == "CROSS"
    await ursula.done("POST", f"{ORDER}/place", **unified("futures", marginMode="ISOLATED"))
    assert (await ursula.done("GET", path, symbol="XBTUSDTM"))["marginMode"] == "ISOLATED"
    other = unified("futures", marginMode="CROSS", clientOid="m-2")
    assert await ursula.refused("POST", f"{ORDER}/place", **other) == "330005"
    assert await ursula.refused("POST", path, symbol="XBTUSDTM", marginMode="CROSS") == "330006"


@BOTH
async def test_a_client_id_is_taken_for_ever_and_an_unknown_order_is_unknown(ursula: Client, market_type: str) -> None:
    await ursula.done("POST", f"{ORDER}/place", **unified(market_type))
    assert await ursula.refused("POST", f"{ORDER}/place", **unified(market_type)) == "126044"
    assert await ursula.refused("GET", f"{ORDER}/detail", **named(market_type, clientOid="x")) == "400100"
    assert await ursula.refused("GET", f"{ORDER}/detail", **named(market_type)) == "400100"
