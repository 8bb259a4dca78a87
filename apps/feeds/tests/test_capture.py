"""What `manage.py capture` records at the simulator, `manage.py replay` makes the same books of."""

import json
import re
import shlex
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.feeds.capture import Recording, capture
from apps.feeds.capture_files import Files
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Driver
from apps.feeds.market import BookState, MarketType
from apps.feeds.replay import Replay, frames
from apps.feeds.simulator.server import Simulator
from apps.feeds.subscriptions import deepest
from apps.feeds.transport import loop

LONGER_S = (1.5, 10.0, 60.0)  # a machine that is busy needs longer until all books are live
EVERY = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    running = Simulator(seed=5, rate=100.0)
    loop.run(running.start(), timeout=20)
    yield running
    loop.run(running.stop(), timeout=20)


@pytest.fixture
def captured(settings, simulator, tmp_path):
    def run(exchange: str, market: str, *pairs: str, seconds: float = 1.5, folder: str = "frames") -> list[str]:
        settings.CT_SIMULATOR_URL = simulator.url
        out = StringIO()
        arguments = ["--exchange", exchange, "--market", market, "--pair", *pairs]
        call_command("capture", *arguments, "--seconds", str(seconds), "--out", str(tmp_path / folder), stdout=out)
        return out.getvalue().splitlines()

    return run


def replayed(command: str) -> dict[str, dict]:
    out = StringIO()
    _, _, name, *arguments = shlex.split(command)
    call_command(name, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def recorded(driver: Driver, market: MarketType, url: str, folder: Path) -> tuple[Files, Recording]:
    """Two books, until both are live."""
    quote = "USDC" if driver.exchange_id == registry.canonical("dex") else "USDT"
    for seconds in LONGER_S:
        files = Files(folder / f"{seconds:g}")
        work = capture(
            driver,
            market,
            [f"BTC/{quote}", f"eth/{quote}"],
            depth=deepest(driver.depths(market)),
            seconds=seconds,
            files=files,
            simulator_url=url,
            max_connections=20,
            pairs_per_connection=40,
        )
        recording = loop.run(work, timeout=seconds + 60)
        if all(book.state is BookState.LIVE for book in recording.books):
            break
    return files, recording


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_a_capture_replays_to_the_books_that_were_held(simulator, tmp_path, exchange, market):
    driver = registry.driver(exchange)
    files, recording = recorded(driver, market, simulator.url, tmp_path)
    assert (recording.refusals, recording.malformed_frames) == ({}, 0)
    assert [book.state for book in recording.books] == [BookState.LIVE, BookState.LIVE]

    binary = files.path.name.endswith(".b64.jsonl")
    snapshots = {symbol: [path.read_bytes() for path in paths] for symbol, paths in files.snapshots.items()}
    replay = Replay(driver, market, snapshots)
    for frame in frames(files.path.read_bytes().split(b"\n"), base64=binary):
        replay.play(frame)
    again = {
        report.symbol: (report.state, report.seq, report.gaps, report.bids, report.asks) for report in replay.finish()
    }
    assert again == {
        book.instrument.symbol: (book.state, book.seq, book.gaps, book.bids, book.asks) for book in recording.books
    }


def test_the_command_says_how_to_read_its_files_again(captured):
    for seconds in LONGER_S:
        book, counts, command = captured("binance", "spot", "BTC/USDT", seconds=seconds, folder=f"{seconds:g}")
        if " LIVE " in book:
            break
    seq = re.fullmatch(r"binance:spot:BTC/USDT  LIVE  seq (\d+)  gaps 0", book)
    assert seq is not None
    assert re.fullmatch(r"\d+ frames, 0 malformed; read them again with", counts)
    assert replayed(command)["BTCUSDT"]["seq"] == int(seq[1])


def test_what_is_not_listed_is_refused_before_anything_is_recorded(captured, tmp_path):
    with pytest.raises(CommandError, match="not listed: NOPE/USDT") as refused:
        captured("binance", "spot", "BTC/USDT", "NOPE/USDT")
    assert refused.value.returncode == 2
    assert (tmp_path / "frames" / "frames.jsonl").read_bytes() == b""


def test_a_folder_with_something_in_it_is_left_alone(captured, tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "mine").touch()
    with pytest.raises(CommandError, match="is not empty"):
        captured("binance", "spot", "BTC/USDT")


def test_frames_become_base64_with_the_first_that_is_no_line(tmp_path: Path):
    files = Files(tmp_path)
    files.frame('{"a":1}')
    assert files.path.name == "frames.jsonl"
    files.frame(b"\x0a\xff")
    files.frame('{"b":2}')
    files.close()
    assert files.path.name == "frames.b64.jsonl"
    assert files.path.read_bytes().split() == [b"eyJhIjoxfQ==", b"Cv8=", b"eyJiIjoyfQ=="]
    assert [path.name for path in tmp_path.iterdir()] == ["frames.b64.jsonl"]


def test_snapshots_are_numbered_and_their_symbols_made_fit_for_file_names(tmp_path: Path):
    files = Files(tmp_path)
    files.snapshot("PURR/USDC", b"one")
    files.snapshot("PURR/USDC", b"two")
    files.close()
    assert [path.read_bytes() for path in files.snapshots["PURR/USDC"]] == [b"one", b"two"]
    assert [path.name for path in files.snapshots["PURR/USDC"]] == [
        "snapshot.PURR%2FUSDC.1.json",
        "snapshot.PURR%2FUSDC.2.json",
    ]
