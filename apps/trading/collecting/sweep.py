"""Sweeps: an account's open orders, trades, wallets and positions are asked for by REST, and what they tell is kept.

Pushes may be missing at any time; a sweep completes them. Asking and recording are apart: no question waits inside a
transaction, and an answer that did not come is no information. What the rows know already costs no transaction.
"""

import random
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from django.db.models import Q
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.errors import InvalidOrder, UnknownOrder, UnknownSymbol
from apps.feeds.market import Instrument, MarketType
from apps.feeds.models import TradePair
from apps.feeds.orders import Fill, LookUp, OrderRef, OrderUpdate, PositionSide
from apps.trading import records
from apps.trading.bookkeeping import comparing, holdings, recording
from apps.trading.collecting import interest
from apps.trading.collecting.fees import of_order, with_fees
from apps.trading.collecting.interest import Interest
from apps.trading.execution.gateway.ports import Port
from apps.trading.execution.resolution import resolving
from apps.trading.execution.runtime import hooks
from apps.trading.models import Account, FillSource, FundingPayment, Order, StrayFill
from apps.trading.order_state import NOT_OVER

AUDIT_MS = 86_400_000 + 3_600_000  # an audit looks back so far
MOST_LOOKS = 50  # orders that are asked for by name in one sweep, of each sort; the next ones take others
MARGIN_MS = 1_000  # the end of a list of trades may lag behind by so much
FUNDING_MS = 3 * 86_400_000  # of a pair without payments so far


T = TypeVar("T")


class Part(StrEnum):
    ORDERS = "orders"
    TRADES = "trades"
    HOLDINGS = "holdings"
    FUNDING = "funding"


EVERYTHING = frozenset(Part)
AFTER_A_GAP = frozenset({Part.ORDERS, Part.TRADES, Part.HOLDINGS})


class Swept(Struct, kw_only=True):
    """What a sweep came to: answers that told something new, by kind. `looks`: orders that were asked for by name."""

    updates: int = 0
    fills: int = 0
    strays: int = 0
    wallets: int = 0
    positions: int = 0
    payments: int = 0
    looks: int = 0
    left: int = 0  # orders that were not looked at: too many for one sweep

    @property
    def changed(self) -> int:
        return self.updates + self.fills + self.wallets + self.positions + self.payments


