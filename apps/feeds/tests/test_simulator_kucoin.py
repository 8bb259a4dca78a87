"""The simulated KuCoin behaves as its documentation and the wire say, the traps included."""

import asyncio
import itertools
import time
from typing import Any

import aiohttp
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.feeds.simulator.limits import Patience, Sliding
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
from apps.feeds.tests.plain_kucoin import (
    CLASSIC,
    REST,
    ClassicBook,
    UnifiedBook,
    ask,
    bullet,
    classic,
    subscribe,
    topic,
    unified,
)

UPDATES = 100
SYMBOLS = {"spot": "BTC-USDT", "futures": "XBTUSDTM"}
LEVEL2 = {"spot": "/market/level2", "futures": "/contractMarket/level2"}
SNAPSHOT = {"spot": "api/v3/market/orderbook/level2", "futures": "api/v1/level2/snapshot"}
QUICK = Patience(kucoin_snapshot_s=0.1)
both_markets = pytest.mark.parametrize("market_type", ["spot", "futures"])


def is_book(message: dict[str, Any]) -> bool:
    return str(message.get("T", "")).startswith("obu.")


def is_message(message: dict[str, Any]) -> bool:
    return message.get("type") == "message"


async def settle(simulator: Simulator, connection: Any, book: Any, market_type: str, wanted: Any) -> Any:
    """Let the market stand still, take what is under way, and give its book at that number."""
    await order(simulator, "freeze", exchange="kucoin")
    standing = await truth(simulator, "kucoin", market_type, SYMBOLS[market_type])
    while book.seq != standing["seq"]:
        book.event(await receive(connection, wanted))
    return standing


async def full_book(simulator: Simulator, market_type: str) -> Any:
    """The whole book by REST, which spot gives to signed requests only."""
    stamp = str(int(time.time() * 1000))
    headers = {"KC-API-KEY": "k", "KC-API-SIGN": "s", "KC-API-TIMESTAMP": stamp, "KC-API-PASSPHRASE": "p"}
    url = f"{simulator.url}/{REST[market_type]}/{SNAPSHOT[market_type]}?symbol={SYMBOLS[market_type]}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        assert response.status == 200, await response.text()
        return (await response.json())["data"]


@both_markets
async def test_unified_deltas_on_a_late_snapshot_keep_exactly_500_levels(market_type: str) -> None:
    book = UnifiedBook()
    async with running(patience=QUICK, rate=500.0) as simulator, unified(simulator, market_type) as connection:
        assert await ask(connection, subscribe(market_type, SYMBOLS[market_type])) == {"id": "p1", "result": True}
        for _ in range(UPDATES):
            book.event(await receive(connection, is_book))
            assert max(len(book.bids), len(book.asks)) <= 500
        standing = await settle(simulator, connection, book, market_type, is_book)
    assert book.early > 0
    assert book.view() == (standing["bids"][:500], standing["asks"][:500])


async def test_a_second_socket_starts_where_the_first_is() -> None:
    books = UnifiedBook(), UnifiedBook()
    async with (
        running(patience=QUICK, rate=500.0) as simulator,
        unified(simulator, "spot") as first,
        unified(simulator, "spot") as second,
    ):
        for connection, book in zip((first, second), books, strict=True):
            await send(connection, subscribe("spot", "BTC-USDT"))
            while book.seq is None:
                book.event(await receive(connection, is_book))
        for connection, book in zip((first, second), books, strict=True):
            for _ in range(UPDATES):
                book.event(await receive(connection, is_book))
        standing = await settle(simulator, first, books[0], "spot", is_book)
        await settle(simulator, second, books[1], "spot", is_book)
    assert books[0].view() == books[1].view() == (standing["bids"][:500], standing["asks"][:500])


@both_markets
async def test_classic_changes_on_a_rest_snapshot_give_the_whole_book(market_type: str) -> None:
    book = ClassicBook()
    async with running(rate=300.0) as simulator, classic(simulator, market_type) as connection:
        ack = await ask(connection, topic(f"{LEVEL2[market_type]}:{SYMBOLS[market_type]}"))
        assert ack == {"id": "1", "type": "ack"}
        while len(book.held) < 2 or not book.snapshot(await full_book(simulator, market_type)):
            book.event(await receive(connection, is_message))
        for _ in range(UPDATES):
            book.event(await receive(connection, is_message))
        standing = await settle(simulator, connection, book, market_type, is_message)
    assert book.view() == (standing["bids"], standing["asks"])
    assert len(book.bids) > 350


