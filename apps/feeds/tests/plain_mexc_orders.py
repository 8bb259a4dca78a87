"""A trading client of MEXC that knows nothing of our driver: signed by the written rules of spot and of contracts."""

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
from apps.feeds.tests.plain_mexc import push

SPOT, FUTURES = "api.mexc.com/api/v3", "api.mexc.com/api/v1/private"
SPOT_SOCKET, FUTURES_SOCKET = "wbs-api.mexc.com/ws", "contract.mexc.com/edge"
# Field numbers of the wrapper, and of what it holds.
KINDS = {"orders": 304, "deals": 306, "account": 307}
NAMES = {
    "orders": {
        1: "id",
        2: "client",
        3: "price",
        4: "size",
        5: "amount",
        6: "average",
        7: "type",
        8: "side",
        10: "amount_left",
        11: "left",
        13: "filled",
        14: "value",
        15: "status",
    },
    "deals": {1: "price", 2: "size", 3: "value", 4: "side", 5: "maker", 7: "trade", 8: "client", 9: "id"}
    | {10: "fee", 11: "fee_asset"},
    "account": {1: "asset", 3: "free", 4: "free_change", 5: "locked", 6: "locked_change", 7: "reason"},
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def sign(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Client:
    def __init__(self, simulator: Simulator, *, key: str = KEY, secret: str = SECRET) -> None:
        self.simulator = simulator
        self.key = key
        self.secret = secret

    async def spot(self, method: str, path: str, **params: Any) -> tuple[int, Any]:
        """Status and body of a signed request with everything in the query; None leaves a parameter out."""
        params.setdefault("timestamp", now_ms())
        text = urlencode({name: value for name, value in params.items() if value is not None})
        url = f"{SPOT}/{path}?{text}&signature={sign(text, self.secret)}"
        return await self.send(method, url, headers={"X-MEXC-APIKEY": self.key})

    async def futures(
        self, method: str, path: str, body: Any = None, *, at_ms: int | None = None, **query: Any
    ) -> tuple[int, Any]:
        """The same of contracts; what is None is left out of the body."""
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if value is not None}
        text = msgspec.json.encode(body).decode() if body is not None else ""
        params = urlencode(sorted(query.items()))
        sent = str(now_ms() if at_ms is None else at_ms)
        headers = {
            "ApiKey": self.key,
            "Request-Time": sent,
            "Signature": sign(self.key + sent + (text if method == "POST" else params), self.secret),
            "Content-Type": "application/json",
        }
        return await self.send(method, f"{FUTURES}/{path}?{params}".rstrip("?"), text, headers)

    async def send(
        self, method: str, path: str, text: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """A request as it is."""
        url = URL(f"{self.simulator.url}/{path}", encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=text or None, headers=headers) as response,
        ):
            self.headers = response.headers
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.text()

    async def ask(self, market_type: str, method: str, path: str, **params: Any) -> Any:
        """What is answered to a request that is carried out, without an envelope."""
        if market_type == "spot":
            status, answer = await self.spot(method, path, **params)
            assert status == 200, answer
            return answer
        body = params if method == "POST" else None
        status, answer = await self.futures(method, path, body, **({} if body is not None else params))
        assert (status, answer["success"], answer["code"]) == (200, True, 0), answer
        return answer.get("data")

    async def refused(self, market_type: str, method: str, path: str, **params: Any) -> tuple[int, int]:
        """Status and code of a refusal."""
        if market_type == "spot":
            status, answer = await self.spot(method, path, **params)
            return status, answer["code"]
        at_ms = params.pop("at_ms", None)
        body = params if method == "POST" else None
        status, answer = await self.futures(method, path, body, at_ms=at_ms, **({} if body is not None else params))
        assert answer.get("success") is not True
        return status, answer["code"]

    async def place(self, market_type: str, **params: Any) -> str:
        """A limit order that rests far below the market, unless said otherwise; returns its id."""
        path = "order" if market_type == "spot" else "order/create"
        answer = await self.ask(market_type, "POST", path, **limit(market_type, **params))
        return str(answer["orderId"])

    async def read(self, market_type: str, id: str) -> Any:
        if market_type == "spot":
            return await self.ask("spot", "GET", "order", symbol="BTCUSDT", orderId=id)
        return await self.ask("futures", "GET", f"order/get/{id}")


def limit(market_type: str, **params: Any) -> dict[str, Any]:
    """Parameters of a limit order; what is None is left out."""
    if market_type == "spot":
        ready = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "50000"}
    else:
        ready = {"symbol": "BTC_USDT", "side": 1, "type": 1, "openType": 2, "vol": 100, "price": 50000}  # type: ignore[dict-item]
    return {**ready, **params}


def market(market_type: str, **params: Any) -> dict[str, Any]:
    kind = {"type": "MARKET"} if market_type == "spot" else {"type": 5}
    return limit(market_type, **{**kind, "price": None, **params})


@contextlib.asynccontextmanager
async def private(client: Client, market_type: str) -> AsyncIterator[ClientConnection]:
    """The account's private channels, all of them."""
    if market_type == "spot":
        key = (await client.ask("spot", "POST", "userDataStream"))["listenKey"]
        topics = [f"spot@private.{name}.v3.api.pb" for name in KINDS]
        async with socket(client.simulator, f"{SPOT_SOCKET}?listenKey={key}") as connection:
            await send(connection, {"method": "SUBSCRIPTION", "params": topics})
            assert await receive(connection) == {"id": 0, "code": 0, "msg": ",".join(topics)}
            yield connection
    else:
        async with socket(client.simulator, FUTURES_SOCKET) as connection:
            await send(connection, {"method": "login", "param": login(client)})
            assert (await receive(connection))["channel"] == "rs.login"
            yield connection


def login(client: Client, at_ms: int | None = None) -> dict[str, str]:
    sent = str(now_ms() if at_ms is None else at_ms)
    return {"apiKey": client.key, "reqTime": sent, "signature": sign(client.key + sent, client.secret)}


async def told(connection: ClientConnection, channel: str) -> dict[str, Any]:
    """The next push of a spot channel, its fields by our names; what is left out by proto3 is not there."""
    body, names = await push(connection, KINDS[channel]), NAMES[channel]
    values = {names[number]: items[0] for number, items in body.items() if number in names}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


async def heard(connection: ClientConnection, channel: str) -> Any:
    """The data of the next push of a contracts' channel."""
    return (await receive(connection, lambda message: message["channel"] == f"push.personal.{channel}"))["data"]