def sweep(
    port: Port, parts: Collection[Part] = EVERYTHING, *, audit: bool = False, most_looks: int = MOST_LOOKS
) -> Swept:
    """Ask for these parts and record them. Raises FeedError: what was recorded before stays, and is whole in itself.

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
        _move_cursor(port.account_id, asked_ms - MARGIN_MS)
    if missing:
        _look(port, missing, swept, most_looks)
    if Part.TRADES in parts:
        _place_strays(port, swept, most_looks)
        _explain(port, wanted, swept, most_looks)
    if Part.FUNDING in parts and port.market_type is MarketType.FUTURES:
        _funding(port, wanted, swept)
    if Part.HOLDINGS in parts:
        _holdings(port, swept)
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
    """Record all that is open; the rows that were open and are not in the list."""
    told = _open_orders(port, wanted)
    instruments = _instruments(port, wanted, {each.symbol for each in told})
    listed = set()
    for update in told:
        key = (update.symbol, update.exchange_order_id)
        listed.add(key)
        if update.symbol in instruments and not _says_so(wanted, update):
            recording.record_update(port.account_id, instruments[update.symbol], update, FillSource.REST)
            swept.updates += 1
    return [known.order_id for key, known in wanted.working.items() if key not in listed]


def _open_orders(port: Port, wanted: Interest) -> list[OrderUpdate]:
    """Where the exchange lists them of one symbol only: of the pairs that the account has to do with."""
    try:
        return port.open_orders(None)
    except InvalidOrder:
        pairs = interest.traded(port.account_id) | wanted.pairs
        return [update for symbol in sorted(pairs) for update in _open_of(port, feeds.instrument(pairs[symbol]))]


def _open_of(port: Port, instrument: Instrument) -> list[OrderUpdate]:
    try:
        return port.open_orders(instrument)
    except UnknownSymbol:  # delisted: nothing is open there, and nothing else waits for it
        return []


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
    for symbol in sorted(wanted.pairs):
        with suppress(UnknownSymbol):  # delisted
            _trades_of(port, wanted.instrument(symbol), wanted, swept)


def _trades_of(port: Port, instrument: Instrument, wanted: Interest, swept: Swept) -> None:
    told = port.own_trades(instrument, wanted.since_ms)
    for fill in with_fees(port, instrument, (fill for fill in told if not _is_known(wanted, fill))):
        _take(port, instrument, fill, swept)


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
    pairs = _listed(port, {symbol for symbol, _ in named})
    for symbol, exchange_order_id in in_turn([each for each in named if each[0] in pairs], most):
        instrument = feeds.instrument(pairs[symbol])
        if recording.attach_strays(port.account_id, instrument, exchange_order_id) is None:
            swept.looks += 1
            _ask_for(port, instrument, exchange_order_id, swept)


def _ask_for(port: Port, instrument: Instrument, exchange_order_id: str, swept: Swept) -> None:
    try:
        update = port.look_up(OrderRef(instrument=instrument, exchange_order_id=exchange_order_id))
    except (UnknownOrder, UnknownSymbol):
        return  # it may lag behind, or was forgotten: the fills stay as they are
    recording.record_update(port.account_id, instrument, update, FillSource.REST)
    swept.updates += 1


def _explain(port: Port, wanted: Interest, swept: Swept, most: int) -> None:
    """Orders that are filled further than their fills tell."""
    rows = Order.objects.filter(account_id=port.account_id, told__gt=0, exchange_order_id__isnull=False)
    rows = rows.select_related("pair__exchange").prefetch_related("fills").order_by()
    young = rows.filter(ended_at__gte=records.time_of(wanted.since_ms))  # what ends meanwhile is among both
    found = {row.pk: row for row in (*rows.filter(status__in=NOT_OVER), *young)}
    for row in in_turn([row for _, row in sorted(found.items()) if _unexplained(row) > 0], most):
        swept.looks += 1
        ref = OrderRef(instrument=feeds.instrument(row.pair), exchange_order_id=row.exchange_order_id)
        for fill in of_order(port, ref):
            _take(port, ref.instrument, fill, swept)


def _unexplained(row: Order) -> Decimal:
    return row.filled - sum((fill.amount for fill in row.fills.all()), Decimal(0))


def _funding(port: Port, wanted: Interest, swept: Swept) -> None:
    for symbol, pair in sorted(wanted.pairs.items()):
        with suppress(UnknownSymbol):  # delisted
            swept.payments += _funding_of(port, wanted.instrument(symbol), pair)


def _funding_of(port: Port, instrument: Instrument, pair: TradePair) -> int:
    """How many payments were new."""
    last = FundingPayment.objects.filter(account_id=port.account_id, pair=pair).order_by("-exchange_ms").first()
    since_ms = port.now_ms() - FUNDING_MS if last is None else last.exchange_ms
    told = port.funding(instrument, since_ms)
    return sum(holdings.take_funding(port.account_id, pair, payment) for payment in told)


def _holdings(port: Port, swept: Swept) -> None:
    swept.wallets += comparing.take_balances(port.account_id, port.balances())
    if port.market_type is MarketType.FUTURES:
        told = port.positions()
        pairs = _listed(port, {each.symbol for each in told.rows})
        swept.positions += comparing.take_positions(port.account_id, pairs, told)


def _instruments(port: Port, wanted: Interest, symbols: set[str]) -> dict[str, Instrument]:
    known = {symbol: wanted.instrument(symbol) for symbol in symbols & wanted.pairs.keys()}
    return known | {symbol: feeds.instrument(pair) for symbol, pair in _listed(port, symbols - known.keys()).items()}


def _listed(port: Port, symbols: Collection[str]) -> dict[str, TradePair]:
    if not symbols:
        return {}
    rows = TradePair.objects.select_related("exchange").filter(
        exchange__code=port.exchange, market_type=port.market_type, symbol__in=symbols
    )
    return {row.symbol: row for row in rows}
