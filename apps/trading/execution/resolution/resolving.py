"""Orders whose fate nobody has told: looked for at their exchange until it is proven, and never given up.

An answer that is an error is no look at all. Whoever claims an order's NEXT_CHECK_AT looks at it, once; a look changes
nothing at the exchange, so no lane is waited for, and two who look at the same time write what one would.
"""

from datetime import timedelta
from decimal import Decimal

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from msgspec.structs import replace

from apps.feeds.errors import FeedError, Refused, Retryable, UnknownSymbol
from apps.feeds.orders import OrderUpdate
from apps.trading.bookkeeping import recording
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.gateway.ports import CannotWork, Port, patience
from apps.trading.execution.resolution import listing
from apps.trading.execution.resolution.due import is_due, rows_due
from apps.trading.execution.resolution.listing import FOUND_S, IN_CANCEL, WORKING
from apps.trading.execution.resolution.looking import Seen, instrument_of, look_at, ref_of
from apps.trading.execution.resolution.overdue import UNRESOLVED, call_for
from apps.trading.execution.runtime import failing, hooks
from apps.trading.execution.runtime.transactions import change_free, is_passing
from apps.trading.intent import Purpose
from apps.trading.models import FillSource, Order, OrderEvent
from apps.trading.order_state import CANCEL_TAKEN, ENOUGH_MISSES, FINAL
from apps.trading.records import ZERO
from apps.trading.risk.limits import Limits

log = structlog.get_logger(__name__)

CLAIM_S = 15.0  # longer than a look takes; who dies meanwhile leaves it to the next
LOOK_S, SLOWEST_S = 1.0, 30.0  # until the next look: at a lost order, at an old one
EXPLAINED = timedelta(seconds=60)  # for so long the fills of an order that is over are asked for by name
IN_A_ROW = 3  # errors of an account's exchange, then the rest of its looks waits for the next round
REPEATED = frozenset({Purpose.HEDGE, Purpose.CLOSE, Purpose.FLATTEN})  # an entry is gone when it is gone
MAX_ERROR_MS = Limits().max_clock_error_ms


def resolve_account(executor: Executor, account_id: int, limit: int = 20) -> int:
    """Look at its orders that are due, if this process has a way to it; how many it looked at. To be called often.

    Several may call it at once: each order is looked at by one.
    """
    try:
        port = executor.ports.of(account_id)
    except CannotWork as reason:
        log.debug("not looked at", account=account_id, reason=str(reason))
        return 0
    rows = rows_due(account_id, limit)
    listed = listing.listed(port, rows)
    passed = listing.pass_over(account_id, listed) if listed else frozenset()
    looked, failed = len(passed), 0
    for row in rows:
        if row.pk in passed:
            continue
        told = _look(row, port, listed)
        if told is None:
            continue
        looked += 1
        failed = 0 if told else failed + 1
        if failed == IN_A_ROW:
            break
    return looked


def _look(row: Order, port: Port, listed: dict[str, OrderUpdate]) -> bool | None:
    """Whether the exchange told of it; None: it was not asked. An order that cannot be dealt with stops no other."""
    try:
        if not _claim(row):
            return None
        update = listed.get(row.exchange_order_id or "")
        if update is None or update.symbol != row.pair.symbol or update.filled != row.filled:
            return _resolve(row, port)
        recording.record_update(port.account_id, instrument_of(row), update, FillSource.REST)
        _schedule(row)
    except InterfaceError:
        raise
    except OperationalError as error:
        if not is_passing(error):
            raise
        log.warning("order is held by somebody", order=row.pk, error=str(error))
        return None
    except Exception:  # it is due again once what was claimed is over
        log.exception("order not looked at", order=row.pk, failures=failing.count("looks"))
    return True


def resolve(order_id: int, port: Port) -> Order:
    """One look, and what follows from it. Raises nothing of the exchange: the next look is put off instead."""
    _resolve(_read(order_id), port)
    return _read(order_id)


def _resolve(row: Order, port: Port) -> bool:
    """False: the exchange told nothing."""
    if row.status in FINAL:
        return _explain(row, port)
    try:
        seen = look_at(port, row)
    except FeedError as error:
        _put_off(row, error)
        return False
    hooks.at("K16")
    take(port, row, seen)
    _schedule(_read(row.pk))
    return True


def _read(order_id: int) -> Order:
    return Order.objects.select_related("pair__exchange", "intent").get(pk=order_id)


