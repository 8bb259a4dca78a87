"""What a halt has come to: each order that it is about, with what proves that it works no more, or why nothing does."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from apps.feeds.orders import OrderStatus
from apps.trading.halts import closing, scopes
from apps.trading.halts.closing import Holding
from apps.trading.intent import Purpose
from apps.trading.models import Account, HaltMode, IntentState, Order, OrderEvent, OrderIntent, RiskState
from apps.trading.order_state import CANCEL_TAKEN, FINAL, NOT_OVER, CancelState
from apps.trading.risk.view import Scope, ScopeState

MOST_LINES = 2_000


class Verdict(StrEnum):
    CONFIRMED = "confirmed"  # final, by the exchange's own word or by proof
    CANCELLED = "cancelled"  # the exchange took the cancel; that it is final is not told yet
    UNCONFIRMED = "unconfirmed"


class Line(Struct, frozen=True, kw_only=True):
    """One order; `why` is empty where there is nothing to explain."""

    order_id: int
    account_id: int
    exchange: str
    market_type: str
    pair: str
    side: str
    amount: Decimal
    filled: Decimal
    client_order_id: str
    status: str
    verdict: Verdict
    why: str


class Report(Struct, frozen=True, kw_only=True):
    """`waiting`: intents that nobody has sent, and nobody will; those that close are the halt's own. `holdings` only of
    a halt that closes positions."""

    scope: str
    scope_id: str
    state: str
    mode: str | None
    reason: str
    by: str
    at: datetime
    lines: tuple[Line, ...]
    waiting: int
    holdings: tuple[Holding, ...] = ()

    @property
    def unconfirmed(self) -> int:
        return sum(line.verdict is not Verdict.CONFIRMED for line in self.lines)

    @property
    def is_done(self) -> bool:
        """Everything is stopped, and that is confirmed."""
        held = any(holding.amount for holding in self.holdings)
        return self.state == ScopeState.HALTED and not self.unconfirmed and not held


def report(*, scope: Scope, scope_id: str = "") -> Report | None:
    """Of the scope's switch as it is now; None where it has none."""
    row = RiskState.objects.filter(scope=scope, scope_id=scope_id).first()
    if row is None:
        return None
    return Report(
        scope=row.scope,
        scope_id=row.scope_id,
        state=row.state,
        mode=row.mode,
        reason=row.reason,
        by=row.by,
        at=row.at,
        lines=tuple(_lines(row)),
        waiting=OrderIntent.objects.filter(scopes.intents_under(row.scope, row.scope_id), state=IntentState.NEW)
        .exclude(purpose=Purpose.FLATTEN)
        .count(),
        holdings=tuple(closing.holdings(row.scope, row.scope_id)) if row.mode == HaltMode.FLATTEN else (),
    )


def _lines(row: RiskState) -> list[Line]:
    """Ours that were working when the halt came, or have appeared since."""
    under = Order.objects.filter(scopes.orders_under(row.scope, row.scope_id), intent__isnull=False)
    rows = under.select_related("exchange", "pair", "intent").order_by("account_id", "id")
    accounts = list(Account.objects.values_list("pk", flat=True))  # so that an index leads to what has ended since
    ended = rows.filter(account__in=accounts, ended_at__gte=row.at)  # what ends meanwhile is among both
    found = {order.pk: order for order in (*rows.filter(status__in=NOT_OVER)[:MOST_LINES], *ended[:MOST_LINES])}
    told = list(found.values())[:MOST_LINES]  # what works comes first: it is what keeps the halt from being done
    taken = _taken(told)
    first = sorted(told, key=lambda order: (order.account_id or 0, order.pk))
    return [_line(order, row, is_taken=order.pk in taken) for order in first]


def _taken(orders: Iterable[Order]) -> set[int]:
    """Those whose cancel has left, and the exchange has answered that it took it, of each or of many together."""
    sent = [order.pk for order in orders if order.cancel_state == CancelState.SENT]
    answered = OrderEvent.objects.filter(kind=CANCEL_TAKEN, order__in=sent)
    return set(answered.order_by().values_list("order_id", flat=True))


def _line(order: Order, row: RiskState, *, is_taken: bool) -> Line:
    verdict, why = _verdict(order, row, is_taken=is_taken)
    return Line(
        order_id=order.pk,
        account_id=order.account_id or 0,
        exchange=order.exchange.code,
        market_type=order.pair.market_type,
        pair=order.pair.pair,
        side=order.side,
        amount=order.amount,
        filled=order.filled,
        client_order_id=order.client_order_id or "",
        status=order.status,
        verdict=verdict,
        why=why,
    )


def _verdict(order: Order, row: RiskState, *, is_taken: bool) -> tuple[Verdict, str]:
    status, cancel = OrderStatus(order.status), CancelState(order.cancel_state)
    if status in FINAL:
        return Verdict.CONFIRMED, "filled before the cancel" if cancel is CancelState.TOO_LATE else ""
    if row.state == ScopeState.HALTED and row.mode == HaltMode.STOP and cancel is CancelState.NONE:
        return Verdict.UNCONFIRMED, "left working: the halt only stops new orders"
    if status in (OrderStatus.PENDING, OrderStatus.UNKNOWN):
        why = "a person is asked" if order.quarantined_at else "its request is unresolved"
        return Verdict.UNCONFIRMED, _with_error(why, order)
    if cancel is CancelState.SENT and is_taken and not order.last_error_code:
        return Verdict.CANCELLED, "waits for the exchange to say that it is final"
    return Verdict.UNCONFIRMED, _with_error(WHY[cancel], order)


WHY = {
    CancelState.NONE: "its cancel is not asked for yet",
    CancelState.REQUESTED: "its cancel has not left yet",
    CancelState.SENT: "the cancel is on its way",
    CancelState.UNKNOWN: "the answer to the cancel is lost, it is sent again",
    CancelState.CONFIRMED: "it turned up after it was confirmed",
    CancelState.TOO_LATE: "it turned up after it was filled",
}


def _with_error(why: str, order: Order) -> str:
    return f"{why} ({order.last_error_code}: {order.last_error})" if order.last_error_code else why
