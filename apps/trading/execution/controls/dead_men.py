"""Keeps the exchanges' own timers (R21): armed while entries rest, refreshed long before they are due, never in doubt.

The timer is a backstop, should every executor be gone: what it cancels is looked for then, and the account rests until
a person resumes it. Where the exchange refuses one, the account has none: a person is told once, and it is asked again
much later. Many accounts are too small for one, so nothing is stopped for want of it.
"""

import time
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TypeAlias
from weakref import WeakKeyDictionary

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds import selectors as feeds
from apps.feeds.drivers.trading import DeadManTerms
from apps.feeds.errors import ClockSkew, FeedError, Refused, RequestExpired, Retryable
from apps.feeds.models import TradePair
from apps.feeds.orders import OrderStatus
from apps.trading.execution.gateway.ports import CannotWork, Port, Ports
from apps.trading.halts.dead_man import Step, next_step
from apps.trading.intent import Purpose
from apps.trading.models import Account, Order
from apps.trading.order_state import NOT_OVER
from apps.trading.risk.view import DeadMan, Scope
from apps.users.alerts import clear, raise_alert

log = structlog.get_logger(__name__)

REFUSED = "NO_TIMER"  # an alert
AGAIN_S = 3600.0  # after a refusal: most accounts of Hyperliquid are too small for a timer, today and tomorrow
PASSING = (ClockSkew, RequestExpired)  # refusals that say nothing of the timer

Of: TypeAlias = int | None  # whose timer: a pair's, or None for that of the whole account


class Kept:
    """What this process knows of one account's timers; `deadlines_ms` of pairs are in no row."""

    def __init__(self) -> None:
        self.deadlines_ms: dict[Of, int] | None = None
        self.refused_s: dict[Of, float] = {}  # when, by the monotonic clock
        self.doubted: set[Of] = set()  # started for all we know: told again at once

    def is_refused(self, of: Of) -> bool:
        return of in self.refused_s and time.monotonic() - self.refused_s[of] < AGAIN_S


_kept: WeakKeyDictionary[Port, Kept] = WeakKeyDictionary()  # a port is the same as long as account and key are


def tend(ports: Ports, accounts: Collection[int], *, stopping: bool = False, terms: DeadManTerms | None = None) -> int:
    """Do what is due for these accounts, whose orders this process looks after; how many timers were told. Each second.

    `stopping`: the process ends as it should, and leaves no timer behind that nobody would refresh. `terms` come in the
    place of the exchange's.
    """
    return sum(tend_account(ports, each, stopping=stopping, terms=terms) for each in accounts)


def tend_account(ports: Ports, account_id: int, *, stopping: bool = False, terms: DeadManTerms | None = None) -> int:
    """The same for one."""
    account = Account.objects.filter(pk=account_id, active=True).first()
    try:
        port = None if account is None else ports.of(account_id)
    except CannotWork:
        return 0
    if account is None or port is None or port.dead_man_terms is None:
        return 0
    return _tend(port, account, stopping, terms or port.dead_man_terms)


def _tend(port: Port, account: Account, stopping: bool, terms: DeadManTerms) -> int:
    kept, now_ms = _kept.setdefault(port, Kept()), port.now_ms()
    fired = account.dead_man_fired_at is not None
    if account.dead_man_ms is not None and now_ms >= account.dead_man_ms and not fired:
        _fire(account)
        return 0
    rest = _entries(account.pk)
    guarded: set[Of] = set(rest) if terms.by_instrument else {None} if rest else set()
    deadlines_ms = _deadlines(account, kept, terms)
    told = 0
    for of in sorted(guarded | set(deadlines_ms), key=str):
        timer = DeadMan(deadline_ms=now_ms if of in kept.doubted else deadlines_ms.get(of), fired=fired)
        step = next_step(timer, entries_rest=of in guarded, stopping=stopping, now_ms=now_ms, terms=terms)
        if step is not Step.NOTHING and not (timer.deadline_ms is None and kept.is_refused(of)):
            if step is Step.ARM and of not in deadlines_ms:  # whoever dies in the middle leaves word that it may run
                _keep(account, {**deadlines_ms, of: now_ms + terms.timer_ms})
            told += _tell(port, of, kept, deadlines_ms, terms.timer_ms if step is Step.ARM else None)
    kept.deadlines_ms = deadlines_ms if terms.by_instrument else None
    _keep(account, deadlines_ms)
    return told


