"""A cancel waits for no row that somebody holds, as a process does that was stopped while it wrote an answer."""

import pytest

from apps.feeds.tests.waiting import timed
from apps.trading.bookkeeping import recording
from apps.trading.execution.cancels import cancelling, together
from apps.trading.execution.runtime.transactions import STATEMENT_S
from apps.trading.halts import halting
from apps.trading.models import Order
from apps.trading.risk.view import Scope
from apps.trading.tests import remote_seat
from apps.trading.tests.held_rows import held
from apps.trading.tests.remote_seat import Desk
from apps.users.services import SYSTEM

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.mariadb]
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)


@pytest.mark.parametrize("number", [2, together.LEAST + 1], ids=["one by one", "together"])
def test_cancels_of_a_halt_leave_out_an_order_whose_row_is_held_until_it_is_free(on: Desk, number: int):
    made = [on.committed() for _ in range(number)]
    for row in made:
        recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(on.account.pk), reason="r", actor=SYSTEM)
    with held(made[0]), timed() as seconds:
        assert cancelling.cancel_account(on.executor(), on.account.pk) == number - 1
        assert seconds() < 2 * STATEMENT_S  # who waited would wait for five statements
        assert states(made) == ["NONE", *["SENT"] * (number - 1)]
    assert cancelling.cancel_account(on.executor(), on.account.pk) == 1
    assert "NONE" not in states(made)
    assert {each.order.status for each in on.accepted()} == {"cancelled"}


def states(made: list[Order]) -> list[str]:
    return [Order.objects.get(pk=row.pk).cancel_state for row in made]
