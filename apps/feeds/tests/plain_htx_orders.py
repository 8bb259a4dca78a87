"""A trading client of HTX that knows nothing of our driver: signed by the written rule, nothing else."""

import base64
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from websockets.asyncio.client import ClientConnection
from yarl import URL

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_accounts import KEY, SECRET
from apps.feeds.tests.plain_client import receive, send, socket

HOSTS = {"spot": "api.huobi.pro", "futures": "api.hbdm.com"}
SPOT_ORDERS, SWAP = "v1/order/orders", "v5/trade"
SOCKETS = {"spot": "ws/v2", "futures": "ws/v5/notification"}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def stamp(ms: int | None = None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime((now_ms() if ms is None else ms) / 1000))


def sign(method: str, host: str, path: str, values: Mapping[str, Any], secret: str = SECRET) -> str:
    text = f"{method}\n{host}\n/{path}\n{urlencode(sorted(values.items()))}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


class Client:
    def __init__(self, simulator: Simulator, *, key: str = KEY, secret: str = SECRET) -> None:
        self.simulator = simulator
        self.key = key
        self.secret = secret

    def auth(self, **change: Any) -> dict[str, Any]:
        """The parameters that sign a request; None leaves one out."""
        values = {
            "AccessKeyId": self.key,
            "SignatureMethod": "HmacSHA256",
            "SignatureVersion": "2",
            "Timestamp": stamp(),
            **change,
        }
        return {name: value for name, value in values.items() if value is not None}

    async def ask(
        self, method: str, path: str, *, auth: dict[str, Any] | None = None, signature: str | None = None, **params: Any
    ) -> Any:
        """The body of a signed request's answer. `-` is written `_` in the names of spot's parameters."""
        market_type = "futures" if path.startswith(("v5", "linear")) else "spot"
        host = HOSTS[market_type]
        spelled = {
            name.replace("_", "-") if market_type == "spot" else name: value
            for name, value in params.items()
            if value is not None
        }
        query = self.auth(**(auth or {}))
        if method == "GET":
            query |= spelled
        query["Signature"] = signature or sign(method, host, path, query, self.secret)
        url = URL(f"{self.simulator.url}/{host}/{path}?{urlencode(query)}", encoded=True)
        body = json.dumps(spelled) if method == "POST" else None
        headers = {"Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=body, headers=headers) as response,
        ):
            self.status, self.headers = response.status, response.headers
            text = await response.text()
            return json.loads(text) if response.content_type == "application/json" else text

    async def done(self, method: str, path: str, **params: Any) -> Any:
        """The data of an answer without an error."""
        body = await self.ask(method, path, **params)
        assert self.status == 200
        assert body.get("status", "ok") == "ok", body
        assert body.get("code", 200) == 200, body
        return body["data"]

    async def refused(self, method: str, path: str, **params: Any) -> str | int:
        """The code of a refusal, in whichever form it comes; 0 for none."""
        body = await self.ask(method, path, **params)
        code = body.get("err-code") or body.get("err_code") or body.get("code") or 0
        return 0 if code == 200 else code

    async def account_id(self) -> int:
        accounts = await self.done("GET", "v1/account/accounts")
        return int(next(row["id"] for row in accounts if row["type"] == "spot"))

    async def limit(self, market_type: str, **params: Any) -> tuple[str, dict[str, Any]]:
        """Path and parameters of a limit order that rests far below the market, unless said otherwise."""
        if market_type == "futures":
            swap = {
                "contract_code": "BTC-USDT",
                "margin_mode": "cross",
                "side": "buy",
                "position_side": "both",
                "type": "limit",
                "volume": "10",
                "price": "50000",
                "time_in_force": "gtc",
            }
            return f"{SWAP}/order", {**swap, **params}
        spot = {
            "account_id": str(await self.account_id()),
            "symbol": "btcusdt",
            "type": "buy-limit",
            "amount": "0.01",
            "price": "50000",
            "source": "spot-api",
        }
        return f"{SPOT_ORDERS}/place", {**spot, **params}

    async def place(self, market_type: str, **params: Any) -> str:
        """The id of the order."""
        path, values = await self.limit(market_type, **params)
        data = await self.done("POST", path, **values)
        return str(data if market_type == "spot" else data["order_id"])

    async def query(self, market_type: str, order_id: str) -> Any:
        if market_type == "spot":
            return await self.done("GET", f"{SPOT_ORDERS}/{order_id}")
        return await self.done("GET", f"{SWAP}/order", contract_code="BTC-USDT", order_id=order_id)

    async def cancel(self, market_type: str, order_id: str) -> Any:
        """The code of a refusal, or 0."""
        if market_type == "spot":
            return await self.refused("POST", f"{SPOT_ORDERS}/{order_id}/submitcancel")
        return await self.refused("POST", f"{SWAP}/cancel_order", contract_code="BTC-USDT", order_id=order_id)

    async def open_orders(self, market_type: str) -> Any:
        if market_type == "spot":
            return await self.done("GET", "v1/order/openOrders")
        return await self.done("GET", f"{SWAP}/order/opens")


def login(client: Client, market_type: str, **change: Any) -> dict[str, Any]:
    host, path = HOSTS[market_type], SOCKETS[market_type]
    if market_type == "futures":
        values = client.auth(**change)
        return {"op": "auth", "type": "api", **values, "Signature": sign("GET", host, path, values, client.secret)}
    values = {
        "accessKey": client.key,
        "signatureMethod": "HmacSHA256",
        "signatureVersion": "2.1",
        "timestamp": stamp(),
        **change,
    }
    params = {"authType": "api", **values, "signature": sign("GET", host, path, values, client.secret)}
    return {"action": "req", "ch": "auth", "params": params}


async def answered(connection: ClientConnection, frame: dict[str, Any]) -> Any:
    """Send a command and give its answer."""
    await send(connection, frame)
    word = "action" if "action" in frame else "op"
    return await receive(connection, lambda message: message.get(word) == frame[word])


@contextlib.asynccontextmanager
async def private(client: Client, market_type: str, *channels: str) -> AsyncIterator[ClientConnection]:
    """A socket that is logged in and has subscribed these channels."""
    async with socket(client.simulator, f"{HOSTS[market_type]}/{SOCKETS[market_type]}") as connection:
        answer = await answered(connection, login(client, market_type))
        assert answer.get("code", 200) == 200, answer
        assert answer.get("err-code", 0) == 0, answer
        for channel in channels:
            answer = await answered(connection, subscription(market_type, channel))
            assert answer.get("code", 200) == 200, answer
            assert answer.get("err-code", 0) == 0, answer
        yield connection


def subscription(market_type: str, channel: str, verb: str = "sub") -> dict[str, Any]:
    if market_type == "spot":
        return {"action": verb, "ch": channel}
    return {"op": verb, "cid": "1", "topic": channel, "contract_code": "*"}


async def event(connection: ClientConnection, channel: str) -> Any:
    """The data of the next push of a channel."""

    def is_wanted(message: Any) -> bool:
        pushed = message.get("action") == "push" or message.get("op") == "notify"
        return pushed and channel in (message.get("ch"), message.get("topic"))

    return (await receive(connection, is_wanted))["data"]