async def test_spot_counts_numbers_that_no_level_stands_for(simulator: Simulator) -> None:
    simulator.world.engine.set_rate(300.0)
    async with classic(simulator, "spot") as connection:
        await send(connection, topic("/market/level2:BTC-USDT"))
        frames = [(await receive(connection, is_message))["data"] for _ in range(30)]
    rows = [row for frame in frames for side in ("bids", "asks") for row in frame["changes"][side]]
    assert ["0", "0"] in [row[:2] for row in rows]
    assert all(after["sequenceStart"] == before["sequenceEnd"] + 1 for before, after in itertools.pairwise(frames))


@both_markets
async def test_fifty_levels_come_whole(simulator: Simulator, market_type: str) -> None:
    symbol = SYMBOLS[market_type]
    async with unified(simulator, market_type) as connection:
        await send(connection, subscribe(market_type, symbol, "50"))
        first = await receive(connection, is_book)
        await order(simulator, "freeze", exchange="kucoin")
        frame = [first, *await heard_within(connection, 0.4)][-1]
        again = await heard_within(connection, 0.3)
        standing = await truth(simulator, "kucoin", market_type, symbol, 50)
    assert frame["d"]["C"] == standing["seq"]
    assert [[float(cell) for cell in row] for row in frame["d"]["b"]] == standing["bids"]
    assert [[float(cell) for cell in row] for row in frame["d"]["a"]] == standing["asks"]
    assert bool(again) == (market_type == "futures")  # they repeat what has not changed


async def test_a_gap_is_found_by_the_written_rule_and_a_new_subscription_mends_it() -> None:
    book = UnifiedBook()
    async with running(patience=QUICK, rate=300.0) as simulator, unified(simulator, "futures") as connection:
        await send(connection, subscribe("futures", "XBTUSDTM"))
        while book.seq is None:
            book.event(await receive(connection, is_book))
        await order(simulator, "gap", exchange="kucoin", symbol="XBTUSDTM")
        with pytest.raises(GapError):
            await follow(connection, lambda message: book.event(message) if is_book(message) else None)
        await ask(connection, {**subscribe("futures", "XBTUSDTM"), "action": "UNSUBSCRIBE"})
        await ask(connection, subscribe("futures", "XBTUSDTM"))
        book.event(await receive(connection, lambda message: message.get("t") == "snapshot"))
        book.event(await receive(connection, is_book))


@both_markets
async def test_classic_messages_are_left_out_crossed_and_spoilt_as_ordered(
    simulator: Simulator, market_type: str
) -> None:
    book = ClassicBook()
    simulator.world.engine.set_rate(300.0)
    async with classic(simulator, market_type) as connection:
        await send(connection, topic(f"{LEVEL2[market_type]}:{SYMBOLS[market_type]}"))
        await receive(connection, is_message)
        while not book.snapshot(await full_book(simulator, market_type)):
            book.event(await receive(connection, is_message))
        await order(simulator, "cross", exchange="kucoin")
        while max(book.bids) < min(book.asks):
            book.event(await receive(connection, is_message))
        await order(simulator, "gap", exchange="kucoin")
        with pytest.raises(GapError):
            await follow(connection, book.event)


async def test_an_unknown_symbol_is_acknowledged_and_stays_silent(simulator: Simulator) -> None:
    await order(simulator, "refuse", exchange="kucoin", symbol="ETH-USDT")
    async with unified(simulator, "spot") as connection:
        for symbol in ("NO-SUCH", "WAVES-USDT", "ETH-USDT"):
            assert (await ask(connection, subscribe("spot", symbol)))["result"] is True
        assert await heard_within(connection, 0.8) == []


@pytest.mark.parametrize(
    ("frame", "key", "text"),
    [
        (subscribe("spot", "BTC-USDT", "20"), "message", "invalid request data"),
        ({"id": "p1", "action": "SUBSCRIBE", "channel": "nosuch"}, "message", "invalid request data"),
        ({"id": "p1", "action": "DANCE"}, "message", "invalid request data"),
        ({**subscribe("spot", ""), "symbols": ["BTC-USDT"]}, "reason", "symbols are not supported for topic obu"),
        (
            subscribe("futures", "XBTUSDTM"),
            "reason",
            'topic Obu type = "public_futures" not allowed in current environment',
        ),
    ],
)
async def test_unified_refusals_name_a_message_or_a_reason(
    simulator: Simulator, frame: Any, key: str, text: str
) -> None:
    async with unified(simulator, "spot") as connection:
        assert await ask(connection, frame) == {"id": "p1", "result": False, key: text}


async def test_unified_frames_are_binary_and_their_integers_exceed_a_double(simulator: Simulator) -> None:
    async with unified(simulator, "spot") as connection:
        await send(
            connection,
            {"id": "1", "action": "SUBSCRIBE", "channel": "trade", "tradeType": "SPOT", "symbol": "BTC-USDT"},
        )
        async with asyncio.timeout(20):
            while b"trade.SPOT" not in (frame := await connection.recv(decode=False)):
                pass
        await connection.close()
    row = msgspec.json.decode(frame)["d"]
    assert int(row["ti"]) == row["E"] > 2**53
    assert row["S"] in ("buy", "sell")


