"""The one place where rows of orders change, whoever has heard something: executors, resolver, sockets and sweeps.

Each function is one transaction on the locked row: the next state by `order_state`, an event with the evidence, fills
once each with all that follows from them, the intent, and a halt of the account where the evidence is alarming. Saying
the same again writes nothing. Amounts are in base currency (`apps.feeds.orders.in_base`). What is committed is told on
the bus.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import IntegrityError

from apps.feeds.drivers.trading import Placed
from apps.feeds.errors import FeedError
from apps.feeds.market import Instrument
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading import not_placed, order_state, plain
from apps.trading.bookkeeping import applying, attempts, executions, gone, outside
from apps.trading.bookkeeping.attempts import Attempt
from apps.trading.execution.runtime import hooks
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.models import FillSource, Order
from apps.trading.not_placed import Look, Patience
from apps.trading.order_state import CANCEL_TAKEN, CancelState
from apps.trading.records import ZERO

PATIENCE = Patience()

Change = Callable[[Attempt, bool], None]  # of a locked attempt; True: a unique key was in the way


def record_update(account_id: int, instrument: Instrument, update: OrderUpdate, source: FillSource) -> Order | None:
    """What an exchange says of an order. Of one that is not ours a row is kept as external.

    None: it may be one of ours whose answer is still on its way, and will be told again.
    """

    def step(conflict: bool) -> Attempt | None:
        found = outside.find(account_id, instrument, update.client_order_id, update.exchange_order_id)
        attempt = found or outside.claim(account_id, instrument, update)
        if attempt is not None:
            applying.update(attempt, update, source, conflict=conflict)
            applying.save(attempt, attaching=found is None)
        return attempt

    return _in_one(step)


def record_fill(account_id: int, instrument: Instrument, fill: Fill, source: FillSource) -> Order | None:
    """One execution. None: whose it is, is not known yet; it is kept, and attached once the order is."""

    def step(conflict: bool) -> Attempt | None:
        found = outside.find(account_id, instrument, fill.client_order_id, fill.exchange_order_id)
        attempt = found or outside.claim_fill(account_id, instrument, fill)
        if attempt is None:
            executions.keep_stray(account_id, instrument, fill, source)
            return None
        applying.fills(attempt, [fill], source, conflict=conflict)
        applying.save(attempt, attaching=found is None)
        return attempt

    order = _in_one(step)
    return order if order is not None else attach_strays(account_id, instrument, fill.exchange_order_id)


def attach_strays(account_id: int, instrument: Instrument, exchange_order_id: str) -> Order | None:
    """Give an order the fills that came before it was known; None while it is not.

    Called after a fill is kept, in a transaction of its own: of this one and the one that learns the order's id, the
    later sees what the earlier has written.
    """

    def step(conflict: bool) -> Attempt | None:
        attempt = outside.find(account_id, instrument, None, exchange_order_id)
        if attempt is not None:
            applying.save(attempt, attaching=True)
        return attempt

    return _in_one(step)


def record_placed(order_id: int, placed: Placed, instrument: Instrument | None = None) -> Order:
    """The exchange has answered the one request: it took the order. `instrument`: the order's, if it is at hand."""

    def change(attempt: Attempt, conflict: bool) -> None:
        update = OrderUpdate(
            symbol="",
            exchange_order_id=placed.exchange_order_id,
            client_order_id=placed.client_order_id,
            status=placed.status,
            side=attempt.state.side,
            filled=_filled(attempt, placed),
        )
        applying.update(attempt, update, FillSource.REST, conflict=conflict, kind="placed")
        applying.fills(attempt, placed.fills, FillSource.REST, conflict=conflict)

    return _of_ours(order_id, change, instrument=instrument, point="K9")


def _filled(attempt: Attempt, placed: Placed) -> Decimal:
    """What the answer tells as executed; of a full order all that was asked for, where that is known."""
    if placed.filled is not None:
        return placed.filled
    return attempt.state.amount or ZERO if placed.status is OrderStatus.FILLED else ZERO


def record_refusal(order_id: int, error: FeedError) -> Order:
    """The exchange has answered the one request with a definite no."""

    def change(attempt: Attempt, conflict: bool) -> None:
        if attempt.state.status in (OrderStatus.PENDING, OrderStatus.UNKNOWN):
            _fail(attempt, order_state.refuse(attempt.state), "refused", error)

    return _of_ours(order_id, change, point="K9")


