"""Who listens to the system while it is measured: one reader of Redis, and browsers."""

import asyncio
import json
import re
import time
from collections.abc import Sequence

import redis.asyncio
from aiohttp import ClientSession, CookieJar, FormData
from msgspec import Struct
from msgspec.json import Decoder
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin


class Published(Struct):
    """What is timed of a book message."""

    version: int
    received_ns: int | None = None


_published = Decoder(Published)


class RedisListener:
    """Milliseconds from an update's receipt by the daemon to its arrival at a subscriber of Redis."""

    def __init__(self, url: str) -> None:
        self.latencies: list[float] = []
        self._url = url

    async def run(self) -> None:
        """Listen until cancelled; a repeated state is not counted."""
        versions: dict[bytes, int] = {}
        async with redis.asyncio.Redis.from_url(self._url) as client, client.pubsub() as channel:
            await channel.psubscribe("book:*")
            async for message in channel.listen():
                if message["type"] != "pmessage":
                    continue
                now_ns = time.time_ns()
                book = _published.decode(message["data"])
                if book.received_ns and versions.get(message["channel"]) != book.version:
                    versions[message["channel"]] = book.version
                    self.latencies.append((now_ns - book.received_ns) / 1e6)


class Browser:
    """Milliseconds from an update's receipt by the daemon to its arrival at a browser's socket."""

    def __init__(self, url: str, login: tuple[str, str], keys: Sequence[str]) -> None:
        self.latencies: list[float] = []
        self.frames = 0
        self._url = url
        self._login = login
        self._keys = keys

    async def run(self) -> None:
        """Watch the books until cancelled, acknowledging each frame like the page does."""
        async with live_socket(self._url, await sign_in(self._url, self._login)) as socket:
            await socket.send(json.dumps({"op": "hello", "v": 1}))
            for number, key in enumerate(self._keys):
                await socket.send(json.dumps({"op": "sub", "id": number, "topic": "book", "key": key, "depth": 20}))
                await asyncio.sleep(0.02)  # within the limit of operations a second
            await self._read(socket)

    async def _read(self, socket: ClientConnection) -> None:
        seen: dict[int, str] = {}
        async for text in socket:
            now_ms = time.time_ns() / 1e6
            frame = json.loads(text)
            if frame["op"] != "f":
                continue
            self.frames += 1
            await socket.send(json.dumps({"op": "ack", "n": frame["n"]}))
            for book in frame.get("m", ()):
                seq = book.get("seq")  # absent where only the age is told
                if seq is not None and seen.get(book["id"]) != seq:
                    seen[book["id"]] = seq
                    self.latencies.append(now_ms - (frame["now"] - book["age"]))


def live_socket(url: str, cookies: str) -> connect:
    """A browser's socket to the web process at `url`, not yet greeted."""
    address = url.replace("http", "ws", 1) + "/ws/live/"
    return connect(address, origin=Origin(url), additional_headers={"Cookie": cookies})


async def sign_in(url: str, login: tuple[str, str]) -> str:
    """The cookies of a new session."""
    name, password = login
    async with ClientSession(cookie_jar=CookieJar(unsafe=True), headers={"Referer": url}) as http:
        async with http.get(f"{url}/login/") as page:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', await page.text())
        form = FormData({"username": name, "password": password, "csrfmiddlewaretoken": token[1] if token else ""})
        async with http.post(f"{url}/login/", data=form, allow_redirects=False) as answer:
            if answer.status != 302:
                raise SystemExit(f"the login was refused: {answer.status}")
        return "; ".join(f"{cookie.key}={cookie.value}" for cookie in http.cookie_jar)
