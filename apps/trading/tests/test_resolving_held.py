"""An order that cannot be looked at holds up no other: one whose row a stopped process holds, one that is broken."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.trading.bookkeeping import recording
from apps.trading.execution.resolution import due, overdue
from apps.trading.models import Order
from apps.trading.tests import remote_seat
from apps.trading.tests.held_rows import held
from apps.trading.tests.looks import resolve_due
from apps.trading.tests.remote_seat import Desk
from apps.users.models import Alert

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)


def left_behind(on: Desk, number: int) -> list[Order]:
    """At the exchange; who has sent them died before the answer came."""
    made = [on.committed() for _ in range(number)]
    for row in made:
        on.port.place(on.new_order(row))
    long_ago = Now() - timedelta(seconds=overdue.QUARANTINE_S + 1)
    Order.objects.filter(account=on.account).update(created_at=long_ago)
    return made


def statuses(made: list[Order]) -> list[str]:
    return [Order.objects.get(pk=row.pk).status for row in made]


@pytest.mark.mariadb
def test_an_order_whose_row_a_stopped_process_holds_is_left_out_and_the_others_are_looked_at(on: Desk):
    made = left_behind(on, 3)
    with held(made[0]):
        assert resolve_due(on.executor()) == 2
        assert statuses(made) == ["PENDING", "OPEN", "OPEN"]
        overdue.watch_old()
        assert Alert.objects.filter(kind="QUARANTINE").count() == 1  # it is the old one that is left
    assert resolve_due(on.executor()) == 1
    assert statuses(made) == ["OPEN"] * 3


@pytest.mark.mariadb
def test_an_open_order_whose_row_a_stopped_process_holds_is_left_out_of_those_that_are_passed_over(on: Desk):
    made = [on.committed() for _ in range(3)]
    for row in made:
        recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    Order.objects.filter(account=on.account).update(next_check_at=Now() - timedelta(seconds=1))
    with held(made[0]):
        assert resolve_due(on.executor()) == 2
        assert due.accounts_due() == [on.account.pk]  # for the one that is left
    assert resolve_due(on.executor()) == 1
    assert due.accounts_due() == []


def test_an_order_that_cannot_be_dealt_with_stops_no_other(on: Desk):
    made = left_behind(on, 3)

    class Broken:
        def __getattr__(self, name: str) -> Any:
            return getattr(on.port, name)

        def look_up(self, ref: Any) -> Any:
            if ref.client_order_id == made[0].client_order_id:
                raise ZeroDivisionError
            return on.port.look_up(ref)

    executor = on.executor()
    executor.ports._port = Broken()
    assert resolve_due(executor) == 3
    assert statuses(made) == ["PENDING", "OPEN", "OPEN"]
