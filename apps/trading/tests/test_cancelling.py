"""Cancels: sent until the order is over, waiting for nobody, and told as what they came to."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.feeds.errors import Retryable
from apps.feeds.leases import acquire
from apps.feeds.market import MarketType
from apps.feeds.orders import OrderRef
from apps.trading.bookkeeping import recording
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.executors import lanes
from apps.trading.execution.resolution import resolving
from apps.trading.halts import halting
from apps.trading.models import FillSource, Order, OrderEvent
from apps.trading.risk.view import Scope
from apps.trading.tests import remote_seat, rows
from apps.trading.tests.remote_seat import Desk
from apps.users.models import Audit
from apps.users.services import SYSTEM

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
EVERYWHERE = [("binance", SPOT), ("coinex", SPOT), ("hyperliquid", FUTURES), ("kucoin", SPOT), ("htx", FUTURES)]


everywhere = pytest.mark.parametrize("on", EVERYWHERE, indirect=True, ids="-".join)


def open_order(on: Desk, **values: Any) -> Order:
    row = on.committed(**values)
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    return Order.objects.select_related("pair__exchange").get(pk=row.pk)


def again(row: Order) -> Order:
    return Order.objects.get(pk=row.pk)


def wait_over(on: Desk) -> None:
    """As if the time until the next try had passed."""
    Order.objects.filter(account=on.account).update(cancel_requested_at=Now() - timedelta(seconds=60))


def just_asked(on: Desk) -> None:
    """As if no time had passed since, however slow the machine."""
    Order.objects.filter(account=on.account).update(cancel_requested_at=Now() + timedelta(seconds=60))


def ended(on: Desk, row: Order) -> Order:
    """After as many looks as are needed."""
    for ahead_s in remote_seat.LOOKS_S:
        on.go_on(ahead_s)
        resolving.resolve(row.pk, on.port)
        if again(row).ended_at is not None:
            break
    return again(row)


@everywhere
def test_a_cancel_is_sent_and_the_order_told_as_cancelled(on: Desk):
    row = open_order(on)
    cancelling.request_cancel(row, SYSTEM)
    assert cancelling.cancel_due(on.executor()) == 1
    assert [each.order.status for each in on.accepted()] == ["cancelled"]
    over = ended(on, row)
    assert (over.status, over.cancel_state) == ("CANCELLED", "CONFIRMED")


def test_a_wish_is_one_however_often_it_is_uttered(on: Desk):
    row = open_order(on)
    for _ in range(3):
        cancelling.request_cancel(row, SYSTEM)
    assert OrderEvent.objects.filter(order=row, kind="cancel requested").count() == 1
    assert Audit.objects.filter(action="order.cancel", object=f"order {row.pk}").count() == 1
    executor, asked = on.executor(), on.asked
    assert cancelling.cancel_due(executor) == 1
    just_asked(on)
    assert [cancelling.cancel_due(executor) for _ in range(2)] == [0, 0]
    assert on.asked - asked == 1


def test_what_is_over_cannot_be_cancelled_and_stays_as_it_is(on: Desk):
    row = open_order(on)
    on.fill(row.exchange_order_id, on.amount)
    resolving.resolve(row.pk, on.port)
    cancelling.request_cancel(row, SYSTEM)
    asked = on.asked
    assert cancelling.cancel_due(on.executor()) == 0
    assert on.asked == asked
    assert again(row).status == "FILLED"


@everywhere
def test_a_cancel_that_comes_too_late_finds_the_order_filled(on: Desk):
    row = open_order(on)
    on.fill(row.exchange_order_id, on.amount)
    cancelling.request_cancel(row, SYSTEM)
    cancelling.cancel_due(on.executor())
    over = ended(on, row)
    assert (over.status, over.filled, over.cancel_state) == ("FILLED", row.amount, "TOO_LATE")


@everywhere
@pytest.mark.parametrize("trouble", ["error_not_placed", "accept_reset"])
def test_a_cancel_whose_answer_is_lost_is_sent_again_until_the_order_is_over(on: Desk, trouble: str):
    row = open_order(on)
    cancelling.request_cancel(row, SYSTEM)
    on.fault(trouble, kind="cancel")
    executor = on.executor()
    assert cancelling.cancel_due(executor) == 1
    assert again(row).cancel_state == "UNKNOWN"
    just_asked(on)
    assert cancelling.cancel_due(executor) == 0
    wait_over(on)
    cancelling.cancel_due(executor)
    assert ended(on, row).status == "CANCELLED"
    assert [each.order.status for each in on.accepted()] == ["cancelled"]


def test_an_account_whose_cancels_are_under_way_is_left_alone_until_one_is_late(on: Desk):
    row = open_order(on)
    cancelling.request_cancel(row, SYSTEM)
    assert cancelling.accounts_due() == [row.account_id]
    assert cancelling._claim([again(row)])
    just_asked(on)
    assert cancelling.accounts_due() == []
    wait_over(on)
    assert cancelling.accounts_due() == [row.account_id]


def test_a_cancel_that_died_with_its_process_is_sent_by_another(on: Desk):
    row = open_order(on)
    cancelling.request_cancel(row, SYSTEM)
    assert cancelling._claim([again(row)])  # and nothing more
    just_asked(on)
    assert cancelling.cancel_due(on.executor()) == 0
    wait_over(on)
    assert cancelling.cancel_due(on.executor()) == 1
    assert ended(on, row).status == "CANCELLED"


def test_of_two_who_would_send_a_cancel_one_does(on: Desk):
    row = open_order(on)
    cancelling.request_cancel(row, SYSTEM)
    seen = again(row)
    assert [cancelling._claim([seen]) for _ in range(2)] == [[row.pk], []]


def test_an_order_without_an_answer_is_cancelled_by_our_id(on: Desk):
    """Whatever became of it: should it be there, it shall not stay."""
    row = on.committed()
    on.port.place(on.new_order(row))
    recording.record_loss(row.pk, Retryable("nobody has answered"))
    cancelling.request_cancel(row, SYSTEM)
    assert cancelling.cancel_due(on.executor()) == 1
    assert [each.order.status for each in on.accepted()] == ["cancelled"]


def test_a_cancel_that_finds_no_order_proves_nothing(on: Desk):
    row = on.committed()
    recording.record_loss(row.pk, Retryable("nobody has answered"))
    cancelling.request_cancel(row, SYSTEM)
    cancelling.cancel_due(on.executor())
    resolving.resolve(row.pk, on.port)
    assert (again(row).status, again(row).cancel_state) == ("UNKNOWN", "UNKNOWN")
    on.port.place(on.new_order(row))  # it was only late
    wait_over(on)
    cancelling.cancel_due(on.executor())
    assert [each.order.status for each in on.accepted()] == ["cancelled"]


def test_a_cancel_waits_for_no_lane(on: Desk):
    """Somebody works the lane, and has a placement under way."""
    row = open_order(on)
    rows.intent(on.trade)
    lane = lanes.PREFIX + lanes.lane_of(on.account.pk, on.pair.pk)
    assert acquire(holder="somebody else", resources=[lane], ttl_s=60)
    cancelling.request_cancel(row, SYSTEM)
    assert cancelling.cancel_due(on.executor()) == 1


def test_many_of_a_pair_are_one_request_once_nothing_can_be_placed_beside_them(on: Desk):
    made = [open_order(on) for _ in range(5)]
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(on.account.pk), reason="enough", actor=SYSTEM)
    asked = on.asked
    assert cancelling.cancel_due(on.executor()) == 5
    assert on.asked - asked == 2  # with a look at what is there
    assert {each.order.status for each in on.accepted()} == {"cancelled"}
    assert {ended(on, row).status for row in made} == {"CANCELLED"}


def test_an_order_of_somebody_else_is_never_cancelled_along(on: Desk):
    made = [open_order(on) for _ in range(4)]
    foreign = on.new_order(made[0], client_order_id="somebodyelse2")
    on.port.place(foreign)
    found = on.port.look_up(OrderRef(instrument=on.instrument, client_order_id="somebodyelse2"))
    recording.record_update(on.account.pk, on.instrument, found, FillSource.REST)
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(on.account.pk), reason="enough", actor=SYSTEM)
    assert cancelling.cancel_due(on.executor()) == 4
    left = [each.client_id for each in on.accepted() if each.order.status == "open"]
    assert left == ["somebodyelse2"]


def test_no_more_leave_in_a_second_than_the_account_may_send(on: Desk):
    made = [open_order(on) for _ in range(12)]
    rest = open_order(on)  # so that they are not cancelled together
    for row in made:
        cancelling.request_cancel(row, SYSTEM)
    assert rest.cancel_state == "NONE"
    assert cancelling.cancel_due(on.executor()) == 10


def test_when_everything_is_stopped_no_cancel_waits(on: Desk):
    made = [open_order(on) for _ in range(12)]
    foreign = on.new_order(on.committed(), client_order_id="somebodyelse3")  # so that they are not cancelled together
    on.port.place(foreign)
    found = on.port.look_up(OrderRef(instrument=on.instrument, client_order_id="somebodyelse3"))
    recording.record_update(on.account.pk, on.instrument, found, FillSource.REST)
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(on.account.pk), reason="enough", actor=SYSTEM)
    assert cancelling.cancel_due(on.executor()) >= 12
    assert {again(row).cancel_state for row in made} == {"SENT"}


def test_an_exchange_that_is_away_holds_up_nobody_for_ever(on: Desk):
    row = open_order(on)
    cancelling.request_cancel(row, SYSTEM)
    on.fault("ban", kind="any", seconds=0)
    executor = on.executor()
    cancelling.cancel_due(executor)
    assert again(row).cancel_state == "UNKNOWN"
    assert again(row).last_error != ""
    on.fault("ban", count=0)


def test_the_rest_of_an_accounts_cancels_waits_while_its_exchange_fails(on: Desk):
    made = [open_order(on) for _ in range(5)]
    for row in made:
        cancelling.request_cancel(row, SYSTEM)
    on.fault("error_not_placed", kind="cancel", count=9)
    assert cancelling.cancel_due(on.executor()) == 3
    assert [again(row).cancel_state for row in made] == ["UNKNOWN"] * 3 + ["REQUESTED"] * 2
    on.fault("error_not_placed", kind="cancel", count=0)


def test_what_closes_a_position_under_a_halt_is_not_cancelled_by_it(on: Desk):
    rests = open_order(on)
    closes = open_order(on, of=on.intent(purpose="flatten", side="sell"))
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(on.account.pk), reason="enough", actor=SYSTEM)
    assert cancelling.cancel_due(on.executor()) == 1
    assert [again(row).cancel_state for row in (rests, closes)] == ["SENT", "NONE"]
