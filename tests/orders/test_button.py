"""KS3: what rests at seven exchanges is cancelled and confirmed in time and within their limits; what remains is told.

A tenth of the 500 orders, and all of them where the tests are long; `python -m bench.halts` measures it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orders.button import press
from tests.orders.rig import Rig, database_of
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(900)]

ACCOUNTS, ORDERS = (1, 8) if TIMES == 1 else (6, 12)  # at each exchange, on each account
CONFIRMED_S = 10.0
MODULES = ("tests.orders.halts", "tests.orders.attending")
SETTLE_S = 15.0 if TIMES > 1 else 0.0  # where placing has used up much of the limits


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Exchanges whose limits nobody has used up: other tests send what they like."""
    folder = tmp_path_factory.mktemp("button")
    with Rig(folder / "files", database_of(folder), MODULES) as running:
        yield running


def test_a_halt_is_confirmed_in_ten_seconds_within_all_limits_and_names_what_remains(fresh: Rig, tmp_path: Path):
    told = press(fresh, ACCOUNTS, ORDERS, tmp_path / "ready", SETTLE_S)
    print(told)
    assert told.seconds <= CONFIRMED_S
    assert not told.broken
    assert (told.confirmed, told.still_open) == ({"confirmed": told.orders}, 0)
    assert told.remaining == {"unconfirmed": ORDERS}