def record_loss(order_id: int, error: FeedError) -> Order:
    """The request may have left and nothing proves what became of it: it is looked for soon, see NEXT_CHECK_AT."""

    def change(attempt: Attempt, conflict: bool) -> None:
        if attempt.state.status is OrderStatus.PENDING:
            _fail(attempt, order_state.lose(attempt.state), "lost", error)

    return _of_ours(order_id, change, point="K9")


def record_miss(order_id: int, look: Look, *, patience: Patience = PATIENCE, retry: bool = False) -> Order:
    """A whole, clean look that found nothing; the proof is `not_placed`'s. A look that found something is no miss.

    `retry`: once it is proven that the order was never placed, its intent is NEW again, for another attempt.
    """

    def change(attempt: Attempt, conflict: bool) -> None:
        lost = order_state.lose(attempt.state)  # nobody has answered for it
        after = not_placed.miss(lost, look, patience)
        again = retry and lost.cancel is CancelState.NONE  # whoever wants it cancelled does not want it once more
        attempts.write(attempt, after, kind="missed", evidence=plain.evidence(look), retry=again)

    return _of_ours(order_id, change)


def record_gone(order_id: int, look: Look, *, cancelled: bool, patience: Patience = PATIENCE) -> Order:
    """A whole, clean look at an order that was open; the proof that it works no more is `gone`'s."""

    def change(attempt: Attempt, conflict: bool) -> None:
        after = gone.miss(attempt.state, look, patience, cancelled=cancelled)
        attempts.write(attempt, after, kind="gone", evidence=plain.evidence(look))

    return _of_ours(order_id, change)


def record_cancel(order_id: int, cancel_state: CancelState, error: FeedError | None = None) -> Order:
    """A step of our wish to cancel; steps that come too late are ignored. What it came to the exchange tells."""

    def change(attempt: Attempt, conflict: bool) -> None:
        after = order_state.advance_cancel(attempt.state, cancel_state)
        columns: dict[str, Any] = {}
        if cancel_state is CancelState.SENT and cancel_state in order_state.NEXT_CANCEL.get(attempt.state.cancel, ()):
            columns["cancel_attempts"] = attempt.row.cancel_attempts + 1
        if error is not None and after != attempt.state:
            columns |= applying.columns(error)
        evidence = None if error is None else applying.told(error)
        attempts.write(attempt, after, kind=f"cancel {cancel_state}".lower(), evidence=evidence, **columns)

    return _of_ours(order_id, change)


def record_cancel_taken(order_id: int) -> Order:
    """The exchange has answered our cancel: it took it. That the order is over is told by the order itself."""

    def change(attempt: Attempt, conflict: bool) -> None:
        attempts.write(attempt, attempt.state, kind=CANCEL_TAKEN, last_error_code="", last_error="")

    return _of_ours(order_id, change)


def _in_one(step: Callable[[bool], Attempt | None]) -> Order | None:
    """One transaction, repeated as a whole where the database asks for it.

    Where a unique key is in the way (an order taken for somebody else's turns out to be ours, two who write the same)
    the step runs once more and clears it away.
    """
    run = in_transaction(step)
    try:
        attempt = run(False)
    except IntegrityError:
        attempt = run(True)
    return None if attempt is None else attempt.row


def _of_ours(order_id: int, change: Change, *, instrument: Instrument | None = None, point: str = "") -> Order:
    """The same for an order that is a row; `point`: where a process may die before its commit, see `hooks`."""

    def step(conflict: bool) -> Attempt | None:
        attempt = attempts.lock(instrument=instrument, id=order_id)
        if attempt is None:
            return None
        change(attempt, conflict)
        applying.save(attempt)
        if point:
            hooks.at(point)
        return attempt

    row = _in_one(step)
    if row is None:
        raise Order.DoesNotExist(f"no order {order_id}")
    return row


def _fail(attempt: Attempt, after: order_state.Order, kind: str, error: FeedError) -> None:
    attempts.write(attempt, after, kind=kind, evidence=applying.told(error), **applying.columns(error))
