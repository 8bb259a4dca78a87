"""The simulated Hyperliquid takes orders as Hyperliquid does: actions, answers, refusals."""

from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, open_account, trouble
from apps.feeds.tests.plain_client import order as fault
from apps.feeds.tests.plain_hyperliquid import (
    AGENT,
    ASSETS,
    COINS,
    USER,
    Client,
    envelope,
    market,
    order,
    wire,
)

BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
MONEY = {"spot": {"USDC": "10000000", "UBTC": "100"}, "futures": {"USDC": "10000000"}}
CLOID = "0xa1f0cddc17303d07f3fd128d5b35071d"
GONE = "Order was never placed, already canceled, or filled."


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """An agent of an account with money, on markets that stand still."""
    await fault(simulator, "freeze")
    await open_account(simulator, "hyperliquid", key=USER, secret=AGENT, balances=MONEY)
    return Client(simulator)


@BOTH
async def test_an_order_is_placed_read_back_and_cancelled(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, cloid=CLOID)
    oid = placed["resting"]["oid"]
    assert placed == {"resting": {"oid": oid, "cloid": CLOID}}
    for name in (oid, CLOID):
        answer = await client.info("orderStatus", oid=name)
        assert (answer["status"], answer["order"]["status"]) == ("order", "open")
        row = answer["order"]["order"]
        assert (row["oid"], row["cloid"], row["coin"], row["side"]) == (oid, CLOID, COINS[market_type], "B")
        assert (row["limitPx"], row["sz"], row["origSz"], row["tif"]) == ("50000.0", "0.01", "0.01", "Gtc")
    (plain,) = await client.info("openOrders")
    assert plain == {name: row[name] for name in plain}
    assert await client.info("frontendOpenOrders") == [row]
    assert await client.cancel(market_type, oid) == "success"
    assert await client.cancel(market_type, oid) == {"error": GONE}
    assert (await client.info("orderStatus", oid=oid))["order"]["status"] == "canceled"
    assert [row["status"] for row in await client.info("historicalOrders")] == ["canceled"]
    assert await client.info("openOrders") == []


@BOTH
async def test_an_order_is_cancelled_by_the_clients_id(client: Client, market_type: str) -> None:
    await client.place(market_type, cloid=CLOID)
    action = {"type": "cancelByCloid", "cancels": [{"asset": ASSETS[market_type], "cloid": CLOID}]}
    assert await client.done(action) == ["success"]
    assert await client.done(action) == [{"error": GONE}]


async def test_a_batch_is_answered_one_by_one(client: Client) -> None:
    wires = [wire("futures"), wire("futures", s="0"), wire("spot")]
    statuses = await client.done({"type": "order", "orders": wires, "grouping": "na"})
    assert [next(iter(status)) for status in statuses] == ["resting", "error", "resting"]
    cancels = [{"a": ASSETS[kind], "o": statuses[at]["resting"]["oid"]} for at, kind in ((0, "futures"), (2, "spot"))]
    assert await client.done({"type": "cancel", "cancels": [*cancels, {"a": 0, "o": 1}]}) == [
        "success",
        "success",
        {"error": GONE},
    ]


@BOTH
async def test_an_order_that_takes_tells_size_and_mean_price(client: Client, market_type: str) -> None:
    placed = await client.place(market_type, **market(market_type))
    assert placed["filled"]["totalSz"] == "0.01"
    fills = await client.info("userFills")
    assert {(row["oid"], row["coin"], row["crossed"]) for row in fills} == {
        (placed["filled"]["oid"], COINS[market_type], True)
    }
    value = sum(Decimal(row["px"]) * Decimal(row["sz"]) for row in fills)
    assert Decimal(placed["filled"]["avgPx"]) == pytest.approx(value / Decimal("0.01"))
    token, rate = {"spot": ("UBTC", "0.0007"), "futures": ("USDC", "0.00045")}[market_type]
    paid = Decimal("0.01") if market_type == "spot" else value
    assert {row["feeToken"] for row in fills} == {token}
    assert sum(Decimal(row["fee"]) for row in fills) == pytest.approx(paid * Decimal(rate))


@BOTH
async def test_an_immediate_order_that_finds_nobody_is_an_error_and_rejected(client: Client, market_type: str) -> None:
    assert "could not immediately match" in await client.refused(market_type, tif="Ioc", cloid=CLOID)
    assert (await client.info("orderStatus", oid=CLOID))["order"]["status"] == "iocCancelRejected"


@BOTH
async def test_a_makers_order_that_would_take_is_an_error_and_rejected(client: Client, market_type: str) -> None:
    text = await client.refused(market_type, tif="Alo", p="90000", cloid=CLOID)
    assert text.startswith("Post only order would have immediately matched, bbo was 8")
    assert (await client.info("orderStatus", oid=CLOID))["order"]["status"] == "badAloPxRejected"
    assert await client.info("userFills") == []


