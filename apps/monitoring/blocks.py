"""A segment's two files while it is open: rows, and an index by which a torn end is found."""

import hashlib
import os
import re
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

INDEX_LINE = "{:012d} {:010d} {:08d} {:08x} {:019d}\n"
INDEX = re.compile(rb"(\d{12}) (\d{10}) (\d{8}) ([0-9a-f]{8}) (\d{19})\n")
INDEX_BYTES = 62


class Whole(NamedTuple):
    """A segment's content up to a block's end."""

    size: int = 0
    rows: int = 0
    floor_ns: int = 0


class Segment:
    """One open segment. A failed append changes nothing: the next one writes over what it left."""

    def __init__(self, directory: Path, batch_id: str, table: str) -> None:
        self.batch_id = batch_id
        self.table = table
        self.part = directory / f"{batch_id}.part"
        self.index = directory / f"{batch_id}.idx"
        self.rows = 0
        self.size = 0
        self.unsynced = 0
        self._blocks = 0
        self._sha = hashlib.sha256()
        self._data_fd = os.open(self.part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self._index_fd = os.open(self.index, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)

    def append(self, rows: list[bytes], floor_ns: int) -> None:
        data = b"".join(rows)
        line = INDEX_LINE.format(self.size, len(data), len(rows), crc32(data), floor_ns).encode()
        _write_at(self._data_fd, data, self.size)
        _write_at(self._index_fd, line, self._blocks * INDEX_BYTES)
        self._sha.update(data)
        self._blocks += 1
        self.rows += len(rows)
        self.size += len(data)
        self.unsynced += len(data)

    def sync(self) -> None:
        os.fdatasync(self._data_fd)
        os.fdatasync(self._index_fd)
        self.unsynced = 0

    def finish(self) -> str:
        """Cut what a failed append left behind, sync, and return the sha256 of the whole."""
        os.ftruncate(self._data_fd, self.size)
        os.fsync(self._data_fd)
        return self._sha.hexdigest()

    def close(self) -> None:
        os.close(self._data_fd)
        os.close(self._index_fd)


def whole_blocks(part: Path, index: Path) -> Whole:
    """The longest beginning of a segment whose blocks are all there and unharmed."""
    try:
        lines = index.read_bytes()
    except FileNotFoundError:
        return Whole()
    size = rows = floor_ns = 0
    with part.open("rb") as data:
        for start in range(0, len(lines), INDEX_BYTES):
            line = INDEX.fullmatch(lines, start, min(start + INDEX_BYTES, len(lines)))
            if line is None or int(line[1]) != size:
                break
            block = data.read(int(line[2]))
            if len(block) != int(line[2]) or crc32(block) != int(line[4], 16):
                break
            size, rows, floor_ns = size + len(block), rows + int(line[3]), int(line[5])
    return Whole(size=size, rows=rows, floor_ns=floor_ns)


def _write_at(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, offset)
        view, offset = view[done:], offset + done
