"""Many cancels of a pair are one request and a few statements, however many orders they are."""

from collections.abc import Collection

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Rate
from apps.feeds.market import Instrument
from apps.feeds.orders import OrderRef
from apps.feeds.tests.trading_stand import TIMEOUT_S
from apps.feeds.transport import loop
from apps.feeds.transport.gate import Door, Gate, Gates
from apps.feeds.transport.orders import OrderClient
from apps.trading.bookkeeping import recording
from apps.trading.execution.cancels import cancelling, together
from apps.trading.execution.gateway.remote import RemotePort
from apps.trading.halts import halting
from apps.trading.models import Order, OrderEvent
from apps.trading.order_state import CANCEL_TAKEN
from apps.trading.risk.view import Scope
from apps.trading.tests import remote_seat
from apps.trading.tests.remote_seat import Desk
from apps.users.services import SYSTEM

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
MANY = 12
STATEMENTS = 24  # one by one it is more than a hundred


def open_order(on: Desk) -> Order:
    row = on.committed()
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    return row


def states(on: Desk) -> set[tuple[str, int]]:
    return set(Order.objects.filter(account=on.account).values_list("cancel_state", "cancel_attempts"))


def test_the_cancels_of_a_halt_are_one_request_and_a_few_statements(on: Desk, django_assert_max_num_queries):
    made = [open_order(on) for _ in range(MANY)]
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(on.account.pk), reason="r", actor=SYSTEM)
    executor, asked = on.executor(), on.asked
    with django_assert_max_num_queries(STATEMENTS):
        assert cancelling.cancel_account(executor, on.account.pk) == MANY
    assert on.asked - asked == 2  # a look at what is there comes first
    assert {each.order.status for each in on.accepted()} == {"cancelled"}
    assert states(on) == {("SENT", 1)}
    for kind in ("cancel sent", CANCEL_TAKEN):
        assert OrderEvent.objects.filter(order__in=made, kind=kind).count() == MANY
    last = Order.objects.get(pk=made[0].pk)
    assert last.events_told == OrderEvent.objects.filter(order=last).count()
    assert (last.cancel_requested_at is None, last.next_check_at is None) == (False, False)


def test_an_order_that_may_come_in_after_the_request_is_not_taken_for_cancelled_by_it(on: Desk):
    made, late = [open_order(on) for _ in range(together.LEAST)], on.committed()
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(on.account.pk), reason="r", actor=SYSTEM)
    assert cancelling.cancel_account(on.executor(), on.account.pk) == len(made) + 1
    taken = OrderEvent.objects.filter(kind=CANCEL_TAKEN, order__account=on.account)
    assert {event.order_id for event in taken} == {row.pk for row in made}
    rows = Order.objects.filter(pk__in=[late.pk, made[0].pk])
    assert all(row.events_told == OrderEvent.objects.filter(order=row).count() for row in rows)


def test_an_order_whose_cancel_somebody_else_has_sent_meanwhile_is_left_to_him(on: Desk):
    rows = [open_order(on) for _ in range(together.LEAST)]
    for row in rows:
        cancelling.request_cancel(row, SYSTEM)
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(on.account.pk), reason="r", actor=SYSTEM)
    seen = list(Order.objects.filter(pk__in=[row.pk for row in rows]).select_related("pair__exchange"))
    cancelling.cancel_account(on.executor(), on.account.pk)
    assert together.cancel_together(on.port, seen) == []
    assert states(on) == {("SENT", 1)}


def test_an_order_that_is_placed_beside_those_that_somebody_wants_cancelled_stays(on: Desk):
    rows = [open_order(on) for _ in range(together.LEAST)]
    for row in rows:
        cancelling.request_cancel(row, SYSTEM)
    other, left = on.new_order(rows[0], client_order_id="ofanotherlane1"), []

    class Meanwhile(RemotePort):
        """Right before the first cancel leaves the other order comes in."""

        def cancel_all(self, instrument: Instrument, ours: Collection[str]) -> bool:
            self.place(other)
            return super().cancel_all(instrument, ours)

        def cancel(self, ref: OrderRef) -> None:
            if not left:
                left.append(self.place(other))
            super().cancel(ref)

    executor = on.executor()
    executor.ports._port.__class__ = Meanwhile
    assert cancelling.cancel_account(executor, on.account.pk) == len(rows)
    assert sorted(each.order.status for each in on.accepted()) == ["cancelled"] * len(rows) + ["open"]


def test_a_halt_cancels_no_order_of_somebody_else_that_nobody_has_told_us_of(on: Desk):
    rows = [open_order(on) for _ in range(together.LEAST)]
    on.port.place(on.new_order(rows[0], client_order_id="somebodyelses1"))
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(on.account.pk), reason="r", actor=SYSTEM)
    assert cancelling.cancel_account(on.executor(), on.account.pk) == len(rows)
    assert [each.client_id for each in on.accepted() if each.order.status == "open"] == ["somebodyelses1"]


class Narrow(Gates):
    """One request at a time, and the next only after more than an order would wait."""

    def at(self, name: str, rate: Rate, door: Door) -> Gate:
        return super().at(name, Rate(1, 1.5), door)


def test_a_cancel_waits_for_room_under_the_limit(on: Desk):
    rows = [open_order(on) for _ in range(2)]
    client = OrderClient(
        drivers={on.exchange: registry.driver(on.exchange)},
        traders={on.exchange: registry.trader(on.exchange)},
        addresses=on.exchanges.addresses,
        timeout_s=TIMEOUT_S,
        gates=Narrow(),
    )
    try:
        port = on.port_by(client)
        for row in rows:
            port.cancel(on.ref(row))
    finally:
        loop.run(client.close(), remote_seat.ANSWER_S)
    assert [each.order.status for each in on.accepted()] == ["cancelled"] * 2
