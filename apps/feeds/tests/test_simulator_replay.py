"""Recorded frames are played to whoever subscribes, again and again."""

import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.limits import Patience
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
from apps.feeds.tests.plain_htx import ContractBook, FeedBook, WholeBook
from apps.feeds.tests.plain_mexc import RangeBook

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


async def test_htx_pushes_on_an_asked_for_snapshot_lead_to_the_recorded_end(captures: Path) -> None:
    book = FeedBook(150)
    topic = "market.dogeeth.mbp.150"

    def take(message: Any) -> None:
        if "tick" in message:
            book.push(message["tick"])
        elif "rep" in message:
            book.snapshot(message["data"])

    patience = Patience(htx_snapshot_lag_s=0.0)
    async with (
        running(replay=captures, rate=50.0, patience=patience) as replay,
        socket(replay, "api.huobi.pro/feed") as connection,
    ):
        await send(connection, {"sub": topic, "id": 1})
        await send(connection, {"req": topic, "id": 2})
        await play(connection, take)
    end = msgspec.json.decode((captures / "htx" / "derived_spot_mbp150_dogeeth.expected.json").read_bytes())
    assert book.seq == end["seqNum"]
    assert book.view() == _floats(end)


async def test_htx_increments_of_contracts_are_made_from_the_recording(replay: Simulator, captures: Path) -> None:
    book = ContractBook()
    async with socket(replay, "api.hbdm.com/linear-swap-ws") as connection:
        topic = "market.SNX-USDT.depth.size_150.high_freq"
        await send(connection, {"sub": topic, "data_type": "incremental", "id": 1})
        await play(connection, lambda message: book.event(message["tick"]) if "tick" in message else None)
    name = "derived_linear_size150_incremental_SNX-USDT.expected.json"
    assert book.view() == _floats(msgspec.json.decode((captures / "htx" / name).read_bytes()))


async def test_whole_books_of_htx_are_played_as_they_were(replay: Simulator, captures: Path) -> None:
    book = WholeBook("mrid")
    async with socket(replay, "api.hbdm.com/swap-ws") as connection:
        await send(connection, {"sub": "market.ICP-USD.depth.step0", "id": 1})
        await play(connection, lambda message: book.event(message["tick"]) if "tick" in message else None)
    lines = (captures / "htx" / "inverse_depth_step0_trades_2022-02.jsonl").read_bytes().splitlines()
    last = [line["tick"] for line in map(msgspec.json.decode, lines) if "bids" in line.get("tick", ())][-1]
    assert book.seq == last["mrid"]
    assert book.view() == _floats(last)


async def test_the_missing_push_of_mexc_contracts_is_missing(replay: Simulator, captures: Path) -> None:
    book = RangeBook()
    body = (await fetch(replay, "api.mexc.com/api/v1/contract/depth/SYN_USDT", limit="1000"))["data"]
    book.snapshot(body["version"], body["bids"], body["asks"])
    async with socket(replay, "contract.mexc.com/edge") as connection:
        await send(connection, {"method": "sub.depth", "param": {"symbol": "SYN_USDT"}})
        with pytest.raises(GapError):
            await follow(connection, lambda m: book.futures(m["data"]) if m["channel"] == "push.depth" else None)
    end = msgspec.json.decode((captures / "mexc" / "futures_book_synthetic.expect.json").read_bytes())
    assert book.seq == end["missing_push"]["begin"] - 1


async def test_mexc_spot_frames_are_the_recorded_bytes(replay: Simulator, captures: Path) -> None:
    lines = (captures / "mexc" / "spot_book_synthetic.b64.jsonl").read_bytes().splitlines()
    recorded = [base64.b64decode(line) for line in lines]
    async with socket(replay, "wbs-api.mexc.com/ws") as connection:
        topic = "spot@public.aggre.depth.v3.api.pb@100ms@SYNTUSDT"
        await send(connection, {"method": "SUBSCRIPTION", "params": [topic]})
        frames = [await connection.recv() for _ in range(20)]
    played = [frame for frame in frames if isinstance(frame, bytes)]
    assert len(played) == 19
    assert set(played) <= set(recorded)


def _floats(book: Any) -> tuple[list[list[float]], list[list[float]]]:
    bids, asks = ([[float(price), float(size)] for price, size in book[side]] for side in ("bids", "asks"))
    return bids, asks


async def test_a_recording_begins_again_with_its_first_book(replay: Simulator) -> None:
    before = await truth(replay, "okx", "spot", "BTC-USDT")
    async with socket(replay, "ws.okx.com/ws/v5/public") as connection:
        await send(connection, {"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]})
        await play(connection, lambda message: time.sleep(0.01))  # so that the simulator is behind its time
    assert await truth(replay, "okx", "spot", "BTC-USDT") == before


async def test_market_lists_hold_the_recorded_symbols(replay: Simulator) -> None:
    spot = (await fetch(replay, "api.binance.com/api/v3/exchangeInfo"))["symbols"]
    swaps = (await fetch(replay, "www.okx.com/api/v5/public/instruments", instType="SWAP"))["data"]
    assert [row["symbol"] for row in spot] == ["NKNUSDT"]
    assert {row["instId"]: row["ctVal"] for row in swaps} == {"BTC-USDT-SWAP": "0.01", "UNI-USD-SWAP": "10"}


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recordings"):
        Simulator(replay=tmp_path)
