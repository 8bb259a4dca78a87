"""Opens sockets."""

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from apps.feeds.errors import ConnectionLost
from apps.feeds.transport.timing import Timing

MAX_FRAME_BYTES = 8 * 2**20


class TurnedAwayError(ConnectionLost):
    """The exchange answered the handshake with an HTTP error."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(f"cannot connect: HTTP {status}")
        self.status = status
        self.headers = headers
        self.body = body


async def dial(url: str, timing: Timing) -> ClientConnection:
    """Open a socket; ConnectionLost when it cannot be had.

    No compression: these exchanges send plain frames, and inflating costs more than the bytes do.
    """
    try:
        return await connect(
            url,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=timing.open_s,
            close_timeout=timing.close_s,
            ping_interval=None,  # heartbeats are ours: they count against the exchange's limits
            proxy=None,
        )
    except InvalidStatus as error:
        answer = error.response
        raise TurnedAwayError(answer.status_code, dict(answer.headers.raw_items()), bytes(answer.body)) from error
    except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
        raise ConnectionLost(f"cannot connect: {error}") from error
