"""The simulated MEXC asks who asks, and tells what an account has: signatures, wallets, fees, modes, limits."""

import asyncio
from typing import Any

import pytest

from apps.feeds.simulator.mexc.auth import signature
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import accepted, did, open_account
from apps.feeds.tests.plain_client import breaches, order, running
from apps.feeds.tests.plain_mexc_orders import (
    FUTURES,
    SPOT,
    Client,
    limit,
    market,
    now_ms,
    sign,
)

DOC_KEY, DOC_SECRET = "mx0aBYs33eIilxBWC5", "45d0b3c26f2644f19bfb98b07741b2f5"
BOTH = pytest.mark.parametrize("market_type", ["spot", "futures"])
OPEN = {"spot": ("openOrders", {"symbol": "BTCUSDT"}), "futures": ("order/list/open_orders", {})}


@pytest.fixture
async def client(simulator: Simulator) -> Client:
    """Of an account with money, on markets that stand still."""
    await order(simulator, "freeze")
    await open_account(simulator, "mexc")
    return Client(simulator)


# who asks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=11&recvWindow=5000&timestamp=1644489390087",
            "fd3e4e8543c5188531eb7279d68ae7d26a573d0fc5ab0d18eb692451654d837a",
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMITquantity=1&price=11&recvWindow=5000&timestamp=1644489390087",
            "d1a676610ceb39174c8039b3f548357994b2a34139a8addd33baadba65684592",
        ),
        (f"{DOC_KEY}1761888808000", "909481c183f038089a476d41281c10c663c2e45acc1aec248e42abe483e9e8ed"),
        (
            f"{DOC_KEY}1761888808000page_num=1&page_size=20",
            "c46e4306d31cfd081cb6b268e333ac92889d8d288167f36b5700f098c899deaa",
        ),
    ],
)
def test_the_documented_signatures_are_those_that_are_asked_for(text: str, expected: str) -> None:
    assert signature(DOC_SECRET, text) == expected


@pytest.mark.parametrize(
    ("market_type", "params", "expected"),
    [
        ("spot", {"timestamp": None}, (400, 700003)),
        ("spot", {"timestamp": 1}, (400, 700003)),
        ("spot", {"timestamp": 9_999_999_999_999}, (400, 700003)),
        ("spot", {"recvWindow": 60_001}, (400, 700005)),
        ("futures", {"at_ms": 1}, (200, 513)),
        ("futures", {"at_ms": 9_999_999_999_999}, (200, 513)),
    ],
)
async def test_a_request_of_another_time_is_refused(
    client: Client, market_type: str, params: dict[str, Any], expected: tuple[int, int]
) -> None:
    path, ready = OPEN[market_type]
    assert await client.refused(market_type, "GET", path, **ready, **params) == expected


@pytest.mark.parametrize(
    ("market_type", "unsigned", "unknown", "missing", "far"),
    [
        ("spot", (400, 700002), (400, 10072), (400, 400), (400, 700006)),
        ("futures", (200, 602), (200, 402), (200, 401), (200, 406)),
    ],
)
async def test_a_wrong_key_or_secret_or_address_is_refused(
    client: Client, market_type: str, unsigned: Any, unknown: Any, missing: Any, far: Any
) -> None:
    path, params = OPEN[market_type]
    await open_account(client.simulator, "mexc", name="boris", key="far", secret="s", ip_allowed=False)
    for options, expected in (
        ({"secret": "wrong"}, unsigned),
        ({"key": "nobody"}, unknown),
        ({"key": ""}, missing),
        ({"key": "far", "secret": "s"}, far),
    ):
        stranger = Client(client.simulator, **options)
        assert await stranger.refused(market_type, "GET", path, **params) == expected


