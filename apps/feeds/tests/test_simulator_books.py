"""Books rebuilt from the simulator's messages by the exchanges' written rules are the simulator's own books."""

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import (
    BinanceBook,
    BybitBook,
    OkxBook,
    fetch,
    follow,
    order,
    receive,
    running,
    send,
    socket,
    truth,
)
from apps.feeds.tests.standing_clock import StandingClock

UPDATES = 100
DEPTH_PATHS = {"spot": "api.binance.com/api/v3/depth", "futures": "fapi.binance.com/fapi/v1/depth"}
STREAM_PATHS = {"spot": "stream.binance.com/stream", "futures": "fstream.binance.com/public/stream"}


@pytest.fixture(autouse=True)
async def lively(simulator: Simulator) -> None:
    """Much faster than the exchanges, so that many updates take no time."""
    simulator.world.engine.set_rate(500.0)


async def settle(simulator: Simulator, connection: Any, take: Any, book: Any, exchange: str, *market: str) -> Any:
    """Let the market stand still, take what is under way, and give its book at that number."""
    await order(simulator, "freeze", exchange=exchange)
    standing = await truth(simulator, exchange, *market)
    while book.seq != standing["seq"]:
        take(await receive(connection))
        standing = await truth(simulator, exchange, *market)
    return standing


