"""Events that the database could not take, in a file until it can: a kill of the process or of the host loses none."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeAlias

import msgspec
from msgspec import Struct

from apps.feeds.orders import Fill, OrderUpdate

Kept: TypeAlias = OrderUpdate | Fill


class Line(Struct, frozen=True, omit_defaults=True):
    """One line; exactly one of both is there."""

    update: OrderUpdate | None = None
    fill: Fill | None = None


class Spool:
    """One file of one account; used by one thread. Amounts are as the exchange counts them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self.torn = 0  # lines that a kill had cut

    @property
    def is_empty(self) -> bool:
        return not self._path.exists()

    def add(self, event: Kept) -> None:
        """It is on the disk when this returns. Raises OSError."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            torn = _is_torn(self._path)
            self._file = self._path.open("ab")
            if torn:  # what a kill has cut must not take the next line with it
                self._file.write(b"\n")
        line = Line(fill=event) if isinstance(event, Fill) else Line(update=event)
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def events(self) -> Iterator[Kept]:
        """Oldest first; a line that was cut short is counted and left out: the next sweep tells it again."""
        if self.is_empty:
            return
        with self._path.open("rb") as lines:
            for text in lines:
                try:
                    line = msgspec.json.decode(text, type=Line)
                except (msgspec.DecodeError, msgspec.ValidationError):
                    self.torn += 1
                    continue
                event = line.fill or line.update
                if event is not None:
                    yield event

    def clear(self) -> None:
        """All of it is recorded."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _is_torn(path: Path) -> bool:
    """Whether its last line has no end."""
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as lines:
        lines.seek(-1, os.SEEK_END)
        return lines.read(1) != b"\n"
