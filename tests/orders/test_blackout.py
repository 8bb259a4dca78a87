"""O5: exchanges that cannot be reached, or say nothing, prove nothing."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from tests.orders import evidence, outages
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES
from tests.orders.test_halt import resting

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.timeout(900)]

ACCOUNTS, OF_EACH, SOME, ROUNDS = 10, 5, 10, 3
DARK_S = 600.0  # in which nobody asks less often than every KNOWN_S
KNOWN_S = 30.0
NOWHERE = "http://127.0.0.1:9"
PART = Decimal("0.0004")


@pytest.mark.parametrize("exchange", ["mexc", "okx", "binance"] * TIMES)
def test_a_blackout_changes_no_order_and_30_s_afterwards_all_is_known(rig: Rig, exchange: str):
    accounts = rig.accounts(ACCOUNTS, exchange)
    cells = resting(rig, accounts, OF_EACH)
    assert rig.forks.call(outages.place, cells=cells) == len(cells)
    assert rig.forks.call(outages.grow_old, cells=cells, seconds=DARK_S) == len(cells)
    before = of_database(rig, accounts)
    looked = rig.forks.start(outages.look, cells=cells, url=NOWHERE, rounds=ROUNDS)
    rig.exchanges.fill(there(rig, accounts)[SOME], PART)  # and all that is ahead of it
    assert looked.result() >= ROUNDS * ACCOUNTS
    rig.exchanges.pause()
    try:
        assert rig.forks.call(outages.look, cells=cells, url=None, rounds=ROUNDS) >= ROUNDS * ACCOUNTS
    finally:
        rig.exchanges.go_on()
    assert of_database(rig, accounts) == before
    assert Counter(row["status"] for row in before) == {"OPEN": len(cells)}
    assert wrong(rig, accounts) != []

    assert rig.forks.call(outages.look_after, cells=cells, seconds=KNOWN_S) == {"looks": len(cells), "not due": 0}
    assert wrong(rig, accounts) == []
    while rest := [row for row in there(rig, accounts) if row["status"] != "filled"]:
        rig.exchanges.fill(rest[-1], Decimal(rest[-1]["size"]) - Decimal(rest[-1]["filled"]))
    rig.forks.call(outages.look_after, cells=cells, seconds=KNOWN_S)
    assert wrong(rig, accounts) == []
    assert {row["status"] for row in of_database(rig, accounts)} == {"FILLED"}


def there(rig: Rig, accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Their orders at the exchange."""
    names = {each["name"] for each in accounts}
    return [row for row in rig.exchanges.accepted(accounts[0]["exchange"]) if row["account"] in names]


def of_database(rig: Rig, accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    orders = rig.forks.call(evidence.told, accounts=[each["id"] for each in accounts])["orders"]
    return [{name: row[name] for name in ("client_order_id", "status", "filled")} for row in orders]


def wrong(rig: Rig, accounts: list[dict[str, Any]]) -> list[str]:
    known = rig.forks.call(evidence.told, accounts=[each["id"] for each in accounts])
    return violations(there(rig, accounts), known)
