"""One attempt's row, locked, beside the state that it stands for: what `recording` moves on.

Steps are gathered and written together, see `save`: whoever calls `write` saves before the transaction ends.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from msgspec import Struct
from msgspec.structs import replace

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import Fill, OrderStatus
from apps.trading import order_state, records
from apps.trading.execution.pretrade import guards
from apps.trading.execution.runtime import statements
from apps.trading.halts import stopping
from apps.trading.models import FillSource, IntentResult, IntentState, Order, OrderEvent, OrderFill, OrderIntent
from apps.trading.order_state import CancelState

CHECK_S = {  # until the next look at an order that nothing else moves on
    OrderStatus.UNKNOWN: 1.0,
    OrderStatus.OPEN: 10.0,
    OrderStatus.PARTIAL: 10.0,
}
UNTOLD_S = 1.0  # the same where more is filled than its fills tell: they may be pushed meanwhile
STATES = {
    OrderStatus.PENDING: IntentState.SENDING,
    OrderStatus.UNKNOWN: IntentState.SENDING,
    OrderStatus.OPEN: IntentState.WORKING,
    OrderStatus.PARTIAL: IntentState.WORKING,
}
RESULTS = {  # of an intent whose last attempt ended so, without and with something filled
    OrderStatus.FILLED: (IntentResult.FILLED, IntentResult.FILLED),
    OrderStatus.CANCELLED: (IntentResult.CANCELLED, IntentResult.PARTIAL_CANCELLED),
    OrderStatus.EXPIRED: (IntentResult.EXPIRED, IntentResult.PARTIAL_CANCELLED),
    OrderStatus.REJECTED: (IntentResult.REJECTED, IntentResult.PARTIAL_CANCELLED),
    OrderStatus.NOT_PLACED: (IntentResult.NOT_PLACED, IntentResult.NOT_PLACED),
}
EXTERNAL = "external"  # stands for the id of ours that an order of somebody else has not

# beside the row: the time once it is locked, the arbitrage of its intent, the symbol of its pair
MORE = (
    "{clock}, (SELECT i.arbitrage_id FROM order_intent i WHERE i.id = INTENT_ID),"
    " (SELECT p.SYMBOL FROM SPOT_TRADE_PAIR p WHERE p.ID = PAIR_ID)"
)
OF_PAIR = (
    "PAIR_ID = (SELECT p.ID FROM SPOT_TRADE_PAIR p JOIN EXCHANGE e ON e.ID = p.EXCHANGE_ID"
    " WHERE e.CODE = %s AND p.MARKET_TYPE = %s AND p.PAIR = %s)"
)


class Attempt(Struct):
    """`state` as it is to be, `saved` as the database has it."""

    row: Order
    state: order_state.Order
    saved: order_state.Order
    now: datetime  # by the database's clock, when the row was locked
    arbitrage_id: int | None = None
    instrument: Instrument | None = None  # None: not read yet
    changes: dict[str, Any] = {}
    steps: list[dict[str, Any]] = []
    of_intent: dict[str, Any] = {}
    fills: list[tuple[Fill, FillSource]] = []  # not written yet
    paid: list[Fill] = []  # rows are there without their fees, which are not written yet


def lock(*, instrument: Instrument | None = None, pair: Instrument | None = None, **by: Any) -> Attempt | None:
    """The order that `by` names (and `pair`, where it does not name one alone), locked until the transaction ends; two
    queries, one where nothing is filled yet. `instrument` spares a query where that is the order's."""
    condition, params = statements.still(Order, by)
    if pair is not None:
        condition += f" AND {OF_PAIR}"
        params += [pair.exchange, pair.market_type, pair.pair]
    vendor = connection.vendor
    more = MORE.format(clock=guards.CLOCK[vendor])
    found = statements.first_and(Order, more, f"WHERE {condition} LIMIT 1{guards.FOR_UPDATE[vendor]}", params)
    if found is None:
        return None
    row, (now, arbitrage_id, symbol) = found
    state = state_of(row, symbol)
    return Attempt(
        row=row,
        state=state,
        saved=state,
        now=guards.known(now),
        arbitrage_id=arbitrage_id,
        instrument=instrument if instrument is not None and instrument.symbol == symbol else None,
    )


def instrument_of(attempt: Attempt) -> Instrument:
    if attempt.instrument is None:
        pair = TradePair.objects.select_related("exchange").get(pk=attempt.row.pair_id)
        attempt.instrument = feeds.instrument(pair)
    return attempt.instrument


