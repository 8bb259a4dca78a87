"""Recordings of KuCoin: classic books on the REST book that belongs to them, and one unified stream with a gap."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.recorded import Frame, Levels, Library, Recording

SPOT_FILES = "spot_level2_2021_*.jsonl"
FUTURES_FILES = "derived_futures_level2_*.jsonl"
UNIFIED_FILES = "derived_obu_10ms_gap_*.jsonl"  # the other one repeats a classic recording
REST = ".rest.jsonl"


class KucoinLibrary(Library):
    def recordings(self) -> Iterable[Recording]:
        for market_type, pattern in (("spot", SPOT_FILES), ("futures", FUTURES_FILES)):
            files = dict(self.lines(pattern))
            for name, lines in files.items():
                rest = files.get(name.removesuffix(".jsonl") + REST)
                if rest is not None:
                    yield _classic(market_type, lines, rest[0]["data"])
        for _, (first, *frames) in self.lines(UNIFIED_FILES):
            symbol = first["d"]["s"]
            channel = f"obu:{first['dp']}:{symbol}"
            yield Recording("spot", symbol, channel, _unified(first), [_unified(line) for line in frames])


def _classic(market_type: str, lines: list[dict[str, Any]], book: dict[str, Any]) -> Recording:
    """Frames from before the snapshot are part of the recording, but not of a book that starts with it."""
    topic = lines[0]["topic"]
    symbol = topic.partition(":")[2]
    first = Frame(int(book["sequence"]), _plain(book["bids"]), _plain(book["asks"]))
    read = _spot if market_type == "spot" else _futures
    frames = [frame for frame in map(read, lines) if frame.seq > first.seq]
    pair = None if market_type == "spot" else (symbol.removesuffix("USDTM"), "USDT")
    return Recording(market_type, symbol, topic, first, frames, pair)


def _spot(line: dict[str, Any]) -> Frame:
    """Price 0 stands for a number without a level."""
    data = line["data"]
    bids, asks = ([row for row in data["changes"][side] if Decimal(row[0])] for side in ("bids", "asks"))
    return Frame(data["sequenceEnd"], bids, asks, line)


def _futures(line: dict[str, Any]) -> Frame:
    price, side, size = line["data"]["change"].split(",")
    levels = [(price, size)]
    return Frame(line["data"]["sequence"], levels if side == "buy" else (), levels if side == "sell" else (), line)


def _unified(line: dict[str, Any]) -> Frame:
    data = line["d"]
    return Frame(data["C"], data["b"], data["a"], line)


def _plain(rows: list[list[Any]]) -> Levels:
    """Levels as plain decimal text: the futures' REST prints numbers, some with an exponent."""
    return [[f"{Decimal(str(cell)):f}" for cell in row] for row in rows]
