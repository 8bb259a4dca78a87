"""Lanes are leased, found and given up."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from apps.feeds.models import Lease
from apps.trading.execution.entry.working import Ended, sweep, work_lane
from apps.trading.execution.executors import lanes
from apps.trading.execution.executors.executor import new_holder
from apps.trading.execution.executors.lanes import LaneLost
from apps.trading.models import OrderIntent
from apps.trading.tests import held_lanes, rows, stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run_out() -> None:
    Lease.objects.update(expires_at=Now() - timedelta(seconds=1))


def test_holders_are_never_the_same_and_fit_their_column():
    holders = {new_holder() for _ in range(1_000)}
    assert len(holders) == 1_000
    assert max(map(len, holders)) <= 64


def test_a_lane_has_one_holder():
    held = held_lanes.acquire("1:2", stage.executor())
    assert held is not None
    assert (held.resource, held.fence) == ("lane:1:2", 1)
    assert held_lanes.acquire("1:2", stage.executor()) is None


def test_a_lane_is_not_taken_again_by_who_holds_it():
    executor = stage.executor()
    assert held_lanes.acquire("1:2", executor) is not None
    assert held_lanes.acquire("1:2", executor) is None


def test_a_lane_that_was_given_up_is_free_at_once_and_its_fence_grows():
    first = held_lanes.acquire("1:2", stage.executor())
    assert first is not None
    lanes.release(first)
    second = held_lanes.acquire("1:2", stage.executor())
    assert second is not None
    assert second.fence == 2


def test_a_lane_that_ran_out_is_taken_over():
    assert held_lanes.acquire("1:2", stage.executor()) is not None
    run_out()
    second = held_lanes.acquire("1:2", stage.executor())
    assert second is not None
    assert second.fence == 2


def test_giving_up_a_lane_that_somebody_else_has_taken_changes_nothing():
    former = held_lanes.acquire("1:2", stage.executor())
    assert former is not None
    run_out()
    owner = held_lanes.acquire("1:2", stage.executor())
    assert owner is not None
    lanes.release(former)
    assert Lease.objects.get().holder == owner.holder


def test_a_lane_is_prolonged_when_it_gets_short():
    clock = Hands()
    executor = stage.executor(monotonic=clock)
    held = held_lanes.acquire("1:2", executor)
    assert held is not None
    assert lanes.keep(held, executor) is held
    clock.now += lanes.TTL_S - 3
    Lease.objects.update(expires_at=Now() + timedelta(seconds=60))
    kept = lanes.keep(held, executor)
    assert (kept.fence, kept.until) == (held.fence, clock.now + lanes.TTL_S)
    assert Lease.objects.filter(expires_at__gt=Now() + timedelta(seconds=300)).exists()


@pytest.mark.parametrize(
    "change", [{"holder": "other"}, {"fence": F("fence") + 1}, {"expires_at": Now() - timedelta(seconds=1)}], ids=str
)
def test_a_lane_that_is_no_longer_ours_is_not_prolonged(change):
    clock = Hands()
    executor = stage.executor(monotonic=clock)
    held = held_lanes.acquire("1:2", executor)
    assert held is not None
    clock.now += lanes.TTL_S - 3
    Lease.objects.update(**change)
    with pytest.raises(LaneLost):
        lanes.keep(held, executor)


def test_those_who_wait_longest_are_due_first():
    account = stage.rich_account()
    trades = [stage.trade(account, name) for name in ("ETH/USDT", "BTC/USDT")]
    for trade in [*trades, trades[0]]:
        stage.want(trade)
    assert lanes.due(10) == [stage.lane(trade) for trade in trades]
    assert lanes.due(1) == [stage.lane(trades[0])]


def test_lanes_that_are_worked_or_left_alone_are_not_due():
    trades = [stage.trade(stage.rich_account()) for _ in range(3)]
    for trade in trades:
        stage.want(trade)
    assert held_lanes.acquire(stage.lane(trades[0]), stage.executor()) is not None
    assert lanes.due(10, without=[trades[1].account_id]) == [stage.lane(trades[2])]


def test_many_lanes_that_are_worked_do_not_hide_one_that_is_not():
    busy = [stage.trade(stage.rich_account()) for _ in range(6)]
    for trade in busy:
        stage.want(trade)
        assert held_lanes.acquire(stage.lane(trade), stage.executor()) is not None
    free = stage.trade(stage.rich_account())
    stage.want(free)
    assert lanes.due(1) == [stage.lane(free)]


def test_an_intent_whose_hint_was_lost_is_found():
    trade = stage.trade()
    stage.want(trade)
    port = stage.Exchange(trade.account_id)
    assert sweep(executor=stage.executor(port)) == 1
    assert len(port.accepted) == 1


def test_a_hint_that_comes_twice_changes_nothing():
    trade = stage.trade()
    stage.want(trade)
    port = stage.Exchange(trade.account_id)
    executor = stage.executor(port)
    assert [work_lane(stage.lane(trade), executor=executor).sent for _ in range(3)] == [1, 0, 0]
    assert len(port.accepted) == 1


def test_accounts_that_this_process_has_no_way_to_hold_up_nobody():
    strangers = [stage.trade(stage.rich_account()) for _ in range(3)]
    for trade in strangers:
        stage.want(trade)
    ours = stage.trade()
    stage.want(ours)
    executor = stage.executor(stage.Exchange(ours.account_id))
    sweep(executor=executor, limit=3)
    assert sweep(executor=executor, limit=3) == 1
    assert not Lease.objects.filter(resource__in=[f"lane:{stage.lane(one)}" for one in strangers]).exists()


def test_lanes_that_fail_hold_up_nobody():
    bad, good = stage.trade(stage.rich_account()), stage.trade()
    for trade in (bad, good):
        stage.want(trade)

    class Failing(stage.Exchange):
        def clock_error_ms(self) -> int | None:
            raise ZeroDivisionError

    executor = stage.executor(Failing(bad.account_id), stage.Exchange(good.account_id))
    assert [sweep(executor=executor, limit=1) for _ in range(2)] == [0, 1]


def test_a_lane_of_an_account_elsewhere_is_left_to_others():
    trade = stage.trade()
    stage.want(trade)
    assert work_lane(stage.lane(trade), executor=stage.executor()).ended is Ended.CANNOT


def test_what_waits_for_nobody_ends():
    trade = stage.trade()
    old = stage.want(trade, max_age_ms=1_000).intent
    young = stage.want(trade, max_age_ms=600_000).intent
    OrderIntent.objects.update(created_at=F("created_at") - timedelta(seconds=10))
    assert lanes.expire_old() == 1
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.state, old.result, old.reserved_amount, young.state) == ("DONE", "EXPIRED", 0, "NEW")


def test_what_has_just_grown_too_old_is_left_to_its_executor(monkeypatch):
    monkeypatch.setattr(lanes, "LEFT_S", 600.0)
    trade = stage.trade()
    stage.want(trade, max_age_ms=10_000)
    OrderIntent.objects.update(created_at=F("created_at") - timedelta(seconds=11))
    assert lanes.expire_old() == 0


@pytest.mark.parametrize("text", ["", "1", "1:2:3", "a:b", "cancels:1"])
def test_what_names_no_lane_is_refused(text):
    with pytest.raises(ValueError, match="no lane"):
        lanes.ids_of(text)


def test_a_lane_names_account_and_pair():
    trade = stage.trade()
    assert lanes.ids_of(stage.lane(trade)) == (trade.account_id, rows.pair().pk)