def take(port: Port, row: Order, seen: Seen) -> None:
    """Write down what a look has told, and count it where it has found nothing."""
    account_id, instrument = port.account_id, instrument_of(row)
    for update in seen.updates:
        recording.record_update(account_id, instrument, update, FillSource.REST)
    if seen.nothing:
        _miss(port, row, seen)
    elif seen.executed_as is not None or any(update.filled for update in seen.updates):
        _complete(port, row, seen.executed_as)


def _miss(port: Port, row: Order, seen: Seen) -> None:
    """Nothing is proven by when a look was, unless the exchange's clock is known."""
    error_ms = port.clock_error_ms()
    if error_ms is None or error_ms > MAX_ERROR_MS:
        return
    waits = patience(port.expiry)
    if row.status in UNRESOLVED:
        recording.record_miss(row.pk, seen.look, patience=waits, retry=is_repeated(row))
    elif row.status in WORKING:
        accepted = OrderEvent.objects.filter(order_id=row.pk, kind=CANCEL_TAKEN).exists()
        recording.record_gone(row.pk, seen.look, cancelled=accepted, patience=waits)


def is_repeated(row: Order) -> bool:
    """Whether a new attempt is made once this one is proven never to have been placed; T1 asks for its age again."""
    return row.intent is not None and row.intent.purpose in REPEATED and row.attempt < 31


def _explain(row: Order, port: Port) -> bool:
    """An order that is over, filled further than its fills tell: they are asked for. After a while sweeps do it."""
    told = _complete(port, row, None)
    ended = Order.objects.filter(pk=row.pk, next_check_at__isnull=False)
    age = ended.annotate(age=Now() - F("ended_at")).values_list("age", flat=True).first()
    again = None
    if age is not None and age < EXPLAINED and _untold(row) > 0:
        again = Now() + max(timedelta(seconds=LOOK_S), age / 2)
    ended.update(next_check_at=again)
    return told


def _untold(row: Order) -> Decimal:
    return row.filled - sum((fill.amount for fill in row.fills.all()), start=ZERO)


def _complete(port: Port, row: Order, executed_as: str | None) -> bool:
    """Fetch the fills that were told of and that nobody has. False: the exchange told nothing."""
    row = Order.objects.select_related("pair__exchange").get(pk=row.pk)
    if executed_as is None and _untold(row) <= 0:
        return True
    ref = ref_of(row)
    try:
        fills = port.order_trades(replace(ref, exchange_order_id=ref.exchange_order_id or executed_as))
    except FeedError as error:
        log.info("fills not told yet", order=row.pk, error=str(error))
        return False
    for fill in fills:
        recording.record_fill(port.account_id, ref.instrument, fill, FillSource.REST)
    return True


def _claim(row: Order) -> bool:
    """False: somebody else is looking at it now, or holds its row and stands still."""
    due = Order.objects.filter(is_due(), pk=row.pk)
    return change_free(due, next_check_at=Now() + timedelta(seconds=CLAIM_S)) == 1


def _schedule(row: Order) -> None:
    """The next look at an order that is not over; where nothing has changed the row says nothing of it."""
    if row.status in WORKING:
        wait_s = LOOK_S if row.misses or row.cancel_state in IN_CANCEL else FOUND_S
    elif row.status in UNRESOLVED:
        wait_s = LOOK_S if row.misses < ENOUGH_MISSES else FOUND_S
    else:
        return
    Order.objects.filter(pk=row.pk, status=row.status).update(next_check_at=Now() + timedelta(seconds=wait_s))


def _put_off(row: Order, error: FeedError) -> None:
    """Nothing was seen. Who asks is patient with an exchange that is away, the more the longer it lasts. Where it does
    not know the pair, or says no to the question, a person is called: no look may ever tell.
    """
    if row.intent_id is not None and (isinstance(error, UnknownSymbol) or type(error) is Refused):
        call_for(row, error)
    age_s = Order.objects.annotate(age=Now() - Coalesce("unknown_at", "created_at")).values_list("age", flat=True)
    waited = age_s.get(pk=row.pk)
    wait_s = min(SLOWEST_S, max(LOOK_S, waited.total_seconds() / 10))
    if isinstance(error, Retryable):
        wait_s = max(wait_s, min(error.after_s, SLOWEST_S))
    log.info("no look", order=row.pk, error=f"{type(error).__name__}: {error}", again_s=round(wait_s, 1))
    Order.objects.filter(pk=row.pk).update(next_check_at=Now() + timedelta(seconds=wait_s))
