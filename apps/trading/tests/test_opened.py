"""The gate of an account for executors that do not look after it themselves, as those of Celery: nothing is sent before
it is reconciled under the lease that it is looked after by now."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.feeds import leases
from apps.feeds.market import BookKey
from apps.feeds.models import Lease
from apps.trading.execution.entry.working import Ended, work_lane
from apps.trading.execution.gateway.opened import OpenedPorts, close_accounts, is_open, open_account, resource_of
from apps.trading.execution.gateway.ports import CannotWork
from apps.trading.models import Order, OrderIntent, Trade
from apps.trading.risk.view import Top
from apps.trading.tests import stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]

LONG_S = 600.0


@pytest.fixture
def trade() -> Trade:
    """With an order that somebody wants."""
    made = stage.trade()
    stage.want(made)
    return made


def looked_after(trade: Trade, daemon: str = "first") -> int:
    """By a daemon that has just taken the account; its fence."""
    resource = resource_of(trade.account_id or 0)
    return leases.acquire(holder=daemon, resources=[resource], ttl_s=LONG_S)[resource]


def worked(trade: Trade, **changes: Any) -> Ended:
    """What comes of the order in an executor of another process."""
    ports = OpenedPorts(stage.Doors(stage.Exchange(trade.account_id or 0)))
    return work_lane(stage.lane(trade), executor=stage.executor(**{"ports": ports, "gated": True, **changes})).ended


def test_an_account_that_nobody_looks_after_sends_nothing(trade: Trade):
    assert worked(trade) is Ended.CANNOT


def test_an_account_that_is_looked_after_sends_nothing_before_it_is_reconciled(trade: Trade):
    fence = looked_after(trade)
    assert (worked(trade), Order.objects.count()) == (Ended.CANNOT, 0)
    open_account(trade.account_id or 0, fence)
    assert (worked(trade), Order.objects.count()) == (Ended.EMPTY, 1)


def test_an_account_that_another_daemon_has_taken_is_shut_until_that_has_reconciled_it(trade: Trade):
    open_account(trade.account_id or 0, looked_after(trade))
    Lease.objects.update(expires_at=Now() - timedelta(seconds=1))
    fence = looked_after(trade, "second")
    assert (worked(trade), Order.objects.count()) == (Ended.CANNOT, 0)
    open_account(trade.account_id or 0, fence)
    assert worked(trade) is Ended.EMPTY


def test_an_account_whose_daemon_is_gone_is_shut_once_the_lease_has_run_out(trade: Trade):
    open_account(trade.account_id or 0, looked_after(trade))
    Lease.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert (worked(trade), Order.objects.count()) == (Ended.CANNOT, 0)


def test_an_account_that_was_given_back_is_shut(trade: Trade):
    open_account(trade.account_id or 0, looked_after(trade))
    leases.release(holder="first", resources=[resource_of(trade.account_id or 0)])
    assert not is_open(trade.account_id or 0)


def test_an_account_that_was_never_held_is_shut_though_both_fences_are_zero(trade: Trade):
    later = Now() + timedelta(seconds=LONG_S)
    Lease.objects.create(resource=resource_of(trade.account_id or 0), holder="first", fence=0, expires_at=later)
    assert not is_open(trade.account_id or 0)


def test_a_process_that_does_not_know_the_exchanges_time_leaves_the_account_to_others(trade: Trade):
    open_account(trade.account_id or 0, looked_after(trade))
    ports = OpenedPorts(stage.Doors(stage.Exchange(trade.account_id or 0, error_ms=None)))
    with pytest.raises(CannotWork, match="exchange's time"):
        ports.of(trade.account_id or 0)


def test_who_is_done_after_another_daemon_has_opened_it_does_not_close_it(trade: Trade):
    fence = looked_after(trade)
    Lease.objects.filter(resource=resource_of(trade.account_id or 0)).update(expires_at=Now())
    open_account(trade.account_id or 0, looked_after(trade, "second"))
    open_account(trade.account_id or 0, fence)
    assert is_open(trade.account_id or 0)


class Meanwhile(stage.StillMarket):
    """Something happens after the account was asked for, and before its next order is decided."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = happens

    def top(self, key: BookKey) -> Top | None:
        self._happens()
        return super().top(key)


def ways_to_shut(trade: Trade, fence: int) -> dict[str, Callable[[], object]]:
    account_id = trade.account_id or 0
    held = Lease.objects.filter(resource=resource_of(account_id))
    return {
        "closed": lambda: close_accounts({account_id: fence}),
        "given back": lambda: leases.release(holder="first", resources=[resource_of(account_id)]),
        "run out": lambda: held.update(expires_at=Now() - timedelta(seconds=1)),
        "taken": lambda: held.update(holder="second", fence=fence + 1),
    }


@pytest.mark.parametrize("how", ["closed", "given back", "run out", "taken"])
def test_an_account_that_is_shut_after_its_port_was_asked_for_sends_nothing(trade: Trade, how: str):
    fence = looked_after(trade)
    open_account(trade.account_id or 0, fence)
    shuts = ways_to_shut(trade, fence)[how]
    assert worked(trade, market=Meanwhile(shuts)) is Ended.CANNOT
    assert (Order.objects.count(), OrderIntent.objects.get().state) == (0, "NEW")
    assert not Lease.objects.filter(resource__startswith="lane:").exclude(holder="").exists()


def test_of_several_orders_of_a_lane_none_is_sent_after_the_account_was_shut(trade: Trade):
    fence = looked_after(trade)
    open_account(trade.account_id or 0, fence)
    for _ in range(2):
        stage.want(trade)
    shuts = iter([lambda: None, lambda: close_accounts({trade.account_id or 0: fence})])
    assert worked(trade, market=Meanwhile(lambda: next(shuts)())) is Ended.CANNOT
    assert Order.objects.count() == 1