@pytest.mark.parametrize("market_type", ["spot", "futures"])
async def test_binance_diffs_on_a_rest_snapshot_give_the_whole_book(simulator: Simulator, market_type: str) -> None:
    book = BinanceBook(futures=market_type == "futures")

    def take(message: Any) -> None:
        if "stream" in message:
            book.event(message["data"])

    async with socket(simulator, STREAM_PATHS[market_type]) as connection:
        await send(connection, {"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1})
        while len(book.held) < 2:
            take(await receive(connection))
        while not book.snapshot(await fetch(simulator, DEPTH_PATHS[market_type], symbol="BTCUSDT", limit="1000")):
            take(await receive(connection))
        for _ in range(UPDATES):
            take(await receive(connection))
        standing = await settle(simulator, connection, take, book, "binance", market_type, "BTCUSDT")
    assert book.view() == (standing["bids"], standing["asks"])
    assert len(book.bids) > 350


async def test_the_first_binance_event_after_an_early_snapshot_continues_it(simulator: Simulator) -> None:
    snapshot = await fetch(simulator, DEPTH_PATHS["futures"], symbol="ETHUSDT", limit="1000")
    async with socket(simulator, "fstream.binance.com/public/stream?streams=ethusdt@depth@100ms") as connection:
        event = await receive(connection)
    assert event["data"]["pu"] == snapshot["lastUpdateId"]


@pytest.mark.parametrize("market_type", ["spot", "futures"])
async def test_binance_partial_books_are_the_top_of_the_book(simulator: Simulator, market_type: str) -> None:
    async with socket(simulator, f"{STREAM_PATHS[market_type]}?streams=solusdt@depth20@100ms") as connection:
        await receive(connection)
        await order(simulator, "freeze", exchange="binance")
        standing = await truth(simulator, "binance", market_type, "SOLUSDT", 20)
        keys = ("lastUpdateId", "bids", "asks") if market_type == "spot" else ("u", "b", "a")

        def is_last(message: Any) -> bool:
            return bool(message["data"][keys[0]] == standing["seq"])

        data = (await receive(connection, is_last))["data"]
    for rows, side in ((data[keys[1]], "bids"), (data[keys[2]], "asks")):
        assert [[float(price), float(size)] for price, size in rows] == standing[side]
    assert ("s" in data) == (market_type == "futures")


@pytest.mark.parametrize(("category", "symbol"), [("spot", "BTCUSDT"), ("linear", "ETHPERP"), ("inverse", "BTCUSD")])
@pytest.mark.parametrize("depth", [50, 200, 1000])
async def test_bybit_topics_keep_exactly_their_levels(
    simulator: Simulator, category: str, symbol: str, depth: int
) -> None:
    book = BybitBook()
    market_type = "spot" if category == "spot" else "futures"

    def take(message: Any) -> None:
        if "topic" in message:
            book.event(message)
            assert len(book.bids) <= depth
            assert len(book.asks) <= depth

    async with socket(simulator, f"stream.bybit.com/v5/public/{category}") as connection:
        await send(connection, {"op": "subscribe", "args": [f"orderbook.{depth}.{symbol}"]})
        for _ in range(UPDATES):
            take(await receive(connection))
        standing = await settle(simulator, connection, take, book, "bybit", market_type, symbol)
    assert book.view() == (standing["bids"][:depth], standing["asks"][:depth])


@pytest.mark.parametrize("symbol", ["BTC-USDT", "BTC-USDT-SWAP", "BTC-USD-SWAP"])
async def test_okx_books_keep_exactly_400_levels(simulator: Simulator, symbol: str) -> None:
    book = OkxBook()
    market_type = "futures" if symbol.endswith("SWAP") else "spot"

    def take(message: Any) -> None:
        if "action" in message:
            book.event(message)
            assert len(book.bids) <= 400
            assert len(book.asks) <= 400

    async with socket(simulator, "ws.okx.com/ws/v5/public") as connection:
        await send(connection, {"op": "subscribe", "args": [{"channel": "books", "instId": symbol}]})
        for _ in range(UPDATES):
            take(await receive(connection))
        standing = await settle(simulator, connection, take, book, "okx", market_type, symbol)
    assert book.view() == (standing["bids"][:400], standing["asks"][:400])


async def test_the_okx_book_always_has_the_latest_best_bid_and_ask(simulator: Simulator) -> None:
    book, best, compared = OkxBook(), None, 0
    args = [{"channel": channel, "instId": "BTC-USDT-SWAP"} for channel in ("books", "bbo-tbt")]
    async with socket(simulator, "ws.okx.com/ws/v5/public") as connection:
        await send(connection, {"op": "subscribe", "args": args})
        while compared < 20:
            message = await receive(connection, lambda message: "data" in message)
            if message["arg"]["channel"] == "bbo-tbt":
                best = message["data"][0]
                continue
            book.event(message)
            if best is not None and best["seqId"] <= (book.seq or 0):
                top = [[float(best[side][0][0]), float(best[side][0][1])] for side in ("bids", "asks")]
                assert [side[0] for side in book.view(1)] == top
                compared += 1


async def test_a_second_client_starts_from_where_the_first_one_is(simulator: Simulator) -> None:
    async with (
        socket(simulator, "stream.bybit.com/v5/public/linear") as first,
        socket(simulator, "stream.bybit.com/v5/public/linear") as second,
    ):
        topic = {"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]}
        await send(first, topic)
        await receive(first, lambda message: "topic" in message)
        await send(second, topic)
        snapshot = await receive(second, lambda message: "topic" in message)
        behind = await receive(second)
        same = await receive(first, lambda message: message.get("data", {}).get("u") == behind["data"]["u"])
    assert snapshot["type"] == "snapshot"
    assert behind["data"]["u"] == snapshot["data"]["u"] + 1
    assert same == behind


async def test_topics_of_two_depths_hold_the_same_book(simulator: Simulator) -> None:
    books = {"orderbook.50.BTCUSDT": BybitBook(), "orderbook.1000.BTCUSDT": BybitBook()}
    async with socket(simulator, "stream.bybit.com/v5/public/linear") as connection:
        await send(connection, {"op": "subscribe", "args": list(books)})
        for _ in range(UPDATES):
            message = await receive(connection, lambda message: "topic" in message)
            books[message["topic"]].event(message)
        standing = await truth(simulator, "bybit", "futures", "BTCUSDT")
        await order(simulator, "mute", exchange="bybit")
        deep = books["orderbook.1000.BTCUSDT"]
        while deep.seq != standing["seq"]:
            message = await receive(connection)
            books[message["topic"]].event(message)
    assert deep.view() == (standing["bids"], standing["asks"])


async def test_books_never_cross_and_keep_to_tick_and_lot(simulator: Simulator) -> None:
    info = await fetch(simulator, "api.binance.com/api/v3/exchangeInfo", symbol="SOLUSDT")
    filters = {entry["filterType"]: entry for entry in info["symbols"][0]["filters"]}
    tick, lot = Decimal(filters["PRICE_FILTER"]["tickSize"]), Decimal(filters["LOT_SIZE"]["stepSize"])
    async with socket(simulator, "stream.binance.com/ws/solusdt@depth20@100ms") as connection:
        for _ in range(UPDATES):
            top = await receive(connection)
            assert Decimal(top["bids"][0][0]) < Decimal(top["asks"][0][0])
            for price, size in top["bids"] + top["asks"]:
                assert Decimal(price) % tick == 0
                assert Decimal(size) % lot == 0
                assert Decimal(size) > 0


async def test_one_pair_costs_nearly_the_same_everywhere(simulator: Simulator) -> None:
    markets = [
        ("binance", "spot", "BTCUSDT"),
        ("binance", "futures", "BTCUSDT"),
        ("bybit", "spot", "BTCUSDT"),
        ("bybit", "futures", "BTCUSDT"),
        ("okx", "spot", "BTC-USDT"),
        ("okx", "futures", "BTC-USDT-SWAP"),
        ("htx", "spot", "btcusdt"),
        ("htx", "futures", "BTC-USDT"),
        ("mexc", "spot", "BTCUSDT"),
        ("mexc", "futures", "BTC_USDT"),
        ("kucoin", "spot", "BTC-USDT"),
        ("kucoin", "futures", "XBTUSDTM"),
        ("coinex", "spot", "BTCUSDT"),
        ("coinex", "futures", "BTCUSDT"),
    ]
    bids = [(await truth(simulator, *market, 1))["bids"][0][0] for market in markets]
    assert max(bids) / min(bids) < 1.002


async def test_the_same_seed_gives_the_same_markets() -> None:
    books = []
    for _ in range(2):
        async with running() as simulator:
            books.append(await truth(simulator, "okx", "spot", "ETH-USDT"))
    assert books[0] == books[1]


async def test_the_total_rate_can_be_set_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    names = "/".join(f"{coin}usdt@depth@100ms" for coin in ("btc", "eth", "sol", "xrp"))
    heard: list[Any] = []
    async with running(rate=40.0) as simulator, socket(simulator, f"stream.binance.com/ws/{names}") as connection:
        reader = asyncio.create_task(follow(connection, heard.append))
        monkeypatch.setattr(time, "monotonic", clock := StandingClock())
        for rate in (40.0, 400.0):
            simulator.world.engine.set_rate(rate)
            heard.clear()
            for _ in range(250):
                clock.skip(0.02)
                await clock.settle()
            assert len(heard) / 5 == pytest.approx(rate, rel=0.1)
        clock.run()
        reader.cancel()
        await asyncio.wait({reader})
