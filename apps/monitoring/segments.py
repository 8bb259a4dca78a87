"""What is known of a spool segment and of its daemon's place in the numbering; kept as JSON beside the data. Pure."""

from typing import NamedTuple

from msgspec import Struct, field


class Named(NamedTuple):
    """What a batch's id says."""

    daemon: str
    table: str
    day: str


def named(batch_id: str) -> Named:
    """Take an id apart. Raise ValueError when it is none of ours."""
    daemon, table, day, _ = batch_id.rsplit("-", 3)
    return Named(daemon, table, day)


class Span(Struct, frozen=True, kw_only=True):
    """Events `first_no..last_no` of one stream and epoch, without a hole."""

    stream: str
    epoch: int
    first_no: int
    last_no: int


class SealedBatch(Struct, frozen=True, kw_only=True):
    """One sealed segment: one insert, one token, one row of the ledger. It never spans two days (UTC, by receipt)."""

    batch_id: str
    table: str
    daemon: str
    host: str
    path: str
    day: str  # YYYYMMDD, the partition
    rows: int
    bytes: int
    sha256: str
    sealed_ns: int
    spans: list[Span]


class Place(Struct, kw_only=True):
    """Where a book's record ends; `until_ns` None: where the whole record ends."""

    stream: str
    epoch: int
    seq: int | None
    until_ns: int | None = None


class State(Struct, kw_only=True):
    """What a daemon must know of its former life: the numbers it gave out, and up to when its record is whole."""

    recorded_until_ns: int = 0
    clean: bool = False
    numbers: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)  # table -> stream -> epoch, event_no
    books: dict[str, Place] = field(default_factory=dict)  # by book key
