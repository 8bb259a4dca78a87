"""Open orders asked for as a list: one answer tells of all of them, however many there are."""

from collections.abc import Collection, Mapping, Set
from datetime import timedelta

import structlog
from django.db.models.functions import Now

from apps.feeds.errors import FeedError, InvalidOrder, UnknownSymbol
from apps.feeds.market import Instrument
from apps.feeds.orders import OrderStatus, OrderUpdate
from apps.trading.execution.gateway.ports import Port
from apps.trading.execution.resolution.due import is_due
from apps.trading.execution.resolution.looking import instrument_of
from apps.trading.execution.runtime.transactions import in_transaction, lock_free
from apps.trading.models import Order
from apps.trading.order_state import CancelState

log = structlog.get_logger(__name__)

WORKING = (OrderStatus.OPEN, OrderStatus.PARTIAL)
IN_CANCEL = (CancelState.REQUESTED, CancelState.SENT, CancelState.UNKNOWN)
FOUND_S = 10.0  # until the next look at an open order
TOGETHER = 2  # so many open orders are asked for as a list


def listed(port: Port, rows: Collection[Order]) -> dict[str, OrderUpdate]:
    """Open orders by their exchange's id, if several of `rows` are; who is missing is asked for by name.

    Those of the whole account, or of the rows' pairs where an exchange tells of one pair at a time.
    """
    working = [row for row in rows if row.status in WORKING]
    if len(working) < TOGETHER:
        return {}
    try:
        return {update.exchange_order_id: update for update in _open_orders(port, working)}
    except FeedError as error:
        log.info("open orders not listed", account=port.account_id, error=str(error))
        return {}


def open_of_all(port: Port) -> list[OrderUpdate] | None:
    """None: the exchange tells of one pair at a time only."""
    try:
        return port.open_orders(None)
    except InvalidOrder:
        return None


def open_of(port: Port, instrument: Instrument) -> list[OrderUpdate]:
    try:
        return port.open_orders(instrument)
    except UnknownSymbol:  # delisted: nothing is open there, and nothing else waits for it
        return []


def _open_orders(port: Port, rows: Collection[Order]) -> list[OrderUpdate]:
    told = open_of_all(port)
    if told is not None:
        return told
    pairs = {row.pair_id: instrument_of(row) for row in rows}
    return [update for instrument in pairs.values() for update in open_of(port, instrument)]


@in_transaction
def pass_over(account_id: int, told: Mapping[str, OrderUpdate]) -> Set[int]:
    """Put off the next look at open orders that are due and just as they were listed, all in one; their keys.

    Not of those that were missed or are being cancelled: there more is to be written, or the next look comes sooner.
    """
    due = Order.objects.filter(is_due(), account_id=account_id, status__in=WORKING, misses=0)
    free = lock_free(due.exclude(cancel_state__in=IN_CANCEL))
    rows = Order.objects.filter(pk__in=free).select_related("pair")
    same = {row.pk for row in rows if is_told(row, told.get(row.exchange_order_id or ""))}
    Order.objects.filter(pk__in=same).update(next_check_at=Now() + timedelta(seconds=FOUND_S))
    return same


def is_told(row: Order, update: OrderUpdate | None) -> bool:
    """Whether the exchange's word says nothing that the row does not."""
    return (
        update is not None
        and update.symbol == row.pair.symbol
        and update.client_order_id in (None, row.client_order_id)
        and (update.status, update.filled) == (row.status, row.filled)
    )