@pytest.mark.parametrize(("market_type", "expected"), [("spot", (400, 700007)), ("futures", (200, 704))])
async def test_a_key_without_the_permission_may_read_and_not_trade(
    client: Client, market_type: str, expected: tuple[int, int]
) -> None:
    await open_account(client.simulator, "mexc", name="boris", key="r", secret="s", permissions=["read"])
    reader = Client(client.simulator, key="r", secret="s")
    path, params = OPEN[market_type]
    assert await reader.ask(market_type, "GET", path, **params) == []
    path = "order" if market_type == "spot" else "order/create"
    assert await reader.refused(market_type, "POST", path, **limit(market_type)) == expected


async def test_parameters_of_spot_may_stand_in_query_and_body_and_are_signed_without_a_sign_between(
    client: Client,
) -> None:
    query, body = "symbol=BTCUSDT&side=BUY&type=LIMIT", f"quantity=0.01&price=50000&timestamp={now_ms()}"
    text = f"{body}&signature={sign(query + body)}"
    status, answer = await client.send("POST", f"{SPOT}/order?{query}", text, {"X-MEXC-APIKEY": client.key})
    assert (status, answer["symbol"]) == (200, "BTCUSDT")


async def test_a_contract_request_is_signed_over_the_body_as_it_was_sent(client: Client) -> None:
    headers = {"ApiKey": client.key, "Request-Time": str(now_ms()), "Content-Type": "application/json"}
    headers["Signature"] = sign(client.key + headers["Request-Time"] + '{"symbol": "BTC_USDT"}')
    status, answer = await client.send("POST", f"{FUTURES}/order/cancel_all", '{"symbol":"BTC_USDT"}', headers)
    assert (status, answer["code"]) == (200, 602)


# what it has


async def test_spot_wallets_fees_and_symbols_are_told(client: Client) -> None:
    await client.place("spot")
    account = await client.ask("spot", "GET", "account")
    assert (account["canTrade"], account["canWithdraw"], account["permissions"]) == (True, False, ["SPOT"])
    rows = {row["asset"]: (row["free"], row["locked"]) for row in account["balances"]}
    assert rows["USDT"] == ("9999499.75", "500.25")  # the fee is held back too
    fee = await client.ask("spot", "GET", "tradeFee", symbol="BTCUSDT")
    assert fee["data"] == {"makerCommission": 0.0005, "takerCommission": 0.0005}
    symbols = (await client.ask("spot", "GET", "selfSymbols"))["data"]
    assert ("BTCUSDT" in symbols, "MKRUSDT" in symbols) == (True, False)


async def test_contract_wallets_tell_what_orders_and_positions_hold(client: Client) -> None:
    await client.place("futures")
    rows = {row["currency"]: row for row in await client.ask("futures", "GET", "account/assets")}
    assert (rows["USDT"]["frozenBalance"], rows["USDT"]["positionMargin"]) == (25, 0)
    await client.place("futures", **market("futures"))
    row = await client.ask("futures", "GET", "account/asset/USDT")
    assert (row["frozenBalance"], row["positionMargin"] > 40) == (25, True)
    total = row["availableBalance"] + row["frozenBalance"] + row["positionMargin"]
    assert total == pytest.approx(row["cashBalance"])


async def test_leverage_modes_fees_and_funding_of_contracts(client: Client) -> None:
    change = {"symbol": "BTC_USDT", "leverage": 50, "openType": 2, "positionType": 1}
    await client.ask("futures", "POST", "position/change_leverage", **change)
    rows = await client.ask("futures", "GET", "position/leverage", symbol="BTC_USDT")
    assert [(row["positionType"], row["leverage"], row["openType"]) for row in rows] == [(1, 50, 2), (2, 50, 2)]
    change["leverage"] = 500
    assert await client.refused("futures", "POST", "position/change_leverage", **change) == (200, 600)
    assert await client.ask("futures", "GET", "position/position_mode") == 2
    fees = await client.ask("futures", "GET", "account/tiered_fee_rate", symbol="BTC_USDT")
    assert (fees["makerFee"], fees["takerFee"]) == (0, 0.0002)
    await client.place("futures", **market("futures"))
    await did(client.simulator, "funding", exchange="mexc", symbol="BTC_USDT", rate="0.0001")
    page = await client.ask("futures", "GET", "position/funding_records", symbol="BTC_USDT", page_num=1, page_size=20)
    (row,) = page["resultList"]
    assert (row["positionType"], row["rate"], row["funding"] < 0, page["totalPage"]) == (1, 0.0001, True, 1)


