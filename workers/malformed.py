"""The last frames that nobody could read, kept for a person to look at."""

import asyncio
import base64
from collections import Counter, deque
from pathlib import Path

import structlog
from msgspec import json

from apps.feeds.drivers.base import Frame
from apps.feeds.errors import Flaw, MalformedFrame

log = structlog.get_logger(__name__)

KEPT = 100  # frames per exchange
CHARACTERS = 20_000  # of one frame
WRITE_EVERY_S = 1.0


class Malformed:
    """Counts every frame by exchange and flaw; the last hundred of each exchange stand in `<exchange>.jsonl`.

    The file of the daemon's former life is kept beside it as `<exchange>.1.jsonl`.
    """

    def __init__(self, directory: Path) -> None:
        self.counts: Counter[tuple[str, Flaw]] = Counter()
        self._directory = directory
        self._frames: dict[str, deque[bytes]] = {}
        self._changed: set[str] = set()
        self._begun: set[str] = set()

    def keep(self, exchange: str, link: str, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self.counts[exchange, error.flaw] += 1
        text = frame if isinstance(frame, str) else base64.b64encode(frame).decode()
        line = json.encode(
            {
                "received_ns": received_ns,
                "connection": link,
                "flaw": error.flaw,
                "error": str(error),
                "base64": not isinstance(frame, str),
                "size": len(frame),
                "frame": text[:CHARACTERS],
            }
        )
        self._frames.setdefault(exchange, deque(maxlen=KEPT)).append(line)
        self._changed.add(exchange)

    async def run(self) -> None:
        """Write what is new every second until cancelled; a full disk costs the files, not the feed."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()

    async def write(self) -> None:
        while self._changed:
            exchange = self._changed.pop()
            lines = b"\n".join(self._frames[exchange]) + b"\n"
            try:
                await asyncio.to_thread(self._replace, exchange, lines)
            except OSError as error:
                log.warning("malformed frames are not kept", exchange=exchange, error=str(error))

    def _replace(self, exchange: str, lines: bytes) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{exchange}.jsonl"
        if exchange not in self._begun and path.exists():
            path.replace(path.with_suffix(".1.jsonl"))
        self._begun.add(exchange)
        draft = path.with_suffix(".new")
        draft.write_bytes(lines)
        draft.replace(path)