@pytest.mark.parametrize("ping", [{"id": "p32", "type": "ping"}, {"id": "p32", "op": "ping", "timestamp": "1"}])
async def test_pings_are_answered_but_not_twice_a_second(simulator: Simulator, ping: dict[str, str]) -> None:
    async with unified(simulator, "spot") as connection:
        pong = await ask(connection, ping)
        assert (pong["type"], len(str(pong["ts"]))) == ("pong", 19)
        await send(connection, ping)
        with pytest.raises(ConnectionClosed):
            await receive(connection)
    assert await breaches(simulator, "kucoin") == {"pings per second": 1}


async def test_a_classic_client_that_says_nothing_is_cut_under_load() -> None:
    async with running(patience=Patience(kucoin_idle_s=0.4)) as simulator:
        async with classic(simulator, "futures") as connection:
            await send(connection, topic("/contractMarket/level2:XBTUSDTM"))
            error = await receive(connection, lambda message: message["type"] == "error")
            with pytest.raises(ConnectionClosed):
                await receive(connection, lambda message: False)
        assert error == {"type": "error", "code": 400, "data": "ping timeout"}
        assert await breaches(simulator, "kucoin") == {"no ping": 1}


async def test_a_unified_client_is_cut_only_without_a_subscription() -> None:
    async with (
        running(patience=Patience(kucoin_idle_s=0.3)) as simulator,
        unified(simulator, "spot") as idle,
        unified(simulator, "spot") as listening,
    ):
        await send(listening, subscribe("spot", "BTC-USDT"))
        with pytest.raises(ConnectionClosed):
            await receive(idle)
        await heard_within(listening, 0.3)
        await receive(listening, is_book)


async def test_a_token_opens_sockets_of_its_own_host_only(simulator: Simulator) -> None:
    token = (await bullet(simulator, "spot"))["token"]
    for path in (f"{CLASSIC['futures']}?token={token}", CLASSIC["spot"], f"{CLASSIC['spot']}?token=old"):
        async with socket(simulator, path) as connection:
            assert (await receive(connection))["code"] == 401
            with pytest.raises(ConnectionClosed):
                await receive(connection)
    for _ in range(2):
        async with socket(simulator, f"{CLASSIC['spot']}?token={token}") as connection:
            assert (await receive(connection))["type"] == "welcome"
    assert await breaches(simulator, "kucoin") == {"token used again": 1}


async def test_the_sockets_address_is_the_simulators_own(simulator: Simulator) -> None:
    data = await bullet(simulator, "spot")
    endpoint = data["instanceServers"][0]["endpoint"]
    assert endpoint == f"{simulator.url.replace('http', 'ws')}/ws-api-spot.kucoin.com/"
    rewritten = f"127.0.0.1/ws-api-spot.kucoin.com/?token={data['token']}"
    async with socket(simulator, rewritten) as connection:
        assert (await receive(connection))["type"] == "welcome"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (topic("/spotMarket/level2Depth20:BTC-USDT"), 404),
        (topic("/market/level2:BTC-USDT,NO-SUCH"), 404),
        (topic("/contractMarket/level2:XBTUSDTM"), 404),
        ({"id": "1", "type": "dance"}, 415),
        (topic("/market/match:" + ",".join(f"C{n}-USDT" for n in range(101))), 400),
    ],
)
async def test_classic_topics_are_taken_whole_or_not_at_all(simulator: Simulator, frame: Any, code: int) -> None:
    async with classic(simulator, "spot") as connection:
        error = await ask(connection, frame)
        assert (error["type"], error["code"]) == ("error", code)
        assert await heard_within(connection, 0.2) == []


async def test_without_response_there_is_no_ack(simulator: Simulator) -> None:
    async with classic(simulator, "spot") as connection:
        await send(connection, {**topic("/market/match:BTC-USDT,ETH-USDT"), "response": False})
        assert all(is_message(message) for message in await heard_within(connection, 0.3))


async def test_a_hundred_classic_messages_in_ten_seconds_are_the_limit(simulator: Simulator) -> None:
    async with classic(simulator, "spot") as connection:
        for _ in range(101):
            await send(connection, {"id": "1", "type": "ping"})
        error = await receive(connection, lambda message: message["type"] != "pong")
        with pytest.raises(ConnectionClosed):
            await receive(connection)
    assert (error["code"], error["data"]) == (509, "exceed max permits per 10 seconds")


