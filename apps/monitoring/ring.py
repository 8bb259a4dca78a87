"""The bounded window between the event loop and the disk: rows wait here for the writer, in order. Pure."""

from typing import Generic, TypeVar

Batch = TypeVar("Batch")


class Ring(Generic[Batch]):
    """Bounded by rows and by bytes, counted until they are written, not until they are taken.

    Once full it asks for nothing more until it is half empty, so that one lag becomes one gap and not many.
    """

    def __init__(self, *, rows: int, size: int) -> None:
        self._limit_rows = rows
        self._limit_size = size
        self._blocks: dict[Batch, list[bytes]] = {}
        self.rows = 0
        self.size = 0
        self.full = False

    def push(self, batch: Batch, row: bytes) -> None:
        """Hold one row; whoever pushes looks at `full` first."""
        block = self._blocks.get(batch)
        if block is None:
            block = self._blocks[batch] = []
        block.append(row)
        self.rows += 1
        self.size += len(row)
        if self.rows >= self._limit_rows or self.size >= self._limit_size:
            self.full = True

    def take(self) -> dict[Batch, list[bytes]]:
        """Hand out what waits, one block of rows per batch. It still counts until `written`."""
        blocks, self._blocks = self._blocks, {}
        return blocks

    def written(self, rows: int, size: int) -> None:
        self.rows -= rows
        self.size -= size
        if self.rows <= self._limit_rows // 2 and self.size <= self._limit_size // 2:
            self.full = False
