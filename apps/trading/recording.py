"""The one place where rows of orders change, whoever has heard something: executors, resolver, sockets and sweeps.

Each function is one transaction on the locked row: the next state by `order_state`, an event with the evidence, fills
once each with all that follows from them, the intent, and a halt of the account where the evidence is alarming. Saying
the same again writes nothing. Amounts are in base currency (`apps.feeds.orders.in_base`). What is committed is told on
the bus.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import IntegrityError
from msgspec.structs import replace

from apps.feeds.drivers.trading import Placed
from apps.feeds.errors import FeedError
from apps.feeds.market import Instrument
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading import attempts, executions, gone, not_placed, order_state, outside, plain
from apps.trading.attempts import Attempt
from apps.trading.execution import hooks
from apps.trading.execution.transactions import in_transaction
from apps.trading.models import FillSource, Order
from apps.trading.not_placed import Look, Patience
from apps.trading.order_state import Alarm, CancelState
from apps.trading.records import ZERO

PATIENCE = Patience()
LONGEST_ERROR = 300
CANCEL_TAKEN = "cancel taken"  # an event of the order

T = TypeVar("T")


def record_update(account_id: int, instrument: Instrument, update: OrderUpdate, source: FillSource) -> Order | None:
    """What an exchange says of an order. Of one that is not ours a row is kept as external.

    None: it may be one of ours whose answer is still on its way, and will be told again.
    """

    def step(conflict: bool) -> Order | None:
        found = outside.find(account_id, instrument, update.client_order_id, update.exchange_order_id)
        attempt = found or outside.claim(account_id, instrument, update)
        if attempt is None:
            return None
        _updated(attempt, update, source, conflict=conflict)
        if found is None:
            _attach(attempt)
        return attempt.row

    return _in_one(step)


def record_fill(account_id: int, instrument: Instrument, fill: Fill, source: FillSource) -> Order | None:
    """One execution. None: whose it is, is not known yet; it is kept, and attached once the order is."""

    def step(conflict: bool) -> Order | None:
        found = outside.find(account_id, instrument, fill.client_order_id, fill.exchange_order_id)
        attempt = found or outside.claim_fill(account_id, instrument, fill)
        if attempt is None:
            executions.keep_stray(account_id, instrument, fill, source)
            return None
        _filled(attempt, [fill], source, conflict=conflict)
        if found is None:
            _attach(attempt)
        return attempt.row

    order = _in_one(step)
    return order if order is not None else attach_strays(account_id, instrument, fill.exchange_order_id)


def attach_strays(account_id: int, instrument: Instrument, exchange_order_id: str) -> Order | None:
    """Give an order the fills that came before it was known; None while it is not.

    Called after a fill is kept, in a transaction of its own: of this one and the one that learns the order's id, the
    later sees what the earlier has written.
    """

    def step(conflict: bool) -> Order | None:
        attempt = outside.find(account_id, instrument, None, exchange_order_id)
        if attempt is not None:
            _attach(attempt)
        return None if attempt is None else attempt.row

    return _in_one(step)


def record_placed(order_id: int, placed: Placed) -> Order:
    """The exchange has answered the one request: it took the order."""

    def step(conflict: bool) -> Order:
        attempt = _lock(order_id)
        full = placed.status is OrderStatus.FILLED and attempt.state.amount is not None
        update = OrderUpdate(
            symbol="",
            exchange_order_id=placed.exchange_order_id,
            client_order_id=placed.client_order_id,
            status=placed.status,
            side=attempt.state.side,
            filled=attempt.state.amount if full and attempt.state.amount else ZERO,
        )
        row = _updated(attempt, update, FillSource.REST, conflict=conflict, kind="placed")
        if placed.fills:
            _filled(attempt, list(placed.fills), FillSource.REST, conflict=conflict)
        hooks.at("K9")
        return row

    return _in_one(step)


def record_refusal(order_id: int, error: FeedError) -> Order:
    """The exchange has answered the one request with a definite no."""

    def step(conflict: bool) -> Order:
        attempt = _lock(order_id)
        if attempt.state.status in (OrderStatus.PENDING, OrderStatus.UNKNOWN):
            attempts.write(
                attempt, order_state.refuse(attempt.state), kind="refused", evidence=_told(error), **_columns(error)
            )
        hooks.at("K9")
        return attempt.row

    return _in_one(step)


def record_loss(order_id: int, error: FeedError) -> Order:
    """The request may have left and nothing proves what became of it: it is looked for soon, see NEXT_CHECK_AT."""

    def step(conflict: bool) -> Order:
        attempt = _lock(order_id)
        if attempt.state.status is OrderStatus.PENDING:
            attempts.write(
                attempt, order_state.lose(attempt.state), kind="lost", evidence=_told(error), **_columns(error)
            )
        hooks.at("K9")
        return attempt.row

    return _in_one(step)


def record_miss(order_id: int, look: Look, *, patience: Patience = PATIENCE, retry: bool = False) -> Order:
    """A whole, clean look that found nothing; the proof is `not_placed`'s. A look that found something is no miss.

    `retry`: once it is proven that the order was never placed, its intent is NEW again, for another attempt.
    """

    def step(conflict: bool) -> Order:
        attempt = _lock(order_id)
        lost = order_state.lose(attempt.state)  # nobody has answered for it
        after = not_placed.miss(lost, look, patience)
        attempts.write(attempt, after, kind="missed", evidence=plain.evidence(look), retry=retry)
        return attempt.row

    return _in_one(step)


def record_gone(order_id: int, look: Look, *, cancelled: bool, patience: Patience = PATIENCE) -> Order:
    """A whole, clean look at an order that was open; the proof that it works no more is `gone`'s."""

    def step(conflict: bool) -> Order:
        attempt = _lock(order_id)
        after = gone.miss(attempt.state, look, patience, cancelled=cancelled)
        attempts.write(attempt, after, kind="gone", evidence=plain.evidence(look))
        return attempt.row

    return _in_one(step)


