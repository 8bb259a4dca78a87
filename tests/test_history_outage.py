"""ClickHouse dies under load, stays away for a minute and comes back: no row is lost, none is doubled."""

import json
import os
import signal
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from bench.system import STARTER_SET, System
from tests.fixtures.ports import free_port
from tests.gateway import Gateway

AWAY_S = float(os.environ.get("CT_TEST_OUTAGE_S", "60"))
RATE = 1000  # book messages a second

pytestmark = [pytest.mark.processes, pytest.mark.faults, pytest.mark.timeout(900 + AWAY_S)]


def test_a_minute_without_clickhouse_loses_and_doubles_nothing(tmp_path: Path):
    with Gateway(tmp_path / "clickhouse") as gateway:
        settings = {"CLICKHOUSE_URL": f"{gateway.url}/ct", "CT_BATCH_INTERVAL_S": "2"}
        with System(tmp_path, free_port(), settings) as system:
            system.wait("the starter set", lambda: system.books().get("live") == STARTER_SET)
            system.simulator("rate", {"msg_s": RATE})
            system.wait("rows in ClickHouse", lambda: rows(gateway)["book"] > RATE)
            gateway.end(signal.SIGKILL)
            before = sent(system)
            stay_away(system)
            gateway.start()
            assert sent(system)["book"] > before["book"] + AWAY_S * RATE / 5  # the load went on meanwhile
            system.simulator("fault", {"op": "mute"})
            system.wait("the last flush", lambda: rows(gateway) == sent(system), 300)
            for table in ("ct.orderbook_updates", "ct.trades"):
                numbered = query(gateway, f"SELECT count(), uniqExact(stream, epoch, event_no) FROM {table}")
                assert numbered[0][0] == numbered[0][1]


def stay_away(system: System) -> None:
    """The status page says what is away, and the system goes on without it."""
    until = monotonic() + AWAY_S
    system.wait("the page to say so", lambda: not status(system)["stores"]["clickhouse"]["ok"])
    while monotonic() < until:
        now = status(system)
        assert now["stores"]["clickhouse"]["ok"] is False
        assert now["daemons"][0]["pairs"] == STARTER_SET
        sleep(0.1)


def status(system: System) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(urlopen(f"{system.url}/status", timeout=60).read())
    return found


def sent(system: System) -> dict[str, int]:
    """What the simulator wrote to the daemon's sockets: book messages and single trades."""
    entries = system.simulator("log")
    return {
        "book": sum(entry["sent"] for entry in entries if entry["kind"] == "book"),
        "trades": sum(entry["trades"] for entry in entries if entry["kind"] == "trades"),
    }


def rows(gateway: Gateway) -> dict[str, int]:
    """Zeros while the tables are not there yet."""
    if not query(gateway, "SELECT name FROM system.tables WHERE database = 'ct' AND name = 'trades'"):
        return {"book": 0, "trades": 0}
    books = query(gateway, "SELECT count() FROM ct.orderbook_updates WHERE from_rest = 0")
    trades = query(gateway, "SELECT count() FROM ct.trades")
    return {"book": int(books[0][0]), "trades": int(trades[0][0])}


def query(gateway: Gateway, text: str) -> list[list[Any]]:
    with urlopen(f"{gateway.url}/?query={quote(text + ' FORMAT JSONCompact')}", timeout=60) as answer:
        found: list[list[Any]] = json.load(answer)["data"]
    return found
