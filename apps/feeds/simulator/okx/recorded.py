"""Recordings of OKX: the channel `books` in its present form, with trades."""

from collections.abc import Iterable
from typing import Any

from apps.feeds.simulator.recorded import Frame, Library, Print, Recording

FILES = ("books_2026_*.jsonl", "derived_books_*.jsonl")  # those of 2022 know no sequence


class OkxLibrary(Library):
    def recordings(self) -> Iterable[Recording]:
        for pattern in FILES:
            for _, lines in self.lines(pattern):
                frames = [frame for line in lines for frame in _frames(line)]
                starts = [n for n, frame in enumerate(frames) if frame.payload.get("action") == "snapshot"]
                first = frames.pop(starts[0])
                symbol = first.payload["arg"]["instId"]
                market_type = "futures" if symbol.count("-") > 1 else "spot"
                yield Recording(market_type, symbol, f"books:{symbol}", first, frames)


def _frames(line: dict[str, Any]) -> Iterable[Frame]:
    channel = line["arg"]["channel"] if "data" in line else ""
    if channel == "books":
        for row in line["data"]:
            yield Frame(row["seqId"], row["bids"], row["asks"], {**line, "data": [row]})
    elif channel == "trades":
        yield Frame(
            0,
            prints=tuple(
                Print(int(row["tradeId"]), row["side"], row["px"], row["sz"], int(row["ts"])) for row in line["data"]
            ),
        )
