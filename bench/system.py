"""A whole embedded system in a temporary folder, used through its public handles only."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from workers.supervisor.folder import Folder

ROOT = Path(__file__).resolve().parents[1]
START_S = 120
STARTER_SET = 48  # books: three coins on eight exchanges, spot and futures
STOP_S = 60
LOOK_S = 0.05


class System:
    """Runs while entered; what it printed is in `log`. `settings` go on top of the embedded run's own; `msg_s` are book
    messages a second of all exchanges, None for their own pace."""

    def __init__(
        self, directory: Path, port: int, settings: Mapping[str, str] | None = None, *, msg_s: float | None = None
    ) -> None:
        self.folder = Folder(directory)
        self._msg_s = msg_s
        self._settings = dict(settings or {})
        self.url = f"http://127.0.0.1:{port}"
        self.log = directory / "run.txt"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        settings = {"CT_DATA_DIR": str(self.folder.root), "PORT": str(self._port), "SOURCE": "simulator"}
        inherited = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers.supervisor"],
                cwd=ROOT,
                env={**inherited, **settings, **self._settings},
                stdout=log,
                stderr=log,
            )
        if self._msg_s is not None:
            try:
                self.wait("the simulator takes its pace", self._take_pace)
            except BaseException:
                self.stop()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int | None:
        """The exit status after Ctrl-C, None when it did not run."""
        if self._process is None:
            return None
        process, self._process = self._process, None
        process.send_signal(signal.SIGINT)
        return process.wait(STOP_S)

    @property
    def pid(self) -> int:
        """Of the process that starts all others; it must run."""
        assert self._process is not None
        return self._process.pid

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = START_S) -> float:
        """Seconds until `condition`. Raise SystemExit with the end of the log when it does not come.

        The deadline counts what this process slept between its looks: a machine that is busy with others moves it.
        """
        started, slept = monotonic(), 0.0
        while not condition():
            if slept > seconds or self._process is None or self._process.poll() is not None:
                raise SystemExit(f"{what}: not within {seconds} s\n{self.log.read_text(errors='replace')[-3000:]}")
            sleep(LOOK_S)
            slept += LOOK_S
        return monotonic() - started

    def _take_pace(self) -> bool:
        try:
            self.simulator("rate", {"msg_s": self._msg_s})
        except OSError:  # not there yet
            return False
        return True

    def books(self) -> Mapping[str, int]:
        """Counts of books by state; empty while the page does not answer."""
        try:
            return get_json(f"{self.url}/status")["books"]
        except OSError:
            return {}

    def get(self, path: str) -> Any:
        """What REST answers to the folder's own login."""
        return self._ask(path, None)

    def post(self, path: str, body: object) -> Any:
        return self._ask(path, body)

    def _ask(self, path: str, body: object) -> Any:
        credentials = b64encode(":".join(self.login).encode()).decode()
        return get_json(f"{self.url}{path}", body, {"Authorization": f"Basic {credentials}"})

    @property
    def login(self) -> tuple[str, str]:
        name, _, password = self.folder.login.read_text().strip().partition(" ")
        return name, password

    @property
    def redis_url(self) -> str:
        text = (self.folder.run / "redis.conf").read_text()
        found = dict(re.findall(r"^(port|requirepass) (\S+)$", text, re.MULTILINE))
        return f"redis://:{quote(found['requirepass'])}@127.0.0.1:{found['port']}/0"

    def watch(self, count: int) -> None:
        """Watch `count` pairs, spread over all markets, by plain SQL as a user might."""
        with closing(sqlite3.connect(self.folder.root / "ct.sqlite3", timeout=20)) as database, database:
            listed = database.execute(
                """SELECT E.CODE, P.MARKET_TYPE, P.PAIR,
                          ROW_NUMBER() OVER (PARTITION BY E.CODE, P.MARKET_TYPE ORDER BY P.ID) AS PLACE
                   FROM SPOT_TRADE_PAIR P JOIN EXCHANGE E ON E.ID = P.EXCHANGE_ID
                   WHERE P.STATUS = 'trading' ORDER BY PLACE LIMIT ?""",
                (count,),
            ).fetchall()
            database.execute("DELETE FROM MONITORING")
            database.executemany(
                "INSERT INTO MONITORING (EXCHANGE_ID, MARKET_TYPE, TRADE_PAIR) VALUES (?, ?, ?)",
                [row[:3] for row in listed],
            )

    def simulator(self, path: str, body: object = None) -> Any:
        """GET, or POST with a body, one of the simulator's own handles."""
        ports = json.loads((self.folder.run / "ports.json").read_text())
        return get_json(f"http://127.0.0.1:{ports['simulator']}/_sim/{path}", body)

    def history(self, query: str) -> list[list[Any]]:
        """Rows that ClickHouse answers; none while nothing was ever inserted."""
        ports = json.loads((self.folder.run / "ports.json").read_text())
        url = f"http://127.0.0.1:{ports['history']}/?database=ct&query={quote(query + ' FORMAT JSONCompact')}"
        try:
            return get_json(url)["data"]
        except HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:  # no such table yet
                return []
            raise


def get_json(url: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    known = {"Content-Type": "application/json", **(headers or {})}
    with urlopen(Request(url, data=data, headers=known), timeout=60) as answer:
        return json.load(answer)
