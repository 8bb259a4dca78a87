"""Recordings of MEXC: pushes of changes and the first REST book that belongs to them."""

import base64
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from apps.feeds.simulator.mexc.protobuf import WRAPPER, decode
from apps.feeds.simulator.recorded import Frame, Levels, Library, Recording

_exact = msgspec.json.Decoder(float_hook=Decimal).decode


class MexcLibrary(Library):
    def recordings(self) -> Iterable[Recording]:
        for path in sorted(self.folder.glob("spot_book_*.first.rest.jsonl")):
            yield _spot(path, _sibling(path, ".b64.jsonl"))
        for path in sorted(self.folder.glob("futures_book_*.first.rest.jsonl")):
            yield _futures(path, _sibling(path, ".jsonl"))


def _sibling(path: Path, ending: str) -> list[bytes]:
    return (path.parent / path.name.replace(".first.rest.jsonl", ending)).read_bytes().splitlines()


def _spot(path: Path, lines: list[bytes]) -> Recording:
    """Frames that the snapshot holds already, and those without a body, are left out."""
    snapshot = msgspec.json.decode(path.read_bytes())
    first = Frame(snapshot["lastUpdateId"], snapshot["bids"], snapshot["asks"])
    frames = []
    for line in lines:
        push = decode(base64.b64decode(line), WRAPPER)
        body = push.get("publicAggreDepths")
        if body is None or int(body["toVersion"]) <= first.seq:
            continue
        for side in ("asks", "bids"):
            body[side] = [(item["price"], item["quantity"]) for item in body[side]]
        frames.append(Frame(int(body["toVersion"]), body["bids"], body["asks"], push))
    symbol = frames[0].payload["symbol"]
    return Recording("spot", symbol, frames[0].payload["channel"], first, frames)


def _futures(path: Path, lines: list[bytes]) -> Recording:
    snapshot = _exact(path.read_bytes())["data"]
    first = Frame(snapshot["version"], *_sides(snapshot))
    pushes: list[dict[str, Any]] = [push for push in map(_exact, lines) if push["channel"] == "push.depth"]
    frames = [Frame(push["data"]["end"], *_sides(push["data"]), push) for push in pushes]
    symbol = pushes[0]["symbol"]
    return Recording("futures", symbol, f"depth:{symbol}", first, [f for f in frames if f.seq > first.seq])


def _sides(data: dict[str, Any]) -> tuple[Levels, Levels]:
    return _levels(data["bids"]), _levels(data["asks"])


def _levels(rows: list[list[Any]]) -> Levels:
    return [[f"{Decimal(row[0]):f}", f"{Decimal(row[1]):f}"] for row in rows]
