"""ClickHouse's HTTP interface as an ASGI application around the engine."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from workers.embedded.clickhouse.compression import DEFLATERS, choose, inflate
from workers.embedded.clickhouse.engine import Answer, Engine
from workers.embedded.clickhouse.errors import ABORTED, READONLY, TOO_LARGE_STRING_SIZE, QueryError
from workers.embedded.clickhouse.request import Call, read

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

BODY_BYTES = 64 << 20
INFLATED_BYTES = 256 << 20
WORKERS = 8


class DisconnectedError(Exception):
    """The client closed the connection before it had sent its whole body."""


class App:
    """Requests run on a few threads; a slow reader holds no thread between two chunks."""

    def __init__(self, engine: Engine, *, hosts: frozenset[str]) -> None:
        """`hosts` are the names under which clients reach us; any other is a web page's trick with DNS."""
        self._engine = engine
        self._hosts = hosts
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="query")

    def close(self) -> None:
        """Wait for the statements that run."""
        self._threads.shutdown(cancel_futures=True)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] == "/ping":
            await _send_whole(send, 200, [], b"Ok.\n")
            return
        try:
            call = await self._read(scope, headers, receive)
            answer = await self._in_thread(self._engine.run, call)
        except DisconnectedError:
            return
        except QueryError as error:
            await _send_error(send, error)
            return
        except asyncio.CancelledError:  # the server's last word to what still runs when it stops; the task ends here
            await _send_error(send, QueryError.refused(ABORTED, "ABORTED", "The server is stopping"))
            return
        try:
            await self._answer(call, answer, headers, receive, send)
        finally:
            await self._in_thread(answer.close)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def _read(self, scope: Message, headers: dict[str, str], receive: Receive) -> Call:
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if "origin" in headers or host not in self._hosts:  # a page in somebody's browser: no client of ours does that
            raise QueryError.refused(READONLY, "READONLY", "Requests of web pages are refused")
        body = await _body(receive)
        query = scope["query_string"].decode("latin-1")
        encoding = headers.get("content-encoding", "").lower()
        content_type = headers.get("content-type", "")
        return await self._in_thread(
            lambda: read(scope["method"], query, content_type, inflate(body, encoding, INFLATED_BYTES))
        )

    async def _answer(self, call: Call, answer: Answer, headers: dict[str, str], receive: Receive, send: Send) -> None:
        encoding = choose(headers.get("accept-encoding", "")) if call.compress else None
        tag = uuid4().hex[:16]
        await send(
            {"type": "http.response.start", "status": 200, "headers": self._headers(call, answer, encoding, tag)}
        )
        deflater = DEFLATERS[encoding]() if encoding else None
        gone = asyncio.ensure_future(receive())  # the body is read: only a disconnect can come
        try:
            while not gone.done():
                try:
                    chunk = await self._in_thread(answer.next)
                except QueryError as error:
                    await _send_part(send, deflater, _exception_block(error, tag))
                    break
                if chunk is None:
                    break
                await _send_part(send, deflater, chunk)
            await send({"type": "http.response.body", "body": deflater.end() if deflater else b""})
        finally:
            gone.cancel()

    def _headers(self, call: Call, answer: Answer, encoding: str | None, tag: str) -> list[Header]:
        values = {
            "x-clickhouse-query-id": call.query_id,
            "x-clickhouse-timezone": "UTC",
            "x-clickhouse-server-display-name": "embedded",
            "x-clickhouse-exception-tag": tag,
        }
        if answer.format is not None:
            values["x-clickhouse-format"] = answer.format
        if answer.summary is not None:
            values["x-clickhouse-summary"] = json.dumps({key: str(value) for key, value in answer.summary.items()})
        if encoding is not None:
            values["content-encoding"] = encoding
        return [(name.encode(), value.encode("latin-1", "replace")) for name, value in values.items()]


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_BYTES:
            raise QueryError.refused(TOO_LARGE_STRING_SIZE, "TOO_LARGE_STRING_SIZE", f"Body is over {BODY_BYTES} bytes")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send_part(send: Send, deflater: Any, data: bytes) -> None:
    body = deflater.add(data) if deflater else data
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _send_error(send: Send, error: QueryError) -> None:
    headers = [(b"x-clickhouse-exception-code", str(error.code).encode()), (b"connection", b"close")]
    await _send_whole(send, error.http_status, headers, error.text.encode() + b"\n")


async def _send_whole(send: Send, status: int, headers: list[Header], body: bytes) -> None:
    headers = [*headers, (b"content-type", b"text/plain; charset=UTF-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _exception_block(error: QueryError, tag: str) -> bytes:
    """How a server since 25.11 says, behind the data already sent, that there will be no more."""
    text = error.text.encode()
    size = str(len(text) + 1).encode()
    mark = tag.encode()
    return b"__exception__\r\n" + mark + b"\r\n" + text + b"\n" + size + b" " + mark + b"\r\n__exception__\r\n"
