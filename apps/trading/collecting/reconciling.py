"""Books against the exchange: before an account may send anything, and on timers afterwards.

What the exchange tells is recorded; what cannot be explained by our fills is never mended by an order of ours: it
reduces the account when it stays for half a minute, halts it when it stays for a minute, and a person decides.
Doing it again changes nothing and adds no row.
"""

import time
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db.models import F, Max, Subquery
from django.db.models.functions import Now
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.errors import FeedError
from apps.feeds.orders import OrderStatus
from apps.trading.bookkeeping import comparing
from apps.trading.bookkeeping.comparing import Difference
from apps.trading.collecting.interest import WORKING
from apps.trading.collecting.sweep import sweep
from apps.trading.collecting.swept import EVERYTHING, Part, Swept
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.gateway.ports import Port
from apps.trading.halts import halting
from apps.trading.models import Account, AccountMode, Order, Position, RiskState, Wallet
from apps.trading.risk import limits
from apps.trading.risk.view import Scope, ScopeState

log = structlog.get_logger(__name__)

MOST_LOOKS = 500  # orders that are asked for by name before the account opens
FEES_S = 86_400
TRIES, PAUSE_S = 3, 1.0  # what is filled while we ask differs for a moment
BY = halting.control("reconciliation")
UNRESOLVED = (OrderStatus.PENDING, OrderStatus.UNKNOWN)


class Report(Struct, frozen=True, kw_only=True):
    """`is_clean`: the account may be worked. `unresolved` orders are being looked for; their lanes only reduce."""

    account_id: int
    swept: Swept
    differences: list[Difference]
    open_orders: int
    external: int
    unresolved: int
    is_halted: bool

    @property
    def is_clean(self) -> bool:
        return not self.differences and not self.is_halted and not self.swept.left


def reconcile(account_id: int, executor: Executor) -> Report:
    """The gate of one account. Raises FeedError when the exchange does not tell all, CannotWork when we cannot ask.

    A difference that is there when the account opens halts it at once: nobody watched it since the last stop. While
    something is not told it may be what is missing, and halts it as any other does.
    """
    port = executor.ports.of(account_id)
    account = Account.objects.get(pk=account_id)
    first = account.reconciled_at is None
    swept = sweep(port, EVERYTHING, audit=first, most_looks=MOST_LOOKS)
    comparing.doubt_leverage(account_id, told_of=swept.leveraged)
    if Part.HOLDINGS not in swept.unread_parts and swept.unread and not first:
        judge(account_id)
    swept.raise_unread()
    if first:
        comparing.accept(account_id)
    _learn_fees(port, account)
    differences = _settled(port)
    Account.objects.filter(pk=account_id).update(reconciled_at=Now())
    report = _report(account_id, swept, differences)
    log.info(
        "account reconciled",
        account=account_id,
        clean=report.is_clean,
        changed=swept.changed,
        open_orders=report.open_orders,
        unresolved=report.unresolved,
        differences=[each.what for each in differences],
    )
    return report


def judge(account_id: int, *, at_once: bool = False) -> list[Difference]:
    """Compare, and stop the account for what stays; the differences that are there now."""
    differences = comparing.compare(account_id)
    if not differences:
        return []
    age_ms = _age_ms(account_id)
    reason = "MISMATCH: " + "; ".join(each.what for each in differences)
    if at_once or age_ms > limits.HALT_AFTER_MS:
        halting.halt(scope=Scope.ACCOUNT, scope_id=str(account_id), reason=reason, actor=BY)
    elif age_ms > limits.REDUCE_AFTER_MS:
        halting.reduce(scope=Scope.ACCOUNT, scope_id=str(account_id), reason=reason, actor=BY)
    return differences


def _settled(port: Port) -> list[Difference]:
    """What still differs when it was asked for again, and halts the account."""
    for _ in range(TRIES - 1):
        if not comparing.compare(port.account_id):
            return []
        time.sleep(PAUSE_S)
        sweep(port, {Part.TRADES, Part.HOLDINGS}).raise_unread()
    return judge(port.account_id, at_once=True)


def _age_ms(account_id: int) -> int:
    """For how long the oldest difference is there, by the database's clock."""
    oldest = 0
    for rows in (Wallet.objects, Position.objects):
        differing = rows.filter(account_id=account_id, mismatch_since__isnull=False)
        found = differing.annotate(age=Now() - F("mismatch_since")).order_by("mismatch_since").first()
        if found is not None:
            oldest = max(oldest, round(found.age.total_seconds() * 1000))
    return oldest


def _learn_fees(port: Port, account: Account) -> None:
    """What the exchange takes of us, by one of the pairs that the account trades; asked once a day."""
    fresh = Account.objects.filter(pk=account.pk, fees_at__gte=Now() - timedelta(seconds=FEES_S)).exists()
    row = _last_order(account.pk)
    if fresh or row is None or account.mode == AccountMode.PAPER:
        return
    try:
        fees = port.fees(feeds.instrument(row.pair))
    except FeedError as error:
        log.info("fees not told", account=account.pk, error=str(error))
        return
    Account.objects.filter(pk=account.pk).update(maker_fee=fees.maker, taker_fee=fees.taker, fees_at=Now())


def _last_order(account_id: int) -> Order | None:
    """By its time, which the end of an index tells; asked for in order, MariaDB may sort all that there ever were.

    One statement: a time that was read is no longer spelt as SQLite keeps it.
    """
    rows = Order.objects.filter(account_id=account_id)
    last_at = rows.order_by().values("account_id").annotate(at=Max("created_at")).values("at")
    return rows.filter(created_at=Subquery(last_at)).select_related("pair__exchange").first()


def _report(account_id: int, swept: Swept, differences: Sequence[Difference]) -> Report:
    rows = Order.objects.filter(account_id=account_id)
    halted = RiskState.objects.filter(scope=Scope.ACCOUNT, scope_id=str(account_id), state=ScopeState.HALTED)
    return Report(
        account_id=account_id,
        swept=swept,
        differences=list(differences),
        open_orders=rows.filter(status__in=WORKING, is_external=False).count(),
        external=rows.filter(is_external=True, status__in=WORKING).count(),
        unresolved=rows.filter(status__in=UNRESOLVED).count(),
        is_halted=halted.exists(),
    )
