"""Files of what an exchange sent, as `manage.py replay` reads them."""

from base64 import b64encode
from collections import defaultdict
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from apps.feeds.drivers.base import Frame


class Files:
    """One file of frames, one per line, and one per snapshot."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.frames = 0
        self.snapshots: defaultdict[str, list[Path]] = defaultdict(list)  # by symbol, in their order
        self._folder = folder
        self._base64 = False
        self._file: BinaryIO = self.path.open("wb")

    @property
    def path(self) -> Path:
        return self._folder / ("frames.b64.jsonl" if self._base64 else "frames.jsonl")

    def frame(self, frame: Frame) -> None:
        if self._file.closed:
            return
        content = frame.encode() if isinstance(frame, str) else frame
        if not self._base64 and not _is_a_line(content):
            self._change_to_base64()
        self.frames += 1
        self._file.write((b64encode(content) if self._base64 else content) + b"\n")

    def snapshot(self, symbol: str, body: bytes) -> None:
        paths = self.snapshots[symbol]
        paths.append(self._folder / f"snapshot.{quote(symbol, safe='')}.{len(paths) + 1}.json")
        paths[-1].write_bytes(body)

    def close(self) -> None:
        self._file.close()

    def _change_to_base64(self) -> None:
        """The first binary frame: what was written as text is written again."""
        self._file.close()
        lines = self.path.read_bytes().split(b"\n")[:-1]
        self.path.unlink()
        self._base64 = True
        self._file = self.path.open("wb")
        self._file.writelines(b64encode(line) + b"\n" for line in lines)


def _is_a_line(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return bool(content) and b"\n" not in content and b"\r" not in content
