"""Opens sockets."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from apps.feeds.drivers.base import Driver, Request
from apps.feeds.errors import ConnectionLost, MalformedFrame, Refused, Retryable
from apps.feeds.market import MarketType
from apps.feeds.transport.timed import MOST_WAITING, TimedSocket
from apps.feeds.transport.timing import Timing

MAX_FRAME_BYTES = 8 * 2**20
PRIVATE_QUEUE = 16  # messages that wait here; more are left to the network

_silent = logging.getLogger(f"{__name__}.private")  # websockets tells every frame to a logger at DEBUG
_silent.setLevel(logging.WARNING)

Fetch: TypeAlias = Callable[[str, Request], Awaitable[bytes]]  # `Http.fetch`


class TurnedAwayError(ConnectionLost):
    """The exchange answered the handshake with an HTTP error."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(f"cannot connect: HTTP {status}")
        self.status = status
        self.headers = headers
        self.body = body


async def locate(driver: Driver, market_type: MarketType, category: str, fetch: Fetch) -> str:
    """The address of the next socket, with a token of its own where the exchange wants one.

    ConnectionLost when no token is to be had: the next attempt comes after the usual delay, and `fetch` asks nobody
    while the exchange wants us to stay away.
    """
    request = driver.token_request(market_type, category)
    try:
        token = None if request is None else await fetch(driver.exchange_id, request)
        return driver.ws_endpoint(market_type, category, token)
    except (Retryable, Refused, MalformedFrame) as error:
        raise ConnectionLost(f"no token for a socket: {error}") from error


async def dial(url: str, timing: Timing, *, private: bool = False) -> TimedSocket:
    """Open a socket; ConnectionLost when it cannot be had. Of a `private` one no address and no frame is logged.

    No compression by the protocol: exchanges that compress do it themselves, the others send plain frames, and
    inflating costs more than the bytes do.
    """
    try:
        socket = await connect(
            url,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=timing.open_s,
            close_timeout=timing.close_s,
            ping_interval=None,  # heartbeats are ours: they count against the exchange's limits
            max_queue=PRIVATE_QUEUE if private else MOST_WAITING,  # also while the session waits to answer
            create_connection=TimedSocket,
            proxy=None,
            logger=_silent if private else None,
        )
        return cast(TimedSocket, socket)
    except InvalidStatus as error:
        answer = error.response
        raise TurnedAwayError(answer.status_code, dict(answer.headers.raw_items()), bytes(answer.body)) from error
    except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
        if private:  # its text may hold the address, and with it a token
            raise ConnectionLost(f"cannot connect: {type(error).__name__}") from None
        raise ConnectionLost(f"cannot connect: {error}") from error
