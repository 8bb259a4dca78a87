"""An embedded ClickHouse of a test's own, to be killed and started again on the same folder."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self


class Gateway:
    """Serves `path` while entered; the port stays the same after a restart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        command = [sys.executable, "-m", "workers.embedded.clickhouse", "--path", str(self.path), "--port"]
        self._process = subprocess.Popen([*command, str(self.port)], stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        line = self._process.stderr.readline()  # logged when it serves
        if not line.startswith("{"):
            raise RuntimeError(f"the embedded ClickHouse did not start: {self._process.wait(10)} {line}")
        self.port = int(json.loads(line)["url"].rsplit(":", 1)[1])

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status."""
        assert self._process is not None
        assert self._process.stderr is not None
        self._process.send_signal(number)
        status = self._process.wait(20)
        self._process.stderr.close()
        self._process = None
        return status

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.end(signal.SIGTERM)
