"""Tries to leave this machine in the ways that clients do; prints which of them the guard stopped."""

import asyncio
import json
import socket
import urllib.request
from collections.abc import Callable

import aiohttp
from websockets.asyncio.client import connect

from tests.fixtures.network import BeyondLoopbackError

BEYOND = "192.0.2.1"  # belongs to nobody (RFC 5737)


async def fetch() -> None:
    async with aiohttp.ClientSession() as session, session.get(f"http://{BEYOND}/"):
        pass


async def ask() -> None:
    async with aiohttp.ClientSession() as session, session.get("http://exchange.invalid/"):
        pass


async def listen() -> None:
    async with connect(f"ws://{BEYOND}/"):
        pass


WAYS: dict[str, Callable[[], object]] = {
    "socket": lambda: socket.create_connection((BEYOND, 80), timeout=2),
    "urllib": lambda: urllib.request.urlopen(f"http://{BEYOND}/", timeout=2),
    "aiohttp": lambda: asyncio.run(fetch()),
    "a name": lambda: asyncio.run(ask()),
    "websockets": lambda: asyncio.run(listen()),
}


def stopped(way: Callable[[], object]) -> bool:
    try:
        way()
    except BeyondLoopbackError:
        return True
    except OSError:
        return False
    return False


if __name__ == "__main__":
    print(json.dumps({name: stopped(way) for name, way in WAYS.items()}))
