"""Recordings of KuCoin and CoinEx, played to plain clients that check every number and checksum."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from apps.feeds.simulator.limits import Patience
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests import plain_coinex, plain_kucoin
from apps.feeds.tests.plain_client import GapError, fetch, follow, receive, running, send, socket
from apps.feeds.tests.plain_coinex import CoinexBook
from apps.feeds.tests.plain_kucoin import ClassicBook, UnifiedBook

pytestmark = pytest.mark.captures
SNAPSHOT = "api-futures.kucoin.com/api/v1/level2/snapshot"
LEVEL2 = "/contractMarket/level2"


@pytest.fixture
async def replay(captures: Path, tmp_path: Path) -> AsyncIterator[Simulator]:
    """The recordings of these two exchanges alone."""
    for exchange in ("kucoin", "coinex"):
        (tmp_path / exchange).symlink_to(captures / exchange)
    patience = Patience(kucoin_snapshot_s=0.02)
    async with running(replay=tmp_path, rate=400.0, patience=patience) as simulator:
        yield simulator


def expected(captures: Path, file: str) -> Any:
    lines = (captures / "kucoin" / "expected_derived_books.jsonl").read_bytes().splitlines()
    return next(line for line in map(msgspec.json.decode, lines) if line["file"] == file)


def floats(levels: list[list[Any]]) -> list[list[float]]:
    return [[float(cell) for cell in level] for level in levels]


async def futures_book(replay: Simulator, connection: Any, symbol: str) -> ClassicBook:
    """The recorded snapshot, and a subscription: a market that nobody listens to stands still."""
    book = ClassicBook()
    book.snapshot((await fetch(replay, SNAPSHOT, symbol=symbol))["data"])
    await plain_kucoin.ask(connection, plain_kucoin.topic(f"{LEVEL2}:{symbol}"))
    return book


async def test_classic_futures_lead_to_the_recorded_end(replay: Simulator, captures: Path) -> None:
    async with plain_kucoin.classic(replay, "futures") as connection:
        book = await futures_book(replay, connection, "BSVUSDTM")
        with pytest.raises(ConnectionClosed):
            await follow(connection, book.event)
    end = expected(captures, "derived_futures_level2_BSVUSDTM.jsonl")
    assert book.seq == end["last_sequence"]
    assert (book.view(10)[0], len(book.asks)) == (floats(end["bids"]), end["n_asks"])


async def test_the_gap_of_classic_futures_is_played_too(replay: Simulator) -> None:
    async with plain_kucoin.classic(replay, "futures") as connection:
        book = await futures_book(replay, connection, "FETUSDTM")
        with pytest.raises(GapError):
            await follow(connection, book.event)


async def test_the_gap_of_a_unified_book_is_played_too(replay: Simulator) -> None:
    book = UnifiedBook()
    replay.world.engine.set_rate(50.0)  # the snapshot is there long before the gap
    async with plain_kucoin.unified(replay, "spot") as connection:
        await plain_kucoin.ask(connection, plain_kucoin.subscribe("spot", "ANKR-BTC"))
        with pytest.raises(GapError):
            await follow(connection, book.event)


async def test_unified_books_are_made_from_a_classic_recording(replay: Simulator, captures: Path) -> None:
    """The regrouped recording ends at a number that the classic one passes."""
    end = expected(captures, "derived_obu_10ms_BCHSV-USDT.jsonl")
    book = UnifiedBook()
    async with plain_kucoin.unified(replay, "spot") as connection:
        await plain_kucoin.ask(connection, plain_kucoin.subscribe("spot", "BCHSV-USDT"))
        while (message := await receive(connection))["d"]["C"] <= end["last_C"]:
            book.event(message)
    assert book.view(10) == (floats(end["bids"]), floats(end["asks"]))
    assert (len(book.bids), len(book.asks)) == (end["n_bids"], end["n_asks"])


@pytest.mark.parametrize(
    ("market_type", "symbol", "limit", "file"),
    [
        ("spot", "SNXUSDT", 20, "synthetic_spot_depth20_incremental"),
        ("futures", "BTTUSDT", 50, "synthetic_futures_depth50_incremental"),
    ],
)
async def test_coinex_books_pass_every_recorded_checksum(
    replay: Simulator, captures: Path, market_type: str, symbol: str, limit: int, file: str
) -> None:
    book = CoinexBook(limit)
    async with socket(replay, plain_coinex.SOCKETS[market_type]) as connection:
        await plain_coinex.ask(connection, plain_coinex.subscribe("depth", [symbol, limit, "0", False]))
        with pytest.raises(ConnectionClosed):
            await follow(connection, book.event)
    end = msgspec.json.decode((captures / "coinex" / f"{file}.expected.json").read_bytes())
    assert book.view() == (floats(end["bids"]), floats(end["asks"]))


async def test_another_depth_of_coinex_is_made_from_the_recording(replay: Simulator) -> None:
    book = CoinexBook(5)
    async with socket(replay, plain_coinex.SOCKETS["spot"]) as connection:
        await send(connection, plain_coinex.subscribe("depth", ["SNXUSDT", 5, "0", False]))
        with pytest.raises(ConnectionClosed):
            await follow(connection, lambda message: book.event(message) if plain_coinex.is_depth(message) else None)
    assert book.changes > 10
