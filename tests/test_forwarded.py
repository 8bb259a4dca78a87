"""Whose word is taken for where a request comes from: it is counted by addresses, and they stand in the audit trail."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from ipaddress import ip_address, ip_network

import pytest

from apps.feeds.tests.waiting import await_that
from tests.fixtures.captures import ROOT
from tests.fixtures.ports import free_port
from tests.test_deployment import COMPOSE, filled
from workers.supervisor import programs
from workers.tests.deployed import accepts

GATEWAY = re.compile(r"\$\{DOCKER_GATEWAY:-([^}]*)\}")
FORGED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
LOOPBACK, PROXY = "127.0.0.1", "127.0.0.9"


@contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[None]:
    """The command of a web process, with an application that says what its server makes of a request."""
    echo = [part.replace("ctweb.asgi:", "tests.fixtures.address:") for part in command]
    with subprocess.Popen(echo, cwd=ROOT, env=os.environ | {"FORWARDED_ALLOW_IPS": "*"}) as server:
        try:
            await_that(lambda: accepts(port))
            yield
        finally:
            server.terminate()


def seen(port: int, sender: str) -> str:
    """What the server believes of a request with forged headers that `sender` makes."""
    connection = HTTPConnection(LOOPBACK, port, timeout=30, source_address=(sender, 0))
    try:
        connection.request("GET", "/", headers=FORGED)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_the_embedded_run_believes_nobody():
    port = free_port()
    with serving(programs.web(port).command, port):
        assert seen(port, LOOPBACK) == f"http {LOOPBACK}"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback has one address")
def test_containers_believe_the_proxy_alone():
    port = free_port()
    text = GATEWAY.sub(PROXY, COMPOSE["services"]["web"]["command"])
    command = shlex.split(text.replace("0.0.0.0", LOOPBACK).replace("8080", str(port)))
    with serving([sys.executable, "-m", *command], port):
        assert seen(port, PROXY) == "https 203.0.113.7"
        assert seen(port, LOOPBACK) == f"http {LOOPBACK}"


def test_the_proxy_of_the_containers_is_the_gateway_of_their_network():
    believed = filled(COMPOSE["services"]["web"]["command"]).partition("--forwarded-allow-ips ")[2]
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert believed == filled(network["gateway"])
    assert ip_address(believed) in ip_network(filled(network["subnet"]))
    assert COMPOSE["services"]["web"]["ports"] == ["127.0.0.1:${PORT:-8080}:8080"]
