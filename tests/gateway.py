"""An embedded ClickHouse of a test's own, to be killed and started again on the same folder."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Self


class Gateway:
    """Serves `path` while entered; the port stays the same after a restart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        command = [sys.executable, "-m", "workers.embedded.clickhouse", "--path", str(self.path), "--port"]
        log = self.path.with_name(f"{self.path.name}.log")
        with log.open("wb") as file:
            self._process = subprocess.Popen([*command, str(self.port)], stderr=file)
        while b"\n" not in (said := log.read_bytes()):  # the first line is logged when it serves
            if self._process.poll() is not None:
                raise RuntimeError(f"the embedded ClickHouse did not start: {self._process.returncode}")
            sleep(0.02)
        self.port = int(json.loads(said.splitlines()[0])["url"].rsplit(":", 1)[1])

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        status = self._process.wait(60)
        self._process = None
        return status

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.end(signal.SIGTERM)
