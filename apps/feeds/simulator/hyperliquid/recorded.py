"""Recordings of Hyperliquid: whole books, each of which becomes the changes since the one before."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from apps.feeds.simulator.hyperliquid.listings import USDC
from apps.feeds.simulator.recorded import Frame, Levels, Library, Print, Recording

FILES = "ws_btc_*.jsonl"  # the only long one: books of 20 levels and trades


class HyperliquidLibrary(Library):
    def recordings(self) -> Iterable[Recording]:
        for name, lines in self.lines(FILES):
            if name.endswith(".recv.jsonl"):
                continue
            books = [line for line in lines if line["channel"] == "l2Book"]
            coin = books[0]["data"]["coin"]
            changes = {id(after): _change(before, after) for before, after in pairwise(books)}
            start = lines.index(books[0])
            frames = [
                _prints(line) if line["channel"] == "trades" else changes[id(line)] for line in lines[start + 1 :]
            ]
            bids, asks = _sides(books[0])
            first = Frame(books[0]["data"]["time"], bids, asks, books[0])
            yield Recording("futures", coin, f"l2Book:{coin}", first, frames, pair=(coin, USDC))


def _change(before: dict[str, Any], after: dict[str, Any]) -> Frame:
    """What leads from one book to the next; it is played as the whole book that it was."""
    bids, asks = (
        [*new, *([price, "0"] for price in {level[0] for level in old} - {level[0] for level in new})]
        for old, new in zip(_sides(before), _sides(after), strict=True)
    )
    return Frame(after["data"]["time"], bids, asks, after)


def _prints(line: dict[str, Any]) -> Frame:
    prints = (
        Print(row["tid"], "buy" if row["side"] == "B" else "sell", row["px"], row["sz"], row["time"])
        for row in line["data"]
    )
    return Frame(0, prints=tuple(prints))


def _sides(line: dict[str, Any]) -> tuple[Levels, Levels]:
    bids, asks = line["data"]["levels"]
    return [[row["px"], row["sz"]] for row in bids], [[row["px"], row["sz"]] for row in asks]
