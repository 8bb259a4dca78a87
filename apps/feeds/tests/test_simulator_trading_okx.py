"""The simulated OKX takes orders as OKX does: signatures, parameters, answers, refusals, the account."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.okx.auth import signature
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, did, fill, open_account
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_okx import (
    KIND,
    PASSPHRASE,
    SYMBOL,
    Client,
    iso,
    limit,
    market,
    order_push,
    private,
)
from apps.feeds.tests.waiting import until

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
PART = {"spot": "0.4", "futures": "0.4"}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "okx", passphrase=PASSPHRASE)
    return Client(simulator)


# who asks


DOCUMENTED_ORDER = (
    '2026-01-02T03:04:05.678ZPOST/api/v5/trade/order{"instId":"BTC-USDT","tdMode":"cash","side":"buy",'
    '"ordType":"limit","px":"30000","sz":"0.001","clOrdId":"ct0001"}'
)


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        (
            "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO",
            "2020-12-08T09:08:57.715ZGET/api/v5/account/balance",
            "PJ61e1nb2F2Qd7D8SPiaIcx2gjdELc+o0ygzre9z33k=",
        ),
        ("okxSecret01", DOCUMENTED_ORDER, "UPg4hbUAWRMe9IotiFN6Pmb4VMQkMsxtXBjtTD1p2WQ="),
        ("okxSecret01", "1767323045GET/users/self/verify", "i/WExINoOIgQVa5wkCj0vfD5pJw7V24wPhU2KruGYl4="),
    ],
)
def test_the_documented_signatures_are_those_that_are_asked_for(secret: str, text: str, expected: str) -> None:
    assert signature(secret, text) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"OK-ACCESS-KEY": ""}, (401, "50103")),
        ({"OK-ACCESS-PASSPHRASE": ""}, (401, "50104")),
        ({"OK-ACCESS-SIGN": ""}, (401, "50106")),
        ({"OK-ACCESS-TIMESTAMP": ""}, (401, "50107")),
        ({"OK-ACCESS-TIMESTAMP": "1767323045"}, (401, "50112")),
        ({"OK-ACCESS-TIMESTAMP": "2026-01-02T03:04:05.678Z"}, (401, "50102")),
        ({"OK-ACCESS-TIMESTAMP": "2100-01-01T00:00:00.000Z"}, (401, "50102")),
        ({"OK-ACCESS-KEY": "nobody"}, (401, "50111")),
        ({"OK-ACCESS-PASSPHRASE": "wrong"}, (401, "50105")),
        ({"OK-ACCESS-SIGN": "d3Jvbmc="}, (401, "50113")),
        ({"x-simulated-trading": "1"}, (401, "50101")),
    ],
)
async def test_a_request_that_is_not_signed_as_it_should_be_is_refused(
    client: Client, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert await client.failed("GET", "account/balance", None, headers) == expected


async def test_a_key_may_be_used_from_its_own_addresses_only(client: Client) -> None:
    await open_account(client.simulator, "okx", name="boris", key="far", secret="s", passphrase="p", ip_allowed=False)
    far = Client(client.simulator, key="far", secret="s", passphrase="p")
    assert await far.failed("GET", "account/balance") == (401, "50110")


async def test_a_key_without_the_permission_may_read_and_not_trade(client: Client) -> None:
    await open_account(client.simulator, "okx", name="boris", key="r", secret="s", passphrase="p", permissions=["read"])
    reader = Client(client.simulator, key="r", secret="s", passphrase="p")
    assert await reader.read("trade/orders-pending") == []
    assert await reader.failed("POST", "trade/order", limit("spot")) == (401, "50120")
    assert (await reader.read("account/config"))[0]["perm"] == "read_only"


async def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    assert await client.failed("POST", "trade/order", "{") == (400, "50002")
    plain = {"Content-Type": "text/plain"}
    assert await client.failed("POST", "trade/order", limit("spot"), plain) == (400, "50006")


@pytest.mark.parametrize(
    "body", ["{", "[]", "1", "null", "{}", "[[]]", '{"instId":[],"ordId":{}}', '{"ordId":1}', "\xff"]
)
@pytest.mark.parametrize(
    "name",
    ["order", "batch-orders", "cancel-order", "cancel-batch-orders", "../account/set-leverage"],
)
async def test_nonsense_is_refused_like_all_else(client: Client, name: str, body: str) -> None:
    path = name.removeprefix("../") if name.startswith("../") else f"trade/{name}"
    status, answer = await client.ask("POST", path, body)
    assert (status, answer["code"] != "0") in ((200, True), (400, True))


# orders


@BOTH
async def test_an_order_is_placed_read_back_and_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, clOrdId="mine1")
    assert (placed["clOrdId"], placed["sCode"], placed["sMsg"]) == ("mine1", "0", "")
    told = await client.order(market_type, clOrdId="mine1")
    assert (told["ordId"], told["state"], told["px"], told["sz"]) == (placed["ordId"], "live", "50000", "1")
    assert (told["avgPx"], told["fillSz"], told["tradeId"], told["fillTime"]) == ("0", "0", "0", "0")
    assert "execType" not in told
    assert "fillFee" not in told
    assert await client.read("trade/orders-pending", instType=KIND[market_type]) == [told]
    named = {"instId": SYMBOL[market_type], "ordId": placed["ordId"]}
    assert (await client.done("trade/cancel-order", named))["ordId"] == placed["ordId"]
    assert await client.read("trade/orders-pending") == []
    assert (await client.order(market_type, ordId=placed["ordId"]))["state"] == "canceled"
    (row,) = await client.read("trade/orders-history", instType=KIND[market_type])
    assert (row["ordId"], row["cancelSource"]) == (placed["ordId"], "1")
    assert await client.refused("trade/cancel-order", named) == "51401"


async def test_what_is_done_cannot_be_cancelled(client: Client) -> None:
    placed = await client.done("trade/order", market("spot", sz="0.01"))
    named = {"instId": "BTC-USDT", "ordId": placed["ordId"]}
    assert await client.refused("trade/cancel-order", named) == "51402"
    assert await client.refused("trade/cancel-order", {"instId": "BTC-USDT", "clOrdId": "nothing"}) == "51400"
    assert await client.failed("GET", "trade/order", instId="BTC-USDT", clOrdId="nothing") == (200, "51603")
    assert await client.failed("GET", "trade/order", instId="BTC-USDT") == (200, "51000")


async def test_a_market_buy_of_spot_counts_money_unless_it_says_otherwise(client: Client) -> None:
    placed = await client.done("trade/order", market("spot", tgtCcy=None, sz="1000"))
    told = await client.order("spot", ordId=placed["ordId"])
    assert (told["state"], told["tgtCcy"], told["sz"], told["feeCcy"]) == ("filled", "quote_ccy", "1000", "BTC")
    assert 990 < Decimal(told["accFillSz"]) * Decimal(told["avgPx"]) <= 1000
    placed = await client.done("trade/order", market("spot", sz="0.5"))
    told = await client.order("spot", ordId=placed["ordId"])
    assert (told["state"], told["tgtCcy"], told["accFillSz"]) == ("filled", "base_ccy", "0.5")


async def test_contracts_are_what_a_futures_order_counts(client: Client) -> None:
    placed = await client.done("trade/order", market("futures", sz="3"))
    told = await client.order("futures", ordId=placed["ordId"])
    assert (told["state"], told["accFillSz"], told["feeCcy"], told["px"]) == ("filled", "3", "USDT", "")
    (held,) = await client.read("account/positions", instType="SWAP")
    assert (held["pos"], held["posSide"], held["mgnMode"]) == ("3", "net", "cross")
    assert Decimal(held["notionalUsd"]) == 3 * Decimal("0.01") * Decimal(held["markPx"])
    fee = 3 * Decimal("0.01") * Decimal(told["avgPx"]) * Decimal("0.0005")
    assert Decimal(told["fee"]) == pytest.approx(-fee)


@BOTH
async def test_what_an_immediate_order_leaves_is_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, ordType="ioc")
    told = await client.order(market_type, ordId=placed["ordId"])
    assert (told["state"], told["accFillSz"], told["cancelSource"]) == ("canceled", "0", "14")


@BOTH
async def test_a_post_only_order_that_would_take_is_taken_on_and_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, ordType="post_only", px="200000")
    told = await client.order(market_type, ordId=placed["ordId"])
    assert (told["state"], told["cancelSource"]) == ("canceled", "31")
    rests = await client.place(market_type, ordType="post_only")
    assert (await client.order(market_type, ordId=rests["ordId"]))["state"] == "live"


@pytest.mark.parametrize(
    ("market_type", "params", "code"),
    [
        ("spot", {"instId": "NO-COIN"}, "51001"),
        ("spot", {"instId": None}, "51000"),
        ("spot", {"instId": "WAVES-USDT", "px": "1"}, "51022"),
        ("spot", {"px": "50000.001"}, "51000"),
        ("spot", {"px": None}, "51000"),
        ("spot", {"px": 50000}, "51000"),
        ("spot", {"sz": "0.010000005"}, "51121"),
        ("spot", {"sz": "0.00000999"}, "51020"),
        ("spot", {"sz": "0.000000001"}, "51020"),
        ("spot", {"sz": "1000"}, "51008"),
        ("spot", {"sz": "-1"}, "51000"),
        ("spot", {"tdMode": "cross"}, "51000"),
        ("spot", {"ordType": "dance"}, "51000"),
        ("spot", {"ordType": "optimal_limit_ioc"}, "51000"),
        ("spot", {"side": "hold"}, "51000"),
        ("spot", {"clOrdId": "not-an-id"}, "51000"),
        ("spot", {"clOrdId": "a" * 33}, "51000"),
        ("spot", {"stpMode": "never"}, "51000"),
        ("futures", {"instId": "NO-COIN-SWAP"}, "51001"),
        ("futures", {"tdMode": "cash"}, "51000"),
        ("futures", {"sz": "0.015"}, "51121"),
        ("futures", {"sz": "0.001"}, "51020"),
        ("futures", {"sz": "10000000"}, "51008"),
        ("futures", {"posSide": "long"}, "51000"),
        ("futures", {"reduceOnly": True}, "51169"),
        ("futures", {"reduceOnly": "perhaps"}, "51000"),
    ],
)
async def test_a_wrong_order_is_refused_with_its_own_code(
    client: Client, market_type: str, params: dict[str, Any], code: str
) -> None:
    assert await client.refused("trade/order", limit(market_type, **params)) == code
    assert await accepted(client.simulator, "okx") == []


@BOTH
async def test_a_client_id_is_taken_while_its_order_is_open(client: Client, market_type: str) -> None:
    await client.place(market_type, clOrdId="mine")
    assert await client.refused("trade/order", limit(market_type, clOrdId="mine")) == "51016"
    await client.done("trade/cancel-order", {"instId": SYMBOL[market_type], "clOrdId": "mine"})
    assert (await client.place(market_type, clOrdId="mine"))["clOrdId"] == "mine"


@BOTH
async def test_an_order_that_is_too_late_for_its_own_expiry_is_not_taken(client: Client, market_type: str) -> None:
    late = {"expTime": "1700000000000"}
    assert await client.failed("POST", "trade/order", limit(market_type), late) == (200, "50036")
    assert await client.failed("POST", "trade/order", limit(market_type), {"expTime": "soon"}) == (200, "51000")
    assert await accepted(client.simulator, "okx") == []
    await client.ask("POST", "trade/order", limit(market_type), {"expTime": "9999999999999"})
    assert [row["expires_ms"] for row in await accepted(client.simulator, "okx")] == [9999999999999]


async def test_orders_are_placed_and_cancelled_many_at_once(client: Client) -> None:
    wrong = limit("futures", clOrdId="wrong", sz="0.001")
    many = [limit("spot", clOrdId="one"), wrong, limit("futures", clOrdId="two")]
    status, answer = await client.ask("POST", "trade/batch-orders", many)
    assert (status, answer["code"]) == (200, "2")
    assert [row["sCode"] for row in answer["data"]] == ["0", "51020", "0"]
    names = [{"instId": row["instId"], "ordId": row["ordId"]} for row in await client.read("trade/orders-pending")]
    assert [row["instId"] for row in names] == ["BTC-USDT-SWAP", "BTC-USDT"]
    status, answer = await client.ask("POST", "trade/cancel-batch-orders", names)
    assert (answer["code"], [row["sCode"] for row in answer["data"]]) == ("0", ["0", "0"])
    assert await client.read("trade/orders-pending") == []
    assert await client.failed("POST", "trade/batch-orders", many * 7) == (200, "51111")


async def test_what_ended_without_a_fill_is_soon_forgotten(client: Client) -> None:
    placed = [await client.place("spot") for _ in range(2)]
    await fill(client.simulator, "okx", placed[0]["ordId"], "0.4")
    for row in placed:
        await client.done("trade/cancel-order", {"instId": "BTC-USDT", "ordId": row["ordId"]})
    assert len(await client.read("trade/orders-history", instType="SPOT")) == 2
    exchange = client.simulator.exchanges["okx"]
    exchange.desk.faults.begin("clock_drift", None, seconds=2 * 3600)
    later = {"OK-ACCESS-TIMESTAMP": iso(2 * 3600)}
    _, answer = await client.ask("GET", "trade/orders-history", None, later, instType="SPOT")
    assert [row["ordId"] for row in answer["data"]] == [placed[0]["ordId"]]
    gone = {"instId": "BTC-USDT", "ordId": placed[1]["ordId"]}
    assert await client.failed("GET", "trade/order", None, later, **gone) == (200, "51603")


async def test_fills_of_more_than_three_days_are_in_a_list_of_their_own(client: Client) -> None:
    await client.done("trade/order", market("spot", sz="0.01"))
    client.simulator.exchanges["okx"].desk.faults.begin("clock_drift", None, seconds=4 * 86_400)
    later = {"OK-ACCESS-TIMESTAMP": iso(4 * 86_400)}
    for name, count in (("fills", 0), ("fills-history", 1)):
        _, answer = await client.ask("GET", f"trade/{name}", None, later, instType="SPOT")
        assert len(answer["data"]) == count


async def test_lists_come_in_pages_newest_first(client: Client) -> None:
    ids = [(await client.place("spot"))["ordId"] for _ in range(3)]
    first = await client.read("trade/orders-pending", instType="SPOT", limit="2")
    assert [row["ordId"] for row in first] == ids[:0:-1]
    rest = await client.read("trade/orders-pending", instType="SPOT", after=first[-1]["ordId"])
    assert [row["ordId"] for row in rest] == ids[:1]
    assert await client.failed("GET", "trade/orders-pending", instType="COIN") == (200, "51000")
    assert await client.failed("GET", "trade/orders-pending", limit="many") == (200, "51000")


@BOTH
async def test_own_trades_are_told_with_fees(client: Client, market_type: str) -> None:
    placed = await client.place(market_type)
    await fill(client.simulator, "okx", placed["ordId"], "0.4")
    (row,) = await client.read("trade/fills", instType=KIND[market_type], ordId=placed["ordId"])
    assert (row["ordId"], row["fillSz"], row["fillPx"], row["execType"]) == (placed["ordId"], "0.4", "50000", "M")
    fee = ("-0.00032", "BTC") if market_type == "spot" else ("-0.04", "USDT")
    assert (row["fee"], row["feeCcy"]) == fee
    told = await client.order(market_type, ordId=placed["ordId"])
    assert (told["state"], told["accFillSz"], told["avgPx"]) == ("partially_filled", "0.4", "50000")
    assert (told["fee"], told["tradeId"]) == (fee[0], row["tradeId"])
    assert await client.read("trade/fills", begin=str(int(row["ts"]) + 1)) == []
    assert await client.read("trade/fills", after=row["billId"]) == []


# the account


async def test_one_wallet_serves_both_markets(client: Client) -> None:
    await client.place("spot", sz="2")
    (told,) = await client.read("account/balance", ccy="USDT,BTC")
    held = {row["ccy"]: row for row in told["details"]}
    assert (held["USDT"]["cashBal"], held["USDT"]["availBal"], held["USDT"]["frozenBal"]) == (
        "10000000",
        "9900000",
        "100000",
    )
    await client.place("futures")
    (told,) = await client.read("account/balance", ccy="USDT")
    (row,) = told["details"]
    assert (row["eq"], row["ordFrozen"]) == ("10000000", "100050")  # ten times the margin is the worth of a contract


async def test_a_position_is_opened_turned_and_closed(client: Client) -> None:
    await client.done("trade/order", market("futures", sz="2"))
    await client.done("trade/order", market("futures", side="sell", sz="5"))
    (held,) = await client.read("account/positions", instId="BTC-USDT-SWAP")
    assert held["pos"] == "-3"
    await client.done("trade/order", market("futures", sz="9", reduceOnly=True))
    assert await client.read("account/positions") == []


async def test_long_and_short_positions_stand_side_by_side_where_the_account_says_so(client: Client) -> None:
    assert (await client.done("account/set-position-mode", {"posMode": "long_short_mode"}))["posMode"]
    assert (await client.read("account/config"))[0]["posMode"] == "long_short_mode"
    assert await client.refused("trade/order", market("futures")) == "51000"
    await client.done("trade/order", market("futures", posSide="long"))
    await client.done("trade/order", market("futures", posSide="short", side="sell", sz="2"))
    held = {row["posSide"]: row["pos"] for row in await client.read("account/positions")}
    assert held == {"long": "1", "short": "2"}
    status, answer = await client.ask("POST", "account/set-position-mode", {"posMode": "net_mode"})
    assert (status, answer["code"]) == (200, "59000")


async def test_leverage_is_set_and_read_back(client: Client) -> None:
    asked = {"instId": "BTC-USDT-SWAP", "lever": "5", "mgnMode": "isolated"}
    assert (await client.done("account/set-leverage", asked))["lever"] == "5"
    (row,) = await client.read("account/leverage-info", instId="BTC-USDT-SWAP", mgnMode="isolated")
    assert (row["lever"], row["posSide"]) == ("5", "net")
    assert await client.failed("POST", "account/set-leverage", {**asked, "lever": "101"}) == (200, "59102")
    assert await client.failed("POST", "account/set-leverage", {**asked, "instId": "NO-SWAP"}) == (200, "51001")
    assert await client.failed("POST", "account/set-leverage", {**asked, "mgnMode": "x"}) == (200, "51000")


async def test_fees_are_negative_where_they_are_charged(client: Client) -> None:
    (spot,) = await client.read("account/trade-fee", instType="SPOT")
    (swap,) = await client.read("account/trade-fee", instType="SWAP")
    assert (spot["maker"], spot["taker"], spot["makerU"]) == ("-0.0008", "-0.001", "")
    assert (swap["makerU"], swap["takerU"]) == ("-0.0002", "-0.0005")
    assert await client.failed("GET", "account/trade-fee") == (200, "51000")


async def test_funding_is_a_bill(client: Client) -> None:
    await client.done("trade/order", market("futures"))
    await did(client.simulator, "funding", exchange="okx", symbol="BTC-USDT-SWAP", rate="0.0001")
    (row,) = await client.read("account/bills", instType="SWAP", type="8")
    assert (row["subType"], row["ccy"], row["instId"]) == ("173", "USDT", "BTC-USDT-SWAP")
    assert Decimal(row["balChg"]) < 0
    assert await client.read("account/bills", type="8", begin=str(int(row["ts"]) + 1)) == []


async def test_the_account_says_what_a_key_may_do(client: Client) -> None:
    (row,) = await client.read("account/config")
    assert (row["perm"], row["acctLv"], row["posMode"]) == ("read_only,trade", "2", "net_mode")
    await open_account(
        client.simulator, "okx", name="b", key="w", secret="s", passphrase="p", permissions=["read", "withdraw"]
    )
    other = Client(client.simulator, key="w", secret="s", passphrase="p")
    assert (await other.read("account/config"))[0]["perm"] == "read_only,withdraw"


# limits


async def test_orders_of_an_instrument_are_limited(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.feeds.simulator.okx.trading.WINDOW_S", 600.0)  # so that none leaves it
    for _ in range(60):
        assert await client.refused("trade/order", limit("spot", sz="1000")) == "51008"
    assert await client.failed("POST", "trade/order", limit("spot")) == (429, "50011")
    assert (await client.place("futures"))["sCode"] == "0"


# the dead man's switch


@pytest.mark.parametrize(
    "wrong", [{}, {"timeOut": "9"}, {"timeOut": "121"}, {"timeOut": 60}, {"timeOut": "60", "tag": "-"}]
)
async def test_a_dead_mans_switch_waits_for_ten_seconds_to_two_minutes(client: Client, wrong: dict[str, Any]) -> None:
    assert await client.failed("POST", "trade/cancel-all-after", wrong) == (200, "51000")


async def test_a_dead_mans_switch_ends_the_orders_of_its_tag_in_both_markets(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = client.simulator.exchanges["okx"].desk.accounts["anna"]
    for kind in ("spot", "futures"):
        await client.place(kind, tag="mine", clOrdId=f"mine{kind}")
    await client.place("spot", clOrdId="other")
    monkeypatch.setattr("apps.feeds.simulator.trading.dead_men.PACE", 0.001)
    async with private(client) as connection:
        told = await client.done("trade/cancel-all-after", {"timeOut": "10", "tag": "mine"})
        assert int(told["triggerTime"]) == int(told["ts"]) + 10_000
        ended = [await order_push(connection) for _ in range(2)]
    assert [(row["clOrdId"], row["state"], row["cancelSource"]) for row in ended] == [
        ("minespot", "canceled", "20"),
        ("minefutures", "canceled", "20"),
    ]
    assert [row.client_id for row in anna.open.values()] == ["other"]


async def test_a_dead_mans_switch_is_pressed_anew_and_taken_off(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.feeds.simulator.okx.trading.WINDOW_S", 0.0)  # one request a second is the limit
    anna = client.simulator.exchanges["okx"].desk.accounts["anna"]
    await client.done("trade/cancel-all-after", {"timeOut": "120"})
    (first,) = anna.switches.values()
    await client.done("trade/cancel-all-after", {"timeOut": "60"})
    (second,) = anna.switches.values()
    assert (first.cancelled(), second.cancelled()) == (True, False)
    told = await client.done("trade/cancel-all-after", {"timeOut": "0"})
    assert (told["triggerTime"], anna.switches, second.cancelled()) == ("0", {}, True)


async def test_without_a_tag_a_dead_mans_switch_ends_all_orders(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = client.simulator.exchanges["okx"].desk.accounts["anna"]
    await client.place("spot", tag="mine")
    await client.place("futures")
    monkeypatch.setattr("apps.feeds.simulator.trading.dead_men.PACE", 0.001)
    await client.done("trade/cancel-all-after", {"timeOut": "10"})
    await until(lambda: not anna.open)
