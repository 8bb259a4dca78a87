"""KS6: the drill of every release, in small; `python -m bench.drill` is the whole of it."""

import pytest

from tests.orders.drill import drill
from tests.orders.rig import Rig
from tests.orders.storm import TIMES

pytestmark = [
    pytest.mark.alone,
    pytest.mark.faults,
    pytest.mark.processes,
    pytest.mark.mariadb,
    pytest.mark.timeout(900 * TIMES),
]

OF_EACH = 3


def test_a_halt_is_confirmed_on_every_market_of_every_exchange_in_time(rig: Rig):
    told = drill(rig, OF_EACH)
    print(told)
    assert told.is_good, told
