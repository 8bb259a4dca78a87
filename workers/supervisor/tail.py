"""New lines of growing log files."""

from collections.abc import Iterator
from pathlib import Path


class Tail:
    """Follows every *.log of a folder from its present end; a file that appears later or is rotated is read whole."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read = {path: (path.stat().st_ino, path.stat().st_size) for path in directory.glob("*.log")}

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield (name of the file, line) of every line completed since the last call."""
        for path in sorted(self._directory.glob("*.log")):
            for line in self._new(path):
                yield path.stem, line

    def _new(self, path: Path) -> list[str]:
        try:
            status = path.stat()
            inode, offset = self._read.get(path, (status.st_ino, 0))
            if inode != status.st_ino or status.st_size < offset:
                offset = 0
            if status.st_size == offset:
                return []
            with path.open("rb") as file:
                file.seek(offset)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:  # rotated away between the look and the read
            return []
        self._read[path] = (status.st_ino, offset + len(whole) + len(newline))
        return whole.decode(errors="replace").splitlines()
