"""What an exchange has told of one order, applied to its locked row, and written: once, with all that follows."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from apps.feeds.errors import FeedError
from apps.feeds.orders import Fill, OrderUpdate, PositionSide
from apps.trading import order_state, plain, publishing
from apps.trading.bookkeeping import attempts, executions, holdings, outside
from apps.trading.bookkeeping.attempts import Attempt
from apps.trading.models import FillSource, Order
from apps.trading.order_state import Alarm

LONGEST_ERROR = 300


def update(attempt: Attempt, told: OrderUpdate, source: FillSource, *, conflict: bool, kind: str = "update") -> None:
    """`conflict`: a unique key was in the way, see `outside.adopt`."""
    before = attempt.state
    if conflict:
        outside.adopt(attempt, told.exchange_order_id)
    after = _applied(attempt.state, told)
    columns = _terms(attempt, told)
    if told.exchange_ms is not None and after != before and told.exchange_ms > attempt.row.exchange_ms:
        columns["exchange_ms"] = told.exchange_ms
    evidence = {"source": source, **plain.evidence(told)}
    attempts.write(attempt, after, kind=kind, evidence=evidence, **columns)


def fills(attempt: Attempt, told: Iterable[Fill], source: FillSource, *, conflict: bool) -> None:
    """`conflict` as of `update`."""
    for fill in told:
        if conflict:
            outside.adopt(attempt, fill.exchange_order_id)
        executions.take(attempt, fill, source)


def save(attempt: Attempt, *, attaching: bool = False) -> None:
    """Write what has changed, and attach the fills that came before the order was known: when its id was just learned,
    or always (`attaching`). They are looked for once that id is written, so that of two transactions, this and the one
    that keeps a fill, the later sees what the earlier has written.
    """
    known = attempt.saved.exchange_order_id
    _write(attempt)
    if attaching or attempt.saved.exchange_order_id != known:
        for stray, fill in executions.strays_of(attempt):
            executions.take(attempt, fill, FillSource(stray.source))
            executions.attached(stray, attempt)
        _write(attempt)


def told(error: FeedError) -> dict[str, Any]:
    """As evidence."""
    return {"error": type(error).__name__, "code": _code(error), "text": str(error)[:LONGEST_ERROR]}


def columns(error: FeedError) -> dict[str, Any]:
    """As an order's row tells it."""
    return {"last_error_code": _code(error), "last_error": f"{type(error).__name__}: {error}"[:LONGEST_ERROR]}


def _write(attempt: Attempt) -> None:
    changed = attempts.save(attempt)
    executions.save(attempt)
    if changed:
        publishing.order_on_commit(attempt.row)


def _applied(state: order_state.Order, update: OrderUpdate) -> order_state.Order:
    known = state.exchange_order_id or ""
    if not update.exchange_order_id:  # some refusals come without one
        update = replace(update, exchange_order_id=known)
    if state.client_order_id == attempts.EXTERNAL:
        update = replace(update, client_order_id=None)
    if update.client_order_id not in (None, state.client_order_id):
        return replace(state, alarms=state.alarms | {Alarm.TWO_ORDERS})
    return order_state.apply(state, update)


def _terms(attempt: Attempt, told: OrderUpdate) -> dict[str, Any]:
    """What an order of somebody else asks for, where the row has it otherwise: a fill came first, or it was amended."""
    if attempt.row.intent_id is not None:
        return {}
    row = attempt.row
    terms = {"amount": told.amount, "price": told.price or None, "position_side": _late_side(row, told)}
    changed = {name: value for name, value in terms.items() if value is not None and getattr(row, name) != value}
    if "position_side" in changed and attempt.state.fills:
        holdings.carry_over(row, str(changed["position_side"]), attempts.instrument_of(attempt), attempt.now)
    for name, value in changed.items():
        setattr(row, name, value)
    return changed


def _late_side(row: Order, told: OrderUpdate) -> PositionSide | None:
    """Long or short, of an order that was first told without either."""
    return None if row.position_side != PositionSide.NET else told.position_side


def _code(error: FeedError) -> str:
    return str(getattr(error, "code", ""))[:50]
