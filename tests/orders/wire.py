"""The client of executors here: the real one, which may also die or stand still within its one request (K6, K7)."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from yarl import URL

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import OutcomeUnknown
from apps.feeds.transport.orders import OrderClient, Purpose
from apps.trading.execution.runtime import hooks

WITHIN = ("K6", "K7")


class MortalClient(OrderClient):
    """Only where the environment names K6 or K7 it writes the request itself, in two halves."""

    notes: int | None = None  # the file in which it is written when each order left [ms of the day's clock]

    async def _send(self, request: Request, purpose: Purpose, check: Callable[[], None] | None) -> Answer:
        if self.notes is not None and purpose is Purpose.ORDER:
            os.write(self.notes, f"{time.time_ns() // 1_000_000}\n".encode())
        if purpose is not Purpose.ORDER or os.environ.get("CT_KILL_AT") not in WITHIN:
            return await super()._send(request, purpose, check)
        try:
            async with asyncio.timeout(self._timeout.total):
                return await self._in_halves(request, check)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise OutcomeUnknown(f"{request}: {type(error).__name__} after it was sent") from None

    async def _in_halves(self, request: Request, check: Callable[[], None] | None) -> Answer:
        url = URL(self._addresses.http(request.url), encoded=True)
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        headers: dict[str, Any] = {**dict(request.headers), "Host": url.authority, "Connection": "close"}
        headers["Content-Length"] = len(body)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        whole = f"{request.method} {url.raw_path_qs} HTTP/1.1\r\n{head}\r\n".encode() + body
        reader, writer = await asyncio.open_connection(url.host, url.port)
        try:
            if check is not None:
                check()
            writer.write(whole[: len(whole) // 2])
            await writer.drain()
            hooks.at("K6")
            writer.write(whole[len(whole) // 2 :])
            await writer.drain()
            hooks.at("K7")
            return _read(await reader.read(), request.url)
        finally:
            writer.close()


def _read(answer: bytes, url: str) -> Answer:
    """Raise IncompleteReadError for what is none."""
    head, gap, body = answer.partition(b"\r\n\r\n")
    if not gap:
        raise asyncio.IncompleteReadError(answer, None)
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    return Answer(status=int(status.split()[1]), body=body, headers=headers, url=url)
