"""What the recorded frames of the real exchanges hold, and a plain model of a book to judge ours by.

The model knows prices as the wire spells them and sorts a dict when asked: slow, obvious, and nothing like our book.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.feeds.market import Levels, MarketType

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES


@dataclass(frozen=True)
class Recording:
    """One file of frames that make books; `snapshots` are the REST answers that belong to it, by symbol."""

    exchange: str
    market_type: MarketType
    file: str
    snapshots: dict[str, str] = field(default_factory=dict)


RECORDINGS = [
    Recording(
        "binance",
        SPOT,
        "spot_stream_NKNUSDT_RUNEEUR.jsonl",
        {"NKNUSDT": "spot_snapshot_NKNUSDT.jsonl", "RUNEEUR": "spot_snapshot_RUNEEUR.jsonl"},
    ),
    Recording(
        "binance",
        FUTURES,
        "usdm_stream_SUSHIUSDT_KEEPUSDT.jsonl",
        {"SUSHIUSDT": "usdm_snapshot_SUSHIUSDT.jsonl", "KEEPUSDT": "usdm_snapshot_KEEPUSDT.jsonl"},
    ),
    Recording(
        "binance",
        FUTURES,
        "coinm_stream_BCHUSD-PERP_BTCUSD-211231_TRXUSD-PERP.jsonl",
        {
            "BCHUSD_PERP": "coinm_snapshot_BCHUSD-PERP.jsonl",
            "BTCUSD_211231": "coinm_snapshot_BTCUSD-211231.jsonl",
            "TRXUSD_PERP": "coinm_snapshot_TRXUSD-PERP.jsonl",
        },
    ),
    Recording("bybit", FUTURES, "linear_orderbook500_XRPUSDT.jsonl"),
    Recording("bybit", SPOT, "spot_orderbook200_BTCUSDT.jsonl"),
    Recording("okx", SPOT, "books_2022_crc_BTC-USDT.jsonl"),
    Recording("okx", FUTURES, "books_2022_crc_UNI-USD-SWAP.jsonl"),
    Recording("okx", FUTURES, "books_2026_BTC-USDT-SWAP.jsonl"),
    Recording("okx", SPOT, "derived_books_seq_BTC-USDT.jsonl"),
    Recording("okx", FUTURES, "derived_books_gap_UNI-USD-SWAP.jsonl"),
]


@dataclass(frozen=True)
class Expected:
    """The final book of one symbol as it was recorded beside the frames."""

    symbol: str
    seq: int | None
    applied: int | None
    bids_count: int
    asks_count: int
    bids: Levels
    asks: Levels
    gap_line: int | None = None


def lines(captures: Path, exchange: str, file: str) -> list[bytes]:
    return (captures / exchange / file).read_bytes().splitlines()


def expectations(captures: Path, recording: Recording) -> list[Expected]:
    rows = [json.loads(line) for line in lines(captures, recording.exchange, "expected_final_books.jsonl")]
    return [_READERS[recording.exchange](row) for row in rows if recording.file in row.values()]


def _numbers(levels: list[list[str]]) -> Levels:
    return [(float(price), float(amount)) for price, amount in levels]


def _binance(row: dict[str, Any]) -> Expected:
    return Expected(
        symbol=row["symbol"],
        seq=row["final_update_id"],
        applied=row["applied"],
        bids_count=row["levels_bid"],
        asks_count=row["levels_ask"],
        bids=_numbers(row["top_bids"]),
        asks=_numbers(row["top_asks"]),
    )


def _bybit(row: dict[str, Any]) -> Expected:
    return Expected(
        symbol=row["symbol"],
        seq=row["final_u"],
        applied=None,
        bids_count=row["levels_bid"],
        asks_count=row["levels_ask"],
        bids=_numbers(row["top_bids"]),
        asks=_numbers(row["top_asks"]),
    )


def _okx(row: dict[str, Any]) -> Expected:
    return Expected(
        symbol=row["file"].removesuffix(".jsonl").rsplit("_", 1)[1],
        seq=row["last_seqId"],
        applied=row["applied"],
        bids_count=row["n_bids"],
        asks_count=row["n_asks"],
        bids=_numbers(row["bids"]),
        asks=_numbers(row["asks"]),
        gap_line=row["gap_at_line_index"],
    )


_READERS = {"binance": _binance, "bybit": _bybit, "okx": _okx}


class Model:
    """Both sides as dicts of the wire's own strings."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}

    def set(self, bids: list[list[str]], asks: list[list[str]], *, whole: bool) -> None:
        for side, rows in (("bids", bids), ("asks", asks)):
            if whole:
                self.sides[side] = {}
            for row in rows:
                self.sides[side][row[0]] = row[1]

    def levels(self) -> tuple[Levels, Levels]:
        """Best first, zeros left out."""
        bids, asks = (
            sorted((float(price), float(amount)) for price, amount in side.items() if float(amount) > 0)
            for side in self.sides.values()
        )
        return bids[::-1], asks


def model_of(captures: Path, recording: Recording, symbol: str, stop: int | None) -> Model:
    """Read a recording's own JSON for one symbol, with no rule but: what is older than the snapshot is in it."""
    model, floor = Model(), 0
    if recording.snapshots:
        snapshot = json.loads((captures / recording.exchange / recording.snapshots[symbol]).read_bytes())
        model.set(snapshot["bids"], snapshot["asks"], whole=True)
        floor = snapshot["lastUpdateId"]
    for line in lines(captures, recording.exchange, recording.file)[:stop]:
        frame = json.loads(line)
        if recording.exchange == "binance":
            data = frame["data"]
            if data.get("e") == "depthUpdate" and data["s"] == symbol and data["u"] >= floor:
                model.set(data["b"], data["a"], whole=False)
        elif recording.exchange == "bybit" and "topic" in frame:
            model.set(frame["data"]["b"], frame["data"]["a"], whole=frame["type"] == "snapshot")
        elif recording.exchange == "okx" and frame.get("arg", {}).get("channel") == "books" and "data" in frame:
            for row in frame["data"]:
                model.set(row["bids"], row["asks"], whole=frame["action"] == "snapshot")
    return model
