"""Recorded frames are played to whoever subscribes, again and again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import (
    BinanceBook,
    BybitBook,
    GapError,
    OkxBook,
    fetch,
    follow,
    receive,
    running,
    send,
    socket,
    truth,
)

pytestmark = pytest.mark.captures


@pytest.fixture
async def replay(captures: Path) -> AsyncIterator[Simulator]:
    async with running(replay=captures, rate=300.0) as simulator:
        yield simulator


def expected(captures: Path, exchange: str, key: str, value: str) -> Any:
    lines = (captures / exchange / "expected_final_books.jsonl").read_bytes().splitlines()
    return next(line for line in map(msgspec.json.decode, lines) if line.get(key) == value)


async def play(connection: Any, take: Any) -> None:
    """Take messages until the recording ends and the socket with it."""
    with pytest.raises(ConnectionClosed):
        await follow(connection, take)


@pytest.mark.parametrize(
    ("path", "rest", "symbol"),
    [
        ("stream.binance.com/ws", "api.binance.com/api/v3/depth", "NKNUSDT"),
        ("fstream.binance.com/public/ws", "fapi.binance.com/fapi/v1/depth", "SUSHIUSDT"),
    ],
)
async def test_binance_diffs_lead_to_the_recorded_end(
    replay: Simulator, captures: Path, path: str, rest: str, symbol: str
) -> None:
    book = BinanceBook(futures=symbol == "SUSHIUSDT")
    book.snapshot(await fetch(replay, rest, symbol=symbol, limit="1000"))
    async with socket(replay, f"{path}/{symbol.lower()}@depth@100ms") as connection:
        await play(connection, book.event)
    end = expected(captures, "binance", "symbol", symbol)
    assert book.seq == end["final_update_id"]
    assert (len(book.bids), len(book.asks)) == (end["levels_bid"], end["levels_ask"])


async def test_binance_frames_are_the_recorded_ones_word_for_word(replay: Simulator, captures: Path) -> None:
    lines = (captures / "binance" / "spot_stream_NKNUSDT_RUNEEUR.jsonl").read_bytes().splitlines()
    recorded = [message for message in map(msgspec.json.decode, lines) if message["stream"] == "nknusdt@depth@100ms"]
    async with socket(replay, "stream.binance.com/stream?streams=nknusdt@depth@100ms") as connection:
        played = [await receive(connection) for _ in range(50)]
    start = recorded.index(played[0])
    assert played == recorded[start : start + 50]


async def test_a_partial_book_is_made_from_the_recording(replay: Simulator) -> None:
    async with socket(replay, "fstream.binance.com/public/stream?streams=sushiusdt@depth20@100ms") as connection:
        first = (await receive(connection))["data"]
        for _ in range(20):
            last = (await receive(connection))["data"]
    assert len(first["b"]) == len(last["a"]) == 20
    assert last["u"] > first["u"]


async def test_bybit_topics_are_made_from_the_recording(replay: Simulator, captures: Path) -> None:
    book = BybitBook()
    async with socket(replay, "stream.bybit.com/v5/public/linear") as connection:
        await send(connection, {"op": "subscribe", "args": ["orderbook.1000.XRPUSDT"]})
        await receive(connection)
        await play(connection, book.event)
    end = expected(captures, "bybit", "symbol", "XRPUSDT")
    top = [[float(text) for text in level] for level in end["top_bids"]]
    assert book.view(3)[0] == top
    assert (len(book.bids), len(book.asks)) == (end["levels_bid"], end["levels_ask"])


async def test_okx_books_lead_to_the_recorded_end_over_keep_alive_and_reset(replay: Simulator, captures: Path) -> None:
    book = OkxBook()
    async with socket(replay, "ws.okx.com/ws/v5/public") as connection:
        await send(connection, {"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]})
        await receive(connection)
        await play(connection, book.event)
    end = expected(captures, "okx", "file", "derived_books_seq_BTC-USDT.jsonl")
    assert book.seq == end["last_seqId"]
    assert book.view(10)[0] == [[float(price), float(size)] for price, size in end["bids"]]


async def test_the_gap_of_a_recording_is_played_too(replay: Simulator, captures: Path) -> None:
    book = OkxBook()
    async with socket(replay, "ws.okx.com/ws/v5/public") as connection:
        await send(connection, {"op": "subscribe", "args": [{"channel": "books", "instId": "UNI-USD-SWAP"}]})
        await receive(connection)
        with pytest.raises(GapError):
            await follow(connection, book.event)
    assert book.seq == expected(captures, "okx", "file", "derived_books_gap_UNI-USD-SWAP.jsonl")["last_seqId"]


async def test_a_recording_begins_again_with_its_first_book(replay: Simulator) -> None:
    before = await truth(replay, "okx", "spot", "BTC-USDT")
    async with socket(replay, "ws.okx.com/ws/v5/public") as connection:
        await send(connection, {"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]})
        await play(connection, lambda message: None)
    assert await truth(replay, "okx", "spot", "BTC-USDT") == before


async def test_market_lists_hold_the_recorded_symbols(replay: Simulator) -> None:
    spot = (await fetch(replay, "api.binance.com/api/v3/exchangeInfo"))["symbols"]
    swaps = (await fetch(replay, "www.okx.com/api/v5/public/instruments", instType="SWAP"))["data"]
    assert [row["symbol"] for row in spot] == ["NKNUSDT"]
    assert {row["instId"]: row["ctVal"] for row in swaps} == {"BTC-USDT-SWAP": "0.01", "UNI-USD-SWAP": "10"}


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recordings"):
        Simulator(replay=tmp_path)