def record_cancel(order_id: int, cancel_state: CancelState, error: FeedError | None = None) -> Order:
    """A step of our wish to cancel; steps that come too late are ignored. What it came to the exchange tells."""

    def step(conflict: bool) -> Order:
        attempt = _lock(order_id)
        after = order_state.advance_cancel(attempt.state, cancel_state)
        columns: dict[str, Any] = {}
        if cancel_state is CancelState.SENT and cancel_state in order_state.NEXT_CANCEL.get(attempt.state.cancel, ()):
            columns["cancel_attempts"] = attempt.row.cancel_attempts + 1
        if error is not None and after != attempt.state:
            columns |= _columns(error)
        evidence = None if error is None else _told(error)
        attempts.write(attempt, after, kind=f"cancel {cancel_state}".lower(), evidence=evidence, **columns)
        return attempt.row

    return _in_one(step)


def record_cancel_taken(order_id: int) -> Order:
    """The exchange has answered our cancel: it took it. That the order is over is told by the order itself."""

    def step(conflict: bool) -> Order:
        attempt = _lock(order_id)
        attempts.write(attempt, attempt.state, kind=CANCEL_TAKEN, last_error_code="", last_error="")
        return attempt.row

    return _in_one(step)


def _in_one(step: Callable[[bool], T]) -> T:
    """One transaction, repeated as a whole where the database asks for it.

    Where a unique key is in the way (an order taken for somebody else's turns out to be ours, two who write the same)
    the step runs once more and clears it away.
    """
    run = in_transaction(step)
    try:
        return run(False)
    except IntegrityError:
        return run(True)


def _lock(order_id: int) -> Attempt:
    attempt = attempts.lock(pk=order_id)
    if attempt is None:
        raise Order.DoesNotExist(f"no order {order_id}")
    return attempt


def _updated(
    attempt: Attempt, update: OrderUpdate, source: FillSource, *, conflict: bool, kind: str = "update"
) -> Order:
    before = attempt.state
    if conflict:
        outside.adopt(attempt, update.exchange_order_id)
    after = _applied(attempt.state, update)
    columns: dict[str, Any] = {}
    if update.exchange_ms is not None and after != before and update.exchange_ms > attempt.row.exchange_ms:
        columns["exchange_ms"] = update.exchange_ms
    evidence = {"source": source, **plain.evidence(update)}
    attempts.write(attempt, after, kind=kind, evidence=evidence, **columns)
    if attempt.state.exchange_order_id != before.exchange_order_id:
        _attach(attempt)
    return attempt.row


def _applied(state: order_state.Order, update: OrderUpdate) -> order_state.Order:
    known = state.exchange_order_id or ""
    if not update.exchange_order_id:  # some refusals come without one
        update = replace(update, exchange_order_id=known)
    if state.client_order_id == attempts.EXTERNAL:
        update = replace(update, client_order_id=None)
    if update.client_order_id not in (None, state.client_order_id):
        return replace(state, alarms=state.alarms | {Alarm.TWO_ORDERS})
    return order_state.apply(state, update)


def _filled(attempt: Attempt, fills: list[Fill], source: FillSource, *, conflict: bool) -> Order:
    before = attempt.state
    for fill in fills:
        if conflict:
            outside.adopt(attempt, fill.exchange_order_id)
        executions.take(attempt, fill, source)
    if attempt.state.exchange_order_id != before.exchange_order_id:
        _attach(attempt)
    return attempt.row


def _attach(attempt: Attempt) -> None:
    for stray, fill in executions.strays_of(attempt):
        executions.take(attempt, fill, FillSource(stray.source))
        executions.attached(stray, attempt)


def _told(error: FeedError) -> dict[str, Any]:
    return {"error": type(error).__name__, "code": _code(error), "text": str(error)[:LONGEST_ERROR]}


def _columns(error: FeedError) -> dict[str, Any]:
    return {"last_error_code": _code(error), "last_error": f"{type(error).__name__}: {error}"[:LONGEST_ERROR]}


def _code(error: FeedError) -> str:
    return str(getattr(error, "code", ""))[:50]
