"""The simulator as a process of its own."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp

from apps.feeds.tests.waiting import until
from tests.fixtures.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
START_S = 120.0


def command(port: int, *more: str) -> list[str]:
    return [sys.executable, "-m", "apps.feeds.simulator", "--port", str(port), *more]


async def answers(port: int) -> None:
    """Return when the health page is there."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_S):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/_sim/health") as response:
                    assert response.status == 200
                    return
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)


async def test_sigterm_stops_it_within_two_seconds_though_clients_listen() -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(*command(port, "--rate", "200"), cwd=ROOT)
    try:
        await answers(port)
        url = f"http://127.0.0.1:{port}/stream.binance.com/ws/btcusdt@depth@100ms"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as connection:
            await connection.receive()
            process.send_signal(signal.SIGTERM)
            await until(lambda: process.returncode is not None, 2.0)
            assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(command(port), cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("simulator: ")
    assert done.stderr.count("\n") == 1


def test_it_logs_in_lines_of_json() -> None:
    with subprocess.Popen(command(0), cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = [json.loads(process.stderr.readline())]
        process.send_signal(signal.SIGTERM)
        lines += map(json.loads, process.stderr)
    assert process.returncode == 0
    assert [line["event"] for line in lines] == ["listening", "stopped"]
    assert lines[0]["url"].startswith("http://127.0.0.1:")
