"""After every process was killed at once, accounts at simulated exchanges go on with what they have."""

import os
import signal
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from bench.system import STARTER_SET, System
from tests.fixtures.ports import free_port
from tests.test_whole_system import processes

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]

TRADERS = (("binance", "spot"), ("okx", "futures"))  # spot first
PAIR, AMOUNT = "BTC/USDT", "0.001"
PASSING = ("NO_BOOK", "BOOK_NOT_LIVE", "BOOK_TOO_OLD", "CLOCK_UNSURE", "MISSING")
MSG_S = 100  # how much the markets tell is of no account here
BELOW = Decimal("0.99")  # of the best bid: where an order rests

Rows = list[dict[str, Any]]


def test_accounts_orders_and_positions_at_the_simulator_outlive_every_process(tmp_path: Path):
    with System(tmp_path, free_port(), msg_s=MSG_S) as system:
        all_live(system)
        accounts = [opened(system, *where) for where in TRADERS]
        looked_at(system, accounts, since=datetime.min.replace(tzinfo=UTC))
        for account, (exchange, market) in zip(accounts, TRADERS, strict=True):
            ask_for(system, account, "bought", "FILLED", type="market")
            ask_for(system, account, "rests", "OPEN", price=below(system, exchange, market))
        before, owned = orders(system), holdings(system, accounts)
        assert len(before) == 2 * len(TRADERS)
        assert any(row["amount"] == AMOUNT for row in system.get("/api/v1/positions")["results"])
        kill(system)
        killed = datetime.now(UTC)
    with System(tmp_path, free_port(), msg_s=MSG_S) as system:
        all_live(system)
        looked_at(system, accounts, since=killed)
        assert shown(orders(system)) == shown(before)
        assert holdings(system, accounts) == owned
        assert [row for row in system.get("/api/v1/alerts")["results"] if row["kind"] == "KEY_REFUSED"] == []
        for row in before:
            if row["status"] == "OPEN":
                system.post(f"/api/v1/orders/{row['id']}/cancel", {})
        system.wait("the cancels", lambda: {row["status"] for row in orders(system)} == {"FILLED", "CANCELLED"})
        for account, (exchange, market) in zip(accounts, TRADERS, strict=True):
            ask_for(system, account, "again", "OPEN", price=below(system, exchange, market))


def opened(system: System, exchange: str, market: str) -> int:
    """An account whose key the simulated exchange made."""
    body = {"name": f"{exchange} {market}", "exchange": exchange, "market_type": market, "mode": "testnet"}
    account = int(system.post("/api/v1/accounts", body)["id"])
    system.post(f"/api/v1/accounts/{account}/simulated-key", {})
    return account


def all_live(system: System) -> None:
    system.wait("the starter set", lambda: system.books().get("live") == STARTER_SET)


def looked_at(system: System, accounts: list[int], *, since: datetime) -> None:
    """Wait until each account was compared with its exchange after a time."""

    def all_are() -> bool:
        rows = system.get("/api/v1/accounts?mode=testnet&limit=100")["results"]
        times = {row["id"]: row["reconciled_at"] for row in rows}
        return all(times[account] and datetime.fromisoformat(times[account]) > since for account in accounts)

    system.wait("the accounts", all_are)


def below(system: System, exchange: str, market: str) -> str:
    """A price at which a buy rests."""
    path = f"/orderbook/{exchange}/{PAIR.replace('/', '-')}?market_type={market}&depth=5"
    bids: list[list[float]] = []

    def has_bids() -> bool:
        try:
            bids[:] = system.get(path)["bids"]
        except HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:  # no book at this moment
                raise
        return bool(bids)

    system.wait("a book", has_bids)
    return str(int(Decimal(str(bids[0][0])) * BELOW))


def ask_for(system: System, account: int, key: str, status: str, **more: str) -> None:
    """Until there is an order in that state: a book may just be fetched, or a machine too slow for an intent's age."""
    asked: list[int] = []

    def done() -> bool:
        if not asked or system.get(f"/api/v1/intents/{asked[-1]}")["result"] in ("RISK_DENIED", "EXPIRED"):
            name = f"{key} {account} {len(asked)}"
            body = {"key": name, "account": account, "pair": PAIR, "side": "buy", "amount": AMOUNT}
            told = system.post("/api/v1/intents", body | more)
            assert told["deny_reason"] in ("", *PASSING), told
            asked.append(told["id"])
        return status in [row["status"] for row in orders(system) if row["intent"] == asked[-1]]

    system.wait(f"an order of account {account}", done)


def orders(system: System) -> Rows:
    found: Rows = system.get("/api/v1/orders?limit=100")["results"]
    return sorted(found, key=lambda row: row["id"])


def shown(rows: Rows) -> list[tuple[Any, ...]]:
    return [(row["id"], row["exchange_order_id"], row["status"], row["filled"]) for row in rows]


def holdings(system: System, accounts: list[int]) -> list[tuple[Any, ...]]:
    """What the accounts have; of futures the positions alone, as the money there counts what they are worth now."""
    positions = system.get("/api/v1/positions?limit=100")["results"]
    balances = system.get("/api/v1/balances?limit=1000")["results"]
    return [
        *sorted((row["account"], row["pair"], row["amount"]) for row in positions if row["account"] in accounts),
        *sorted((row["asset"], row["total"]) for row in balances if row["account"] == accounts[0]),
    ]


def kill(system: System) -> None:
    """Every process at once, none is told."""
    for pid in [system.pid, *(int(path.name) for path in processes(system))]:
        os.kill(pid, signal.SIGKILL)
