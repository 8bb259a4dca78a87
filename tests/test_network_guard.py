"""The guard that keeps every test on this machine."""

import asyncio
import socket

import pytest

from tests.fixtures.network import BeyondLoopbackError
from tests.fixtures.ports import free_port


def test_a_connect_beyond_loopback_fails():
    with socket.socket() as client, pytest.raises(BeyondLoopbackError):
        client.connect(("192.0.2.1", 80))


def test_a_datagram_beyond_loopback_fails():
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(BeyondLoopbackError):
        client.sendto(b"x", ("192.0.2.1", 53))


def test_a_name_is_not_even_looked_up():
    with pytest.raises(BeyondLoopbackError):
        socket.getaddrinfo("example.com", 443)


async def test_asyncio_is_guarded_too():
    with pytest.raises(BeyondLoopbackError):
        await asyncio.open_connection("192.0.2.1", 80)


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())


def test_a_refused_loopback_connect_is_an_ordinary_refusal():
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.1", free_port()))
