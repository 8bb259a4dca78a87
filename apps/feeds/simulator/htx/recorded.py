"""Recordings of HTX: whole books, from which changes are made, and channels of changes with their snapshot."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from apps.feeds.simulator.recorded import Frame, Levels, Library, Print, Recording

WHOLE = {"spot_depth_step0_*": "spot", "linear_depth_step0_*": "futures", "inverse_depth_step0_*": "futures"}
_exact = msgspec.json.Decoder(float_hook=Decimal).decode


class HtxLibrary(Library):
    def lines(self, pattern: str) -> Iterable[tuple[str, list[dict[str, Any]]]]:
        """As in the base, but numbers keep their digits; what clients sent, and raw frames, are left out."""
        for path in sorted(self.folder.glob(pattern)):
            if not path.name.endswith((".client.jsonl", ".b64.jsonl")):
                yield path.name, [_exact(line) for line in path.read_bytes().splitlines() if line]

    def recordings(self) -> Iterable[Recording]:
        """A symbol that is there twice is played as it comes last: in its own channel."""
        for prefix, market_type in WHOLE.items():
            for _, lines in self.lines(f"{prefix}.jsonl"):
                yield from _whole(market_type, lines)
        for _, lines in self.lines("derived_linear_size150_*.jsonl"):
            yield _contract([line["tick"] for line in lines if "tick" in line])
        for _, lines in self.lines("derived_spot_mbp150_*.jsonl"):
            yield _mbp(lines)


def _whole(market_type: str, lines: list[dict[str, Any]]) -> Iterable[Recording]:
    """Each symbol's books and trades; a frame says what changed since the book before."""
    data = [line for line in lines if "tick" in line]
    for symbol in dict.fromkeys(line["ch"].split(".")[1] for line in data):
        ticks = [line["tick"] for line in data if line["ch"].split(".")[1] == symbol]
        books = [tick for tick in ticks if "bids" in tick]
        if not books:
            continue
        first = before = books[0]
        frames = []
        for tick in ticks:
            if "data" in tick:
                frames += [_trades(tick)]
            elif tick is not first:
                bids, asks = (_changes(before[side], tick[side]) for side in ("bids", "asks"))
                frames.append(Frame(_number(tick), bids, asks))
                before = tick
        yield Recording(market_type, symbol, "", Frame(_number(first), *_sides(first)), frames)


def _contract(ticks: list[dict[str, Any]]) -> Recording:
    """Versions belong to a connection: what is played is made from the recorded book."""
    first, *updates = ticks
    frames = [Frame(tick["mrid"], *_sides(tick)) for tick in updates]
    return Recording("futures", first["ch"].split(".")[1], "", Frame(first["mrid"], *_sides(first)), frames)


def _mbp(lines: list[dict[str, Any]]) -> Recording:
    """From the snapshot on; pushes that it holds already are left out."""
    (reply,) = [line for line in lines if "rep" in line]
    first = reply["data"]
    pushes = [line for line in lines if "tick" in line and line["tick"]["seqNum"] > first["seqNum"]]
    frames = [Frame(line["tick"]["seqNum"], *_sides(line["tick"]), line) for line in pushes]
    topic = reply["rep"]
    return Recording("spot", topic.split(".")[1], topic, Frame(first["seqNum"], *_sides(first)), frames)


def _number(tick: dict[str, Any]) -> int:
    number: int = tick.get("mrid") or tick["version"]
    return number


def _sides(tick: dict[str, Any]) -> tuple[Levels, Levels]:
    return _levels(tick.get("bids", [])), _levels(tick.get("asks", []))


def _levels(rows: list[list[Any]]) -> Levels:
    return [[f"{Decimal(price):f}", f"{Decimal(size):f}"] for price, size in rows]


def _changes(before: list[list[Any]], after: list[list[Any]]) -> Levels:
    old, new = ({Decimal(price): size for price, size in rows} for rows in (before, after))
    gone = [[price, 0] for price in old if price not in new]
    return _levels(gone + [[price, size] for price, size in new.items() if old.get(price) != size])


def _trades(tick: dict[str, Any]) -> Frame:
    return Frame(
        0,
        prints=tuple(
            Print(
                row.get("tradeId") or row["id"] // 10000,
                row["direction"],
                f"{Decimal(row['price']):f}",
                f"{Decimal(row['amount']):f}",
                row["ts"],
            )
            for row in tick["data"]
        ),
    )