def _keep(account: Account, deadlines_ms: Mapping[Of, int]) -> None:
    first_ms = min(deadlines_ms.values(), default=None)
    if first_ms != account.dead_man_ms:
        Account.objects.filter(pk=account.pk).update(dead_man_ms=first_ms)
        account.dead_man_ms = first_ms


def _deadlines(account: Account, kept: Kept, terms: DeadManTerms) -> dict[Of, int]:
    """Whose timers run. Those of pairs that another process has told run where an order may have needed one.

    The row holds the first of what was told last: where that is not ours, another process was at it.
    """
    if account.dead_man_ms is None:
        return {}
    if not terms.by_instrument:
        return {None: account.dead_man_ms}
    if kept.deadlines_ms and min(kept.deadlines_ms.values()) == account.dead_man_ms:
        return dict(kept.deadlines_ms)
    rows = Order.objects.filter(account=account).order_by().values_list("pair_id", flat=True).distinct()
    lately = rows.filter(ended_at__gte=Now() - timedelta(milliseconds=2 * terms.timer_ms))
    return dict.fromkeys([*rows.filter(status__in=NOT_OVER), *lately], account.dead_man_ms)


def _tell(port: Port, of: Of, kept: Kept, deadlines_ms: dict[Of, int], timer_ms: int | None) -> int:
    """Whether it was told."""
    pair = None if of is None else TradePair.objects.select_related("exchange").get(pk=of)
    asked_ms = port.now_ms()
    try:
        deadline_ms = port.dead_man(timer_ms, None if pair is None else feeds.instrument(pair))
    except FeedError as error:  # asked again in a second: there is time for three more
        if isinstance(error, Refused) and not isinstance(error, PASSING):
            kept.refused_s[of] = time.monotonic()
            if timer_ms is not None:
                _tell_of_refusal(port.account_id, pair, error)
        elif not isinstance(error, Refused | Retryable) and timer_ms is not None and of not in deadlines_ms:
            deadlines_ms[of] = asked_ms + timer_ms
            kept.doubted.add(of)
        log.warning("the exchange's timer was not told", account=port.account_id, pair=of, error=str(error))
        return 0
    kept.doubted.discard(of)
    if deadline_ms is None:
        deadlines_ms.pop(of, None)
    else:
        deadlines_ms[of] = deadline_ms
        clear(kind=REFUSED, **_named(port.account_id, pair))
    return 1


def _tell_of_refusal(account_id: int, pair: TradePair | None, error: Refused) -> None:
    """Its text is left out: some exchanges repeat in it what they were asked."""
    raise_alert(
        kind=REFUSED,
        text=f"account {account_id}: the exchange refuses its timer ({error.code or type(error).__name__}), nothing"
        " cancels its orders should every executor be gone",
        once=True,
        escalates=False,
        **_named(account_id, pair),
    )


def _named(account_id: int, pair: TradePair | None) -> dict[str, str]:
    subject = "" if pair is None else str(pair)
    return {"scope": Scope.ACCOUNT, "scope_id": str(account_id), "subject": subject}


def entries_rest(account_id: int) -> bool:
    """Whether something works that would open a position; what protects one does not count."""
    return bool(_entries(account_id))


def _entries(account_id: int) -> set[int]:
    """The pairs of such orders."""
    opens = Q(intent__purpose=Purpose.ENTRY, reduce_only=False)
    rows = Order.objects.filter(opens, account_id=account_id).filter(status__in=NOT_OVER)
    return {pair_id for pair_id in rows.values_list("pair_id", flat=True).distinct() if pair_id is not None}


def _fire(account: Account) -> None:
    """Nobody has refreshed it in time: the exchange has cancelled everything, which the orders are asked for."""
    rows = Account.objects.filter(pk=account.pk, dead_man_fired_at=None)
    if not rows.update(dead_man_fired_at=Now(), dead_man_ms=None):
        return
    looked_for = [status for status in NOT_OVER if status is not OrderStatus.PENDING]
    Order.objects.filter(account=account, status__in=looked_for).update(next_check_at=Now())
    raise_alert(
        kind="DEAD_MAN",
        text=f"account {account.pk}: nobody has refreshed the exchange's timer, it has cancelled all orders",
        scope=Scope.ACCOUNT,
        scope_id=str(account.pk),
    )
