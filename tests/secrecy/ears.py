"""All that a running system says, kept in files: answers to people, frames of a page's socket, commands of Redis."""

import asyncio
import json
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

from aiohttp import ClientError
from websockets.exceptions import WebSocketException

from bench.listeners import live_socket, sign_in

ANSWER_S = 120


class Answer(NamedTuple):
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Person:
    """Somebody who uses the system by REST as programs do, and by pages as browsers do."""

    def __init__(self, url: str, login: tuple[str, str], heard: Path) -> None:
        self.url = url
        self._heard = heard
        self._basic = "Basic " + b64encode(":".join(login).encode()).decode()
        self._jar = CookieJar()
        self._browser = build_opener(HTTPCookieProcessor(self._jar))
        self._program = build_opener()
        self._sign_in(*login)

    def _sign_in(self, name: str, password: str) -> None:
        page = self.browse("GET", "/login/")
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.body)
        assert token is not None
        form = f"username={name}&password={password}&csrfmiddlewaretoken={token[1].decode()}".encode()
        answer = self._ask(self._browser, "POST", "/login/", form, {"Referer": self.url})
        assert answer.status == 200, answer

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """As a program, with name and password."""
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": self._basic, "Content-Type": "application/json", **headers}
        return self._ask(self._program, method, path, data, sent)

    def browse(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """As a page's script, with session and token."""
        data = None if body is None else json.dumps(body).encode()
        token = next((cookie.value or "" for cookie in self._jar if cookie.name == "csrftoken"), "")
        sent = {"X-CSRFToken": token, "Referer": self.url, "Content-Type": "application/json", **headers}
        return self._ask(self._browser, method, path, data, sent)

    def _ask(self, opener: Any, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        request = Request(f"{self.url}{path}", data=data, method=method, headers=dict(headers))
        try:
            with opener.open(request, timeout=ANSWER_S) as answer:
                status, told, body = answer.status, bytes(answer.headers), answer.read()
        except HTTPError as refused:
            with refused:
                status, told, body = refused.code, bytes(refused.headers), refused.read()
        with self._heard.open("ab") as file:
            file.write(f"{method} {path} {status}\n".encode() + told + body + b"\n")
        return Answer(status, body)


class RedisEar:
    """Every command that anybody gives Redis, while entered."""

    def __init__(self, url: str, heard: Path) -> None:
        self._url, self._heard = urlsplit(url), heard
        self._thread = threading.Thread(target=self._listen, name="monitor")

    def __enter__(self) -> "RedisEar":
        self._socket = socket.create_connection((self._url.hostname, self._url.port), timeout=ANSWER_S)
        self._socket.sendall(f"AUTH {unquote(self._url.password or '')}\r\nMONITOR\r\n".encode())
        assert self._socket.recv(10, socket.MSG_WAITALL) == b"+OK\r\n+OK\r\n"
        self._socket.settimeout(None)
        self._thread.start()
        return self

    def _listen(self) -> None:
        with self._heard.open("ab") as file, suppress(ConnectionResetError):  # a Redis that is killed
            while said := self._socket.recv(1 << 20):
                file.write(said)

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # Redis may have ended first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


class PageEar:
    """Every frame of a page's socket that watches the given topics, while entered."""

    def __init__(self, url: str, login: tuple[str, str], topics: list[tuple[str, str]], heard: Path) -> None:
        """`topics`: (topic, key)."""
        self._url, self._login, self._topics, self._heard = url, login, topics, heard
        self.answered = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), name="page")

    def __enter__(self) -> "PageEar":
        self._thread.start()
        return self

    async def _listen(self) -> None:
        while not self._over.is_set():  # a web process that is killed closes it
            with suppress(OSError, ClientError, WebSocketException, SystemExit):
                await self._hear()

    async def _hear(self) -> None:
        async with live_socket(self._url, await sign_in(self._url, self._login)) as page:
            await page.send(json.dumps({"op": "hello", "v": 1}))
            for number, (topic, key) in enumerate(self._topics):
                await page.send(json.dumps({"op": "sub", "id": number, "topic": topic, "key": key}))
            while not self._over.is_set():
                text = await page.recv()
                with self._heard.open("a") as file:
                    file.write(f"{text}\n")
                frame = json.loads(text)
                self.answered += frame["op"] == "sub" and frame["ok"]
                if frame["op"] == "f":
                    await page.send(json.dumps({"op": "ack", "n": frame["n"]}))

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(ANSWER_S)
