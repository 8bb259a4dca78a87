"""Sweeps: an account's open orders, trades, wallets and positions are asked for by REST, and what they tell is kept.

Pushes may be missing at any time; a sweep completes them. Asking and recording are apart: no question waits inside a
transaction, and an answer that did not come is no information. What the rows know already costs no transaction.
What cannot be read, a pair's trades or a kind of rows, stops nothing else, and is named in the result.
"""

import random
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from functools import partial
from typing import TypeVar

from django.db.models import Q

from apps.feeds import selectors as feeds
from apps.feeds.errors import UnknownOrder, UnknownSymbol
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import Fill, LookUp, OrderRef, OrderUpdate, PositionSide
from apps.trading import records
from apps.trading.bookkeeping import recording
from apps.trading.collecting import held, interest
from apps.trading.collecting.fees import of_order, with_fees
from apps.trading.collecting.interest import Interest
from apps.trading.collecting.swept import EVERYTHING, Part, Swept, from_anywhere
from apps.trading.execution.gateway.ports import Port
from apps.trading.execution.resolution import listing, resolving
from apps.trading.execution.runtime import hooks
from apps.trading.models import Account, FillSource, Order, StrayFill
from apps.trading.order_state import NOT_OVER

AUDIT_MS = 86_400_000 + 3_600_000  # an audit looks back so far
MOST_LOOKS = 50  # orders that are asked for by name in one sweep, of each sort; the next ones take others
MARGIN_MS = 1_000  # the end of a list of trades may lag behind by so much
ALL = ""  # symbols together

T = TypeVar("T")


def sweep(
    port: Port, parts: Collection[Part] = EVERYTHING, *, audit: bool = False, most_looks: int = MOST_LOOKS
) -> Swept:
    """Ask for these parts and record them. What the exchange does not tell is `unread`; the rest is whole in itself.

    `audit`: look back a day at all pairs that were traded since.
    """
    asked_ms, swept = port.now_ms(), Swept()
    wanted = interest.read(port.account_id, asked_ms, all_since_ms=asked_ms - AUDIT_MS if audit else None)
    missing: list[int] = []
    if Part.ORDERS in parts:
        missing = _orders(port, wanted, swept)
    if Part.TRADES in parts:
        wanted = interest.read(port.account_id, asked_ms, all_since_ms=wanted.since_ms) if swept.updates else wanted
        _trades(port, wanted, swept)
        hooks.at("K13")
        if Part.TRADES not in swept.unread_parts:
            _move_cursor(port.account_id, asked_ms - MARGIN_MS)
    if missing:
        _look(port, missing, swept, most_looks)
    if Part.TRADES in parts:
        _place_strays(port, swept, most_looks)
        _explain(port, wanted, swept, most_looks)
    if Part.FUNDING in parts and port.market_type is MarketType.FUTURES:
        held.funding(port, wanted, swept)
    if Part.HOLDINGS in parts:
        held.holdings(port, swept)
    return swept


def look_up(port: Port, lookup: LookUp, instrument: Instrument) -> bool:
    """Ask for the trades of an order that was pushed without them; whether they explain all that it tells as filled."""
    ref = OrderRef(
        instrument=instrument, client_order_id=lookup.client_order_id, exchange_order_id=lookup.exchange_order_id
    )
    fills = of_order(port, ref)
    orders = [recording.record_fill(port.account_id, instrument, fill, FillSource.REST) for fill in fills]
    known = [order for order in orders if order is not None]
    return bool(known) and _unexplained(known[-1]) <= 0


def in_turn(things: Sequence[T], most: int, begin: Callable[[int], int] = random.randrange) -> list[T]:
    """At most so many, from anywhere on and around: what an exchange has forgotten keeps nothing else from its turn."""
    if len(things) <= most:
        return list(things)
    first = begin(len(things))
    return [*things[first:], *things[:first]][:most]


def _orders(port: Port, wanted: Interest, swept: Swept) -> list[int]:
    """Record all that is open; the rows that were open and are not in a list that was told."""
    lists = _open_orders(port, wanted, swept)
    told = [update for listed in lists.values() for update in listed]
    instruments = _instruments(port, wanted, {each.symbol for each in told})
    listed = set()
    for update in told:
        key = (update.symbol, update.exchange_order_id)
        listed.add(key)
        if update.symbol in instruments and not _says_so(wanted, update):
            recording.record_update(port.account_id, instruments[update.symbol], update, FillSource.REST)
            swept.updates += 1
    missing = {key: known.order_id for key, known in wanted.working.items() if key not in listed}
    return [order_id for (symbol, _), order_id in missing.items() if ALL in lists or symbol in lists]


def _open_orders(port: Port, wanted: Interest, swept: Swept) -> dict[str, list[OrderUpdate]]:
    """By symbol where the exchange lists them of one only: of the pairs that the account has to do with; else of ALL.
    Those that were told."""
    told = swept.apart(Part.ORDERS, ALL, lambda: listing.open_of_all(port))
    if told is not None:
        return {ALL: told}
    if Part.ORDERS in swept.unread_parts:
        return {}
    pairs = interest.traded(port.account_id) | wanted.pairs
    lists = {}
    for symbol in from_anywhere(pairs):
        listed = swept.apart(Part.ORDERS, symbol, partial(listing.open_of, port, feeds.instrument(pairs[symbol])))
        if listed is not None:
            lists[symbol] = listed
    return lists


