"""O4: each guard is missed where it is taken out; with all of them nothing is wrong."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.orders.rig import Rig
from tests.orders.scenarios import SCENARIOS, cell_of, is_wrong

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(1800)]

TRIES = 3  # a machine that is too slow for an ablated order to be placed again proves nothing
Verdicts = dict[tuple[str, bool], Future[list[list[int]]]]


@pytest.fixture(scope="module")
def verdicts(rig: Rig) -> Verdicts:
    """All cases side by side: most of their time they wait."""
    names = [(name, guarded) for name in SCENARIOS for guarded in (True, False)]
    accounts = iter(rig.accounts(len(names) * TRIES, held="1"))
    cells = {each: [cell_of(rig, next(accounts)) for _ in range(TRIES)] for each in names}

    def case(name: str, guarded: bool) -> list[list[int]]:
        seen: list[list[int]] = []
        for cell in cells[name, guarded]:
            seen.append(SCENARIOS[name](rig, cell, "" if guarded else name))
            if guarded or is_wrong(seen[-1]):
                break
        return seen

    with ThreadPoolExecutor(len(names)) as pool:
        return {each: pool.submit(case, *each) for each in names}


@pytest.mark.parametrize("name", SCENARIOS)
def test_with_its_guard_nothing_is_placed_twice_nor_out_of_order(verdicts: Verdicts, name: str):
    [order] = verdicts[name, True].result()
    assert order
    assert not is_wrong(order)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_guard_that_is_taken_out_is_missed(verdicts: Verdicts, name: str):
    assert is_wrong(verdicts[name, False].result()[-1])
