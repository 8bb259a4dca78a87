"""What was really written to each socket, kept as counts so that it stays whole for the life of the process."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Entry:
    """One channel of one connection, or the book answers of one REST path (connection `rest`)."""

    exchange: str
    market_type: str
    connection: str
    stream: str
    symbol: str
    kind: str  # "book", "trades" or "rest"
    sent: int = 0  # whole, well-formed data frames
    trades: int = 0  # prints in them
    malformed: int = 0  # broken frames sent on purpose beside them
    first_seq: int | None = None
    last_seq: int | None = None

    def count(self, seq: int, prints: int = 0) -> None:
        self.sent += 1
        self.trades += prints
        self.last_seq = seq
        if self.first_seq is None:
            self.first_seq = seq


class Journal:
    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, str], Entry] = {}

    def entry(self, connection: str, stream: str, *, exchange: str, market_type: str, symbol: str, kind: str) -> Entry:
        key = (connection, market_type, stream)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry(exchange, market_type, connection, stream, symbol, kind)
        return entry

    def rows(self, exchange: str | None, market_type: str | None) -> list[dict[str, Any]]:
        """Entries in the order of their first frame."""
        return [
            asdict(entry)
            for entry in self._entries.values()
            if exchange in (None, entry.exchange) and market_type in (None, entry.market_type)
        ]

    def totals(self) -> dict[str, int]:
        entries = self._entries.values()
        return {
            "book_frames": sum(entry.sent for entry in entries if entry.kind == "book"),
            "trade_frames": sum(entry.sent for entry in entries if entry.kind == "trades"),
            "trades": sum(entry.trades for entry in entries),
            "malformed": sum(entry.malformed for entry in entries),
            "rest_books": sum(entry.sent for entry in entries if entry.kind == "rest"),
        }
