"""One client's WebSocket, as the exchange sees it."""

import asyncio
import gzip
import itertools
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from apps.feeds.simulator.streams import Stream

encode = msgspec.json.Encoder(decimal_format="number").encode
MAX_UNSENT = 16 * 1024 * 1024  # bytes: a client that reads no more is cut, as exchanges do
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x81, 0x82, 0x88, 0x89, 0x8A
_numbers = itertools.count(1)


def text_frame(body: bytes) -> bytes:
    """A whole server frame (RFC 6455: no mask), made once for all the sockets it goes to."""
    return _frame(_TEXT, body)


def binary_frame(body: bytes) -> bytes:
    return _frame(_BINARY, body)


def gzip_frame(body: bytes) -> bytes:
    return _frame(_BINARY, gzip.compress(body, compresslevel=1, mtime=0))


def _frame(opcode: int, body: bytes) -> bytes:
    size = len(body)
    if size < 126:
        head = bytes((opcode, size))
    elif size < 65536:
        head = bytes((opcode, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((opcode, 127)) + size.to_bytes(8, "big")
    return head + body


class Socket:
    """Frames of one turn of the event loop leave in one write; what the client is slow to read is buffered."""

    def __init__(
        self,
        *,
        exchange: str,
        market_type: str,
        host: str,
        path: str,
        response: web.WebSocketResponse,
        transport: asyncio.Transport,
        now: float,
    ) -> None:
        """`market_type` is empty where one socket carries both."""
        self.id = f"{exchange}:{next(_numbers)}"
        self.exchange = exchange
        self.market_type = market_type
        self.host = host
        self.path = path
        self.response = response
        self.streams: dict[str, Stream] = {}
        self.names: set[str] = set()  # all that was asked for and acknowledged, silent streams too
        self.combined = False  # Binance: payloads wrapped with the name of their stream
        self.frame: Callable[[bytes], bytes] = text_frame  # how answers are framed
        self.silent = False
        self.closing = False
        self.opened = self.sent = now
        self.pinged: float | None = None  # since when a ping of the exchange is unanswered
        self.last_ping = now  # of the side that has to ping: Binance itself, Bybit's client
        self.commands: deque[float] = deque()  # times of recent messages of the client
        self._transport = transport
        self._pending: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    @property
    def places(self) -> list[tuple[str, str | None]]:
        """Market type and symbol of all that a fault may name to reach this socket."""
        listings = [stream.market.listing for stream in self.streams.values()]
        return [(self.market_type, None), *((listing.market_type, listing.symbol) for listing in listings)]

    @property
    def age_s(self) -> float:
        return self._loop.time() - self.opened

    @property
    def open(self) -> bool:
        return not self._transport.is_closing() and not self.response.closed

    def send(self, frame: bytes) -> bool:
        """Queue a whole frame; False when nothing will be written."""
        if self.silent or self.closing or not self.open:
            return False
        if not self._pending:
            self._loop.call_soon(self.flush)
        self._pending.append(frame)
        self.sent = self._loop.time()
        return True

    def answer(self, message: Any) -> bool:
        """Send one JSON object, or bare text such as OKX's `pong`."""
        return self.send(self.frame(message.encode() if isinstance(message, str) else encode(message)))

    def ping(self, body: bytes = b"") -> bool:
        return self.send(_frame(_PING, body))

    def pong(self, body: bytes) -> bool:
        return self.send(_frame(_PONG, body))

    def flush(self) -> None:
        if self._pending and self.open:
            self._transport.write(b"".join(self._pending))
        self._pending.clear()
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._transport.abort()

    def hang_up(self) -> None:
        """End the TCP connection without a closing handshake; what was sent before still arrives."""
        self.flush()
        self._transport.close()

    def close(self, code: int, reason: str) -> None:
        """Close with the exchange's own code; a client that does not answer is hung up on a second later."""
        if self.open and not self.closing:
            self._pending.append(_frame(_CLOSE, code.to_bytes(2, "big") + reason.encode()))
            self.closing = True
            self.flush()
            self._loop.call_later(1.0, self._transport.close)