def state_of(row: Order, symbol: str) -> order_state.Order:
    fills = statements.rows(OrderFill, "WHERE ORDER_ID = %s", [row.pk]) if row.filled else []
    if row.intent_id is not None:
        return records.order_of(row, fills, symbol)
    known = [records.fill_of(fill, row, symbol) for fill in fills]
    return order_state.Order(
        client_order_id=EXTERNAL,
        side=Side(row.side),
        amount=None,  # of an order that is not ours nothing is expected
        expires_ms=0,
        status=OrderStatus(row.status),
        exchange_order_id=row.exchange_order_id,
        told=row.told,
        fills={fill.trade_id: fill for fill in known},
        alarms=records.alarms_of(row),
        misses=row.misses,
        missed_ms=row.missed_ms,
    )


def write(
    attempt: Attempt,
    after: order_state.Order,
    *,
    kind: str,
    evidence: dict[str, Any] | None = None,
    retry: bool = False,
    **columns: Any,
) -> bool:
    """Note the next state with its evidence, and what follows from it for the intent; False: nothing has changed.

    `retry`: an intent whose attempt was never placed is to be sent anew.
    """
    before, row = attempt.state, attempt.row
    if after.exchange_order_id == "":  # a refusal may come without one
        after = replace(after, exchange_order_id=before.exchange_order_id)
    if after == before and not columns:
        return False
    state = records.columns_of(after)
    for name, value in {**state, "events_told": row.events_told + 1}.items():
        setattr(row, name, value)
    attempt.state = after
    attempt.changes |= {**_moments(before, after, attempt.now), **state, **columns}
    attempt.of_intent |= _of_intent(row, before, after, attempt.now, retry=retry)
    attempt.steps.append(step(row, kind, before.status, after.status, evidence, attempt.now))
    if row.account_id is not None and after.alarms - before.alarms:
        stopping.stop(account_id=row.account_id, order=str(row), alarms=after.alarms - before.alarms)
    return True


def step(
    row: Order, kind: str, before: str, after: str, evidence: dict[str, Any] | None, at: datetime
) -> dict[str, Any]:
    """An event of the order, under the number that its row tells; a row of OrderEvent."""
    return {
        "order_id": row.pk,
        "seq": row.events_told,
        "kind": kind,
        "from_status": before,
        "to_status": after,
        "evidence": evidence,
        "at": at,
    }


def save(attempt: Attempt) -> bool:
    """Write what was noted: its row, its events, its intent; False: nothing was.

    Raise RuntimeError when somebody else has changed the row in spite of the lock.
    """
    if not attempt.steps:
        return False
    row, changes = attempt.row, {**attempt.changes, "events_told": attempt.row.events_told, "updated_at": attempt.now}
    writes = [
        Order.objects.advancing(row.pk, was=attempt.saved.status, **changes),
        statements.inserting(OrderEvent, *attempt.steps),
    ]
    if attempt.of_intent:  # only its last attempt tells what became of it; the column names the next one
        intent_id, last = row.intent_id or 0, row.attempt + 1
        writes.append(statements.updating(OrderIntent, intent_id, attempt.of_intent, attempt__lte=last))
    if statements.together(*writes).found[0] != 1:
        raise RuntimeError(f"order {row.pk} was changed in spite of its lock")
    attempt.saved, attempt.changes, attempt.steps, attempt.of_intent = attempt.state, {}, [], {}
    return True


def _moments(before: order_state.Order, after: order_state.Order, now: datetime) -> dict[str, Any]:
    moments: dict[str, Any] = {}
    untold = after.unexplained > 0
    if after.status is not before.status or untold is not (before.unexplained > 0):
        wait_s = UNTOLD_S if untold else CHECK_S.get(after.status)
        moments["next_check_at"] = None if wait_s is None else now + timedelta(seconds=wait_s)
    if after.status is not before.status:
        if after.is_final or before.is_final:
            moments["ended_at"] = now if after.is_final else None
        if after.status is OrderStatus.UNKNOWN:
            moments["unknown_at"] = now
        else:
            moments["quarantined_at"] = None
    if after.cancel is CancelState.REQUESTED and before.cancel is not CancelState.REQUESTED:
        moments |= {"cancel_requested_at": now, "cancel_attempts": 0}
    return moments


def _of_intent(
    row: Order, before: order_state.Order, after: order_state.Order, now: datetime, *, retry: bool
) -> dict[str, Any]:
    """What becomes of the intent; nothing where the order's fate is what it was."""
    was, told = _ended_as(before), _ended_as(after)
    if row.intent_id is None or was == told:
        return {}
    state, result = told
    if retry and after.status is OrderStatus.NOT_PLACED:
        state, result = IntentState.NEW, None
    values: dict[str, Any] = {"state": state, "result": result, "done_at": None}
    if state is IntentState.DONE:
        values |= {"done_at": now, "reserved_amount": records.ZERO, "reserved_notional": records.ZERO}
    return values


def _ended_as(order: order_state.Order) -> tuple[IntentState, IntentResult | None]:
    if not order.is_final:
        return STATES[order.status], None
    return IntentState.DONE, RESULTS[order.status][order.filled > 0]
