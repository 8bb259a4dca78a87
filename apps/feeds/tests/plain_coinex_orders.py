"""A trading client of CoinEx that knows nothing of our driver: signed by the written rule, nothing else."""

import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
from websockets.asyncio.client import ClientConnection
from yarl import URL

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import KEY, SECRET
from apps.feeds.tests.plain_client import receive, socket
from apps.feeds.tests.plain_coinex import REST, SOCKETS, ask

TYPES = {"spot": "SPOT", "futures": "FUTURES"}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def sign(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Client:
    def __init__(self, simulator: Simulator, *, key: str = KEY, secret: str = SECRET) -> None:
        self.simulator = simulator
        self.key = key
        self.secret = secret

    async def ask(self, method: str, path: str, *, headers: dict[str, str | None] | None = None, **params: Any) -> Any:
        """The body of a signed request's answer. None leaves a parameter, or a header, out."""
        params = {name: value for name, value in params.items() if value is not None}
        query = f"?{urlencode(params)}" if method == "GET" and params else ""
        body = "" if method == "GET" else json.dumps(params)
        values = {"X-COINEX-KEY": self.key, "X-COINEX-TIMESTAMP": str(now_ms()), **(headers or {})}
        text = f"{method}/v2/{path}{query}{body}{values['X-COINEX-TIMESTAMP']}"
        values.setdefault("X-COINEX-SIGN", sign(text, self.secret))
        sent = {name: value for name, value in values.items() if value is not None}
        url = URL(f"{self.simulator.url}/{REST}/{path}{query}", encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=body or None, headers=sent) as response,
        ):
            self.status = response.status
            text = await response.text()
            return json.loads(text) if response.content_type == "application/json" else text

    async def done(self, method: str, path: str, **params: Any) -> Any:
        """The data of an answer without an error."""
        body = await self.ask(method, path, **params)
        assert (self.status, body["code"]) == (200, 0), body
        return body["data"]

    async def refused(self, method: str, path: str, **params: Any) -> int:
        """The code of a refusal."""
        body = await self.ask(method, path, **params)
        assert self.status == 200
        return int(body["code"])

    async def place(self, market_type: str, **params: Any) -> Any:
        """A limit order that rests far below the market, unless said otherwise."""
        return await self.done("POST", f"{market_type}/order", **limit(market_type, **params))

    async def read(self, market_type: str, name: str, **params: Any) -> Any:
        return await self.done("GET", f"{market_type}/{name}", market_type=TYPES[market_type], **params)


def limit(market_type: str, /, **params: Any) -> dict[str, Any]:
    """Parameters of a limit order; what is None is left out."""
    return {
        "market": "BTCUSDT",
        "market_type": TYPES[market_type],
        "side": "buy",
        "type": "limit",
        "amount": "0.01",
        "price": "50000",
        **params,
    }


def market(market_type: str, /, **params: Any) -> dict[str, Any]:
    more = {"ccy": "BTC"} if market_type == "spot" else {}
    return limit(market_type, **{"type": "market", "price": None, **more, **params})


def named(market_type: str, /, **params: Any) -> dict[str, Any]:
    return {"market": "BTCUSDT", "market_type": TYPES[market_type], **params}


def signing(client: Client, **params: Any) -> dict[str, Any]:
    ms = now_ms()
    values = {"access_id": client.key, "signed_str": sign(str(ms), client.secret), "timestamp": ms, **params}
    return {"method": "server.sign", "params": values, "id": 1}


@contextlib.asynccontextmanager
async def private(client: Client, market_type: str, *channels: str) -> AsyncIterator[ClientConnection]:
    """A signed socket that has subscribed these channels for everything."""
    async with socket(client.simulator, SOCKETS[market_type]) as connection:
        assert await ask(connection, signing(client)) == {"id": 1, "message": "OK", "code": 0}
        for number, channel in enumerate(channels, 2):
            name = "ccy_list" if channel == "balance" else "market_list"
            frame = {"method": f"{channel}.subscribe", "params": {name: []}, "id": number}
            assert (await ask(connection, frame))["code"] == 0
        yield connection


async def event(connection: ClientConnection, channel: str) -> Any:
    """The data of the next push of a channel."""
    return (await receive(connection, lambda message: message.get("method") == f"{channel}.update"))["data"]
