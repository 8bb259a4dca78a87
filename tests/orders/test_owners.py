"""O6: two executors that believe at the same time that a lane is theirs."""

import pytest

from tests.orders import evidence, outages, sales
from tests.orders.invariants import monotone
from tests.orders.rig import Rig
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(900 * TIMES)]

LANES, OF_EACH = 20, 5 * TIMES


def test_of_two_who_believe_that_a_lane_is_theirs_only_the_later_commits_an_order(rig: Rig):
    accounts = rig.accounts(LANES, held="100")
    cells = sales.cells(rig, accounts, LANES * OF_EACH, "owners")
    told = rig.forks.call(outages.two_owners, cells=cells)
    assert told == {"old refused": len(cells), "new claimed": len(cells)}
    known = rig.forks.call(evidence.told, accounts=[each["id"] for each in accounts])
    assert len(known["orders"]) == len(cells)
    assert monotone(known) == []
