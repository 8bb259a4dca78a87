"""A web server on loopback that does with each request what a test says, down to the bytes and the reset."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, TypeAlias

from apps.feeds.tests.listening import listening
from apps.feeds.tests.toy import Watched


class Asked(NamedTuple):
    """One request as it came; `at` is the loop's time."""

    line: str
    head: str
    body: str
    at: float

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


Act: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]


def reply(body: str = "fine", status: str = "200 OK", **headers: str) -> Act:
    """A whole answer; the connection stays open."""

    async def act(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        await writer.drain()

    return act


async def half_a_reply(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")
    await writer.drain()
    writer.close()


async def garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01 not HTTP\r\n\r\n")
    await writer.drain()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """With a reset, not with an end."""
    handle: socket.socket = writer.get_extra_info("socket")
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def silence(writer: asyncio.StreamWriter) -> None:
    """No answer, ever."""


class ScriptedServer(Watched):
    """`acts` are used up in order, then `otherwise` is done with every request."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.acts: list[Act] = []
        self.otherwise: Act = reply()
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._one(reader, writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, _, head = (await reader.readuntil(b"\r\n\r\n")).decode().partition("\r\n")
        length = next((int(each[15:]) for each in head.split("\r\n") if each.lower().startswith("content-length:")), 0)
        body = (await reader.readexactly(length)).decode()
        self.asked.append(Asked(line, head, body, asyncio.get_running_loop().time()))
        self.note()
        await (self.acts.pop(0) if self.acts else self.otherwise)(writer)


@contextlib.asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    async with listening(scripted.serve) as port:
        scripted.url = f"http://127.0.0.1:{port}"
        yield scripted
