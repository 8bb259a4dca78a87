"""Keeps the exchanges' own timers (R21): armed while entries rest, refreshed long before they are due, never in doubt.

The timer is a backstop, should every executor be gone: what it cancels is looked for then, and the account rests until
a person resumes it.
"""

from collections.abc import Collection

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds.errors import FeedError
from apps.feeds.orders import OrderStatus
from apps.trading.dead_man import Step, Timing, next_step
from apps.trading.execution.ports import CannotWork, Port, Ports
from apps.trading.intent import Purpose
from apps.trading.models import Account, Order
from apps.trading.order_state import FINAL
from apps.trading.risk_view import DeadMan, Scope
from apps.users.alerts import raise_alert

log = structlog.get_logger(__name__)

TIMING = Timing()


def tend(ports: Ports, accounts: Collection[int], *, stopping: bool = False, timing: Timing = TIMING) -> int:
    """Do what is due for these accounts, whose orders this process looks after; how many timers were told. Each second.

    `stopping`: the process ends as it should, and leaves no timer behind that nobody would refresh.
    """
    told = 0
    for account in Account.objects.filter(pk__in=accounts, active=True):
        try:
            port = ports.of(account.pk)
        except CannotWork:
            continue
        if port.has_dead_man:
            told += _tend(port, account, stopping, timing)
    return told


def _tend(port: Port, account: Account, stopping: bool, timing: Timing) -> int:
    timer = DeadMan(deadline_ms=account.dead_man_ms, fired=account.dead_man_fired_at is not None)
    now_ms = port.now_ms()
    if timer.deadline_ms is not None and now_ms >= timer.deadline_ms and not timer.fired:
        _fire(account)
        return 0
    rests = entries_rest(account.pk)
    step = next_step(timer, entries_rest=rests, stopping=stopping, now_ms=now_ms, timing=timing)
    if step is Step.NOTHING:
        return 0
    try:
        deadline_ms = port.dead_man(timing.timer_ms if step is Step.ARM else None)
    except FeedError as error:  # asked again in a second: there is time for three more
        log.warning("the exchange's timer was not told", account=account.pk, step=step, error=str(error))
        return 0
    Account.objects.filter(pk=account.pk).update(dead_man_ms=deadline_ms)
    return 1


def entries_rest(account_id: int) -> bool:
    """Whether something works that would open a position; what protects one does not count."""
    opens = Q(intent__purpose=Purpose.ENTRY, reduce_only=False)
    return Order.objects.filter(opens, account_id=account_id).exclude(status__in=list(FINAL)).exists()


def _fire(account: Account) -> None:
    """Nobody has refreshed it in time: the exchange has cancelled everything, which the orders are asked for."""
    rows = Account.objects.filter(pk=account.pk, dead_man_fired_at=None)
    if not rows.update(dead_man_fired_at=Now(), dead_man_ms=None):
        return
    Order.objects.filter(account=account).exclude(status__in=[*FINAL, OrderStatus.PENDING]).update(next_check_at=Now())
    raise_alert(
        kind="DEAD_MAN",
        text=f"account {account.pk}: nobody has refreshed the exchange's timer, it has cancelled all orders",
        scope=Scope.ACCOUNT,
        scope_id=str(account.pk),
    )
