"""Books of HTX by the exchange's written rules; prices and amounts are numbers."""

from typing import Any

from apps.feeds.tests.plain_client import Book, GapError


class FeedBook(Book):
    """Pushes of `mbp.N` on a snapshot that was asked for on the same socket."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.seq: int | None = None
        self.held: list[dict[str, Any]] = []

    def snapshot(self, data: dict[str, Any]) -> bool:
        """Start from the reply; False when it is older than the pushes that were kept."""
        seq = data["seqNum"]
        pushes = [tick for tick in self.held if tick["seqNum"] > seq]
        if pushes and (pushes[0]["prevSeqNum"] != seq):
            return False
        self.load(data["bids"], data["asks"])
        self.seq = seq
        for tick in pushes:
            self.push(tick)
        return True

    def push(self, tick: dict[str, Any]) -> None:
        if self.seq is None:
            self.held.append(tick)
        elif tick["seqNum"] > self.seq:
            if tick["prevSeqNum"] != self.seq:
                raise GapError(f"had {self.seq}, got {tick['prevSeqNum']}")
            self.change(tick.get("bids", ()), tick.get("asks", ()))
            self.seq = tick["seqNum"]


class ContractBook(Book):
    """A snapshot, then updates whose version rises by one."""

    def __init__(self) -> None:
        super().__init__()
        self.seq: int | None = None

    def event(self, tick: dict[str, Any]) -> None:
        if tick["event"] == "snapshot":
            self.load(tick["bids"], tick["asks"])
        elif self.seq is None:
            return
        elif tick["version"] != self.seq + 1:
            raise GapError(f"had {self.seq}, got {tick['version']}")
        else:
            self.change(tick["bids"], tick["asks"])
        self.seq = tick["version"]


class WholeBook(Book):
    """Every push is the book; `number` names the field that orders them."""

    def __init__(self, number: str) -> None:
        super().__init__()
        self.number = number
        self.seq: int | None = None

    def event(self, tick: dict[str, Any]) -> None:
        if self.seq is None or tick[self.number] >= self.seq:
            self.load(tick["bids"], tick["asks"])
            self.seq = tick[self.number]
