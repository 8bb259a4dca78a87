"""The one request: what its answer makes of the order, and when it is not sent at all."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from apps.feeds.drivers.trading import Expiry, ExpiryCheck
from apps.feeds.errors import (
    BadCredentials,
    Banned,
    DuplicateOrder,
    InsufficientFunds,
    MalformedFrame,
    OutcomeUnknown,
    RateLimited,
    RequestExpired,
    Retryable,
)
from apps.feeds.orders import NewOrder
from apps.trading.execution.entry.claiming import Claim, claim
from apps.trading.execution.entry.sending import Fate, send
from apps.trading.execution.entry.working import Ended, work_lane
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.gateway.ports import InsideTransaction, SendersHalted, check_outside_transaction
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.models import Order, OrderIntent
from apps.trading.tests import held_lanes, stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]


def raising(error: Exception) -> Callable[[NewOrder], None]:
    def answer(order: NewOrder) -> None:
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "status", "result"),
    [
        (InsufficientFunds("no money", code="-2010"), "REJECTED", "REJECTED"),
        (BadCredentials("no key"), "REJECTED", "REJECTED"),
        (RequestExpired("too late"), "REJECTED", "REJECTED"),
        (RateLimited("too many"), "REJECTED", "REJECTED"),
        (Banned("out"), "REJECTED", "REJECTED"),
        (Retryable("no connection"), "REJECTED", "REJECTED"),
        (SendersHalted("halted"), "REJECTED", "REJECTED"),
        (OutcomeUnknown("hang"), "UNKNOWN", None),
        (DuplicateOrder("known"), "UNKNOWN", None),
        (MalformedFrame("what?"), "UNKNOWN", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_the_answers_class_says_what_became_of_the_order(error, status, result):
    trade = stage.trade()
    stage.want(trade)
    port = stage.Exchange(trade.account_id, raising(error))
    assert work_lane(stage.lane(trade), executor=stage.executor(port)).sent == 1
    order = Order.objects.select_related("intent").get()
    assert (order.status, order.intent.result) == (status, result)
    assert bool(order.intent.reserved_amount) == (result is None)
    assert len(port.accepted) == 1


def test_what_nobody_has_foreseen_leaves_the_order_pending_and_the_lane_free():
    trade = stage.trade()
    stage.want(trade)
    port = stage.Exchange(trade.account_id, raising(ZeroDivisionError()))
    executor = stage.executor(port)
    with pytest.raises(ZeroDivisionError):
        work_lane(stage.lane(trade), executor=executor)
    assert Order.objects.get().status == "PENDING"
    assert held_lanes.acquire(stage.lane(trade), executor) is not None


def test_after_a_loss_the_lane_goes_on_with_what_reduces_only():
    trade = stage.trade()
    stage.want(trade)
    stage.want(trade)
    port = stage.Exchange(trade.account_id, raising(OutcomeUnknown("hang")))
    worked = work_lane(stage.lane(trade), executor=stage.executor(port))
    assert (worked.ended, worked.sent, worked.turned_away) == (Ended.EMPTY, 1, 1)
    assert OrderIntent.objects.latest("id").deny_reason == "LANE_UNKNOWN"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Stopped:
    """An executor that is stopped for a while between T1 and its request."""

    def __init__(self, seconds: float) -> None:
        trade = stage.trade()
        stage.want(trade)
        self.clock = Clock()
        self.port = stage.Exchange(trade.account_id)
        self.executor: Executor = stage.executor(self.port, monotonic=self.clock, expiry_ms=2_000)
        held = held_lanes.acquire(stage.lane(trade), self.executor)
        assert held is not None
        made = claim(held, executor=self.executor, port=self.port)
        assert isinstance(made, Claim)
        self.held, self.claim = held, made
        self.clock.now += seconds

    def send(self) -> Fate:
        return send(self.claim, self.held, executor=self.executor, port=self.port)


@pytest.mark.parametrize(("seconds", "fate"), [(0.0, Fate.PLACED), (1.7, Fate.PLACED), (1.9, Fate.LEFT)])
def test_a_request_leaves_in_time_or_not_at_all(seconds, fate):
    stopped = Stopped(seconds)
    assert stopped.send() is fate
    assert len(stopped.port.accepted) == (fate is Fate.PLACED)
    assert Order.objects.get().status == ("OPEN" if fate is Fate.PLACED else "PENDING")


@pytest.mark.parametrize(("seconds", "fate"), [(3.0, Fate.PLACED), (4.0, Fate.LEFT)])
def test_a_request_leaves_only_under_a_lease_that_outlasts_it(seconds, fate):
    """Of a request that may be under way for long the lease ends first."""
    stopped = Stopped(0.0)
    stopped.claim = replace(stopped.claim, leave_by=stopped.clock.now + 1_000)
    stopped.held = replace(stopped.held, until=stopped.clock.now + 6)
    stopped.clock.now += seconds
    assert stopped.send() is fate


def test_what_waits_too_long_for_its_turn_does_not_leave():
    stopped = Stopped(0.0)
    place = stopped.port.place

    def late(order, *, check):
        stopped.clock.now += 1.9
        return place(order, check=check)

    stopped.port.place = late
    assert stopped.send() is Fate.LEFT
    assert stopped.port.accepted == []


def test_a_host_that_slept_after_the_commit_does_not_send_when_it_wakes(monkeypatch):
    """An exchange whose requests carry no expiry would take it, however old it is."""
    trade = stage.trade()
    stage.want(trade)
    port = stage.Exchange(trade.account_id, expiry=Expiry(check=ExpiryCheck.NONE, longest_ms=300_000))
    place, told = port.place, time.clock_gettime

    def asleep(order, *, check):
        slept_s = {time.CLOCK_BOOTTIME: 3_600.0, time.CLOCK_REALTIME: 3_600.0}  # the monotonic one stands still
        monkeypatch.setattr(time, "clock_gettime", lambda which: told(which) + slept_s.get(which, 0.0))
        return place(order, check=check)

    port.place = asleep
    assert work_lane(stage.lane(trade), executor=stage.executor(port)).sent == 0
    assert port.accepted == []
    assert Order.objects.get().status == "PENDING"


def test_no_exchange_is_asked_inside_a_transaction():
    check_outside_transaction()
    with pytest.raises(InsideTransaction):
        in_transaction(check_outside_transaction)()