@pytest.mark.parametrize(
    ("market_type", "fields", "expected"),
    [
        ("futures", {"a": 9_999}, "Asset 9999 does not exist."),
        ("futures", {"s": "0"}, "Order has zero size."),
        ("futures", {"s": "0.0000001"}, "Order has invalid size."),
        ("futures", {"p": "50000.5"}, "Price must be divisible by tick size."),
        ("futures", {"p": "10"}, "Order price cannot be more than 80% away from the reference price"),
        ("futures", {"s": "0.0001"}, "Order must have minimum value of $10."),
        ("futures", {"s": "100000"}, "Insufficient margin to place order. asset=0"),
        ("futures", {"r": True}, "Reduce only order would increase position."),
        ("futures", {"tif": "Gtd"}, "Invalid TIF"),
        ("spot", {"s": "0.0001"}, "Order must have minimum value of 10 USDC."),
        ("spot", {"s": "1000"}, "Insufficient spot balance asset=10142"),
        ("spot", {"b": False, "p": "90000", "s": "1000"}, "Insufficient spot balance asset=10142"),
    ],
)
async def test_what_cannot_be_ordered_is_an_error_inside_of_an_answer_that_is_well(
    client: Client, market_type: str, fields: dict[str, Any], expected: str
) -> None:
    assert (await client.refused(market_type, **fields)).startswith(expected)
    assert await accepted(client.simulator, "hyperliquid") == []


async def test_what_is_delisted_keeps_its_number_and_is_not_traded(client: Client) -> None:
    _, meta = await client.post("info", {"type": "meta"})
    number = next(at for at, row in enumerate(meta["universe"]) if row.get("isDelisted"))
    assert await client.refused("futures", a=number, p="1", s="100") == "Trading is halted."


async def test_a_client_id_that_is_open_is_not_taken_again(client: Client) -> None:
    await client.place("futures", cloid=CLOID)
    assert "cloid" in await client.refused("futures", cloid=CLOID)


async def test_builders_and_groups_are_refused_as_a_whole(client: Client) -> None:
    action = {**order("futures"), "builder": {"b": f"0x{'ab' * 20}", "f": 10}}
    assert await client.failed(action) == "Builder fee has not been approved."
    assert "Grouped" in await client.failed({**order("futures"), "grouping": "normalTpsl"})


@pytest.mark.parametrize("body", [{}, {"action": {"type": "dance"}, "nonce": 1}, [], {"type": "order"}])
async def test_a_body_that_is_no_action_cannot_be_read(client: Client, body: Any) -> None:
    status, text = await client.post("exchange", body)
    assert (status, text) == (422, "Failed to deserialize the JSON body into the target type")


async def test_a_reduce_only_order_is_cut_to_the_position(client: Client) -> None:
    await client.place("futures", **market("futures"))
    closed = await client.place("futures", **market("futures", b=False, r=True, s="0.5"))
    assert closed["filled"]["totalSz"] == "0.01"
    assert (await client.info("clearinghouseState"))["assetPositions"] == []


async def test_an_order_that_meets_its_own_account_cancels_what_rests(client: Client) -> None:
    _, book = await client.post("info", {"type": "l2Book", "coin": "BTC"})
    price = book["levels"][1][1]["px"].removesuffix(".0")
    resting = await client.rest("futures", p=price, b=False)
    assert "resting" in await client.place("futures", p=price, s="100")
    assert (await client.info("orderStatus", oid=resting))["order"]["status"] == "selfTradeCanceled"


# what may go wrong


@BOTH
async def test_an_order_whose_outcome_is_unknown_to_the_client_rests_all_the_same(
    client: Client, market_type: str
) -> None:
    await trouble(client.simulator, "hyperliquid", "error_placed")
    status, _ = await client.post("exchange", envelope(order(market_type, cloid=CLOID)))
    assert (status, len(await accepted(client.simulator, "hyperliquid"))) == (503, 1)
    assert (await client.info("orderStatus", oid=CLOID))["status"] == "order"


async def test_the_same_signed_request_is_carried_out_once(client: Client) -> None:
    body = envelope(order("futures", cloid=CLOID))
    first, again = [(await client.post("exchange", body))[1] for _ in range(2)]
    assert (first["status"], again["status"]) == ("ok", "err")
    assert len(await accepted(client.simulator, "hyperliquid")) == 1


@pytest.mark.parametrize(("op", "status"), [("rate_limit", 429), ("ban", 403), ("error_not_placed", 503)])
async def test_what_turns_requests_away_places_nothing(client: Client, op: str, status: int) -> None:
    await trouble(client.simulator, "hyperliquid", op, seconds=30)
    assert (await client.post("exchange", envelope(order("futures"))))[0] == status
    assert await accepted(client.simulator, "hyperliquid") == []


@pytest.mark.parametrize("value", ["", "x", "-1", "1e99", "9" * 40, "NaN", "²", True, [], {}, None, 2**70])
async def test_nonsense_is_refused_like_all_else(client: Client, value: Any) -> None:
    fields = [name for name in ("a", "b", "p", "s", "r", "t", "c") if (name, value) not in (("b", True), ("c", None))]
    for name in fields:
        body = envelope(order("futures"))
        body["action"]["orders"][0][name] = value
        status, answer = await client.post("exchange", body)
        assert status == 422 or answer["status"] == "err" or "error" in answer["response"]["data"]["statuses"][0]
    for name in ("nonce", "vaultAddress", "signature", "action"):
        if (name, value) != ("vaultAddress", None):
            status, answer = await client.post("exchange", envelope(order("futures")) | {name: value})
            assert status == 422 or answer["status"] == "err"
    for name in ("type", "user", "startTime", "endTime"):
        question = {"type": "userFillsByTime", "user": USER, "startTime": 0, name: value}
        assert (await client.post("info", question))[0] in (200, 422)
    assert await accepted(client.simulator, "hyperliquid") == []
