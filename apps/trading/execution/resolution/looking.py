"""A whole look at what became of an order: all that its proof asks for, or an error and then nothing was seen."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.errors import UnknownOrder, UnknownSymbol
from apps.feeds.market import Instrument, InstrumentStatus
from apps.feeds.orders import Fill, OrderRef, OrderUpdate
from apps.trading import records
from apps.trading.execution.gateway.ports import Port
from apps.trading.models import Order
from apps.trading.not_placed import Look

BEFORE_MS = 60_000  # trades are asked for from so long before the order was made: clocks differ
MOST_STRANGERS = 20  # trades whose order is asked for, in one look
T = TypeVar("T", OrderUpdate, Fill)


class Seen(Struct, kw_only=True):
    """`updates` are what the exchange told on the way, of the order itself and of others. `executed_as`: its trades
    are there under this id of theirs; lists of all trades may lack their fees, so they are asked for once more.
    """

    look: Look
    updates: list[OrderUpdate] = []
    executed_as: str | None = None

    @property
    def nothing(self) -> bool:
        return not (self.look.order_found or self.look.among_open or self.look.among_trades)


def instrument_of(row: Order) -> Instrument:
    return feeds.instrument(row.pair)


def ref_of(row: Order) -> OrderRef:
    return OrderRef(
        instrument=instrument_of(row),
        client_order_id=row.client_order_id,
        exchange_order_id=row.exchange_order_id,
    )


def look_at(port: Port, row: Order) -> Seen:
    """Ask for the order; where the exchange says that there is none, for open orders and trades too.

    Of a pair that it has delisted an exchange has none. Raises FeedError. `row` needs its pair, with the exchange.
    """
    ref, asked_ms = ref_of(row), port.now_ms()
    try:
        found = port.look_up(ref)
    except (UnknownOrder, UnknownSymbol) as error:
        if isinstance(error, UnknownSymbol) and not is_delisted(row):
            raise
        return _look_around(port, row, ref, asked_ms)
    return Seen(look=Look(asked_ms=asked_ms, order_found=True, among_open=False, among_trades=False), updates=[found])


def _look_around(port: Port, row: Order, ref: OrderRef, asked_ms: int) -> Seen:
    open_now = [each for each in _told(row, lambda: port.open_orders(ref.instrument)) if is_it(row, each)]
    since_ms = records.milliseconds(min(row.created_at, row.request_expires_at or row.created_at)) - BEFORE_MS
    trades = _told(row, lambda: port.own_trades(ref.instrument, since_ms))
    fills = [fill for fill in trades if is_it(row, fill)]
    others, doubtful = _strangers(port, row, ref.instrument, trades)
    found = [update for update in others if is_it(row, update)]
    look = Look(
        asked_ms=asked_ms,
        order_found=bool(found),
        among_open=bool(open_now),
        among_trades=bool(fills) or doubtful,
    )
    return Seen(look=look, updates=[*open_now, *others], executed_as=fills[0].exchange_order_id if fills else None)


def is_delisted(row: Order) -> bool:
    """By our catalogue: one that only its exchange does not know now may be back soon."""
    return row.pair.status == InstrumentStatus.DELISTED


def _told(row: Order, ask: Callable[[], list[T]]) -> list[T]:
    try:
        return ask()
    except UnknownSymbol:
        if not is_delisted(row):
            raise
        return []


def is_it(row: Order, told: OrderUpdate | Fill) -> bool:
    """Whether the exchange tells of this order: by our id, by theirs where ours is not told or it has none."""
    if told.client_order_id is not None and row.client_order_id is not None:
        return told.client_order_id == row.client_order_id
    return row.exchange_order_id is not None and told.exchange_order_id == row.exchange_order_id


def _strangers(port: Port, row: Order, instrument: Instrument, trades: list[Fill]) -> tuple[list[OrderUpdate], bool]:
    """Trades that name no id of ours may be of an order whose own id was never told to us: ask for their orders.

    Returns those, and whether one is left that could not be told apart.
    """
    if row.exchange_order_id is not None:
        return [], False
    nameless = {fill.exchange_order_id for fill in trades if fill.client_order_id is None}
    known = Order.objects.filter(account_id=row.account_id or 0, pair_id=row.pair_id, exchange_order_id__in=nameless)
    strange = sorted(nameless.difference(known.values_list("exchange_order_id", flat=True)))
    updates, doubtful = [], len(strange) > MOST_STRANGERS
    for exchange_order_id in strange[:MOST_STRANGERS]:
        try:
            update = port.look_up(OrderRef(instrument=instrument, exchange_order_id=exchange_order_id))
        except UnknownOrder:
            doubtful = True
            continue
        updates.append(update)
        doubtful = doubtful or update.client_order_id is None
    return updates, doubtful