def _says_so(wanted: Interest, update: OrderUpdate) -> bool:
    """Whether the row was as the update tells: then nothing follows from it."""
    known = wanted.working.get((update.symbol, update.exchange_order_id))
    if known is None or update.status != known.status or update.filled != known.told:
        return False
    if known.is_external:
        sided = known.position_side != PositionSide.NET or update.position_side in (None, PositionSide.NET)
        return sided and update.amount in (None, known.amount) and (update.price or None) in (None, known.price)
    return update.client_order_id in (None, known.client_order_id)


def _trades(port: Port, wanted: Interest, swept: Swept) -> None:
    for symbol in from_anywhere(wanted.pairs):
        instrument = wanted.instrument(symbol)
        for fill in swept.apart(Part.TRADES, symbol, partial(_new_trades, port, instrument, wanted)) or ():
            _take(port, instrument, fill, swept)


def _new_trades(port: Port, instrument: Instrument, wanted: Interest) -> list[Fill]:
    try:
        told = port.own_trades(instrument, wanted.since_ms)
    except UnknownSymbol:  # delisted
        return []
    return with_fees(port, instrument, (fill for fill in told if not _is_known(wanted, fill)))


def _is_known(wanted: Interest, fill: Fill) -> bool:
    told = (fill.price, fill.amount)
    return wanted.fills.get((fill.symbol, fill.trade_id, str(fill.side))) == told


def _take(port: Port, instrument: Instrument, fill: Fill, swept: Swept) -> None:
    order = recording.record_fill(port.account_id, instrument, fill, FillSource.REST)
    swept.fills += order is not None
    swept.strays += order is None


def _move_cursor(account_id: int, swept_ms: int) -> None:
    """Never back: an audit that began earlier may end later."""
    older = Q(swept_ms=None) | Q(swept_ms__lt=swept_ms)
    Account.objects.filter(older, pk=account_id).update(swept_ms=swept_ms)


def _look(port: Port, order_ids: list[int], swept: Swept, most: int) -> None:
    """What became of orders that are open no more, ours and others'; some are forgotten, see `gone`."""
    asked = in_turn(sorted(order_ids), most)
    for row in Order.objects.filter(pk__in=asked, status__in=interest.WORKING).order_by("id"):
        swept.looks += 1
        swept.updates += resolving.resolve(row.pk, port).status != row.status
    swept.left += max(0, len(order_ids) - most)


def _place_strays(port: Port, swept: Swept, most: int) -> None:
    """Fills whose order nobody has told of: ask for the order, and so learn whose it is."""
    waiting = StrayFill.objects.filter(account_id=port.account_id, order=None).order_by("id")
    named = list(dict.fromkeys(waiting.values_list("symbol", "exchange_order_id")))
    pairs = interest.listed(port, {symbol for symbol, _ in named})
    for symbol, exchange_order_id in in_turn([each for each in named if each[0] in pairs], most):
        instrument = feeds.instrument(pairs[symbol])
        if recording.attach_strays(port.account_id, instrument, exchange_order_id) is None:
            swept.looks += 1
            ref = OrderRef(instrument=instrument, exchange_order_id=exchange_order_id)
            update = swept.apart(Part.TRADES, f"{symbol} {exchange_order_id}", partial(_order_of, port, ref))
            if update is not None:
                recording.record_update(port.account_id, instrument, update, FillSource.REST)
                swept.updates += 1


def _order_of(port: Port, ref: OrderRef) -> OrderUpdate | None:
    try:
        return port.look_up(ref)
    except (UnknownOrder, UnknownSymbol):
        return None  # it may lag behind, or was forgotten: the fills stay as they are


def _explain(port: Port, wanted: Interest, swept: Swept, most: int) -> None:
    """Orders that are filled further than their fills tell."""
    rows = Order.objects.filter(account_id=port.account_id, told__gt=0, exchange_order_id__isnull=False)
    rows = rows.select_related("pair__exchange").prefetch_related("fills").order_by()
    young = rows.filter(ended_at__gte=records.time_of(wanted.since_ms))  # what ends meanwhile is among both
    found = {row.pk: row for row in (*rows.filter(status__in=NOT_OVER), *young)}
    for row in in_turn([row for _, row in sorted(found.items()) if _unexplained(row) > 0], most):
        swept.looks += 1
        ref = OrderRef(instrument=feeds.instrument(row.pair), exchange_order_id=row.exchange_order_id)
        for fill in swept.apart(Part.TRADES, f"of order {row.pk}", partial(of_order, port, ref)) or ():
            _take(port, ref.instrument, fill, swept)


def _unexplained(row: Order) -> Decimal:
    return row.filled - sum((fill.amount for fill in row.fills.all()), Decimal(0))


def _instruments(port: Port, wanted: Interest, symbols: set[str]) -> dict[str, Instrument]:
    known = {symbol: wanted.instrument(symbol) for symbol in symbols & wanted.pairs.keys()}
    return known | {
        symbol: feeds.instrument(pair) for symbol, pair in interest.listed(port, symbols - known.keys()).items()
    }
