"""Recordings of Bybit: topics that begin with a snapshot.

Their `u` belongs to a topic of one depth, some of them retired: what is played is made from the recorded book.
"""

from collections.abc import Iterable
from typing import Any

from apps.feeds.simulator.recorded import Frame, Library, Recording

MARKETS = {"spot": "spot", "linear": "futures"}


class BybitLibrary(Library):
    def recordings(self) -> Iterable[Recording]:
        for category, market_type in MARKETS.items():
            for _, lines in self.lines(f"{category}_orderbook*.jsonl"):
                first, *frames = [_frame(line) for line in lines if "topic" in line]
                yield Recording(market_type, first.payload["data"]["s"], "", first, frames)


def _frame(line: dict[str, Any]) -> Frame:
    data = line["data"]
    return Frame(data["seq"], data["b"], data["a"], line)
