"""The server of tests leaves no connection behind."""

import asyncio
import socket
from contextlib import suppress

import pytest

from apps.feeds.tests.listening import listening


async def until_it_ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_ends_with_its_server_however_far_it_has_come(turns):
    with socket.socket() as client:
        async with listening(until_it_ends) as port:
            client.connect(("127.0.0.1", port))  # the kernel takes it before the loop does
            for _ in range(turns):
                await asyncio.sleep(0)
        client.settimeout(60)
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""
