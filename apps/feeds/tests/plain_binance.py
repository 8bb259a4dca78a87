"""A trading client of Binance that knows nothing of our driver: signed by the written rule, nothing else."""

import contextlib
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
from websockets.asyncio.client import ClientConnection
from yarl import URL

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import KEY, SECRET
from apps.feeds.tests.plain_client import receive, send, socket

SPOT, FUTURES = "api.binance.com/api/v3", "fapi.binance.com/fapi/v1"
HOST = {"spot": SPOT, "futures": FUTURES}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def sign(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Client:
    def __init__(self, simulator: Simulator, *, key: str = KEY, secret: str = SECRET) -> None:
        self.simulator = simulator
        self.key = key
        self.secret = secret

    async def ask(self, method: str, path: str, **params: Any) -> tuple[int, Any]:
        """Status and body of a signed request; None leaves a parameter out."""
        params.setdefault("timestamp", now_ms())
        text = urlencode({name: value for name, value in params.items() if value is not None})
        return await self.send(method, path, f"{text}&signature={sign(text, self.secret)}")

    async def send(self, method: str, path: str, text: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """A request as it is: in the body of a POST or PUT, else in the query."""
        url = f"{self.simulator.url}/{path}"
        body = {"data": text, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
        options: dict[str, Any] = body if method in ("POST", "PUT") else {"headers": {}}
        options["headers"] |= {"X-MBX-APIKEY": self.key} if headers is None else headers
        if method in ("GET", "DELETE") and text:
            url = f"{url}?{text}"
        async with aiohttp.ClientSession() as session, session.request(method, encoded(url), **options) as response:
            self.headers = response.headers
            return response.status, await response.json()

    async def done(self, method: str, path: str, **params: Any) -> Any:
        """The body of an answer whose status is 200."""
        status, body = await self.ask(method, path, **params)
        assert status == 200, body
        return body

    async def place(self, market_type: str, **params: Any) -> Any:
        """A limit order that rests far below the market, unless said otherwise."""
        return await self.done("POST", f"{HOST[market_type]}/order", **limit(**params))

    async def refused(self, method: str, path: str, **params: Any) -> tuple[int, int]:
        """Status and code of a refusal."""
        status, body = await self.ask(method, path, **params)
        return status, body["code"]


def encoded(url: str) -> Any:
    """The address as it is written: nothing in it is encoded anew."""
    return URL(url, encoded=True)


def limit(**params: Any) -> dict[str, Any]:
    """Parameters of a limit order; what is None is left out."""
    return {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "50000",
        **params,
    }


def market(**params: Any) -> dict[str, Any]:
    return limit(**{"type": "MARKET", "timeInForce": None, "price": None, **params})


@contextlib.asynccontextmanager
async def private(client: Client, market_type: str, **query: str) -> AsyncIterator[ClientConnection]:
    """The account's private stream, subscribed."""
    if market_type == "spot":
        async with socket(client.simulator, "ws-api.binance.com/ws-api/v3") as connection:
            await send(connection, subscription(client))
            assert await receive(connection) == {"id": "s1", "status": 200, "result": {"subscriptionId": 0}}
            yield connection
    else:
        _, body = await client.send("POST", f"{FUTURES}/listenKey", "")
        path = "&".join([f"listenKey={body['listenKey']}", *(f"{name}={value}" for name, value in query.items())])
        async with socket(client.simulator, f"fstream.binance.com/private/ws?{path}") as connection:
            yield connection


def subscription(client: Client, **params: Any) -> dict[str, Any]:
    values = {"apiKey": client.key, "timestamp": now_ms(), **params}
    text = "&".join(f"{name}={values[name]}" for name in sorted(values))
    values["signature"] = sign(text, client.secret)
    return {"id": "s1", "method": "userDataStream.subscribe.signature", "params": values}


async def event(connection: ClientConnection, name: str) -> Any:
    """The next event of that name, without its envelope."""
    message = await receive(connection, lambda told: told.get("event", told).get("e") == name)
    return message.get("event", message)
