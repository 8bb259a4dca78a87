"""O5: exchanges that cannot be reached, or say nothing, prove nothing."""

from decimal import Decimal

import pytest

from tests.orders import evidence, lives, outages
from tests.orders.invariants import violations
from tests.orders.rig import Rig
from tests.orders.storm import TIMES
from tests.orders.test_halt import resting

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.timeout(900 * TIMES)]

EXCHANGE, ACCOUNTS, OF_EACH, SOME = "mexc", 10, 5, 10
DARK_S = 4.0 * TIMES
NOWHERE = "http://127.0.0.1:9"
PART = Decimal("0.0004")


def test_a_blackout_changes_no_order_and_afterwards_all_is_known(rig: Rig):
    accounts = rig.accounts(ACCOUNTS, EXCHANGE)
    cells = resting(rig, accounts, OF_EACH)
    names = {each["name"] for each in accounts}
    assert rig.forks.call(outages.place, cells=cells) == len(cells)
    looked = rig.forks.start(outages.look, cells=cells, url=NOWHERE, seconds=DARK_S)
    rows = [row for row in rig.exchanges.accepted(EXCHANGE) if row["account"] in names]
    rig.exchanges.fill(rows[SOME], PART)  # and all that is ahead of it
    assert looked.result() == {"OPEN": len(cells)}
    rig.exchanges.pause()
    try:
        assert rig.forks.call(outages.look, cells=cells, url=None, seconds=DARK_S) == {"OPEN": len(cells)}
    finally:
        rig.exchanges.go_on()
    ended = [{**cell, "cancel": True} for cell in cells]
    assert rig.forks.call(lives.recover, cells=ended, threads=4, seconds=300.0) == []
    known = rig.forks.call(evidence.told, accounts=[each["id"] for each in accounts])
    accepted = [row for row in rig.exchanges.accepted(EXCHANGE) if row["account"] in names]
    assert violations(accepted, known) == []
    assert any(Decimal(order["filled"]) for order in known["orders"])
