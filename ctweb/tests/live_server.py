"""The live socket on a real server in the test's own loop, and a browser's side of it."""

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.test import Client
from django.urls import path
from msgspec import json
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from apps.feeds.tests.waiting import until
from apps.users.models import User
from ctweb.live import sources
from ctweb.live.consumer import LiveConsumer
from ctweb.live.hub import Hub
from ctweb.live.watchman import Watchman


async def no_stores() -> dict[str, float | None]:
    return {"database": 1.0, "redis": None}


class LiveServer:
    def __init__(self, redis_url: str) -> None:
        self.hub = Hub(
            redis_url=redis_url,
            catalogue=sources.catalogue,
            watchman=Watchman(enabled=sources.enabled, stores=no_stores),
        )
        routes = URLRouter([path("ws/live/", LiveConsumer.as_asgi(hub=self.hub, build="test"))])
        application = AllowedHostsOriginValidator(AuthMiddlewareStack(routes))
        config = uvicorn.Config(application, port=0, ws="websockets-sansio", lifespan="off", log_config=None)
        self._server = uvicorn.Server(config)

    @property
    def port(self) -> int:
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    @asynccontextmanager
    async def running(self):
        serving = asyncio.create_task(self._server._serve())  # `serve` would take the signals of the test run
        await until(lambda: self._server.started)
        try:
            yield self
        finally:
            self._server.should_exit = True
            await serving

    @asynccontextmanager
    async def browser(self, user: User | None, origin: str | None = None):
        """A tab of that person; nobody's has no session."""
        headers = {"Cookie": f"sessionid={await session_of(user)}"} if user else {}
        address = f"ws://127.0.0.1:{self.port}/ws/live/"
        async with connect(
            address, origin=origin or f"http://127.0.0.1:{self.port}", additional_headers=headers, max_size=None
        ) as socket:
            yield Browser(socket)


@sync_to_async
def session_of(user: User) -> str:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.session.session_key or ""


class Browser:
    """Says and hears JSON; `ack` is up to the test."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.encode(message).decode())

    async def hear(self, op: str) -> dict[str, Any]:
        """The next message of that kind."""
        async with asyncio.timeout(30):
            while True:
                message: dict[str, Any] = json.decode(await self.socket.recv())
                if message["op"] == op:
                    return message

    async def hello(self) -> dict[str, Any]:
        await self.say(op="hello", v=1)
        return await self.hear("welcome")

    async def sub(self, id: int, topic: str, **fields: Any) -> dict[str, Any]:
        await self.say(op="sub", id=id, topic=topic, **fields)
        return await self.hear("sub")

    async def until(self, id: int, condition) -> dict[str, Any]:
        """The first message of subscription `id` that satisfies `condition`; each frame is acknowledged."""
        while True:
            frame = await self.hear("f")
            await self.say(op="ack", n=frame["n"])
            for message in frame["m"]:
                if message["id"] == id and condition(message):
                    return message

    async def closed(self) -> int | None:
        """The code with which the server closes."""
        async with asyncio.timeout(30):
            with suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()  # what it still had to say stands before the close
        return self.socket.close_code
