"""The leverage that an intent on futures names is set on the exchange before its order is committed.

What the exchange has confirmed stands in the account's row of the position; risk lets no order leave for which it is
not what the intent wants, so that what fails here refuses the order.
"""

from decimal import Decimal

import structlog

from apps.feeds.errors import FeedError, Refused, Retryable
from apps.feeds.market import MarketType
from apps.feeds.orders import MarginMode
from apps.trading.bookkeeping import comparing
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import ids_of
from apps.trading.execution.gateway.ports import Port
from apps.trading.models import AccountMode, IntentState, OrderIntent, Position

log = structlog.get_logger(__name__)


def settle(lane: str, executor: Executor, port: Port) -> None:
    """For the next intent of the lane. Asks the exchange only where it has not confirmed the same before."""
    account_id, pair_id = ids_of(lane)
    instrument = executor.catalogue([pair_id])[pair_id]
    if instrument.market_type is not MarketType.FUTURES:
        return
    wanted = _wanted(lane)
    if wanted is None or _is_confirmed(account_id, pair_id, *wanted):
        return
    leverage, mode = wanted
    had = comparing.forget_leverage(account_id, pair_id)  # who dies, or gets no answer, does not know which one holds
    try:
        port.set_leverage(instrument, leverage, mode)
    except FeedError as error:
        log.warning("leverage not set", lane=lane, leverage=leverage, reason=f"{type(error).__name__}: {error}")
        if isinstance(error, Refused | Retryable):
            comparing.recall_leverage(had)
        return
    comparing.take_leverage(account_id, pair_id, leverage, mode)


def _wanted(lane: str) -> tuple[int, MarginMode] | None:
    """None: it takes what the account is set to, only makes a position smaller, or is on paper, which has none."""
    head = OrderIntent.objects.filter(lane=lane, state=IntentState.NEW).exclude(account__mode=AccountMode.PAPER)
    row = head.order_by("id").values_list("leverage", "margin_mode", "reduce_only").first()
    if row is None or row[0] is None or row[2]:
        return None
    return row[0], MarginMode(row[1])


def _is_confirmed(account_id: int, pair_id: int, leverage: int, mode: MarginMode) -> bool:
    """Of each side that is known."""
    rows = Position.objects.filter(account_id=account_id, pair_id=pair_id)
    known = set(rows.values_list("leverage", "margin_mode"))
    return known == {(Decimal(leverage), mode.value)}
