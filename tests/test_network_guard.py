"""The guard that keeps every test on this machine."""

import asyncio
import socket
import subprocess
import sys

import pytest

from tests.fixtures.captures import ROOT
from tests.fixtures.network import BeyondLoopbackError
from tests.fixtures.ports import free_port

TRACED = """
import sys, threading

def some_threads():
    for _ in range(300):
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()

sys.setswitchinterval(1e-6)
threading.settrace(lambda *_: None)
starters = [threading.Thread(target=some_threads) for _ in range(4)]
for starter in starters:
    starter.start()
for starter in starters:
    starter.join()
"""


def test_a_connect_beyond_loopback_fails():
    with socket.socket() as client, pytest.raises(BeyondLoopbackError):
        client.connect(("192.0.2.1", 80))


def test_a_connect_that_tells_its_error_as_a_number_fails_too():
    with socket.socket() as client, pytest.raises(BeyondLoopbackError):
        client.connect_ex(("192.0.2.1", 80))


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


def test_threads_start_while_others_are_being_traced():
    """As under coverage."""
    failed: list[str] = []
    program = [sys.executable, "-c", f"from tests.fixtures.network import pytest_configure as guard; guard()\n{TRACED}"]
    for _ in range(3):
        run = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
        failed += [line for line in run.stderr.splitlines() if "RuntimeError" in line]
    assert failed == []
