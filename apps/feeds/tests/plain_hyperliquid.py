"""A trading client of Hyperliquid that knows nothing of our driver: an agent's key signs, everybody may ask."""

import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from coincurve import PrivateKey
from websockets.asyncio.client import ClientConnection

from apps.feeds.simulator.hyperliquid.signing import agent_digest, connection_id
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.plain_client import receive, send, socket

HOST = "api.hyperliquid.xyz"
USER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"  # the account's address, as wallets write it
AGENT = "0x" + "0123456789" * 6 + "0123"  # private key of its agent
MASTER = "0x14791697260e4c9a71f18484c9f997b308e59325"  # the address of that very key
STRANGER = "0x" + "9876543210" * 6 + "9876"
ASSETS = {"spot": 10142, "futures": 0}
COINS = {"spot": "@142", "futures": "BTC"}
_counter = itertools.count()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def nonce() -> int:
    """Never twice the same."""
    return now_ms() + next(_counter)


def signed(digest: bytes, key: str) -> dict[str, Any]:
    body = PrivateKey(bytes.fromhex(key.removeprefix("0x"))).sign_recoverable(digest, hasher=None)
    r, s = (hex(int.from_bytes(body[at : at + 32], "big")) for at in (0, 32))
    return {"r": r, "s": s, "v": 27 + body[64]}


def envelope(
    action: Any,
    *,
    key: str = AGENT,
    number: int | None = None,
    vault: str | None = None,
    expires_ms: int | None = None,
    source: str = "a",
) -> dict[str, Any]:
    """The body of a signed request."""
    number = nonce() if number is None else number
    digest = agent_digest(connection_id(action, number, vault, expires_ms), source)
    body = {"action": action, "nonce": number, "signature": signed(digest, key), "vaultAddress": vault}
    return body if expires_ms is None else {**body, "expiresAfter": expires_ms}


class Client:
    def __init__(self, simulator: Simulator, *, key: str = AGENT, user: str = USER) -> None:
        self.simulator = simulator
        self.key = key
        self.user = user

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Status and body; one that is not JSON stays text."""
        url = f"{self.simulator.url}/{HOST}/{path}"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.text()

    async def info(self, kind: str, **question: Any) -> Any:
        """What is told of the account."""
        status, answer = await self.post("info", {"type": kind, "user": self.user, **question})
        assert status == 200, answer
        return answer

    async def act(self, action: Any, **options: Any) -> Any:
        """The answer to a signed action."""
        status, answer = await self.post("exchange", envelope(action, **{"key": self.key, **options}))
        assert status == 200, answer
        return answer

    async def done(self, action: Any, **options: Any) -> Any:
        """The statuses of an action that is carried out."""
        answer = await self.act(action, **options)
        assert answer["status"] == "ok", answer
        return answer["response"].get("data", {}).get("statuses")

    async def failed(self, action: Any, **options: Any) -> str:
        """Why an action is refused as a whole."""
        answer = await self.act(action, **options)
        assert answer["status"] == "err", answer
        return str(answer["response"])

    async def place(self, market_type: str, **fields: Any) -> Any:
        """The status of a limit order that rests far below the market, unless said otherwise."""
        (status,) = await self.done(order(market_type, **fields))
        return status

    async def rest(self, market_type: str, **fields: Any) -> int:
        """The id of an order that rests."""
        return int((await self.place(market_type, **fields))["resting"]["oid"])

    async def refused(self, market_type: str, **fields: Any) -> str:
        return str((await self.place(market_type, **fields))["error"])

    async def cancel(self, market_type: str, oid: int) -> Any:
        (status,) = await self.done({"type": "cancel", "cancels": [{"a": ASSETS[market_type], "o": oid}]})
        return status


def wire(market_type: str, *, tif: str = "Gtc", cloid: str | None = None, **fields: Any) -> dict[str, Any]:
    """One order, its keys in the order that is signed."""
    ready = {"a": ASSETS[market_type], "b": True, "p": "50000", "s": "0.01", "r": False, **fields}
    return {**ready, "t": {"limit": {"tif": tif}}, **({} if cloid is None else {"c": cloid})}


def order(market_type: str, **fields: Any) -> dict[str, Any]:
    return {"type": "order", "orders": [wire(market_type, **fields)], "grouping": "na"}


def market(market_type: str, **fields: Any) -> dict[str, Any]:
    """Fields of an order that takes whatever there is."""
    buys = fields.get("b", True)
    return {"p": "90000" if buys else "80000", "tif": "Ioc", **fields}


@contextlib.asynccontextmanager
async def listening(client: Client, *types: str) -> AsyncIterator[ClientConnection]:
    """The account's channels of these types; what they begin with is passed over."""
    async with socket(client.simulator, f"{HOST}/ws") as connection:
        await connection.recv()  # the greeting
        for kind in types:
            await send(connection, {"method": "subscribe", "subscription": {"type": kind, "user": client.user}})
            await receive(connection, lambda message: message["channel"] == "subscriptionResponse")
            if kind in ("userFills", "spotState", "clearinghouseState"):
                await receive(connection)
        yield connection


async def told(connection: ClientConnection, channel: str) -> Any:
    """The data of the next message of a channel."""
    return (await receive(connection, lambda message: message["channel"] == channel))["data"]