async def test_the_topics_of_a_unified_socket_are_limited(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.feeds.simulator.kucoin.unified.TOPICS", 2)
    async with unified(simulator, "spot") as connection:
        results = [(await ask(connection, subscribe("spot", f"C{n}-USDT")))["result"] for n in range(3)]
    assert results == [True, True, False]
    assert await breaches(simulator, "kucoin") == {"topics unified": 1}


async def test_a_thirty_first_classic_connect_of_a_minute_is_refused(simulator: Simulator) -> None:
    simulator.exchanges["kucoin"]._generations["ws-api-spot.kucoin.com"].connects = Sliding(1, 60.0)  # type: ignore[attr-defined]
    async with classic(simulator, "spot"):
        with pytest.raises(InvalidStatus):
            async with socket(simulator, CLASSIC["spot"]):
                pass


async def test_lists_name_renamed_and_resting_symbols(simulator: Simulator) -> None:
    rows = {row["symbol"]: row for row in (await fetch(simulator, "api.kucoin.com/api/v2/symbols"))["data"]}
    assert len(rows) > 60
    assert (rows["BCHSV-USDT"]["name"], rows["BCHSV-USDT"]["baseCurrency"]) == ("BSV-USDT", "BSV")
    assert {symbol for symbol, row in rows.items() if not row["enableTrading"]} == {"WAVES-USDT", "EOS-USDT"}
    contracts = (await fetch(simulator, "api-futures.kucoin.com/api/v1/contracts/active"))["data"]
    by_symbol = {row["symbol"]: row for row in contracts}
    linear, inverse, dated = by_symbol["XBTUSDTM"], by_symbol["XBTUSDM"], by_symbol["XBTMZ26"]
    assert (linear["multiplier"], linear["baseCurrency"], linear["settleCurrency"]) == (0.001, "XBT", "USDT")
    assert (inverse["multiplier"], inverse["isInverse"], inverse["settleCurrency"]) == (-1, True, "XBT")
    assert (dated["type"], dated["expireDate"]) == ("FFICSX", 1798185600000)
    assert {row["status"] for row in contracts} == {"Open", "Paused"}


async def test_tickers_of_spot_say_what_a_day_turned_over(simulator: Simulator) -> None:
    told = (await fetch(simulator, "api.kucoin.com/api/v1/market/allTickers"))["data"]["ticker"]
    listed = (await fetch(simulator, "api.kucoin.com/api/v2/symbols"))["data"]
    assert {row["symbol"] for row in told} == {row["symbol"] for row in listed}
    btc = next(row for row in told if row["symbol"] == "BTC-USDT")
    assert float(btc["volValue"]) == pytest.approx(float(btc["vol"]) * float(btc["last"]), rel=1e-6)


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_unified_lists_and_books_are_the_same_in_both_versions(simulator: Simulator, version: str) -> None:
    root = f"api.kucoin.com/api/ua/{version}/market"
    for trade_type, symbol in (("SPOT", "BTC-USDT"), ("FUTURES", "XBTUSDTM")):
        rows = (await fetch(simulator, f"{root}/instrument", tradeType=trade_type))["data"]["list"]
        assert symbol in {row["symbol"] for row in rows}
        query = {"tradeType": trade_type, "symbol": symbol}
        book = (await fetch(simulator, f"{root}/orderbook", **query, limit="50"))["data"]
        assert (len(book["bids"]), len(book["asks"]), book["sequence"].isdigit()) == (50, 50, True)
        assert (await answer(simulator, f"{root}/orderbook", **query, limit="FULL"))[2]["code"] == "400001"


async def test_the_full_spot_book_is_for_signed_requests(simulator: Simulator) -> None:
    status, _, body = await answer(simulator, "api.kucoin.com/api/v3/market/orderbook/level2", symbol="BTC-USDT")
    assert (status, body["code"]) == (401, "400001")
    assert len((await full_book(simulator, "spot"))["bids"]) > 350


async def test_futures_rest_prints_small_prices_with_an_exponent(simulator: Simulator) -> None:
    url = f"{simulator.url}/api-futures.kucoin.com/api/v1/level2/depth20?symbol=SHIBUSDTM"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        text = await response.text()
    assert "e-05," in text


async def test_the_pool_of_requests_runs_dry(simulator: Simulator) -> None:
    rest = simulator.exchanges["kucoin"]._rest  # type: ignore[attr-defined]
    rest._pools["public"] = Sliding(5, 30.0)
    results = [await answer(simulator, "api.kucoin.com/api/v1/timestamp") for _ in range(2)]
    assert [status for status, _, _ in results] == [200, 429]
    assert results[0][1]["gw-ratelimit-remaining"] == "2"
    assert results[1][2] == {"code": "429000", "msg": "Too Many Requests"}
    assert 0 < int(results[1][1]["gw-ratelimit-reset"]) <= 30_000