async def test_in_hedge_mode_both_positions_stand_side_by_side_until_each_is_closed(client: Client) -> None:
    await client.ask("futures", "POST", "position/change_position_mode", positionMode=1)
    await client.place("futures", **market("futures"))
    await client.place("futures", **market("futures", side=3, vol=50))
    held = await client.ask("futures", "GET", "position/open_positions")
    assert [(row["positionType"], row["holdVol"]) for row in held] == [(1, 100), (2, 50)]
    closing = market("futures", side=1, reduceOnly=True)
    assert await client.refused("futures", "POST", "order/create", **closing) == (200, 600)
    await client.place("futures", **market("futures", side=4))
    held = await client.ask("futures", "GET", "position/open_positions")
    assert [(row["positionType"], row["holdVol"]) for row in held] == [(2, 50)]
    mode = await client.refused("futures", "POST", "position/change_position_mode", positionMode=2)
    assert mode == (200, 2029)


async def test_in_one_way_mode_a_sale_makes_the_position_smaller_and_turns_it(client: Client) -> None:
    await client.place("futures", **market("futures"))
    await client.place("futures", **market("futures", side=3, vol=150))
    (held,) = await client.ask("futures", "GET", "position/open_positions")
    assert (held["positionType"], held["holdVol"]) == (2, 50)
    await client.place("futures", **market("futures", side=1, vol=50, reduceOnly=True))
    assert await client.ask("futures", "GET", "position/open_positions") == []


# limits


async def test_more_than_four_contract_orders_in_two_seconds_are_too_many() -> None:
    async with running() as simulator:
        await order(simulator, "freeze")
        await open_account(simulator, "mexc")
        client = Client(simulator)
        asked = (client.futures("POST", "order/create", limit("futures")) for _ in range(20))
        codes = [answer["code"] for _, answer in await asyncio.gather(*asked)]
        assert set(codes) == {0, 510}
        assert codes.count(0) == len(await accepted(simulator, "mexc")) >= 4
        assert (await breaches(simulator, "mexc"))["requests futures"] == codes.count(510)


async def test_the_third_question_for_the_spot_account_within_a_second_is_too_many() -> None:
    async with running() as simulator:
        await open_account(simulator, "mexc")
        answers = await asyncio.gather(*(Client(simulator).spot("GET", "account") for _ in range(12)))
        assert {status for status, _ in answers} == {200, 429}


@BOTH
async def test_an_account_that_is_limited_or_banned_is_told_so_as_its_market_does(
    client: Client, market_type: str
) -> None:
    path = "order" if market_type == "spot" else "order/create"
    told = []
    for op in ("rate_limit", "ban"):
        fault = {"exchange": "mexc", "account": "anna", "op": op, "seconds": 30}
        await did(client.simulator, "account_fault", **fault)
        ask = client.spot if market_type == "spot" else client.futures
        body = limit(market_type)
        status, answer = await (ask("POST", path, **body) if market_type == "spot" else ask("POST", path, body))  # type: ignore[arg-type]
        told.append(
            (status, answer["code"] if isinstance(answer, dict) else answer[:6], "Retry-After" in client.headers)
        )
        await did(client.simulator, "account_fault", **fault | {"count": 0})
    assert (
        told
        == {
            "spot": [(429, 429, True), (418, 418, True)],
            "futures": [(200, 510, False), (403, "<HTML>", False)],
        }[market_type]
    )
