"""The simulated exchanges in a process of their own, by their handles under `/_sim/`."""

import json
import signal
import subprocess
import sys
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from apps.feeds.simulator.server import KINDS
from apps.feeds.tests.trading_stand import credentials
from tests.orders import untraced

ANSWER_S = 120.0
WALLETS = {kind.name: kind.rules.wallets for kind in KINDS}
STOP_S = 60.0


class Exchanges:
    """All eight while entered. Markets stand still but for what accounts do."""

    url: str

    def __init__(self, log: Path) -> None:
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.orders.simulated"],
                stdout=subprocess.PIPE,
                stderr=log,
                env=untraced.environment(),
            )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().decode().strip()
        assert self.url, self._log.read_text(errors="replace")
        self.post("fault", op="freeze")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        self._process.wait(STOP_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def pause(self) -> None:
        """Nobody is answered until `go_on`: connections open, and nothing comes."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    # accounts

    def open_account(self, exchange: str, name: str, market_type: str, balances: dict[str, str]) -> None:
        keys = credentials(exchange, name)
        shown = {"key": keys.key, "secret": keys.secret, "passphrase": keys.passphrase}
        money = {WALLETS[exchange][market_type]: balances}
        self.post("accounts", exchange=exchange, name=name, balances=money, **shown)

    def fault(self, exchange: str, account: str | None, op: str, **more: Any) -> None:
        self.post("account_fault", exchange=exchange, account=account, op=op, **more)

    def fill(self, row: dict[str, Any], size: Decimal) -> None:
        """Let somebody take so much of a resting order, a row of `accepted`."""
        named = {"exchange": row["exchange"], "account": row["account"], "order_id": row["order_id"]}
        self.post("fill", size=f"{size:f}", **named)

    def accepted(self, exchange: str | None = None, account: str | None = None) -> list[dict[str, Any]]:
        """The accept log, oldest first, with what became of each order."""
        query = {name: text for name, text in (("exchange", exchange), ("account", account)) if text is not None}
        rows: list[dict[str, Any]] = self.get("_sim/orders", **query)
        return rows

    def accounts(self, exchange: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.get("_sim/accounts", exchange=exchange)
        return rows

    # handles

    def post(self, handle: str, **body: Any) -> Any:
        return _answer(Request(f"{self.url}/_sim/{handle}", json.dumps(body).encode(), method="POST"))

    def get(self, path: str, **query: str) -> Any:
        return _answer(Request(f"{self.url}/{path}?{urlencode(query)}"))


def _answer(request: Request) -> Any:
    try:
        with urlopen(request, timeout=ANSWER_S) as answer:
            return json.loads(answer.read())
    except HTTPError as error:
        if error.code != HTTPStatus.BAD_REQUEST:
            raise
        raise AssertionError(error.read().decode(errors="replace")) from None
