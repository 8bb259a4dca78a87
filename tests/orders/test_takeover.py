"""How long a lane stands still when whoever worked it is killed."""

import pytest

from apps.feeds.tests.waiting import timed
from tests.orders.rig import Rig
from tests.orders.takeovers import takeover

pytestmark = [
    pytest.mark.alone,
    pytest.mark.faults,
    pytest.mark.processes,
    pytest.mark.mariadb,
    pytest.mark.timeout(600),
]


@pytest.mark.parametrize(("in_flight", "within_s"), [(False, 8), (True, 23)], ids=["nothing in flight", "in flight"])
def test_the_lane_of_an_executor_that_was_killed_is_soon_worked_by_another(rig: Rig, in_flight: bool, within_s: int):
    with timed() as seconds:
        assert takeover(rig, in_flight=in_flight, clock=seconds) < within_s
