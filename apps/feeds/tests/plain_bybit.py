"""A trading client of Bybit that knows nothing of our driver: signed by the written rule, nothing else."""

import contextlib
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
from websockets.asyncio.client import ClientConnection
from yarl import URL

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import KEY, SECRET
from apps.feeds.tests.plain_client import receive, send, socket

HOST = "api.bybit.com"
PRIVATE = "stream.bybit.com/v5/private"
CATEGORY = {"spot": "spot", "futures": "linear"}
TOPICS = ("order", "execution", "wallet", "position")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def sign(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Client:
    def __init__(self, simulator: Simulator, *, key: str = KEY, secret: str = SECRET) -> None:
        self.simulator = simulator
        self.key = key
        self.secret = secret

    async def ask(
        self, method: str, name: str, params: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and body of a signed request; `headers` come in the place of those that are right."""
        given = {key: value for key, value in (params or {}).items() if value is not None}
        text = urlencode(given) if method == "GET" else msgspec.json.encode(given).decode()
        told = {"X-BAPI-TIMESTAMP": str(now_ms()), "X-BAPI-RECV-WINDOW": "30000", **(headers or {})}
        signed = told["X-BAPI-TIMESTAMP"] + self.key + told["X-BAPI-RECV-WINDOW"] + text
        told = {"X-BAPI-API-KEY": self.key, "X-BAPI-SIGN": sign(signed, self.secret), **told}
        asks = f"?{text}" if method == "GET" and text else ""
        url = URL(f"{self.simulator.url}/{HOST}/v5/{name}{asks}", encoded=True)
        body = {"data": text, "headers": {**told, "Content-Type": "application/json"}}
        options: dict[str, Any] = {"headers": told} if method == "GET" else body
        async with aiohttp.ClientSession() as session, session.request(method, url, **options) as response:
            self.headers = response.headers
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.text()

    async def done(self, method: str, name: str, **params: Any) -> Any:
        """The result of an answer that is right."""
        status, body = await self.ask(method, name, params)
        assert (status, body["retCode"]) == (200, 0), body
        return body["result"]

    async def code(self, method: str, name: str, **params: Any) -> int:
        """The code of a refusal."""
        status, body = await self.ask(method, name, params)
        assert (status, body["result"]) == (200, {}), body
        return int(body["retCode"])

    async def place(self, market_type: str, **params: Any) -> Any:
        """A limit order that rests far below the market, unless said otherwise."""
        return await self.done("POST", "order/create", **limit(market_type, **params))

    async def order(self, market_type: str, **named: str) -> Any:
        told = await self.done("GET", "order/realtime", category=CATEGORY[market_type], **named)
        (row,) = told["list"]
        return row

    async def open(self, market_type: str) -> Any:
        told = await self.done("GET", "order/realtime", category=CATEGORY[market_type], symbol="BTCUSDT")
        return told["list"]


def limit(market_type: str, **params: Any) -> dict[str, Any]:
    """Parameters of a limit order; what is None is left out."""
    return {
        "category": CATEGORY[market_type],
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.01",
        "price": "50000",
        **params,
    }


def market(market_type: str, **params: Any) -> dict[str, Any]:
    unit = {"marketUnit": "baseCoin"} if market_type == "spot" else {}
    return limit(market_type, **{"orderType": "Market", "price": None, **unit, **params})


def auth(client: Client, **change: Any) -> dict[str, Any]:
    expires = change.get("expires", now_ms() + 10_000)
    secret = change.get("secret", client.secret)
    key = change.get("key", client.key)
    return {"req_id": "1", "op": "auth", "args": [key, expires, sign(f"GET/realtime{expires}", secret)]}


@contextlib.asynccontextmanager
async def private(client: Client, *topics: str, query: str = "") -> AsyncIterator[ClientConnection]:
    """A private socket: logged in, and subscribed to the topics that are asked for, or to all."""
    async with socket(client.simulator, PRIVATE + query) as connection:
        await send(connection, auth(client))
        assert (await receive(connection))["success"]
        await send(connection, {"req_id": "2", "op": "subscribe", "args": list(topics or TOPICS)})
        ack = await receive(connection)
        assert (ack["success"], ack["op"], ack["req_id"], ack["ret_msg"]) == (True, "subscribe", "2", "")
        yield connection


async def push(connection: ClientConnection, topic: str) -> Any:
    """The row of the next push of a topic."""
    told = await receive(connection, lambda message: message.get("topic") == topic)
    (row,) = told["data"]
    return row
