"""`python -m workers.embedded.clickhouse --path DIR --port P`: the one process that opens a history folder.

Exit status 0 after SIGTERM or SIGINT, 1 with one line on stderr when the folder or the port cannot be had.
"""

import argparse
import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

import structlog
import uvicorn

from apps import logs
from workers.embedded.clickhouse.app import App
from workers.embedded.clickhouse.engine import Engine
from workers.embedded.clickhouse.errors import QueryError

log = structlog.get_logger("workers.embedded.clickhouse")

MAX_MEMORY_BYTES = 1 << 30
MAX_SECONDS = 30
MAX_CONNECTIONS = 256
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
DRAIN_S = 1  # running requests may end for this long, then they are cut: an insert is whole or not there


class Server(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process with the signal instead of status 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where we listen, once that is true."""
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            log.info("listening", url=f"http://{host}:{port}")


def main() -> None:
    options = _options()
    logs.start(level=options.log_level, json=options.log_json)
    lock = _lock(options.path)
    listener = _listen(options.host, options.port)
    engine = _open(options.path)
    app = App(engine, hosts=LOCAL_NAMES | {options.host, socket.gethostname()})
    asyncio.run(_serve(app, listener))
    log.info("stopping")
    closing = threading.Thread(target=_close, args=(app, engine), daemon=True)
    closing.start()
    closing.join(DRAIN_S)
    log.info("stopped", in_order=not closing.is_alive())
    lock.close()
    os._exit(0)  # a query that still runs in its thread would hold a normal exit for up to MAX_SECONDS


async def _serve(app: App, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=DRAIN_S,
    )
    await Server(config).serve(sockets=[listener])


def _close(app: App, engine: Engine) -> None:
    app.close()
    engine.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.embedded.clickhouse", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="folder of the data, made when missing")
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one and logs it")
    parser.add_argument("--host", default="127.0.0.1")
    logs.add_options(parser)
    options: argparse.Namespace = parser.parse_args()
    return options


def _lock(path: Path) -> IO[str]:
    """Hold the folder for this process's life; chDB's own lock would answer with a page of text."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        held = (path / ".lock").open("a")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _refuse(f"another process has {path} open")
    except OSError as error:
        _refuse(f"cannot use {path}: {error.strerror}")
    return held


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        _refuse(f"cannot listen on {host}:{port}: {error.strerror}")
    return listener


def _open(path: Path) -> Engine:
    try:
        return Engine(path, max_memory_bytes=MAX_MEMORY_BYTES, max_seconds=MAX_SECONDS)
    except QueryError as error:
        _refuse(f"cannot open {path}: {error.text}")


def _refuse(reason: str) -> NoReturn:
    sys.stderr.write(f"clickhouse: {reason}\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
