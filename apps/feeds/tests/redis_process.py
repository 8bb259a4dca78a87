"""A Redis server that a test may kill, pause and bring back on the same address."""

import signal
import subprocess
import tempfile
from pathlib import Path
from time import monotonic, sleep

import redis

from workers.embedded.redis import find_server


class RedisProcess:
    def __init__(self) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="ct-redis-")
        self.socket = Path(self.directory.name) / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Empty, and answering when this returns."""
        arguments = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", self.directory.name]
        self.process = subprocess.Popen([str(find_server()), *arguments], stdout=subprocess.DEVNULL)
        deadline = monotonic() + 30
        with redis.Redis.from_url(self.url) as client:
            while monotonic() < deadline:
                try:
                    client.ping()
                except redis.RedisError:
                    sleep(0.02)
                else:
                    return
        raise RuntimeError("redis-server did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def pause(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        self.directory.cleanup()
