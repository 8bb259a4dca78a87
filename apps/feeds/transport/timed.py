"""A socket that knows how long each frame has been waiting for its reader."""

import time
from collections import deque
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame

MOST_WAITING = 20_000  # frames of books; who is farther behind starts again with what is true now


class TimedSocket(ClientConnection):
    """Read with `receive` only. Whatever has come is taken from the system at once and waits here, where it is seen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._came: deque[float] = deque()  # for each message that waits, when it was complete
        self._read = 0.0

    @property
    def waiting(self) -> int:
        """Messages that have come and are not received yet."""
        return len(self._came)

    async def receive(self) -> tuple[bytes, float]:
        """The next message as bytes, text included, and when it came (`time.monotonic`). Raises ConnectionClosed."""
        message = await self.recv(decode=False)
        return message, self._came.popleft()

    def data_received(self, data: bytes) -> None:
        self._read = time.monotonic()
        super().data_received(data)

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES and event.fin:
            self._came.append(self._read)
        super().process_event(event)
