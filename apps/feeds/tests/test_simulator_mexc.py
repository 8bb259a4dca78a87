"""The simulated MEXC behaves as its documentation and the wire say, the traps included."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.feeds.simulator.limits import Patience, Sliding
from apps.feeds.simulator.mexc.protobuf import WRAPPER, decode, encode
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import (
    GapError,
    answer,
    breaches,
    fetch,
    follow,
    heard_within,
    order,
    receive,
    running,
    send,
    socket,
    truth,
)
from apps.feeds.tests.plain_mexc import (
    AGGRE_DEALS,
    AGGRE_DEPTHS,
    AGGRE_TICKER,
    ASKS,
    BIDS,
    CHANNEL,
    LIMIT_DEPTHS,
    LIMIT_VERSION,
    SEND_TIME,
    SYMBOL,
    TO_VERSION,
    RangeBook,
    fields,
    push,
    rows,
)

SPOT, FUTURES = "wbs-api.mexc.com/ws", "contract.mexc.com/edge"
DEPTH = "spot@public.aggre.depth.v3.api.pb@100ms@"
DEALS = "spot@public.aggre.deals.v3.api.pb@100ms@"
SPOT_BOOK, FUTURES_BOOK = "api.mexc.com/api/v3/depth", "api.mexc.com/api/v1/contract/depth"
UPDATES = 60


def subscribe(*topics: str) -> dict[str, Any]:
    return {"method": "SUBSCRIPTION", "params": list(topics), "id": 5}


def contract(method: str, symbol: str, **more: Any) -> dict[str, Any]:
    return {"method": method, "param": {"symbol": symbol, **more}}


def of(channel: str) -> Any:
    return lambda message: message["channel"] == channel


@pytest.mark.parametrize("symbol", ["BTCUSDT", "龙虾USDT"])
async def test_spot_pushes_on_a_rest_book_give_the_whole_book(symbol: str) -> None:
    book = RangeBook()
    async with running(rate=400.0) as simulator, socket(simulator, SPOT) as connection:
        await send(connection, subscribe(DEPTH + symbol))
        book.spot(await push(connection, AGGRE_DEPTHS))
        while book.seq is None:
            body = await fetch(simulator, SPOT_BOOK, symbol=symbol, limit="1000")
            book.snapshot(body["lastUpdateId"], body["bids"], body["asks"])
        for _ in range(UPDATES):
            book.spot(await push(connection, AGGRE_DEPTHS))
        await order(simulator, "freeze", exchange="mexc")
        standing = await truth(simulator, "mexc", "spot", symbol)
        while book.seq != standing["seq"]:
            book.spot(await push(connection, AGGRE_DEPTHS))
    assert book.view() == (standing["bids"], standing["asks"])


@pytest.mark.parametrize("symbol", ["BTC_USDT", "PEPE_USDT", "BTC_USD"])
async def test_futures_pushes_on_a_rest_book_give_the_whole_book(symbol: str) -> None:
    book = RangeBook()
    async with running(rate=400.0) as simulator, socket(simulator, FUTURES) as connection:
        await send(connection, contract("sub.depth", symbol))
        book.futures((await receive(connection, of("push.depth")))["data"])
        while book.seq is None:
            data = (await fetch(simulator, f"{FUTURES_BOOK}/{symbol}", limit="1000"))["data"]
            book.snapshot(data["version"], data["bids"], data["asks"])
        for _ in range(UPDATES):
            book.futures((await receive(connection, of("push.depth")))["data"])
        await order(simulator, "freeze", exchange="mexc")
        standing = await truth(simulator, "mexc", "futures", symbol)
        while book.seq != standing["seq"]:
            book.futures((await receive(connection, of("push.depth")))["data"])
    assert book.view() == (standing["bids"], standing["asks"])


@pytest.mark.parametrize("depth", [5, 10, 20])
async def test_limited_books_of_spot_are_the_top_of_the_book(depth: int) -> None:
    async with running(rate=200.0) as simulator, socket(simulator, SPOT) as connection:
        await send(connection, subscribe(f"spot@public.limit.depth.v3.api.pb@ETHUSDT@{depth}"))
        body = await push(connection, LIMIT_DEPTHS)
        await order(simulator, "freeze", exchange="mexc")
        standing = await truth(simulator, "mexc", "spot", "ETHUSDT", depth)
        while int(body[LIMIT_VERSION][0]) != standing["seq"]:
            body = await push(connection, LIMIT_DEPTHS)
    for number, side in ((BIDS, "bids"), (ASKS, "asks")):
        assert [[float(price), float(size)] for price, size in rows(body[number])] == standing[side]


async def test_whole_books_of_contracts_are_the_top_of_the_book() -> None:
    async with running(rate=200.0) as simulator, socket(simulator, FUTURES) as connection:
        await send(connection, contract("sub.depth.full", "ETH_USDT", limit=20))
        data = (await receive(connection, of("push.depth.full")))["data"]
        await order(simulator, "freeze", exchange="mexc")
        standing = await truth(simulator, "mexc", "futures", "ETH_USDT", 20)
        while data["version"] != standing["seq"]:
            data = (await receive(connection, of("push.depth.full")))["data"]
    for side in ("bids", "asks"):
        assert [[float(row[0]), float(row[1])] for row in data[side]] == standing[side]


async def test_a_spot_frame_carries_channel_symbol_and_time(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe(DEPTH + "BTCUSDT"))
        while isinstance(frame := await connection.recv(), str):
            pass
    assert frame[0] == 0x0A
    assert b"\xca\x13" in frame
    wrapper = fields(frame)
    assert (wrapper[CHANNEL], wrapper[SYMBOL]) == ([(DEPTH + "BTCUSDT").encode()], [b"BTCUSDT"])
    assert wrapper[SEND_TIME][0] > 1_700_000_000_000


async def test_a_frame_without_a_body_is_sometimes_sent_and_never_counted(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(3000.0)
    bare = whole = 0
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe(*(DEPTH + coin + "USDT" for coin in ("BTC", "ETH", "SOL", "XRP"))))
        async with asyncio.timeout(30):
            while not bare:
                frame = await connection.recv()
                if isinstance(frame, bytes):
                    whole += AGGRE_DEPTHS in fields(frame)
                    bare += AGGRE_DEPTHS not in fields(frame)
        await order(simulator, "mute", exchange="mexc")
        async with asyncio.timeout(30):
            log = await fetch(simulator, "_sim/log", exchange="mexc")
            while whole < sum(row["sent"] for row in log):
                whole += AGGRE_DEPTHS in fields(await connection.recv(decode=False))
    assert whole == sum(row["sent"] for row in log)


@pytest.mark.parametrize(
    "topic",
    [
        DEPTH + "NOPEUSDT",
        DEPTH + "btcusdt",
        DEPTH + "WAVESUSDT",
        "spot@public.increase.depth.v3.api.pb@BTCUSDT",
        "spot@public.deals.v3.api.pb@BTCUSDT",
        "spot@public.limit.depth.v3.api.pb@BTCUSDT@50",
        "nonsense",
    ],
)
async def test_what_cannot_be_had_is_blocked_with_code_0(simulator: Simulator, topic: str) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe(topic))
        ack = await receive(connection)
    assert ack == {"id": 0, "code": 0, "msg": f"Not Subscribed successfully! [{topic}].  Reason： Blocked! "}


async def test_the_31st_subscription_is_lost(simulator: Simulator) -> None:
    coins = [
        row.base for row in simulator.exchanges["mexc"].listings.values() if row.market_type == "spot" and row.live
    ]
    topics = [DEALS + coin + "USDT" for coin in coins[:32]]
    async with socket(simulator, SPOT) as connection:
        for part in (topics[:15], topics[15:30]):
            await send(connection, subscribe(*part))
            assert (await receive_text(connection))["msg"] == ",".join(part)
        await send(connection, subscribe(*topics[30:]))
        assert (await receive_text(connection))["msg"].startswith("Not Subscribed successfully! [")
        await send(connection, {"method": "UNSUBSCRIPTION", "params": topics[:1]})
        assert (await receive_text(connection))["msg"] == topics[0]
        await send(connection, subscribe(*topics[30:]))
        mixed = (await receive_text(connection))["msg"]
    assert mixed.startswith(f"Subscribed successful! [{topics[30]}]. Not Subscribed successfully! [{topics[31]}].")
    assert await breaches(simulator, "mexc") == {"subscriptions per connection": 3}


async def receive_text(connection: Any) -> Any:
    """The next control frame."""
    async with asyncio.timeout(20):
        while not isinstance(frame := await connection.recv(), str):
            pass
    return msgspec.json.decode(frame)


async def test_the_closed_host_blocks_everything(simulator: Simulator) -> None:
    async with socket(simulator, "wbs.mexc.com/ws") as connection:
        await send(connection, subscribe(DEPTH + "BTCUSDT"))
        assert "Blocked!" in (await receive(connection))["msg"]
    with pytest.raises(InvalidStatus):
        async with socket(simulator, "api.mexc.com/edge"):
            pass


async def test_control_frames_are_text(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, {"method": "PING"})
        assert await receive(connection) == {"id": 0, "code": 0, "msg": "PONG"}
        for nonsense in ("{", "[]", '{"method":"SUBSCRIPTION","params":[]}'):
            await send(connection, nonsense)
            assert (await receive(connection))["msg"] == "msg format invalid"


async def test_an_unsubscribed_topic_is_silent(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe(DEPTH + "BTCUSDT"))
        await push(connection, AGGRE_DEPTHS)
        await send(connection, {"method": "UNSUBSCRIPTION", "params": [DEPTH + "BTCUSDT"]})
        await receive_text(connection)
        assert await heard_within(connection, 0.3) == []


async def test_a_spot_socket_without_subscriptions_is_closed() -> None:
    async with running(patience=Patience(mexc_idle_s=0.2)) as simulator:
        async with socket(simulator, SPOT) as idle, socket(simulator, SPOT) as busy:
            await send(busy, subscribe(DEALS + "BTCUSDT"))
            with pytest.raises(ConnectionClosed):
                await receive(idle)
            await push(busy, AGGRE_DEALS)
        assert await breaches(simulator, "mexc") == {"no subscription": 1}


async def test_a_contract_socket_ends_after_the_last_ping_though_data_flow() -> None:
    async with running(patience=Patience(mexc_quiet_s=0.4)) as simulator, socket(simulator, FUTURES) as connection:
        await send(connection, contract("sub.depth", "BTC_USDT"))
        error = await receive(connection, of("rs.error"))
        with pytest.raises(ConnectionClosed):
            await receive(connection, lambda message: False)
        assert await breaches(simulator, "mexc") == {"no ping": 1}
    assert error["data"] == "more than 60 seconds no response, close the channel"


async def test_contract_commands_are_answered_without_the_contract(simulator: Simulator) -> None:
    async with socket(simulator, FUTURES) as connection:
        await send(connection, {"method": "nosuch", "param": {}})
        await send(connection, contract("sub.deal", "BTC_USDT"))
        ack = await receive(connection)
        await send(connection, contract("sub.deal", "NOPE_USDT"))
        error = await receive(connection, of("rs.error"))
        await send(connection, {"method": "ping"})
        pong = await receive(connection, of("pong"))
    assert (ack["channel"], ack["data"]) == ("rs.sub.deal", "success")
    assert error["data"] == "Contract [NOPE_USDT] not exists"
    assert pong["data"] == pong["ts"]


@pytest.mark.parametrize("word", ["unsub", "usub"])
async def test_a_contract_can_be_left(simulator: Simulator, word: str) -> None:
    async with socket(simulator, FUTURES) as connection:
        await send(connection, contract("sub.depth.full", "BTC_USDT", limit=20))
        await receive(connection, of("push.depth.full"))
        await send(connection, contract(f"{word}.depth.full", "BTC_USDT"))
        await receive(connection, of(f"rs.{word}.depth.full"))
        assert await heard_within(connection, 0.5) == []


async def test_numbers_of_contracts_are_spelled_oddly_and_rows_unordered(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(300.0)
    texts, ordered = [], True
    async with socket(simulator, FUTURES) as connection:
        await send(connection, contract("sub.depth", "BTC_USDT"))
        for _ in range(60):
            text = await connection.recv(decode=False)
            texts.append(text)
            prices = (
                [float(row[0]) for row in msgspec.json.decode(text).get("data", {}).get("bids", ())]
                if b"push" in text
                else []
            )
            ordered = ordered and prices == sorted(prices, reverse=True)
    assert any(b".000000000000," in text for text in texts)
    assert not ordered
    assert any(b",0,0]" in text for text in texts)


async def test_a_gap_is_found_by_the_written_rule(simulator: Simulator) -> None:
    book = RangeBook()
    async with socket(simulator, FUTURES) as connection:
        await send(connection, contract("sub.depth", "BTC_USDT"))
        data = (await receive(connection, of("push.depth")))["data"]
        book.snapshot(data["version"], [], [])
        await order(simulator, "gap", exchange="mexc", symbol="BTC_USDT")
        with pytest.raises(GapError):
            await follow(connection, lambda m: book.futures(m["data"]) if m["channel"] == "push.depth" else None)


async def test_broken_spot_frames_come_beside_the_whole_ones(simulator: Simulator) -> None:
    broken: list[bytes] = []
    versions: list[int] = []
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe(DEPTH + "BTCUSDT"))
        await push(connection, AGGRE_DEPTHS)
        await order(simulator, "malformed", exchange="mexc", symbol="BTCUSDT", count=2)
        while len(versions) < 6 or len(broken) < 2:
            frame = await connection.recv(decode=False)
            try:
                wrapper = fields(frame)
                versions.append(int(fields(wrapper[AGGRE_DEPTHS][0])[TO_VERSION][0]))
            except (AssertionError, IndexError):
                broken.append(frame)
    assert len(broken) == 2
    assert versions == sorted(set(versions))


async def test_deals_and_quotes_of_spot(simulator: Simulator) -> None:
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe(DEALS + "BTCUSDT", "spot@public.aggre.bookTicker.v3.api.pb@100ms@BTCUSDT"))
        quote = await push(connection, AGGRE_TICKER)
        deal = fields((await push(connection, AGGRE_DEALS))[1][0])
    assert float(quote[1][0]) < float(quote[3][0])
    assert deal[3][0] in (1, 2)
    assert b"X0_" in deal[5][0]


async def test_deals_of_contracts_come_as_a_list_with_text_ids(simulator: Simulator) -> None:
    async with socket(simulator, FUTURES) as connection:
        await send(connection, contract("sub.deal", "BTC_USDT"))
        (deal, *_) = (await receive(connection, of("push.deal")))["data"]
    assert deal["T"] in (1, 2)
    assert isinstance(deal["i"], str)
    assert isinstance(deal["v"], int)


async def test_market_lists_hold_odd_listings(simulator: Simulator) -> None:
    spot = (await fetch(simulator, "api.mexc.com/api/v3/exchangeInfo"))["symbols"]
    contracts = (await fetch(simulator, "contract.mexc.com/api/v1/contract/detail"))["data"]
    assert min(len(spot), len(contracts)) > 60
    assert {row["status"] for row in spot} == {"1", "2", "3"}
    assert {row["isSpotTradingAllowed"] for row in spot} == {True, False}
    assert {"BTCUSDT", "BTCUSDC", "龙虾USDT"} <= {row["symbol"] for row in spot}
    by_symbol = {row["symbol"]: row for row in contracts}
    assert (by_symbol["BTC_USDT"]["contractSize"], by_symbol["BTC_USD"]["contractSize"]) == (0.0001, 100)
    assert by_symbol["FIL_USDT"]["baseCoin"] == "FILECOIN"
    assert {row["futureType"] for row in contracts} == {1, 2}
    assert {row["state"] for row in contracts} == {0, 3, 4}
    assert not by_symbol["KAS_USDT"]["apiAllowed"]


async def test_rest_pads_and_pushes_trim(simulator: Simulator) -> None:
    body = await fetch(simulator, SPOT_BOOK, symbol="ETHUSDT", limit="1000")
    assert {len(price.partition(".")[2]) for price, _ in body["bids"]} == {2}
    async with socket(simulator, SPOT) as connection:
        await send(connection, subscribe(DEPTH + "ETHUSDT"))
        levels = [row for _ in range(8) for row in rows((await push(connection, AGGRE_DEPTHS))[BIDS])]
    assert not any("." in price and price.endswith("0") for price, _ in levels)


async def test_a_shut_contract_answers_with_an_empty_book(simulator: Simulator) -> None:
    data = (await fetch(simulator, f"{FUTURES_BOOK}/WAVES_USDT"))["data"]
    assert (data["asks"], data["bids"], data["timestamp"]) == ([], [], 1789455601090)


async def test_unknown_symbols_get_each_markets_own_error(simulator: Simulator) -> None:
    status, _, body = await answer(simulator, SPOT_BOOK, symbol="NOPE")
    assert (status, body["code"]) == (400, -1121)
    status, _, body = await answer(simulator, f"{FUTURES_BOOK}/NOPE_USDT")
    assert (status, body) == (200, {"success": False, "code": 1001, "message": "Contract does not exist"})


async def test_contracts_throttle_under_http_200(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.feeds.simulator.mexc.rest.FUTURES_WINDOW_S", 600.0)  # a machine may stall in between
    results = [await answer(simulator, f"{FUTURES_BOOK}/BTC_USDT", limit="5") for _ in range(11)]
    assert [(status, body["code"]) for status, _, body in results] == [(200, 0)] * 10 + [(200, 510)]


async def test_a_burst_is_shut_out_of_both_markets_by_a_page(simulator: Simulator) -> None:
    simulator.exchanges["mexc"]._rest._burst = Sliding(3, 600.0)  # type: ignore[attr-defined]
    for _ in range(4):
        status, headers, text = await answer(simulator, "api.mexc.com/api/v3/time")
    assert (status, headers["Content-Type"].partition(";")[0], "Retry-After" in headers) == (403, "text/html", False)
    assert "Access Denied" in text
    assert (await answer(simulator, "contract.mexc.com/api/v1/contract/ping"))[0] == 403


async def test_bans_begin_with_a_warning(simulator: Simulator) -> None:
    await order(simulator, "ban", exchange="mexc", seconds=600)
    spot = [await answer(simulator, "api.mexc.com/api/v3/time") for _ in range(2)]
    await order(simulator, "unban", exchange="mexc")
    await order(simulator, "ban", exchange="mexc", seconds=600)
    futures = [await answer(simulator, "api.mexc.com/api/v1/contract/ping") for _ in range(2)]
    assert [status for status, _, _ in spot] == [429, 418]
    assert 570 <= int(spot[1][1]["Retry-After"]) <= 600
    assert [status for status, _, _ in futures] == [200, 403]


async def test_maintenance_of_contracts_lacks_the_word_success(simulator: Simulator) -> None:
    await order(simulator, "rest_error", exchange="mexc", market_type="futures")
    status, _, body = await answer(simulator, "api.mexc.com/api/v1/contract/detail")
    assert (status, body["code"], "success" in body) == (200, 500, False)


@pytest.mark.captures
def test_recorded_frames_come_out_of_the_encoder_byte_for_byte(captures: Path) -> None:
    known = {"publicLimitDepths", "publicAggreDepths", "publicAggreDeals", "publicAggreBookTicker"}
    compared = 0
    for name in ("spot_ws_captured", "spot_ws_reencoded", "spot_book_synthetic"):
        for line in (captures / "mexc" / f"{name}.b64.jsonl").read_bytes().splitlines():
            frame = base64.b64decode(line)
            message = decode(frame, WRAPPER)
            if known & set(message):
                assert encode(message, WRAPPER) == frame
                compared += 1
    assert compared > 60
