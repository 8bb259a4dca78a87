"""A trading client of OKX that knows nothing of our driver: signed by the written rule, nothing else."""

import base64
import contextlib
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
from websockets.asyncio.client import ClientConnection
from yarl import URL

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import KEY, SECRET
from apps.feeds.tests.plain_client import receive, send, socket

HOST = "www.okx.com"
PRIVATE = "ws.okx.com/ws/v5/private"
PASSPHRASE = "words-of-anna"
SYMBOL = {"spot": "BTC-USDT", "futures": "BTC-USDT-SWAP"}
KIND = {"spot": "SPOT", "futures": "SWAP"}
MODE = {"spot": "cash", "futures": "cross"}
ALL = (
    {"channel": "orders", "instType": "ANY"},
    {"channel": "account", "extraParams": '{"updateInterval":"0"}'},
    {"channel": "positions", "instType": "ANY"},
)


def sign(text: str, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def iso(ahead_s: float = 0.0) -> str:
    return datetime.fromtimestamp(time.time() + ahead_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Client:
    def __init__(
        self, simulator: Simulator, *, key: str = KEY, secret: str = SECRET, passphrase: str = PASSPHRASE
    ) -> None:
        self.simulator = simulator
        self.key = key
        self.secret = secret
        self.passphrase = passphrase

    async def ask(
        self, method: str, name: str, body: Any = None, headers: dict[str, str] | None = None, **query: str
    ) -> tuple[int, Any]:
        """Status and body of a signed request; `headers` come in the place of those that are right."""
        path = f"/api/v5/{name}" + (f"?{urlencode(query)}" if query else "")
        text = "" if body is None else body if isinstance(body, str) else msgspec.json.encode(body).decode()
        sent = (headers or {}).get("OK-ACCESS-TIMESTAMP", iso())
        right = {
            "OK-ACCESS-KEY": self.key,
            "OK-ACCESS-PASSPHRASE": self.passphrase,
            "OK-ACCESS-TIMESTAMP": sent,
            "OK-ACCESS-SIGN": sign(sent + method + path + text, self.secret),
            "Content-Type": "application/json",
        }
        url = URL(f"{self.simulator.url}/{HOST}{path}", encoded=True)
        told = {**right, **(headers or {})}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=text or None, headers=told) as response,
        ):
            return response.status, await response.json()

    async def read(self, name: str, **query: str) -> Any:
        """The rows of an answer that is right."""
        status, body = await self.ask("GET", name, **query)
        assert (status, body["code"]) == (200, "0"), body
        return body["data"]

    async def done(self, name: str, body: Any) -> Any:
        """The row of an order, or of a setting, that is done."""
        status, answer = await self.ask("POST", name, body)
        assert (status, answer["code"]) == (200, "0"), answer
        return answer["data"][0]

    async def place(self, market_type: str, **params: Any) -> Any:
        """A limit order that rests far below the market, unless said otherwise."""
        return await self.done("trade/order", limit(market_type, **params))

    async def refused(self, name: str, body: Any) -> str:
        """The code of an order's row."""
        status, answer = await self.ask("POST", name, body)
        assert (status, answer["code"], answer["data"][0]["ordId"]) == (200, "1", ""), answer
        return str(answer["data"][0]["sCode"])

    async def failed(self, method: str, name: str, *args: Any, **query: str) -> tuple[int, str]:
        """Status and code of an answer without rows."""
        status, answer = await self.ask(method, name, *args, **query)
        assert answer["data"] == []
        return status, answer["code"]

    async def order(self, market_type: str, **named: str) -> Any:
        (row,) = await self.read("trade/order", instId=SYMBOL[market_type], **named)
        return row


def limit(market_type: str, **params: Any) -> dict[str, Any]:
    """Parameters of a limit order; what is None is left out."""
    whole = {
        "instId": SYMBOL[market_type],
        "tdMode": MODE[market_type],
        "side": "buy",
        "ordType": "limit",
        "sz": "1",
        "px": "50000",
        **params,
    }
    return {name: value for name, value in whole.items() if value is not None}


def market(market_type: str, **params: Any) -> dict[str, Any]:
    unit = {"tgtCcy": "base_ccy"} if market_type == "spot" else {}
    return limit(market_type, **{"ordType": "market", "px": None, **unit, **params})


def login(client: Client, **change: str) -> dict[str, Any]:
    seconds = str(int(time.time()))
    given = {
        "apiKey": client.key,
        "passphrase": client.passphrase,
        "timestamp": seconds,
        "sign": sign(f"{change.get('timestamp', seconds)}GET/users/self/verify", client.secret),
    }
    return {"op": "login", "args": [{**given, **change}]}


@contextlib.asynccontextmanager
async def private(client: Client, *args: dict[str, str]) -> AsyncIterator[ClientConnection]:
    """A private socket: logged in, and subscribed to what is asked for or to all channels; its snapshots are read."""
    async with socket(client.simulator, PRIVATE) as connection:
        await send(connection, login(client))
        assert (await receive(connection))["code"] == "0"
        await send(connection, {"op": "subscribe", "args": list(args or ALL)})
        for arg in args or ALL:
            ack = await receive(connection, lambda told: told.get("event") == "subscribe")
            assert ack["arg"] == arg
            if arg["channel"] != "orders":
                await push(connection, arg["channel"])
        yield connection


async def push(connection: ClientConnection, channel: str) -> Any:
    """The next push of a channel."""
    return await receive(connection, lambda told: "data" in told and told["arg"]["channel"] == channel)


async def order_push(connection: ClientConnection) -> Any:
    """The row of the next push of an order."""
    (row,) = (await push(connection, "orders"))["data"]
    return row
