"""Recordings of Binance: combined frames, and the REST book that belongs to each symbol."""

from collections.abc import Iterable
from typing import Any

from apps.feeds.simulator.recorded import Frame, Library, Print, Recording

MARKETS = {"spot": "spot", "usdm": "futures"}


class BinanceLibrary(Library):
    def recordings(self) -> Iterable[Recording]:
        for prefix, market_type in MARKETS.items():
            messages = [
                message
                for name, lines in self.lines(f"{prefix}_stream_*.jsonl")
                if not name.endswith(".recv.jsonl")
                for message in lines
            ]
            for name, (snapshot, *_) in self.lines(f"{prefix}_snapshot_*.jsonl"):
                symbol = name.removeprefix(f"{prefix}_snapshot_").removesuffix(".jsonl")
                first = Frame(snapshot["lastUpdateId"], snapshot["bids"], snapshot["asks"])
                channel = f"{symbol.lower()}@depth@100ms"
                frames = [frame for message in messages for frame in _frames(message, symbol, channel)]
                # Frames from before the snapshot are part of the recording, but not of a book that starts with it.
                frames = [frame for frame in frames if frame.prints or frame.seq >= first.seq]
                yield Recording(market_type, symbol, channel, first, frames)


def _frames(message: dict[str, Any], symbol: str, channel: str) -> Iterable[Frame]:
    data = message["data"]
    if message["stream"] == channel:
        yield Frame(data["u"], data["b"], data["a"], data)
    elif message["stream"] == f"{symbol.lower()}@aggTrade":
        side = "sell" if data["m"] else "buy"
        yield Frame(0, prints=(Print(data["l"], side, data["p"], data["q"], data["T"]),))
