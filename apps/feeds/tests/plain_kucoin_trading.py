"""A trading client of KuCoin that knows nothing of our driver: signed by the written rule, nothing else."""

import base64
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

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import KEY, SECRET, open_account
from apps.feeds.tests.plain_client import receive, send, socket

PASSPHRASE = "phrase-of-anna"
SPOT, FUTURES, UNIFIED = "api.kucoin.com/api/v1/hf", "api-futures.kucoin.com/api/v1", "api.kucoin.com/api/ua/v2"
SYMBOLS = {"spot": "BTC-USDT", "futures": "XBTUSDTM"}
SOCKETS = {"spot": "ws-api-spot.kucoin.com/", "futures": "ws-api-futures.kucoin.com/"}
PUSH = "wsapi-push.kucoin.com"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def hashed(text: str, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


async def open_here(simulator: Simulator, **more: Any) -> None:
    """An account with money and a passphrase."""
    await open_account(simulator, "kucoin", **({"passphrase": PASSPHRASE} | more))


class Client:
    def __init__(
        self, simulator: Simulator, *, key: str = KEY, secret: str = SECRET, passphrase: str = PASSPHRASE
    ) -> None:
        self.simulator = simulator
        self.key = key
        self.secret = secret
        self.passphrase = passphrase
        self.headers: Any = {}

    async def ask(
        self, method: str, path: str, head: dict[str, str | None] | None = None, **params: Any
    ) -> tuple[int, Any]:
        """Status and body of a signed request; None leaves a parameter or a header out."""
        values = {name: value for name, value in params.items() if value is not None}
        body = json.dumps(values) if method == "POST" else ""
        query = urlencode(values) if values and method != "POST" else ""
        target = "/" + path.partition("/")[2] + (f"?{query}" if query else "")
        stamp = str(now_ms()) if head is None else head.get("KC-API-TIMESTAMP") or str(now_ms())
        sent: dict[str, str | None] = {
            "KC-API-KEY": self.key,
            "KC-API-TIMESTAMP": stamp,
            "KC-API-SIGN": hashed(stamp + method + target + body, self.secret),
            "KC-API-PASSPHRASE": hashed(self.passphrase, self.secret),
            "KC-API-KEY-VERSION": "2",
            "Content-Type": "application/json",
            **(head or {}),
        }
        url = f"{self.simulator.url}/{path}" + (f"?{query}" if query else "")
        headers = {name: value for name, value in sent.items() if value is not None}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=body or None, headers=headers) as response,
        ):
            self.headers = response.headers
            return response.status, await response.json()

    async def done(self, method: str, path: str, **params: Any) -> Any:
        """The data of an answer that is a success."""
        _, body = await self.ask(method, path, **params)
        assert body["code"] == "200000", body
        return body["data"]

    async def refused(self, method: str, path: str, **params: Any) -> str:
        """The code of a refusal."""
        _, body = await self.ask(method, path, **params)
        assert set(body) == {"code", "msg"}, body
        return str(body["code"])

    async def place(self, market_type: str, **params: Any) -> Any:
        """An order of a classic account that rests far below the market, unless said otherwise."""
        return await self.done("POST", PLACE[market_type], **LIMIT[market_type](**params))


def spot(**params: Any) -> dict[str, Any]:
    """Parameters of a limit order; what is None is left out."""
    usual = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.01", "clientOid": "m-1"}
    return {**usual, **params}


def futures(**params: Any) -> dict[str, Any]:
    usual = {"symbol": "XBTUSDTM", "side": "buy", "type": "limit", "price": "50000", "size": 10, "clientOid": "m-1"}
    return {**usual, "leverage": 5, **params}


def unified(market_type: str, **params: Any) -> dict[str, Any]:
    usual = {"tradeType": market_type.upper(), "symbol": SYMBOLS[market_type], "side": "BUY", "orderType": "LIMIT"}
    sizes = {"spot": {"size": "0.01", "sizeUnit": "BASECCY"}, "futures": {"size": "10", "sizeUnit": "UNIT"}}
    return {**usual, **sizes[market_type], "price": "50000", "clientOid": "m-1", **params}


PLACE = {"spot": f"{SPOT}/orders", "futures": f"{FUTURES}/orders"}
LIMIT = {"spot": spot, "futures": futures}


@contextlib.asynccontextmanager
async def private(client: Client, market_type: str, *topics: str) -> AsyncIterator[ClientConnection]:
    """A classic socket of the account, subscribed to its topics."""
    host = PLACE[market_type].partition("/")[0]
    token = (await client.done("POST", f"{host}/api/v1/bullet-private"))["token"]
    async with socket(client.simulator, f"{SOCKETS[market_type]}?token={token}&connectId=me") as connection:
        assert await receive(connection) == {"id": "me", "type": "welcome"}
        for number, topic in enumerate(topics):
            await send(connection, subscription(topic, str(number)))
            assert await receive(connection) == {"id": str(number), "type": "ack"}
        yield connection


def subscription(topic: str, number: str = "1", **more: Any) -> dict[str, Any]:
    return {"id": number, "type": "subscribe", "topic": topic, "privateChannel": True, "response": True, **more}


@contextlib.asynccontextmanager
async def pushes(client: Client, *channels: dict[str, Any]) -> AsyncIterator[ClientConnection]:
    """A unified private socket that has greeted, subscribed to its channels."""
    async with socket(client.simulator, PUSH) as connection:
        assert (await receive(connection))["message"] == "welcome"
        await send(connection, greeting(client))
        assert await receive(connection) == {"id": "0", "result": True}
        for number, channel in enumerate(channels, 1):
            await send(connection, {"id": str(number), "action": "SUBSCRIBE", **channel})
            assert await receive(connection) == {"id": str(number), "result": True}
        yield connection


def greeting(client: Client, **more: Any) -> dict[str, Any]:
    stamp = str(now_ms())
    return {
        "id": "0",
        "op": "auth",
        "kc-api-key": client.key,
        "kc-api-sign": hashed(stamp + "POST/api/websocket/users/verify", client.secret),
        "kc-api-timestamp": stamp,
        "kc-api-passphrase": hashed(client.passphrase, client.secret),
        **more,
    }


async def event(connection: ClientConnection, topic: str, kind: str | None = None) -> Any:
    """The data of the next push of a classic topic; of orders that of one type."""
    message = await receive(
        connection, lambda told: told.get("topic") == topic and kind in (None, told["data"].get("type"))
    )
    return message["data"]


async def push(connection: ClientConnection, name: str, kind: str | None = None) -> Any:
    """The data of the next push of a unified channel; of orders that of one event."""
    message = await receive(connection, lambda told: told.get("T") == name and kind in (None, told["d"].get("eT")))
    return message["d"]
